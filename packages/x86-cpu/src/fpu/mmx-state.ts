/**
 * MMX registers: the significands of the x87 registers R0 to R7. SDM Vol. 1, "MMX State"; Vol. 3A, "Effect of MMX,
 * x87 FPU, FXSAVE, and FXRSTOR Instructions on the x87 FPU Tag Word".
 */

import { load32, load64 } from "../access.js";
import { CR0, Vector } from "../architecture.js";
import { raise, raiseUd } from "../faults.js";
import { type Instruction, type Operand, OperandKind } from "../instruction.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import { effectiveAddress } from "../operands.js";
import { raisePending } from "./x87-state.js";

/** Raises #UD, #NM or a pending #MF. */
export function checkMmx(m: Machine): void {
  if (m.cr0 & CR0.EM) raiseUd(m);
  if (m.cr0 & CR0.TS) raise(m, Vector.NM);
  raisePending(m);
}

/** Every MMX instruction makes all tags valid (EMMS: empty) and TOP zero, most of them once nothing can fault any more. */
export function enterMmx(m: Machine): void {
  m.i32[State.ftw >> 2] = 0;
  m.i32[State.fsw >> 2] = m.i32[State.fsw >> 2]! & ~0x3800;
}

/** Offset in `m.view` of an MMX register. */
export function mmxOffset(o: Operand): number {
  return State.fpr + o.register * 16;
}

/** Writes an MMX register: sign and exponent become ones. */
export function writeMmx(m: Machine, o: Operand, lo: number, hi: number): void {
  enterMmx(m);
  const at = mmxOffset(o);
  m.view.setInt32(at, lo, true);
  m.view.setInt32(at + 4, hi, true);
  m.view.setUint16(at + 8, 0xffff, true);
}

/** Offset in `m.view` of 8 source bytes: the register itself, or a copy of the memory, of which 4 bytes may do. */
export function mmxSource(m: Machine, i: Instruction, o: Operand): number {
  if (o.kind === OperandKind.mmx) return mmxOffset(o);
  const at = effectiveAddress(m, i);
  const narrow = o.size === 4;
  const lo = narrow ? load32(m, i.segment, at, m.hi) : load64(m, i.segment, at, m.hi);
  m.view.setInt32(State.scratch, lo, true);
  m.view.setInt32(State.scratch + 4, narrow ? 0 : m.hi, true);
  return State.scratch;
}
