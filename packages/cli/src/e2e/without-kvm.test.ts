/** A machine without /dev/kvm: what `auto` does, what it says, and what `kvm doctor` finds. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { hiddenKvmTest, withoutKvm } from "@kvmkit-internal/test-support";
import { KVM, program, scratchFolder } from "./kvm.js";

const cache = scratchFolder();
const hello = program("hello");

/** Runs `kvm` where the device is hidden. */
function kvm(...args: readonly string[]) {
  const [file, all] = withoutKvm([process.execPath, KVM, ...args]);
  const env = { ...process.env, XDG_CACHE_HOME: join(cache, "cache"), NODE_OPTIONS: "" };
  const { status, stdout, stderr } = spawnSync(file, all, { env, cwd: cache, encoding: "utf8" });
  return { status, stdout, stderr };
}

const FALLBACK =
  /^kvm: running on the software CPU, which is slower: \/dev\/kvm does not exist\. `kvm doctor` says what helps\.\n$/;

for (const args of [[], ["--accel", "auto"]]) {
  hiddenKvmTest(`exec ${args.join(" ")}: the guest runs, and one line says on what and why`, (t) => {
    const ran = kvm("exec", ...args, hello);
    t.deepEqual([ran.status, ran.stdout], [0, "hello\n"]);
    t.regex(ran.stderr, FALLBACK);
  });
}

hiddenKvmTest("exec --accel soft: nothing to say", (t) => {
  t.deepEqual(kvm("exec", "--accel", "soft", hello), { status: 0, stdout: "hello\n", stderr: "" });
});

hiddenKvmTest("exec --accel kvm: 125, and what the device is", (t) => {
  const ran = kvm("exec", "--accel", "kvm", hello);
  t.deepEqual([ran.status, ran.stdout], [125, ""]);
  t.regex(ran.stderr, /^kvm: \/dev\/kvm, .* does not exist {2}ERR_VM_ACCEL_UNAVAILABLE\n/);
});

hiddenKvmTest("exec --json: one line of JSON, which says it", (t) => {
  const ran = kvm("exec", "--json", hello);
  const { result, accel, fallbackReason } = JSON.parse(ran.stderr);
  t.deepEqual([result.kind, result.status, accel], ["exited", 0, "soft"]);
  t.regex(fallbackReason, /\/dev\/kvm/);
});

hiddenKvmTest("doctor: a guest can run, on soft", (t) => {
  const ran = kvm("doctor", "--json");
  t.is(ran.status, 0, ran.stderr);
  const { canRun, findings } = JSON.parse(ran.stdout);
  t.true(canRun);
  const verdicts = new Map(findings.map((f: { name: string; verdict: string }) => [f.name, f.verdict]));
  t.deepEqual(
    ["/dev/kvm", "accel kvm", "accel soft"].map((name) => verdicts.get(name)),
    ["missing", "missing", "ok"],
  );
  t.is(findings.find((f: { name: string }) => f.name === "accel auto").detail, "takes soft");
});
