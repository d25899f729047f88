/**
 * Rounding an exact (or sticky) intermediate result to a format, with the exceptions that it raises.
 * SDM Vol. 1, "Rounding", "Overview of Floating-Point Exceptions", "Numeric Underflow Exception (#U)".
 */
import { bitLength, type Float, type Format, finite, infinity, shift, zero } from "./formats.js";

/** Exception flags: the same bits in MXCSR and in the x87 status word. */
export const Exception = { IE: 1, DE: 2, ZE: 4, OE: 8, UE: 16, PE: 32 } as const;

/** Rounding control, as RC encodes it. */
export const Round = { nearest: 0, down: 1, up: 2, zero: 3 } as const;

/** What an operation runs under, and what it raised. */
export interface Environment {
  rounding: number;
  /** Bits of `Exception` that are masked. */
  masks: number;
  /** MXCSR.FTZ */
  flushToZero: boolean;
  /** x87: unmasked overflow and underflow give a result with a biased exponent. */
  wrapsExponent: boolean;
  /** Exceptions raised so far. */
  flags: number;
  /** The last rounding went away from zero: C1 of the x87. */
  roundedUp: boolean;
}

/** What the exponent is moved by in an unmasked x87 overflow or underflow. */
const EXPONENT_WRAP = 24576;

export function raise(env: Environment, exceptions: number): void {
  env.flags |= exceptions;
}

/** Whether a discarded part makes the magnitude one unit larger. `half`: -1, 0, 1 as it compares with half a unit. */
function roundsAway(rounding: number, sign: number, odd: boolean, half: number): boolean {
  if (rounding === Round.nearest) return half > 0 || (half === 0 && odd);
  if (rounding === Round.zero) return false;
  return (rounding === Round.up) === (sign === 0);
}

interface Rounded {
  readonly significand: bigint;
  readonly inexact: boolean;
  readonly away: boolean;
}

/** Drops `by` low bits; `sticky`: something below them is not zero. */
function roundOff(rounding: number, sign: number, value: bigint, by: number, sticky: boolean): Rounded {
  if (by <= 0) {
    // Room below: what is sticky is less than half of the last bit.
    const away = sticky && roundsAway(rounding, sign, false, -1);
    const significand = shift(value, -by);
    return { significand: away ? significand + 1n : significand, inexact: sticky, away };
  }
  const kept = value >> BigInt(by);
  const rest = value - (kept << BigInt(by));
  if (rest === 0n && !sticky) return { significand: kept, inexact: false, away: false };
  const middle = 1n << BigInt(by - 1);
  const half = rest > middle || (rest === middle && sticky) ? 1 : rest === middle ? 0 : -1;
  const away = roundsAway(rounding, sign, (kept & 1n) === 1n, half);
  return { significand: away ? kept + 1n : kept, inexact: true, away };
}

/**
 * Rounds (-1)^sign · significand · 2^exponent, with something non-zero below it where `sticky`.
 * `significand` has at least two bits more than the format where it is sticky.
 */
export function round(
  env: Environment,
  format: Format,
  sign: 0 | 1,
  significand: bigint,
  exponent: number,
  sticky = false,
): Float {
  env.roundedUp = false;
  if (significand === 0n) return zero(sign);
  const { precision, minExponent } = format;
  const leading = exponent + bitLength(significand) - 1;
  const unit = leading - precision + 1;
  const normal = roundOff(env.rounding, sign, significand, unit - exponent, sticky);
  // Tiny as it would be with an unbounded exponent: after rounding.
  if (leading + (normal.significand >> BigInt(precision) ? 1 : 0) < minExponent) {
    return underflow(env, format, sign, significand, exponent, sticky, normal);
  }
  if (normal.inexact) raise(env, Exception.PE);
  env.roundedUp = normal.away;
  const result = finite(sign, normal.significand, unit);
  const top = unit + bitLength(normal.significand) - 1;
  return top > format.maxExponent ? overflow(env, format, result) : result;
}

function overflow(env: Environment, { precision, maxExponent }: Format, value: Float): Float {
  raise(env, Exception.OE);
  // Unmasked, the result is as with an unbounded exponent, and inexact only if that one is.
  if ((env.masks & Exception.OE) === 0) {
    return env.wrapsExponent ? { ...value, exponent: value.exponent - EXPONENT_WRAP } : value;
  }
  raise(env, Exception.PE);
  const toInfinity =
    env.rounding === Round.nearest ||
    (env.rounding !== Round.zero && (env.rounding === Round.up) === (value.sign === 0));
  env.roundedUp = toInfinity;
  if (toInfinity) return infinity(value.sign);
  return finite(value.sign, (1n << BigInt(precision)) - 1n, maxExponent - precision + 1);
}

function underflow(
  env: Environment,
  format: Format,
  sign: 0 | 1,
  significand: bigint,
  exponent: number,
  sticky: boolean,
  normal: Rounded,
): Float {
  const { precision, minExponent } = format;
  const unmasked = (env.masks & Exception.UE) === 0;
  if (unmasked) {
    raise(env, Exception.UE | (normal.inexact ? Exception.PE : 0));
    env.roundedUp = normal.away;
    const leading = exponent + bitLength(significand) - 1;
    const value = finite(sign, normal.significand, leading - precision + 1);
    return env.wrapsExponent ? { ...value, exponent: value.exponent + EXPONENT_WRAP } : value;
  }
  if (env.flushToZero) {
    raise(env, Exception.UE | Exception.PE);
    return zero(sign);
  }
  const unit = minExponent - precision + 1;
  const rounded = roundOff(env.rounding, sign, significand, unit - exponent, sticky);
  if (rounded.inexact) raise(env, Exception.UE | Exception.PE);
  env.roundedUp = rounded.away;
  return finite(sign, rounded.significand, unit);
}

/** Rounds to an integer, which may be any. Raises PE. */
export function roundToInteger(env: Environment, value: Float): bigint {
  env.roundedUp = false;
  if (value.significand === 0n) return 0n;
  if (value.exponent >= 0) return shift(value.significand, value.exponent);
  const rounded = roundOff(env.rounding, value.sign, value.significand, -value.exponent, false);
  if (rounded.inexact) raise(env, Exception.PE);
  env.roundedUp = rounded.away;
  return rounded.significand;
}
