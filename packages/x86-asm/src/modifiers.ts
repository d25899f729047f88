/**
 * What stands behind a symbol's name and asks the linker for something else than its address: `printf@PLT`,
 * `x@GOTPCREL`, `t@TPOFF` (x86-64 psABI, "Relocation Types" and "Thread-Local Storage").
 */
import type { RelocationType } from "./object.js";
import { FIELD_SIZES, FixKind } from "./sections.js";

/** Relocation types of a modifier in a field of 4 and of 8 bytes. */
type Types = readonly [word: RelocationType | null, quad?: RelocationType];

const MODIFIERS: Readonly<Record<string, Types>> = {
  plt: ["R_X86_64_PLT32"],
  gotpcrel: ["R_X86_64_GOTPCREL"],
  got: ["R_X86_64_GOT32", "R_X86_64_GOT64"],
  gotoff: [null, "R_X86_64_GOTOFF64"],
  gotplt: [null, "R_X86_64_GOTPLT64"],
  pltoff: [null, "R_X86_64_PLTOFF64"],
  gottpoff: ["R_X86_64_GOTTPOFF"],
  tpoff: ["R_X86_64_TPOFF32", "R_X86_64_TPOFF64"],
  dtpoff: ["R_X86_64_DTPOFF32", "R_X86_64_DTPOFF64"],
  tlsgd: ["R_X86_64_TLSGD"],
  tlsld: ["R_X86_64_TLSLD"],
  tlsdesc: ["R_X86_64_GOTPC32_TLSDESC"],
  tlscall: ["R_X86_64_TLSDESC_CALL"],
  size: ["R_X86_64_SIZE32", "R_X86_64_SIZE64"],
};

const THREAD_LOCAL = /^(got)?tpoff$|^dtpoff$|^tls/;

export const MODIFIER_NAMES: readonly string[] = Object.keys(MODIFIERS);

/** Whether a modifier says that the symbol is one for each thread. */
export function isThreadLocal(modifier: string): boolean {
  return THREAD_LOCAL.test(modifier);
}

/** What to ask of the linker in a field of a `FixKind`; `undefined` where the field cannot hold it. */
export function relocationFor(modifier: string, kind: number): RelocationType | undefined {
  if (modifier === "gotpcrel" && kind === FixKind.pc32Relaxable) return "R_X86_64_GOTPCRELX";
  if (modifier === "gotpcrel" && kind === FixKind.pc32RelaxableRex) return "R_X86_64_REX_GOTPCRELX";
  const size = FIELD_SIZES[kind];
  const types = MODIFIERS[modifier]!;
  return (size === 4 ? types[0] : size === 8 ? types[1] : undefined) ?? undefined;
}

/**
 * The kind of the displacement at `at` of an instruction that begins at `start`: relaxable where a linker may turn
 * a load of an address from the table into the address itself (psABI, "Optimize GOTPCRELX Relocations").
 */
export function relaxableKind(bytes: Uint8Array, start: number, at: number): number {
  const modrm = bytes[at - 1]!;
  const opcode = bytes[at - 2]!;
  const reg = (modrm >> 3) & 7;
  const isBranch = opcode === 0xff && (reg === 2 || reg === 4);
  const isKnown = isBranch || opcode === 0x8b || opcode === 0x85 || (opcode & ~0x38) === 0x03;
  const before = at - 3 >= start ? bytes[at - 3]! : 0;
  if (!isKnown || before === 0x0f) return FixKind.pc32;
  return (before & 0xf0) === 0x40 ? FixKind.pc32RelaxableRex : FixKind.pc32Relaxable;
}
