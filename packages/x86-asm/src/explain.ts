/** Says why no form of an instruction takes the operands it was given. */
import { type AsmError, asmError } from "./errors.js";
import type { InstructionSet } from "./instruction-set.js";
import type { Operand } from "./operands.js";

/** The error for a mnemonic with operands that none of its forms takes in a mode. */
export function explainMismatch(
  set: InstructionSet,
  mnemonic: number,
  bits: number,
  operands: readonly (Operand | undefined)[],
): AsmError {
  const given = operands.filter((operand) => operand !== undefined).map(describeOperand);
  return asmError(
    "ERR_ASM_OPERANDS",
    `no form of ${set.mnemonics[mnemonic]} takes ${given.join(", ") || "no operand"} in ${bits}-bit mode`,
  );
}

function describeOperand(operand: Operand): string {
  if (typeof operand === "string") return operand;
  if (typeof operand !== "object") return String(operand);
  if (operand.kind === "memory") return operand.width === 0 ? "memory" : `${operand.width}-bit memory`;
  if (operand.kind === "far") return "a far pointer";
  return operand.toString();
}
