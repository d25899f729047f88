/** Every instruction: those of the core entry and the vector extensions. */
import { readMnemonics } from "../form-table.js";
import { vectorTable } from "../generated/vector-table.js";
import { coreEncoders, coreMnemonics, InstructionSet } from "../instruction-set.js";
import { EncodingKind } from "../operand-bits.js";
import { readDecorations } from "./decoration-reader.js";
import { encodeEvex } from "./evex.js";
import { vectorRegisters } from "./registers.js";

/** The numbers of the core's mnemonics are the same in both sets. */
export const allInstructions: InstructionSet = new InstructionSet(
  () => [...coreMnemonics(), ...readMnemonics(vectorTable)],
  coreEncoders.with(EncodingKind.evex, encodeEvex),
  vectorRegisters,
  readDecorations,
);
