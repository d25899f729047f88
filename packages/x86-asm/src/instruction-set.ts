/** The instructions that an assembler knows, ready to match and encode. */
import { coreTable } from "./generated/core-table.js";
import { type LoadedTable, loadTable } from "./packing.js";

export interface InstructionSet extends LoadedTable {
  /** Mnemonic to its number. */
  readonly ids: ReadonlyMap<string, number>;
}

function load(): InstructionSet {
  const table = loadTable(coreTable);
  return { ...table, ids: new Map(table.mnemonics.map((name, id) => [name, id])) };
}

/** Everything but the vector extensions beyond SSE. */
export const coreInstructions: InstructionSet = load();
