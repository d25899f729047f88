/** C programs of a manifest: compiled with the generated header, called with every type, rebuilt only when needed. */
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { KVM, kvm, machineToolTest, STACK_TRACE, scratchFolder } from "./kvm.js";

const root = scratchFolder();
const GCC = { cc: "gcc" };

/** A plugin that takes every type of argument, and writes down what its handlers got. */
const PLUGIN = `import { writeFileSync } from "node:fs";
import { definePlugin, t } from "@kvmkit/hypervisor";
const record = t.struct("record", { small: "i8", wide: "u64", ratio: "f64", flag: "bool" });
export default definePlugin({
  name: "types", version: "1.0.0", abi: 1,
  options: (options) => options,
  state: () => [],
  hypercalls: {
    unsigned: { args: { a: t.u8, b: t.u16, c: t.u32, d: t.u64 }, handle: log("unsigned", () => 1) },
    signed: { args: { a: t.i8, b: t.i16, c: t.i32, d: t.i64 }, returns: t.i32, handle: log("signed", () => -5000) },
    others: { args: { flag: t.bool, ratio: t.f64, address: t.pointer }, returns: t.f64, handle: log("others", () => -0.25) },
    texts: {
      args: { name: t.cstring(255), key: t.buffer.in(64), value: t.buffer.out(64) },
      handle: log("texts", ({ value }) => value.write(new TextEncoder().encode("answer"))),
    },
    upper: {
      args: { text: t.buffer.inout(64) },
      handle: log("upper", ({ text }) => { text.write(new TextEncoder().encode(text.bytes().toString().length > 0 ? "ABC" : "")); }),
    },
    records: {
      args: { from: record.in(), to: record.out(), both: record.inout(), count: t.u64.out() },
      handle: log("records", ({ from, to, both, count }) => {
        to.set({ ...from, small: -2 });
        both.set({ ...both.value, wide: both.value.wide + 1n });
        count.set(2n ** 63n);
      }),
    },
    modes: {
      args: { mode: t.enum({ Fast: 3, Safe: 7 }), wide: t.enum({ LOW: -(2 ** 40) }, "i64") },
      returns: t.enum({ NO: 4, YES: 9 }, "u8"),
      handle: log("modes", () => "YES"),
    },
    open_box: { args: {}, handle(ctx) { return ctx.handles("box").add({ name: "first" }); } },
    read_box: { args: { box: t.handle("box") }, handle: log("read_box", ({ box }) => box.name.length) },
    later: { args: { a: t.u32 }, handleAsync: async (_ctx, { a }) => a + 1 },
  },
  hooks: { exit: ({ state, options }) => writeFileSync(options.log, JSON.stringify(state)) },
});
const plain = (value) => {
  if (typeof value === "bigint") return String(value);
  if (typeof value?.bytes === "function") return value.direction + " " + Buffer.from(value.bytes()).toString();
  if (typeof value?.set === "function") return { value: plain(value.value) };
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
};
function log(name, handle) {
  return ({ state }, args) => { state.push([name, plain(args)]); return handle(args); };
}
`;

