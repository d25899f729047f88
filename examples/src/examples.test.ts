/**
 * Every folder of examples/ with a manifest: what it prints is its expected-output.txt, and it ends with status 0, on each
 * accelerator. And the manifest at the repository's root, which is where a newcomer starts.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hiddenKvmTest, kvmTest, type TestBody, withoutKvm } from "@kvmkit-internal/test-support";
import test from "ava";

const examples = join(dirname(fileURLToPath(import.meta.url)), "..");
const cli = createRequire(import.meta.url).resolve("@kvmkit/cli/package.json");
const kvm = join(dirname(cli), "bin/kvm.js");

const folders = readdirSync(examples).filter((name) => existsSync(join(examples, name, "vm.toml")));

const ACCELERATORS: readonly (readonly [name: string, test: (title: string, body: TestBody) => void])[] = [
  ["kvm", kvmTest],
  ["soft", test],
];
const root = join(examples, "..");

for (const [accel, accelTest] of ACCELERATORS) {
  for (const folder of folders) {
    accelTest(
      `examples/${folder} prints its expected-output.txt and ends with status 0, on ${accel}`,
      (t) => {
        t.deepEqual(runKvm(["run", "--accel", accel, "vm.toml"], join(examples, folder)), {
          stdout: readFileSync(join(examples, folder, "expected-output.txt"), "utf8"),
          stderr: "",
          status: 0,
        });
      },
    );
  }

  accelTest(`the root's vm.toml prints the host's /etc/os-release, on ${accel}`, (t) => {
    const stdout = readFileSync("/etc/os-release", "utf8");
    t.deepEqual(runKvm(["run", "--accel", accel], root), { stdout, stderr: "", status: 0 });
  });
}

hiddenKvmTest("the README's first command, npm start, passes without /dev/kvm, and says on what", (t) => {
  const [file, args] = withoutKvm(["npm", "start", "--silent"]);
  const { stdout, stderr, status } = spawnSync(file, args, { cwd: root, encoding: "utf8" });
  t.is(status, 0, stderr);
  t.true(stdout.endsWith(readFileSync("/etc/os-release", "utf8")), stdout);
  t.regex(stderr, /^kvm: running on the software CPU, which is slower: \/dev\/kvm does not exist\. .*\n$/m);
});

test("kvm build in the root builds its manifest and every example, and a second build does nothing", (t) => {
  t.is(runKvm(["build"], root).status, 0);
  const { stderr, status } = runKvm(["build"], root);
  t.is(status, 0);
  const upToDate = ["", ...folders.map((folder) => `examples/${folder}/`)].sort();
  t.deepEqual(stderr.trimEnd().split("\n").sort(), upToDate.map((dir) => `${dir}vm.toml: up to date`).sort());
});

function runKvm(args: readonly string[], cwd: string) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [kvm, ...args], { cwd });
  return { stdout: stdout.toString(), stderr: stderr.toString(), status };
}
