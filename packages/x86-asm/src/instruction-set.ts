/** The instructions that an assembler knows, ready to match and encode. */
import type { Encoder } from "./encoder.js";
import { coreTable } from "./generated/core-table.js";
import type { MaybeOperand } from "./matching.js";
import { type LoadedTable, loadTable } from "./packing.js";

/** Encodes one form (the offset of its words) that is not a legacy one, with operands that fit it. */
export type FormEncoder = (encoder: Encoder, form: number, operands: readonly MaybeOperand[]) => void;

export interface InstructionSet extends LoadedTable {
  /** Mnemonic to its number. */
  readonly ids: ReadonlyMap<string, number>;
  /** By `EncodingKind`: how extensions encode their forms; the core encodes the legacy ones. */
  readonly encoders: readonly FormEncoder[];
}

function load(): InstructionSet {
  const table = loadTable(coreTable);
  return { ...table, ids: new Map(table.mnemonics.map((name, id) => [name, id])), encoders: [] };
}

/** Everything but the vector extensions beyond SSE. */
export const coreInstructions: InstructionSet = load();