const PROGRAM = `#include "freestanding.h"
#include "hypercalls.h"

static int failures;
static void check(int is, const char *what)
{
  if (is) return;
  failures++;
  kvmkit_print(what);
  kvmkit_print("\\n");
}

int main(int argc, char **argv)
{
  check(unsigned_(255, 65535, 4294967295u, 18446744073709551615ull) == 1, "unsigned");
  check(signed_(-128, -32768, -2147483647 - 1, -9223372036854775807ll - 1) == -5000, "signed");
  double result = 0;
  check(others(true, 1.5, (void *)0x1234, &result) == 0 && result == -0.25, "others");
  char value[64] = {0}, text[] = "abc";
  check(texts("name", "k\\0y", 3, value, sizeof value) == 6 && memcmp(value, "answer", 7) == 0, "texts");
  check(texts(0, "", 0, value, 1) == -EFAULT, "a null string");
  check(texts("name", "", 0, value, 65) == -EMSGSIZE, "a buffer that is too long");
  check(upper(text, 3) == 0 && memcmp(text, "ABC", 3) == 0, "upper");
  struct record from = {-1, 2, 0.5, true}, to = {0, 0, 0, false}, both = {5, 6, 7, false};
  uint64_t count = 0;
  check(records(&from, &to, &both, &count) == 0, "records");
  check(to.small == -2 && to.wide == 2 && to.ratio == 0.5 && to.flag, "records: out");
  check(both.small == 5 && both.wide == 7 && count == 1ull << 63, "records: inout");
  check(modes(MODES_MODE_SAFE, MODES_WIDE_LOW) == MODES_RESULT_YES, "modes");
  check(modes(4, MODES_WIDE_LOW) == -EINVAL, "a number that is no name");
  int64_t box = open_box();
  check(!kvmkit_failed(box) && read_box((box_handle)box) == 5, "handles");
  check(read_box((box_handle)box + 1) == -EBADF, "a handle that was not given out");
  check(later(41) == 42, "later");
  check(argc == 2 && argv[1][0] == 'x' && argv[2] == 0, "argv");
  kvmkit_print_number(-9223372036854775807ll - 1);
  kvmkit_print("\\n");
  return failures;
}
`;

function project(name: string, files: Readonly<Record<string, string>>): string {
  const cwd = join(root, name);
  mkdirSync(join(cwd, "node_modules/@kvmkit"), { recursive: true });
  const hypervisor = join(dirname(KVM), "../node_modules/@kvmkit/hypervisor");
  symlinkSync(hypervisor, join(cwd, "node_modules/@kvmkit/hypervisor"));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(cwd, file), text);
  return cwd;
}

machineToolTest(
  "a C program passes every type of argument and gets every result",
  GCC,
  async (t, { accel, kvm }) => {
    const log = join(root, `types-${accel}.json`);
    const manifest = `[program]\npath = "main.c"\nargs = ["x"]\n[[plugin]]\nmodule = "./types.mjs"\ngrant = "all"\noptions = { log = "${log}" }\n`;
    const cwd = project(`types-${accel}`, { "vm.toml": manifest, "types.mjs": PLUGIN, "main.c": PROGRAM });
    const ran = await kvm(["run"], { cwd });
    t.deepEqual(ran, { status: 0, stdout: "-9223372036854775808\n", stderr: "" });
    t.deepEqual(JSON.parse(readFileSync(log, "utf8")), [
      ["unsigned", { a: 255, b: 65_535, c: 4_294_967_295, d: "18446744073709551615" }],
      ["signed", { a: -128, b: -32_768, c: -2_147_483_648, d: "-9223372036854775808" }],
      ["others", { flag: true, ratio: 1.5, address: "4660" }],
      ["texts", { name: "name", key: "in k\0y", value: `out ${"\0".repeat(64)}` }],
      ["upper", { text: "inout abc" }],
      [
        "records",
        {
          from: { small: -1, wide: "2", ratio: 0.5, flag: true },
          to: {},
          both: { value: { small: 5, wide: "6", ratio: 7, flag: false } },
          count: {},
        },
      ],
      ["modes", { mode: "Safe", wide: "LOW" }],
      ["read_box", { box: { name: "first" } }],
    ]);
  },
);

const SMALL_PLUGIN = `import { definePlugin, t } from "@kvmkit/hypervisor";
export default definePlugin({
  name: "small", version: "1.0.0", abi: 1,
  hypercalls: { twice: { args: { value: t.u32 }, handle: (_ctx, { value }) => value * 2 }, other: { args: {}, handle: () => 0 } },
});
`;
const SMALL = {
  "vm.toml": `[program]\npath = "main.c"\n[[plugin]]\nmodule = "./small.mjs"\ngrant = ["twice"]\n`,
  "small.mjs": SMALL_PLUGIN,
  "more.h": "#define MORE 1\n",
  "main.c": `#include "freestanding.h"\n#include "hypercalls.h"\n#include "more.h"\nint main(int argc, char **argv) { (void)argc; (void)argv; return (int)twice(20) + MORE; }\n`,
};

