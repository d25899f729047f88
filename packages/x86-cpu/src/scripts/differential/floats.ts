/** Random floating-point values and FXSAVE images, biased to what rounds, overflows and is no number. */
import { edgeInteger } from "./generate.js";
import type { Random } from "./random.js";

const DOUBLE_EDGES: readonly bigint[] = [
  0n,
  1n << 63n,
  0x3ff0000000000000n,
  0xbff0000000000000n,
  0x4000000000000000n,
  0x7ff0000000000000n,
  0xfff0000000000000n,
  0x7ff8000000000000n,
  0xfff8000000000001n,
  0x7ff0000000000001n,
  0xfff4000000000000n,
  1n,
  0x000fffffffffffffn,
  0x0010000000000000n,
  0x7fefffffffffffffn,
  0x41dfffffffc00000n,
  0xc1e0000000000000n,
  0x43e0000000000000n,
  0x3fe0000000000000n,
  0x4330000000000001n,
];

const SINGLE_EDGES: readonly number[] = [
  0, 0x80000000, 0x3f800000, 0xbf800000, 0x40000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001,
  0x7f800001, 0xffa00000, 1, 0x007fffff, 0x00800000, 0x7f7fffff, 0x4f000000, 0xcf000000, 0x5f000000,
  0x3f000000, 0x4b000001,
];

export function doubleBits(r: Random): bigint {
  const kind = r.below(8);
  if (kind < 2) return r.pick(DOUBLE_EDGES);
  if (kind < 4) {
    // Numbers of ordinary size, often with few significant bits.
    const exponent = BigInt(1023 - 40 + r.below(80));
    const fraction = (r.u64() & 0xfffffffffffffn) >> BigInt(r.below(52));
    return (
      (BigInt(r.below(2)) << 63n) |
      (exponent << 52n) |
      ((r.chance(50) ? fraction : fraction << 20n) % (1n << 52n))
    );
  }
  if (kind === 4) return (BigInt(r.below(2)) << 63n) | (r.u64() & 0xfffffffffffffn);
  if (kind === 5) return r.pick(DOUBLE_EDGES) ^ BigInt(r.below(16));
  return r.u64();
}

export function singleBits(r: Random): number {
  const kind = r.below(8);
  if (kind < 2) return r.pick(SINGLE_EDGES);
  if (kind < 4) {
    const exponent = 127 - 20 + r.below(40);
    return ((r.below(2) << 31) | (exponent << 23) | ((r.u32() & 0x7fffff) >> r.below(23))) >>> 0;
  }
  if (kind === 4) return ((r.below(2) << 31) | (r.u32() & 0x7fffff)) >>> 0;
  if (kind === 5) return (r.pick(SINGLE_EDGES) ^ r.below(16)) >>> 0;
  return r.u32();
}

const EXPONENTS: readonly number[] = [0, 1, 0x3ffe, 0x3fff, 0x4000, 0x403e, 0x7ffe, 0x7fff];

/** An 80-bit value: significand and the word above it. */
export function extendedBits(r: Random): { significand: bigint; signAndExponent: number } {
  const sign = r.below(2) << 15;
  const kind = r.below(10);
  if (kind < 4) {
    const exponent = 0x3fff - 40 + r.below(80);
    const significand = (1n << 63n) | ((r.u64() >> 1n) & ~((1n << BigInt(r.below(63))) - 1n));
    return { significand, signAndExponent: sign | exponent };
  }
  if (kind === 4) return { significand: 0n, signAndExponent: sign };
  if (kind === 5) return { significand: 1n << 63n, signAndExponent: sign | r.pick(EXPONENTS) };
  if (kind === 6)
    return {
      significand: r.pick([3n << 62n, (1n << 63n) | 1n, 1n, r.u64()]),
      signAndExponent: sign | 0x7fff,
    };
  if (kind === 7)
    return { significand: r.u64() >> BigInt(r.below(64)), signAndExponent: sign | r.pick(EXPONENTS) };
  if (kind === 8) return { significand: r.u64() | (1n << 63n), signAndExponent: sign | r.below(0x8000) };
  return { significand: r.u64(), signAndExponent: r.below(0x10000) };
}

function controlWord(r: Random): number {
  if (r.chance(50)) return 0x37f;
  const masks = r.chance(70) ? 0x3f : r.below(64);
  return 0x40 | masks | (r.pick([0, 2, 3, 3]) << 8) | (r.below(4) << 10);
}

function mxcsr(r: Random): number {
  const kind = r.below(4);
  if (kind === 0) return 0x1f80;
  if (kind === 1) return 0x1fa0;
  const masks = r.chance(70) ? 0x3f : r.below(64);
  return (
    (masks << 7) |
    (r.below(4) << 13) |
    (r.chance(25) ? 0x8000 : 0) |
    (r.chance(25) ? 0x40 : 0) |
    (r.chance(30) ? r.below(64) : 0)
  );
}

function xmmRegister(r: Random, view: DataView, at: number): void {
  const kind = r.below(4);
  for (let n = 0; n < 16; n += kind === 0 ? 4 : 8) {
    if (kind === 0) view.setUint32(at + n, singleBits(r), true);
    else view.setBigUint64(at + n, kind === 1 ? edgeInteger(r) : kind === 2 ? r.u64() : doubleBits(r), true);
  }
}

/** Fills 512 bytes with a state that FXRSTOR takes. */
export function fxsaveImage(r: Random, view: DataView, at: number): void {
  for (let n = 0; n < 512; n += 8) view.setBigUint64(at + n, 0n, true);
  view.setUint16(at, controlWord(r), true);
  const flags = r.chance(80) ? 0 : r.below(128);
  view.setUint16(
    at + 2,
    flags | (r.below(8) << 11) | (r.chance(30) ? (r.below(8) << 8) | (r.below(2) << 14) : 0),
    true,
  );
  view.setUint8(at + 4, r.chance(60) ? 0xff : r.below(256));
  view.setUint32(at + 24, mxcsr(r), true);
  for (let n = 0; n < 8; n++) {
    const { significand, signAndExponent } = extendedBits(r);
    view.setBigUint64(at + 32 + n * 16, significand, true);
    view.setUint16(at + 40 + n * 16, signAndExponent, true);
  }
  for (let n = 0; n < 16; n++) xmmRegister(r, view, at + 160 + n * 16);
}

/** Data that cases find in memory: integers, and reals of all three formats. */
export function fillData(r: Random, view: DataView, at: number, length: number): void {
  for (let n = 0; n < length; ) {
    const kind = r.below(5);
    if (kind === 0) {
      view.setUint32(at + n, singleBits(r), true);
      view.setUint32(at + n + 4, singleBits(r), true);
      n += 8;
    } else if (kind === 1 && n + 16 <= length) {
      const { significand, signAndExponent } = extendedBits(r);
      view.setBigUint64(at + n, significand, true);
      view.setUint16(at + n + 8, signAndExponent, true);
      n += 16;
    } else {
      view.setBigUint64(at + n, kind === 2 ? doubleBits(r) : kind === 3 ? edgeInteger(r) : r.u64(), true);
      n += 8;
    }
  }
}
