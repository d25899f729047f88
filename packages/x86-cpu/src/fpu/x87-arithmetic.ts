/** SDM Vol. 1, "x87 FPU Basic Arithmetic Instructions", "x87 FPU Comparison Instructions". */
import { RFLAGS, STATUS_FLAGS } from "../architecture.js";
import { setStatus } from "../flags.js";
import { type Execute, type Instruction, OperandKind } from "../instruction.js";
import type { Machine } from "../machine.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { add, compare, divide, multiply, noteDenormals, squareRoot, subtract } from "./arithmetic.js";
import {
  bitLength,
  EXTENDED,
  type Float,
  finite,
  INDEFINITE,
  infinity,
  isNan,
  Kind,
  zero,
} from "./formats.js";
import { type Environment, Exception, raise, round, roundToInteger } from "./rounding.js";
import { memoryInteger, memoryReal } from "./x87-memory.js";
import { chooseNan, guarded, type Operation } from "./x87-nan.js";
import {
  CONDITIONS,
  conclude,
  FSW,
  getSt,
  isEmpty,
  popStack,
  precision,
  pushValue,
  Status,
  setSt,
  stackFault,
  stOffset,
  storeResult,
  waiting,
  x87Environment,
} from "./x87-state.js";

const reversed =
  (operation: Operation): Operation =>
  (env, format, a, b) =>
    operation(env, format, b, a);

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: guarded(add),
  sub: guarded(subtract),
  subr: guarded(reversed(subtract)),
  mul: guarded(multiply),
  div: guarded(divide),
  divr: guarded(reversed(divide)),
};

/** `FADD st(0), st(i)` and `FADD st(i), st(0)`; the destination is the first operand. */
function betweenRegisters(operation: Operation, pops: boolean): Execute {
  return waiting((m, i) => {
    const to = i.a.register;
    const from = i.b.kind === OperandKind.st ? i.b.register : 0;
    const done = storeResult(m, to, [to, from], (env) =>
      operation(env, precision(m), getSt(m, to), getSt(m, from)),
    );
    if (done && pops) popStack(m);
  });
}

/** With an operand from memory, which is fetched before anything is raised. */
function withMemory(operation: Operation, isInteger: boolean): Execute {
  return waiting((m, i) => {
    const fetched = isInteger ? memoryInteger(m, i) : memoryReal(m, i);
    storeResult(m, 0, [0], (env) => operation(env, precision(m), getSt(m, 0), fetched));
  });
}

const arithmetic: SemanticsTable = Object.fromEntries(
  Object.entries(OPERATIONS).flatMap(([stem, operation]) => [
    [`f${stem}`, betweenRegisters(operation, false)],
    [`f${stem} m32`, withMemory(operation, false)],
    [`f${stem} m64`, withMemory(operation, false)],
    [`f${stem}p`, betweenRegisters(operation, true)],
    [`fi${stem}`, withMemory(operation, true)],
  ]),
);

/** A function of ST(0) to ST(0). */
function unary(operation: (env: Environment, m: Machine, value: Float) => Float): Execute {
  return waiting((m) => {
    storeResult(m, 0, [0], (env) => {
      const value = getSt(m, 0);
      return chooseNan(env, value, value) ?? operation(env, m, value);
    });
  });
}

const fsqrt = unary((env, m, value) => squareRoot(env, precision(m), value));

const frndint = unary((env, _m, value) => {
  if (value.kind !== Kind.finite) return value;
  noteDenormals(env, value);
  const magnitude = roundToInteger(env, value);
  return magnitude === 0n ? zero(value.sign) : finite(value.sign, magnitude, 0);
});

/** FABS and FCHS change the sign of whatever is there. */
function signOnly(change: (signByte: number) => number): Execute {
  return waiting((m) => {
    if (isEmpty(m, 0)) {
      storeResult(m, 0, [0], () => INDEFINITE);
      return;
    }
    const at = stOffset(m, 0) + 9;
    m.u8[at] = change(m.u8[at]!);
    m.i32[FSW] = m.i32[FSW]! & ~Status.C1;
  });
}

