/**
 * Operands of instructions: effective addresses, and reads and writes of general registers, memory and immediates.
 * "Narrow" is up to 32 bits in one number, zero-extended below 32; "wide" is 64 bits in two halves.
 */
import { load8, load16, load32, load64, probeWrite, store8, store16, store32, store64 } from "./access.js";
import { type Instruction, type Operand, OperandKind } from "./instruction.js";
import type { Machine } from "./machine.js";

/** Offset of the memory operand in its segment; high half in `m.hi`. */
export function effectiveAddress(m: Machine, i: Instruction): number {
  const { i32 } = m;
  const { base, index, shift, addressSize } = i;
  const baseLo = i32[base]!;
  const indexLo = i32[index]!;
  const scaled = indexLo << shift;
  const partial = (baseLo + scaled) | 0;
  const lo = (partial + i.dispLo) | 0;
  if (addressSize === 8) {
    const carries = (partial >>> 0 < baseLo >>> 0 ? 1 : 0) + (lo >>> 0 < partial >>> 0 ? 1 : 0);
    const scaledHi = shift === 0 ? i32[index + 1]! : (i32[index + 1]! << shift) | (indexLo >>> (32 - shift));
    m.hi = (i32[base + 1]! + scaledHi + i.dispHi + carries) | 0;
    return lo;
  }
  m.hi = 0;
  return addressSize === 4 ? lo : lo & 0xffff;
}

/** An address `offset` bytes behind (lo, `m.hi`), wrapped to the address size; high half in `m.hi`. */
export function addOffset(m: Machine, i: Instruction, lo: number, offset: number): number {
  const sum = (lo + offset) | 0;
  if (i.addressSize === 8) {
    m.hi = (m.hi + (sum >>> 0 < lo >>> 0 ? 1 : 0) + (offset < 0 ? -1 : 0)) | 0;
    return sum;
  }
  return i.addressSize === 4 ? sum : sum & 0xffff;
}

/** Reads up to 32 bits. */
export function read(m: Machine, i: Instruction, o: Operand): number {
  switch (o.kind) {
    case OperandKind.gpr32:
      return m.i32[o.index]!;
    case OperandKind.immediate:
      return o.lo;
    case OperandKind.gpr8:
      return m.u8[o.index]!;
    case OperandKind.gpr16:
      return m.u16[o.index]!;
    case OperandKind.gpr64:
      return m.i32[o.index]!;
    default:
      return readMemory(m, i, o.size);
  }
}

export function readMemory(m: Machine, i: Instruction, size: number): number {
  const lo = effectiveAddress(m, i);
  if (size === 4) return load32(m, i.segment, lo, m.hi);
  return size === 1 ? load8(m, i.segment, lo, m.hi) : load16(m, i.segment, lo, m.hi);
}

/** Reads 64 bits; high half in `m.hi`. */
export function readWide(m: Machine, i: Instruction, o: Operand): number {
  if (o.kind === OperandKind.gpr64) {
    m.hi = m.i32[o.index + 1]!;
    return m.i32[o.index]!;
  }
  if (o.kind === OperandKind.immediate) {
    m.hi = o.hi;
    return o.lo;
  }
  const lo = effectiveAddress(m, i);
  return load64(m, i.segment, lo, m.hi);
}

/** Reads what will be written next: a read-only page faults as a write, before anything changes. */
export function readModify(m: Machine, i: Instruction, o: Operand): number {
  if (o.kind === OperandKind.memory) probe(m, i, o);
  return read(m, i, o);
}

export function readModifyWide(m: Machine, i: Instruction, o: Operand): number {
  if (o.kind === OperandKind.memory) probe(m, i, o);
  return readWide(m, i, o);
}

function probe(m: Machine, i: Instruction, o: Operand): void {
  const lo = effectiveAddress(m, i);
  probeWrite(m, i.segment, lo, m.hi, o.size);
}

/** Writes up to 32 bits. A 32-bit register write clears the upper half (SDM Vol. 1, "General-Purpose Registers in 64-Bit Mode"). */
export function write(m: Machine, i: Instruction, o: Operand, value: number): void {
  switch (o.kind) {
    case OperandKind.gpr32:
      m.i32[o.index] = value;
      m.i32[o.index + 1] = 0;
      return;
    case OperandKind.gpr8:
      m.u8[o.index] = value;
      return;
    case OperandKind.gpr16:
      m.u16[o.index] = value;
      return;
    default:
      writeMemory(m, i, o.size, value);
  }
}

export function writeMemory(m: Machine, i: Instruction, size: number, value: number): void {
  const lo = effectiveAddress(m, i);
  if (size === 4) store32(m, i.segment, lo, m.hi, value);
  else if (size === 1) store8(m, i.segment, lo, m.hi, value);
  else store16(m, i.segment, lo, m.hi, value);
}

export function writeWide(m: Machine, i: Instruction, o: Operand, lo: number, hi: number): void {
  if (o.kind === OperandKind.gpr64) {
    m.i32[o.index] = lo;
    m.i32[o.index + 1] = hi;
    return;
  }
  const at = effectiveAddress(m, i);
  store64(m, i.segment, at, m.hi, lo, hi);
}

/** Writes a general register of the operand's size, from two halves of which it takes what it needs. */
export function writeSized(m: Machine, i: Instruction, o: Operand, lo: number, hi: number): void {
  if (o.size === 8) writeWide(m, i, o, lo, hi);
  else write(m, i, o, lo);
}

/** Reads an integer operand of any size, zero-extended to two halves. */
export function readSized(m: Machine, i: Instruction, o: Operand): number {
  if (o.size === 8) return readWide(m, i, o);
  const value = read(m, i, o);
  m.hi = 0;
  return value;
}

/** A far pointer in memory: offset, then selector. */
export function farPointer(m: Machine, i: Instruction): { selector: number; lo: number; hi: number } {
  const size = i.operandSize;
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  const lo =
    size === 8
      ? load64(m, i.segment, at, atHi)
      : size === 4
        ? load32(m, i.segment, at, atHi)
        : load16(m, i.segment, at, atHi);
  const hi = size === 8 ? m.hi : 0;
  m.hi = atHi;
  const selectorAt = addOffset(m, i, at, size);
  return { selector: load16(m, i.segment, selectorAt, m.hi), lo, hi };
}
