/**
 * FXSAVE and FXRSTOR, LDMXCSR and STMXCSR, EMMS. SDM Vol. 2A, "FXSAVE", tables "Non-64-bit-Mode Layout of FXSAVE…",
 * "Layout of the 64-bit-mode FXSAVE64 Map".
 */

import { buffer, bytes, load32, loadBytes, probeWrite, store32, storeBytes } from "../access.js";
import { CR0, CR4, Vector } from "../architecture.js";
import { raise, raiseGp, raiseUd } from "../faults.js";
import type { Instruction } from "../instruction.js";
import { abridgedTags, MXCSR_BITS, setAbridgedTags } from "../kvm-state.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import { effectiveAddress } from "../operands.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { checkMmx, enterMmx } from "./mmx-state.js";
import { checkSse } from "./sse-state.js";
import { setControlWord } from "./x87-control.js";
import { FCW, FSW, FTW, stOffset, updateSummary } from "./x87-state.js";

const SIZE = 512;
/** Bytes that FXSAVE writes: what is behind belongs to software. */
const USED = 416;

function check(m: Machine, at: number): void {
  if (m.cr0 & CR0.EM) raiseUd(m);
  if (m.cr0 & CR0.TS) raise(m, Vector.NM);
  if (at & 15) raiseGp(m);
}

/** XMM8 to XMM15 take part in 64-bit mode only. */
function xmmBytes(i: Instruction): number {
  return i.mode === 8 ? 256 : 128;
}

/** The XMM registers and MXCSR take part only where the operating system says that it knows them. */
function savesSse(m: Machine): boolean {
  return (m.cr4 & CR4.OSFXSR) !== 0;
}

function fxsave(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  check(m, at);
  probeWrite(m, i.segment, at, atHi, USED);
  // What stays as it is in memory is read first.
  loadBytes(m, i.segment, at, atHi, SIZE);
  bytes.setUint16(0, m.i32[FCW]!, true);
  bytes.setUint16(2, m.i32[FSW]!, true);
  bytes.setUint16(4, abridgedTags(m), true);
  bytes.setUint16(6, m.i32[State.fop >> 2]!, true);
  putPointer(m, i, 8, State.fip, State.fcs);
  putPointer(m, i, 16, State.fdp, State.fds);
  bytes.setInt32(24, m.i32[State.mxcsr >> 2]!, true);
  bytes.setInt32(28, MXCSR_BITS, true);
  for (let n = 0; n < 8; n++) {
    buffer.fill(0, 32 + n * 16, 48 + n * 16);
    buffer.set(m.u8.subarray(stOffset(m, n), stOffset(m, n) + 10), 32 + n * 16);
  }
  if (savesSse(m)) buffer.set(m.u8.subarray(State.xmm, State.xmm + xmmBytes(i)), 160);
  storeBytes(m, i.segment, at, atHi, USED);
}

/** FXSAVE64 stores 64-bit offsets, FXSAVE 32-bit ones with a selector. */
function putPointer(m: Machine, i: Instruction, at: number, offset: number, selector: number): void {
  bytes.setInt32(at, m.i32[offset >> 2]!, true);
  bytes.setInt32(
    at + 4,
    i.operandSize === 8 ? m.i32[(offset >> 2) + 1]! : m.i32[selector >> 2]! & 0xffff,
    true,
  );
}

function takePointer(m: Machine, i: Instruction, at: number, offset: number, selector: number): void {
  const wide = i.operandSize === 8;
  m.i32[offset >> 2] = bytes.getInt32(at, true);
  m.i32[(offset >> 2) + 1] = wide ? bytes.getInt32(at + 4, true) : 0;
  m.i32[selector >> 2] = wide ? 0 : bytes.getUint16(at + 4, true);
}

function fxrstor(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  check(m, at);
  loadBytes(m, i.segment, at, atHi, SIZE);
  const mxcsr = bytes.getInt32(24, true);
  if (savesSse(m) && mxcsr & ~MXCSR_BITS) raiseGp(m);
  m.i32[FSW] = bytes.getUint16(2, true);
  setControlWord(m, bytes.getUint16(0, true));
  setAbridgedTags(m, bytes.getUint8(4));
  m.i32[State.fop >> 2] = bytes.getUint16(6, true) & 0x7ff;
  takePointer(m, i, 8, State.fip, State.fcs);
  takePointer(m, i, 16, State.fdp, State.fds);
  for (let n = 0; n < 8; n++) m.u8.set(buffer.subarray(32 + n * 16, 42 + n * 16), stOffset(m, n));
  updateSummary(m);
  if (!savesSse(m)) return;
  m.i32[State.mxcsr >> 2] = mxcsr;
  m.u8.set(buffer.subarray(160, 160 + xmmBytes(i)), State.xmm);
}

function ldmxcsr(m: Machine, i: Instruction): void {
  checkSse(m);
  const at = effectiveAddress(m, i);
  const value = load32(m, i.segment, at, m.hi);
  if (value & ~MXCSR_BITS) raiseGp(m);
  m.i32[State.mxcsr >> 2] = value;
}

function stmxcsr(m: Machine, i: Instruction): void {
  checkSse(m);
  const at = effectiveAddress(m, i);
  store32(m, i.segment, at, m.hi, m.i32[State.mxcsr >> 2]!);
}

function emms(m: Machine): void {
  checkMmx(m);
  enterMmx(m);
  m.i32[FTW] = 0xffff;
}

export const stateSaving: SemanticsTable = {
  fxsave,
  fxsave64: fxsave,
  fxrstor,
  fxrstor64: fxrstor,
  ldmxcsr,
  stmxcsr,
  emms,
};
