/** Prefixes and encoding hints that the source writes before an instruction, in one word. */
import { asmError } from "./errors.js";
import type { InstructionSet } from "./instruction-set.js";
import { bitsOf, type MaybeOperand } from "./matching.js";
import { ANY_MEMORY, FormFlag, FormWord, OpcodeField, OperandBit } from "./operand-bits.js";

export const Prefix = {
  none: 0,
  lock: 1 << 0,
  /** F3: REP, REPE, REPZ */
  rep: 1 << 1,
  /** F2: REPNE, REPNZ */
  repne: 1 << 2,
  /** F2 before a branch (MPX) */
  bnd: 1 << 3,
  /** 3E before an indirect branch (CET) */
  notrack: 1 << 4,
  /** F2 and F3 before a locked instruction (HLE) */
  xacquire: 1 << 5,
  xrelease: 1 << 6,
  /** 66 */
  data: 1 << 7,
  /** 67 */
  address: 1 << 8,
  /** A segment register's number plus 1, in three bits. */
  segmentShift: 9,
  /** A whole REX byte: 0x40 to 0x4f. */
  rexShift: 12,
  /** The branch must have its short or its long form. */
  short: 1 << 20,
  near: 1 << 21,
  /** Encoding hints, as GNU as writes them in braces. */
  vex: 1 << 22,
  vex3: 1 << 23,
  evex: 1 << 24,
  disp8: 1 << 25,
  disp32: 1 << 26,
  /** Prefer the form that loads, or the one that stores. */
  load: 1 << 27,
  store: 1 << 28,
  /** Emit a REX prefix even where it says nothing. */
  rexHint: 1 << 29,
  /** Keep immediates and displacements at the width the source gave (NASM). */
  strict: 1 << 30,
  /** The source wrote a displacement of 0. It counts where prefixes stand twice: objdump's text means its own bytes. */
  zero: 1 << 31,
} as const;

export const SEGMENT_MASK = 7 << Prefix.segmentShift;
export const REX_MASK = 0x7f << Prefix.rexShift;
/** All that become prefix bytes. */
export const PREFIX_BYTES = 0x1ff | SEGMENT_MASK | REX_MASK;
/** F2 and F3, of which one can stand. */
const REPEATS = Prefix.rep | Prefix.repne | Prefix.bnd | Prefix.xacquire | Prefix.xrelease;

/** Throws `ERR_ASM_PREFIX` for a prefix beside one of its own kind. */
export function checkPair(before: number, added: number): void {
  for (const kind of [REPEATS, SEGMENT_MASK | Prefix.notrack]) {
    if ((before & kind) !== 0 && (added & kind) !== 0) {
      throw asmError("ERR_ASM_PREFIX", "two prefixes of the same kind exclude each other");
    }
  }
}

/** Segment override prefixes by the number of the register. */
export const SEGMENT_PREFIXES: readonly number[] = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

/** Throws `ERR_ASM_PREFIX` for a prefix that the form does not take. */
export function checkPrefixes(
  set: InstructionSet,
  mnemonic: number,
  form: number,
  prefixes: number,
  a: MaybeOperand,
  b: MaybeOperand,
): void {
  const flags = set.words[form + FormWord.flags]!;
  const memory = ((bitsOf(a) | bitsOf(b)) & ANY_MEMORY) !== 0;
  if ((prefixes & Prefix.data) !== 0 && ((bitsOf(a) | bitsOf(b)) & MEDIA) !== 0) {
    throw asmError("ERR_ASM_PREFIX", "an instruction on mm or xmm registers takes no operand-size prefix");
  }
  const mandatory = set.words[form + FormWord.opcode]! & (3 << OpcodeField.prefix);
  if ((prefixes & Prefix.repne) !== 0 && mandatory !== 0) {
    throw asmError("ERR_ASM_PREFIX", `${set.mnemonics[mnemonic]} has a prefix of that kind already`);
  }
  for (const [bit, flag, name] of CHECKED_PREFIXES) {
    if ((prefixes & bit) === 0 || ((flags & flag) !== 0 && (bit !== Prefix.lock || memory))) continue;
    const hint = bit === Prefix.lock && (flags & flag) !== 0 ? "lock needs a memory destination" : undefined;
    throw asmError("ERR_ASM_PREFIX", `${set.mnemonics[mnemonic]} does not take ${name} here`, hint);
  }
  if ((prefixes & (Prefix.short | Prefix.near)) !== 0 && (bitsOf(a) & OperandBit.rel) === 0) {
    throw asmError("ERR_ASM_PREFIX", `${set.mnemonics[mnemonic]} does not take short or near here`);
  }
}

const MEDIA = OperandBit.mm | OperandBit.xmm;

const CHECKED_PREFIXES: readonly (readonly [bit: number, flag: number, name: string])[] = [
  [Prefix.lock, FormFlag.lock, "lock"],
  [Prefix.rep | Prefix.repne, FormFlag.rep, "rep"],
  [Prefix.bnd, FormFlag.bnd, "bnd"],
  [Prefix.notrack, FormFlag.notrack, "notrack"],
  [Prefix.xacquire, FormFlag.lock, "xacquire"],
  [Prefix.xrelease, FormFlag.lock | FormFlag.xrelease, "xrelease"],
];
