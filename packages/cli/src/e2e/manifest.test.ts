/** `kvm run` and `kvm build` on manifests: what they grant, limit and build, and what is wrong with one. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "ava";
import { KVM, kvm, machineTest, STACK_TRACE, scratchFolder } from "./kvm.js";

const root = scratchFolder();
const sources = join(dirname(KVM), "../testdata/programs");

/** A folder with a manifest and the named test sources. */
function project(name: string, manifest: string, ...programs: string[]): string {
  const dir = join(root, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "vm.toml"), manifest);
  for (const source of programs) writeFileSync(join(dir, source), readFileSync(join(sources, source)));
  return dir;
}

machineTest(
  "run: args, env and cwd of the manifest, and arguments behind -- after them",
  async (t, { kvm }) => {
    const manifest = `[program]\npath = "echo.s"\nargs = ["a b"]\n[env]\nHOME = "/"\n`;
    const cwd = project("echo", manifest, "echo.s");
    const ran = await kvm(["run", "--", "-x"], { cwd });
    t.deepEqual(ran, { status: 0, stdout: "echo.s\na b\n-x\nHOME=/\n", stderr: "" });
  },
);

machineTest("run: paths are relative to the manifest, wherever the user stands", async (t, { kvm }) => {
  const manifest = `[program]\npath = "open.s"\nargs = ["/data/file", "0"]\n[[mount]]\nhost = "data"\nguest = "/data"\n`;
  const dir = project("paths", manifest, "open.s");
  mkdirSync(join(dir, "data"), { recursive: true });
  writeFileSync(join(dir, "data/file"), "");
  t.deepEqual(await kvm(["run", join(dir, "vm.toml")], { cwd: "/" }), { status: 0, stdout: "", stderr: "" });
  t.deepEqual(
    await kvm(["run", "paths/vm.toml"], {
      cwd: "/",
      env: { INIT_CWD: root, npm_package_json: "/package.json" },
    }),
    {
      status: 0,
      stdout: "",
      stderr: "",
    },
  );
});

machineTest("run: [limits] wall ends the run with 124, and --timeout stands above it", async (t, { kvm }) => {
  const manifest = `[program]\npath = "fault.s"\nargs = ["loop"]\n[limits]\nwall = "200ms"\n`;
  const cwd = project("limits", manifest, "fault.s");
  const stderr = (limit: string) => `kvm: the time limit of ${limit} was reached\n`;
  t.deepEqual(await kvm(["run"], { cwd }), { status: 124, stdout: "", stderr: stderr("200ms") });
  const above = await kvm(["run", "--timeout", "100ms"], { cwd });
  t.deepEqual(above, { status: 124, stdout: "", stderr: stderr("100ms") });
});

machineTest("run: [limits] cpu and output end the run with 124", async (t, { kvm }) => {
  const loop = project(
    "cpu",
    `[program]\npath = "fault.s"\nargs = ["loop"]\n[limits]\ncpu = "100ms"\n`,
    "fault.s",
  );
  t.deepEqual(await kvm(["run"], { cwd: loop }), {
    status: 124,
    stdout: "",
    stderr: "kvm: the processor time limit of 100ms was reached\n",
  });
  const yes = project("output", `[program]\npath = "yes.s"\n[limits]\noutput = "10000B"\n`, "yes.s");
  t.deepEqual(await kvm(["run"], { cwd: yes }), {
    status: 124,
    stdout: "y\n".repeat(5000),
    stderr: "kvm: the output limit of 10000B was reached\n",
  });
});

machineTest(
  "run: [limits] files and file-size are refusals that the guest sees: EMFILE, EFBIG",
  async (t, { kvm }) => {
    const limits = `[limits]\nfiles = 5\nfile-size = "2500B"\n[[mount]]\nguest = "/d"\nhost = "data"\nmode = "rw"\n`;
    const many = project("files", `[program]\npath = "open-many.s"\nargs = ["/d"]\n${limits}`, "open-many.s");
    mkdirSync(join(many, "data"), { recursive: true });
    t.deepEqual(await kvm(["run"], { cwd: many }), { status: 24, stdout: "", stderr: "" });
    const fill = project(
      "fill",
      `[program]\npath = "fill-file.s"\nargs = ["/d/f"]\n${limits}`,
      "fill-file.s",
    );
    mkdirSync(join(fill, "data"), { recursive: true });
    t.deepEqual(await kvm(["run"], { cwd: fill }), { status: 27, stdout: "", stderr: "" });
    t.is(statSync(join(fill, "data/f")).size, 2500);
  },
);

