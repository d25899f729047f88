/**
 * Floating-point formats, and numbers taken apart: a value is (-1)^sign · significand · 2^exponent with an integer
 * significand. SDM Vol. 1, "Floating-Point Data Types"; IEEE 754.
 */

/** A binary format. `minExponent` and `maxExponent` are those of the leading bit of normal numbers. */
export interface Format {
  /** Bits of the significand, the leading one included. */
  readonly precision: number;
  readonly minExponent: number;
  readonly maxExponent: number;
}

export const SINGLE: Format = { precision: 24, minExponent: -126, maxExponent: 127 };
export const DOUBLE: Format = { precision: 53, minExponent: -1022, maxExponent: 1023 };
export const EXTENDED: Format = { precision: 64, minExponent: -16382, maxExponent: 16383 };
/** An x87 register under single or double precision control keeps its exponent range. */
export const EXTENDED_TO_24: Format = { ...EXTENDED, precision: 24 };
export const EXTENDED_TO_53: Format = { ...EXTENDED, precision: 53 };

export const Kind = {
  zero: 0,
  finite: 1,
  infinity: 2,
  quietNan: 3,
  signalingNan: 4,
  /** Extended precision only: unnormals, pseudo-infinities and pseudo-NaNs (SDM Vol. 1, "Unsupported Double Extended-Precision…"). */
  unsupported: 5,
} as const;

export interface Float {
  readonly kind: number;
  readonly sign: 0 | 1;
  readonly exponent: number;
  /** Of a NaN: the payload as a 64-bit extended significand, the integer bit included. */
  readonly significand: bigint;
  /** It was below the smallest normal number of its format. */
  readonly denormal: boolean;
}

export function zero(sign: 0 | 1): Float {
  return { kind: Kind.zero, sign, exponent: 0, significand: 0n, denormal: false };
}

export function infinity(sign: 0 | 1): Float {
  return { kind: Kind.infinity, sign, exponent: 0, significand: 0n, denormal: false };
}

export function finite(sign: 0 | 1, significand: bigint, exponent: number, denormal = false): Float {
  if (significand === 0n) return zero(sign);
  return { kind: Kind.finite, sign, exponent, significand, denormal };
}

const INTEGER_BIT = 1n << 63n;
export const QUIET_BIT = 1n << 62n;

/** The QNaN that invalid operations give. */
export const INDEFINITE: Float = {
  kind: Kind.quietNan,
  sign: 1,
  exponent: 0,
  significand: INTEGER_BIT | QUIET_BIT,
  denormal: false,
};

/** A NaN with its quiet bit set. */
export function quiet(nan: Float): Float {
  return { ...nan, kind: Kind.quietNan, significand: nan.significand | QUIET_BIT };
}

export function isNan({ kind }: Float): boolean {
  return kind === Kind.quietNan || kind === Kind.signalingNan;
}

/** Number of bits of a positive integer. */
export function bitLength(value: bigint): number {
  let bits = 0;
  let rest = value;
  while (rest >> 32n) {
    rest >>= 32n;
    bits += 32;
  }
  return bits + 32 - Math.clz32(Number(rest));
}

function unpackInterchange(bits: bigint, fractionBits: number, bias: number): Float {
  const exponentMask = (1 << (fractionBits === 23 ? 8 : 11)) - 1;
  const sign = Number((bits >> BigInt(fractionBits === 23 ? 31 : 63)) & 1n) as 0 | 1;
  const biased = Number(bits >> BigInt(fractionBits)) & exponentMask;
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  if (biased === exponentMask) {
    if (fraction === 0n) return infinity(sign);
    const significand = INTEGER_BIT | (fraction << BigInt(63 - fractionBits));
    const kind = significand & QUIET_BIT ? Kind.quietNan : Kind.signalingNan;
    return { kind, sign, exponent: 0, significand, denormal: false };
  }
  if (biased === 0) return finite(sign, fraction, 1 - bias - fractionBits, fraction !== 0n);
  return finite(sign, fraction | (1n << BigInt(fractionBits)), biased - bias - fractionBits);
}

export function unpackSingle(bits: number): Float {
  return unpackInterchange(BigInt(bits >>> 0), 23, 127);
}

export function unpackDouble(bits: bigint): Float {
  return unpackInterchange(bits, 52, 1023);
}

/** From the 64-bit significand, and sign and exponent in 16 bits. */
export function unpackExtended(significand: bigint, signAndExponent: number): Float {
  const sign = ((signAndExponent >> 15) & 1) as 0 | 1;
  const biased = signAndExponent & 0x7fff;
  const integerBit = significand >> 63n !== 0n;
  if (biased === 0x7fff) {
    if (!integerBit) return { kind: Kind.unsupported, sign, exponent: 0, significand, denormal: false };
    if (significand === INTEGER_BIT) return infinity(sign);
    const kind = significand & QUIET_BIT ? Kind.quietNan : Kind.signalingNan;
    return { kind, sign, exponent: 0, significand, denormal: false };
  }
  // Denormals and pseudo-denormals have the exponent of the smallest normal number.
  if (biased === 0) return finite(sign, significand, 1 - 16383 - 63, significand !== 0n);
  if (!integerBit) return { kind: Kind.unsupported, sign, exponent: 0, significand, denormal: false };
  return finite(sign, significand, biased - 16383 - 63);
}

/** Bits of a number that has been rounded to single precision. */
export function packSingle(value: Float): number {
  return Number(packInterchange(value, 23, 8, 127)) | 0;
}

/** Bits of a number that has been rounded to double precision. */
export function packDouble(value: Float): bigint {
  return packInterchange(value, 52, 11, 1023);
}

function packInterchange(value: Float, fractionBits: number, exponentBits: number, bias: number): bigint {
  const sign = BigInt(value.sign) << BigInt(fractionBits + exponentBits);
  const special = ((1n << BigInt(exponentBits)) - 1n) << BigInt(fractionBits);
  if (value.kind === Kind.zero) return sign;
  if (value.kind === Kind.infinity) return sign | special;
  if (value.kind !== Kind.finite) {
    const payload = (value.significand & (INTEGER_BIT - 1n)) >> BigInt(63 - fractionBits);
    return sign | special | payload;
  }
  const leading = value.exponent + bitLength(value.significand) - 1;
  const minExponent = 1 - bias;
  const unit = Math.max(leading, minExponent) - fractionBits;
  const fraction = shift(value.significand, value.exponent - unit);
  const biased = leading < minExponent ? 0n : BigInt(leading + bias);
  return sign | (biased << BigInt(fractionBits)) | (fraction & ((1n << BigInt(fractionBits)) - 1n));
}

/** 64-bit significand, and sign and exponent in 16 bits, of a number that has been rounded to extended precision. */
export function packExtended(value: Float): { significand: bigint; signAndExponent: number } {
  const sign = value.sign << 15;
  if (value.kind === Kind.zero) return { significand: 0n, signAndExponent: sign };
  if (value.kind === Kind.infinity) return { significand: INTEGER_BIT, signAndExponent: sign | 0x7fff };
  if (value.kind !== Kind.finite) return { significand: value.significand, signAndExponent: sign | 0x7fff };
  const leading = value.exponent + bitLength(value.significand) - 1;
  const unit = Math.max(leading, EXTENDED.minExponent) - 63;
  const biased = leading < EXTENDED.minExponent ? 0 : leading + 16383;
  return { significand: shift(value.significand, value.exponent - unit), signAndExponent: sign | biased };
}

/** Left by `by`, or right where it is negative. */
export function shift(value: bigint, by: number): bigint {
  return by >= 0 ? value << BigInt(by) : value >> BigInt(-by);
}
