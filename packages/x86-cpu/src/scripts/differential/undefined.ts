/**
 * What an instruction leaves undefined, by the manual: not compared with a real processor. Between engines nothing is
 * undefined. SDM Vol. 1, appendix A, "EFLAGS Cross-Reference"; the instruction pages for the rest.
 */
import { RFLAGS } from "../../architecture.js";
import type { Instruction } from "../../instruction.js";
import { OperandKind } from "../../instruction.js";

const { CF, PF, AF, ZF, SF, OF } = RFLAGS;

/** Register inputs that decide what is undefined. */
export interface Inputs {
  readonly rcx: bigint;
}

function shiftCount(i: Instruction, { rcx }: Inputs): number {
  const operand = i.c.kind !== OperandKind.none ? i.c : i.b;
  const count = operand.kind === OperandKind.immediate ? operand.lo : Number(rcx & 0xffn);
  return count & (i.a.size === 8 ? 63 : 31);
}

function shiftFlags(i: Instruction, inputs: Inputs): number {
  const count = shiftCount(i, inputs);
  if (count === 0) return 0;
  return AF | (count === 1 ? 0 : OF) | (count >= i.a.size * 8 ? CF : 0);
}

function rotateFlags(i: Instruction, inputs: Inputs): number {
  return shiftCount(i, inputs) === 1 ? 0 : OF;
}

function doubleShiftFlags(i: Instruction, inputs: Inputs): number {
  const count = shiftCount(i, inputs);
  if (count > i.a.size * 8) return CF | PF | AF | ZF | SF | OF;
  return count === 0 ? 0 : AF | (count === 1 ? 0 : OF);
}

type Undefined = number | ((i: Instruction, inputs: Inputs) => number);

const FLAGS: Readonly<Record<string, Undefined>> = {
  and: AF,
  or: AF,
  xor: AF,
  test: AF,
  mul: SF | ZF | AF | PF,
  imul: SF | ZF | AF | PF,
  div: CF | PF | AF | ZF | SF | OF,
  idiv: CF | PF | AF | ZF | SF | OF,
  bsf: CF | PF | AF | SF | OF,
  bsr: CF | PF | AF | SF | OF,
  bt: PF | AF | SF | OF,
  bts: PF | AF | SF | OF,
  btr: PF | AF | SF | OF,
  btc: PF | AF | SF | OF,
  shl: shiftFlags,
  sal: shiftFlags,
  shr: shiftFlags,
  sar: shiftFlags,
  rol: rotateFlags,
  ror: rotateFlags,
  rcl: rotateFlags,
  rcr: rotateFlags,
  shld: doubleShiftFlags,
  shrd: doubleShiftFlags,
};

/** Status flags that may differ. `fsw`: the x87 status word behind it. `later`: RCX is no longer known. */
export function undefinedFlags(i: Instruction, inputs: Inputs, fsw: number, later: boolean): number {
  if (/^fu?comip?$/.test(i.form.mnemonic) && fsw & ES) return CF | PF | ZF | OF | SF | AF;
  const flags = FLAGS[i.form.mnemonic] ?? 0;
  if (typeof flags === "number") return flags;
  return later ? CF | PF | AF | ZF | SF | OF : flags(i, inputs);
}

/** What shows AF behind a logical operation, too. */
export const SHOWS_FLAGS = /^(lahf|pushf[wq]?)$/;

/** AF of logical operations is undefined, but nothing in a sequence depends on it. */
const HARMLESS = ["and", "or", "xor", "test"];

/** Whether what an instruction leaves undefined could change what others behind it do. */
export function spoilsSequences(mnemonic: string): boolean {
  if (HARMLESS.includes(mnemonic)) return false;
  return (
    mnemonic in FLAGS ||
    SHOWS_FLAGS.test(mnemonic) ||
    APPROXIMATE.test(mnemonic) ||
    /^f(?!xch)|bswap/.test(mnemonic)
  );
}

/** Whether the destination may differ: a 16-bit double shift by more than 16. */
export function destinationIsUndefined(i: Instruction, inputs: Inputs): boolean {
  return /^sh[lr]d$/.test(i.form.mnemonic) && shiftCount(i, inputs) > i.a.size * 8;
}

const C1 = 0x200;
const CONDITION_CODES = 0x4700;
const ES = 0x80;
const PE = 0x20;
const UE = 0x10;

/**
 * Bits of the x87 status word that may differ: AMD's comparisons and remainders report also where an unmasked exception keeps
 * Intel's from it, and leave C1 alone where they write RFLAGS (SDM Vol. 2A, "FCOM", "FCOMI").
 */
export function undefinedConditions(mnemonics: readonly string[], status: number): number {
  return mnemonics.reduce((bits, mnemonic) => bits | undefinedConditionsOf(mnemonic, status), 0);
}

function undefinedConditionsOf(mnemonic: string, status: number): number {
  if (TRANSCENDENTAL.test(mnemonic)) return C1 | PE | UE;
  if (/^fu?comip?$/.test(mnemonic)) return C1;
  return /^f(u?comp?p?|icomp?|tst|prem1?)$/.test(mnemonic) && status & ES ? CONDITION_CODES : 0;
}

/** Results that the manual bounds by an error only. */
export const APPROXIMATE = /^(rcp|rsqrt)[ps]s$/;
export const TRANSCENDENTAL = /^(fsin|fcos|fsincos|fptan|fpatan|f2xm1|fyl2x|fyl2xp1)$/;
