/**
 * Data accesses of instructions: segment and offset to bytes.
 *
 * The fast path is one TLB compare. Everything else (misses, page crossings, MMIO, pages with cached code,
 * #AC, breakpoints) is in `slow*`, which does all checks for all bytes before it changes any.
 * A non-canonical address can only miss, so it is checked there as well.
 */
import { Access, Seg, Vector } from "./architecture.js";
import { external, raise } from "./faults.js";
import { Segment, State, Tlb } from "./layout.js";
import type { Machine } from "./machine.js";
import { NOT_RAM } from "./memory.js";
import {
  isCanonical,
  Kind,
  lastTranslation,
  PAGE_MASK,
  pageIndex,
  raiseNonCanonical,
  tlbEntry,
  translate,
} from "./paging.js";

const ADDEND = Tlb.addend >> 2;
const WRITE = Tlb.write >> 2;

/** A linear access that is not made through a segment: descriptor tables, TSS. Its faults are #GP and #PF. */
export const SYSTEM = 8;

/**
 * Linear address of `size` bytes at an offset of a segment; the high half is in `m.hi`. Raises #GP or #SS where
 * the segment forbids the access. SDM Vol. 3A, "Limit Checking", "Type Checking"; Vol. 1, "Segmentation in 64-bit mode".
 */
export function linear(
  m: Machine,
  segment: number,
  lo: number,
  hi: number,
  size: number,
  write: boolean,
): number {
  if (segment === SYSTEM || (m.long64 && segment !== Seg.FS && segment !== Seg.GS)) {
    m.hi = hi;
    return lo;
  }
  const at = (State.segments + segment * Segment.stride) >> 2;
  if (!m.long64) {
    checkSegment(m, segment, lo, size, write);
    m.hi = 0;
    return (lo + m.i32[at]!) | 0;
  }
  const sum = (lo + m.i32[at]!) | 0;
  m.hi = (hi + m.i32[at + 1]! + (sum >>> 0 < lo >>> 0 ? 1 : 0)) | 0;
  return sum;
}

function checkSegment(m: Machine, segment: number, offset: number, size: number, write: boolean): void {
  const access = m.segment(segment, Segment.access);
  const vector = segment === Seg.SS ? Vector.SS : Vector.GP;
  if (access & Access.UNUSABLE) raise(m, Vector.GP);
  const isCode = (access & Access.CODE) !== 0;
  if (!m.real) {
    if (write && (isCode || (access & Access.WRITABLE) === 0)) raise(m, Vector.GP);
    if (!write && isCode && (access & Access.READABLE) === 0) raise(m, Vector.GP);
  }
  const first = offset >>> 0;
  const last = first + size - 1;
  const limit = m.segment(segment, Segment.limit) >>> 0;
  if (!isCode && access & Access.EXPAND_DOWN) {
    const top = access & Access.DB ? 0xffffffff : 0xffff;
    if (first <= limit || last > top) raise(m, vector);
  } else if (last > limit) {
    raise(m, vector);
  }
}

function isPlain(m: Machine, segment: number): boolean {
  return m.long64 && segment !== Seg.FS && segment !== Seg.GS;
}

export function load8(m: Machine, segment: number, lo: number, hi: number): number {
  if (!isPlain(m, segment)) {
    lo = linear(m, segment, lo, hi, 1, false);
    hi = m.hi;
  }
  const e = tlbEntry(m.tlb, lo);
  if (m.i32[e] === (lo & PAGE_MASK) && m.i32[e + 1] === hi) return m.u8[(lo + m.i32[e + ADDEND]!) >>> 0]!;
  slowLoad(m, segment, lo, hi, 1);
  return buffer[0]!;
}

export function load16(m: Machine, segment: number, lo: number, hi: number): number {
  if (!isPlain(m, segment)) {
    lo = linear(m, segment, lo, hi, 2, false);
    hi = m.hi;
  }
  const e = tlbEntry(m.tlb, lo);
  if (m.i32[e] === (lo & PAGE_MASK) && m.i32[e + 1] === hi && (lo & 0xfff) <= 0xffe) {
    return m.view.getUint16((lo + m.i32[e + ADDEND]!) >>> 0, true);
  }
  slowLoad(m, segment, lo, hi, 2);
  return bytes.getUint16(0, true);
}

