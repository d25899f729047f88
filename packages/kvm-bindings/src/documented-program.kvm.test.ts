import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { kvmTest } from "@kvmkit-internal/test-support";

kvmTest("README: the smallest program prints `a`", (t) => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const [, program] = /```js\n(.*?)```/s.exec(readme)!;
  const index = JSON.stringify(new URL("index.js", import.meta.url).href);
  const script = program!.replace('"@kvmkit/kvm-bindings"', index);
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  t.is(stdout, "a", stderr);
  t.is(status, 0);
});