/** Exponent of the leading bit. */
function leading(value: Float): number {
  return value.exponent + bitLength(value.significand) - 1;
}

/** FSCALE: ST(0) times 2 to ST(1), truncated to an integer. */
const scale: Operation = (env, _format, a, b) => {
  if (b.kind === Kind.infinity) {
    const toZero = b.sign === 1;
    if (toZero ? a.kind === Kind.infinity : a.kind === Kind.zero) {
      raise(env, Exception.IE);
      return INDEFINITE;
    }
    noteDenormals(env, a);
    return toZero ? zero(a.sign) : infinity(a.sign);
  }
  noteDenormals(env, a, b);
  if (a.kind !== Kind.finite || b.kind === Kind.zero)
    return a.kind === Kind.finite ? roundedAgain(env, a, 0) : a;
  const large = leading(b) > 16;
  const magnitude = large ? 1 << 17 : Number(truncate(b));
  return roundedAgain(env, a, b.sign ? -magnitude : magnitude);
};

function truncate({ significand, exponent }: Float): bigint {
  return exponent >= 0 ? significand << BigInt(exponent) : significand >> BigInt(-exponent);
}

/** What is out of range even with the biased exponent of an unmasked overflow or underflow becomes infinite or zero. */
function roundedAgain(env: Environment, a: Float, by: number): Float {
  const value = round(env, EXTENDED, a.sign, a.significand, a.exponent + by);
  if (value.kind !== Kind.finite || (env.masks & (Exception.OE | Exception.UE) & env.flags) !== 0)
    return value;
  const tooLarge = leading(value) > EXTENDED.maxExponent;
  if (!tooLarge && (leading(value) >= EXTENDED.minExponent || (env.flags & Exception.UE) === 0)) return value;
  raise(env, Exception.PE);
  env.roundedUp = tooLarge;
  return tooLarge ? infinity(a.sign) : zero(a.sign);
}

/** FXTRACT: the exponent in ST(0), and the significand pushed. */
const fxtract = waiting((m) => {
  if (isEmpty(m, 0) || !isEmpty(m, 7)) {
    const overflow = !isEmpty(m, 0);
    if (!stackFault(m, overflow)) return;
    replaceAndPush(m, INDEFINITE, INDEFINITE);
    return;
  }
  const env = x87Environment(m);
  const [exponent, significand] = extract(env, getSt(m, 0));
  if (conclude(m, env)) replaceAndPush(m, exponent, significand);
});

function extract(env: Environment, value: Float): readonly [Float, Float] {
  const nan = chooseNan(env, value, value);
  if (nan) return [nan, nan];
  if (value.kind === Kind.infinity) return [infinity(0), value];
  if (value.kind === Kind.zero) {
    raise(env, Exception.ZE);
    return [infinity(1), value];
  }
  noteDenormals(env, value);
  const exponent = leading(value);
  const significand = { ...value, exponent: value.exponent - exponent, denormal: false };
  return [finite(exponent < 0 ? 1 : 0, BigInt(Math.abs(exponent)), 0), significand];
}

/** The new ST(1), then the new ST(0). */
export function replaceAndPush(m: Machine, below: Float, above: Float): void {
  setSt(m, 0, below);
  pushValue(m, above);
}

// --- partial remainders ---

/** Quotient bits in C0, C3, C1; C2 where the reduction is not complete (SDM Vol. 2A, "FPREM"). */
function remainder(nearest: boolean): Execute {
  return waiting((m) => {
    let codes = -1;
    const done = storeResult(m, 0, [0, 1], (env) => {
      const [a, b] = [getSt(m, 0), getSt(m, 1)];
      const nan = chooseNan(env, a, b);
      if (nan) return nan;
      const { value, conditions } = reduce(env, a, b, nearest);
      codes = conditions;
      return value;
    });
    if (!done && codes >= 0) return;
    m.i32[FSW] = codes < 0 ? m.i32[FSW]! & ~Status.C2 : (m.i32[FSW]! & ~(CONDITIONS | Status.C1)) | codes;
  });
}

