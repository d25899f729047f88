/** SDM Vol. 1, "Shift and Rotate Instructions". A count of zero, after masking, changes nothing at all. */
import { RFLAGS, STATUS_FLAGS } from "../architecture.js";
import { MASK, setStatus, signZeroParity, signZeroParityWide, TOP_BIT } from "../flags.js";
import { type Execute, type Instruction, NO_OPERAND } from "../instruction.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import { read, readModify, readModifyWide, readWide, write, writeWide } from "../operands.js";
import { byWidth, type Choice, type SemanticsTable } from "./semantics.js";

const FLAGS = State.rflags >> 2;
const ROTATE_FLAGS = RFLAGS.CF | RFLAGS.OF;

/** Shifts a narrow value, which is zero-extended below 32 bits, by 1 to 31; sets the flags. */
type Narrow = (m: Machine, a: number, count: number, size: number) => number;
/** The same of 64 bits, by 1 to 63; high half in `m.hi`. */
type Wide = (m: Machine, lo: number, hi: number, count: number) => number;

/** AF, which the manual leaves undefined, is cleared. */
function shiftFlags(m: Machine, cf: number, of: number, szp: number): void {
  setStatus(m, STATUS_FLAGS, szp | cf | (of << 11));
}

function rotateFlags(m: Machine, cf: number, of: number): void {
  setStatus(m, ROTATE_FLAGS, cf | (of << 11));
}

/** `lo:hi` shifted left by 1 to 63. */
function shiftLeft(m: Machine, lo: number, hi: number, count: number): number {
  if (count >= 32) {
    m.hi = lo << (count - 32);
    return 0;
  }
  m.hi = (hi << count) | (lo >>> (32 - count));
  return lo << count;
}

/** `lo:hi` shifted right by 1 to 63, with copies of `fill` (0 or -1) coming in. */
function shiftRight(m: Machine, lo: number, hi: number, count: number, fill: number): number {
  if (count >= 32) {
    const rest = count - 32;
    m.hi = fill;
    return rest === 0 ? hi : (hi >>> rest) | (fill << (32 - rest));
  }
  m.hi = (hi >>> count) | (fill << (32 - count));
  return (lo >>> count) | (hi << (32 - count));
}

/** Bit 0 to 63 of `lo:hi`. */
function bitOf(lo: number, hi: number, n: number): number {
  return ((n >= 32 ? hi >>> (n - 32) : lo >>> n) & 1) >>> 0;
}

const shl: Narrow = (m, a, count, size) => {
  const top = TOP_BIT[size]!;
  const r = a << count;
  const cf = count <= top + 1 ? (a >>> (top + 1 - count)) & 1 : 0;
  shiftFlags(m, cf, ((r >>> top) & 1) ^ cf, signZeroParity(r, size));
  return r;
};

const shlWide: Wide = (m, lo, hi, count) => {
  const cf = bitOf(lo, hi, 64 - count);
  const r = shiftLeft(m, lo, hi, count);
  shiftFlags(m, cf, (m.hi >>> 31) ^ cf, signZeroParityWide(r, m.hi));
  return r;
};

const shr: Narrow = (m, a, count, size) => {
  const r = a >>> count;
  shiftFlags(m, (a >>> (count - 1)) & 1, (a >>> TOP_BIT[size]!) & 1, signZeroParity(r, size));
  return r;
};

const shrWide: Wide = (m, lo, hi, count) => {
  const cf = bitOf(lo, hi, count - 1);
  const r = shiftRight(m, lo, hi, count, 0);
  shiftFlags(m, cf, hi >>> 31, signZeroParityWide(r, m.hi));
  return r;
};

const sar: Narrow = (m, a, count, size) => {
  const unused = 31 - TOP_BIT[size]!;
  const signed = (a << unused) >> unused;
  const r = signed >> count;
  shiftFlags(m, (signed >> (count - 1)) & 1, 0, signZeroParity(r, size));
  return r;
};

const sarWide: Wide = (m, lo, hi, count) => {
  const cf = bitOf(lo, hi, count - 1);
  const r = shiftRight(m, lo, hi, count, hi >> 31);
  shiftFlags(m, cf, 0, signZeroParityWide(r, m.hi));
  return r;
};

