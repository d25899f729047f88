/**
 * ADD, SUB, MUL, DIV, SQRT, MIN, MAX, RCP and RSQRT of SSE and SSE2, packed and scalar.
 *
 * Where MXCSR is plain and operands and result are normal, the host's arithmetic is exact to the bit; everything else
 * goes through the soft-float functions. SDM Vol. 1, "SSE and SSE2 SIMD Floating-Point Exceptions"; table "Rules for
 * Handling NaNs".
 */
import type { Execute } from "../instruction.js";
import type { Machine } from "../machine.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { add, compare, divide, multiply, noteDenormals, squareRoot, subtract } from "./arithmetic.js";
import {
  DOUBLE,
  type Float,
  type Format,
  isNan,
  Kind,
  packDouble,
  packSingle,
  quiet,
  SINGLE,
  unpackDouble,
  unpackSingle,
  zero,
} from "./formats.js";
import { type Environment, Exception, raise } from "./rounding.js";
import {
  checkSse,
  commitResult,
  denormalsAreZeros,
  isPlain,
  result,
  signal,
  sourceOffset,
  sseEnvironment,
} from "./sse-state.js";

/** One operation on two numbers. */
interface Operation {
  /** The host's arithmetic; NaN where it must not be used. */
  readonly host: (a: number, b: number) => number;
  /** A zero result of non-zero operands is exact, not an underflow. */
  readonly zeroIsExact: boolean;
  readonly soft: (env: Environment, format: Format, a: Float, b: Float) => Float;
  /** Only the second operand counts (SQRT). */
  readonly unary: boolean;
}

/** SSE's choice among NaNs: the first operand if it is one, else the second. SNaNs raise IE and become quiet. */
export function propagateNan(env: Environment, a: Float, b: Float): Float {
  if (a.kind === Kind.signalingNan || b.kind === Kind.signalingNan) raise(env, Exception.IE);
  return quiet(isNan(a) ? a : b);
}

type Soft = (env: Environment, format: Format, a: Float, b: Float) => Float;

function withNans(operation: Soft): Soft {
  return (env, format, a, b) =>
    isNan(a) || isNan(b) ? propagateNan(env, a, b) : operation(env, format, a, b);
}

const binary = { zeroIsExact: false, unary: false };

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: { ...binary, host: (a, b) => a + b, zeroIsExact: true, soft: withNans(add) },
  sub: { ...binary, host: (a, b) => a - b, zeroIsExact: true, soft: withNans(subtract) },
  mul: { ...binary, host: (a, b) => a * b, soft: withNans(multiply) },
  div: { ...binary, host: (a, b) => a / b, soft: withNans(divide) },
  sqrt: {
    host: (_a, b) => Math.sqrt(b),
    zeroIsExact: false,
    unary: true,
    soft: (env, format, _a, b) => (isNan(b) ? propagateNan(env, b, b) : squareRoot(env, format, b)),
  },
  min: { ...binary, host: lesser, zeroIsExact: true, soft: extremum(-1) },
  max: { ...binary, host: greater, zeroIsExact: true, soft: extremum(1) },
};

/** Of two zeros the second, whatever their signs: not Math.min and Math.max. */
function lesser(a: number, b: number): number {
  if (a < b) return a;
  return b;
}

function greater(a: number, b: number): number {
  if (a > b) return a;
  return b;
}

/** MIN and MAX give the second operand for NaNs (any raises IE) and for two zeros (SDM Vol. 2B, "MINPD", "MAXPD"). */
function extremum(wanted: number): Soft {
  return (env, _format, a, b) => {
    if (isNan(a) || isNan(b)) {
      raise(env, Exception.IE);
      return b;
    }
    noteDenormals(env, a, b);
    return compare(a, b) === wanted ? a : b;
  };
}

const MIN_DOUBLE = 2 ** -1022;
const MAX_DOUBLE = Number.MAX_VALUE;
const MIN_SINGLE = 2 ** -126;
const MAX_SINGLE = 3.4028234663852886e38;

/** Whether a number is zero or normal. */
function isOrdinary(value: number, min: number, max: number): boolean {
  const magnitude = Math.abs(value);
  return (magnitude >= min && magnitude <= max) || value === 0;
}

/** Whether host arithmetic has raised nothing but PE. */
function isUneventful(
  { zeroIsExact }: Operation,
  a: number,
  b: number,
  r: number,
  min: number,
  max: number,
): boolean {
  const magnitude = Math.abs(r);
  const normal = magnitude >= min && magnitude <= max;
  if (!normal && !(r === 0 && (zeroIsExact || a === 0 || b === 0))) return false;
  return isOrdinary(a, min, max) && isOrdinary(b, min, max);
}