function reduce(
  env: Environment,
  a: Float,
  b: Float,
  nearest: boolean,
): { value: Float; conditions: number } {
  if (a.kind === Kind.infinity || b.kind === Kind.zero) {
    raise(env, Exception.IE);
    return { value: INDEFINITE, conditions: -1 };
  }
  noteDenormals(env, a, b);
  if (a.kind === Kind.zero || b.kind === Kind.infinity) {
    return { value: a.kind === Kind.zero ? a : roundedAgain(env, a, 0), conditions: 0 };
  }
  const distance = leading(a) - leading(b);
  if (distance >= 64) return reducePartly(env, a, b, distance);
  const unit = Math.min(a.exponent, b.exponent);
  const dividend = a.significand << BigInt(a.exponent - unit);
  const divisor = b.significand << BigInt(b.exponent - unit);
  let quotient = dividend / divisor;
  let rest = dividend - quotient * divisor;
  let { sign } = a;
  const twice = rest * 2n;
  if (nearest && (twice > divisor || (twice === divisor && quotient & 1n))) {
    quotient += 1n;
    rest = divisor - rest;
    sign = (sign ^ 1) as 0 | 1;
  }
  const value = rest === 0n ? zero(a.sign) : round(env, EXTENDED, sign, rest, unit);
  return { value, conditions: quotientCodes(quotient) };
}

function quotientCodes(quotient: bigint): number {
  const bits = Number(quotient & 7n);
  return (bits & 4 ? Status.C0 : 0) | (bits & 2 ? Status.C3 : 0) | (bits & 1 ? Status.C1 : 0);
}

/** One step of a longer reduction: the exponent falls by 32 to 63. */
function reducePartly(
  env: Environment,
  a: Float,
  b: Float,
  distance: number,
): { value: Float; conditions: number } {
  const by = (distance & 31) | 32;
  const shift = distance - by;
  // Both significands with their leading bit at the same place.
  const bitsOfA = bitLength(a.significand);
  const bitsOfB = bitLength(b.significand);
  const width = Math.max(bitsOfA, bitsOfB);
  const dividend = a.significand << BigInt(width - bitsOfA + by);
  const divisor = b.significand << BigInt(width - bitsOfB);
  const rest = dividend % divisor;
  const exponent = leading(b) - width + 1 + shift;
  const value = rest === 0n ? zero(a.sign) : round(env, EXTENDED, a.sign, rest, exponent);
  return { value, conditions: Status.C2 };
}

// --- comparisons ---

const UNORDERED = 2;

/** -1, 0, 1, or 2 for unordered. `quietly`: quiet NaNs raise nothing. */
function relate(env: Environment, a: Float, b: Float, quietly: boolean): number {
  const isBad = ({ kind }: Float) => kind === Kind.signalingNan || kind === Kind.unsupported;
  if (isNan(a) || isNan(b) || isBad(a) || isBad(b)) {
    if (!quietly || isBad(a) || isBad(b)) raise(env, Exception.IE);
    return UNORDERED;
  }
  noteDenormals(env, a, b);
  return compare(a, b);
}

const CODES: Readonly<Record<number, number>> = {
  [-1]: Status.C0,
  0: Status.C3,
  1: 0,
  [UNORDERED]: CONDITIONS,
};

const FLAGS: Readonly<Record<number, number>> = {
  [-1]: RFLAGS.CF,
  0: RFLAGS.ZF,
  1: 0,
  [UNORDERED]: RFLAGS.CF | RFLAGS.PF | RFLAGS.ZF,
};

function setCodes(m: Machine, relation: number): void {
  m.i32[FSW] = (m.i32[FSW]! & ~CONDITIONS) | CODES[relation]!;
}

