/**
 * Status flags. Carries and overflows come from the vectors of carries between bits, which are the same expressions
 * for every width; only the bit that is looked at differs. SDM Vol. 1, "Status Flags".
 */
import { RFLAGS, STATUS_FLAGS } from "./architecture.js";
import { State } from "./layout.js";
import type { Machine } from "./machine.js";

const FLAGS = State.rflags >> 2;

/** PF of a byte, in place. */
export const PARITY = Int32Array.from({ length: 256 }, (_, value) => {
  let bits = value ^ (value >> 4);
  bits ^= bits >> 2;
  bits ^= bits >> 1;
  return bits & 1 ? 0 : RFLAGS.PF;
});

/** Position of the sign bit by operand size in bytes, and the bits of that size. */
export const TOP_BIT: readonly number[] = [0, 7, 15, 0, 31];
export const MASK: readonly number[] = [0, 0xff, 0xffff, 0, -1];

/** Replaces the flags of `mask`. Only for flags that gate nothing: the six status flags and DF. */
export function setStatus(m: Machine, mask: number, value: number): void {
  m.i32[FLAGS] = (m.i32[FLAGS]! & ~mask) | value;
}

/** SF, ZF and PF of a narrow result. */
export function signZeroParity(result: number, size: number): number {
  const value = result & MASK[size]!;
  return PARITY[result & 0xff]! | (value === 0 ? RFLAGS.ZF : 0) | (((value >>> TOP_BIT[size]!) & 1) << 7);
}

export function signZeroParityWide(lo: number, hi: number): number {
  return PARITY[lo & 0xff]! | ((lo | hi) === 0 ? RFLAGS.ZF : 0) | ((hi >>> 31) << 7);
}

/** All six flags of a sum, from the operands and the result at the top bit `top` of their highest word. */
export function addFlags(
  m: Machine,
  a: number,
  b: number,
  r: number,
  top: number,
  aux: number,
  szp: number,
): void {
  const carry = (a & b) | ((a | b) & ~r);
  const overflow = (a ^ r) & (b ^ r);
  setAll(m, szp, (carry >>> top) & 1, (overflow >>> top) & 1, aux);
}

/** All six flags of `a - b = r`. */
export function subFlags(
  m: Machine,
  a: number,
  b: number,
  r: number,
  top: number,
  aux: number,
  szp: number,
): void {
  const borrow = (~a & b) | ((~a | b) & r);
  const overflow = (a ^ b) & (a ^ r);
  setAll(m, szp, (borrow >>> top) & 1, (overflow >>> top) & 1, aux);
}

function setAll(m: Machine, szp: number, cf: number, of: number, aux: number): void {
  m.i32[FLAGS] = (m.i32[FLAGS]! & ~STATUS_FLAGS) | szp | cf | (of << 11) | (aux & RFLAGS.AF);
}

/** CF and OF clear, AF clear (undefined by the manual, clear on processors), the others by the result. */
export function logicFlags(m: Machine, szp: number): void {
  m.i32[FLAGS] = (m.i32[FLAGS]! & ~STATUS_FLAGS) | szp;
}

/** Whether condition `code` (the low four bits of Jcc, SETcc and CMOVcc) holds. SDM Vol. 1, appendix B. */
export function condition(m: Machine, code: number): boolean {
  const holds = evenCondition(m.i32[FLAGS]!, code >> 1);
  return (code & 1) === 0 ? holds : !holds;
}

/** O, B, E, BE, S, P, L, LE: each odd code is the opposite of the one before it. */
function evenCondition(flags: number, number: number): boolean {
  const less = ((flags >> 7) ^ (flags >> 11)) & 1;
  switch (number & 7) {
    case 0:
      return (flags & RFLAGS.OF) !== 0;
    case 1:
      return (flags & RFLAGS.CF) !== 0;
    case 2:
      return (flags & RFLAGS.ZF) !== 0;
    case 3:
      return (flags & (RFLAGS.CF | RFLAGS.ZF)) !== 0;
    case 4:
      return (flags & RFLAGS.SF) !== 0;
    case 5:
      return (flags & RFLAGS.PF) !== 0;
    case 6:
      return less !== 0;
    default:
      return less !== 0 || (flags & RFLAGS.ZF) !== 0;
  }
}
