/**
 * Far jumps, calls and returns, with call gates. SDM Vol. 2A, "JMP", "CALL"; Vol. 2B, "RET"; Vol. 3A, "Privilege Level
 * Checking When Transferring Program Control Between Code Segments". There is no task switch: long mode has none
 * and raises #GP; in protected mode it is UNSUPPORTED.
 */
import { Access, Gpr, Seg, Vector } from "./architecture.js";
import { switchStack } from "./exceptions.js";
import { raise, raiseGp, UNSUPPORTED } from "./faults.js";
import { Segment, State } from "./layout.js";
import type { Machine } from "./machine.js";
import { isCanonical } from "./paging.js";
import {
  type Descriptor,
  dropInnerSegments,
  isCode,
  isConforming,
  isNull,
  isPresent,
  markDescriptor,
  readDescriptor,
  rpl,
  SystemType,
  setNullSegment,
  setRealSegment,
  setSegmentRegister,
  stackDescriptor,
  systemType,
  upperWord,
} from "./segments.js";
import { moveStackPointer, peek, push, setStackPointer } from "./stack.js";
import { longModeStack } from "./tss.js";

const RIP = State.rip >> 2;
const RSP = (State.gpr >> 2) + Gpr.RSP * 2;

/** Loads CS at privilege `level` and goes to an offset in it. */
export function enterCode(
  m: Machine,
  selector: number,
  d: Descriptor,
  level: number,
  lo: number,
  hi: number,
): void {
  const long64 = m.longMode && (d.access & Access.L) !== 0;
  if (long64 ? !isCanonical(hi) : lo >>> 0 > d.limit) raiseGp(m);
  markDescriptor(m, d, Access.ACCESSED);
  setSegmentRegister(m, Seg.CS, (selector & 0xfffc) | level, d);
  m.i32[RIP] = lo;
  m.i32[RIP + 1] = long64 ? hi : 0;
  m.setCpl(level);
}

/** L and D together are reserved in long mode. */
function checkCodeSize(m: Machine, d: Descriptor): void {
  const both = Access.L | Access.DB;
  if (m.longMode && (d.access & both) === both) raiseGp(m, d.selector & 0xfffc);
}

function checkDirectTarget(m: Machine, d: Descriptor): void {
  const error = d.selector & 0xfffc;
  checkCodeSize(m, d);
  if (isConforming(d) ? d.dpl > m.cpl : rpl(d.selector) > m.cpl || d.dpl !== m.cpl) raiseGp(m, error);
  if (!isPresent(d)) raise(m, Vector.NP, error);
}

function realBranch(m: Machine, selector: number, lo: number): void {
  if (lo >>> 0 > m.segment(Seg.CS, Segment.limit) >>> 0) raiseGp(m);
  setRealSegment(m, Seg.CS, selector);
  m.i32[RIP] = lo;
  m.i32[RIP + 1] = 0;
  m.updateMode();
}

export function jumpFar(m: Machine, selector: number, lo: number, hi: number): void {
  if (m.real) {
    realBranch(m, selector, lo);
    return;
  }
  if (isNull(selector)) raiseGp(m);
  const d = readDescriptor(m, selector, Vector.GP);
  if (isCode(d)) {
    checkDirectTarget(m, d);
    enterCode(m, selector, d, m.cpl, lo, hi);
    return;
  }
  const gate = callGate(m, d);
  const target = gateTarget(m, gate);
  if (!isConforming(target) && target.dpl !== m.cpl) raiseGp(m, gate.selector & 0xfffc);
  enterCode(m, gate.selector, target, m.cpl, gate.lo, gate.hi);
}

interface CallGate {
  readonly selector: number;
  readonly lo: number;
  readonly hi: number;
  /** Bytes of what it pushes. */
  readonly size: number;
  readonly parameters: number;
}

/** The gate that a selector names. Raises #GP or #NP with the selector. */
function callGate(m: Machine, d: Descriptor): CallGate {
  const error = d.selector & 0xfffc;
  const type = systemType(d);
  const isGate = type === SystemType.CALL_GATE || (type === SystemType.CALL_GATE_16 && !m.longMode);
  if (!isGate) {
    const isTask = [SystemType.TASK_GATE, SystemType.TSS16, SystemType.TSS].includes(type as 9);
    if (isTask && !m.longMode && d.dpl >= Math.max(m.cpl, rpl(d.selector))) throw UNSUPPORTED;
    raiseGp(m, error);
  }
  if (d.dpl < m.cpl || d.dpl < rpl(d.selector)) raiseGp(m, error);
  if (m.longMode && upperWord(m, d.selector, 12) & 0x1f00) raiseGp(m, error);
  if (!isPresent(d)) raise(m, Vector.NP, error);
  const narrow = type === SystemType.CALL_GATE_16;
  return {
    selector: d.low >>> 16,
    lo: narrow ? d.low & 0xffff : (d.high & 0xffff0000) | (d.low & 0xffff),
    hi: m.longMode ? upperWord(m, d.selector, 8) : 0,
    size: m.longMode ? 8 : narrow ? 2 : 4,
    parameters: m.longMode ? 0 : d.high & 31,
  };
}

function gateTarget(m: Machine, gate: CallGate): Descriptor {
  const error = gate.selector & 0xfffc;
  if (isNull(gate.selector)) raiseGp(m);
  const target = readDescriptor(m, gate.selector, Vector.GP);
  if (!isCode(target) || target.dpl > m.cpl) raiseGp(m, error);
  if (m.longMode && (target.access & (Access.L | Access.DB)) !== Access.L) raiseGp(m, error);
  if (!isPresent(target)) raise(m, Vector.NP, error);
  return target;
}

