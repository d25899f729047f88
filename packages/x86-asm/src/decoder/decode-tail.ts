/** What stands behind the operands in ModR/M: immediates, relative offsets, far pointers, bare offsets. */
import { narrow } from "../integers.js";
import { OperandCheck, Slot } from "../operand-bits.js";
import { FarPointer } from "../operands.js";
import { absoluteMemory, type MemoryContext } from "./decode-memory.js";
import type { DecodedOperand } from "./instruction.js";

const FIELD_BYTES: Readonly<Record<number, number>> = {
  [Slot.is4]: 1,
  [Slot.ib]: 1,
  [Slot.iw]: 2,
  [Slot.id]: 4,
  [Slot.iq]: 8,
  [Slot.cb]: 1,
  [Slot.cw]: 2,
  [Slot.cd]: 4,
};

/** Bits of an immediate where it is used, and whether it is sign-extended to that, by `OperandCheck`. */
const IMMEDIATE_BITS: Readonly<Record<number, number>> = {
  [OperandCheck.simm8to16]: 16,
  [OperandCheck.simm8to32]: 32,
  [OperandCheck.simm8to64]: 64,
  [OperandCheck.simm32]: 64,
};

/** Reads immediates, offsets and pointers behind the operands. */
export class TailReader {
  private readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** The bytes ended before the instruction did. */
  get isShort(): boolean {
    return this.at > this.bytes.length;
  }

  private read(size: number): bigint {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[this.at + i] ?? 0);
    this.at += size;
    return value;
  }

  /** The byte that has a register in its upper half. */
  byte(): number {
    return Number(this.read(1));
  }

  field(slot: number, check: number): DecodedOperand {
    const size = FIELD_BYTES[slot]!;
    const value = this.read(size);
    if (slot >= Slot.cb) return { kind: "target", address: BigInt.asIntN(size * 8, value) };
    const extended = IMMEDIATE_BITS[check];
    if (extended === undefined)
      return { kind: "immediate", value: narrow(value), bits: size * 8, isFixed: false };
    return {
      kind: "immediate",
      value: narrow(BigInt.asIntN(size * 8, value)),
      bits: extended,
      isFixed: false,
    };
  }

  pointer(size: number): DecodedOperand {
    const offset = Number(this.read(size));
    return { kind: "far", pointer: new FarPointer(Number(this.read(2)), offset, size * 8) };
  }

  moffs(accepts: number, context: MemoryContext): DecodedOperand {
    const offset = narrow(this.read(context.addressBits / 8));
    return absoluteMemory(accepts, offset, context);
  }
}
