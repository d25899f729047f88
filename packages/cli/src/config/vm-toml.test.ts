import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { ManifestError } from "./problems.js";
import { checkManifest, loadManifest } from "./vm-toml.js";

const dir = mkdtempSync(join(tmpdir(), "kvmkit-manifest-"));
writeFileSync(join(dir, "prog"), "");
writeFileSync(join(dir, "boot.asm"), "");
mkdirSync(join(dir, "data"));
test.after.always(() => rmSync(dir, { recursive: true }));

const names = { file: join(dir, "vm.toml"), shownFile: "vm.toml" };
const check = (source: string) => checkManifest(source, names);

/** The complaints about a text, each as `line:column code message`. */
async function complaints(source: string): Promise<string[]> {
  try {
    await check(source);
    return [];
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    return error.problems.map(({ line, column, code, message }) => `${line}:${column} ${code} ${message}`);
  }
}

const PROGRAM = '[program]\npath = "prog"\n';

test("a manifest of one key has every default", async (t) => {
  const { manifest } = await check(PROGRAM);
  t.deepEqual(manifest.vm, {
    accel: "auto",
    boot: "kvmkit",
    memory: 64 * 2 ** 20,
    kernel: undefined,
    load: undefined,
    entry: undefined,
    registers: {},
  });
  t.deepEqual(manifest.program, { path: "prog", cc: undefined, args: [], cwd: "/" });
  t.deepEqual([manifest.env, manifest.mount, manifest.plugin], [{}, [], []]);
  t.is(manifest.limits.wall, "none");
});

test("every value is read in its own unit, and host paths are relative to the manifest", async (t) => {
  const { manifest } = await check(`
    [vm]
    accel = "kvm"
    boot = "real"
    memory = "4MiB"
    kernel = "boot.asm"
    load = "0x7c00"
    entry = "0x7c05"
    registers = { rax = "0xffffffff80000000" }
    [env]
    HOME = "/"
    [[mount]]
    guest = "/data/"
    host = "./data"
    mode = "rw"
    [[mount]]
    guest = "/tmp"
    tmpfs = "1MiB"
    [limits]
    wall = "10s"
    [[plugin]]
    module = "./clock.js"
    grant = ["clock_now"]
    options = { start = 5 }
    [metadata]
    anything = [1, 2]`);
  t.is(manifest.vm.kernel, join(dir, "boot.asm"));
  t.deepEqual([manifest.vm.load, manifest.vm.entry], [0x7c00n, 0x7c05n]);
  t.deepEqual(manifest.vm.registers, { rax: 0xffff_ffff_8000_0000n });
  t.deepEqual(manifest.env, { HOME: "/" });
  t.deepEqual(manifest.mount, [
    { guest: "/data", host: join(dir, "data"), mode: "rw", tmpfs: undefined },
    { guest: "/tmp", host: undefined, mode: undefined, tmpfs: 2 ** 20 },
  ]);
  t.is(manifest.limits.wall, 10_000);
  t.deepEqual(manifest.plugin, [{ module: "./clock.js", grant: ["clock_now"], options: { start: 5 } }]);
});

