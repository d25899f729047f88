/** Whether a mnemonic alone would assemble to VEX where the bytes are EVEX, or the other way round. */
import { Decorated } from "../decorations.js";
import type { FormTable } from "../form-table.js";
import { findForm, type MaybeOperand } from "../matching.js";
import { EncodingKind, FormFlag, FormWord } from "../operand-bits.js";
import type { Opcode } from "./decode-prefixes.js";
import type { DecodedInstruction, DecodedOperand } from "./instruction.js";

const VEX_REGISTERS = 16;

/** The hint that keeps the encoding: an earlier form of the mnemonic, of the other kind, takes the same operands. */
export function hintOf(
  set: FormTable,
  mnemonic: number,
  form: number,
  mode: number,
  opcode: Opcode,
  operands: readonly DecodedOperand[],
): DecodedInstruction["hint"] {
  const { kind } = opcode;
  if (kind !== EncodingKind.vex && kind !== EncodingKind.evex) return "";
  if (kind === EncodingKind.evex && (opcode.mask !== 0 || opcode.b || operands.some(isBeyondVex))) return "";
  const [a, b, c, d, e] = operands.map(operandOf);
  const { words, first } = set;
  const start = first[mnemonic]! * FormWord.stride;
  for (let from = start; ; from += FormWord.stride) {
    from = findForm(words, from, form, mode, a, b, c, d, e);
    if (from < 0) return "";
    const other = (words[from + FormWord.flags]! & FormFlag.kindMask) >> FormFlag.kindShift;
    if (other !== kind && (other === EncodingKind.vex || other === EncodingKind.evex))
      return kind === EncodingKind.vex ? "vex" : "evex";
  }
}

function isBeyondVex(operand: DecodedOperand): boolean {
  if (operand.kind === "register") return operand.register.number >= VEX_REGISTERS;
  return operand.kind === "memory" && (operand.memory.index?.number ?? 0) >= VEX_REGISTERS;
}

/** The operand as the assembler matches it. */
export function operandOf(operand: DecodedOperand): MaybeOperand {
  switch (operand.kind) {
    case "register":
      return operand.decorations === null
        ? operand.register
        : new Decorated(operand.register, operand.decorations);
    case "memory":
      return operand.decorations === null
        ? operand.memory
        : new Decorated(operand.memory, operand.decorations);
    case "immediate":
      return operand.value;
    case "target":
      return operand.address;
    default:
      return operand.pointer;
  }
}
