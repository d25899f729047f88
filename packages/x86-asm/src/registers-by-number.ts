/** General registers by number and width. */
import { OperandBit } from "./operand-bits.js";
import { allRegisters, type Register, RexNeed } from "./registers.js";

const GENERAL = OperandBit.r8 | OperandBit.r16 | OperandBit.r32 | OperandBit.r64;

/** Those that need no absence of REX, by `bits << 8 | number`: 64-bit names come last, so that SPL wins over AH. */
const byNumber: ReadonlyMap<number, Register> = new Map(
  allRegisters
    .filter(({ bits, rex }) => (bits & GENERAL) !== 0 && rex !== RexNeed.forbidden)
    .map((register) => [(register.bits << 8) | register.number, register]),
);

/** The general register of that number, or of a register's, in the widest width of `accepts`. */
export function generalRegister(of: Register | number, accepts: number): Register | undefined {
  if (typeof of !== "number" && (of.bits & GENERAL) === 0) return undefined;
  const number = typeof of === "number" ? of : of.number;
  for (const bit of [OperandBit.r64, OperandBit.r32, OperandBit.r16, OperandBit.r8]) {
    if ((accepts & bit) !== 0) return byNumber.get((bit << 8) | number);
  }
  return undefined;
}