const flatImages: [string, string, number, RegExp][] = [
  ["halts", "hlt", 0, /^$/],
  ["faults three times over", "ud2", 125, /ERR_VM_TRIPLE_FAULT/],
  ["uses an unknown port", "mov dx, 0x999\nout dx, al", 125, /port 0x999.*ERR_VM_UNKNOWN_PORT/],
  [
    "writes where there is no memory",
    "mov byte ptr [0x300000], 1",
    125,
    /ERR_VM_(TRIPLE_FAULT|UNMAPPED_MEMORY)/,
  ],
  [
    "panics through the foreign host ABI",
    "mov edx, 0xffff\nmov eax, 0x1000\nout dx, eax",
    125,
    /kernel panicked/,
  ],
  ["exits through the foreign host ABI", "mov edx, 0x8005\nmov eax, 42\nout dx, eax", 42, /^$/],
];

for (const [title, code, status, message] of flatImages) {
  machineTest(`run: a flat image that ${title} ends with ${status}`, async (t, { kvm }) => {
    const cwd = project(title.replaceAll(" ", "-"), `[vm]\nboot = "long"\nkernel = "boot.s"\n`);
    writeFileSync(join(cwd, "boot.s"), `${code}\n`);
    const ran = await kvm(["run"], { cwd });
    t.is(ran.status, status, ran.stderr);
    t.regex(ran.stderr, message);
    t.notRegex(ran.stderr, STACK_TRACE);
  });
}

machineTest(
  "run: an unknown system call is -ENOSYS, and what is not granted does not exist",
  async (t, { kvm }) => {
    const cwd = project(
      "granted",
      `[program]\npath = "open.s"\nargs = ["/tmp/x", "65"]\n[[plugin]]\nmodule = "files"\n`,
      "open.s",
    );
    t.is((await kvm(["run"], { cwd })).status, 38);
  },
);

test("run: every complaint about a manifest at once, with line and caret, and 125", async (t) => {
  const cwd = project("wrong", `[vm]\nmemory = "64MB"\nacel = "kvm"\n[program]\npath = "none"\n`);
  const ran = await kvm(["run"], { cwd });
  t.is(ran.status, 125);
  t.is(ran.stdout, "");
  t.is(
    ran.stderr,
    [
      'vm.toml:2:10  memory = "64MB": unit MB is not known. Write "64MiB" (67,108,864 bytes), or "64000000B" (64,000,000 bytes)  ERR_MANIFEST_UNIT',
      '    2 | memory = "64MB"',
      "      |          ^^^^^^",
      "vm.toml:3:1  vm.acel: unknown key. Did you mean accel?  ERR_MANIFEST_UNKNOWN_KEY",
      '    3 | acel = "kvm"',
      "      | ^^^^",
      `vm.toml:5:8  path = "none": does not exist (${join(cwd, "none")})  ERR_MANIFEST_PATH`,
      '    5 | path = "none"',
      "      |        ^^^^^^",
      "",
    ].join("\n"),
  );
});

test("run --json: the same as data", async (t) => {
  const cwd = project("wrong-json", `[program]\npath = 5\n`);
  const ran = await kvm(["run", "--json"], { cwd });
  const { error } = JSON.parse(ran.stderr);
  t.deepEqual([error.code, error.problems[0].line, error.problems[0].column], ["ERR_MANIFEST_TYPE", 2, 8]);
});

test("run: a manifest that is not there is 125", async (t) => {
  const ran = await kvm(["run", "none.toml"], { cwd: root });
  t.deepEqual(ran, { status: 125, stdout: "", stderr: "none.toml  no such file  ERR_MANIFEST_NOT_FOUND\n" });
});

