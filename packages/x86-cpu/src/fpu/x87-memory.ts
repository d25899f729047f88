/** x87 operands in memory: reals, integers and packed decimals. SDM Vol. 1, "x87 FPU Data Types". */
import {
  buffer,
  bytes,
  load16,
  load32,
  load64,
  loadBytes,
  probeWrite,
  store16,
  store32,
  store64,
  storeBytes,
} from "../access.js";
import { condition } from "../flags.js";
import { type Execute, type Instruction, OperandKind } from "../instruction.js";
import type { Machine } from "../machine.js";
import { effectiveAddress } from "../operands.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { noteDenormals } from "./arithmetic.js";
import {
  DOUBLE,
  type Float,
  finite,
  INDEFINITE,
  isNan,
  Kind,
  packDouble,
  packSingle,
  SINGLE,
  unpackDouble,
  unpackSingle,
} from "./formats.js";
import { type Environment, Exception, raise, round, roundToInteger } from "./rounding.js";
import { toInteger } from "./sse-convert.js";
import { chooseNan } from "./x87-nan.js";
import {
  conclude,
  FSW,
  getSt,
  isEmpty,
  popStack,
  pushResult,
  Status,
  setSt,
  setTag,
  setTop,
  stackFault,
  stOffset,
  top,
  waiting,
  x87Environment,
} from "./x87-state.js";

/** A 32- or 64-bit real, unpacked. */
export function memoryReal(m: Machine, i: Instruction): Float {
  const at = effectiveAddress(m, i);
  if (i.a.size === 4) return unpackSingle(load32(m, i.segment, at, m.hi));
  const lo = load64(m, i.segment, at, m.hi);
  return unpackDouble((BigInt(m.hi >>> 0) << 32n) | BigInt(lo >>> 0));
}

/** A 16-, 32- or 64-bit integer, exactly. */
export function memoryInteger(m: Machine, i: Instruction): Float {
  const at = effectiveAddress(m, i);
  let value: bigint;
  if (i.a.size === 8) {
    const lo = load64(m, i.segment, at, m.hi);
    value = (BigInt(m.hi) << 32n) | BigInt(lo >>> 0);
  } else if (i.a.size === 4) value = BigInt(load32(m, i.segment, at, m.hi));
  else value = BigInt((load16(m, i.segment, at, m.hi) << 16) >> 16);
  return finite(value < 0n ? 1 : 0, value < 0n ? -value : value, 0);
}

// --- loads ---

const loadReal = waiting((m, i) => {
  const value = memoryReal(m, i);
  const load = (env: Environment) => {
    const nan = chooseNan(env, value, value);
    if (!nan) noteDenormals(env, value);
    return nan ?? value;
  };
  pushResult(m, load, true);
});

const loadInteger = waiting((m, i) => {
  const value = memoryInteger(m, i);
  pushResult(m, () => value);
});

/** FLD m80 copies, whatever the bits are. */
const loadExtended = waiting((m, i) => {
  const at = effectiveAddress(m, i);
  loadBytes(m, i.segment, at, m.hi, 10);
  const copy = buffer.slice(0, 10);
  pushBytes(m, () => copy);
});

const loadRegister = waiting((m, i) => {
  const n = i.a.register;
  if (isEmpty(m, n)) {
    if (stackFault(m, false)) pushIndefinite(m);
    return;
  }
  pushBytes(m, () => m.u8.slice(stOffset(m, n), stOffset(m, n) + 10));
});

function pushBytes(m: Machine, source: () => Uint8Array): void {
  if (!isEmpty(m, 7)) {
    if (stackFault(m, true)) pushIndefinite(m);
    return;
  }
  const copy = source();
  setTop(m, top(m) - 1);
  m.u8.set(copy, stOffset(m, 0));
  setTag(m, 0, false);
  m.i32[FSW] = m.i32[FSW]! & ~Status.C1;
}

function pushIndefinite(m: Machine): void {
  setTop(m, top(m) - 1);
  setSt(m, 0, INDEFINITE);
}

/** FBLD: 18 decimal digits, and a sign in the tenth byte. */
const loadDecimal = waiting((m, i) => {
  const at = effectiveAddress(m, i);
  loadBytes(m, i.segment, at, m.hi, 10);
  let value = 0n;
  for (let n = 8; n >= 0; n--) value = value * 100n + BigInt((buffer[n]! >> 4) * 10 + (buffer[n]! & 15));
  const sign = buffer[9]! & 0x80 ? 1 : 0;
  pushResult(m, () => finite(sign, value, 0));
});

