/** Bytes to instructions, by the table that the assembler encodes with. */
import type { Bits } from "../encoder.js";
import { FormTable, readMnemonics } from "../form-table.js";
import { coreDecoderTable } from "../generated/core-decoder-table.js";
import { coreDecoderTraits } from "../generated/core-decoder-traits.js";
import { coreTraits } from "../generated/core-traits.js";
import { coreInstructions, type InstructionSet } from "../instruction-set.js";
import type { PackedTable } from "../packing.js";
import { Decoding } from "./decoding.js";
import { FormIndex } from "./form-index.js";
import type { DecodedInstruction } from "./instruction.js";
import { RegisterFiles } from "./register-files.js";
import { loadTraits } from "./traits.js";

export interface DecodeOptions {
  /** Mode; 64 if not given. */
  readonly bits?: Bits;
  /** Address of the first byte; 0 if not given. Branch targets are computed from it. */
  readonly address?: bigint | number;
  /** Where in the bytes to begin. */
  readonly offset?: number;
}

/** What a decoder looks things up in: made once, read only. */
export interface DecoderTable {
  readonly set: FormTable;
  /** By form: see traits.ts. */
  readonly traits: Uint8Array;
  readonly index: FormIndex;
  readonly files: RegisterFiles;
}

/** The assembler's forms, and those that only decoders know (rows.ts), which are tried where none of the first fits. */
export type DecoderTables = readonly [DecoderTable, DecoderTable];

/** Makes the tables of an instruction set, given the decoder's own forms and the traits of both. */
export function decoderTables(
  set: InstructionSet,
  traits: string,
  own: PackedTable,
  ownTraits: string,
): DecoderTables {
  const files = new RegisterFiles(set.registers);
  const table = (forms: FormTable, packed: string): DecoderTable => {
    forms.unpackAll();
    const loaded = loadTraits(packed);
    return { set: forms, traits: loaded, index: new FormIndex(forms, loaded), files };
  };
  return [table(set, traits), table(new FormTable(() => readMnemonics(own)), ownTraits)];
}

let coreTables: DecoderTables | undefined;

/** Decodes the instructions of the core entry. Stateless: one serves all. */
export class Decoder {
  private readonly tables: DecoderTables;

  constructor(tables?: DecoderTables) {
    this.tables =
      tables ??
      (coreTables ??= decoderTables(coreInstructions, coreTraits, coreDecoderTable, coreDecoderTraits));
  }

  /** The instruction at `offset`, or `undefined` where none begins or the bytes end before it does. */
  decode(
    bytes: Uint8Array,
    { bits = 64, address = 0n, offset = 0 }: DecodeOptions = {},
  ): DecodedInstruction | undefined {
    const [first, second] = this.tables;
    const at = BigInt(address);
    return (
      new Decoding(first, bytes, offset, bits, at).run() ??
      new Decoding(second, bytes, offset, bits, at).run()
    );
  }
}
