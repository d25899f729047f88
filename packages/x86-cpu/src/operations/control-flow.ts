/** SDM Vol. 1, "Control Transfer Instructions": near branches, loops, software interrupts, and the entries of far ones. */

import { load16, load32 } from "../access.js";
import { Gpr, RFLAGS, Seg, Vector } from "../architecture.js";
import { deliver, deliverSoftware } from "../exceptions.js";
import { callFar, jumpFar, returnFar } from "../far-transfers.js";
import { raise, raiseGp, raiseUd, UNSUPPORTED } from "../faults.js";
import { condition } from "../flags.js";
import type { Execute, Instruction } from "../instruction.js";
import { returnFromInterrupt } from "../interrupt-return.js";
import { Segment, State } from "../layout.js";
import type { Machine } from "../machine.js";
import { addOffset, effectiveAddress, farPointer, read, readMemory, readWide } from "../operands.js";
import { isCanonical } from "../paging.js";
import { moveStackPointer, pop, probePush, push } from "../stack.js";
import type { SemanticsTable } from "./semantics.js";

const RIP = State.rip >> 2;
const RCX = (State.gpr >> 2) + Gpr.RCX * 2;

/** Goes to an offset of CS. Raises #GP(0) outside the limit or the canonical range. */
function branchTo(m: Machine, lo: number, hi: number): void {
  if (m.long64) {
    if (!isCanonical(hi)) raiseGp(m);
  } else if (lo >>> 0 > m.segment(Seg.CS, Segment.limit) >>> 0) {
    raiseGp(m);
  }
  m.i32[RIP] = lo;
  m.i32[RIP + 1] = m.long64 ? hi : 0;
}

/** Goes to RIP plus the displacement. */
function branchRelative(m: Machine, i: Instruction): void {
  const from = m.i32[RIP]!;
  const lo = (from + i.a.lo) | 0;
  const hi = (m.i32[RIP + 1]! + i.a.hi + (lo >>> 0 < from >>> 0 ? 1 : 0)) | 0;
  branchTo(m, i.mode !== 8 && i.operandSize === 2 ? lo & 0xffff : lo, hi);
}

function jmp(m: Machine, i: Instruction): void {
  branchRelative(m, i);
}

/** The target of a near indirect branch; high half in `m.hi`. */
function indirectTarget(m: Machine, i: Instruction): number {
  if (i.a.size === 8) return readWide(m, i, i.a);
  const target = read(m, i, i.a);
  m.hi = 0;
  return target;
}

function jmpIndirect(m: Machine, i: Instruction): void {
  const lo = indirectTarget(m, i);
  branchTo(m, lo, m.hi);
}

function jcc(m: Machine, i: Instruction): void {
  if (condition(m, i.opcode & 15)) branchRelative(m, i);
}

function call(m: Machine, i: Instruction): void {
  const size = stackOperandSize64(i);
  const [lo, hi] = [m.i32[RIP]!, m.i32[RIP + 1]!];
  // A stack that faults comes before a target that does.
  probePush(m, size);
  branchRelative(m, i);
  push(m, size, lo, hi);
}

/** Near branches ignore the 66 prefix in 64-bit mode (SDM Vol. 1, "Near branches default to 64-bit operand size"). */
function stackOperandSize64(i: Instruction): number {
  return i.mode === 8 ? 8 : i.operandSize;
}

function callIndirect(m: Machine, i: Instruction): void {
  const lo = indirectTarget(m, i);
  const hi = m.hi;
  const [returnLo, returnHi] = [m.i32[RIP]!, m.i32[RIP + 1]!];
  probePush(m, i.a.size);
  branchTo(m, lo, hi);
  push(m, i.a.size, returnLo, returnHi);
}

function ret(m: Machine, i: Instruction): void {
  const lo = pop(m, stackOperandSize64(i));
  branchTo(m, lo, m.hi);
  moveStackPointer(m, i.a.lo);
}

/** rCX as wide as the address size; whether it is zero after `delta`. */
function countDown(m: Machine, i: Instruction, delta: number): boolean {
  if (i.addressSize === 2) {
    const count = (m.u16[RCX * 2]! + delta) & 0xffff;
    m.u16[RCX * 2] = count;
    return count === 0;
  }
  const lo = m.i32[RCX]!;
  const next = (lo + delta) | 0;
  if (i.addressSize === 8 && delta < 0 && lo === 0) m.i32[RCX + 1] = (m.i32[RCX + 1]! - 1) | 0;
  if (delta !== 0) {
    m.i32[RCX] = next;
    if (i.addressSize === 4) m.i32[RCX + 1] = 0;
  }
  return next === 0 && (i.addressSize === 4 || m.i32[RCX + 1] === 0);
}

/** LOOP, LOOPE, LOOPNE. A target that faults leaves the count as it was. */
function loop(continues: (flags: number) => boolean): Execute {
  return (m, i) => {
    const [lo, hi] = [m.i32[RCX]!, m.i32[RCX + 1]!];
    const done = countDown(m, i, -1);
    if (done || !continues(m.flags)) return;
    try {
      branchRelative(m, i);
    } catch (thrown) {
      m.i32[RCX] = lo;
      m.i32[RCX + 1] = hi;
      throw thrown;
    }
  };
}

