/** Decimal numbers as IEEE 754 and x87 formats, rounded to nearest, ties to even. */

export interface FloatFormat {
  readonly sizeBytes: number;
  readonly exponentBits: number;
  /** Bits behind the point. */
  readonly fractionBits: number;
  /** The x87 extended format stores the bit before the point. */
  readonly hasIntegerBit: boolean;
}

export const FLOAT_FORMATS: Readonly<Record<number, FloatFormat>> = {
  2: { sizeBytes: 2, exponentBits: 5, fractionBits: 10, hasIntegerBit: false },
  4: { sizeBytes: 4, exponentBits: 8, fractionBits: 23, hasIntegerBit: false },
  8: { sizeBytes: 8, exponentBits: 11, fractionBits: 52, hasIntegerBit: false },
  10: { sizeBytes: 10, exponentBits: 15, fractionBits: 63, hasIntegerBit: true },
};

/** Exponents beyond this are infinite or zero in every format. */
const MAX_EXPONENT = 6000;
const MAX_DIGITS = 6000;

const PATTERN = /^([+-]?)(?:(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?|(inf(?:inity)?|nan))$/i;

/** The bits of a decimal number in a format, or `undefined` if it is not one. */
export function encodeFloat(text: string, format: FloatFormat): bigint | undefined {
  const match = PATTERN.exec(text.replaceAll("_", ""));
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0", special] = match;
  if (special === undefined && whole + fraction === "") return undefined;
  const digits = whole + fraction;
  if (digits.length > MAX_DIGITS) return undefined;
  const power = Number(exponent) - fraction.length;
  const magnitude = special
    ? specialValue(special, format)
    : magnitudeOf(BigInt(digits), clamp(power), format);
  const signBit = BigInt(format.sizeBytes * 8 - 1);
  return sign === "-" ? magnitude | (1n << signBit) : magnitude;
}

function clamp(power: number): number {
  return Math.max(-MAX_EXPONENT - MAX_DIGITS, Math.min(MAX_EXPONENT, power));
}

function specialValue(name: string, format: FloatFormat): bigint {
  const top = infinity(format);
  return name.toLowerCase() === "nan" ? top | (1n << BigInt(format.fractionBits - 1)) : top;
}

function infinity({ exponentBits, fractionBits, hasIntegerBit }: FloatFormat): bigint {
  const exponent = ((1n << BigInt(exponentBits)) - 1n) << BigInt(fractionBits + Number(hasIntegerBit));
  return hasIntegerBit ? exponent | (1n << BigInt(fractionBits)) : exponent;
}

/** `digits * 10^power`, rounded. */
function magnitudeOf(digits: bigint, power: number, format: FloatFormat): bigint {
  if (digits === 0n) return 0n;
  const { exponentBits, fractionBits, hasIntegerBit } = format;
  const numerator = power > 0 ? digits * 10n ** BigInt(power) : digits;
  const denominator = power < 0 ? 10n ** BigInt(-power) : 1n;
  const bias = 2 ** (exponentBits - 1) - 1;
  let exponent = bitLength(numerator) - bitLength(denominator);
  if (compareScaled(numerator, denominator, exponent) < 0) exponent--;
  const scale = Math.max(exponent, 1 - bias) - fractionBits;
  let mantissa = roundedQuotient(numerator, denominator, scale);
  let biased = exponent < 1 - bias ? 0 : exponent + bias;
  if (bitLength(mantissa) > fractionBits + 1) {
    mantissa >>= 1n;
    biased++;
  }
  if (biased === 0 && bitLength(mantissa) > fractionBits) biased = 1;
  if (biased >= 2 ** exponentBits - 1) return infinity(format);
  const stored = hasIntegerBit ? mantissa : BigInt.asUintN(fractionBits, mantissa);
  return (BigInt(biased) << BigInt(fractionBits + Number(hasIntegerBit))) | stored;
}

/** Sign of `a/b - 2^exponent`. */
function compareScaled(a: bigint, b: bigint, exponent: number): number {
  const left = exponent < 0 ? a << BigInt(-exponent) : a;
  const right = exponent > 0 ? b << BigInt(exponent) : b;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** `a / b / 2^scale`, to nearest, ties to even. */
function roundedQuotient(a: bigint, b: bigint, scale: number): bigint {
  const numerator = scale < 0 ? a << BigInt(-scale) : a;
  const denominator = scale > 0 ? b << BigInt(scale) : b;
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const up = twice > denominator || (twice === denominator && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}
