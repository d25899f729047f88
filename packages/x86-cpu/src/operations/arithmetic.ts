/** SDM Vol. 1, "Binary Arithmetic Instructions", "Decimal Arithmetic Instructions", "Logical Instructions". */
import { Gpr, RFLAGS, STATUS_FLAGS, Vector } from "../architecture.js";
import { raise } from "../faults.js";
import {
  addFlags,
  logicFlags,
  MASK,
  setStatus,
  signZeroParity,
  signZeroParityWide,
  subFlags,
  TOP_BIT,
} from "../flags.js";
import type { Execute, Instruction } from "../instruction.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import { read, readModify, readModifyWide, readWide, write, writeWide } from "../operands.js";
import { byWidth, type Choice, type SemanticsTable } from "./semantics.js";

const GPR = State.gpr >> 2;
const FLAGS = State.rflags >> 2;

/** `r = f(a, b)` with flags, of `size` bytes. */
type Narrow = (m: Machine, a: number, b: number, size: number) => number;
/** The same of 64 bits: returns the low half, the high half in `m.hi`. */
type Wide = (m: Machine, aLo: number, aHi: number, bLo: number, bHi: number) => number;

function carryIn(m: Machine): number {
  return m.i32[FLAGS]! & 1;
}

function addWith(m: Machine, a: number, b: number, carry: number, size: number): number {
  const r = (a + b + carry) | 0;
  addFlags(m, a, b, r, TOP_BIT[size]!, a ^ b ^ r, signZeroParity(r, size));
  return r;
}

function addWideWith(m: Machine, aLo: number, aHi: number, bLo: number, bHi: number, carry: number): number {
  const sum = (aLo >>> 0) + (bLo >>> 0) + carry;
  const lo = sum | 0;
  const hi = (aHi + bHi + (sum > 0xffffffff ? 1 : 0)) | 0;
  addFlags(m, aHi, bHi, hi, 31, aLo ^ bLo ^ lo, signZeroParityWide(lo, hi));
  m.hi = hi;
  return lo;
}

function subWith(m: Machine, a: number, b: number, borrow: number, size: number): number {
  const r = (a - b - borrow) | 0;
  subFlags(m, a, b, r, TOP_BIT[size]!, a ^ b ^ r, signZeroParity(r, size));
  return r;
}

function subWideWith(m: Machine, aLo: number, aHi: number, bLo: number, bHi: number, borrow: number): number {
  const difference = (aLo >>> 0) - (bLo >>> 0) - borrow;
  const lo = difference | 0;
  const hi = (aHi - bHi - (difference < 0 ? 1 : 0)) | 0;
  subFlags(m, aHi, bHi, hi, 31, aLo ^ bLo ^ lo, signZeroParityWide(lo, hi));
  m.hi = hi;
  return lo;
}

export const addNarrow: Narrow = (m, a, b, size) => addWith(m, a, b, 0, size);
export const addWide: Wide = (m, aLo, aHi, bLo, bHi) => addWideWith(m, aLo, aHi, bLo, bHi, 0);
export const compareNarrow: Narrow = (m, a, b, size) => subWith(m, a, b, 0, size);
export const compareWide: Wide = (m, aLo, aHi, bLo, bHi) => subWideWith(m, aLo, aHi, bLo, bHi, 0);
const adcNarrow: Narrow = (m, a, b, size) => addWith(m, a, b, carryIn(m), size);
const adcWide: Wide = (m, aLo, aHi, bLo, bHi) => addWideWith(m, aLo, aHi, bLo, bHi, carryIn(m));
const sbbNarrow: Narrow = (m, a, b, size) => subWith(m, a, b, carryIn(m), size);
const sbbWide: Wide = (m, aLo, aHi, bLo, bHi) => subWideWith(m, aLo, aHi, bLo, bHi, carryIn(m));

function logic(operation: (a: number, b: number) => number): readonly [Narrow, Wide] {
  return [
    (m, a, b, size) => {
      const r = operation(a, b);
      logicFlags(m, signZeroParity(r, size));
      return r;
    },
    (m, aLo, aHi, bLo, bHi) => {
      const lo = operation(aLo, bLo);
      m.hi = operation(aHi, bHi);
      logicFlags(m, signZeroParityWide(lo, m.hi));
      return lo;
    },
  ];
}