function jrcxz(m: Machine, i: Instruction): void {
  if (countDown(m, i, 0)) branchRelative(m, i);
}

/** INT n, INT3 and INTO: the return address is behind the instruction, and gate privilege counts. */
function softwareInterrupt(m: Machine, vector: number): void {
  m.trapSuppressed = true;
  deliverSoftware(m, vector);
}

/** INT1 is an exception of the hardware's kind, without a check of the gate (SDM Vol. 2A, "INT n"). */
function int1(m: Machine): void {
  m.trapSuppressed = true;
  const event = { vector: Vector.DB, error: -1, software: false, resume: false };
  if (!deliver(m, event)) throw UNSUPPORTED;
}

function bound(m: Machine, i: Instruction): void {
  const { size } = i.a;
  const signed = (value: number) => (size === 2 ? (value << 16) >> 16 : value);
  const index = signed(read(m, i, i.a));
  const lower = signed(readMemory(m, i, size));
  const lo = effectiveAddress(m, i);
  const at = addOffset(m, i, lo, size);
  const upper = signed(size === 2 ? load16(m, i.segment, at, 0) : load32(m, i.segment, at, 0));
  if (index < lower || index > upper) raise(m, Vector.BR);
}

function jmpFarMemory(m: Machine, i: Instruction): void {
  const { selector, lo, hi } = farPointer(m, i);
  jumpFar(m, selector, lo, hi);
}

function callFarMemory(m: Machine, i: Instruction): void {
  const { selector, lo, hi } = farPointer(m, i);
  callFar(m, selector, lo, hi, i.operandSize);
}

const jumpFarDirect: Execute = (m, i) => jumpFar(m, i.a.hi, i.a.lo, 0);
const callFarDirect: Execute = (m, i) => callFar(m, i.a.hi, i.a.lo, 0, i.operandSize);
const retf: Execute = (m, i) => returnFar(m, i.operandSize, i.a.lo);
const iret: Execute = (m, i) => returnFromInterrupt(m, i.operandSize);

const FAR_MEMORY = ["m16:16", "m16:32", "m16:64"];
const nop: Execute = () => {};

function changeFlag(flag: number, change: (flags: number, flag: number) => number): Execute {
  return (m) => {
    m.i32[State.rflags >> 2] = change(m.flags, flag);
  };
}

export const controlFlow: SemanticsTable = {
  jmp: jmpIndirect,
  call: callIndirect,
  ...Object.fromEntries(
    ["rel8", "rel16", "rel32"].flatMap((rel) => [[`jmp ${rel}`, jmp] as const, [`call ${rel}`, call]]),
  ),
  ...Object.fromEntries(
    FAR_MEMORY.flatMap((m) => [[`jmp ${m}`, jmpFarMemory] as const, [`call ${m}`, callFarMemory]]),
  ),
  ljmp: jmpFarMemory,
  lcall: callFarMemory,
  "ljmp ptr16:16": jumpFarDirect,
  "ljmp ptr16:32": jumpFarDirect,
  "lcall ptr16:16": callFarDirect,
  "lcall ptr16:32": callFarDirect,
  "jmp ptr16:16": jumpFarDirect,
  "jmp ptr16:32": jumpFarDirect,
  "call ptr16:16": callFarDirect,
  "call ptr16:32": callFarDirect,
  ...Object.fromEntries(
    "o no b ae e ne be a s ns p np l ge le g".split(" ").map((name) => [`j${name}`, jcc]),
  ),
  jcxz: jrcxz,
  jecxz: jrcxz,
  jrcxz,
  loop: loop(() => true),
  loope: loop((flags) => (flags & RFLAGS.ZF) !== 0),
  loopne: loop((flags) => (flags & RFLAGS.ZF) === 0),
  ret,
  retw: ret,
  retf,
  retfw: retf,
  retfd: retf,
  retfq: retf,
  iret,
  iretw: iret,
  iretd: iret,
  iretq: iret,
  int: (m, i) => softwareInterrupt(m, i.a.lo),
  int3: (m) => softwareInterrupt(m, Vector.BP),
  into: (m) => {
    if (m.flags & RFLAGS.OF) softwareInterrupt(m, Vector.OF);
  },
  int1,
  bound,
  ud0: raiseUd,
  ud1: raiseUd,
  ud2: raiseUd,
  nop,
  pause: nop,
  endbr32: nop,
  endbr64: nop,
  clc: changeFlag(RFLAGS.CF, (flags, flag) => flags & ~flag),
  stc: changeFlag(RFLAGS.CF, (flags, flag) => flags | flag),
  cmc: changeFlag(RFLAGS.CF, (flags, flag) => flags ^ flag),
  cld: changeFlag(RFLAGS.DF, (flags, flag) => flags & ~flag),
  std: changeFlag(RFLAGS.DF, (flags, flag) => flags | flag),
};
