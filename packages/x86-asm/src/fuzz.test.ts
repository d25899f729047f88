import { isDeepStrictEqual } from "node:util";
import test from "ava";
import { AssemblyDocument } from "./incremental/index.js";
import { AsmError, assemble, check, type DialectName } from "./index.js";
import { randomInstructions } from "./random-instructions.test.support.js";

/** Lines that open, close, nest, repeat and refer, so that what is cut and pasted from them meets. */
const LINES: Readonly<Record<DialectName, readonly string[]>> = {
  gas: [
    ".rept 3",
    ".endr",
    ".macro m a, b=2",
    ".endm",
    "m 1",
    "m b=3",
    ".byte \\a",
    ".exitm",
    ".purgem m",
    ".if 1",
    ".if x",
    ".else",
    ".elseif 0",
    ".endif",
    ".ifdef x",
    ".irp i, 1, 2",
    ".irpc c, ab",
    ".err",
    "x:",
    "y: nop",
    "1:",
    "jmp 1b",
    "jmp 1f",
    "jmp x",
    "je y",
    "loop x",
    "call [x]",
    "x = 5",
    ".set x, . - y",
    ".long x - y",
    ".long (x - y) * 5",
    ".skip y - x",
    ".skip x",
    ".align 16",
    ".p2align 4,,10",
    ".org 20",
    ".org x",
    ".fill 3, 4, 5",
    ".zero -1",
    ".rept -1",
    ".byte 'a'",
    '.ascii "x\\n\\101"',
    '.section .foo, "aw", @nobits',
    ".text",
    ".data",
    ".bss",
    ".pushsection .x",
    ".popsection",
    ".previous",
    '.include "a"',
    '.incbin "a", 1',
    ".quad 0x123456789012345678901234567890",
    ".octa -1",
    ".float 1e400",
    ".tfloat nan",
    ".uleb128 5",
    ".comm a, 10, 8",
    ".size x, . - x",
    ".type x, @function",
    ".weak x",
    ".equ a b",
    ".code16",
    ".code32",
    ".if . - x > 5",
    ".long 1 / 0",
    ".long 1 << 100",
    ".long -1 >> 70",
    "mov eax, [",
    "mov eax, dword ptr",
    "mov eax, offset",
    "mov eax, x[rip]",
    "jmp far",
    "jmp short",
    "fld st(9)",
    "lock",
    "rep",
    "{vex3}",
    "{disp32} mov eax, [rax]",
    "mov eax, [rel x]",
    "((((",
    "- - ~ ! 5",
    '"',
    "'",
    "/*",
    "*/",
    "\\",
    ";",
    "é: nop",
    "\0",
  ],
  nasm: [
    "%macro q 1-2 5",
    "%endmacro",
    "q 1",
    "db %1, %2",
    "%%l: jmp %%l",
    "%define z 5",
    "%define f(a) a+f(a)",
    "f(f(1))",
    "%define z z",
    "%undef z",
    "%assign i i+1",
    "%if z",
    "%ifdef z",
    "%elif 0",
    "%else",
    "%endif",
    "%rep 3",
    "%exitrep",
    "%endrep",
    '%include "a"',
    "times 3 nop",
    "times 4-($-$$) db 0",
    "times 3 dd $",
    "times -1 nop",
    "db 'abc', 1.5, z",
    "dd x",
    "dq 1e5000",
    "dt 1.0",
    "resb 10",
    "resq x",
    "section .text align=16",
    "section .bss nobits",
    "bits 16",
    "bits 7",
    "[bits 32]",
    "default rel",
    "y equ x",
    "x equ $-$$",
    "x:",
    ".a:",
    "jmp .a",
    "global x:function",
    "extern e",
    "org 0x7c00",
    "align 8",
    "align 8, db 1",
    'incbin "a"',
    "mov eax, [x]",
    "mov eax, [rel x]",
    "jmp dword 8:x",
    "jmp far [x]",
    "mov eax, [nosplit rax*2]",
    "mov eax, $",
    "mov eax, $$",
    "mov eax, $rax",
    "`",
    "'",
    "\\",
    "struc",
    "é nop",
    "\0",
  ],
};
const CHARACTERS = " ,+-*[]():;#\\\"'%$.@{}=<>!~&|^/0123456789abcdefxyz\n\t";

for (const dialect of ["gas", "nasm"] as const) {
  for (const bits of [16, 32, 64] as const) {
    test(`whatever text comes in, ${dialect} in ${bits}-bit mode ends with an object or AsmErrors`, (t) => {
      const random = generator(bits + dialect.length);
      const instructions = randomInstructions(200, bits, bits);
      const lines = [...LINES[dialect], ...instructions.map((line) => respell(line, dialect))];
      let assembled = 0;
      for (let i = 0; i < 1500; i++) {
        const source = Array.from({ length: 1 + random(10) }, () =>
          mutate(lines[random(lines.length)]!, lines, random),
        );
        try {
          const assembly = assemble(source.join("\n"), { dialect, bits, resolve: () => "nop\n" });
          assembly.listing();
          assembled++;
        } catch (error) {
          if (error instanceof AsmError && error.errors.every(({ code }) => code.startsWith("ERR_ASM_")))
            continue;
          t.fail(`${JSON.stringify(source)}: ${String(error)}`);
        }
      }
      t.true(assembled > 50, `only ${assembled} sources assembled`);
    });
  }
}

for (const dialect of ["gas", "nasm"] as const) {
  test(`whatever is typed into a document, in ${dialect}, it has bytes or errors: those of its text`, (t) => {
    const random = generator(dialect.length);
    const options = { dialect, bits: 32, resolve: () => "nop\n" } as const;
    const lines = [
      ...LINES[dialect],
      ...randomInstructions(200, 32, 3).map((line) => respell(line, dialect)),
    ];
    const line = () => mutate(lines[random(lines.length)]!, lines, random);
    const wrong: string[] = [];
    for (let round = 0; round < 60; round++) {
      const document = new AssemblyDocument(Array.from({ length: random(8) }, line).join("\n"), options);
      for (let i = 0; i < 12; i++) {
        const at = 1 + random(document.lines.length);
        const edit = { line: at, remove: random(2), insert: Array.from({ length: random(3) }, line) };
        document.edit(edit);
        const source = document.lines.join("\n");
        const errors = check(source, options);
        const isWhole =
          isDeepStrictEqual(document.errors, errors) &&
          (errors.length > 0 ||
            isDeepStrictEqual(document.assembly!.object, assemble(source, options).object));
        if (!isWhole) wrong.push(`${JSON.stringify(edit)} makes of it ${JSON.stringify(source)}`);
      }
    }
    t.deepEqual(wrong, []);
  });
}

/** Most lines as they are, so that some sources assemble; the others with something put in, taken out or pasted. */
function mutate(line: string, lines: readonly string[], random: (limit: number) => number): string {
  const at = random(line.length + 1);
  switch (random(12)) {
    case 0:
      return line.slice(0, at) + CHARACTERS[random(CHARACTERS.length)]! + line.slice(at);
    case 1:
      return line.slice(0, at) + line.slice(at + 1 + random(3));
    case 2:
      return line.slice(0, at) + lines[random(lines.length)]! + line.slice(at);
    default:
      return line;
  }
}

function respell(line: string, dialect: DialectName): string {
  return dialect === "gas" ? line : line.replaceAll(" PTR", "").replaceAll("XMMWORD", "OWORD");
}

function generator(seed: number): (limit: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
