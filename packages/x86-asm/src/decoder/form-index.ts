/** The forms of an instruction set by opcode, as a decoder asks for them. */
import type { InstructionSet } from "../instruction-set.js";
import { EncodingKind, FormFlag, FormWord, ModrmKind, OpcodeField, OpcodeMap } from "../operand-bits.js";

/** Opcode maps take this many keys each. */
const MAP_SHIFT = 8;
const NO_FORMS: readonly number[] = [];

/** Forms (offsets of their words) by map and opcode byte. */
export class FormIndex {
  private readonly byOpcode = new Map<number, number[]>();

  constructor(set: InstructionSet) {
    set.unpackAll();
    const { words } = set;
    for (let form = 0; form < words.length; form += FormWord.stride) {
      const flags = words[form + FormWord.flags]!;
      const kind = (flags & FormFlag.kindMask) >> FormFlag.kindShift;
      // FWAIT is an instruction of its own; what the mnemonic with it stands for begins behind it.
      const waits = (flags & FormFlag.fwait) !== 0;
      const isLegacy = kind === EncodingKind.legacy || kind >= EncodingKind.addressed;
      if (isLegacy && !waits) this.add(words[form + FormWord.opcode]!, form);
    }
  }

  private add(opcode: number, form: number): void {
    let map = (opcode >> OpcodeField.map) & 15;
    let byte = opcode & 255;
    // 3DNow! instructions share one opcode, 0F 0F; what tells them apart stands behind the operands.
    if (map === OpcodeMap["3DNow"]) [map, byte] = [OpcodeMap["0F"], 0x0f];
    const isPlus =
      ((opcode >> OpcodeField.plusRegister) & 1) !== 0 &&
      ((opcode >> OpcodeField.modrmKind) & 3) !== ModrmKind.fixed;
    for (let i = 0; i < (isPlus ? 8 : 1); i++) {
      const key = (map << MAP_SHIFT) | (byte + i);
      const forms = this.byOpcode.get(key);
      if (forms) forms.push(form);
      else this.byOpcode.set(key, [form]);
    }
  }

  /** In the order of the table: where two say the same, the first is the usual name. */
  find(map: number, opcode: number): readonly number[] {
    return this.byOpcode.get((map << MAP_SHIFT) | opcode) ?? NO_FORMS;
  }
}