/** The 32 bits as an int32. */
export function load32(m: Machine, segment: number, lo: number, hi: number): number {
  if (!isPlain(m, segment)) {
    lo = linear(m, segment, lo, hi, 4, false);
    hi = m.hi;
  }
  const e = tlbEntry(m.tlb, lo);
  if (m.i32[e] === (lo & PAGE_MASK) && m.i32[e + 1] === hi && (lo & 0xfff) <= 0xffc) {
    return m.view.getInt32((lo + m.i32[e + ADDEND]!) >>> 0, true);
  }
  slowLoad(m, segment, lo, hi, 4);
  return bytes.getInt32(0, true);
}

/** The low half; the high half is in `m.hi`. */
export function load64(m: Machine, segment: number, lo: number, hi: number): number {
  if (!isPlain(m, segment)) {
    lo = linear(m, segment, lo, hi, 8, false);
    hi = m.hi;
  }
  const e = tlbEntry(m.tlb, lo);
  if (m.i32[e] === (lo & PAGE_MASK) && m.i32[e + 1] === hi && (lo & 0xfff) <= 0xff8) {
    const pointer = (lo + m.i32[e + ADDEND]!) >>> 0;
    m.hi = m.view.getInt32(pointer + 4, true);
    return m.view.getInt32(pointer, true);
  }
  slowLoad(m, segment, lo, hi, 8);
  m.hi = bytes.getInt32(4, true);
  return bytes.getInt32(0, true);
}

export function store8(m: Machine, segment: number, lo: number, hi: number, value: number): void {
  if (!isPlain(m, segment)) {
    lo = linear(m, segment, lo, hi, 1, true);
    hi = m.hi;
  }
  const e = tlbEntry(m.tlb, lo);
  if (m.i32[e + WRITE] === (lo & PAGE_MASK) && m.i32[e + WRITE + 1] === hi) {
    m.u8[(lo + m.i32[e + ADDEND]!) >>> 0] = value;
    return;
  }
  buffer[0] = value;
  slowStore(m, segment, lo, hi, 1);
}

export function store16(m: Machine, segment: number, lo: number, hi: number, value: number): void {
  if (!isPlain(m, segment)) {
    lo = linear(m, segment, lo, hi, 2, true);
    hi = m.hi;
  }
  const e = tlbEntry(m.tlb, lo);
  if (m.i32[e + WRITE] === (lo & PAGE_MASK) && m.i32[e + WRITE + 1] === hi && (lo & 0xfff) <= 0xffe) {
    m.view.setInt16((lo + m.i32[e + ADDEND]!) >>> 0, value, true);
    return;
  }
  bytes.setInt16(0, value, true);
  slowStore(m, segment, lo, hi, 2);
}

export function store32(m: Machine, segment: number, lo: number, hi: number, value: number): void {
  if (!isPlain(m, segment)) {
    lo = linear(m, segment, lo, hi, 4, true);
    hi = m.hi;
  }
  const e = tlbEntry(m.tlb, lo);
  if (m.i32[e + WRITE] === (lo & PAGE_MASK) && m.i32[e + WRITE + 1] === hi && (lo & 0xfff) <= 0xffc) {
    m.view.setInt32((lo + m.i32[e + ADDEND]!) >>> 0, value, true);
    return;
  }
  bytes.setInt32(0, value, true);
  slowStore(m, segment, lo, hi, 4);
}

export function store64(
  m: Machine,
  segment: number,
  lo: number,
  hi: number,
  low: number,
  high: number,
): void {
  if (!isPlain(m, segment)) {
    lo = linear(m, segment, lo, hi, 8, true);
    hi = m.hi;
  }
  const e = tlbEntry(m.tlb, lo);
  if (m.i32[e + WRITE] === (lo & PAGE_MASK) && m.i32[e + WRITE + 1] === hi && (lo & 0xfff) <= 0xff8) {
    const pointer = (lo + m.i32[e + ADDEND]!) >>> 0;
    m.view.setInt32(pointer, low, true);
    m.view.setInt32(pointer + 4, high, true);
    return;
  }
  bytes.setInt32(0, low, true);
  bytes.setInt32(4, high, true);
  slowStore(m, segment, lo, hi, 8);
}

