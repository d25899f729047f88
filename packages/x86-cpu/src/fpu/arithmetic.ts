/**
 * Add, subtract, multiply, divide, square root and comparison of finite numbers, zeros and infinities, in any format.
 * NaN operands are handled before, because SSE and the x87 choose differently among them.
 * SDM Vol. 1, "Operations Producing…", table "Masked Responses".
 */
import { bitLength, type Float, type Format, INDEFINITE, infinity, Kind, shift, zero } from "./formats.js";
import { type Environment, Exception, Round, raise, round } from "./rounding.js";

function invalid(env: Environment): Float {
  raise(env, Exception.IE);
  return INDEFINITE;
}

/** Notes a denormal operand. Invalid operations and divisions by zero come before it. */
function noteDenormals(env: Environment, ...operands: readonly Float[]): void {
  if (operands.some(({ denormal }) => denormal)) raise(env, Exception.DE);
}

function negate(value: Float): Float {
  return { ...value, sign: (value.sign ^ 1) as 0 | 1 };
}

export function add(env: Environment, format: Format, a: Float, b: Float): Float {
  if (a.kind === Kind.infinity || b.kind === Kind.infinity) {
    if (a.kind === b.kind && a.sign !== b.sign) return invalid(env);
    noteDenormals(env, a, b);
    return a.kind === Kind.infinity ? a : b;
  }
  noteDenormals(env, a, b);
  if (a.kind === Kind.zero && b.kind === Kind.zero) {
    return a.sign === b.sign ? a : zero(env.rounding === Round.down ? 1 : 0);
  }
  return addFinite(env, format, a, b);
}

/** Beyond this distance the smaller operand cannot reach the last kept bit; it is only sticky. */
const FAR = 200;

function addFinite(env: Environment, format: Format, a: Float, b: Float): Float {
  if (a.kind === Kind.zero || b.kind === Kind.zero) {
    const { sign, significand, exponent } = a.kind === Kind.zero ? b : a;
    return round(env, format, sign, significand, exponent);
  }
  const [large, small] = a.exponent >= b.exponent ? [a, b] : [b, a];
  const distance = large.exponent - small.exponent;
  if (distance > FAR) return addFar(env, format, large, small);
  const signed = (value: Float, magnitude: bigint) => (value.sign ? -magnitude : magnitude);
  const sum = signed(large, large.significand << BigInt(distance)) + signed(small, small.significand);
  if (sum === 0n) return zero(env.rounding === Round.down ? 1 : 0);
  return round(env, format, sum < 0n ? 1 : 0, sum < 0n ? -sum : sum, small.exponent);
}

/** The small operand moves the large one by less than its last bit, up or down. */
function addFar(env: Environment, format: Format, large: Float, small: Float): Float {
  const widened = large.significand << 80n;
  const magnitude = large.sign === small.sign ? widened : widened - 1n;
  return round(env, format, large.sign, magnitude, large.exponent - 80, true);
}

export function subtract(env: Environment, format: Format, a: Float, b: Float): Float {
  return add(env, format, a, negate(b));
}

export function multiply(env: Environment, format: Format, a: Float, b: Float): Float {
  const sign = (a.sign ^ b.sign) as 0 | 1;
  const anyInfinite = a.kind === Kind.infinity || b.kind === Kind.infinity;
  const anyZero = a.kind === Kind.zero || b.kind === Kind.zero;
  if (anyInfinite && anyZero) return invalid(env);
  noteDenormals(env, a, b);
  if (anyInfinite) return infinity(sign);
  if (anyZero) return zero(sign);
  return round(env, format, sign, a.significand * b.significand, a.exponent + b.exponent);
}

export function divide(env: Environment, format: Format, a: Float, b: Float): Float {
  const sign = (a.sign ^ b.sign) as 0 | 1;
  if (a.kind === b.kind && (a.kind === Kind.infinity || a.kind === Kind.zero)) return invalid(env);
  if (b.kind === Kind.zero && a.kind === Kind.finite) {
    raise(env, Exception.ZE);
    return infinity(sign);
  }
  noteDenormals(env, a, b);
  if (a.kind === Kind.infinity) return infinity(sign);
  if (b.kind === Kind.infinity || a.kind === Kind.zero) return zero(sign);
  const by = format.precision + 2 + Math.max(0, bitLength(b.significand) - bitLength(a.significand));
  const dividend = a.significand << BigInt(by);
  const quotient = dividend / b.significand;
  const exact = quotient * b.significand === dividend;
  return round(env, format, sign, quotient, a.exponent - b.exponent - by, !exact);
}

export function squareRoot(env: Environment, format: Format, a: Float): Float {
  if (a.kind === Kind.zero) return a;
  if (a.sign === 1) return invalid(env);
  if (a.kind === Kind.infinity) return a;
  noteDenormals(env, a);
  // Twice the precision, and an even exponent.
  let by = Math.max(0, 2 * format.precision + 4 - bitLength(a.significand));
  if ((a.exponent - by) & 1) by++;
  const radicand = a.significand << BigInt(by);
  const root = integerRoot(radicand);
  return round(env, format, 0, root, (a.exponent - by) / 2, root * root !== radicand);
}

/** Floor of the square root, by Newton's iteration from above. */
export function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** -1, 0 or 1 as `a` is less than, equal to or greater than `b`; neither is a NaN. */
export function compare(a: Float, b: Float): number {
  const [left, right] = [rank(a), rank(b)];
  if (left !== right) return left < right ? -1 : 1;
  if (a.kind !== Kind.finite) return 0;
  const magnitude = compareMagnitudes(a, b);
  return a.sign ? -magnitude : magnitude;
}

/** Order of the classes: -inf, negative, zero, positive, +inf. */
function rank({ kind, sign }: Float): number {
  if (kind === Kind.zero) return 0;
  const magnitude = kind === Kind.infinity ? 2 : 1;
  return sign ? -magnitude : magnitude;
}

function compareMagnitudes(a: Float, b: Float): number {
  const leading = (value: Float) => value.exponent + bitLength(value.significand);
  if (leading(a) !== leading(b)) return leading(a) < leading(b) ? -1 : 1;
  const common = Math.min(a.exponent, b.exponent);
  const left = shift(a.significand, a.exponent - common);
  const right = shift(b.significand, b.exponent - common);
  return left === right ? 0 : left < right ? -1 : 1;
}

export { noteDenormals };
