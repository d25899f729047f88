/**
 * Delivery of exceptions and interrupts: the IVT in real mode, the IDT with 8-byte gates in protected mode and with
 * 16-byte gates, TSS and IST in long mode; double and triple faults.
 * SDM Vol. 3A, "Interrupt and Exception Handling", "Interrupt 8: Double Fault Exception", "64-Bit Mode Stack Frame".
 */

import { load16, load32, SYSTEM } from "./access.js";
import { Access, RFLAGS, Seg, Vector, WITH_ERROR_CODE } from "./architecture.js";
import { EXIT, FAULT, raise, UNSUPPORTED } from "./faults.js";
import { Segment, State } from "./layout.js";
import type { Machine } from "./machine.js";
import { isCanonical } from "./paging.js";
import {
  type Descriptor,
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
} from "./segments.js";
import { push } from "./stack.js";
import { longModeStack, protectedModeStack } from "./tss.js";

/** What is delivered. */
export interface Event {
  readonly vector: number;
  /** -1 where none is pushed. */
  readonly error: number;
  /** INT n, INT3 and INTO: gate privilege is checked, and EXT is clear. */
  readonly software: boolean;
  /** Pushed RFLAGS.RF: set by faults, so that an instruction breakpoint does not fire again. */
  readonly resume: boolean;
}

const RIP = State.rip >> 2;
const RSP = (State.gpr >> 2) + 4 * 2;
const SS = (State.segments + Seg.SS * Segment.stride) >> 2;

/** The event for the fault that was thrown last. */
function faultEvent(m: Machine): Event {
  const { faultVector: vector, faultError } = m;
  const error = WITH_ERROR_CODE.includes(vector) && !m.real ? faultError : -1;
  return { vector, error, software: false, resume: vector !== Vector.DB };
}

/** How the second of two faults combines with the first. SDM Vol. 3A, table "Conditions for Generating a Double Fault". */
function isContributory(vector: number): boolean {
  return [Vector.DE, Vector.TS, Vector.NP, Vector.SS, Vector.GP].includes(vector as 0);
}

function makesDoubleFault(first: Event, second: number): boolean {
  if (first.vector === Vector.PF) return second === Vector.PF || isContributory(second);
  return isContributory(first.vector) && isContributory(second);
}

/**
 * Delivers the fault that an instruction threw. CR2 is written as soon as a #PF is found, also where it becomes part of
 * a double fault (SDM Vol. 3A, "Interrupt 14: Page-Fault Exception", footnote).
 */
export function deliverFault(m: Machine): boolean {
  noteAddress(m);
  return deliver(m, faultEvent(m));
}

function noteAddress(m: Machine): void {
  if (m.faultVector !== Vector.PF) return;
  m.i32[State.cr2 >> 2] = m.faultLo;
  m.i32[(State.cr2 >> 2) + 1] = m.faultHi;
}

/**
 * Delivers an event, or the faults that its delivery raises; a triple fault sets `shutdown`. Returns false, and has done
 * nothing but to CR2, where the way leads through a task gate, which this processor does not have, or through a device,
 * which nothing could answer in between.
 */
export function deliver(m: Machine, event: Event): boolean {
  let current = event;
  try {
    while (!attempt(m, current)) {
      noteAddress(m);
      const next = successor(m, current);
      if (next === undefined) {
        m.i32[State.shutdown >> 2] = 1;
        m.attention = true;
        return true;
      }
      current = next;
    }
    return true;
  } catch (thrown) {
    if (thrown !== UNSUPPORTED && thrown !== EXIT) throw thrown;
    m.pending = undefined;
    return false;
  }
}

/** What is delivered after a fault in the delivery of `first`; `undefined`: nothing any more. */
function successor(m: Machine, first: Event): Event | undefined {
  const second = m.faultVector;
  if (first.vector === Vector.DF && (isContributory(second) || second === Vector.PF)) return undefined;
  if (!makesDoubleFault(first, second)) return faultEvent(m);
  return { vector: Vector.DF, error: m.real ? -1 : 0, software: false, resume: true };
}

/** INT n, INT3 and INTO: a fault in the delivery is a fault of the instruction. */
export function deliverSoftware(m: Machine, vector: number): void {
  if (!attempt(m, { vector, error: -1, software: true, resume: false })) throw FAULT;
}

