import test from "ava";
import {
  AsmError,
  type AsmErrorCode,
  type AssembleOptions,
  Assembler,
  assemble,
  assembleFlat,
  check,
  link,
  rax,
} from "./index.js";

function hex(source: string, options: AssembleOptions = {}): string {
  return Buffer.from(assembleFlat(source, options)).toString("hex");
}

function gas(title: string, bytes: string, ...lines: string[]): void {
  test(`gas: ${title}`, (t) => t.is(hex(lines.join("\n")), bytes.replaceAll(" ", "")));
}

function nasm(title: string, bits: 16 | 32 | 64, bytes: string, ...lines: string[]): void {
  test(`nasm: ${title}`, (t) => {
    t.is(hex(lines.join("\n"), { dialect: "nasm", bits }), bytes.replaceAll(" ", ""));
  });
}

// Addresses and immediates.
gas("a bare symbol is what stands at its address", "8b042507000000 ", "mov eax, x", "x:");
gas("offset makes it an immediate", "b805000000", "mov eax, offset x", "x:");
gas("a known constant is an immediate", "b805000000", "x = 5", "mov eax, x");
gas("label[rip] is RIP-relative", "8b0500000000", "mov eax, x[rip]", "x:");
gas("[rel label] is RIP-relative as well", "8b0500000000", "mov eax, [rel x]", "x:");
gas("brackets add up", "8b449804", "mov eax, 4[rax][rbx*4]");
gas("a scale may stand in front", "8b0498", "mov eax, [4*rbx + rax]");
gas("size keywords go with and without ptr", "8b008b00", "mov eax, dword ptr [rax]", "mov eax, dword [rax]");
gas("gs:[…] is absolute, not RIP-relative", "65488b042560000000", "mov rax, gs:[0x60]");
gas("a quoted name is a symbol, whatever it spells", "8b042507000000", 'mov eax, dword ptr "eax"', '"eax":');
gas("an address of the upper half is sign-extended", "8b0425f0ffffff", "mov eax, [0xfffffffffffffff0]");
gas("comments, separators and blank lines", "90f490", "nop # one", "/* two", "lines */ hlt; nop");
gas("character constants", "b041b05c", "mov al, 'A'", "mov al, '\\\\'");

// Branches.
gas("numbered labels", "ebfe eb00 74fc", "1: jmp 1b", "jmp 1f", "1: je 1b - 2");
gas("jmp $ and jmp . go to themselves", "ebfe ebfe", "jmp $", "jmp .");
gas("short is honoured", `eb7f${"00".repeat(127)}`, "jmp short x", ".skip 127", "x:");
gas("near is honoured", "e900000000", "jmp near ptr x", "x:");
gas("an absolute target at origin 0", "e90b000000", "jmp 0x10");
gas("a far pointer in 32-bit mode", "ea3412000008 00", ".code32", "jmp 0x8:0x1234");
gas("a far pointer to a label in 16-bit mode", "ea05000800", ".code16", "jmp 0x8:x", "x:");

// Prefixes.
gas("prefixes that stand alone", "f3f02e66", "rep", "lock", "cs", "data16");
gas("a segment prefix before an instruction", "2e660f1f0400", "cs nop word ptr [rax+rax*1+0x0]");
gas("encoding hints", "8b8000000000 8b4000", "{disp32} mov eax, [rax]", "{disp8} mov eax, [rax]");

// Data.
gas("data of every width", "01 0200 03000000 0400000000000000", ".byte 1", ".word 2", ".long 3", ".quad 4");
gas("16 bytes", `ff${"00".repeat(15)}`, ".octa 255");
gas("strings", "6162 616200 0a09415c22", '.ascii "ab"', '.asciz "ab"', '.ascii "\\n\\t\\101\\\\\\""');
gas(
  "floating-point numbers",
  "0000c03f 000000000000f03f 0000000000000080ff3f",
  ".float 1.5",
  ".double 1",
  ".tfloat 1.0",
);
gas("LEB128", "e58e26 7f", ".uleb128 624485", ".sleb128 -1");
gas(
  "fill, skip, zero, org",
  "cdab0000cdab0000 ff ff 0000 00000090",
  ".fill 2, 4, 0xabcd",
  ".skip 2, 255",
  ".zero 2",
  ".org 15",
  "nop",
);
gas("a fill whose count depends on branches", "eb0400000000f4", "s: jmp e", ".skip 6 - (. - s)", "e: hlt");
gas(
  "align pads code with NOPs, or with what it is given",
  "f40f1f00f4000000",
  "hlt",
  ".align 4",
  "hlt",
  ".p2align 2, 0",
);

