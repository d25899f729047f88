/** Applets of a static busybox, on both accelerators: what they print and return is what they do under Linux itself. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { kvmToolTest, toolTest } from "@kvmkit-internal/test-support";
import { runProgram } from "./run-program.js";

const TOOLS = { busybox: "busybox-static" };

const LINES = "b 2\na 10\na 10\nthe last line has no end";
const BYTES = String.fromCharCode(...Array.from({ length: 3000 }, (_, n) => (n * 7 + (n >> 8)) & 0x7f));

const APPLETS: readonly (readonly [args: readonly string[], stdin?: string])[] = [
  [["echo", "hello", "world"]],
  [["seq", "3", "-1", "-3"]],
  [["expr", "6", "*", "(", "3", "+", "4", ")"]],
  [["factor", "1234567890123"]],
  [["cal", "11", "2026"]],
  [["date", "-u", "-d", "@1234567890"]],
  [
    [
      "awk",
      'BEGIN { printf("%.12g %.12g %.12g\\n", exp(1), sin(1), log(10)); for (i in ENVIRON) n++; print n }',
    ],
  ],
  [["awk", '{ words += NF; squares += $2 * $2 } END { printf("%d %.6f\\n", words, sqrt(squares)) }'], LINES],
  [["sort", "-k2n"], LINES],
  [["uniq", "-c"], LINES],
  [["wc"], LINES],
  [["rev"], LINES],
  [["tac"], LINES],
  [["nl"], LINES],
  [["fold", "-w", "5"], LINES],
  [["sed", "-e", "s/\\(.\\) \\(.\\)/\\2-\\1/g", "-e", "$d"], LINES],
  [["grep", "-n", "^a"], LINES],
  [["grep", "-q", "absent"], LINES],
  [["tr", "a-z", "A-Z"], LINES],
  [["sha256sum"], BYTES],
  [["sha512sum"], BYTES],
  [["md5sum"], BYTES],
  [["cksum"], BYTES],
  [["base64"], BYTES],
  [["xxd"], BYTES],
  [["od", "-An", "-t", "f8"], BYTES],
  [["gzip", "-9", "-n", "-c"], BYTES],
  [["bzip2", "-c"], BYTES],
  [["dc", "-e", "2 100 ^ p 20 k 2 v p"]],
  [["sh", "-c", "i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done; echo $i; exit 7"]],
  [["false"]],
  [["no-such-applet"]],
];

const ACCELERATORS = [
  ["kvm", kvmToolTest],
  ["soft", toolTest],
] as const;

for (const [accel, accelTest] of ACCELERATORS) {
  accelTest(`${accel}: busybox applets do what they do under Linux`, TOOLS, async (t) => {
    const path = spawnSync("sh", ["-c", "command -v busybox"]).stdout.toString().trim();
    const image = readFileSync(path);
    for (const [args, stdin = ""] of APPLETS) {
      const argv = ["busybox", ...args];
      const linux = spawnSync(path, args, { argv0: "busybox", input: stdin, env: { KEY: "value" } });
      const { result, output } = await runProgram(accel, image, { argv, stdin });
      const title = argv.join(" ");
      t.is(output, linux.stdout.toString("latin1") + linux.stderr.toString("latin1"), title);
      t.like(result, { kind: "exited", status: linux.status! }, title);
    }
  });
}