// --- stores ---

/** Stores what `put` writes to memory from ST(0), or for an empty one what stands for the indefinite value. */
function storeTop(
  pops: boolean,
  put: (m: Machine, i: Instruction, env: Environment) => boolean,
  indefinite: Execute,
): Execute {
  return waiting((m, i) => {
    // The operand is checked even where an unmasked exception keeps it from being written.
    const at = effectiveAddress(m, i);
    probeWrite(m, i.segment, at, m.hi, i.a.size);
    const status = m.i32[FSW]!;
    let done: boolean;
    if (isEmpty(m, 0)) {
      done = stackFault(m, false);
      if (done) restoringStatus(m, status, () => indefinite(m, i));
    } else {
      done = put(m, i, x87Environment(m));
    }
    if (done && pops) popStack(m);
  });
}

/** Runs a store that may fault; a fault leaves the status word as it was. */
function restoringStatus(m: Machine, status: number, store: () => void): void {
  try {
    store();
  } catch (thrown) {
    m.i32[FSW] = status;
    throw thrown;
  }
}

function putReal(m: Machine, i: Instruction, env: Environment): boolean {
  const value = toReal(env, getSt(m, 0), i.a.size);
  const status = m.i32[FSW]!;
  if (!conclude(m, env, true)) return false;
  restoringStatus(m, status, () => writeReal(m, i, value));
  return true;
}

function toReal(env: Environment, value: Float, size: number): Float {
  const nan = chooseNan(env, value, value);
  if (nan) return nan;
  env.wrapsExponent = false;
  if (value.kind !== Kind.finite) return value;
  return round(env, size === 4 ? SINGLE : DOUBLE, value.sign, value.significand, value.exponent);
}

function writeReal(m: Machine, i: Instruction, value: Float): void {
  const at = effectiveAddress(m, i);
  if (i.a.size === 4) {
    store32(m, i.segment, at, m.hi, packSingle(value));
    return;
  }
  const bits = packDouble(value);
  const atHi = m.hi;
  store64(m, i.segment, at, atHi, Number(BigInt.asIntN(32, bits)), Number(BigInt.asIntN(32, bits >> 32n)));
}

const writeIndefiniteReal: Execute = (m, i) => writeReal(m, i, INDEFINITE);

function putInteger(m: Machine, i: Instruction, env: Environment): boolean {
  const value = getSt(m, 0);
  const isBad = isNan(value) || value.kind === Kind.unsupported;
  if (isBad) raise(env, Exception.IE);
  const integer = isBad ? -(1n << BigInt(i.a.size * 8 - 1)) : toInteger(env, value, i.a.size * 8, false);
  if (env.flags & Exception.IE) env.roundedUp = false;
  const status = m.i32[FSW]!;
  if (!conclude(m, env)) return false;
  restoringStatus(m, status, () => writeInteger(m, i, integer));
  return true;
}

function writeInteger(m: Machine, i: Instruction, value: bigint): void {
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  const lo = Number(BigInt.asIntN(32, value));
  if (i.a.size === 8) store64(m, i.segment, at, atHi, lo, Number(BigInt.asIntN(32, value >> 32n)));
  else if (i.a.size === 4) store32(m, i.segment, at, atHi, lo);
  else store16(m, i.segment, at, atHi, lo);
}

const writeIndefiniteInteger: Execute = (m, i) => writeInteger(m, i, 1n << BigInt(i.a.size * 8 - 1));

const DECIMAL_LIMIT = 10n ** 18n;
const INDEFINITE_DECIMAL = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff);

function putDecimal(m: Machine, i: Instruction, env: Environment): boolean {
  const value = getSt(m, 0);
  const isNumber = value.kind === Kind.finite || value.kind === Kind.zero;
  const magnitude = !isNumber || value.exponent > 64 ? DECIMAL_LIMIT : roundToInteger(env, value);
  const fits = magnitude < DECIMAL_LIMIT;
  if (!fits) env.flags = Exception.IE;
  const status = m.i32[FSW]!;
  if (!conclude(m, env)) return false;
  restoringStatus(m, status, () =>
    writeDecimal(m, i, fits ? decimal(magnitude, value.sign) : INDEFINITE_DECIMAL),
  );
  return true;
}

function decimal(magnitude: bigint, sign: number): Uint8Array {
  const digits = new Uint8Array(10);
  let rest = magnitude;
  for (let n = 0; n < 9; n++) {
    const two = Number(rest % 100n);
    digits[n] = Math.floor(two / 10) * 16 + (two % 10);
    rest /= 100n;
  }
  digits[9] = sign << 7;
  return digits;
}

