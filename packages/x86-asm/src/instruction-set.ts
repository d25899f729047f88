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

/** Mnemonics with their forms, and what else an assembler has to know to encode them. */
export class InstructionSet extends FormTable {
  /** Registers beyond those of registers.ts. */
  readonly registers: readonly Register[];
  /** By `EncodingKind`: how extensions encode their forms; the core encodes the legacy ones. */
  readonly encoders: readonly FormEncoder[];

  constructor(
    mnemonics: () => readonly Member[],
    encoders: readonly FormEncoder[],
    registers: readonly Register[],
  ) {
    super(mnemonics);
    this.encoders = encoders;
    this.registers = registers;
  }

  /** The mnemonic that PUSH becomes where its number has a width that is not the mode's: `push word 5`. */
  pushOf(mnemonic: number, valueBits: number, mode: number): number {
    if (this.mnemonics[mnemonic] !== "push" || (valueBits !== 16 && mode !== 16)) return mnemonic;
    return this.ids.get(valueBits === 16 ? "pushw" : valueBits === 32 ? "pushd" : "push")!;
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
