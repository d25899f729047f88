/**
 * Integer arithmetic on numbers while they are exact, on bigints beyond 2^53. Every function returns a number
 * where one holds the result exactly, so that the usual path allocates nothing.
 */
export type Integer = number | bigint;

/** A bigint as a number where it is one exactly. */
export function narrow(value: bigint): Integer {
  return value >= -0x1fffffffffffffn && value <= 0x1fffffffffffffn ? Number(value) : value;
}

export function add(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return narrow(BigInt(a) + BigInt(b));
}

export function subtract(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return narrow(BigInt(a) - BigInt(b));
}

export function multiply(a: Integer, b: Integer): Integer {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return narrow(BigInt(a) * BigInt(b));
}

export function negate(a: Integer): Integer {
  return subtract(0, a);
}

/** The value as 64 bits, read as unsigned. */
export function unsigned64(a: Integer): bigint {
  return BigInt.asUintN(64, BigInt(a));
}

/** Writes the low `count` bytes of an integer, little end first. */
export function writeInteger(out: Uint8Array, at: number, value: Integer, count: number): void {
  if (typeof value === "bigint") writeBigint(out, at, value, count);
  else {
    out[at] = value;
    if (count > 1) out[at + 1] = value >> 8;
    if (count > 2) {
      out[at + 2] = value >> 16;
      out[at + 3] = value >> 24;
    }
    if (count > 4) writeHigh(out, at, Math.floor(value / 0x100000000), count);
  }
}

function writeHigh(out: Uint8Array, at: number, high: number, count: number): void {
  for (let i = 4; i < count; i++) out[at + i] = i < 8 ? high >> (8 * (i - 4)) : high < 0 ? 255 : 0;
}

function writeBigint(out: Uint8Array, at: number, value: bigint, count: number): void {
  for (let i = 0; i < count; i++) out[at + i] = Number((value >> BigInt(8 * i)) & 255n);
}
