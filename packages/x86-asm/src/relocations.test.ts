/** Relocations beside those of GNU as, for every shape of reference. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { AsmError, type AsmObject, assemble, link } from "./index.js";

const TOOLS = { as: "binutils", readelf: "binutils" };

/** Statements that refer to a symbol: u elsewhere, g global, w weak, l local, s in another section, d data. */
const REFERENCES: Readonly<Record<string, readonly string[]>> = {
  "branches and calls": [
    "loop g",
    "loop l",
    "jrcxz g",
    "loop w",
    ...["u", "g", "w", "l", "s", "d", "u+4", "g+1", "l+1", "u@PLT", "g@plt"].flatMap((target) =>
      ["call", "jmp", "je", "xbegin"].map((mnemonic) => `${mnemonic} ${target}`),
    ),
  ],
  "RIP-relative memory": [
    ...["u", "g", "w", "l", "s", "d", "d+8"].map((symbol) => `lea rax, [rip+${symbol}]`),
    "mov dword ptr [rip+u], 5",
    "mov byte ptr [rip+u], 5",
    "cmp word ptr u[rip], 0x1234",
    "lea rax, [rip+_GLOBAL_OFFSET_TABLE_]",
  ],
  "absolute memory": [
    "mov rax, u",
    "mov rax, d",
    "mov rax, [rax+u]",
    "mov eax, [eax+u]",
    "mov eax, [d+rbx*4]",
    "mov eax, dword ptr g",
    "push u",
    "movabs rax, [u]",
    "movabs [d], al",
  ],
  immediates: [
    "mov rax, offset u",
    "movabs rax, offset u",
    "mov eax, offset u",
    "mov ax, offset u",
    "mov al, offset u",
    "push offset u",
    "push offset l",
    "cmp rax, offset d+4",
    "add ebx, offset s",
  ],
  "the global offset table": [
    "call [rip+u@GOTPCREL]",
    "jmp u@GOTPCREL[rip]",
    "nop; .byte 0x48; mov eax, [rip+u@GOTPCREL]",
    "mov rax, u@GOTPCREL[rip]",
    "mov r8, [rip+u@gotpcrel]",
    "mov [rip+u@GOTPCREL], rax",
    "add rax, [rip+u@GOTPCREL]",
    "test [rip+u@GOTPCREL], rax",
    "cmp r9d, [rip+u@GOTPCREL]",
    "movzx eax, byte ptr [rip+u@GOTPCREL]",
    "imul rax, [rip+u@GOTPCREL]",
    "push [rip+u@GOTPCREL]",
    "mov rax, [rax+u@GOT]",
    "movabs rax, offset u@GOT",
    "movabs rax, offset u@GOTOFF",
    "movabs rax, offset u@PLTOFF",
  ],
  "thread-local storage": [
    "mov rax, fs:[t@TPOFF]",
    "mov eax, dword ptr fs:t@tpoff",
    "mov rax, t@GOTTPOFF[rip]",
    "add rax, [rip+t@GOTTPOFF]",
    "lea rdi, t@TLSGD[rip]",
    "lea rdi, t@TLSLD[rip]",
    "lea rax, [rax+t@DTPOFF]",
    "lea rax, t@TLSDESC[rip]",
    "movabs rax, offset t@TPOFF",
  ],
  data: [
    ".quad u, g, l, s, d, w, d+4",
    ".long u, u - ., l - ., g - ., u@GOTPCREL, u@PLT, u@GOT, u@SIZE, t@TPOFF, t@DTPOFF, g - l",
    ".quad u - ., u@GOTOFF, u@GOT, u@SIZE, t@TPOFF, t@DTPOFF",
    ".byte u, u - .",
    ".short u, u - .",
  ],
  "32-bit code": [
    ".code32",
    "call u",
    "jmp u",
    "je g",
    "call g",
    "call l",
    "mov eax, u",
    "mov eax, offset d",
  ],
  "16-bit code": [".code16", "call u", "jmp u", "je u", "call g", "mov ax, u", "mov bx, offset d"],
};