/** Whether the event was delivered; if not, the machine is as before, also where something else than a fault is thrown. */
function attempt(m: Machine, event: Event): boolean {
  const stack = m.i32.slice(SS, SS + (Segment.stride >> 2));
  const [rspLo, rspHi, cpl] = [m.i32[RSP]!, m.i32[RSP + 1]!, m.cpl];
  try {
    if (m.real) deliverReal(m, event);
    else if (m.longMode) deliverLong(m, event);
    else deliverProtected(m, event);
    return true;
  } catch (thrown) {
    m.i32.set(stack, SS);
    m.i32[RSP] = rspLo;
    m.i32[RSP + 1] = rspHi;
    m.setCpl(cpl);
    if (thrown !== FAULT) throw thrown;
    const withSelector = [Vector.TS, Vector.NP, Vector.SS, Vector.GP].includes(m.faultVector as 10);
    if (withSelector && !event.software) m.faultError |= 1;
    return false;
  }
}

function pushedFlags(m: Machine, event: Event): number {
  return event.resume ? m.flags | RFLAGS.RF : m.flags;
}

function idtAddress(m: Machine, event: Event, entrySize: number): number {
  const offset = event.vector * entrySize;
  if (offset + entrySize - 1 > m.i32[State.idtrLimit >> 2]!) raise(m, Vector.GP, event.vector * 8 + 2);
  const base = State.idtrBase >> 2;
  const lo = (m.i32[base]! + offset) | 0;
  m.hi = m.longMode ? (m.i32[base + 1]! + (lo >>> 0 < offset ? 1 : 0)) | 0 : 0;
  return lo;
}

/** SDM Vol. 3B, "Interrupt and Exception Handling" of real-address mode. */
function deliverReal(m: Machine, event: Event): void {
  const at = idtAddress(m, event, 4);
  const offset = load16(m, SYSTEM, at, 0);
  const selector = load16(m, SYSTEM, (at + 2) | 0, 0);
  push(m, 2, m.flags, 0);
  push(m, 2, m.selector(Seg.CS), 0);
  push(m, 2, m.i32[RIP]!, 0);
  m.flags &= ~(RFLAGS.IF | RFLAGS.TF | RFLAGS.AC);
  setRealSegment(m, Seg.CS, selector);
  m.i32[RIP] = offset;
  m.i32[RIP + 1] = 0;
}

/** A gate of the IDT: its target and type. */
interface Gate {
  readonly selector: number;
  readonly lo: number;
  readonly hi: number;
  readonly type: number;
  readonly ist: number;
}

function readGate(m: Machine, event: Event): Gate {
  const at = idtAddress(m, event, m.longMode ? 16 : 8);
  const atHi = m.hi;
  const low = load32(m, SYSTEM, at, atHi);
  const high = load32(m, SYSTEM, (at + 4) | 0, atHi);
  const type = (high >>> 8) & 0x1f;
  const error = event.vector * 8 + 2;
  const known = m.longMode ? LONG_GATES : PROTECTED_GATES;
  if (!known.includes(type)) raise(m, Vector.GP, error);
  if (event.software && ((high >>> 13) & 3) < m.cpl) raise(m, Vector.GP, error);
  if ((high & 0x8000) === 0) raise(m, Vector.NP, error);
  if (type === SystemType.TASK_GATE) throw UNSUPPORTED;
  const narrow = type < SystemType.INTERRUPT_GATE;
  return {
    selector: low >>> 16,
    lo: narrow ? low & 0xffff : (high & 0xffff0000) | (low & 0xffff),
    hi: m.longMode ? load32(m, SYSTEM, (at + 8) | 0, atHi) : 0,
    type,
    ist: m.longMode ? high & 7 : 0,
  };
}

const LONG_GATES: readonly number[] = [SystemType.INTERRUPT_GATE, SystemType.TRAP_GATE];
const PROTECTED_GATES: readonly number[] = [
  SystemType.TASK_GATE,
  SystemType.INTERRUPT_GATE_16,
  SystemType.TRAP_GATE_16,
  ...LONG_GATES,
];