/** Loads 16 bytes to a place in the state, which is aligned to 4. */
export function load128(m: Machine, segment: number, lo: number, hi: number, to: number): void {
  const at = linear(m, segment, lo, hi, 16, false);
  const e = tlbEntry(m.tlb, at);
  if (m.i32[e] === (at & PAGE_MASK) && m.i32[e + 1] === m.hi && (at & 0xfff) <= 0xff0) {
    copyWords(m, (at + m.i32[e + ADDEND]!) >>> 0, to);
    return;
  }
  slowLoad(m, segment, at, m.hi, 16);
  m.u8.set(buffer.subarray(0, 16), to);
}

/** Stores 16 bytes from a place in the state, which is aligned to 4. */
export function store128(m: Machine, segment: number, lo: number, hi: number, from: number): void {
  const at = linear(m, segment, lo, hi, 16, true);
  const e = tlbEntry(m.tlb, at);
  if (m.i32[e + WRITE] === (at & PAGE_MASK) && m.i32[e + WRITE + 1] === m.hi && (at & 0xfff) <= 0xff0) {
    copyWords(m, from, (at + m.i32[e + ADDEND]!) >>> 0);
    return;
  }
  buffer.set(m.u8.subarray(from, from + 16));
  slowStore(m, segment, at, m.hi, 16);
}

/** 16 bytes; one of the ranges is in the state, so that they do not overlap. */
function copyWords({ view }: Machine, from: number, to: number): void {
  view.setInt32(to, view.getInt32(from, true), true);
  view.setInt32(to + 4, view.getInt32(from + 4, true), true);
  view.setInt32(to + 8, view.getInt32(from + 8, true), true);
  view.setInt32(to + 12, view.getInt32(from + 12, true), true);
}

/** The bytes of one slow access: XSAVE areas aside, none is longer than FXSAVE's 512. */
export const buffer = new Uint8Array(512);
export const bytes = new DataView(buffer.buffer);

/** Loads `size` bytes (up to 512) into `buffer`. */
export function loadBytes(m: Machine, segment: number, lo: number, hi: number, size: number): void {
  const at = linear(m, segment, lo, hi, size, false);
  slowLoad(m, segment, at, m.hi, size);
}

/** Stores `size` bytes (up to 512) from `buffer`. */
export function storeBytes(m: Machine, segment: number, lo: number, hi: number, size: number): void {
  const at = linear(m, segment, lo, hi, size, true);
  slowStore(m, segment, at, m.hi, size);
}

/** Raises what a store of `size` bytes would raise, and marks the pages dirty, as a read-modify-write does first. */
export function probeWrite(m: Machine, segment: number, lo: number, hi: number, size: number): void {
  const at = linear(m, segment, lo, hi, size, true);
  const e = tlbEntry(m.tlb, at);
  const hit = m.i32[e + WRITE] === (at & PAGE_MASK) && m.i32[e + WRITE + 1] === m.hi;
  if (!hit || (at & 0xfff) + size > 0x1000) locate(m, segment, at, m.hi, size, Kind.write);
}

/** The two pieces of an access: pointers (or `NOT_RAM` with a guest-physical address) on both sides of a page end. */
const piece = {
  pointer: 0,
  gpa: 0,
  writesRam: false,
  length: 0,
  nextPointer: 0,
  nextGpa: 0,
  nextWritesRam: false,
};

function locate(m: Machine, segment: number, lo: number, hi: number, size: number, kind: number): void {
  const stack = segment === Seg.SS;
  if (m.longMode && !isCanonical(hi)) raiseNonCanonical(m, stack);
  if (m.alignmentChecked && segment !== SYSTEM) checkAlignment(m, lo, size);
  const tlb = segment === SYSTEM ? m.systemTlb : m.tlb;
  piece.length = Math.min(size, 0x1000 - (lo & 0xfff));
  const nextLo = (lo + piece.length) | 0;
  const wide = m.long64 || (segment === SYSTEM && m.longMode);
  const nextHi = wide && nextLo === 0 ? (hi + 1) | 0 : hi;
  const crosses = piece.length < size;
  if (crosses && wide && !isCanonical(nextHi)) raiseNonCanonical(m, stack);
  piece.pointer = translate(m, tlb, lo, hi, kind);
  piece.gpa = lastTranslation().gpa;
  piece.writesRam = lastTranslation().writesRam;
  if (crosses) {
    piece.nextPointer = translate(m, tlb, nextLo, nextHi, kind);
    piece.nextGpa = lastTranslation().gpa;
    piece.nextWritesRam = lastTranslation().writesRam;
  }
  if (m.breakpoints && segment !== SYSTEM) matchDataBreakpoints(m, lo, hi, size, kind);
}

