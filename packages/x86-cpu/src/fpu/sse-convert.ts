/** Conversions of SSE and SSE2. SDM Vol. 1, "SSE Conversion Instructions", "SSE2 Conversion Instructions"; Vol. 2A, "CVT…". */
import type { Execute, Instruction } from "../instruction.js";
import { OperandKind } from "../instruction.js";
import type { Machine } from "../machine.js";
import { read, readWide, writeSized } from "../operands.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { noteDenormals } from "./arithmetic.js";
import {
  DOUBLE,
  type Float,
  isNan,
  Kind,
  packDouble,
  packSingle,
  SINGLE,
  unpackDouble,
  unpackSingle,
} from "./formats.js";
import { checkMmx, enterMmx, mmxSource, writeMmx } from "./mmx-state.js";
import { type Environment, Exception, Round, raise, round, roundToInteger } from "./rounding.js";
import { flushDenormal, propagateNan } from "./sse-arithmetic.js";
import {
  checkSse,
  commitResult,
  denormalsAreZeros,
  result,
  signal,
  sourceOffset,
  sseEnvironment,
} from "./sse-state.js";

function unpack(m: Machine, at: number, size: number): Float {
  const value =
    size === 8 ? unpackDouble(m.view.getBigUint64(at, true)) : unpackSingle(m.view.getInt32(at, true));
  return denormalsAreZeros(m) ? flushDenormal(value) : value;
}

function store(to: number, size: number, value: Float): void {
  if (size === 8) result.setBigUint64(to, packDouble(value), true);
  else result.setInt32(to, packSingle(value), true);
}

/** An integer rounded to a format. */
function fromInteger(env: Environment, size: number, value: bigint): Float {
  const magnitude = value < 0n ? -value : value;
  return round(env, size === 8 ? DOUBLE : SINGLE, value < 0n ? 1 : 0, magnitude, 0);
}

/** A number as an integer of `bits`; the most negative one, and IE, for what does not fit. */
export function toInteger(env: Environment, value: Float, bits: number, truncates: boolean): bigint {
  const limit = 1n << BigInt(bits - 1);
  if (value.kind === Kind.zero) return 0n;
  if (value.kind !== Kind.finite) {
    raise(env, Exception.IE);
    return -limit;
  }
  const { flags, rounding } = env;
  if (truncates) env.rounding = Round.zero;
  const magnitude = value.exponent > 64 ? limit * 2n : roundToInteger(env, value);
  env.rounding = rounding;
  const rounded = value.sign ? -magnitude : magnitude;
  if (rounded >= limit || rounded < -limit) {
    env.flags = flags | Exception.IE;
    return -limit;
  }
  return rounded;
}

/** From one format to the other. A denormal source raises DE; SNaNs become quiet. */
function changeFormat(env: Environment, value: Float, size: number): Float {
  if (isNan(value)) return propagateNan(env, value, value);
  noteDenormals(env, value);
  if (value.kind !== Kind.finite) return value;
  return round(env, size === 8 ? DOUBLE : SINGLE, value.sign, value.significand, value.exponent);
}

/** A general register or memory operand as a signed integer. */
function integerSource(m: Machine, i: Instruction): bigint {
  const lo = i.b.size === 8 ? readWide(m, i, i.b) : read(m, i, i.b);
  const hi = i.b.size === 8 ? m.hi : lo >> 31;
  return (BigInt(hi) << 32n) | BigInt(lo >>> 0);
}

/** CVTSI2SS and CVTSI2SD: the other elements of the destination stay. */
function fromRegister(size: number): Execute {
  return (m, i) => {
    checkSse(m);
    const value = integerSource(m, i);
    const env = sseEnvironment(m);
    store(0, size, fromInteger(env, size, value));
    signal(m, env);
    commitResult(m, i.a, size);
  };
}

