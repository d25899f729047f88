/**
 * SDM Vol. 1, "String Instructions". With a REP prefix one execution is one iteration: it counts as one instruction,
 * commits, and leaves RIP at the instruction while iterations remain, so that faults and interrupts come between.
 */

import { load8, load16, load32, load64, store8, store16, store32, store64 } from "../access.js";
import { Gpr, RFLAGS, Seg } from "../architecture.js";
import type { Execute, Instruction } from "../instruction.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import { compareNarrow, compareWide } from "./arithmetic.js";
import type { SemanticsTable } from "./semantics.js";

const GPR = State.gpr >> 2;
const RIP = State.rip >> 2;
export const RCX = GPR + Gpr.RCX * 2;
export const RSI = GPR + Gpr.RSI * 2;
export const RDI = GPR + Gpr.RDI * 2;

/** rSI or rDI as an offset; high half in `m.hi`. */
export function pointer(m: Machine, i: Instruction, register: number): number {
  m.hi = i.addressSize === 8 ? m.i32[register + 1]! : 0;
  return i.addressSize === 2 ? m.u16[register * 2]! : m.i32[register]!;
}

/** Adds to rSI, rDI or rCX as wide as the address size. */
export function advance(m: Machine, i: Instruction, register: number, delta: number): void {
  if (i.addressSize === 2) {
    m.u16[register * 2] = m.u16[register * 2]! + delta;
    return;
  }
  const lo = m.i32[register]!;
  const sum = (lo + delta) | 0;
  m.i32[register] = sum;
  if (i.addressSize === 4) m.i32[register + 1] = 0;
  else
    m.i32[register + 1] = (m.i32[register + 1]! + (sum >>> 0 < lo >>> 0 ? 1 : 0) + (delta < 0 ? -1 : 0)) | 0;
}

/** Bytes by which pointers move. */
export function step(m: Machine, size: number): number {
  return m.flags & RFLAGS.DF ? -size : size;
}

export function countIsZero(m: Machine, i: Instruction): boolean {
  if (i.addressSize === 2) return m.u16[RCX * 2] === 0;
  return m.i32[RCX] === 0 && (i.addressSize === 4 || m.i32[RCX + 1] === 0);
}

/** Goes back to the instruction for its next iteration. */
export function repeat(m: Machine): void {
  m.i32[RIP] = m.startLo;
  m.i32[RIP + 1] = m.startHi;
  m.repeating = true;
}

/** Executes `iteration` once, under REP only if rCX is not zero; `compares`: ZF ends it too. */
function string(iteration: (m: Machine, i: Instruction, size: number) => void, compares = false): Execute {
  return (m, i) => {
    const size = i.opcode & 1 ? i.operandSize : 1;
    if (i.repeat === 0) return iteration(m, i, size);
    if (countIsZero(m, i)) return;
    iteration(m, i, size);
    advance(m, i, RCX, -1);
    const wanted = i.repeat === 0xf3 ? RFLAGS.ZF : 0;
    if (compares && (m.flags & RFLAGS.ZF) !== wanted) return;
    if (!countIsZero(m, i)) repeat(m);
  };
}

/** Loads an item of 1 to 8 bytes; high half in `m.hi`. */
function loadItem(m: Machine, segment: number, lo: number, size: number): number {
  if (size === 8) return load64(m, segment, lo, m.hi);
  if (size === 4) return load32(m, segment, lo, m.hi);
  return size === 2 ? load16(m, segment, lo, m.hi) : load8(m, segment, lo, m.hi);
}

/** Stores an item at ES:rDI. */
function storeItem(m: Machine, i: Instruction, size: number, lo: number, hi: number): void {
  const at = pointer(m, i, RDI);
  if (size === 8) store64(m, Seg.ES, at, m.hi, lo, hi);
  else if (size === 4) store32(m, Seg.ES, at, m.hi, lo);
  else if (size === 2) store16(m, Seg.ES, at, m.hi, lo);
  else store8(m, Seg.ES, at, m.hi, lo);
}

function movs(m: Machine, i: Instruction, size: number): void {
  const lo = loadItem(m, i.segment, pointer(m, i, RSI), size);
  storeItem(m, i, size, lo, m.hi);
  advance(m, i, RSI, step(m, size));
  advance(m, i, RDI, step(m, size));
}

function stos(m: Machine, i: Instruction, size: number): void {
  storeItem(m, i, size, m.i32[GPR]!, m.i32[GPR + 1]!);
  advance(m, i, RDI, step(m, size));
}

function lods(m: Machine, i: Instruction, size: number): void {
  const lo = loadItem(m, i.segment, pointer(m, i, RSI), size);
  if (size === 1) m.u8[State.gpr] = lo;
  else if (size === 2) m.u16[State.gpr >> 1] = lo;
  else {
    m.i32[GPR] = lo;
    m.i32[GPR + 1] = size === 8 ? m.hi : 0;
  }
  advance(m, i, RSI, step(m, size));
}

function cmps(m: Machine, i: Instruction, size: number): void {
  const bLo = loadItem(m, Seg.ES, pointer(m, i, RDI), size);
  const bHi = m.hi;
  const aLo = loadItem(m, i.segment, pointer(m, i, RSI), size);
  if (size === 8) compareWide(m, aLo, m.hi, bLo, bHi);
  else compareNarrow(m, aLo, bLo, size);
  advance(m, i, RSI, step(m, size));
  advance(m, i, RDI, step(m, size));
}

function scas(m: Machine, i: Instruction, size: number): void {
  const lo = loadItem(m, Seg.ES, pointer(m, i, RDI), size);
  if (size === 8) compareWide(m, m.i32[GPR]!, m.i32[GPR + 1]!, lo, m.hi);
  else
    compareNarrow(
      m,
      size === 4 ? m.i32[GPR]! : size === 2 ? m.u16[State.gpr >> 1]! : m.u8[State.gpr]!,
      lo,
      size,
    );
  advance(m, i, RDI, step(m, size));
}

function allWidths(stem: string, execute: Execute): readonly (readonly [string, Execute])[] {
  return ["b", "w", "d", "q"].map((width) => [`${stem}${width}`, execute] as const);
}

export const strings: SemanticsTable = Object.fromEntries([
  ...allWidths("movs", string(movs)),
  ...allWidths("stos", string(stos)),
  ...allWidths("lods", string(lods)),
  ...allWidths("cmps", string(cmps, true)),
  ...allWidths("scas", string(scas, true)),
]);
