/**
 * Packed integers in MMX and XMM registers: lane by lane, the same for both.
 * SDM Vol. 1, "MMX Instructions", "SSE 64-Bit SIMD Integer Instructions", "SSE2 128-Bit SIMD Integer Instructions".
 */
import { type Execute, type Instruction, type Operand, OperandKind } from "../instruction.js";
import type { Machine } from "../machine.js";
import { mulHigh32 } from "../operations/arithmetic.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { checkMmx, enterMmx, mmxOffset, mmxSource, writeMmx } from "./mmx-state.js";
import { checkSse, commitResult, result, sourceOffset } from "./sse-state.js";

/** Computes `size` bytes of `result` from the bytes at `a` and `b` of `view`. */
type Compute = (view: DataView, a: number, b: number, size: number, immediate: number) => void;

/** Offset of the register or memory operand's bytes, and its width. */
function source(m: Machine, i: Instruction, o: Operand): number {
  return i.a.kind === OperandKind.mmx ? mmxSource(m, i, o) : sourceOffset(m, i, o, 16);
}

function check(m: Machine, o: Operand): void {
  if (o.kind === OperandKind.mmx) checkMmx(m);
  else checkSse(m);
}

function commit(m: Machine, o: Operand): void {
  if (o.kind === OperandKind.mmx) writeMmx(m, o, result.getInt32(0, true), result.getInt32(4, true));
  else commitResult(m, o, 16);
}

/** `a` and `b` to `a`; the third operand, if there is one, is an immediate. */
function packed(compute: Compute): Execute {
  return (m, i) => {
    check(m, i.a);
    const b = source(m, i, i.b);
    const isMmx = i.a.kind === OperandKind.mmx;
    compute(m.view, isMmx ? mmxOffset(i.a) : i.a.index, b, isMmx ? 8 : 16, i.c.lo);
    commit(m, i.a);
  };
}

// --- lane by lane ---

type Lane = (a: number, b: number) => number;

interface Width {
  readonly bytes: number;
  readonly get: (view: DataView, at: number) => number;
  readonly set: (at: number, value: number) => void;
}

const i8: Width = { bytes: 1, get: (v, at) => v.getInt8(at), set: (at, value) => result.setInt8(at, value) };
const u8: Width = { ...i8, get: (v, at) => v.getUint8(at) };
const i16: Width = {
  bytes: 2,
  get: (v, at) => v.getInt16(at, true),
  set: (at, value) => result.setInt16(at, value, true),
};
const u16: Width = { ...i16, get: (v, at) => v.getUint16(at, true) };
const i32: Width = {
  bytes: 4,
  get: (v, at) => v.getInt32(at, true),
  set: (at, value) => result.setInt32(at, value, true),
};

function lanes({ bytes, get, set }: Width, lane: Lane): Execute {
  return packed((view, a, b, size) => {
    for (let n = 0; n < size; n += bytes) set(n, lane(get(view, a + n), get(view, b + n)));
  });
}

const clamp = (low: number, high: number) => (value: number) => Math.min(Math.max(value, low), high);
const toI8 = clamp(-128, 127);
const toU8 = clamp(0, 255);
const toI16 = clamp(-32768, 32767);
const toU16 = clamp(0, 65535);
const plus: Lane = (a, b) => a + b;
const minus: Lane = (a, b) => a - b;
const average: Lane = (a, b) => (a + b + 1) >> 1;
const saturated =
  (limit: (value: number) => number, lane: Lane): Lane =>
  (a, b) =>
    limit(lane(a, b));
const allOnes =
  (test: (a: number, b: number) => boolean): Lane =>
  (a, b) =>
    test(a, b) ? -1 : 0;
const equal = allOnes((a, b) => a === b);
const greater = allOnes((a, b) => a > b);

