/** A short run of scripts/fuzz-hypercalls.mjs; the long one is by hand. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import test from "ava";

const script = fileURLToPath(new URL("../../scripts/fuzz-hypercalls.mjs", import.meta.url));

for (const set of ["built-ins", "host files"]) {
  test(`fuzz-hypercalls.mjs: 10,000 calls at ${set} find nothing`, (t) => {
    const args = [script, "--seed", "11", "--count", "10000", "--set", set];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    t.is(status, 0, `${stdout}${stderr}`);
    t.regex(stdout, /^seed 11, 10000 calls\n/);
    t.regex(stdout, new RegExp(`^${set} +10000 calls .*findings 0$`, "m"));
  });
}