// Expressions.
gas("operators bind as GNU as has them", "0a000000 07000000", ".long 2 + 2 * 4", ".long 2 + 4 | 1");
gas("a true comparison is -1", "ffffffff00000000", ".long 3 > 2", ".long 3 < 2");
gas("words are operators too", "03000000", ".long 7 and 3 or 0");
gas("differences of labels are numbers", "9090 02000000", "a: nop", "nop", "b: .long b - a");

// Conditions, repetitions, macros.
gas(
  "conditions",
  "0203",
  "x = 1",
  ".if x == 2",
  ".byte 1",
  ".elseif x == 1",
  ".byte 2",
  ".else",
  ".byte 9",
  ".endif",
  ".ifdef x",
  ".byte 3",
  ".endif",
  ".ifndef x; .byte 4; .endif",
);
gas(
  "repetitions",
  "0101 010203 6162",
  ".rept 2",
  ".byte 1",
  ".endr",
  ".irp i, 1, 2, 3",
  ".byte \\i",
  ".endr",
  ".irpc c, ab",
  ".byte '\\c",
  ".endr",
);
gas(
  "macros with defaults, keywords and the rest of the line",
  "0105 0207 030405",
  ".macro m a, b=5",
  ".byte \\a, \\b",
  ".endm",
  "m 1",
  "m b=7, a=2",
  ".macro v list:vararg",
  ".byte \\list",
  ".endm",
  "v 3, 4, 5",
);
gas(
  "a macro that calls itself",
  "030201",
  ".macro down n",
  ".if \\n",
  ".byte \\n",
  "down (\\n-1)",
  ".endif",
  ".endm",
  "down 3",
);

nasm("a bare symbol is its address", 32, "b805000000", "mov eax, x", "x:");
nasm(
  "local labels belong to the label before them",
  64,
  "ebfe 90 ebfe",
  "a:",
  ".x: jmp .x",
  "b: nop",
  ".x: jmp .x",
);
nasm("labels need no colon", 16, "0102 b80000", "x db 1, 2", "mov ax, x");
nasm("times, $ and $$", 16, "fa 909090 55aa", "cli", "times 4-($-$$) nop", "dw 0xaa55");
nasm(
  "times with a count that depends on branches",
  16,
  "eb0200 00f4",
  "s: jmp e",
  "times 4-($-s) db 0",
  "e: hlt",
);
nasm("data, strings and floating point", 64, "6162 00 6100 0000c03f", "db 'ab', 0", "dw 'a'", "dd 1.5");
nasm("default rel", 64, "8b0500000000", "default rel", "mov eax, [x]", "x:");
nasm("[rel x] and [abs x]", 64, "8b0507000000 8b04250d000000", "mov eax, [rel x]", "mov eax, [abs x]", "x:");
nasm("[rax*2] is [rax+rax]", 64, "8b0400", "mov eax, [rax*2]");
nasm("a real-mode boot sector's far jump", 16, "ea007c0000", "jmp 0:0x7c00");
nasm("far jumps into protected mode", 16, "66ea0800000008 00", "jmp dword 8:x", "bits 32", "x:");
nasm(
  "%define, %assign, %rep",
  16,
  "05 07 0102",
  "%define five 5",
  "%define add(a, b) (a + b)",
  "db five",
  "db add(3, 4)",
  "%assign i 1",
  "%rep 2",
  "db i",
  "%assign i i+1",
  "%endrep",
);
nasm(
  "%macro with counted parameters, defaults and local labels",
  64,
  "0102 0109 ebfe ebfe",
  "%macro two 1-2 9",
  "db %1, %2",
  "%endmacro",
  "two 1, 2",
  "two 1",
  "%macro spin 0",
  "%%l: jmp %%l",
  "%endmacro",
  "spin",
  "spin",
);
nasm(
  "a width before a number of push",
  64,
  "666a05 66680001 6a05 6a05",
  "push word 5",
  "push word 0x100",
  "push dword 5",
  "push byte 5",
);
nasm(
  "and in 16-bit mode",
  16,
  "666a05 6a05 66680000 0100",
  "push dword 5",
  "push word 5",
  "push dword 0x10000",
);
nasm("o64 is REX.W", 64, "480f07", "o64 sysret");
nasm(
  "%ifmacro with numbers of arguments",
  16,
  "02 0b 0c 13 23",
  ...["%macro dummy 2", "%endmacro"],
  ...["1=1", "2=2", "3=3", "1+=11", "2+=12", "3+=13", "0-1=10", "1-2=19", "2-3=35", "3-*=40"].flatMap(
    (row) => [`%ifmacro dummy ${row.split("=")[0]}`, `db ${row.split("=")[1]}`, "%endif"],
  ),
);
nasm(
  "%if and %ifdef",
  16,
  "0103",
  "%define x 1",
  "%if x = 1",
  "db 1",
  "%else",
  "db 2",
  "%endif",
  "%ifdef x",
  "db 3",
  "%endif",
);
nasm("a backslash joins a line to the next", 16, "010203 90", "db 1, \\", "2, \\", "3", "nop");
nasm("org gives the address of flat code", 16, "a1047cf4 ", "org 0x7c00", "mov ax, [x]", "hlt", "x:");
nasm("numbers in every spelling", 32, "ff 0a 05 07 ff 0c", "db 0ffh, 0x0a, 101b, 7o, $0ff, 1_2");