/** Rotates a narrow value left by `count` modulo its width. */
function rotateLeft(a: number, count: number, size: number): number {
  const bits = TOP_BIT[size]! + 1;
  const by = count % bits;
  const value = a & MASK[size]!;
  return by === 0 ? value : (value << by) | (value >>> (bits - by));
}

const rol: Narrow = (m, a, count, size) => {
  const r = rotateLeft(a, count, size);
  rotateFlags(m, r & 1, ((r >>> TOP_BIT[size]!) ^ r) & 1);
  return r;
};

const ror: Narrow = (m, a, count, size) => {
  const top = TOP_BIT[size]!;
  const r = rotateLeft(a, top + 1 - (count % (top + 1)), size);
  rotateFlags(m, (r >>> top) & 1, ((r >>> top) ^ (r >>> (top - 1))) & 1);
  return r;
};

function rotateWide(m: Machine, lo: number, hi: number, count: number): number {
  const low = shiftLeft(m, lo, hi, count);
  const high = m.hi;
  const lowIn = shiftRight(m, lo, hi, 64 - count, 0);
  m.hi |= high;
  return low | lowIn;
}

const rolWide: Wide = (m, lo, hi, count) => {
  const r = rotateWide(m, lo, hi, count);
  rotateFlags(m, r & 1, ((m.hi >>> 31) ^ r) & 1);
  return r;
};

const rorWide: Wide = (m, lo, hi, count) => {
  const r = rotateWide(m, lo, hi, 64 - count);
  rotateFlags(m, m.hi >>> 31, ((m.hi >>> 31) ^ (m.hi >>> 30)) & 1);
  return r;
};

/** RCL and RCR turn through CF, bit by bit. */
const rcl: Narrow = (m, a, count, size) => {
  const top = TOP_BIT[size]!;
  let carry = m.i32[FLAGS]! & 1;
  let r = a;
  for (let n = count % (size === 4 ? 32 : top + 2); n > 0; n--) {
    const out = (r >>> top) & 1;
    r = (r << 1) | carry;
    carry = out;
  }
  rotateFlags(m, carry, ((r >>> top) & 1) ^ carry);
  return r;
};

const rclWide: Wide = (m, lo, hi, count) => {
  let carry = m.i32[FLAGS]! & 1;
  for (let n = count; n > 0; n--) {
    const out = hi >>> 31;
    hi = (hi << 1) | (lo >>> 31);
    lo = (lo << 1) | carry;
    carry = out;
  }
  rotateFlags(m, carry, (hi >>> 31) ^ carry);
  m.hi = hi;
  return lo;
};

const rcr: Narrow = (m, a, count, size) => {
  const top = TOP_BIT[size]!;
  let carry = m.i32[FLAGS]! & 1;
  let r = a & MASK[size]!;
  for (let n = count % (size === 4 ? 32 : top + 2); n > 0; n--) {
    const out = r & 1;
    r = (r >>> 1) | (carry << top);
    carry = out;
  }
  rotateFlags(m, carry, ((r >>> top) ^ (r >>> (top - 1))) & 1);
  return r;
};

const rcrWide: Wide = (m, lo, hi, count) => {
  let carry = m.i32[FLAGS]! & 1;
  for (let n = count; n > 0; n--) {
    const out = lo & 1;
    lo = (lo >>> 1) | (hi << 31);
    hi = (hi >>> 1) | (carry << 31);
    carry = out;
  }
  rotateFlags(m, carry, ((hi >>> 31) ^ (hi >>> 30)) & 1);
  m.hi = hi;
  return lo;
};

function shift(narrow: Narrow, wide: Wide): Choice {
  return byWidth(
    (m, i) => {
      const a = readModify(m, i, i.a);
      const count = read(m, i, i.b) & 31;
      write(m, i, i.a, count === 0 ? a : narrow(m, a, count, i.a.size));
    },
    (m, i) => {
      const lo = readModifyWide(m, i, i.a);
      const hi = m.hi;
      const count = read(m, i, i.b) & 63;
      if (count === 0) return writeWide(m, i, i.a, lo, hi);
      const r = wide(m, lo, hi, count);
      writeWide(m, i, i.a, r, m.hi);
    },
  );
}

