/** Every instruction: those of the core entry and the vector extensions. */
import { vectorTable } from "../generated/vector-table.js";
import { coreEncoders, coreInstructions, type InstructionSet, instructionSet } from "../instruction-set.js";
import { EncodingKind } from "../operand-bits.js";
import { combineTables, loadTable } from "../packing.js";
import { encodeEvex } from "./evex.js";
import { vectorRegisters } from "./registers.js";

/** The numbers of the core's mnemonics are the same in both sets. */
export const allInstructions: InstructionSet = instructionSet(
  combineTables(coreInstructions, loadTable(vectorTable)),
  coreEncoders.with(EncodingKind.evex, encodeEvex),
  vectorRegisters,
);