const [andNarrow, andWide] = logic((a, b) => a & b);
const [orNarrow, orWide] = logic((a, b) => a | b);
const [xorNarrow, xorWide] = logic((a, b) => a ^ b);

/** INC and DEC are ADD and SUB of 1 that leave CF alone. */
function keepingCarry(narrow: Narrow, wide: Wide): readonly [Narrow, Wide] {
  return [
    (m, a, _b, size) => {
      const carry = carryIn(m);
      const r = narrow(m, a, 1, size);
      setStatus(m, RFLAGS.CF, carry);
      return r;
    },
    (m, aLo, aHi) => {
      const carry = carryIn(m);
      const lo = wide(m, aLo, aHi, 1, 0);
      setStatus(m, RFLAGS.CF, carry);
      return lo;
    },
  ];
}

const [incNarrow, incWide] = keepingCarry(addNarrow, addWide);
const [decNarrow, decWide] = keepingCarry(compareNarrow, compareWide);

/** Destination and source, result to the destination. */
function binary(narrow: Narrow, wide: Wide): Choice {
  return byWidth(
    (m, i) => {
      const a = readModify(m, i, i.a);
      const b = read(m, i, i.b);
      write(m, i, i.a, narrow(m, a, b, i.a.size));
    },
    (m, i) => {
      const aLo = readModifyWide(m, i, i.a);
      const aHi = m.hi;
      const bLo = readWide(m, i, i.b);
      const lo = wide(m, aLo, aHi, bLo, m.hi);
      writeWide(m, i, i.a, lo, m.hi);
    },
  );
}

/** CMP and TEST: only the flags are wanted. */
function comparison(narrow: Narrow, wide: Wide): Choice {
  return byWidth(
    (m, i) => {
      const a = read(m, i, i.a);
      narrow(m, a, read(m, i, i.b), i.a.size);
    },
    (m, i) => {
      const aLo = readWide(m, i, i.a);
      const aHi = m.hi;
      const bLo = readWide(m, i, i.b);
      wide(m, aLo, aHi, bLo, m.hi);
    },
  );
}

function unary(narrow: Narrow, wide: Wide): Choice {
  return byWidth(
    (m, i) => {
      const a = readModify(m, i, i.a);
      write(m, i, i.a, narrow(m, a, 0, i.a.size));
    },
    (m, i) => {
      const aLo = readModifyWide(m, i, i.a);
      const lo = wide(m, aLo, m.hi, 0, 0);
      writeWide(m, i, i.a, lo, m.hi);
    },
  );
}

const negNarrow: Narrow = (m, a, _b, size) => subWith(m, 0, a, 0, size);
const negWide: Wide = (m, aLo, aHi) => subWideWith(m, 0, 0, aLo, aHi, 0);
const notNarrow: Narrow = (_m, a) => ~a;
const notWide: Wide = (m, aLo, aHi) => {
  m.hi = ~aHi;
  return ~aLo;
};

// --- multiplication and division ---

/** High half of the unsigned product of two 32-bit values, whose low half is Math.imul. */
export function mulHigh32(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (aLow * bHigh + (middle & 0xffff)) >>> 16;
  return (aHigh * bHigh + Math.floor(middle / 65536) + carry) | 0;
}

/**
 * CF and OF say whether the upper half is significant. The others, which the manual leaves undefined, are those of the low half;
 * AF is clear.
 */
function productFlags(m: Machine, significant: boolean, szp: number): void {
  setStatus(m, STATUS_FLAGS, szp | (significant ? RFLAGS.CF | RFLAGS.OF : 0));
}

const [RAX, RDX] = [GPR + Gpr.RAX * 2, GPR + Gpr.RDX * 2];

/** Writes the two halves of a result of twice `size` bytes: AX, DX:AX, EDX:EAX. */
function writePair(m: Machine, size: number, low: number, high: number): void {
  if (size === 1) m.u16[State.gpr >> 1] = (low & 0xff) | (high << 8);
  else if (size === 2) {
    m.u16[RAX * 2] = low;
    m.u16[RDX * 2] = high;
  } else {
    m.i32[RAX] = low;
    m.i32[RAX + 1] = 0;
    m.i32[RDX] = high;
    m.i32[RDX + 1] = 0;
  }
}