test("build: a source that does not assemble gives every complaint with its line, and 125", async (t) => {
  const cwd = project("bad-source", `[program]\npath = "bad.s"\n`);
  writeFileSync(join(cwd, "bad.s"), ".globl _start\n_start: mov rax, ebx\n bogus 1\n");
  const ran = await kvm(["build"], { cwd });
  t.is(ran.status, 125);
  t.regex(ran.stderr, /bad\.s:2:\d+/);
  t.regex(ran.stderr, /bad\.s:3:\d+/);
  t.notRegex(ran.stderr, STACK_TRACE);
});

test("build: the second does nothing, a changed source or include is noticed, a damaged entry is made again", async (t) => {
  const cwd = project("build", `[program]\npath = "main.s"\n`);
  writeFileSync(join(cwd, "number.inc"), ".set NUMBER, 1\n");
  const source = `.include "number.inc"\n.text\n.globl _start\n_start: mov edi, NUMBER\nmov eax, 60\nsyscall\n`;
  writeFileSync(join(cwd, "main.s"), source);
  const built = async () => {
    const ran = await kvm(["build", "--json"], { cwd });
    t.is(ran.status, 0, ran.stderr);
    const artefacts: { kind: string; built: boolean; path: string }[] = JSON.parse(ran.stdout)[0].artefacts;
    return Object.fromEntries(artefacts.map((artefact) => [artefact.kind, artefact]));
  };
  const state = ({ kernel, program: made }: Awaited<ReturnType<typeof built>>) => [
    kernel!.built,
    made!.built,
  ];
  const first = await built();
  t.deepEqual(state(first), [true, true]);
  const before = statSync(first["kernel"]!.path).mtimeMs;
  t.deepEqual(state(await built()), [false, false]);
  writeFileSync(join(cwd, "number.inc"), ".set NUMBER, 2\n");
  t.deepEqual(state(await built()), [false, true]);
  writeFileSync(join(cwd, "main.s"), `${source}# changed\n`);
  t.deepEqual(state(await built()), [false, true]);
  t.is(statSync(first["kernel"]!.path).mtimeMs, before);
  writeFileSync(first["kernel"]!.path, "damaged");
  t.deepEqual(state(await built()), [true, false]);
});

test("build: six at once leave whole entries and no temporary files", async (t) => {
  const cwd = project("concurrent", `[program]\npath = "hello.s"\n`, "hello.s");
  const all = await Promise.all(Array.from({ length: 6 }, () => kvm(["build"], { cwd })));
  t.deepEqual(
    all.map(({ status }) => status),
    [0, 0, 0, 0, 0, 0],
  );
  const names = readdirSync(join(cwd, ".kvmkit")).sort();
  t.deepEqual(
    names.map((name) => name.replace(/-[0-9a-f]{16}/, "")),
    [".gitignore", "kernel.elf", "kernel.json", "program.elf", "program.json"],
  );
  t.regex((await kvm(["build"], { cwd })).stderr, /up to date/);
});

test("build: without arguments the workspace's members too, and one bad member does not hide another", async (t) => {
  const cwd = project("workspace", `[workspace]\nmembers = ["parts/*/vm.toml"]\n`);
  for (const name of ["a", "b", "c"]) mkdirSync(join(cwd, "parts", name), { recursive: true });
  writeFileSync(join(cwd, "parts/a/vm.toml"), `[program]\npath = "none"\n`);
  writeFileSync(join(cwd, "parts/b/vm.toml"), `[program]\npath = "hello.s"\n`);
  writeFileSync(join(cwd, "parts/b/hello.s"), readFileSync(join(sources, "hello.s")));
  writeFileSync(join(cwd, "parts/c/vm.toml"), `[vm]\nboot = 5\n`);
  const ran = await kvm(["build"], { cwd });
  t.is(ran.status, 125);
  t.regex(ran.stderr, /parts\/a\/vm\.toml:2:8 .*ERR_MANIFEST_PATH/);
  t.regex(ran.stderr, /parts\/c\/vm\.toml:2:8 .*ERR_MANIFEST_TYPE/);
  t.true(existsSync(join(cwd, "parts/b/.kvmkit")));
  rmSync(join(cwd, "parts/a"), { recursive: true });
  rmSync(join(cwd, "parts/c"), { recursive: true });
  t.is((await kvm(["build"], { cwd })).status, 0);
});