function setFlags(m: Machine, relation: number): void {
  setStatus(m, STATUS_FLAGS, FLAGS[relation]!);
}

interface Comparison {
  readonly quietly?: boolean;
  readonly pops?: number;
  readonly toFlags?: boolean;
  /** The other operand, and whether it is a register that is empty. */
  readonly other: (m: Machine, i: Instruction) => Float | undefined;
}

function comparison({ quietly = false, pops = 0, toFlags = false, other }: Comparison): Execute {
  const report = toFlags ? setFlags : setCodes;
  return waiting((m, i) => {
    const right = other(m, i);
    let done: boolean;
    if (right === undefined || isEmpty(m, 0)) {
      done = stackFault(m, false);
      if (done) report(m, UNORDERED);
    } else {
      const env = x87Environment(m);
      const relation = relate(env, getSt(m, 0), right, quietly);
      done = conclude(m, env);
      if (done) report(m, relation);
    }
    if (done) for (let n = 0; n < pops; n++) popStack(m);
  });
}

/** ST(i) of the last operand, or ST(1) where there is none. */
function otherRegister(m: Machine, i: Instruction): Float | undefined {
  const operand = i.b.kind === OperandKind.st ? i.b : i.a;
  const n = operand.kind === OperandKind.st ? operand.register : 1;
  return isEmpty(m, n) ? undefined : getSt(m, n);
}

const registers = { other: otherRegister };
const reals = { other: memoryReal };
const integers = { other: memoryInteger };

const comparisons: SemanticsTable = {
  fcom: comparison(registers),
  fcomp: comparison({ ...registers, pops: 1 }),
  fcompp: comparison({ ...registers, pops: 2 }),
  fucom: comparison({ ...registers, quietly: true }),
  fucomp: comparison({ ...registers, quietly: true, pops: 1 }),
  fucompp: comparison({ ...registers, quietly: true, pops: 2 }),
  fcomi: comparison({ ...registers, toFlags: true }),
  fcomip: comparison({ ...registers, toFlags: true, pops: 1 }),
  fucomi: comparison({ ...registers, quietly: true, toFlags: true }),
  fucomip: comparison({ ...registers, quietly: true, toFlags: true, pops: 1 }),
  ...Object.fromEntries(
    ["m32", "m64"].flatMap((memory) => [
      [`fcom ${memory}`, comparison(reals)] as const,
      [`fcomp ${memory}`, comparison({ ...reals, pops: 1 })] as const,
    ]),
  ),
  ficom: comparison(integers),
  ficomp: comparison({ ...integers, pops: 1 }),
  ftst: comparison({ other: () => zero(0) }),
};

/** FXAM: the class in C3, C2 and C0, the sign in C1. */
const fxam = waiting((m) => {
  const value = getSt(m, 0);
  const sign = m.u8[stOffset(m, 0) + 9]! & 0x80 ? Status.C1 : 0;
  const code = isEmpty(m, 0) ? Status.C3 | Status.C0 : classCodes(value);
  m.i32[FSW] = (m.i32[FSW]! & ~(CONDITIONS | Status.C1)) | sign | code;
});

function classCodes(value: Float): number {
  if (value.kind === Kind.unsupported) return 0;
  if (isNan(value)) return Status.C0;
  if (value.kind === Kind.infinity) return Status.C2 | Status.C0;
  if (value.kind === Kind.zero) return Status.C3;
  return value.denormal ? Status.C3 | Status.C2 : Status.C2;
}

export const x87Arithmetic: SemanticsTable = {
  ...arithmetic,
  ...comparisons,
  fsqrt,
  frndint,
  fabs: signOnly((byte) => byte & 0x7f),
  fchs: signOnly((byte) => byte ^ 0x80),
  fscale: waiting((m) => {
    storeResult(m, 0, [0, 1], (env) => guarded(scale)(env, EXTENDED, getSt(m, 0), getSt(m, 1)));
  }),
  fxtract,
  fprem: remainder(false),
  fprem1: remainder(true),
  fxam,
};