/** 64-bit lanes: low and high words, with the carry between them. */
function quadwords(operation: (lo: number, other: number) => number): Execute {
  return packed((view, a, b, size) => {
    for (let n = 0; n < size; n += 8) {
      const low = operation(view.getUint32(a + n, true), view.getUint32(b + n, true));
      const carry = Math.floor(low / 2 ** 32);
      const high = operation(view.getInt32(a + n + 4, true), view.getInt32(b + n + 4, true)) + carry;
      result.setInt32(n, low, true);
      result.setInt32(n + 4, high, true);
    }
  });
}

/** PMULUDQ: the even 32-bit lanes, to 64 bits. */
const multiplyDoublewords: Compute = (view, a, b, size) => {
  for (let n = 0; n < size; n += 8) {
    const [left, right] = [view.getInt32(a + n, true), view.getInt32(b + n, true)];
    result.setInt32(n, Math.imul(left, right), true);
    result.setInt32(n + 4, mulHigh32(left, right), true);
  }
};

/** PMADDWD: pairs of products added to 32 bits. */
const multiplyAdd: Compute = (view, a, b, size) => {
  for (let n = 0; n < size; n += 4) {
    const low = view.getInt16(a + n, true) * view.getInt16(b + n, true);
    const high = view.getInt16(a + n + 2, true) * view.getInt16(b + n + 2, true);
    result.setInt32(n, low + high, true);
  }
};

/** PSADBW: the sum of eight absolute differences in the low word of each quadword. */
const sumOfDifferences: Compute = (view, a, b, size) => {
  for (let n = 0; n < size; n += 8) {
    let sum = 0;
    for (let k = n; k < n + 8; k++) sum += Math.abs(view.getUint8(a + k) - view.getUint8(b + k));
    result.setInt32(n, sum, true);
    result.setInt32(n + 4, 0, true);
  }
};

function copyBytes(view: DataView, from: number, to: number, count: number): void {
  for (let n = 0; n < count; n++) result.setUint8(to + n, view.getUint8(from + n));
}

/** PUNPCKL and PUNPCKH: elements of both operands in turn, from the low or the high half. */
export function unpack(bytes: number, high: boolean): Compute {
  return (view, a, b, size) => {
    const from = high ? size / 2 : 0;
    for (let n = 0; n < size / 2; n += bytes) {
      copyBytes(view, a + from + n, n * 2, bytes);
      copyBytes(view, b + from + n, n * 2 + bytes, bytes);
    }
  };
}

/** PACKSS and PACKUS: the lanes of both operands at half their width. */
function pack(from: Width, to: Width, limit: (value: number) => number): Compute {
  return (view, a, b, size) => {
    for (let n = 0; n < size / 2; n += to.bytes) {
      to.set(n, limit(from.get(view, a + n * 2)));
      to.set(size / 2 + n, limit(from.get(view, b + n * 2)));
    }
  };
}

/** Four (or two) elements of `bytes` chosen by two (or one) bits each of the immediate, from `at` on. */
function shuffleAt(view: DataView, from: number, at: number, bytes: number, selectors: number): void {
  for (let n = 0; n < 4; n++)
    copyBytes(view, from + at + ((selectors >> (n * 2)) & 3) * bytes, at + n * bytes, bytes);
}

/** PSHUFHW and PSHUFLW: one half is shuffled, the other copied. */
function shuffleWords(at: number): Compute {
  return (view, _a, b, _size, immediate) => {
    copyBytes(view, b, 0, 16);
    shuffleAt(view, b, at, 2, immediate);
  };
}

/** SHUFPS and SHUFPD: the low half from the destination, the high half from the source. */
const shuffleSingles: Compute = (view, a, b, _size, immediate) => {
  for (let n = 0; n < 4; n++) copyBytes(view, (n < 2 ? a : b) + ((immediate >> (n * 2)) & 3) * 4, n * 4, 4);
};
const shuffleDoubles: Compute = (view, a, b, _size, immediate) => {
  copyBytes(view, a + (immediate & 1) * 8, 0, 8);
  copyBytes(view, b + ((immediate >> 1) & 1) * 8, 8, 8);
};