toolTest(
  "a second build changes nothing, not even a file's time; a changed include file is seen",
  GCC,
  async (t) => {
    const cwd = project("again", SMALL);
    const build = async () => (await kvm(["build"], { cwd })).stderr;
    t.regex(await build(), /built kernel .* and program/);
    const files = [
      "include/hypercalls.h",
      "include/hypercalls.inc",
      "include/hypercalls.rs",
      "include/hypercalls.md",
    ];
    const times = () => files.map((file) => statSync(join(cwd, ".kvmkit", file)).mtimeMs);
    const before = times();
    t.is(await build(), "vm.toml: up to date\n");
    t.deepEqual(times(), before);
    writeFileSync(join(cwd, "more.h"), "#define MORE 2\n");
    t.regex(await build(), /built program \(/);
    t.deepEqual(times(), before);
    t.is(readFileSync(join(cwd, ".kvmkit/.gitignore"), "utf8"), "*\n");
  },
);

toolTest(
  "the header has what is granted, by the number in kvm.lock.json; a changed grant changes it",
  GCC,
  async (t) => {
    const cwd = project("grants", SMALL);
    await kvm(["build"], { cwd });
    const header = () => readFileSync(join(cwd, ".kvmkit/include/hypercalls.h"), "utf8");
    t.regex(header(), /#define KVMKIT_NR_twice 0x1000\n/);
    t.notRegex(header(), /KVMKIT_NR_other/);
    writeFileSync(join(cwd, "vm.toml"), SMALL["vm.toml"].replace(`["twice"]`, `"all"`));
    await kvm(["build"], { cwd });
    t.regex(header(), /#define KVMKIT_NR_other 0x1001\n/);
    // A second manifest in the same folder has files of its own.
    writeFileSync(join(cwd, "fewer.toml"), SMALL["vm.toml"]);
    t.is((await kvm(["build", "fewer.toml"], { cwd })).status, 0);
    t.regex(header(), /KVMKIT_NR_other/);
    t.notRegex(readFileSync(join(cwd, ".kvmkit/include.fewer/hypercalls.h"), "utf8"), /KVMKIT_NR_other/);
  },
);

test("a C compiler that is not there: which, and what to install", async (t) => {
  const cwd = project("missing", {
    ...SMALL,
    "vm.toml": SMALL["vm.toml"].replace("[[", `cc = ["no-such-cc"]\n[[`),
  });
  const { status, stderr } = await kvm(["run"], { cwd });
  t.is(status, 125);
  t.regex(stderr, /the C compiler no-such-cc is not installed {2}ERR_CLI_COMPILER\n.*apt-get install gcc/);
  t.notRegex(stderr, STACK_TRACE);
});

toolTest("a C program that does not compile: the compiler's own words, and 125", GCC, async (t) => {
  const cwd = project("broken", {
    ...SMALL,
    "main.c": `#include "hypercalls.h"\nint main(void) { return other(); }\n`,
  });
  const { status, stderr } = await kvm(["build"], { cwd });
  t.is(status, 125);
  t.regex(
    stderr,
    /main\.c does not compile: cc ended with status 1\n[\s\S]*main\.c:2[\s\S]*other[\s\S]*ERR_CLI_SOURCE/,
  );
  t.notRegex(stderr, STACK_TRACE);
});

const MUSL = `#include <stdio.h>
#include <errno.h>
#include "hypercalls.h"
int main(void) { printf("%ld %.2f\\n", (long)twice(21), 0.5); return 0; }
`;
machineToolTest(
  "a C program with a C library of its own: musl, by [program] cc",
  { "musl-gcc": "musl-tools" },
  async (t, { accel, kvm }) => {
    const manifest = SMALL["vm.toml"].replace("[[", `cc = ["musl-gcc", "-static", "-O2"]\n[[`);
    const cwd = project(`musl-${accel}`, { ...SMALL, "vm.toml": manifest, "main.c": MUSL });
    t.deepEqual(await kvm(["run"], { cwd }), { status: 0, stdout: "42 0.50\n", stderr: "" });
  },
);
