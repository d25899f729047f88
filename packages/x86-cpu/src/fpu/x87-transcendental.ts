/**
 * Constants and transcendental functions of the x87, in fixed point with 64 guard bits: correct to well below one unit in
 * the last place, which is what the manual promises. SDM Vol. 1, "x87 FPU Transcendental Instruction Accuracy",
 * "Trigonometric Instructions", "Pi".
 */
import type { Execute } from "../instruction.js";
import type { Machine } from "../machine.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { noteDenormals } from "./arithmetic.js";
import {
  bitLength,
  EXTENDED,
  type Float,
  finite,
  INDEFINITE,
  infinity,
  Kind,
  shift,
  zero,
} from "./formats.js";
import { type Environment, Exception, raise, round } from "./rounding.js";
import { chooseNan } from "./x87-nan.js";
import {
  conclude,
  FSW,
  getSt,
  isEmpty,
  popStack,
  pushResult,
  pushValue,
  Status,
  setSt,
  stackFault,
  storeResult,
  waiting,
  x87Environment,
} from "./x87-state.js";

/** Fraction bits of fixed-point numbers here. */
const BITS = 192;
const SCALE = BigInt(BITS);
const ONE = 1n << SCALE;

const product = (a: bigint, b: bigint): bigint => (a * b) >> SCALE;
const quotient = (a: bigint, b: bigint): bigint => (a << SCALE) / b;

/** atan(1/n), for Machin's formula. */
function inverseTangentOf(n: bigint): bigint {
  let power = ONE / n;
  let sum = power;
  for (let k = 3n, sign = -1n; power !== 0n; k += 2n, sign = -sign) {
    power /= n * n;
    sum += (sign * power) / k;
  }
  return sum;
}

/** 2 · atanh(1/n). */
function twiceHyperbolicOf(n: bigint): bigint {
  let power = ONE / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power /= n * n;
    sum += power / k;
  }
  return sum * 2n;
}

interface Constants {
  readonly pi: bigint;
  readonly ln2: bigint;
  readonly log2e: bigint;
  readonly log2ten: bigint;
  readonly log10two: bigint;
}

let computed: Constants | undefined;

/** Computed on first use: most programs never come here. */
function constants(): Constants {
  if (computed) return computed;
  const pi = 16n * inverseTangentOf(5n) - 4n * inverseTangentOf(239n);
  const ln2 = twiceHyperbolicOf(3n);
  // ln 10 = 3 ln 2 + ln 1.25, and ln 1.25 = 2 atanh(1/9).
  const log2ten = quotient(3n * ln2 + twiceHyperbolicOf(9n), ln2);
  computed = { pi, ln2, log2e: quotient(ONE, ln2), log2ten, log10two: quotient(ONE, log2ten) };
  return computed;
}

/** What the processor reduces arguments by: pi to 66 bits (SDM Vol. 1, "Approximation of Pi"). */
function processorPi(): bigint {
  const dropped = BigInt(BITS + 2 - 66);
  return (constants().pi >> dropped) << dropped;
}

// --- conversions ---

/** A number as fixed point; small enough for it. */
function toFixed(value: Float): bigint {
  const magnitude = shift(value.significand, value.exponent + BITS);
  return value.sign ? -magnitude : magnitude;
}

/** Rounds a fixed-point value, which is never exact, times 2^exponent. */
function fromFixed(env: Environment, value: bigint, exponent = 0): Float {
  const magnitude = value < 0n ? -value : value;
  return round(env, EXTENDED, value < 0n ? 1 : 0, magnitude, exponent - BITS, true);
}

/** Exponent of the leading bit. */
function leading(value: Float): number {
  return value.exponent + bitLength(value.significand) - 1;
}

/**
 * A value that differs from `value` by less than anything that rounds: the function is its argument there, but for a
 * little more (`outwards`) or less.
 */
function nudged(env: Environment, value: Float, outwards: boolean): Float {
  const wide = value.significand << 80n;
  return round(env, EXTENDED, value.sign, outwards ? wide : wide - 1n, value.exponent - 80, true);
}

// --- series ---

/** Sine and cosine of a fixed-point angle below about 1. */
function sinCosSeries(angle: bigint): readonly [sine: bigint, cosine: bigint] {
  const square = product(angle, angle);
  const series = (first: bigint, start: bigint) => {
    let term = first;
    let sum = first;
    for (let k = start; term !== 0n; k += 2n) {
      term = -product(term, square) / (k * (k + 1n));
      sum += term;
    }
    return sum;
  };
  return [series(angle, 2n), series(ONE, 1n)];
}

/** e^x - 1 for a fixed-point x below 1 in magnitude. */
function expm1Series(x: bigint): bigint {
  let term = x;
  let sum = x;
  for (let k = 2n; term !== 0n && term !== -1n; k++) {
    term = product(term, x) / k;
    sum += term;
  }
  return sum;
}