// --- shifts ---

/** One lane of up to 32 bits, or a quadword, shifted by a count that may be larger than its width. */
type ShiftLane = (view: DataView, at: number, to: number, count: number) => void;

function shiftLanes({ bytes, get, set }: Width, shift: (value: number, count: number) => number): ShiftLane {
  return (view, at, to, count) => {
    for (let n = 0; n < 8; n += bytes) set(to + n, shift(get(view, at + n), count));
  };
}

const quadwordShift =
  (shift: (value: bigint, count: bigint) => bigint): ShiftLane =>
  (view, at, to, count) =>
    result.setBigUint64(to, BigInt.asUintN(64, shift(view.getBigUint64(at, true), BigInt(count))), true);

function shifts(bits: number, lane: ShiftLane): Execute {
  return (m, i) => {
    check(m, i.a);
    const isMmx = i.a.kind === OperandKind.mmx;
    const count = i.b.kind === OperandKind.immediate ? i.b.lo & 0xff : shiftCount(m, i, bits);
    const a = isMmx ? mmxOffset(i.a) : i.a.index;
    for (let n = 0; n < (isMmx ? 8 : 16); n += 8) lane(m.view, a + n, n, Math.min(count, bits));
    commit(m, i.a);
  };
}

/** The low 64 bits of the source; anything large counts as the lane's width. */
function shiftCount(m: Machine, i: Instruction, bits: number): number {
  const at = source(m, i, i.b);
  return m.view.getInt32(at + 4, true) !== 0 ? bits : Math.min(m.view.getUint32(at, true), bits);
}

/** PSLLDQ and PSRLDQ: the whole register, by bytes. */
function shiftBytes(left: boolean): Execute {
  return (m, i) => {
    checkSse(m);
    const count = Math.min(i.b.lo & 0xff, 16);
    for (let n = 0; n < 16; n++) {
      const from = left ? n - count : n + count;
      result.setUint8(n, from >= 0 && from < 16 ? m.u8[i.a.index + from]! : 0);
    }
    commitResult(m, i.a, 16);
  };
}

// --- between register files ---

function pmovmskb(m: Machine, i: Instruction): void {
  check(m, i.b);
  const isMmx = i.b.kind === OperandKind.mmx;
  const at = isMmx ? mmxOffset(i.b) : i.b.index;
  let mask = 0;
  for (let n = 0; n < (isMmx ? 8 : 16); n++) mask |= (m.u8[at + n]! >> 7) << n;
  if (isMmx) enterMmx(m);
  m.i32[i.a.index] = mask;
  m.i32[i.a.index + 1] = 0;
}

function pextrw(m: Machine, i: Instruction): void {
  check(m, i.b);
  const isMmx = i.b.kind === OperandKind.mmx;
  const at = isMmx ? mmxOffset(i.b) : i.b.index;
  const word = m.view.getUint16(at + (i.c.lo & (isMmx ? 3 : 7)) * 2, true);
  if (isMmx) enterMmx(m);
  m.i32[i.a.index] = word;
  m.i32[i.a.index + 1] = 0;
}

const xmmOrMmx = (names: Readonly<Record<string, Compute>>): Record<string, Execute> =>
  Object.fromEntries(Object.entries(names).map(([name, compute]) => [name, packed(compute)]));