const refused: [string, string, string[]][] = [
  [
    "a decimal unit",
    `${PROGRAM}[vm]\nmemory = "64MB"\n`,
    [
      '4:10 ERR_MANIFEST_UNIT memory = "64MB": unit MB is not known. Write "64MiB" (67,108,864 bytes), or "64000000B" (64,000,000 bytes)',
    ],
  ],
  [
    "a bare number for a size",
    `${PROGRAM}[vm]\nmemory = 64\n`,
    ['4:10 ERR_MANIFEST_UNIT memory = 64: no unit. Write "64MiB" (67,108,864 bytes), or "64B" (64 bytes)'],
  ],
  [
    "a bare number for a duration",
    `${PROGRAM}[limits]\nwall = 10\n`,
    ['4:8 ERR_MANIFEST_UNIT wall = 10: no unit. Units are ms, s, m, h: write for example "10s"'],
  ],
  [
    "memory beyond its range",
    `${PROGRAM}[vm]\nmemory = "4KiB"\n`,
    ['4:10 ERR_MANIFEST_VALUE memory = "4KiB": not between 64KiB and 1TiB'],
  ],
  [
    "memory that is not whole pages",
    `${PROGRAM}[vm]\nmemory = "4097KiB"\n`,
    ['4:10 ERR_MANIFEST_VALUE memory = "4097KiB": not a multiple of 4KiB'],
  ],
  [
    "a misspelt key, in a table and at the top",
    `${PROGRAM}[vm]\nmemroy = "64MiB"\n[limit]\nwall = "1s"\n`,
    [
      "4:1 ERR_MANIFEST_UNKNOWN_KEY vm.memroy: unknown key. Did you mean memory?",
      "5:2 ERR_MANIFEST_UNKNOWN_KEY limit: unknown key. Did you mean limits?",
    ],
  ],
  [
    "a key that is near to none",
    `${PROGRAM}cwd = "/"\nshell = true\n`,
    ["4:1 ERR_MANIFEST_UNKNOWN_KEY program.shell: unknown key. Keys here are args, cc, cwd, path"],
  ],
  [
    "a compiler for what is no C source",
    `[program]\npath = "prog"\ncc = ["gcc"]\n`,
    ["3:1 ERR_MANIFEST_CONFLICT program.cc: for a program that is a C source (.c)"],
  ],
  [
    "a list of compilers with nothing in it",
    `[program]\npath = "prog"\ncc = []\n`,
    ["3:6 ERR_MANIFEST_VALUE cc = []: no compiler is named"],
  ],
  [
    "a dotted key",
    `vm.memroy = "64MiB"\n${PROGRAM}`,
    ["1:4 ERR_MANIFEST_UNKNOWN_KEY vm.memroy: unknown key. Did you mean memory?"],
  ],
  [
    "a key of a second [[mount]]",
    `${PROGRAM}[[mount]]\nguest = "/a"\nhost = "data"\n[[mount]]\nguest = "/b"\nhost = "data"\nmod = "rw"\n`,
    ["9:1 ERR_MANIFEST_UNKNOWN_KEY mount[1].mod: unknown key. Did you mean mode?"],
  ],
  [
    "__proto__, constructor and toString, which every object has",
    `${PROGRAM}__proto__ = { path = "x" }\n[constructor]\n[vm]\ntoString = 1\n`,
    [
      "3:1 ERR_MANIFEST_UNKNOWN_KEY program.__proto__: unknown key. Keys here are args, cc, cwd, path",
      "4:2 ERR_MANIFEST_UNKNOWN_KEY constructor: unknown key. Keys here are env, limits, metadata, mount, plugin, program, vm, workspace",
      "6:1 ERR_MANIFEST_UNKNOWN_KEY vm.toString: unknown key. Keys here are accel, boot, entry, kernel, load, memory, registers",
    ],
  ],
  [
    "a wrong type, of each kind",
    `${PROGRAM}args = "x"\ncwd = 5\n[vm]\naccel = true\nmemory = ["64MiB"]\nboot = 1979-05-27\n`,
    [
      '3:8 ERR_MANIFEST_TYPE args = "x": a string, where a list of strings is needed',
      '4:7 ERR_MANIFEST_TYPE cwd = 5: a number, where an absolute path of the guest such as "/data" is needed',
      '6:9 ERR_MANIFEST_TYPE accel = true: a boolean, where one of "auto", "kvm", "soft" is needed',
      '7:10 ERR_MANIFEST_TYPE memory = ["64MiB"]: a list, where a size such as "64MiB" is needed',
      '8:8 ERR_MANIFEST_TYPE boot = 1979-05-27: a date or time, where one of "kvmkit", "long", "protected", "real" is needed',
    ],
  ],
  [
    "one element of a list",
    `${PROGRAM}args = [\n  "a",\n  5,\n]\n`,
    ["5:3 ERR_MANIFEST_TYPE args[1] = 5: a number, where a string is needed"],
  ],
  [
    "a table where a list of tables is needed",
    `${PROGRAM}[mount]\nguest = "/"\n`,
    ["3:2 ERR_MANIFEST_TYPE mount: one table of a list has its name in double brackets"],
  ],
  [
    "a name that is not one of a set",
    `${PROGRAM}[vm]\naccel = "hvm"\n`,
    ['4:9 ERR_MANIFEST_VALUE accel = "hvm": not one of "auto", "kvm", "soft". Did you mean "kvm"?'],
  ],
  [
    "an address as a number, whose sign the reader loses",
    `[vm]\nboot = "long"\nkernel = "prog"\nload = 0x1000\nentry = -5\n`,
    [
      '4:8 ERR_MANIFEST_TYPE load = 0x1000: a number. An address is written as a string: "0x1000"',
      '5:9 ERR_MANIFEST_TYPE entry = -5: a number. An address is not negative: "0xffffffff80000000"',
    ],
  ],
  [
    "an integer beyond 64 bits, wherever it stands",
    `${PROGRAM}[[plugin]]\nmodule = "x"\noptions = { base = 0xffffffff80000000 }\n`,
    [
      '5:20 ERR_MANIFEST_VALUE base = 0xffffffff80000000: beyond TOML\'s signed 64 bits. An address is written as a string: "0xffffffff80000000"',
    ],
  ],
  [
    "a missing key",
    "[program]\nargs = []\n",
    ["1:2 ERR_MANIFEST_MISSING program: the key path is missing: the path of a file"],
  ],
  ["an empty manifest", "", ["1:1 ERR_MANIFEST_MISSING the table [program] is missing: what is to be run?"]],
  [
    "a flat protocol without an image",
    '[vm]\nboot = "real"\n',
    ['2:8 ERR_MANIFEST_MISSING boot = "real": the key kernel is missing: the flat image to boot'],
  ],
  [
    "a load address for an ELF kernel",
    `${PROGRAM}[vm]\nload = "0x1000"\n`,
    ['4:1 ERR_MANIFEST_CONFLICT vm.load: for flat images; boot = "kvmkit" loads an ELF file'],
  ],
  [
    "a path that leads nowhere, and one that is a folder",
    '[program]\npath = "data"\n[[mount]]\nguest = "/a"\nhost = "nowhere"\n',
    [
      `2:8 ERR_MANIFEST_PATH path = "data": a folder, where a file is needed (${join(dir, "data")})`,
      `5:8 ERR_MANIFEST_PATH host = "nowhere": does not exist (${join(dir, "nowhere")})`,
    ],
  ],
  [
    "a program that nothing opens",
    '[vm]\nboot = "real"\nkernel = "prog"\n[program]\npath = "prog"\n',
    ['4:2 ERR_MANIFEST_CONFLICT program: boot = "real" has no use for a program'],
  ],
  [
    "a program that the booted kernel cannot open",
    '[vm]\nboot = "long"\nkernel = "prog"\n[program]\npath = "nowhere"\n',
    [`5:8 ERR_MANIFEST_PATH path = "nowhere": does not exist (${join(dir, "nowhere")})`],
  ],
  [
    "guest paths that are relative, or leave",
    `${PROGRAM}cwd = "./x"\n[[mount]]\nguest = "/a/../b"\nhost = "data"\n`,
    [
      '3:7 ERR_MANIFEST_VALUE cwd = "./x": not absolute. Write "/x"',
      '5:9 ERR_MANIFEST_VALUE guest = "/a/../b": contains ".."',
    ],
  ],
  [
    "mounts without a source, with two, and at the same place",
    `${PROGRAM}[[mount]]\nguest = "/a"\n[[mount]]\nguest = "/b"\nhost = "data"\ntmpfs = "1MiB"\n[[mount]]\nguest = "/a"\nhost = "data"\n`,
    [
      "3:3 ERR_MANIFEST_MISSING mount[0]: host or tmpfs is missing: what is mounted here?",
      "8:1 ERR_MANIFEST_CONFLICT mount[1].tmpfs: host is given too; a mount is one of both",
      '10:9 ERR_MANIFEST_CONFLICT guest = "/a": another [[mount]] has this path already',
    ],
  ],
  [
    "a variable's name with =, and a value with NUL",
    `${PROGRAM}[env]\n"A=B" = "1"\nC = "a\\u0000b"\n`,
    [
      '4:1 ERR_MANIFEST_UNKNOWN_KEY env."A=B": not a variable\'s name, without =',
      '5:5 ERR_MANIFEST_VALUE C = "a\\u0000b": contains a NUL character',
    ],
  ],
  [
    "an unknown register",
    '[vm]\nboot = "long"\nkernel = "prog"\nregisters = { rxx = "0x1" }\n',
    ["4:15 ERR_MANIFEST_UNKNOWN_KEY vm.registers.rxx: not a register: rax to r15, rsp, rbp, rflags"],
  ],
  [
    "a key given twice",
    `${PROGRAM}path = "prog"\n`,
    ["3:14 ERR_MANIFEST_SYNTAX Can't redefine existing key"],
  ],
  ["a string without its end", '[program]\npath = "prog', ["2:13 ERR_MANIFEST_SYNTAX Unterminated string"]],
  [
    "what TOML 1.1 allows and 1.0 does not",
    'program = { path = "prog",\n  args = [] }\n',
    ["1:27 ERR_MANIFEST_SYNTAX Unterminated inline array"],
  ],
];

