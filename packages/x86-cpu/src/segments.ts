/**
 * Segment registers and descriptors.
 * SDM Vol. 3A, "Segment Descriptors", "Privilege Level Checking when Accessing Data Segments", "Segment Loading
 * Instructions in IA-32e Mode".
 */

import { load32, load64, SYSTEM, store32 } from "./access.js";
import { Access, Seg, Vector } from "./architecture.js";
import { raise, raiseGp } from "./faults.js";
import { Segment, State } from "./layout.js";
import type { Machine } from "./machine.js";

/** A descriptor as read from its table. */
export interface Descriptor {
  readonly selector: number;
  /** The two words at the selector's index. */
  readonly low: number;
  readonly high: number;
  /** `Access` bits. */
  readonly access: number;
  readonly base: number;
  /** In bytes, expanded by G. */
  readonly limit: number;
  readonly dpl: number;
}

export function isNull(selector: number): boolean {
  return (selector & 0xfffc) === 0;
}

export function rpl(selector: number): number {
  return selector & 3;
}

export function isCode(d: Descriptor): boolean {
  return (d.access & (Access.S | Access.CODE)) === (Access.S | Access.CODE);
}

export function isConforming(d: Descriptor): boolean {
  return (d.access & Access.CONFORMING) !== 0;
}

export function isPresent(d: Descriptor): boolean {
  return (d.access & Access.P) !== 0;
}

/** Type of a system descriptor. */
export const SystemType = {
  TSS16: 1,
  LDT: 2,
  TSS16_BUSY: 3,
  CALL_GATE_16: 4,
  TASK_GATE: 5,
  INTERRUPT_GATE_16: 6,
  TRAP_GATE_16: 7,
  TSS: 9,
  TSS_BUSY: 11,
  CALL_GATE: 12,
  INTERRUPT_GATE: 14,
  TRAP_GATE: 15,
} as const;

export function systemType(d: Descriptor): number {
  return d.access & Access.S ? -1 : d.access & Access.TYPE;
}

/**
 * Reads the descriptor of a selector that is not null. Raises `vector` with the selector as error code where it
 * lies outside its table.
 */
export function readDescriptor(m: Machine, selector: number, vector: number): Descriptor {
  return tryReadDescriptor(m, selector) ?? raise(m, vector, selector & 0xfffc);
}

/** As `readDescriptor`, but `undefined` outside the table. */
export function tryReadDescriptor(m: Machine, selector: number): Descriptor | undefined {
  if (!descriptorInTable(m, selector, 8)) return undefined;
  const at = descriptorAddress(m, selector);
  const low = load64(m, SYSTEM, at, m.hi);
  return decodeDescriptor(selector, low, m.hi);
}

function descriptorInTable(m: Machine, selector: number, size: number): boolean {
  const offset = selector & 0xfff8;
  if ((selector & 4) === 0) return offset + size - 1 <= m.i32[State.gdtrLimit >> 2]!;
  if (m.segment(Seg.LDTR, Segment.access) & Access.UNUSABLE) return false;
  return offset + size - 1 <= m.segment(Seg.LDTR, Segment.limit) >>> 0;
}

/** Linear address of a descriptor; high half in `m.hi`. */
function descriptorAddress(m: Machine, selector: number): number {
  const table = selector & 4 ? (State.segments + Seg.LDTR * Segment.stride) >> 2 : State.gdtrBase >> 2;
  const lo = (m.i32[table]! + (selector & 0xfff8)) | 0;
  const carry = lo >>> 0 < m.i32[table]! >>> 0 ? 1 : 0;
  m.hi = m.longMode ? (m.i32[table + 1]! + carry) | 0 : 0;
  return lo;
}

function decodeDescriptor(selector: number, low: number, high: number): Descriptor {
  const access = (high >>> 8) & 0xf0ff;
  const limit = ((low & 0xffff) | (high & 0xf0000)) >>> 0;
  return {
    selector,
    low,
    high,
    access,
    base: (low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000),
    limit: access & Access.G ? ((limit << 12) | 0xfff) >>> 0 : limit,
    dpl: (access >> Access.DPL_SHIFT) & 3,
  };
}

/** Sets the accessed bit (or another type bit) in the table, if it is not set. */
export function markDescriptor(m: Machine, d: Descriptor, bit: number): void {
  if (d.access & bit) return;
  const lo = (descriptorAddress(m, d.selector) + 4) | 0;
  store32(m, SYSTEM, lo, m.hi, d.high | (bit << 8));
}

/** Loads the hidden part from a descriptor. */
export function setSegmentRegister(m: Machine, segment: number, selector: number, d: Descriptor): void {
  m.setSegment(segment, Segment.selector, selector);
  m.setSegment(segment, Segment.base, d.base);
  m.setSegment(segment, Segment.base + 4, 0);
  m.setSegment(segment, Segment.limit, d.limit | 0);
  m.setSegment(segment, Segment.access, d.access | (d.access & Access.S ? Access.ACCESSED : 0));
}

/** A null selector: unusable, base and limit 0. `dpl` matters for SS only. */
export function setNullSegment(m: Machine, segment: number, selector: number, dpl = 0): void {
  m.setSegment(segment, Segment.selector, selector);
  m.setSegment(segment, Segment.base, 0);
  m.setSegment(segment, Segment.base + 4, 0);
  m.setSegment(segment, Segment.limit, 0);
  m.setSegment(segment, Segment.access, Access.UNUSABLE | (dpl << Access.DPL_SHIFT));
}