/** The accumulator of `size` bytes, sign- or zero-extended to 32 bits. */
function accumulator(m: Machine, size: number, signed: boolean): number {
  const value = m.i32[RAX]!;
  const unused = 31 - TOP_BIT[size]!;
  return signed ? (value << unused) >> unused : (value << unused) >>> unused;
}

function extend(value: number, size: number): number {
  const unused = 31 - TOP_BIT[size]!;
  return (value << unused) >> unused;
}

function mul(m: Machine, i: Instruction): void {
  const { size } = i.a;
  const a = accumulator(m, size, false);
  const b = read(m, i, i.a);
  const bits = TOP_BIT[size]! + 1;
  const low = Math.imul(a, b);
  const high = size === 4 ? mulHigh32(a, b) : (low >>> bits) & MASK[size]!;
  writePair(m, size, low, high);
  productFlags(m, high !== 0, signZeroParity(low, size));
}

function imulAccumulator(m: Machine, i: Instruction): void {
  const { size } = i.a;
  const a = accumulator(m, size, true);
  const b = extend(read(m, i, i.a), size);
  const low = Math.imul(a, b);
  const high = size === 4 ? signedHigh(a, b) : low >> (TOP_BIT[size]! + 1);
  writePair(m, size, low, high);
  productFlags(m, high !== extend(low, size) >> 31, signZeroParity(low, size));
}