test("include and incbin go through the caller's resolver, and positions name the included file", (t) => {
  const files: Record<string, string | Uint8Array> = {
    "a.inc": "nop\nfoo eax\n",
    "b.bin": Uint8Array.of(1, 2, 3, 4),
  };
  const resolve = (path: string) => files[path];
  t.is(hex('.incbin "b.bin", 1, 2', { resolve }), "0203");
  const [error] = check('hlt\n.include "a.inc"', { file: "main.s", resolve });
  t.like(error, { file: "a.inc", line: 2, column: 1, length: 3, code: "ERR_ASM_SYNTAX" });
  t.deepEqual(error!.stack, [{ file: "main.s", line: 2, name: "include" }]);
  t.is(check('.include "c.inc"', { resolve })[0]!.code, "ERR_ASM_FILE");
  t.is(check('.include "c.inc"')[0]!.code, "ERR_ASM_FILE");
});

test("all errors of a run are reported, each with its place and a hint", (t) => {
  const source = ["  mov eax, rbx", "  nop", "  inc [rax]", "  .if 1 +", "  jmp nowhere, 5", "x: x:"].join(
    "\n",
  );
  const errors = check(source, { file: "e.s" });
  t.deepEqual(
    errors.map(({ line, column, length, code }) => [line, column, length, code]),
    [
      [1, 12, 3, "ERR_ASM_OPERANDS"],
      [3, 3, 9, "ERR_ASM_AMBIGUOUS"],
      [4, 10, 1, "ERR_ASM_SYNTAX"],
      [5, 3, 14, "ERR_ASM_OPERANDS"],
      [6, 1, 5, "ERR_ASM_SYMBOL"],
    ],
  );
  t.is(errors[0]!.message, "there is no mov r32, r64");
  t.is(errors[0]!.hint, "did you mean mov eax, ebx?");
});

test("an error in a macro names the line of the macro and where it was called", (t) => {
  const source = ".macro inner r\nmov eax, \\r\n.endm\n.macro outer r\ninner \\r\n.endm\nnop\nouter rbx";
  const [error] = check(source, { file: "m.s" });
  t.like(error, { file: "m.s", line: 2, code: "ERR_ASM_OPERANDS" });
  t.deepEqual(error!.stack, [
    { file: "m.s", line: 5, name: "inner" },
    { file: "m.s", line: 8, name: "outer" },
  ]);
});

test("warnings come beside the bytes, each with its place", (t) => {
  const gas = assemble('nop\n .warning "old code"\n.macro m\n.warning\n.endm\nm', { file: "a.s" });
  t.deepEqual(gas.warnings, [
    { message: "old code", file: "a.s", line: 2, column: 2, length: 19 },
    {
      message: "the source says .warning",
      file: "a.s",
      line: 4,
      column: 1,
      length: 8,
      stack: [{ file: "a.s", line: 6, name: "m" }],
    },
  ]);
  t.is(Buffer.from(gas.flat()).toString("hex"), "90");
  const nasm = assemble('%warning "old", code\nhalt\nl2: hlt', { dialect: "nasm" });
  t.deepEqual(
    nasm.warnings.map(({ message, line }) => [line, message]),
    [
      [1, "old, code"],
      [2, "halt is a label; without a colon it could be a mistyped instruction"],
    ],
  );
});

test("what does not fit is an error, never a truncation", (t) => {
  const lines: readonly (readonly [line: string, code: string])[] = [
    ["mov al, 300", "ERR_ASM_RANGE"],
    ["mov ax, -32769", "ERR_ASM_RANGE"],
    ["mov eax, 0x100000000", "ERR_ASM_RANGE"],
    ["add rax, 0x80000000", "ERR_ASM_RANGE"],
    ["mov rax, 0x10000000000000000", "ERR_ASM_RANGE"],
    ["mov eax, [rax+0x80000000]", "ERR_ASM_RANGE"],
    ["mov eax, [0x80000000]", "ERR_ASM_RANGE"],
    [".byte 256", "ERR_ASM_RANGE"],
    [".byte x\n.skip 300\nx:", "ERR_ASM_RANGE"],
    ["loop x\n.skip 300\nx:", "ERR_ASM_RANGE"],
    ["jmp short x\n.skip 128\nx:", "ERR_ASM_RANGE"],
    [".quad 0x10000000000000000", "ERR_ASM_RANGE"],
    [".byte 1\n.balignw 8, 5", "ERR_ASM_LAYOUT"],
  ];
  for (const [line, code] of lines) t.is(codeOf(line), code, line);
});