function writeDecimal(m: Machine, i: Instruction, digits: Uint8Array): void {
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  buffer.set(digits);
  storeBytes(m, i.segment, at, atHi, 10);
}

/** FSTP m80 copies. */
function putExtended(m: Machine, i: Instruction): boolean {
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  buffer.set(m.u8.subarray(stOffset(m, 0), stOffset(m, 0) + 10));
  storeBytes(m, i.segment, at, atHi, 10);
  m.i32[FSW] = m.i32[FSW]! & ~Status.C1;
  return true;
}

const writeIndefiniteExtended: Execute = (m, i) => {
  const at = effectiveAddress(m, i);
  const atHi = m.hi;
  bytes.setBigUint64(0, INDEFINITE.significand, true);
  bytes.setUint16(8, 0xffff, true);
  storeBytes(m, i.segment, at, atHi, 10);
};

/** FST and FSTP to a register. */
function storeRegister(pops: boolean): Execute {
  return waiting((m, i) => {
    // D9 D8+i, FSTPNCE of AMD's manual, only pops an empty register.
    if (isEmpty(m, 0) && i.form.opcode === 0xd9) {
      popStack(m);
      m.i32[FSW] = m.i32[FSW]! & ~Status.C1;
      return;
    }
    if (isEmpty(m, 0)) {
      if (!stackFault(m, false)) return;
      setSt(m, i.a.register, INDEFINITE);
    } else {
      m.u8.copyWithin(stOffset(m, i.a.register), stOffset(m, 0), stOffset(m, 0) + 10);
      setTag(m, i.a.register, false);
      m.i32[FSW] = m.i32[FSW]! & ~Status.C1;
    }
    if (pops) popStack(m);
  });
}

const fxch = waiting((m, i) => {
  const operand = i.b.kind === OperandKind.st ? i.b : i.a;
  const n = operand.kind === OperandKind.st ? operand.register : 1;
  if (isEmpty(m, 0) || isEmpty(m, n)) {
    if (!stackFault(m, false)) return;
    if (isEmpty(m, 0)) setSt(m, 0, INDEFINITE);
    if (isEmpty(m, n)) setSt(m, n, INDEFINITE);
  } else m.i32[FSW] = m.i32[FSW]! & ~Status.C1;
  const [left, right] = [stOffset(m, 0), stOffset(m, n)];
  const saved = m.u8.slice(left, left + 10);
  m.u8.copyWithin(left, right, right + 10);
  m.u8.set(saved, right);
});

/** FCMOVcc: conditions B, E, BE and U, and their opposites. */
function fcmov(code: number): Execute {
  return waiting((m, i) => {
    const n = i.b.register;
    if (isEmpty(m, 0) || isEmpty(m, n)) {
      if (stackFault(m, false)) setSt(m, 0, INDEFINITE);
      return;
    }
    if (condition(m, code)) m.u8.copyWithin(stOffset(m, 0), stOffset(m, n), stOffset(m, n) + 10);
  });
}

const sizes = (stem: string, widths: readonly string[], execute: Execute): Record<string, Execute> =>
  Object.fromEntries(widths.map((width) => [`${stem} ${width}`, execute]));

export const x87Memory: SemanticsTable = {
  ...sizes("fld", ["m32", "m64"], loadReal),
  "fld m80": loadExtended,
  "fld st(i)": loadRegister,
  fild: loadInteger,
  fbld: loadDecimal,
  ...sizes("fst", ["m32", "m64"], storeTop(false, putReal, writeIndefiniteReal)),
  ...sizes("fstp", ["m32", "m64"], storeTop(true, putReal, writeIndefiniteReal)),
  "fstp m80": storeTop(true, putExtended, writeIndefiniteExtended),
  "fst st(i)": storeRegister(false),
  "fstp st(i)": storeRegister(true),
  fist: storeTop(false, putInteger, writeIndefiniteInteger),
  fistp: storeTop(true, putInteger, writeIndefiniteInteger),
  fbstp: storeTop(true, putDecimal, (m, i) => writeDecimal(m, i, INDEFINITE_DECIMAL)),
  fxch,
  fcmovb: fcmov(2),
  fcmove: fcmov(4),
  fcmovbe: fcmov(6),
  fcmovu: fcmov(10),
  fcmovnb: fcmov(3),
  fcmovne: fcmov(5),
  fcmovnbe: fcmov(7),
  fcmovnu: fcmov(11),
};