/** The handler's code segment, and the level that it runs at. */
function handlerSegment(m: Machine, selector: number): { code: Descriptor; level: number } {
  const error = selector & 0xfffc;
  if (isNull(selector)) raise(m, Vector.GP, 0);
  const code = readDescriptor(m, selector, Vector.GP);
  if (!isCode(code) || code.dpl > m.cpl) raise(m, Vector.GP, error);
  if (!isPresent(code)) raise(m, Vector.NP, error);
  if (m.longMode && (code.access & (Access.L | Access.DB)) !== Access.L) raise(m, Vector.GP, error);
  return { code, level: isConforming(code) ? m.cpl : code.dpl };
}

function deliverLong(m: Machine, event: Event): void {
  const gate = readGate(m, event);
  const { code, level } = handlerSegment(m, gate.selector);
  const [oldSs, oldLo, oldHi] = [m.selector(Seg.SS), m.i32[RSP]!, m.i32[RSP + 1]!];
  const [oldCs, flags] = [m.selector(Seg.CS), pushedFlags(m, event)];
  let [lo, hi] = [oldLo, oldHi];
  if (level < m.cpl || gate.ist !== 0) {
    lo = longModeStack(m, level, gate.ist);
    hi = m.hi;
    if (!isCanonical(hi)) raise(m, Vector.SS, 0);
  }
  if (!isCanonical(gate.hi)) raise(m, Vector.GP, 0);
  if (level < m.cpl) setNullSegment(m, Seg.SS, level, level);
  lo &= ~15;
  enterLevel(m, level);
  // Compatibility-mode code is interrupted on a 64-bit stack.
  m.long64 = true;
  m.stackSize = 8;
  m.i32[RSP] = lo;
  m.i32[RSP + 1] = hi;
  push(m, 8, oldSs, 0);
  push(m, 8, oldLo, oldHi);
  push(m, 8, flags, 0);
  push(m, 8, oldCs, 0);
  push(m, 8, m.i32[RIP]!, m.i32[RIP + 1]!);
  if (event.error >= 0) push(m, 8, event.error, 0);
  enterHandler(m, gate, code, level);
}

function enterLevel(m: Machine, level: number): void {
  if (level !== m.cpl) m.setCpl(level);
}

function enterHandler(m: Machine, gate: Gate, code: Descriptor, level: number): void {
  markDescriptor(m, code, Access.ACCESSED);
  setSegmentRegister(m, Seg.CS, (gate.selector & 0xfffc) | level, code);
  m.i32[RIP] = gate.lo;
  m.i32[RIP + 1] = gate.hi;
  const isInterruptGate = (gate.type & 1) === 0;
  m.flags &= ~(RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM | (isInterruptGate ? RFLAGS.IF : 0));
  m.setCpl(level);
}

function deliverProtected(m: Machine, event: Event): void {
  const gate = readGate(m, event);
  const { code, level } = handlerSegment(m, gate.selector);
  const size = gate.type < SystemType.INTERRUPT_GATE ? 2 : 4;
  const [oldSs, oldEsp] = [m.selector(Seg.SS), m.i32[RSP]!];
  const [oldCs, oldEip, flags] = [m.selector(Seg.CS), m.i32[RIP]!, pushedFlags(m, event)];
  const inner = level < m.cpl;
  if (inner) switchStack(m, level);
  if (gate.lo >>> 0 > code.limit) raise(m, Vector.GP, 0);
  if (inner) {
    push(m, size, oldSs, 0);
    push(m, size, oldEsp, 0);
  }
  push(m, size, flags, 0);
  push(m, size, oldCs, 0);
  push(m, size, oldEip, 0);
  if (event.error >= 0) push(m, size, event.error, 0);
  enterHandler(m, gate, code, level);
}

/** Loads SS and ESP for an inner level from the TSS. Also for call gates. */
export function switchStack(m: Machine, level: number): void {
  const { ss, esp } = protectedModeStack(m, level);
  if (isNull(ss)) raise(m, Vector.TS, 0);
  if (rpl(ss) !== level) raise(m, Vector.TS, ss & 0xfffc);
  const stack = stackDescriptor(m, ss, level, Vector.TS);
  markDescriptor(m, stack, Access.ACCESSED);
  setSegmentRegister(m, Seg.SS, ss, stack);
  m.i32[RSP] = esp;
  m.i32[RSP + 1] = 0;
  m.setCpl(level);
}
