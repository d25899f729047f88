/** Plugins of a manifest: found, granted, numbered, called, waited for; and what is wrong with one. */
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "ava";
import { finished, KVM, kvm, machineTest, STACK_TRACE, scratchFolder } from "./kvm.js";

const root = scratchFolder();
const sources = join(dirname(KVM), "../testdata/programs");

const PLUGIN = `import { definePlugin, errno, t } from "@kvmkit/hypervisor";
export default definePlugin({
  name: "adder", version: "1.0.0", abi: 1,
  hypercalls: {
    add_three: { args: { value: t.u32 }, handle: (_ctx, { value }) => value + 3 },
    refuse: { args: {}, errors: ["EACCES"], handle() { throw errno("EACCES"); } },
    crash: { args: {}, handle() { throw new Error("secret"); } },
    later: { args: {}, handleAsync: () => new Promise((resolve) => setTimeout(() => resolve(42), 20)) },
    never: { args: {}, handleAsync: () => new Promise((resolve) => setTimeout(resolve, 1e9)) },
  },
});
`;

function pluginProject(name: string, grant: string, call: string): string {
  const manifest = `[program]\npath = "main.s"\n[[plugin]]\nmodule = "./adder.mjs"\n${grant}\n`;
  const cwd = join(root, name);
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(cwd, "vm.toml"), manifest);
  writeFileSync(join(cwd, "adder.mjs"), PLUGIN);
  // The result, negated where it is an errno, becomes the exit status.
  writeFileSync(
    join(cwd, "main.s"),
    `.include "hypercalls.inc"\n.text\n.globl _start\n_start: mov eax, ${call}\nmov edi, 39\nsyscall\nmov rdi, rax\nneg rax\ncmovns rdi, rax\nmov eax, 60\nsyscall\n`,
  );
  const modules = join(cwd, "node_modules/@kvmkit");
  if (!existsSync(modules)) {
    mkdirSync(modules, { recursive: true });
    symlinkSync(join(dirname(KVM), "../node_modules/@kvmkit/hypervisor"), join(modules, "hypervisor"));
  }
  return cwd;
}

machineTest(
  "plugin: a hypercall of a module beside the manifest, its number recorded in kvm.lock.json",
  async (t, { kvm }) => {
    const cwd = pluginProject("plugin", `grant = ["add_three"]`, "SYS_add_three");
    t.deepEqual(await kvm(["run"], { cwd }), { status: 42, stdout: "", stderr: "" });
    const lock = JSON.parse(readFileSync(join(cwd, "kvm.lock.json"), "utf8"));
    t.deepEqual(lock.hypercalls.adder, {
      add_three: 0x1000,
      refuse: 0x1001,
      crash: 0x1002,
      later: 0x1003,
      never: 0x1004,
    });
  },
);

machineTest(
  "plugin: an errno it throws is the guest's; any other throw is -EIO, and is reported",
  async (t, { kvm }) => {
    const refuse = await kvm(["run"], { cwd: pluginProject("refuse", `grant = "all"`, "SYS_refuse") });
    t.deepEqual(refuse, { status: 13, stdout: "", stderr: "" });
    const crash = await kvm(["run"], { cwd: pluginProject("crash", `grant = "all"`, "SYS_crash") });
    t.is(crash.status, 5);
    t.regex(crash.stderr, /crash of plugin adder failed: secret.*ERR_VM_HANDLER/);
    t.notRegex(crash.stderr, STACK_TRACE);
  },
);

machineTest("plugin: what is not granted does not exist for the guest: -ENOSYS", async (t, { kvm }) => {
  const cwd = pluginProject("withheld", `grant = ["refuse"]`, "0x1000");
  t.is((await kvm(["run"], { cwd })).status, 38);
});

machineTest(
  "plugin: an asynchronous handler is waited for, in a worker, and the streams still work",
  async (t, { kvm }) => {
    const cwd = pluginProject("async", `grant = ["later"]`, "SYS_later");
    t.deepEqual(await kvm(["run"], { cwd }), { status: 42, stdout: "", stderr: "" });
    writeFileSync(join(cwd, "cat.s"), readFileSync(join(sources, "cat.s")));
    const manifest = `[program]\npath = "cat.s"\n[[plugin]]\nmodule = "./adder.mjs"\ngrant = "all"\n`;
    writeFileSync(join(cwd, "cat.toml"), manifest);
    const input = Buffer.alloc(3_000_000, "line\n");
    const ran = await kvm(["run", "cat.toml"], { cwd, input });
    t.deepEqual([ran.status, ran.stderr], [0, ""]);
    t.true(ran.stdout === input.toString());
  },
);