export const packedInteger: SemanticsTable = {
  paddb: lanes(i8, plus),
  paddw: lanes(i16, plus),
  paddd: lanes(i32, plus),
  paddq: quadwords(plus),
  psubb: lanes(i8, minus),
  psubw: lanes(i16, minus),
  psubd: lanes(i32, minus),
  psubq: quadwords(minus),
  paddsb: lanes(i8, saturated(toI8, plus)),
  paddsw: lanes(i16, saturated(toI16, plus)),
  paddusb: lanes(u8, saturated(toU8, plus)),
  paddusw: lanes(u16, saturated(toU16, plus)),
  psubsb: lanes(i8, saturated(toI8, minus)),
  psubsw: lanes(i16, saturated(toI16, minus)),
  psubusb: lanes(u8, saturated(toU8, minus)),
  psubusw: lanes(u16, saturated(toU16, minus)),
  pavgb: lanes(u8, average),
  pavgw: lanes(u16, average),
  pminub: lanes(u8, Math.min),
  pmaxub: lanes(u8, Math.max),
  pminsw: lanes(i16, Math.min),
  pmaxsw: lanes(i16, Math.max),
  pmullw: lanes(i16, Math.imul),
  pmulhw: lanes(i16, (a, b) => (a * b) >> 16),
  pmulhuw: lanes(u16, (a, b) => (a * b) >>> 16),
  pcmpeqb: lanes(i8, equal),
  pcmpeqw: lanes(i16, equal),
  pcmpeqd: lanes(i32, equal),
  pcmpgtb: lanes(i8, greater),
  pcmpgtw: lanes(i16, greater),
  pcmpgtd: lanes(i32, greater),
  pand: lanes(i32, (a, b) => a & b),
  pandn: lanes(i32, (a, b) => ~a & b),
  por: lanes(i32, (a, b) => a | b),
  pxor: lanes(i32, (a, b) => a ^ b),
  andps: lanes(i32, (a, b) => a & b),
  andpd: lanes(i32, (a, b) => a & b),
  andnps: lanes(i32, (a, b) => ~a & b),
  andnpd: lanes(i32, (a, b) => ~a & b),
  orps: lanes(i32, (a, b) => a | b),
  orpd: lanes(i32, (a, b) => a | b),
  xorps: lanes(i32, (a, b) => a ^ b),
  xorpd: lanes(i32, (a, b) => a ^ b),
  ...xmmOrMmx({
    pmuludq: multiplyDoublewords,
    pmaddwd: multiplyAdd,
    psadbw: sumOfDifferences,
    punpcklbw: unpack(1, false),
    punpcklwd: unpack(2, false),
    punpckldq: unpack(4, false),
    punpckhbw: unpack(1, true),
    punpckhwd: unpack(2, true),
    punpckhdq: unpack(4, true),
    punpcklqdq: unpack(8, false),
    punpckhqdq: unpack(8, true),
    unpcklps: unpack(4, false),
    unpckhps: unpack(4, true),
    unpcklpd: unpack(8, false),
    unpckhpd: unpack(8, true),
    packsswb: pack(i16, i8, toI8),
    packuswb: pack(i16, i8, toU8),
    packssdw: pack(i32, i16, toI16),
    pshufd: (view, _a, b, _size, immediate) => shuffleAt(view, b, 0, 4, immediate),
    pshufw: (view, _a, b, _size, immediate) => shuffleAt(view, b, 0, 2, immediate),
    pshuflw: shuffleWords(0),
    pshufhw: shuffleWords(8),
    shufps: shuffleSingles,
    shufpd: shuffleDoubles,
  }),
  psllw: shifts(
    16,
    shiftLanes(u16, (value, count) => value << count),
  ),
  psrlw: shifts(
    16,
    shiftLanes(u16, (value, count) => value >>> count),
  ),
  psraw: shifts(
    16,
    shiftLanes(i16, (value, count) => value >> count),
  ),
  pslld: shifts(
    32,
    shiftLanes(i32, (value, count) => (count > 31 ? 0 : value << count)),
  ),
  psrld: shifts(
    32,
    shiftLanes(i32, (value, count) => (count > 31 ? 0 : value >>> count)),
  ),
  psrad: shifts(
    32,
    shiftLanes(i32, (value, count) => value >> Math.min(count, 31)),
  ),
  psllq: shifts(
    64,
    quadwordShift((value, count) => value << count),
  ),
  psrlq: shifts(
    64,
    quadwordShift((value, count) => value >> count),
  ),
  pslldq: shiftBytes(true),
  psrldq: shiftBytes(false),
  pmovmskb,
  pextrw,
};
