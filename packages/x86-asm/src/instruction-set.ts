/** The instructions that an assembler knows, ready to match and encode. */
import type { Encoder } from "./encoder.js";
import { FormTable, type Member, readMnemonics } from "./form-table.js";
import { coreTable } from "./generated/core-table.js";
import type { MaybeOperand } from "./matching.js";
import type { Register } from "./registers.js";
import { encodeAddressed, encodeLegacy, encodeLockedControl } from "./special-forms.js";
import { encodeVex } from "./vex.js";

/**
 * Encodes one form (the offset of its words) that is not a legacy one, with operands that fit its masks; `false`,
 * with nothing written, where it cannot take them after all, or where a later form should.
 */
export type FormEncoder = (encoder: Encoder, form: number, operands: readonly MaybeOperand[]) => boolean;

/** What the reader of a text offers for reading what stands in braces behind an operand. */
export interface DecorationSource {
  readonly text: string;
  at: number;
  next(): number;
  registerNamed(name: string): Register | undefined;
}

/** An operand with all that is written in braces from here on, or with a broadcast. */
export type Decorate = (
  source: DecorationSource,
  operand: MaybeOperand,
  isBroadcast: boolean,
) => MaybeOperand;

/** Mnemonics with their forms, and what else an assembler has to know to encode them. */
export class InstructionSet extends FormTable {
  /** Registers beyond those of registers.ts. */
  readonly registers: readonly Register[];
  /** By `EncodingKind`: how extensions encode their forms; the core encodes the legacy ones. */
  readonly encoders: readonly FormEncoder[];
  /** The core has no decorations: what stands in braces is left to be refused. */
  readonly decorate: Decorate;

  constructor(
    mnemonics: () => readonly Member[],
    encoders: readonly FormEncoder[],
    registers: readonly Register[],
    decorate: Decorate = (_, operand) => operand,
  ) {
    super(mnemonics);
    this.encoders = encoders;
    this.registers = registers;
    this.decorate = decorate;
  }

  /** The mnemonic that a jump or call becomes when its operand is marked FAR. */
  farOf(mnemonic: number): number {
    const name = this.mnemonics[mnemonic];
    return name === "jmp" || name === "call" ? this.ids.get(`l${name}`)! : mnemonic;
  }
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

export const coreMnemonics = (): readonly Member[] => readMnemonics(coreTable);

/** Everything but the vector extensions beyond SSE. */
export const coreInstructions: InstructionSet = new InstructionSet(coreMnemonics, coreEncoders, []);
