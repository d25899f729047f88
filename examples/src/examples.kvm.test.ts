/** Every folder of examples/ with a manifest: what it prints is its expected-output.txt, and it ends with status 0. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { kvmTest } from "@kvmkit-internal/test-support";

const examples = join(dirname(fileURLToPath(import.meta.url)), "..");
const cli = createRequire(import.meta.url).resolve("@kvmkit/cli/package.json");
const kvm = join(dirname(cli), "bin/kvm.js");

const folders = readdirSync(examples).filter((name) => existsSync(join(examples, name, "vm.toml")));

for (const folder of folders) {
  kvmTest(`examples/${folder} prints its expected-output.txt and ends with status 0`, (t) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [kvm, "run", "vm.toml"], {
      cwd: join(examples, folder),
      env: { ...process.env, INIT_CWD: "" },
    });
    t.is(stderr.toString(), "");
    t.is(stdout.toString(), readFileSync(join(examples, folder, "expected-output.txt"), "utf8"));
    t.is(status, 0);
  });
}
