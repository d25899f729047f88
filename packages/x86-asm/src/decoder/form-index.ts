/** The forms of an instruction set by opcode, as a decoder asks for them. */

import type { FormTable } from "../form-table.js";
import { EncodingKind, FormFlag, FormWord, ModrmKind, OpcodeField, OpcodeMap } from "../operand-bits.js";
import { Trait } from "./traits.js";

/** Kinds of encodings take this many keys each, maps within them 256. */
const KIND_SHIFT = 13;
const MAP_SHIFT = 8;
const NO_FORMS: readonly number[] = [];

/** Forms (offsets of their words) by encoding, map and opcode byte. */
export class FormIndex {
  private readonly byOpcode = new Map<number, number[]>();

  constructor(set: FormTable, traits: Uint8Array) {
    const { words } = set;
    for (let form = 0; form < words.length; form += FormWord.stride) {
      if ((traits[form / FormWord.stride]! & Trait.alias) !== 0) continue;
      const kind = (words[form + FormWord.flags]! & FormFlag.kindMask) >> FormFlag.kindShift;
      const isExtended = kind === EncodingKind.vex || kind === EncodingKind.evex || kind === EncodingKind.xop;
      this.add(isExtended ? kind : EncodingKind.legacy, words[form + FormWord.opcode]!, form);
    }
  }

  private add(kind: number, opcode: number, form: number): void {
    let map = (opcode >> OpcodeField.map) & 15;
    let byte = opcode & 255;
    // 3DNow! instructions share one opcode, 0F 0F; what tells them apart stands behind the operands.
    if (map === OpcodeMap["3DNow"]) [map, byte] = [OpcodeMap["0F"], 0x0f];
    const isPlus =
      ((opcode >> OpcodeField.plusRegister) & 1) !== 0 &&
      ((opcode >> OpcodeField.modrmKind) & 3) !== ModrmKind.fixed;
    for (let i = 0; i < (isPlus ? 8 : 1); i++) {
      const key = (kind << KIND_SHIFT) | (map << MAP_SHIFT) | (byte + i);
      const forms = this.byOpcode.get(key);
      if (forms) forms.push(form);
      else this.byOpcode.set(key, [form]);
    }
  }

  /** In the order of the table. */
  find(kind: number, map: number, opcode: number): readonly number[] {
    return this.byOpcode.get((kind << KIND_SHIFT) | (map << MAP_SHIFT) | opcode) ?? NO_FORMS;
  }
}
