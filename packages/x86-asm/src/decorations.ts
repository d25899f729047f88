/** Operands that EVEX instructions write more of: masks, zeroing, broadcasts, rounding modes. */
import { OperandBit } from "./operand-bits.js";
import type { Memory } from "./operands.js";
import type { Register } from "./registers.js";

/** Static rounding modes as EVEX.L'L has them, and suppressed exceptions without one. */
export const Rounding = { none: -1, rn: 0, rd: 1, ru: 2, rz: 3, sae: 4 } as const;
const ROUNDING_NAMES = ["rn-sae", "rd-sae", "ru-sae", "rz-sae", "sae"];

export interface Decorations {
  /** Opmask register, 1 to 7; 0: none. */
  readonly mask?: Register<"k"> | null;
  /** Elements that the mask leaves out become 0. */
  readonly zeroing?: boolean;
  /** Memory holds one element. */
  readonly broadcast?: boolean;
  /** How many elements a broadcast fills; 0 where the instruction says it. */
  readonly elements?: number;
  /** `Rounding` */
  readonly rounding?: number;
}

/** A register or memory operand with decorations. Immutable. */
export class Decorated<Of extends Register | Memory = Register | Memory> {
  readonly kind = "decorated";
  readonly bits: number = OperandBit.decorated;
  readonly operand: Of;
  readonly mask: Register<"k"> | null;
  readonly zeroing: boolean;
  readonly broadcast: boolean;
  readonly elements: number;
  readonly rounding: number;

  constructor(operand: Of | Decorated<Of>, added: Decorations) {
    const before = operand instanceof Decorated ? operand : null;
    this.operand = before === null ? (operand as Of) : before.operand;
    this.mask = added.mask ?? before?.mask ?? null;
    this.zeroing = added.zeroing ?? before?.zeroing ?? false;
    this.broadcast = added.broadcast ?? before?.broadcast ?? false;
    this.elements = added.elements ?? before?.elements ?? 0;
    this.rounding = added.rounding ?? before?.rounding ?? Rounding.none;
  }

  toString(): string {
    const { operand, mask, zeroing, broadcast, elements, rounding } = this;
    const name =
      operand.kind === "register" ? operand.name : operand.width === 0 ? "memory" : `m${operand.width}`;
    return [
      name,
      mask === null ? "" : `{${mask.name}}`,
      zeroing ? "{z}" : "",
      broadcast ? `{1to${elements || "n"}}` : "",
      rounding === Rounding.none ? "" : `{${ROUNDING_NAMES[rounding]}}`,
    ].join("");
  }
}
