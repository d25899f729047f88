/**
 * XMM registers and MXCSR: access checks, source operands, and the end of a floating-point instruction.
 * SDM Vol. 1, "MXCSR Control and Status Register", "SIMD Floating-Point Exceptions"; Vol. 2A, "Exception Classes" 1 to 8.
 */

import { load32, load64, load128, store32, store64, store128 } from "../access.js";
import { CR0, CR4, Vector } from "../architecture.js";
import { raise, raiseGp, raiseUd } from "../faults.js";
import { type Instruction, type Operand, OperandKind } from "../instruction.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import { effectiveAddress } from "../operands.js";
import { type Environment, Exception } from "./rounding.js";

const MXCSR = State.mxcsr >> 2;
export const DAZ = 1 << 6;
const FTZ = 1 << 15;
const MASKS_SHIFT = 7;

/** Raises #UD or #NM where CR0 and CR4 do not let SSE instructions through. */
export function checkSse(m: Machine): void {
  if (m.cr0 & CR0.EM || (m.cr4 & CR4.OSFXSR) === 0) raiseUd(m);
  if (m.cr0 & CR0.TS) raise(m, Vector.NM);
}

/**
 * Offset in `m.view` of an operand's bytes: the register itself, or a copy of the memory. 16-byte memory has to be
 * aligned unless the instruction says otherwise.
 */
export function sourceOffset(
  m: Machine,
  i: Instruction,
  o: Operand,
  size: number,
  aligned = size === 16,
): number {
  if (o.kind === OperandKind.xmm) return o.index;
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  if (aligned && at & 15) raiseGp(m);
  const scratch = State.scratch;
  if (size === 4) m.view.setInt32(scratch, load32(m, i.segment, at, atHi), true);
  else if (size === 8) {
    const lo = load64(m, i.segment, at, atHi);
    m.view.setInt32(scratch, lo, true);
    m.view.setInt32(scratch + 4, m.hi, true);
  } else {
    load128(m, i.segment, at, atHi, scratch);
  }
  return scratch;
}

/** Stores `size` bytes from an offset of `m.view` to the memory operand. */
export function storeOperand(
  m: Machine,
  i: Instruction,
  from: number,
  size: number,
  aligned = size === 16,
): void {
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  if (aligned && at & 15) raiseGp(m);
  if (size === 4) store32(m, i.segment, at, atHi, m.view.getInt32(from, true));
  else if (size === 8) {
    store64(m, i.segment, at, atHi, m.view.getInt32(from, true), m.view.getInt32(from + 4, true));
  } else {
    store128(m, i.segment, at, atHi, from);
  }
}

/** What a result is collected in before it is known that the instruction completes. */
const resultWords = new Int32Array(4);
export const result = new DataView(resultWords.buffer);

/** Writes 4, 8 or 16 bytes of the result to a register. */
export function commitResult(m: Machine, o: Operand, size: number): void {
  const at = o.index >> 2;
  m.i32[at] = resultWords[0]!;
  if (size === 4) return;
  m.i32[at + 1] = resultWords[1]!;
  if (size === 8) return;
  m.i32[at + 2] = resultWords[2]!;
  m.i32[at + 3] = resultWords[3]!;
}

const environment: Environment = {
  rounding: 0,
  masks: 0,
  flushToZero: false,
  wrapsExponent: false,
  flags: 0,
  roundedUp: false,
};

/** The environment that MXCSR describes, with no exceptions raised. */
export function sseEnvironment(m: Machine): Environment {
  const mxcsr = m.i32[MXCSR]!;
  environment.rounding = (mxcsr >> 13) & 3;
  environment.masks = (mxcsr >> MASKS_SHIFT) & 0x3f;
  environment.flushToZero = (mxcsr & FTZ) !== 0;
  environment.flags = 0;
  return environment;
}

export function denormalsAreZeros(m: Machine): boolean {
  return (m.i32[MXCSR]! & DAZ) !== 0;
}

/**
 * Whether host arithmetic gives what MXCSR asks for, as long as operands and result are normal: round to nearest,
 * everything masked, no DAZ or FTZ, and the one exception that can go unnoticed, PE, already set.
 */
export function isPlain(m: Machine): boolean {
  return (m.i32[MXCSR]! & 0xffe0) === 0x1fa0;
}

const BEFORE = Exception.IE | Exception.DE | Exception.ZE;

/** Adds exceptions to MXCSR; raises #XM for an unmasked one, before anything is written. */
export function signal(m: Machine, env: Environment): void {
  if (env.flags === 0) return;
  const mxcsr = m.i32[MXCSR]!;
  // Nothing is computed, and so nothing rounded, where an operand raises an unmasked exception.
  const before = env.flags & ~env.masks & BEFORE;
  const flags = before ? env.flags & BEFORE : env.flags;
  m.i32[MXCSR] = mxcsr | flags;
  if (flags & ~(mxcsr >> MASKS_SHIFT) & 0x3f) {
    if (m.cr4 & CR4.OSXMMEXCPT) raise(m, Vector.XM);
    raiseUd(m);
  }
}