/** The code of the first error of assembling to flat bytes at 0. */
function codeOf(source: string): string | undefined {
  try {
    assembleFlat(source);
    return undefined;
  } catch (error) {
    return (error as AsmError).code;
  }
}

test("sources that ask for too much end with an error", (t) => {
  const bombs: readonly (readonly [source: string, code: AsmErrorCode])[] = [
    [".macro m\nm\n.endm\nm", "ERR_ASM_LIMIT"],
    [".rept 5000000\n.rept 5000000\nnop\n.endr\n.endr", "ERR_ASM_LIMIT"],
    [`.long ${"(".repeat(100_000)}`, "ERR_ASM_EXPRESSION"],
    [`.long ${"1+".repeat(100_000)}`, "ERR_ASM_SYNTAX"],
    [".skip 0x10000000\n.skip 0x10000000\n.skip 0x10000000\n.skip 0x10000000\n.skip 1", "ERR_ASM_SECTION"],
    ["a: .skip b - a + 1\nb:", "ERR_ASM_LAYOUT"],
    ["a = b\nb = a\n.long a", "ERR_ASM_EXPRESSION"],
    [".if 1", "ERR_ASM_MACRO"],
    [".macro m", "ERR_ASM_MACRO"],
  ];
  for (const [source, code] of bombs) t.is(check(source)[0]?.code, code, source.slice(0, 40));
});

test("a text can be mixed into the builder: both see the other's labels", (t) => {
  const a = new Assembler();
  a.label("start").text("mov rax, [rsp+8]\nje done").jmp("start");
  a.text("jmp start\ndone: ret").mov(rax, 1);
  const bytes = link(a.assemble()).sections[0]!.bytes;
  t.is(Buffer.from(bytes).toString("hex"), "488b4424087404ebf7ebf5c348c7c001000000");
  const error = t.throws(() => a.text("foo\nmov eax, rbx", { file: "snippet" }), { instanceOf: AsmError });
  t.deepEqual(
    error!.errors.map(({ file, line }) => [file, line]),
    [
      ["snippet", 1],
      ["snippet", 2],
    ],
  );
});

test("an object has sections, symbols and relocations as plain data", (t) => {
  const source = [
    ".globl main",
    ".type main, @function",
    "main: call printf",
    "lea rdi, msg[rip]",
    "mov rax, counter",
    ".size main, . - main",
    ".data",
    "counter: .quad main, counter + 8",
    '.section .rodata.str, "a"',
    'msg: .asciz "hi"',
    ".bss",
    ".lcomm room, 16, 8",
  ].join("\n");
  const { object } = assemble(source);
  t.deepEqual(
    object.sections.map(({ name, sizeBytes, align, flags }) => [
      name,
      sizeBytes,
      align,
      flags.execute,
      flags.nobits,
    ]),
    [
      [".text", 20, 1, true, false],
      [".data", 16, 1, false, false],
      [".rodata.str", 3, 1, false, false],
      [".bss", 16, 8, false, true],
    ],
  );
  t.deepEqual(object.sections[0]!.relocations, [
    { offset: 1, type: "R_X86_64_PLT32", symbol: "printf", addend: -4n },
    { offset: 8, type: "R_X86_64_PC32", symbol: "msg", addend: -4n },
    { offset: 16, type: "R_X86_64_32S", symbol: "counter", addend: 0n },
  ]);
  t.deepEqual(object.sections[1]!.relocations, [
    { offset: 0, type: "R_X86_64_64", symbol: "main", addend: 0n },
    { offset: 8, type: "R_X86_64_64", symbol: "counter", addend: 8n },
  ]);
  const main = object.symbols.find(({ name }) => name === "main");
  t.like(main, { section: ".text", value: 0n, sizeBytes: 20n, binding: "global", type: "func" });
  t.like(
    object.symbols.find(({ name }) => name === "printf"),
    { section: undefined, binding: "global" },
  );
});

test("a listing has offsets and bytes beside the source, long data over several rows", (t) => {
  const assembly = assemble('x: nop\n\n mov eax, [x]\n.ascii "0123456789"\n');
  t.is(
    assembly.listing(),
    [
      "     1 00000000 90                x: nop",
      "     2",
      "     3 00000001 8b042500000000     mov eax, [x]",
      '     4 00000008 3031323334353637  .ascii "0123456789"',
      "     4 00000010 3839",
      "     5",
    ].join("\n"),
  );
  t.deepEqual(
    assembly.lines.map(({ line, column, offset, sizeBytes }) => [line, column, offset, sizeBytes]),
    [
      [1, 1, 0, 1],
      [3, 2, 1, 7],
      [4, 1, 8, 10],
    ],
  );
});