const source = (statements: readonly string[]) =>
  [
    ".intel_syntax noprefix",
    ".globl g",
    ".weak w",
    ".text",
    "g: nop",
    "w: nop",
    "l: nop",
    ...statements,
    '.section .other, "ax"',
    "nop",
    "s: nop",
    ".data",
    ".quad 1",
    "d: .quad 2",
    "",
  ].join("\n");

/** `section offset type symbol addend`; what refers to a local symbol refers to its place in its section. */
function ownRelocations({ sections, symbols }: AsmObject): string[] {
  const local = new Map(
    symbols.filter(({ binding }) => binding === "local").map((each) => [each.name, each]),
  );
  return sections.flatMap(({ name, relocations }) =>
    relocations.map(({ offset, type, symbol, addend }) => {
      const found = local.get(symbol);
      const place = found?.section ? [found.section, addend + found.value] : [symbol, addend];
      return [name, offset, type, ...place].join(" ");
    }),
  );
}

/** The same, of what GNU as makes of the source. */
function gnuRelocations(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "x86-asm-"));
  try {
    writeFileSync(join(folder, "in.s"), text);
    const { stderr } = spawnSync("as", ["-o", join(folder, "out.o"), join(folder, "in.s")], {
      encoding: "utf8",
    });
    if (stderr !== "") throw new Error(stderr);
    const listed = spawnSync("readelf", ["-rW", join(folder, "out.o")], { encoding: "utf8" }).stdout;
    return listed.split("Relocation section '.rela").flatMap((part) => {
      const section = part.slice(0, part.indexOf("'"));
      const rows = part.matchAll(/^([0-9a-f]{16}) +\S+ +(R_\S+) +\S+ +(\S+) ([+-]) ([0-9a-f]+)$/gm);
      return Array.from(rows, ([, offset, type, symbol, sign, addend]) =>
        [
          section,
          Number.parseInt(offset!, 16),
          type,
          symbol,
          BigInt(`0x${addend}`) * (sign === "-" ? -1n : 1n),
        ].join(" "),
      );
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const [what, statements] of Object.entries(REFERENCES)) {
  toolTest(`relocations of ${what} are GNU as's`, TOOLS, (t) => {
    const text = source(statements);
    const expected = gnuRelocations(text);
    t.true(expected.length > 2);
    t.deepEqual(ownRelocations(assemble(text).object).sort(), expected.sort());
  });
}

test("a call of a global symbol is left to the linker, a branch that can be short is not", (t) => {
  const { object } = assemble(".globl g\ng: nop\ncall g\njmp g\nlea rax, g[rip]");
  t.deepEqual(
    object.sections[0]!.relocations.map(({ offset, type }) => [offset, type]),
    [
      [2, "R_X86_64_PLT32"],
      [11, "R_X86_64_PC32"],
    ],
  );
  t.is(Buffer.from(link(object).sections[0]!.bytes).toString("hex"), "90e8faffffffebf8488d05f1ffffff");
});

test("visibility and thread-local storage are in the symbol table", (t) => {
  const { object } = assemble(".globl f\n.hidden f\n.protected p\nf: mov eax, fs:t@tpoff\np: nop");
  t.deepEqual(
    object.symbols.map(({ name, type, visibility }) => [name, type, visibility]),
    [
      ["f", "notype", "hidden"],
      ["p", "notype", "protected"],
      ["t", "tls", "default"],
    ],
  );
});

test("what needs a linker's tables has none in a flat image; what no field can hold is an error", (t) => {
  const flat = t.throws(() => link(assemble("x: mov rax, x@GOTPCREL[rip]").object), { instanceOf: AsmError });
  t.is(flat!.code, "ERR_ASM_LINK");
  for (const line of [".byte x@GOTPCREL", "mov ax, offset x@TPOFF", ".long x@GOTOFF", ".long l - x@PLT"]) {
    const error = t.throws(() => assemble(`l: ${line}`), { instanceOf: AsmError }, line);
    t.is(error!.code, "ERR_ASM_EXPRESSION", line);
  }
});