/** Natural logarithm of a fixed-point value between 1/2 and 2. */
function logSeries(x: bigint): bigint {
  const ratio = quotient(x - ONE, x + ONE);
  const square = product(ratio, ratio);
  // Of the magnitude, because products round towards minus infinity and a negative power would never be zero.
  let power = ratio < 0n ? -ratio : ratio;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = product(power, square);
    sum += power / k;
  }
  return ratio < 0n ? -sum * 2n : sum * 2n;
}

/** Arc tangent of a fixed-point value from 0 to 1, halving the angle three times first. */
function arcTangent(x: bigint): bigint {
  let reduced = x;
  for (let n = 0; n < 3; n++) {
    const root = squareRootFixed(ONE + product(reduced, reduced));
    reduced = quotient(reduced, ONE + root);
  }
  const square = product(reduced, reduced);
  let power = reduced;
  let sum = reduced;
  for (let k = 3n, sign = -1n; power !== 0n; k += 2n, sign = -sign) {
    power = product(power, square);
    sum += (sign * power) / k;
  }
  return sum << 3n;
}

function squareRootFixed(value: bigint): bigint {
  const radicand = value << SCALE;
  let root = 1n << BigInt((bitLength(radicand) + 1) >> 1);
  for (;;) {
    const next = (root + radicand / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

// --- trigonometric functions ---

/** Below 2^-35 the cubic term is out of sight of the last place, and so is the square for the cosine. */
const TINY = -35;
const OUT_OF_RANGE = 63;

interface Angle {
  readonly sine: bigint;
  readonly cosine: bigint;
}

/** Sine and cosine after reduction by multiples of pi/2. */
function evaluate(value: Float): Angle {
  const halfPi = processorPi() >> 1n;
  const x = toFixed(value);
  let turns = x / halfPi;
  let rest = x - turns * halfPi;
  if (rest * 2n > halfPi) {
    rest -= halfPi;
    turns += 1n;
  } else if (rest * 2n < -halfPi) {
    rest += halfPi;
    turns -= 1n;
  }
  const [sine, cosine] = sinCosSeries(rest);
  const quadrant = Number(((turns % 4n) + 4n) % 4n);
  if (quadrant === 0) return { sine, cosine };
  if (quadrant === 1) return { sine: cosine, cosine: -sine };
  return quadrant === 2 ? { sine: -sine, cosine: -cosine } : { sine: -cosine, cosine: sine };
}

type Part = "sine" | "cosine" | "tangent";

function trigonometric(env: Environment, value: Float, part: Part): Float {
  if (value.kind === Kind.zero) return part === "cosine" ? finite(0, 1n, 0) : value;
  noteDenormals(env, value);
  if (leading(value) < TINY) {
    return part === "cosine" ? nudged(env, finite(0, 1n, 0), false) : nudged(env, value, part === "tangent");
  }
  const { sine, cosine } = evaluate(value);
  return fromFixed(env, part === "sine" ? sine : part === "cosine" ? cosine : quotient(sine, cosine));
}

function invalid(env: Environment): Float {
  raise(env, Exception.IE);
  return INDEFINITE;
}

/** Whether the argument is too large to be reduced: C2 is set and nothing else happens. */
function isOutOfRange(m: Machine): boolean {
  const value = getSt(m, 0);
  const far = !isEmpty(m, 0) && value.kind === Kind.finite && leading(value) >= OUT_OF_RANGE;
  m.i32[FSW] = far ? (m.i32[FSW]! & ~Status.C1) | Status.C2 : m.i32[FSW]! & ~Status.C2;
  return far;
}

function sineOrCosine(part: Part): Execute {
  return waiting((m) => {
    if (isOutOfRange(m)) return;
    storeResult(m, 0, [0], (env) => {
      const value = getSt(m, 0);
      const nan = chooseNan(env, value, value);
      return nan ?? (value.kind === Kind.infinity ? invalid(env) : trigonometric(env, value, part));
    });
  });
}

/** FSINCOS and FPTAN: two results, the second of which is pushed. */
function pushing(first: Part, second: (env: Environment, value: Float) => Float): Execute {
  return waiting((m) => {
    if (isEmpty(m, 0) || !isEmpty(m, 7)) {
      m.i32[FSW] = m.i32[FSW]! & ~Status.C2;
      if (stackFault(m, !isEmpty(m, 0))) replaceAndPush(m, INDEFINITE, INDEFINITE);
      return;
    }
    if (isOutOfRange(m)) return;
    const env = x87Environment(m);
    const value = getSt(m, 0);
    const bad = chooseNan(env, value, value) ?? (value.kind === Kind.infinity ? invalid(env) : undefined);
    const below = bad ?? trigonometric(env, value, first);
    const above = bad ?? second(env, value);
    if (conclude(m, env)) replaceAndPush(m, below, above);
  });
}

function replaceAndPush(m: Machine, below: Float, above: Float): void {
  setSt(m, 0, below);
  pushValue(m, above);
}

/** FPATAN: the angle of the point (ST(0), ST(1)). SDM Vol. 2A, table "FPATAN Results". */
function angleOf(env: Environment, y: Float, x: Float): Float {
  const { pi } = constants();
  const fraction = (numerator: bigint, denominator: bigint) => {
    const angle = (pi * numerator) / denominator;
    return fromFixed(env, y.sign ? -angle : angle);
  };
  if (y.kind === Kind.infinity) {
    noteDenormals(env, x);
    if (x.kind === Kind.infinity) return x.sign ? fraction(3n, 4n) : fraction(1n, 4n);
    return fraction(1n, 2n);
  }
  noteDenormals(env, y, x);
  if (x.kind === Kind.infinity || y.kind === Kind.zero) return x.sign ? fraction(1n, 1n) : zero(y.sign);
  if (x.kind === Kind.zero) return fraction(1n, 2n);
  return finiteAngle(env, y, x);
}

function finiteAngle(env: Environment, y: Float, x: Float): Float {
  const { pi } = constants();
  const distance = leading(y) - leading(x);
  if (distance > 130) return fromFixed(env, y.sign ? -(pi >> 1n) : pi >> 1n);
  if (distance < -130 && x.sign) return fromFixed(env, y.sign ? -pi : pi);
  if (distance < -40 && !x.sign) {
    // The angle is y/x, less a cube that is out of sight.
    const by = 100 + bitLength(x.significand);
    const ratio = (y.significand << BigInt(by)) / x.significand;
    return round(env, EXTENDED, y.sign, ratio, y.exponent - x.exponent - by, true);
  }
  const common = Math.min(y.exponent, x.exponent);
  const [rise, run] = [shift(y.significand, y.exponent - common), shift(x.significand, x.exponent - common)];
  const steep = rise > run;
  const flat = arcTangent(steep ? quotient(run, rise) : quotient(rise, run));
  let angle = steep ? (pi >> 1n) - flat : flat;
  if (x.sign) angle = pi - angle;
  return fromFixed(env, y.sign ? -angle : angle);
}

// --- logarithms and powers ---

/** F2XM1: 2^x - 1 for x from -1 to 1; beyond, the manual leaves the result open. */
function powerLessOne(env: Environment, x: Float): Float {
  if (x.kind === Kind.zero) return x;
  if (x.kind === Kind.infinity) return x.sign ? finite(1, 1n, 0) : x;
  noteDenormals(env, x);
  const { ln2 } = constants();
  if (leading(x) >= 0) return leading(x) === 0 && isPowerOfTwo(x) ? edgeOfPower(x) : x;
  if (leading(x) < -70) return scaled(env, x, ln2);
  return fromFixed(env, expm1Series(product(toFixed(x), ln2)));
}

function isPowerOfTwo({ significand }: Float): boolean {
  return (significand & (significand - 1n)) === 0n;
}

/** 2^1 - 1 and 2^-1 - 1. */
function edgeOfPower({ sign }: Float): Float {
  return sign ? finite(1, 1n, -1) : finite(0, 1n, 0);
}

/** `value` times a fixed-point constant, for values too small to be fixed point themselves. */
function scaled(env: Environment, value: Float, factor: bigint): Float {
  return round(env, EXTENDED, value.sign, value.significand * factor, value.exponent - BITS, true);
}

/** log2 of a positive number, as fixed point, with 64 bits of significance even next to 1. */
function log2Fixed(x: Float): bigint {
  const { ln2 } = constants();
  let exponent = leading(x);
  let mantissa = shift(x.significand, x.exponent - exponent + BITS);
  // Near 1 from below, the logarithm is small, not -1 plus something.
  if (mantissa * 3n > ONE * 4n) {
    exponent += 1;
    mantissa >>= 1n;
  }
  return (BigInt(exponent) << SCALE) + quotient(logSeries(mantissa), ln2);
}

/** FYL2X: y · log2 x. SDM Vol. 2A, table "FYL2X Results". */
function timesLog2(env: Environment, y: Float, x: Float): Float {
  if (x.sign && x.kind !== Kind.zero) return invalid(env);
  const isOne = x.kind === Kind.finite && leading(x) === 0 && isPowerOfTwo(x);
  if (y.kind === Kind.infinity) {
    if (isOne) return invalid(env);
    noteDenormals(env, x);
    const grows = x.kind === Kind.infinity || (x.kind === Kind.finite && leading(x) >= 0);
    return infinity((grows ? y.sign : y.sign ^ 1) as 0 | 1);
  }
  if (x.kind === Kind.infinity) return timesInfinity(env, y, 0);
  if (x.kind === Kind.zero) {
    if (y.kind === Kind.zero) return invalid(env);
    raise(env, Exception.ZE);
    return infinity((y.sign ^ 1) as 0 | 1);
  }
  noteDenormals(env, y, x);
  if (isOne || y.kind === Kind.zero) {
    const negative = leading(x) < 0;
    return zero((negative ? y.sign ^ 1 : y.sign) as 0 | 1);
  }
  return timesFixed(env, y, log2Fixed(x), isPowerOfTwo(x));
}

function timesInfinity(env: Environment, y: Float, sign: number): Float {
  if (y.kind === Kind.zero) return invalid(env);
  noteDenormals(env, y);
  return infinity((y.sign ^ sign) as 0 | 1);
}

/** `y` times a fixed-point value; exact where that is an integer. */
function timesFixed(env: Environment, y: Float, value: bigint, exact: boolean): Float {
  const magnitude = value < 0n ? -value : value;
  const sign = (value < 0n ? y.sign ^ 1 : y.sign) as 0 | 1;
  return round(env, EXTENDED, sign, y.significand * magnitude, y.exponent - BITS, !exact);
}

/** FYL2XP1: y · log2(x + 1), for x from -(1 - √½) to √2 - 1; beyond, the manual leaves the result open. */
function timesLog2OfSum(env: Environment, y: Float, x: Float): Float {
  if (x.kind === Kind.infinity) return x.sign ? invalid(env) : timesInfinity(env, y, 0);
  if (y.kind === Kind.infinity) {
    if (x.kind === Kind.zero) return invalid(env);
    noteDenormals(env, x);
    return infinity((y.sign ^ x.sign) as 0 | 1);
  }
  noteDenormals(env, y, x);
  if (x.kind === Kind.zero || y.kind === Kind.zero) return zero((x.sign ^ y.sign) as 0 | 1);
  const { log2e } = constants();
  if (leading(x) < -70) {
    const sign = (x.sign ^ y.sign) as 0 | 1;
    return round(
      env,
      EXTENDED,
      sign,
      x.significand * y.significand * log2e,
      x.exponent + y.exponent - BITS,
      true,
    );
  }
  if (leading(x) >= 0 && x.sign) return invalid(env);
  // The series is for small x; next to -1 it would not come to an end.
  if (leading(x) >= 0 || (x.sign && leading(x) >= -2))
    return timesFixed(env, y, log2Fixed(plusOne(x)), false);
  return timesFixed(env, y, quotient(logSeries(ONE + toFixed(x)), constants().ln2), false);
}

function plusOne(x: Float): Float {
  if (leading(x) > 200) return x;
  const common = Math.min(x.exponent, 0);
  const magnitude = shift(x.significand, x.exponent - common);
  return finite(0, shift(1n, -common) + (x.sign ? -magnitude : magnitude), common);
}

/** ST(1) op ST(0) to ST(1), and pop. */
function twoOperands(operation: (env: Environment, y: Float, x: Float) => Float): Execute {
  return waiting((m) => {
    const done = storeResult(m, 1, [0, 1], (env) => {
      const [y, x] = [getSt(m, 1), getSt(m, 0)];
      return chooseNan(env, y, x) ?? operation(env, y, x);
    });
    if (done) popStack(m);
  });
}

/** FLDPI and its kin: rounded as RC says, but silently. */
function constant(value: (c: Constants) => bigint): Execute {
  return waiting((m) => {
    pushResult(m, (env) => {
      const rounded = fromFixed(env, value(constants()));
      env.flags = 0;
      env.roundedUp = false;
      return rounded;
    });
  });
}

function exact(value: Float): Execute {
  return waiting((m) => pushResult(m, () => value));
}

export const x87Transcendental: SemanticsTable = {
  fld1: exact(finite(0, 1n, 0)),
  fldz: exact(zero(0)),
  fldpi: constant(({ pi }) => pi),
  fldl2e: constant(({ log2e }) => log2e),
  fldl2t: constant(({ log2ten }) => log2ten),
  fldlg2: constant(({ log10two }) => log10two),
  fldln2: constant(({ ln2 }) => ln2),
  fsin: sineOrCosine("sine"),
  fcos: sineOrCosine("cosine"),
  fsincos: pushing("sine", (env, value) => trigonometric(env, value, "cosine")),
  fptan: pushing("tangent", () => finite(0, 1n, 0)),
  fpatan: twoOperands(angleOf),
  f2xm1: waiting((m) => {
    storeResult(m, 0, [0], (env) => {
      const value = getSt(m, 0);
      return chooseNan(env, value, value) ?? powerLessOne(env, value);
    });
  }),
  fyl2x: twoOperands(timesLog2),
  fyl2xp1: twoOperands(timesLog2OfSum),
};
