/** What the decoder gives: an instruction as plain data. */
import type { Decorations } from "../decorations.js";
import type { Bits } from "../encoder.js";
import type { Integer } from "../integers.js";
import type { FarPointer, Memory } from "../operands.js";
import type { Register } from "../registers.js";

/** What an instruction works on: registers and memory as the builder takes them; branch targets are addresses. */
export type DecodedOperand =
  | {
      readonly kind: "register";
      readonly register: Register;
      /** The opcode implies it. */
      readonly isFixed: boolean;
      /** Mask, zeroing, rounding mode; `null` if none. */
      readonly decorations: Decorations | null;
    }
  | {
      readonly kind: "memory";
      readonly memory: Memory;
      /** 0 where none is encoded. */
      readonly displacementBytes: number;
      readonly hasSib: boolean;
      /** It is a bare offset in the instruction, without ModR/M. */
      readonly isOffset: boolean;
      /** It holds a far pointer. */
      readonly isFar: boolean;
      /** Mask and broadcast; `null` if none. */
      readonly decorations: Decorations | null;
      /** Another form of the mnemonic differs in the width of the memory alone. */
      readonly needsWidth: boolean;
      /** The number of elements of the broadcast is not clear from the other operands. */
      readonly countsElements: boolean;
    }
  /** `bits`: how wide it is where it is used; negative values are sign-extended. */
  | { readonly kind: "immediate"; readonly value: Integer; readonly bits: number; readonly isFixed: boolean }
  | { readonly kind: "target"; readonly address: bigint }
  | { readonly kind: "far"; readonly pointer: FarPointer };

export interface DecodedInstruction {
  /** Empty where prefixes stand alone: before another prefix REX says nothing. */
  readonly mnemonic: string;
  readonly operands: readonly DecodedOperand[];
  /** Bytes that it takes, prefixes included. */
  readonly length: number;
  /** Where it stands. */
  readonly address: bigint;
  readonly bits: Bits;
  /** Prefixes that are no part of the instruction's own encoding, in the order of the bytes, as GNU as spells them. */
  readonly prefixes: readonly string[];
  /** `vex` or `evex` where the mnemonic alone would assemble to the other of the two; else empty. */
  readonly hint: "" | "vex" | "evex";
}
