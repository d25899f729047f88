/**
 * The generated files against golden ones, and compiled: every warning is an error. `scripts/golden.mjs` writes the
 * golden files anew; what changed is then for a person to read.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assemble } from "@kvmkit/x86-asm";
import { toolTest } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";
import { generatedFiles, samplePlugins } from "../internal-testing/generated-files.js";
import { cHeader } from "./c-header.js";
import { markdownPage } from "./markdown-page.js";
import { rustModule } from "./rust-module.js";

const golden = fileURLToPath(new URL("../../testdata/codegen", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "kvmkit-codegen-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const files = generatedFiles();
for (const [name, text] of Object.entries(files)) {
  test(`${name} is what testdata/codegen says`, (t) => {
    t.is(text, readFileSync(join(golden, name), "utf8"));
  });
}

test("the same plugins give the same text", (t) => t.deepEqual(generatedFiles(), files));

test("a hypercall that serves a system call of Linux is left out: programs have it from their C library", (t) => {
  for (const text of Object.values(files)) t.notRegex(text, /read_file/);
});

test("a plugin of which nothing is granted leaves no trace, nor does its guest source", (t) => {
  const plugin = {
    ...samplePlugins[0]!.plugin,
    guest: { c: "int planted;", rust: "planted", asm: "planted" },
  };
  for (const generate of [cHeader, rustModule, markdownPage]) {
    t.notRegex(generate([{ plugin, calls: [] }]), /sample|planted/);
  }
});

test("guest source stands behind its plugin's hypercalls, as it is", (t) => {
  const [first] = samplePlugins;
  const plugin = { ...first!.plugin, definition: { guest: { c: "int planted;\n", rust: "// planted\n" } } };
  t.true(cHeader([{ ...first!, plugin }]).endsWith("\nint planted;\n\n#endif\n"));
  t.true(rustModule([{ ...first!, plugin }]).endsWith("\n// planted\n"));
});

for (const [dialect, name] of [
  ["gas", "hypercalls.inc"],
  ["nasm", "hypercalls.nasm.inc"],
] as const) {
  test(`${name} is assembled by our assembler in the ${dialect} dialect`, (t) => {
    const [include, move] =
      dialect === "gas" ? [".include", "mov eax, SYS_strings"] : ["%include", "mov eax, SYS_strings"];
    const { sections } = assemble(
      `${include} "x.inc"\n${move}\nmov ecx, SIZEOF_point\n${dialect === "gas" ? "kvmkit_serve_calls_here\n" : ""}`,
      {
        bits: 64,
        dialect,
        file: "main",
        resolve: () => files[name]!,
      },
    ).object;
    const code = sections.find(({ bytes }) => bytes !== undefined && bytes.length > 0)!;
    // b8 imm32 | b9 imm32: the fourth of the numbers, and a struct of 4 + 8 + 1 bytes, padded.
    t.is(Buffer.from(code.bytes!.subarray(0, 10)).toString("hex"), "b803100000b918000000");
    // The source that the plugin `calls` brings is for GNU as.
    t.is(code.bytes!.length > 10, dialect === "gas");
  });
}

const USE = `#include "freestanding.h"
#include "hypercalls.h"
int main(int argc, char **argv)
{
  struct point from = {1, 2, true}, to = {0, 0, false};
  struct range range = {0, 1, argv};
  uint64_t count = 0;
  double result = 0, level = 1;
  bool flag = true;
  const void *where = 0;
  char room[16];
  int64_t sum = scalars_unsigned(1, 2, 3, 4) + scalars_signed(-1, -2, -3, -4);
  sum += scalars_other(true, 0.5, argv, &result) + strings("name", "key", 3, room, sizeof room);
  sum += buffer_both_ways(room, sizeof room, 1) + structs(&from, &to, &range);
  sum += pointed(&count, &flag, &level, &where) + enums(ENUMS_MODE_SAFE, ENUMS_WIDE_HIGH);
  sum += handles((cursor_handle)1, 2) + delete_(1) + later();
  struct request request = {REQUEST_VERB_PUT, "/path", "abc", 3, room, sizeof room, 1, 0.5};
  struct state state = {STATE_PHASE_SHUT, 1};
  sum += rich_structs(&request, &state);
  sum += kvmkit_serve_calls();
  kvmkit_print("sum ");
  kvmkit_print_number(sum);
  return kvmkit_failed(sum) && sum == -ENOSYS && argc > (int)ENUMS_RESULT_YES;
}
`;
const WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"];
const compilers: [string, string, string, readonly string[]][] = [
  ["gcc", "gcc", "use.c", ["-std=c11", "-ffreestanding", "-nostdlib", "-static", "-O2"]],
  ["gcc without optimisation", "gcc", "use.c", ["-std=c11", "-ffreestanding", "-nostdlib", "-static", "-O0"]],
  ["g++", "g++", "hosted.cc", ["-std=c++11", "-fsyntax-only"]],
  ["g++ of C++20", "g++", "hosted.cc", ["-std=c++20", "-fsyntax-only"]],
];

for (const [title, compiler, source, options] of compilers) {
  toolTest(`the C header compiles with ${title}, every warning an error`, { [compiler]: compiler }, (t) => {
    writeFileSync(join(folder, "freestanding.h"), files["freestanding.h"]!);
    writeFileSync(join(folder, "hypercalls.h"), files["hypercalls.h"]!);
    writeFileSync(join(folder, "use.c"), USE);
    // A hosted program brings errno.h, which has the same numbers.
    const hosted = USE.replace("freestanding.h", "errno.h").replaceAll(/kvmkit_print\w*\(.*\);/g, "");
    writeFileSync(join(folder, "hosted.cc"), hosted);
    const output = options.includes("-fsyntax-only") ? [] : ["-o", join(folder, "use")];
    compile(t, compiler, [...WARNINGS, ...options, ...output, source]);
  });
}

const rustc = spawnSync("rustc", ["--version"]).status === 0;
(rustc ? test : test.skip)(
  `the Rust module compiles, without std${rustc ? "" : " (skipped: rustc not found)"}`,
  (t: ExecutionContext) => {
    writeFileSync(join(folder, "hypercalls.rs"), files["hypercalls.rs"]!);
    writeFileSync(
      join(folder, "lib.rs"),
      `#![no_std]
#![deny(warnings)]
pub mod hypercalls;
pub fn use_it(room: &mut [u8]) -> Result<u64, hypercalls::Errno> {
    let mut count = 0u64;
    let mut level = 1.0f64;
    let mut place = 0u64;
    hypercalls::pointed(&mut count, &true, &mut level, &mut place)?;
    let mode = hypercalls::enums_mode::SAFE;
    let answer = hypercalls::enums(mode, hypercalls::enums_wide::HIGH)?;
    let length = hypercalls::strings(c"name", b"key", room)?;
    let from = hypercalls::point { x: 1, y: 2, class: true };
    let mut to = hypercalls::point::default();
    hypercalls::structs(&from, &mut to, &mut hypercalls::range::default())?;
    let request = hypercalls::request {
        verb: hypercalls::request_verb::PUT,
        path: c"/path".as_ptr(),
        sent: b"abc".as_ptr(),
        sent_size: 3,
        room: room.as_mut_ptr(),
        room_size: room.len() as u64,
        cursor: hypercalls::cursor_handle(1),
        deadline: 0.5,
    };
    unsafe { hypercalls::rich_structs(&request, &mut hypercalls::state::default()) }?;
    hypercalls::kvmkit_serve_calls();
    if hypercalls::delete(1)? && answer == hypercalls::enums_result::YES { Ok(length as u64) } else { Err(hypercalls::Errno::ENOENT) }
}
`,
    );
    const options = [
      "--edition=2021",
      "--crate-type=lib",
      "--emit=metadata",
      "--target=x86_64-unknown-linux-gnu",
    ];
    compile(t, "rustc", [...options, "--out-dir", folder, "lib.rs"]);
  },
);

function compile(t: ExecutionContext, compiler: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(compiler, args, { cwd: folder, encoding: "utf8" });
  t.is(status, 0, stderr);
}
