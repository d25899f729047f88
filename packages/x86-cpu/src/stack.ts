/**
 * Pushes and pops. They commit RSP at once: the engine restores RSP when an instruction faults, so that one
 * which pushes several values can start again. SDM Vol. 1, "Stacks".
 */

import { load16, load32, load64, probeWrite, store16, store32, store64 } from "./access.js";
import { Gpr, Seg } from "./architecture.js";
import { State } from "./layout.js";
import type { Machine } from "./machine.js";

const RSP = (State.gpr >> 2) + Gpr.RSP * 2;

/** Offset of the top of the stack in SS; high half in `m.hi`. */
export function stackPointer(m: Machine): number {
  const lo = m.i32[RSP]!;
  m.hi = m.stackSize === 8 ? m.i32[RSP + 1]! : 0;
  return m.stackSize === 2 ? lo & 0xffff : lo;
}

/** Writes RSP as wide as the stack is. */
export function setStackPointer(m: Machine, lo: number, hi: number): void {
  if (m.stackSize === 2) {
    m.u16[RSP * 2] = lo;
    return;
  }
  m.i32[RSP] = lo;
  m.i32[RSP + 1] = m.stackSize === 8 ? hi : 0;
}

/** Adds a small signed number to RSP. */
export function moveStackPointer(m: Machine, delta: number): void {
  const lo = stackPointer(m);
  const sum = (lo + delta) | 0;
  const carry = (sum >>> 0 < lo >>> 0 ? 1 : 0) + (delta < 0 ? -1 : 0);
  setStackPointer(m, sum, (m.hi + carry) | 0);
}

/** Offset below the top; high half in `m.hi`, wrapped to the stack's width. */
function below(m: Machine, size: number): number {
  const lo = stackPointer(m);
  const next = (lo - size) | 0;
  if (m.stackSize === 2) return next & 0xffff;
  if (m.stackSize === 8 && lo >>> 0 < size) m.hi = (m.hi - 1) | 0;
  return next;
}

/** Raises what a push would raise. */
export function probePush(m: Machine, size: number): void {
  const at = below(m, size);
  probeWrite(m, Seg.SS, at, m.hi, size);
}

/** Pushes 2, 4 or 8 bytes. */
export function push(m: Machine, size: number, lo: number, hi: number): void {
  const at = below(m, size);
  const atHi = m.hi;
  if (size === 8) store64(m, Seg.SS, at, atHi, lo, hi);
  else if (size === 4) store32(m, Seg.SS, at, atHi, lo);
  else store16(m, Seg.SS, at, atHi, lo);
  setStackPointer(m, at, atHi);
}

/** Pushes a selector as wide as the operand size. */
export function pushSelector(m: Machine, size: number, selector: number): void {
  push(m, size, selector, 0);
}

/** Pops 2, 4 or 8 bytes; high half in `m.hi`, narrow values zero-extended. */
export function pop(m: Machine, size: number): number {
  const value = peek(m, size, 0);
  const hi = m.hi;
  moveStackPointer(m, size);
  m.hi = hi;
  return value;
}

/** Reads the stack at a distance in bytes from its top. */
export function peek(m: Machine, size: number, distance: number): number {
  let at = stackPointer(m);
  let atHi = m.hi;
  const sum = (at + distance) | 0;
  if (m.stackSize === 8 && sum >>> 0 < at >>> 0) atHi = (atHi + 1) | 0;
  at = m.stackSize === 2 ? sum & 0xffff : sum;
  if (size === 8) return load64(m, Seg.SS, at, atHi);
  const value = size === 4 ? load32(m, Seg.SS, at, atHi) : load16(m, Seg.SS, at, atHi);
  m.hi = 0;
  return value;
}