export function callFar(m: Machine, selector: number, lo: number, hi: number, size: number): void {
  const [cs, ripLo, ripHi] = [m.selector(Seg.CS), m.i32[RIP]!, m.i32[RIP + 1]!];
  if (m.real) {
    push(m, size, cs, 0);
    push(m, size, ripLo, 0);
    realBranch(m, selector, lo);
    return;
  }
  if (isNull(selector)) raiseGp(m);
  const d = readDescriptor(m, selector, Vector.GP);
  if (isCode(d)) {
    checkDirectTarget(m, d);
    push(m, size, cs, 0);
    push(m, size, ripLo, ripHi);
    enterCode(m, selector, d, m.cpl, lo, hi);
    return;
  }
  const gate = callGate(m, d);
  const target = gateTarget(m, gate);
  const inner = !isConforming(target) && target.dpl < m.cpl;
  if (inner) {
    callInner(m, gate, target);
    return;
  }
  push(m, gate.size, cs, 0);
  push(m, gate.size, ripLo, ripHi);
  enterCode(m, gate.selector, target, m.cpl, gate.lo, gate.hi);
}

/** A call through a gate to an inner level: a new stack, with the old one's pointer and parameters on it. */
function callInner(m: Machine, gate: CallGate, target: Descriptor): void {
  const { size } = gate;
  const [cs, ripLo, ripHi] = [m.selector(Seg.CS), m.i32[RIP]!, m.i32[RIP + 1]!];
  const [ss, rspLo, rspHi] = [m.selector(Seg.SS), m.i32[RSP]!, m.i32[RSP + 1]!];
  const parameters = Array.from({ length: gate.parameters }, (_, n) => peek(m, size, n * size));
  const saved = m.i32.slice(
    (State.segments + Seg.SS * Segment.stride) >> 2,
    (State.segments + (Seg.SS + 1) * Segment.stride) >> 2,
  );
  const { cpl } = m;
  try {
    if (m.longMode) {
      const lo = longModeStack(m, target.dpl, 0);
      const hi = m.hi;
      if (!isCanonical(hi)) raise(m, Vector.SS, 0);
      setNullSegment(m, Seg.SS, target.dpl, target.dpl);
      m.setCpl(target.dpl);
      m.long64 = true;
      m.stackSize = 8;
      m.i32[RSP] = lo;
      m.i32[RSP + 1] = hi;
    } else {
      switchStack(m, target.dpl);
    }
    push(m, size, ss, 0);
    push(m, size, rspLo, rspHi);
    for (const parameter of parameters.reverse()) push(m, size, parameter, 0);
    push(m, size, cs, 0);
    push(m, size, ripLo, ripHi);
    enterCode(m, gate.selector, target, target.dpl, gate.lo, gate.hi);
  } catch (thrown) {
    m.i32.set(saved, (State.segments + Seg.SS * Segment.stride) >> 2);
    m.setCpl(cpl);
    throw thrown;
  }
}

/** RET far: `size` bytes each for offset and selector, then `release` bytes of parameters. */
export function returnFar(m: Machine, size: number, release: number): void {
  const lo = peek(m, size, 0);
  const hi = m.hi;
  const selector = peek(m, size, size) & 0xffff;
  if (m.real) {
    realBranch(m, selector, lo);
    moveStackPointer(m, size * 2 + release);
    return;
  }
  const d = returnTarget(m, selector);
  if (rpl(selector) === m.cpl) {
    enterCode(m, selector, d, m.cpl, lo, hi);
    moveStackPointer(m, size * 2 + release);
    return;
  }
  returnOuter(m, size, release, d, lo, hi);
}

/** The code segment that a far or interrupt return goes to. */
export function returnTarget(m: Machine, selector: number): Descriptor {
  const error = selector & 0xfffc;
  if (isNull(selector)) raiseGp(m);
  const d = readDescriptor(m, selector, Vector.GP);
  if (!isCode(d) || rpl(selector) < m.cpl) raiseGp(m, error);
  checkCodeSize(m, d);
  if (isConforming(d) ? d.dpl > rpl(selector) : d.dpl !== rpl(selector)) raiseGp(m, error);
  if (!isPresent(d)) raise(m, Vector.NP, error);
  return d;
}

/** The stack segment to return to, marked accessed; null is allowed in 64-bit code, but not at level 3. */
export function returnStack(
  m: Machine,
  selector: number,
  code: Descriptor,
  level: number,
): Descriptor | undefined {
  const toLong64 = m.longMode && (code.access & Access.L) !== 0;
  if (!isNull(selector)) {
    const d = stackDescriptor(m, selector, level, Vector.GP);
    markDescriptor(m, d, Access.ACCESSED);
    return d;
  }
  if (!toLong64 || level === 3 || rpl(selector) !== level) raiseGp(m);
  return undefined;
}

export function setStack(m: Machine, selector: number, d: Descriptor | undefined, level: number): void {
  if (d === undefined) {
    setNullSegment(m, Seg.SS, selector, level);
    return;
  }
  setSegmentRegister(m, Seg.SS, selector, d);
}

function returnOuter(
  m: Machine,
  size: number,
  release: number,
  code: Descriptor,
  lo: number,
  hi: number,
): void {
  const level = rpl(code.selector);
  const at = size * 2 + release;
  const rspLo = peek(m, size, at);
  const rspHi = m.hi;
  const ss = peek(m, size, at + size) & 0xffff;
  const stack = returnStack(m, ss, code, level);
  enterCode(m, code.selector, code, level, lo, hi);
  setStack(m, ss, stack, level);
  m.updateMode();
  setStackPointer(m, rspLo, rspHi);
  moveStackPointer(m, release);
  dropInnerSegments(m);
}
