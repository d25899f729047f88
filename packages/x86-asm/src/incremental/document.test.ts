import { isDeepStrictEqual } from "node:util";
import test, { type ExecutionContext } from "ava";
import { AsmError, type AssembleOptions, assemble, check, type DialectName } from "../index.js";
import { randomProgram } from "../random-programs.test.support.js";
import { AssemblyDocument, type LineEdit } from "./index.js";

/** Sources for each test; a few hundred are worth a run after a change here. */
const SEEDS = Number(process.env["X86_ASM_SEEDS"] ?? 6);

/** That a document is what assembling its text gives, in every part. */
function assertWhole(
  t: ExecutionContext,
  document: AssemblyDocument,
  options: AssembleOptions,
  what: string,
) {
  const source = document.lines.join("\n");
  const errors = check(source, options);
  assertEqual(t, document.errors, errors, what);
  assertEqual(t, document.assembly === undefined, errors.length > 0, what);
  if (document.assembly === undefined) return;
  const whole = assemble(source, options);
  assertEqual(t, document.assembly.object, whole.object, what);
  assertEqual(t, document.assembly.lines, whole.lines, what);
  assertEqual(t, document.assembly.listing(), whole.listing(), what);
  assertEqual(t, document.assembly.warnings, whole.warnings, what);
  assertEqual(t, document.assembly.origin, whole.origin, what);
}

/** AVA's own comparison takes its time to find that nothing differs. */
function assertEqual(t: ExecutionContext, actual: unknown, expected: unknown, what: string) {
  if (isDeepStrictEqual(actual, expected)) t.pass();
  else t.deepEqual(actual, expected, what);
}

/** Lines that editors meet: what is read by itself, what is not, and what is wrong. */
const LINES: Readonly<Record<DialectName, readonly string[]>> = {
  gas: [
    "mov eax, 5",
    "  add rax, qword ptr [rbx+rcx*4]",
    "jmp L1",
    "je L3 # comment",
    "call elsewhere",
    "lea rdi, L2[rip]",
    "mov eax, N",
    "nop; nop; jmp L4",
    "",
    "# comment",
    ".byte 1, 2, 3",
    '.ascii "text"',
    ".long L1, L2 - L1",
    ".quad L3",
    ".skip 100",
    ".skip L2 - L1",
    ".align 16",
    "new: nop",
    "L1: nop",
    "other:",
    ".Llocal: jmp .Llocal",
    "1: nop",
    "jmp 1b",
    "N = 7",
    ".set N, 9",
    "len = . - L1",
    "mov ecx, len",
    "push rax + 1",
    "mov eax,",
    "frobnicate",
    ".unknown",
    ".text",
    ".data",
    ".section .rodata",
    ".macro twice x",
    "\\x",
    ".endm",
    "twice nop",
    ".rept 2",
    ".endr",
    ".if N > 5",
    ".ifdef new",
    ".else",
    ".endif",
    ".globl new",
    ".size L1, . - L1",
    ".code32",
    "jmp .",
    ".long . - L1",
    "/* a",
    "b */ nop",
    ".end",
    '.warning "beware"',
  ],
  nasm: [
    "mov eax, 5",
    "  add ax, [bx+si]",
    "jmp L1",
    "je L3 ; comment",
    "call elsewhere",
    "mov eax, N",
    "",
    "; comment",
    "db 1, 2, 'abc'",
    "dd L1, L2 - L1",
    "resb 5",
    "resb L2 - L1",
    "align 16",
    "new: nop",
    "L1: nop",
    "other",
    ".local: jmp .local",
    "jmp .local",
    "N equ 7",
    "len equ $ - L1",
    "mov ecx, len",
    "mov eax,",
    "frobnicate 5",
    "section .data",
    "section .text",
    "%macro twice 1",
    "%1",
    "%endmacro",
    "twice nop",
    "%define N 5",
    "%rep 2",
    "%endrep",
    "%if 1",
    "%ifdef N",
    "%endif",
    "times 3 nop",
    "times 64-($-$$) db 0",
    "bits 32",
    "default rel",
    "[bits 64]",
    "jmp $",
    "dd $ - L1",
    "mov eax, \\",
    "global new",
    "org 0x7c00",
    "%warning beware",
  ],
};