for (const [title, source, expected] of refused) {
  test(`refused: ${title}`, async (t) => t.deepEqual(await complaints(source), expected));
}

test("boot = long: the program is a file of the host, or lies in a mount", async (t) => {
  const long = '[vm]\nboot = "long"\nkernel = "prog"\n';
  await t.notThrowsAsync(() => check(`${long}${PROGRAM}`));
  await t.notThrowsAsync(() =>
    check(`${long}[program]\npath = "/d/x"\n[[mount]]\nguest = "/d"\nhost = "data"\n`),
  );
  await t.notThrowsAsync(() => check(long));
});

test("a complaint shows the line of the file with a caret under what it is about", async (t) => {
  const error = await t.throwsAsync(() => check(`${PROGRAM}[vm]\n\tmemory = "64MB" # much\n`), {
    instanceOf: ManifestError,
  });
  const [, line, caret] = error.message.split("\n");
  t.is(line, '    4 | \tmemory = "64MB" # much');
  t.is(caret, "      | \t         ^^^^^^");
});

test("a manifest's control characters do not reach the terminal", async (t) => {
  const error = await t.throwsAsync(() => check(`${PROGRAM}"\\u001b[31m" = 1\n# \u009b31m\n`), {
    instanceOf: ManifestError,
  });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: this is what must not be there
  t.notRegex(error.message, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
});

test("whatever the text, the answer is values or a ManifestError", async (t) => {
  const nasty = [
    "[".repeat(50_000),
    `a = ${"[".repeat(50_000)}`,
    `a = ${"{b=".repeat(20_000)}`,
    "\0",
    "\ufeff",
    "=",
    "[[",
    '"',
    "a.b.c",
  ];
  for (const source of nasty)
    await t.throwsAsync(() => check(source), { instanceOf: ManifestError }, source.slice(0, 10));
});

test("a manifest that is not there, a folder, and one that is not UTF-8", async (t) => {
  const at = (name: string) => () => loadManifest(join(dir, name), { relativeTo: dir });
  t.is(
    (await t.throwsAsync(at("none.toml"), { instanceOf: ManifestError })).message,
    "none.toml  no such file  ERR_MANIFEST_NOT_FOUND",
  );
  t.is(
    (await t.throwsAsync(at("data"), { instanceOf: ManifestError })).message,
    "data  it is a folder  ERR_MANIFEST_NOT_FOUND",
  );
  writeFileSync(join(dir, "latin1.toml"), Buffer.from([0x23, 0xe9]));
  t.is(
    (await t.throwsAsync(at("latin1.toml"), { instanceOf: ManifestError })).message,
    "latin1.toml  not UTF-8, which TOML is  ERR_MANIFEST_SYNTAX",
  );
});
