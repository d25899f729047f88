/**
 * x87 control instructions, and the environments that FNSTENV and FNSAVE store.
 * SDM Vol. 1, "x87 FPU Control Instructions", figures "Protected Mode x87 FPU State Image…".
 */

import { buffer, bytes, load16, loadBytes, probeWrite, store16, storeBytes } from "../access.js";
import { CR0, Gpr, Vector } from "../architecture.js";
import { raise, raiseUd } from "../faults.js";
import type { Execute, Instruction } from "../instruction.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import { effectiveAddress } from "../operands.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { isNan, Kind } from "./formats.js";
import {
  CONDITIONS,
  checkX87,
  FCW,
  FSW,
  FTW,
  getSt,
  isEmpty,
  popStack,
  raisePending,
  Status,
  setTag,
  setTop,
  stOffset,
  top,
  updateSummary,
} from "./x87-state.js";

/** A control instruction: it is not remembered as the last one. `waits`: for pending exceptions. */
function control(execute: Execute, waits = false): Execute {
  return (m, i) => {
    checkX87(m);
    if (waits) raisePending(m);
    execute(m, i);
  };
}

/** FNINIT. SDM Vol. 1, table "… State following FINIT/FNINIT": the registers stay, and are empty. */
export function initialize(m: Machine): void {
  m.i32[FCW] = 0x37f;
  m.i32[FSW] = 0;
  m.i32[FTW] = 0xffff;
  m.u8.fill(0, State.fop, State.fds + 4);
}

function fnclex(m: Machine): void {
  m.i32[FSW] = m.i32[FSW]! & (CONDITIONS | Status.C1 | (7 << Status.TOP_SHIFT));
}

function fldcw(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  setControlWord(m, load16(m, i.segment, at, m.hi));
}

/** Bit 6 is always set; bits 7 and 15:13 are reserved. */
export function setControlWord(m: Machine, value: number): void {
  m.i32[FCW] = (value & 0x1f3f) | 0x40;
  updateSummary(m);
}

function storeWord(word: number): Execute {
  return (m, i) => {
    const at = effectiveAddress(m, i);
    store16(m, i.segment, at, m.hi, m.i32[word]!);
  };
}

function fnstswAx(m: Machine): void {
  m.u16[(State.gpr + Gpr.RAX * 8) >> 1] = m.i32[FSW]!;
}

/** Tags by contents, as the environment shows them: valid, zero, special, empty. */
export function fullTags(m: Machine): number {
  let tags = 0;
  for (let n = 0; n < 8; n++) tags |= tagOf(m, n) << (((top(m) + n) & 7) * 2);
  return tags;
}

function tagOf(m: Machine, n: number): number {
  if (isEmpty(m, n)) return 3;
  const value = getSt(m, n);
  if (value.kind === Kind.zero) return 1;
  return isNan(value) || value.kind !== Kind.finite || value.denormal ? 2 : 0;
}

// --- environments ---

const ENVIRONMENT_16 = 14;
const ENVIRONMENT_32 = 28;

function environmentSize(i: Instruction): number {
  return i.operandSize === 2 ? ENVIRONMENT_16 : ENVIRONMENT_32;
}

/** Writes the environment to the start of `buffer`. */
function putEnvironment(m: Machine, i: Instruction): void {
  const narrow = i.operandSize === 2;
  const [fip, fdp, fop] = [m.i32[State.fip >> 2]!, m.i32[State.fdp >> 2]!, m.i32[State.fop >> 2]! & 0x7ff];
  const words = [m.i32[FCW]!, m.i32[FSW]!, fullTags(m)];
  const pointers = m.real
    ? realPointers(m, fip, fdp, fop)
    : [fip, m.i32[State.fcs >> 2]! | (narrow ? 0 : fop << 16), fdp, m.i32[State.fds >> 2]!];
  [...words, ...pointers].forEach((value, n) => {
    if (narrow) bytes.setUint16(n * 2, value, true);
    // Unused halves of the 32-bit format are ones.
    else
      bytes.setUint32(
        n * 4,
        n < 3 ? (value & 0xffff) | 0xffff0000 : n === 6 ? value | 0xffff0000 : value,
        true,
      );
  });
}

