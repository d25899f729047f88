/** The instructions that an assembler knows, ready to match and encode. */
import type { Encoder } from "./encoder.js";
import { coreTable } from "./generated/core-table.js";
import type { MaybeOperand } from "./matching.js";
import { FormWord, OperandBit } from "./operand-bits.js";
import { type LoadedTable, loadTable } from "./packing.js";
import type { Register } from "./registers.js";
import { encodeAddressed, encodeLegacy, encodeLockedControl } from "./special-forms.js";
import { encodeVex } from "./vex.js";

/**
 * Encodes one form (the offset of its words) that is not a legacy one, with operands that fit its masks; `false`,
 * with nothing written, where it cannot take them after all, or where a later form should.
 */
export type FormEncoder = (encoder: Encoder, form: number, operands: readonly MaybeOperand[]) => boolean;

export interface InstructionSet extends LoadedTable {
  /** Mnemonic to its number. */
  readonly ids: ReadonlyMap<string, number>;
  /** Registers beyond those of registers.ts. */
  readonly registers: readonly Register[];
  /** By `EncodingKind`: how extensions encode their forms; the core encodes the legacy ones. */
  readonly encoders: readonly FormEncoder[];
  /** Not 0 for the mnemonics that take a branch target: a bare symbol is one, not memory. */
  readonly branches: Uint8Array;
  /** The mnemonic that a jump or call becomes when its operand is marked FAR. */
  farOf(mnemonic: number): number;
}

/** By `EncodingKind`; EVEX is the vector entry's. */
export const coreEncoders: readonly FormEncoder[] = [
  encodeLegacy,
  encodeVex,
  () => false,
  encodeVex,
  encodeAddressed,
  encodeLockedControl,
];

/** Makes a set of a table: what is looked up while text is read is worked out once. */
export function instructionSet(
  table: LoadedTable,
  encoders: readonly FormEncoder[],
  registers: readonly Register[],
): InstructionSet {
  const ids = new Map(table.mnemonics.map((name, id) => [name, id]));
  const branches = new Uint8Array(table.mnemonics.length);
  for (let id = 0; id < branches.length; id++) {
    for (let form = table.first[id]!; form < table.first[id + 1]!; form++) {
      if ((table.words[form * FormWord.stride]! & OperandBit.rel) !== 0) branches[id] = 1;
    }
  }
  const farIds = new Map([
    [ids.get("jmp"), ids.get("ljmp")!],
    [ids.get("call"), ids.get("lcall")!],
  ]);
  return {
    ...table,
    ids,
    registers,
    encoders,
    branches,
    farOf: (mnemonic) => farIds.get(mnemonic) ?? mnemonic,
  };
}

/** Everything but the vector extensions beyond SSE. */
export const coreInstructions: InstructionSet = instructionSet(loadTable(coreTable), coreEncoders, []);