const HEAD: Readonly<Record<DialectName, readonly string[]>> = {
  gas: [".macro pair a", "\\a", "\\a", ".endm", "K = 3", ".set M, 1", "L1: nop", "L2: jmp L4"],
  nasm: ["%macro pair 1", "%1", "%1", "%endmacro", "K equ 3", "L1: nop", "L2: jmp L4", ".near: nop"],
};

function randomSource(dialect: DialectName, count: number, random: (limit: number) => number): string[] {
  const plain = LINES[dialect].slice(0, dialect === "gas" ? 12 : 10);
  const body = Array.from({ length: count }, (_, i) =>
    i % 7 === 0 ? `l${i}: nop` : i % 11 === 0 ? "pair nop" : plain[random(plain.length)]!,
  );
  return [...HEAD[dialect], ...body, "L3: nop", "L4: nop"];
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

function randomEdit(lines: number, pool: readonly string[], random: (limit: number) => number): LineEdit {
  const line = 1 + random(lines + 1);
  const remove = Math.min(lines + 1 - line, random(3));
  return { line, remove, insert: Array.from({ length: random(3) }, () => pool[random(pool.length)]!) };
}

for (const dialect of ["gas", "nasm"] as const) {
  for (const [kind, pool] of [
    ["any", LINES[dialect]],
    ["plain", LINES[dialect].slice(0, dialect === "gas" ? 16 : 12)],
  ] as const) {
    test(`after ${kind} edits a document in ${dialect}'s dialect is what its text assembles to`, (t) => {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const random = generator(seed + dialect.length);
        const options: AssembleOptions = { dialect, file: "main", bits: 64 };
        let document = new AssemblyDocument(randomSource(dialect, 40, random).join("\n"), options);
        const log: string[] = [];
        for (let i = 0; i < 40; i++) {
          const edit = randomEdit(document.lines.length, pool, random);
          log.push(JSON.stringify(edit));
          document.edit(edit);
          assertWhole(t, document, options, `seed ${seed}: ${log.at(-1)}, edit ${i}`);
          // Sources with errors all over would test little else.
          if (document.errors.length > 3) {
            document = new AssemblyDocument(randomSource(dialect, 40, random).join("\n"), options);
          }
        }
      }
    });
  }
}

test("plain edits of a program of branches are read by themselves, and give what the whole gives", (t) => {
  const random = generator(5);
  const source = randomProgram(64, 3);
  const document = new AssemblyDocument(source);
  const statements = [
    "mov rax, 1",
    "jmp L3",
    "nop",
    "fresh: je L40",
    "call L7",
    ".skip 30",
    "L2000: jmp fresh",
  ];
  let isFresh = true;
  for (let i = 0; i < 60; i++) {
    const plain = document.lines.flatMap((line, at) => (/^(mov|j|call)/.test(line) ? [at + 1] : []));
    const insert = statements[random(statements.length)]!;
    if (insert.includes("fresh") && !isFresh) continue;
    isFresh &&= !insert.startsWith("fresh");
    document.edit({ line: plain[random(plain.length)]!, insert: [insert] });
    assertWhole(t, document, {}, `edit ${i}: ${insert}`);
  }
  t.true(document.timesReadWhole < 15, `read whole ${document.timesReadWhole} times`);
});

test("lines that do not exist are an error, and change nothing", (t) => {
  const document = new AssemblyDocument("nop\nnop");
  for (const edit of [
    { line: 0, insert: [] },
    { line: 3, insert: [] },
    { line: 1, remove: 3, insert: [] },
    { line: 1.5, insert: [] },
    { line: 1, remove: -1, insert: [] },
  ]) {
    t.throws(() => document.edit(edit), { instanceOf: AsmError, code: "ERR_ASM_ARGUMENT" });
  }
  t.is(document.lines.join("\n"), "nop\nnop");
  document.edit({ line: 3, remove: 0, insert: ["hlt"] });
  t.is(Buffer.from(document.assembly!.flat()).toString("hex"), "9090f4");
});

test("a part of the listing is that part of the whole", (t) => {
  const { assembly } = new AssemblyDocument("a: nop\njmp b\n.skip 200\nb: ret");
  const whole = assembly!.listing().split("\n");
  t.is(assembly!.listing({ from: 2, to: 2 }), whole.slice(1, 2).join("\n"));
  t.is(assembly!.listing({ from: 4, to: 9 }), whole.at(-1)!);
});