machineTest(
  "plugin: a time limit and Ctrl-C end a handler that never answers: 124 and 130",
  async (t, { kvm, startKvm }) => {
    const cwd = pluginProject("never", `grant = ["never"]`, "SYS_never");
    const ran = await kvm(["run", "--timeout", "200ms"], { cwd });
    t.deepEqual(ran, { status: 124, stdout: "", stderr: "kvm: the time limit of 200ms was reached\n" });
    const ready =
      '.include "hypercalls.inc"\n.text\n.globl _start\n_start: mov eax, 1\nmov edi, 1\nlea rsi, [rip + text]\nmov edx, 5\nsyscall\n';
    writeFileSync(join(cwd, "main.s"), `${ready}mov eax, SYS_never\nsyscall\ntext: .ascii "ready"\n`);
    const child = startKvm(["run"], { cwd });
    const interrupted = finished(child);
    await once(child.stdout!, "data");
    child.kill("SIGINT");
    t.deepEqual(await interrupted, { status: 130, stdout: "ready", stderr: "" });
  },
);

const wrongPlugins: [string, string, RegExp][] = [
  [
    "a module that is not there",
    `module = "./none.mjs"`,
    /vm\.toml:4:10 {2}module = "\.\/none\.mjs": no such file.*ERR_MANIFEST_PLUGIN/,
  ],
  [
    "a package that is not installed",
    `module = "no-such-plugin"`,
    /vm\.toml:4:10 .*no such package.*ERR_MANIFEST_PLUGIN/,
  ],
  ["a built-in, misspelt", `module = "consle"`, /Did you mean console\?.*ERR_MANIFEST_PLUGIN/],
  [
    "a module that is no plugin",
    `module = "./no-plugin.mjs"`,
    /vm\.toml:4:10 .*definePlugin.*ERR_MANIFEST_PLUGIN/,
  ],
  ["a module that throws", `module = "./throws.mjs"`, /vm\.toml:4:10 .*broken module.*ERR_MANIFEST_PLUGIN/],
  [
    "a hypercall that it does not have",
    `module = "./adder.mjs"\ngrant = ["ad_three"]`,
    /vm\.toml:5:10 .*ad_three.*Did you mean add_three\?.*ERR_MANIFEST_PLUGIN/,
  ],
  [
    "options that it does not take",
    `module = "./adder.mjs"\noptions = { x = 1 }`,
    /vm\.toml:5:11 .*ERR_MANIFEST_PLUGIN|ERR_VM_PLUGIN_OPTIONS/,
  ],
];

for (const [title, table, message] of wrongPlugins) {
  test(`plugin: refused with 125: ${title}`, async (t) => {
    const cwd = pluginProject("wrong-plugin", "", "0");
    writeFileSync(join(cwd, "no-plugin.mjs"), "export default 5;\n");
    writeFileSync(join(cwd, "throws.mjs"), `throw new Error("broken module");\n`);
    writeFileSync(join(cwd, "hello.s"), readFileSync(join(sources, "hello.s")));
    const file = `${title.replaceAll(" ", "-")}.toml`;
    writeFileSync(join(cwd, file), `[program]\npath = "hello.s"\n[[plugin]]\n${table}\n`);
    const ran = await kvm(["run", "--accel", "soft", file], { cwd });
    t.is(ran.status, 125, ran.stderr);
    t.regex(ran.stderr.replaceAll(file, "vm.toml"), message);
    t.notRegex(ran.stderr, STACK_TRACE);
  });
}

test("run --explain prints what is granted, and runs nothing", async (t) => {
  const cwd = pluginProject("explain", `grant = ["add_three"]`, "SYS_add_three");
  const ran = await kvm(["run", "--explain"], { cwd });
  t.is(ran.status, 0);
  t.regex(ran.stdout, /^ {12}adder 1\.0\.0 from adder\.mjs: add_three$/m);
  t.notRegex(ran.stdout, /refuse/);
  const watch = `import { definePlugin } from "@kvmkit/hypervisor";\nexport default definePlugin({ name: "watch", version: "1.0.0", abi: 1, middleware: [{ on: ["write"], handle: (_ctx, _call, next) => next() }] });\n`;
  writeFileSync(join(cwd, "watch.mjs"), watch);
  writeFileSync(
    join(cwd, "watched.toml"),
    `[program]\npath = "main.s"\n[[plugin]]\nmodule = "./adder.mjs"\ngrant = "all"\n[[plugin]]\nmodule = "./watch.mjs"\n`,
  );
  const watched = await kvm(["run", "--explain", "watched.toml"], { cwd });
  t.regex(watched.stdout, /^ {12}watch 1\.0\.0 from watch\.mjs: intercepts write$/m);
});