/** High half of the signed product. */
function signedHigh(a: number, b: number): number {
  return (mulHigh32(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
}

function u64(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

function i64(lo: number, hi: number): bigint {
  return (BigInt(hi) << 32n) | BigInt(lo >>> 0);
}

function low32(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

function writeWidePair(m: Machine, low: bigint, high: bigint): void {
  m.i32[RAX] = low32(low);
  m.i32[RAX + 1] = low32(low >> 32n);
  m.i32[RDX] = low32(high);
  m.i32[RDX + 1] = low32(high >> 32n);
}

function lowHalfFlags(m: Machine): number {
  return signZeroParityWide(m.i32[RAX]!, m.i32[RAX + 1]!);
}

function mulWide(m: Machine, i: Instruction): void {
  const lo = readWide(m, i, i.a);
  const product = u64(m.i32[RAX]!, m.i32[RAX + 1]!) * u64(lo, m.hi);
  writeWidePair(m, product, product >> 64n);
  productFlags(m, product >> 64n !== 0n, lowHalfFlags(m));
}

function imulAccumulatorWide(m: Machine, i: Instruction): void {
  const lo = readWide(m, i, i.a);
  const product = i64(m.i32[RAX]!, m.i32[RAX + 1]!) * i64(lo, m.hi);
  writeWidePair(m, product, product >> 64n);
  productFlags(m, BigInt.asIntN(64, product) !== product, lowHalfFlags(m));
}

/** IMUL with a register destination: two operands, or a source and an immediate. */
function imul(m: Machine, i: Instruction): void {
  const { size } = i.a;
  const [first, second] = imulSources(i);
  const a = extend(read(m, i, first), size);
  const b = extend(read(m, i, second), size);
  const low = Math.imul(a, b);
  write(m, i, i.a, low);
  const overflow = size === 4 ? signedHigh(a, b) !== low >> 31 : extend(low, size) !== low;
  productFlags(m, overflow, signZeroParity(low, size));
}

function imulSources(i: Instruction): readonly [Instruction["a"], Instruction["a"]] {
  return i.c.kind === 0 ? [i.a, i.b] : [i.b, i.c];
}

function imulWide(m: Machine, i: Instruction): void {
  const [first, second] = imulSources(i);
  const aLo = readWide(m, i, first);
  const aHi = m.hi;
  const bLo = readWide(m, i, second);
  const bHi = m.hi;
  const lo = Math.imul(aLo, bLo);
  const hi = (mulHigh32(aLo, bLo) + Math.imul(aLo, bHi) + Math.imul(aHi, bLo)) | 0;
  // The usual product of two 32-bit values cannot overflow; only others need all 128 bits.
  const small = aHi === aLo >> 31 && bHi === bLo >> 31;
  const overflow =
    !small && BigInt.asIntN(64, i64(aLo, aHi) * i64(bLo, bHi)) !== i64(aLo, aHi) * i64(bLo, bHi);
  writeWide(m, i, i.a, lo, hi);
  productFlags(m, overflow, signZeroParityWide(lo, hi));
}

/** The dividend of twice `size` bytes, for sizes up to 4. */
function dividend(m: Machine, size: number): bigint {
  if (size === 1) return BigInt(m.u16[State.gpr >> 1]!);
  if (size === 2) return BigInt(((m.u16[RDX * 2]! << 16) | m.u16[RAX * 2]!) >>> 0);
  return u64(m.i32[RAX]!, m.i32[RDX]!);
}

function div(m: Machine, i: Instruction): void {
  const { size } = i.a;
  const divisor = (read(m, i, i.a) & MASK[size]!) >>> 0;
  if (divisor === 0) raise(m, Vector.DE);
  if (size === 4 && m.i32[RDX] === 0) {
    const value = m.i32[RAX]! >>> 0;
    writePair(m, 4, Math.floor(value / divisor) | 0, (value % divisor) | 0);
    return;
  }
  const value = dividend(m, size);
  const quotient = value / BigInt(divisor);
  if (quotient > BigInt(MASK[size]! >>> 0)) raise(m, Vector.DE);
  writePair(m, size, low32(quotient), low32(value % BigInt(divisor)));
}

function idiv(m: Machine, i: Instruction): void {
  const { size } = i.a;
  const bits = TOP_BIT[size]! + 1;
  const divisor = BigInt(extend(read(m, i, i.a), size));
  if (divisor === 0n) raise(m, Vector.DE);
  const value = BigInt.asIntN(bits * 2, dividend(m, size));
  const quotient = value / divisor;
  if (BigInt.asIntN(bits, quotient) !== quotient) raise(m, Vector.DE);
  writePair(m, size, low32(quotient), low32(value % divisor));
}

function divWide(m: Machine, i: Instruction): void {
  const lo = readWide(m, i, i.a);
  const divisor = u64(lo, m.hi);
  if (divisor === 0n) raise(m, Vector.DE);
  const value = (u64(m.i32[RDX]!, m.i32[RDX + 1]!) << 64n) | u64(m.i32[RAX]!, m.i32[RAX + 1]!);
  const quotient = value / divisor;
  if (quotient >> 64n !== 0n) raise(m, Vector.DE);
  writeWidePair(m, quotient, value % divisor);
}

function idivWide(m: Machine, i: Instruction): void {
  const lo = readWide(m, i, i.a);
  const divisor = i64(lo, m.hi);
  if (divisor === 0n) raise(m, Vector.DE);
  const value = (i64(m.i32[RDX]!, m.i32[RDX + 1]!) << 64n) | u64(m.i32[RAX]!, m.i32[RAX + 1]!);
  const quotient = value / divisor;
  if (BigInt.asIntN(64, quotient) !== quotient) raise(m, Vector.DE);
  writeWidePair(m, quotient, value % divisor);
}

export const arithmetic: SemanticsTable = {
  add: binary(addNarrow, addWide),
  adc: binary(adcNarrow, adcWide),
  sub: binary(compareNarrow, compareWide),
  sbb: binary(sbbNarrow, sbbWide),
  and: binary(andNarrow, andWide),
  or: binary(orNarrow, orWide),
  xor: binary(xorNarrow, xorWide),
  cmp: comparison(compareNarrow, compareWide),
  test: comparison(andNarrow, andWide),
  inc: unary(incNarrow, incWide),
  dec: unary(decNarrow, decWide),
  neg: unary(negNarrow, negWide),
  not: unary(notNarrow, notWide),
  mul: byWidth(mul, mulWide),
  imul: byWidth(imul, imulWide),
  ...Object.fromEntries([8, 16, 32].map((bits) => [`imul r/m${bits}`, imulAccumulator satisfies Execute])),
  "imul r/m64": imulAccumulatorWide,
  div: byWidth(div, divWide),
  idiv: byWidth(idiv, idivWide),
};
