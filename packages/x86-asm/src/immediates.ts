/** Which immediate values fit where. */
import type { Integer } from "./integers.js";
import { OperandCheck } from "./operand-bits.js";

const U64 = 2n ** 64n;

/** Whether a constant fits an operand with this `OperandCheck`. Bigints are beyond 2^53. */
export function fitsImmediate(value: Integer, check: number): boolean {
  if (typeof value === "bigint") return bigFits(value, check);
  switch (check) {
    case OperandCheck.simm8to16:
      return (value >= -0x80 && value <= 0x7f) || (value >= 0xff80 && value <= 0xffff);
    case OperandCheck.simm8to32:
      return (value >= -0x80 && value <= 0x7f) || (value >= 0xffffff80 && value <= 0xffffffff);
    case OperandCheck.simm8to64:
      return value >= -0x80 && value <= 0x7f;
    case OperandCheck.imm4:
      return value >= 0 && value <= 15;
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
    case OperandCheck.three:
      return value === 3;
    default:
      return true;
  }
}

/** The upper end of the unsigned range is what a sign-extended field of 64 bits reaches. */
function bigFits(value: bigint, check: number): boolean {
  if (check === OperandCheck.imm64) return value >= -(2n ** 63n) && value < U64;
  if (check === OperandCheck.simm32) return value >= U64 - 0x80000000n && value < U64;
  if (check === OperandCheck.simm8to64) return value >= U64 - 0x80n && value < U64;
  return false;
}

/** Whether an integer fits `size` bytes, signed or unsigned. */
export function fitsBytes(value: Integer, size: number): boolean {
  if (typeof value === "number" && size >= 8) return true;
  const bits = size * 8;
  if (typeof value === "number") return value >= -(2 ** (bits - 1)) && value < 2 ** bits;
  return value >= -(1n << BigInt(bits - 1)) && value < 1n << BigInt(bits);
}