/** Real mode: the base is the paragraph; limit and attributes stay (SDM Vol. 3A, "Real-Address Mode Operation"). */
export function setRealSegment(m: Machine, segment: number, selector: number): void {
  m.setSegment(segment, Segment.selector, selector);
  m.setSegment(segment, Segment.base, selector << 4);
  m.setSegment(segment, Segment.base + 4, 0);
}

/** MOV and POP to a segment register, LDS and its kin. */
export function loadSegment(m: Machine, segment: number, selector: number): void {
  if (m.real) setRealSegment(m, segment, selector);
  else if (segment === Seg.SS) loadStackSegment(m, selector);
  else loadDataSegment(m, segment, selector);
  m.updateMode();
}

function loadDataSegment(m: Machine, segment: number, selector: number): void {
  if (isNull(selector)) {
    setNullSegment(m, segment, selector);
    return;
  }
  const d = readDescriptor(m, selector, Vector.GP);
  const code = (d.access & Access.CODE) !== 0;
  if ((d.access & Access.S) === 0 || (code && (d.access & Access.READABLE) === 0))
    raiseGp(m, selector & 0xfffc);
  if (!(code && isConforming(d)) && d.dpl < Math.max(rpl(selector), m.cpl)) raiseGp(m, selector & 0xfffc);
  if (!isPresent(d)) raise(m, Vector.NP, selector & 0xfffc);
  markDescriptor(m, d, Access.ACCESSED);
  setSegmentRegister(m, segment, selector, d);
}

function loadStackSegment(m: Machine, selector: number): void {
  if (isNull(selector)) {
    if (!m.long64 || m.cpl === 3 || rpl(selector) !== m.cpl) raiseGp(m);
    setNullSegment(m, Seg.SS, selector, m.cpl);
    return;
  }
  const d = stackDescriptor(m, selector, m.cpl, Vector.GP);
  markDescriptor(m, d, Access.ACCESSED);
  setSegmentRegister(m, Seg.SS, selector, d);
}

/** The descriptor of a stack for `cpl`. Raises `vector`, or #SS where it is not present. */
export function stackDescriptor(m: Machine, selector: number, cpl: number, vector: number): Descriptor {
  const error = selector & 0xfffc;
  const d = readDescriptor(m, selector, vector);
  const writableData = Access.S | Access.WRITABLE;
  if (rpl(selector) !== cpl || d.dpl !== cpl) raise(m, vector, error);
  if ((d.access & (writableData | Access.CODE)) !== writableData) raise(m, vector, error);
  if (!isPresent(d)) raise(m, Vector.SS, error);
  return d;
}

/** LLDT. SDM Vol. 2A, "LLDT". */
export function loadLdtr(m: Machine, selector: number): void {
  if (isNull(selector)) {
    setNullSegment(m, Seg.LDTR, selector);
    return;
  }
  const d = systemDescriptor(m, selector);
  if (systemType(d) !== SystemType.LDT) raiseGp(m, selector & 0xfffc);
  if (!isPresent(d)) raise(m, Vector.NP, selector & 0xfffc);
  setSystemSegment(m, Seg.LDTR, selector, d);
}

/** LTR. SDM Vol. 2A, "LTR". */
export function loadTr(m: Machine, selector: number): void {
  if (isNull(selector)) raiseGp(m);
  const d = systemDescriptor(m, selector);
  const type = systemType(d);
  if (type !== SystemType.TSS && (m.longMode || type !== SystemType.TSS16)) raiseGp(m, selector & 0xfffc);
  if (!isPresent(d)) raise(m, Vector.NP, selector & 0xfffc);
  markDescriptor(m, d, 2);
  setSystemSegment(m, Seg.TR, selector, d);
  m.setSegment(Seg.TR, Segment.access, d.access | 2);
}

/** System descriptors lie in the GDT, and have 16 bytes in long mode, of which the last type field must be 0. */
function systemDescriptor(m: Machine, selector: number): Descriptor {
  if (selector & 4 || !descriptorInTable(m, selector, m.longMode ? 16 : 8)) raiseGp(m, selector & 0xfffc);
  if (m.longMode && upperWord(m, selector, 12) & 0x1f00) raiseGp(m, selector & 0xfffc);
  return readDescriptor(m, selector, Vector.GP);
}

/** The 32-bit word at an offset of a 16-byte descriptor. */
export function upperWord(m: Machine, selector: number, offset: number): number {
  const lo = (descriptorAddress(m, selector) + offset) | 0;
  return load32(m, SYSTEM, lo, m.hi);
}

function setSystemSegment(m: Machine, segment: number, selector: number, d: Descriptor): void {
  const high = m.longMode ? upperWord(m, selector, 8) : 0;
  setSegmentRegister(m, segment, selector, d);
  m.setSegment(segment, Segment.base + 4, high);
}

/** Leaving to an outer level: what it may not use becomes null (SDM Vol. 3A, "Returning from a Called Procedure"). */
export function dropInnerSegments(m: Machine): void {
  for (const segment of [Seg.ES, Seg.DS, Seg.FS, Seg.GS]) {
    const access = m.segment(segment, Segment.access);
    const conformingCode = (access & (Access.CODE | Access.CONFORMING)) === (Access.CODE | Access.CONFORMING);
    if (access & Access.UNUSABLE) continue;
    if (!conformingCode && ((access >> Access.DPL_SHIFT) & 3) < m.cpl) setNullSegment(m, segment, 0);
  }
}
