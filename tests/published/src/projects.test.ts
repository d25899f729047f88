/** What `kvm new` makes, and the tutorial, step by step: from an empty folder, with packed tarballs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";
import { addPrebuild, pack, packages, repository } from "./pack.js";
import { type Registry, startRegistry } from "./registry.js";
import { type Step, stepsOf } from "./tutorial-steps.js";

const folder = mkdtempSync(join(tmpdir(), "kvmkit-projects-"));
const GCC = { cc: "gcc" };
let registry: Registry;

test.before("pack every package and serve the tarballs", async (t) => {
  t.timeout(300_000);
  const tarballs = join(folder, "tarballs");
  mkdirSync(tarballs);
  for (const name of packages) pack(t, name, tarballs);
  addPrebuild(t, join(tarballs, readdirSync(tarballs).find((name) => name.includes("kvm-bindings"))!));
  registry = await startRegistry(tarballs);
});

test.after.always("remove the folder", () => {
  registry?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Said {
  readonly stdout: string;
  /** Where the shell stood at the end. */
  readonly cwd: string;
}

/** Runs shell commands as a reader types them; the first that fails ends them, and the test. */
async function shell(t: ExecutionContext, commands: string, cwd: string): Promise<Said> {
  const { npm_config_local_prefix: _, INIT_CWD: __, ...env } = process.env;
  // The tests run at once: each has an npx of its own, and says for itself where its shell stood.
  const own = join(folder, relative(folder, cwd).split(sep)[0]!);
  const last = `${own}.cwd`;
  const child = spawn("bash", ["-euo", "pipefail", "-c", `${commands}\npwd > "${last}"`], {
    cwd,
    env: { ...env, ...registry.env, npm_config_cache: `${own}.npm`, NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (data) => {
    said.out += data;
  });
  child.stderr.on("data", (data) => {
    said.err += data;
  });
  const [status] = await once(child, "close");
  t.is(status, 0, `${commands}\n${said.out}${said.err}`);
  return { stdout: said.out, cwd: readFileSync(last, "utf8").trimEnd() };
}

function emptyFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

toolTest("kvm new plugin: the package installs, builds, tests and runs at once", GCC, async (t) => {
  t.timeout(300_000);
  const started = performance.now();
  const commands =
    "npx @kvmkit/cli new plugin greeter\ncd greeter\nnpm install\nnpm start --silent\ntimes > times.txt\ntail -1 times.txt";
  const made = await shell(t, commands, emptyFolder("a"));
  const [output, times] = made.stdout.trimEnd().split("\n").slice(-2);
  t.is(output, "Hello, C program: the host greets you.");
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  t.log(
    `from kvm new plugin to the C program's output: ${seconds} s; processor time, user and system: ${times}`,
  );
  t.regex((await shell(t, "npm test", made.cwd)).stdout, /pass 2\n.* fail 0/);
  await shell(t, "npm run build", made.cwd);
  t.deepEqual(JSON.parse(readFileSync(join(made.cwd, "kvm.lock.json"), "utf8")), {
    version: 1,
    hypercalls: { greeter: { greeter_greet: 0x1000 } },
  });
});

toolTest("kvm new vm: the package installs, builds, tests and runs at once", GCC, async (t) => {
  t.timeout(300_000);
  const made = await shell(t, "npx @kvmkit/cli new vm sandbox\ncd sandbox\nnpm install", emptyFolder("b"));
  t.regex((await shell(t, "npm test", made.cwd)).stdout, /pass 2\n.* fail 0/);
  const { stdout } = await shell(t, "npm start --silent", made.cwd);
  t.is(stdout, "Hello, reader: this is C, in a virtual machine of its own.\n");
  await shell(t, "npm run build", made.cwd);
  t.false(existsSync(join(made.cwd, "kvm.lock.json")));
});

test("kvm new: the same files as JSON, and never over what is there", async (t) => {
  t.timeout(300_000);
  const { stdout, cwd } = await shell(t, "npx @kvmkit/cli new plugin box --json", emptyFolder("c"));
  const { files, next } = JSON.parse(stdout);
  for (const file of files) t.true(existsSync(join(cwd, "box", file)), file);
  t.deepEqual(next, ["cd box", "npm install", "npm test", "npm start"]);
  const again = await shell(t, "npx @kvmkit/cli new plugin box 2>&1 || true", cwd);
  t.regex(again.stdout, /the folder box is there, and not empty {2}ERR_CLI_EXISTS/);
});

toolTest("docs/plugin-tutorial.md: every step, in order, from an empty folder", GCC, async (t) => {
  t.timeout(300_000);
  const steps = stepsOf(readFileSync(join(repository, "docs/plugin-tutorial.md"), "utf8"));
  t.true(steps.filter(({ kind }) => kind === "output").length > 3);
  let said: Said = { stdout: "", cwd: emptyFolder("tutorial") };
  for (const step of steps) said = await follow(t, step, said);
});

async function follow(t: ExecutionContext, step: Step, said: Said): Promise<Said> {
  if (step.kind === "output") t.is(said.stdout.slice(-step.text.length), step.text, `line ${step.line}`);
  if (step.kind === "shell") return shell(t, step.text, said.cwd);
  if (step.kind === "file") {
    const path = join(said.cwd, step.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, step.text);
  }
  return said;
}
