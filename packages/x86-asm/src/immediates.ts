/** Which immediate values fit where. */
import { OperandCheck } from "./operand-bits.js";

const U64 = 2n ** 64n;

/**
 * A bigint as a number where it is one exactly; values from 2^64 - 2^53 on are their negative counterparts, as
 * addresses of the upper half are when they are sign-extended.
 */
export function narrow(value: bigint): number | bigint {
  if (value >= -0x1fffffffffffffn && value <= 0x1fffffffffffffn) return Number(value);
  return value;
}

/** Whether a constant fits an operand with this `OperandCheck`. */
export function fitsImmediate(value: number | bigint, check: number): boolean {
  if (typeof value === "bigint") return bigFits(value, check);
  switch (check) {
    case OperandCheck.simm8to16:
      return (value >= -0x80 && value <= 0x7f) || (value >= 0xff80 && value <= 0xffff);
    case OperandCheck.simm8to32:
      return (value >= -0x80 && value <= 0x7f) || (value >= 0xffffff80 && value <= 0xffffffff);
    case OperandCheck.simm8to64:
      return value >= -0x80 && value <= 0x7f;
    case OperandCheck.imm8:
      return value >= -0x80 && value <= 0xff;
    case OperandCheck.imm16:
      return value >= -0x8000 && value <= 0xffff;
    case OperandCheck.imm32:
      return value >= -0x80000000 && value <= 0xffffffff;
    case OperandCheck.simm32:
      return value >= -0x80000000 && value <= 0x7fffffff;
    case OperandCheck.one:
      return value === 1;
    default:
      return true;
  }
}

function bigFits(value: bigint, check: number): boolean {
  if (check === OperandCheck.imm64) return value >= -(2n ** 63n) && value < U64;
  if (check === OperandCheck.simm32) return value >= U64 - 0x80000000n && value < U64;
  if (check === OperandCheck.simm8to64) return value >= U64 - 0x80n && value < U64;
  return false;
}

/** Writes the low `count` bytes of an integer, little end first. */
export function writeInteger(out: Uint8Array, at: number, value: number | bigint, count: number): void {
  let low: number;
  let high: number;
  if (typeof value === "bigint") {
    low = Number(BigInt.asUintN(32, value));
    high = Number(BigInt.asUintN(32, value >> 32n));
  } else {
    low = value;
    high = Math.floor(value / 0x100000000);
  }
  for (let i = 0; i < count; i++) out[at + i] = i < 4 ? low >>> (8 * i) : high >>> (8 * (i - 4));
}