/** The count of SHLD and SHRD: an immediate, or CL where the form leaves it out. */
function doubleCount(m: Machine, i: Instruction): number {
  return i.c === NO_OPERAND ? m.u8[State.gpr + 8]! : read(m, i, i.c);
}

/** A 16-bit double shift by more than 16, which the manual leaves undefined, turns the destination in again. */
function shld(m: Machine, i: Instruction): void {
  const a = readModify(m, i, i.a);
  const count = doubleCount(m, i) & 31;
  if (count === 0) {
    write(m, i, i.a, a);
    return;
  }
  const b = read(m, i, i.b);
  const top = TOP_BIT[i.a.size]!;
  const r =
    i.a.size === 2
      ? count > 16
        ? (b << (count - 16)) | (a >>> (32 - count))
        : (a << count) | (b >>> (16 - count))
      : (a << count) | (b >>> (32 - count));
  const cf = i.a.size === 2 && count > 16 ? (b >>> (32 - count)) & 1 : (a >>> (top + 1 - count)) & 1;
  shiftFlags(m, cf, ((r ^ a) >>> top) & 1, signZeroParity(r, i.a.size));
  write(m, i, i.a, r);
}

function shrd(m: Machine, i: Instruction): void {
  const a = readModify(m, i, i.a);
  const count = doubleCount(m, i) & 31;
  if (count === 0) {
    write(m, i, i.a, a);
    return;
  }
  const b = read(m, i, i.b);
  const top = TOP_BIT[i.a.size]!;
  const r =
    i.a.size === 2
      ? count > 16
        ? (b >>> (count - 16)) | (a << (32 - count))
        : (a >>> count) | (b << (16 - count))
      : (a >>> count) | (b << (32 - count));
  const cf = i.a.size === 2 && count > 16 ? (b >>> (count - 17)) & 1 : (a >>> (count - 1)) & 1;
  shiftFlags(m, cf, ((r ^ a) >>> top) & 1, signZeroParity(r, i.a.size));
  write(m, i, i.a, r);
}

function shldWide(m: Machine, i: Instruction): void {
  const lo = readModifyWide(m, i, i.a);
  const hi = m.hi;
  const count = doubleCount(m, i) & 63;
  if (count === 0) {
    writeWide(m, i, i.a, lo, hi);
    return;
  }
  const source = readWide(m, i, i.b);
  const lowIn = shiftRight(m, source, m.hi, 64 - count, 0);
  const highIn = m.hi;
  const r = shiftLeft(m, lo, hi, count) | lowIn;
  const rHi = m.hi | highIn;
  shiftFlags(m, bitOf(lo, hi, 64 - count), (rHi ^ hi) >>> 31, signZeroParityWide(r, rHi));
  writeWide(m, i, i.a, r, rHi);
}

function shrdWide(m: Machine, i: Instruction): void {
  const lo = readModifyWide(m, i, i.a);
  const hi = m.hi;
  const count = doubleCount(m, i) & 63;
  if (count === 0) {
    writeWide(m, i, i.a, lo, hi);
    return;
  }
  const source = readWide(m, i, i.b);
  const lowIn = shiftLeft(m, source, m.hi, 64 - count);
  const highIn = m.hi;
  const r = shiftRight(m, lo, hi, count, 0) | lowIn;
  const rHi = m.hi | highIn;
  shiftFlags(m, bitOf(lo, hi, count - 1), (rHi ^ hi) >>> 31, signZeroParityWide(r, rHi));
  writeWide(m, i, i.a, r, rHi);
}

export const shifts: SemanticsTable = {
  rol: shift(rol, rolWide),
  ror: shift(ror, rorWide),
  rcl: shift(rcl, rclWide),
  rcr: shift(rcr, rcrWide),
  shl: shift(shl, shlWide),
  sal: shift(shl, shlWide),
  shr: shift(shr, shrWide),
  sar: shift(sar, sarWide),
  shld: byWidth(shld, shldWide),
  shrd: byWidth(shrd satisfies Execute, shrdWide),
};
