import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { kvm, STACK_TRACE, scratchFolder } from "./kvm.js";

const dir = scratchFolder();
writeFileSync(join(dir, "boot.asm"), "mov al, 'a'\nmov dx, 0x217\nout dx, al\nhlt\n");
writeFileSync(join(dir, "hello.s"), ".globl _start\n_start: mov edi, 42\nmov eax, 60\nsyscall\n");

test("asm: a flat image beside the source, its dialect and mode by the ending", async (t) => {
  t.deepEqual(await kvm(["asm", "boot.asm"], { cwd: dir }), { status: 0, stdout: "", stderr: "" });
  t.is(readFileSync(join(dir, "boot.bin")).toString("hex"), "b061ba1702eef4");
});

test("asm: --bits and --origin", async (t) => {
  writeFileSync(join(dir, "here.s"), "here: mov eax, offset here\n");
  await kvm(["asm", "--bits", "32", "--origin", "0x100000", "-o", "here.out", "here.s"], { cwd: dir });
  t.is(readFileSync(join(dir, "here.out")).toString("hex"), "b800001000");
});

test("asm: - is stdout, and bytes pass it unchanged", async (t) => {
  writeFileSync(join(dir, "bytes.s"), ".byte 0x41, 0x0a, 0x00, 0x42\n");
  t.is((await kvm(["asm", "-o", "-", "bytes.s"], { cwd: dir })).stdout, "A\n\0B");
});

const onLinux = process.platform === "linux" && process.arch === "x64" ? test : test.skip;

onLinux("asm --format program makes an executable that runs on Linux", async (t) => {
  t.is((await kvm(["asm", "-f", "program", "hello.s"], { cwd: dir })).status, 0);
  t.is(spawnSync(join(dir, "hello")).status, 42);
});

toolTest("asm --format object makes what GNU ld links", { ld: "binutils" }, async (t) => {
  await kvm(["asm", "-f", "object", "hello.s"], { cwd: dir });
  const linked = join(dir, "linked");
  const { status, stderr } = spawnSync("ld", ["-o", linked, join(dir, "hello.o")]);
  t.is(status, 0, stderr.toString());
  t.is(spawnSync(linked).status, 42);
});

test("asm --format listing: offsets and bytes beside the source", async (t) => {
  const { stdout } = await kvm(["asm", "-f", "listing", "boot.asm"], { cwd: dir });
  t.regex(stdout, /1 00000000 b061 +mov al, 'a'\n/);
});

test("asm: every complaint with line, caret and hint, and 125; nothing is written", async (t) => {
  writeFileSync(join(dir, "bad.s"), "mov rax, ebx\nnop\nbogus 1\n");
  const { status, stderr } = await kvm(["asm", "bad.s"], { cwd: dir });
  t.is(status, 125);
  t.regex(stderr, /^bad\.s:1:\d+ {2}.*ERR_ASM_OPERANDS\n {4}1 \| mov rax, ebx\n {6}\| +\^+/);
  t.regex(stderr, /^bad\.s:3:\d+ {2}.*ERR_ASM_/m);
  t.notRegex(stderr, STACK_TRACE);
  t.false(existsSync(join(dir, "bad.bin")));
});

test("asm: included files are found beside the source and in -I, and named in complaints", async (t) => {
  writeFileSync(join(dir, "part.inc"), "nop\n");
  writeFileSync(join(dir, "whole.s"), '.include "part.inc"\n');
  t.is((await kvm(["asm", "-o", "-", "whole.s"], { cwd: dir })).stdout, "\x90".replace("\x90", "\ufffd"));
  writeFileSync(join(dir, "none.s"), '.include "none.inc"\n');
  t.regex((await kvm(["asm", "none.s"], { cwd: dir })).stderr, /none\.s:1:\d+ .*none\.inc.*ERR_ASM_FILE/);
});

test("asm: a source that is not there, and one that is not text", async (t) => {
  t.regex((await kvm(["asm", "gone.s"], { cwd: dir })).stderr, /gone\.s: no such file {2}ERR_CLI_IO/);
  writeFileSync(join(dir, "latin1.s"), Buffer.from([0xe9]));
  t.regex(
    (await kvm(["asm", "latin1.s"], { cwd: dir })).stderr,
    /latin1\.s is not UTF-8 text {2}ERR_CLI_SOURCE/,
  );
});

test("asm: warnings of the source are printed, and do not fail", async (t) => {
  writeFileSync(join(dir, "old.s"), 'nop\n  .warning "this is old"\n');
  const { status, stderr } = await kvm(["asm", "old.s"], { cwd: dir });
  t.deepEqual(
    [status, stderr],
    [
      0,
      'old.s:2:3  this is old  warning\n    2 |   .warning "this is old"\n      |   ^^^^^^^^^^^^^^^^^^^^^^\n',
    ],
  );
});

const STEPPED = `# A comment, so that lines and instructions differ in number.
    .globl _start
    .macro put value
    mov eax, \\value
    .endm
_start:
    xor ebx, ebx

    put 7
loop_start:
    inc ebx
    call helper
    cmp ebx, 2
    jne loop_start
    mov edi, 0; mov eax, 60
    syscall
    .section .text.far, "ax"
helper:
    nop
    ret
`;

const hex = (value: number) => `0x${value.toString(16)}`;

/** What gdb says of where the program stands, step by step. */
function stepThrough(program: string, steps: number): string[] {
  const commands = [
    "break _start",
    "run",
    ...Array.from({ length: steps }, () => "step"),
    "info line helper",
  ];
  const { stdout } = spawnSync(
    "gdb",
    ["-batch", "-nx", ...commands.flatMap((each) => ["-ex", each]), program],
    {
      encoding: "utf8",
      cwd: dir,
    },
  );
  return stdout.split("\n").filter((line) => /^\d+\t|^Line |^_start|^helper/.test(line));
}

for (const [format, how] of [
  ["program", "linked by kvm"],
  ["object", "linked by GNU ld"],
] as const) {
  toolTest(
    `asm -g: gdb steps through the source of a program ${how}`,
    { gdb: "gdb", ld: "binutils", readelf: "binutils" },
    async (t) => {
      writeFileSync(join(dir, "stepped.s"), STEPPED);
      t.deepEqual(await kvm(["asm", "-g", "-f", format, "-o", "stepped.out", "stepped.s"], { cwd: dir }), {
        status: 0,
        stdout: "",
        stderr: "",
      });
      const program = join(dir, format === "program" ? "stepped.out" : "stepped");
      if (format === "object") spawnSync("ld", ["-o", program, join(dir, "stepped.out")]);
      const far = format === "program" ? 0x40001f : 0x40101f;
      t.deepEqual(stepThrough(program, 10), [
        "7\t    xor ebx, ebx",
        "4\t    mov eax, \\value",
        "11\t    inc ebx",
        "12\t    call helper",
        "helper () at stepped.s:19",
        "19\t    nop",
        "20\t    ret",
        "13\t    cmp ebx, 2",
        "14\t    jne loop_start",
        "11\t    inc ebx",
        "12\t    call helper",
        "helper () at stepped.s:19",
        "19\t    nop",
        `Line 19 of "stepped.s" starts at address ${hex(far)} <helper> and ends at ${hex(far + 1)} <helper+1>.`,
      ]);
      const { stderr } = spawnSync("readelf", ["--debug-dump=info,decodedline,Ranges", program], {
        encoding: "utf8",
      });
      t.is(stderr, "");
    },
  );
}
