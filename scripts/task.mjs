/**
 * The root tasks, for a machine that has nothing but Node.js, npm and a C++ compiler.
 *
 *   node scripts/task.mjs setup | start | build | test | lint | bench   [arguments for turbo or the CLI]
 *
 * Every task installs what is missing first, with the pnpm that package.json pins, so that no order of
 * commands is wrong on a fresh clone.
 */
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const tasks = {
  setup: (args) => turbo("build", args),
  build: (args) => turbo("build", args),
  lint: (args) => turbo("lint", args) || run("node", ["scripts/lint.mjs"]),
  test: testAndCount,
  bench: (args) => turbo("bench", ["--concurrency=1", ...args]),
  start: (args) => turbo("build", ["--output-logs=errors-only"]) || kvmRun(args),
};

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, name ?? "")) {
  console.error(`usage: node scripts/task.mjs ${Object.keys(tasks).join(" | ")}`);
  process.exit(2);
}
install();
process.exit(await tasks[name](args));

/** Installs dependencies where the lock file is newer than what is installed. */
function install() {
  const installed = join(root, "node_modules/.modules.yaml");
  const lock = join(root, "pnpm-lock.yaml");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  const status = run("npx", ["--yes", manifest.packageManager, "install", "--frozen-lockfile"]);
  if (status !== 0) process.exit(status);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

function turboArguments(task, args) {
  return [join(root, "node_modules/turbo/bin/turbo"), "run", task, ...args];
}

/** turbo looks the pinned pnpm up on the PATH; a fresh machine has it in node_modules only. */
function turboEnvironment() {
  return {
    ...process.env,
    PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
    TURBO_TELEMETRY_DISABLED: "1",
    KVMKIT_KVM_USABLE: kvmUsable() ? "1" : "0",
  };
}

function turbo(task, args) {
  return run(process.execPath, turboArguments(task, args), { env: turboEnvironment() });
}

/** Tests see whether `/dev/kvm` is usable through turbo's cache key: a cached skip is never replayed where it is. */
function kvmUsable() {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs the first manifest: /etc/os-release, read by a ring-3 program in a virtual machine. */
function kvmRun(args) {
  return run(process.execPath, ["packages/cli/bin/kvm.js", "run", ...(args.length ? args : ["vm.toml"])]);
}

/**
 * Runs every package's tests and ends with AVA's counts, summed over the packages. AVA starts a process for each test
 * file, so more packages at once than there are processors only make each other late.
 */
async function testAndCount(args) {
  const child = spawn(
    process.execPath,
    turboArguments("test", [
      "--continue",
      "--log-order=grouped",
      `--concurrency=${availableParallelism()}`,
      ...args,
    ]),
    {
      cwd: root,
      env: { ...turboEnvironment(), FORCE_COLOR: "0" },
      stdio: ["inherit", "pipe", "inherit"],
    },
  );
  const count = { passed: 0, failed: 0, skipped: 0 };
  let rest = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text) => {
    process.stdout.write(text);
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) addCounts(count, line);
  });
  const status = await new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  return status;
}

/** AVA closes with lines such as `12 tests passed`, `1 test failed`, `2 tests skipped`; what did not end has failed. */
function addCounts(count, line) {
  const [, number, outcome] =
    /(?:^|:test: )\s*(\d+) (?:tests? (passed|failed|skipped)$|uncaught exceptions?$|unhandled rejections?$|tests? (?:was|were) pending in )/.exec(
      line.trimEnd(),
    ) ?? [];
  if (number !== undefined) count[outcome ?? "failed"] += Number(number);
}