/** CVTSS2SI and its kin: to a general register. */
function toRegister(size: number, truncates: boolean): Execute {
  return (m, i) => {
    checkSse(m);
    const source = sourceOffset(m, i, i.b, size);
    const env = sseEnvironment(m);
    const value = toInteger(env, unpack(m, source, size), i.a.size * 8, truncates);
    signal(m, env);
    writeSized(m, i, i.a, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  };
}

/** CVTSS2SD and CVTSD2SS. */
function scalar(from: number, to: number): Execute {
  return (m, i) => {
    checkSse(m);
    const source = sourceOffset(m, i, i.b, from);
    const env = sseEnvironment(m);
    store(0, to, changeFormat(env, unpack(m, source, from), to));
    signal(m, env);
    commitResult(m, i.a, to);
  };
}

/** One element of a packed conversion: reads at `from`, writes at `to`. */
type Element = (m: Machine, env: Environment, from: number, to: number) => void;

const intToFloat =
  (size: number): Element =>
  (m, env, from, to) =>
    store(to, size, fromInteger(env, size, BigInt(m.view.getInt32(from, true))));

const floatToInt =
  (size: number, truncates: boolean): Element =>
  (m, env, from, to) =>
    result.setInt32(to, Number(toInteger(env, unpack(m, from, size), 32, truncates)), true);

const floatToFloat =
  (from: number, to: number): Element =>
  (m, env, at, target) =>
    store(target, to, changeFormat(env, unpack(m, at, from), to));

/** `count` elements of `from` bytes to as many of `to` bytes; what is left of the register becomes zero. */
function packed(element: Element, from: number, to: number, count: number): Execute {
  return (m, i) => {
    checkSse(m);
    const source = sourceOffset(m, i, i.b, from * count);
    const env = sseEnvironment(m);
    for (let at = 0; at < 16; at += 4) result.setInt32(at, 0, true);
    for (let n = 0; n < count; n++) element(m, env, source + n * from, n * to);
    signal(m, env);
    commitResult(m, i.a, 16);
  };
}

// These enter MMX state even if #XM keeps the result back.

/** CVTPI2PS and CVTPI2PD: from an MMX register, which enters MMX state, or from memory, which does not. */
function fromMmx(size: number): Execute {
  return (m, i) => {
    checkSse(m);
    const enters = i.b.kind === OperandKind.mmx;
    if (enters) {
      checkMmx(m);
      enterMmx(m);
    }
    const source = mmxSource(m, i, i.b);
    const env = sseEnvironment(m);
    for (let n = 0; n < 2; n++) intToFloat(size)(m, env, source + n * 4, n * size);
    signal(m, env);
    commitResult(m, i.a, size * 2);
  };
}

/** CVTPS2PI and its kin: to an MMX register. */
function toMmx(size: number, truncates: boolean): Execute {
  return (m, i) => {
    checkSse(m);
    checkMmx(m);
    const source = sourceOffset(m, i, i.b, size * 2);
    enterMmx(m);
    const env = sseEnvironment(m);
    for (let n = 0; n < 2; n++) floatToInt(size, truncates)(m, env, source + n * size, n * 4);
    signal(m, env);
    writeMmx(m, i.a, result.getInt32(0, true), result.getInt32(4, true));
  };
}

export const sseConvert: SemanticsTable = {
  cvtsi2ss: fromRegister(4),
  cvtsi2sd: fromRegister(8),
  cvtss2si: toRegister(4, false),
  cvttss2si: toRegister(4, true),
  cvtsd2si: toRegister(8, false),
  cvttsd2si: toRegister(8, true),
  cvtss2sd: scalar(4, 8),
  cvtsd2ss: scalar(8, 4),
  cvtps2pd: packed(floatToFloat(4, 8), 4, 8, 2),
  cvtpd2ps: packed(floatToFloat(8, 4), 8, 4, 2),
  cvtdq2ps: packed(intToFloat(4), 4, 4, 4),
  cvtdq2pd: packed(intToFloat(8), 4, 8, 2),
  cvtps2dq: packed(floatToInt(4, false), 4, 4, 4),
  cvttps2dq: packed(floatToInt(4, true), 4, 4, 4),
  cvtpd2dq: packed(floatToInt(8, false), 8, 4, 2),
  cvttpd2dq: packed(floatToInt(8, true), 8, 4, 2),
  cvtpi2ps: fromMmx(4),
  cvtpi2pd: fromMmx(8),
  cvtps2pi: toMmx(4, false),
  cvttps2pi: toMmx(4, true),
  cvtpd2pi: toMmx(8, false),
  cvttpd2pi: toMmx(8, true),
};