export function flushDenormal(value: Float): Float {
  return value.denormal ? zero(value.sign) : value;
}

function doubleElement(
  m: Machine,
  operation: Operation,
  plain: boolean,
  at: number,
  from: number,
  to: number,
): void {
  const { view } = m;
  if (plain) {
    const b = view.getFloat64(from, true);
    const a = operation.unary ? b : view.getFloat64(at, true);
    const r = operation.host(a, b);
    if (isUneventful(operation, a, b, r, MIN_DOUBLE, MAX_DOUBLE)) {
      result.setFloat64(to, r, true);
      return;
    }
  }
  let a = unpackDouble(view.getBigUint64(at, true));
  let b = unpackDouble(view.getBigUint64(from, true));
  if (denormalsAreZeros(m)) [a, b] = [flushDenormal(a), flushDenormal(b)];
  result.setBigUint64(to, packDouble(operation.soft(environment, DOUBLE, a, b)), true);
}

function singleElement(
  m: Machine,
  operation: Operation,
  plain: boolean,
  at: number,
  from: number,
  to: number,
): void {
  const { view } = m;
  if (plain) {
    const b = view.getFloat32(from, true);
    const a = operation.unary ? b : view.getFloat32(at, true);
    const r = Math.fround(operation.host(a, b));
    if (isUneventful(operation, a, b, r, MIN_SINGLE, MAX_SINGLE)) {
      result.setFloat32(to, r, true);
      return;
    }
  }
  let a = unpackSingle(view.getInt32(at, true));
  let b = unpackSingle(view.getInt32(from, true));
  if (denormalsAreZeros(m)) [a, b] = [flushDenormal(a), flushDenormal(b)];
  result.setInt32(to, packSingle(operation.soft(environment, SINGLE, a, b)), true);
}

/** The environment of the instruction in progress. */
let environment: Environment;

type Element = typeof doubleElement;

/** One instruction: `count` elements of `size` bytes from a source of `size * count` bytes. */
function elementwise(operation: Operation, element: Element, size: number, count: number): Execute {
  return (m, i) => {
    checkSse(m);
    const source = sourceOffset(m, i, i.b, size * count);
    environment = sseEnvironment(m);
    const plain = isPlain(m);
    for (let n = 0; n < count; n++)
      element(m, operation, plain, i.a.index + n * size, source + n * size, n * size);
    signal(m, environment);
    commitResult(m, i.a, size * count);
  };
}

/** Suffix, element, its bytes, and elements of an instruction. */
const SHAPES: readonly (readonly [suffix: string, element: Element, size: number, count: number])[] = [
  ["ps", singleElement, 4, 4],
  ["pd", doubleElement, 8, 2],
  ["ss", singleElement, 4, 1],
  ["sd", doubleElement, 8, 1],
];

/**
 * RCP and RSQRT: no exceptions, denormals count as zeros in and out. The manual bounds the relative error by 1.5 · 2^-12;
 * these are correctly rounded to single precision.
 */
function approximation(function_: (value: number) => number, count: number): Execute {
  return (m, i) => {
    checkSse(m);
    const source = sourceOffset(m, i, i.b, 4 * count);
    for (let n = 0; n < count * 4; n += 4) {
      const bits = m.view.getInt32(source + n, true);
      const value = m.view.getFloat32(source + n, true);
      if (Number.isNaN(value)) result.setInt32(n, bits | 0x400000, true);
      else {
        const flushed = Math.abs(value) < MIN_SINGLE ? (bits < 0 ? -0 : 0) : value;
        result.setFloat32(n, function_(flushed), true);
        if (Math.abs(result.getFloat32(n, true)) < MIN_SINGLE) result.setInt32(n, bits & 0x80000000, true);
        else if (Number.isNaN(result.getFloat32(n, true))) result.setInt32(n, INDEFINITE_SINGLE, true);
      }
    }
    commitResult(m, i.a, 4 * count);
  };
}

const INDEFINITE_SINGLE = 0xffc00000 | 0;
const reciprocal = (value: number): number => 1 / value;
const reciprocalRoot = (value: number): number => (value === 0 ? 1 / value : 1 / Math.sqrt(value));

export const sseArithmetic: SemanticsTable = {
  ...Object.fromEntries(
    Object.entries(OPERATIONS).flatMap(([stem, operation]) =>
      SHAPES.map(
        ([suffix, element, size, count]) =>
          [`${stem}${suffix}`, elementwise(operation, element, size, count)] as const,
      ),
    ),
  ),
  rcpps: approximation(reciprocal, 4),
  rcpss: approximation(reciprocal, 1),
  rsqrtps: approximation(reciprocalRoot, 4),
  rsqrtss: approximation(reciprocalRoot, 1),
};