/** Real-mode environments hold linear addresses, split around the opcode. */
function realPointers(m: Machine, fip: number, fdp: number, fop: number): number[] {
  const instruction = fip + (m.i32[State.fcs >> 2]! << 4);
  const operand = fdp + (m.i32[State.fds >> 2]! << 4);
  const split = (linear: number, low: number) => ((linear >>> 16) << 12) | low;
  return [instruction & 0xffff, split(instruction, fop), operand & 0xffff, split(operand, 0)];
}

function fnstenv(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  putEnvironment(m, i);
  storeBytes(m, i.segment, at, atHi, environmentSize(i));
  // Storing the environment masks all exceptions.
  m.i32[FCW] = m.i32[FCW]! | 0x3f;
  updateSummary(m);
}

/** Reads the environment from the start of `buffer`. */
function takeEnvironment(m: Machine, i: Instruction): void {
  const narrow = i.operandSize === 2;
  const at = (n: number) => (narrow ? bytes.getUint16(n * 2, true) : bytes.getUint32(n * 4, true));
  m.i32[FCW] = (at(0) & 0x1f3f) | 0x40;
  m.i32[FSW] = at(1) & 0xffff;
  takeTags(m, at(2) & 0xffff);
  m.i32[State.fip >> 2] = at(3);
  m.i32[(State.fip >> 2) + 1] = 0;
  m.i32[State.fcs >> 2] = at(4) & 0xffff;
  m.i32[State.fop >> 2] = narrow ? 0 : (at(4) >>> 16) & 0x7ff;
  m.i32[State.fdp >> 2] = at(5);
  m.i32[(State.fdp >> 2) + 1] = 0;
  m.i32[State.fds >> 2] = at(6) & 0xffff;
  updateSummary(m);
}

/** Of a tag only emptiness is kept. */
function takeTags(m: Machine, tags: number): void {
  let kept = 0;
  for (let n = 0; n < 16; n += 2) if (((tags >> n) & 3) === 3) kept |= 3 << n;
  m.i32[FTW] = kept;
}

function fldenv(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  loadBytes(m, i.segment, at, m.hi, environmentSize(i));
  takeEnvironment(m, i);
}

function fnsave(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  const size = environmentSize(i);
  probeWrite(m, i.segment, at, atHi, size + 80);
  putEnvironment(m, i);
  for (let n = 0; n < 8; n++) buffer.set(m.u8.subarray(stOffset(m, n), stOffset(m, n) + 10), size + n * 10);
  storeBytes(m, i.segment, at, atHi, size + 80);
  initialize(m);
}

function frstor(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  const size = environmentSize(i);
  loadBytes(m, i.segment, at, m.hi, size + 80);
  takeEnvironment(m, i);
  for (let n = 0; n < 8; n++) m.u8.set(buffer.subarray(size + n * 10, size + n * 10 + 10), stOffset(m, n));
}

/** WAIT looks at CR0.MP as well. */
function fwait(m: Machine): void {
  const both = CR0.MP | CR0.TS;
  if ((m.cr0 & both) === both) raise(m, Vector.NM);
  raisePending(m);
}

function moveTop(by: number): Execute {
  return (m) => {
    setTop(m, top(m) + by);
    m.i32[FSW] = m.i32[FSW]! & ~Status.C1;
  };
}

const nop: Execute = () => {};

export const x87Control: SemanticsTable = {
  fninit: control(initialize),
  fnclex: control(fnclex),
  fldcw: control(fldcw, true),
  fnstcw: control(storeWord(FCW)),
  fnstsw: control(storeWord(FSW)),
  "fnstsw ax": control(fnstswAx),
  fnstenv: control(fnstenv),
  fldenv: control(fldenv, true),
  fnsave: control(fnsave),
  frstor: control(frstor, true),
  fwait,
  fincstp: control(moveTop(1), true),
  fdecstp: control(moveTop(-1), true),
  ffree: control((m, i) => {
    setTag(m, i.a.register, true);
    m.i32[FSW] = m.i32[FSW]! & ~Status.C1;
  }, true),
  ffreep: control((m, i) => {
    setTag(m, i.a.register, true);
    popStack(m);
    m.i32[FSW] = m.i32[FSW]! & ~Status.C1;
  }, true),
  fnop: control(nop, true),
  // Of the 8087 and the 287: they do nothing, but for FRSTPM, which later processors do not know.
  fneni: control(nop),
  fndisi: control(nop),
  fnsetpm: control(nop),
  frstpm: raiseUd,
};