/** SDM Vol. 3A, table "Alignment Requirements by Data Type". Environments of the x87 are words or doublewords. */
const ALIGNMENT: Readonly<Record<number, number>> = { 6: 4, 10: 8, 14: 2, 94: 2, 28: 4, 108: 4 };

function checkAlignment(m: Machine, lo: number, size: number): void {
  const natural = ALIGNMENT[size] ?? Math.min(size, 16);
  if (lo & (natural - 1)) raise(m, Vector.AC, 0);
}

function slowLoad(m: Machine, segment: number, lo: number, hi: number, size: number): void {
  locate(m, segment, lo, hi, size, Kind.read);
  const { length, nextPointer, nextGpa } = piece;
  readPiece(m, piece.pointer, piece.gpa, 0, length);
  if (length < size) readPiece(m, nextPointer, nextGpa, length, size - length);
}

function readPiece(m: Machine, pointer: number, gpa: number, at: number, length: number): void {
  if (pointer !== NOT_RAM) {
    buffer.set(m.u8.subarray(pointer, pointer + length), at);
    return;
  }
  for (let done = 0; done < length; done += 8) {
    const size = Math.min(8, length - done);
    buffer.set(externalMemory(m, gpa + done, size, undefined), at + done);
  }
}

function slowStore(m: Machine, segment: number, lo: number, hi: number, size: number): void {
  locate(m, segment, lo, hi, size, Kind.write);
  const { pointer, gpa, length, nextPointer, nextGpa, writesRam: firstIsRam } = piece;
  // A piece that leaves as MMIO goes first: the instruction may start again, and must then find memory unchanged.
  const crosses = length < size;
  const nextIsRam = crosses && piece.nextWritesRam;
  if (!firstIsRam) writeExternal(m, gpa, 0, length);
  if (crosses && !nextIsRam) writeExternal(m, nextGpa, length, size - length);
  if (firstIsRam) writeRam(m, pointer, 0, length);
  if (nextIsRam) writeRam(m, nextPointer, length, size - length);
}

function writeRam(m: Machine, pointer: number, at: number, length: number): void {
  if (m.codePages[pageIndex(m, pointer)]) m.codeWritten(pointer, length);
  m.u8.set(buffer.subarray(at, at + length), pointer);
}

function writeExternal(m: Machine, gpa: number, at: number, length: number): void {
  for (let done = 0; done < length; done += 8) {
    const size = Math.min(8, length - done);
    externalMemory(m, gpa + done, size, buffer.slice(at + done, at + done + size));
  }
}

/** One access of up to 8 bytes outside RAM. Returns what was read. */
function externalMemory(m: Machine, gpa: number, size: number, written: Uint8Array | undefined): Uint8Array {
  const write = written !== undefined;
  const data = written ?? new Uint8Array(size);
  return external(m, { kind: "mmio", address: gpa, size, count: 1, write, data }).data;
}

/** SDM Vol. 3B, "Breakpoint Field Recognition": DR7.LEN and R/W; I/O breakpoints (DR7.R/W = 2) are not data. */
function matchDataBreakpoints(m: Machine, lo: number, hi: number, size: number, kind: number): void {
  const dr7 = m.i32[State.dr7 >> 2]!;
  for (let n = 0; n < 4; n++) {
    const type = (dr7 >>> (16 + n * 4)) & 3;
    const watched = type === 3 || (type === 1 && kind === Kind.write);
    if (((dr7 >>> (n * 2)) & 3) === 0 || !watched) continue;
    const length = BREAKPOINT_LENGTH[(dr7 >>> (18 + n * 4)) & 3]!;
    const start = m.i32[(State.dr >> 2) + n * 2]! & ~(length - 1);
    const distance = (lo - start) | 0;
    const same = m.i32[(State.dr >> 2) + n * 2 + 1] === hi;
    if (same && distance < length && distance > -size) m.debugHits |= 1 << n;
  }
}

const BREAKPOINT_LENGTH = [1, 2, 8, 4] as const;
