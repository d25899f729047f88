/** The forms that the decoder chooses from, unpacked from the generated table when an opcode first comes up. */
import { FORMS, MNEMONICS, NOTATIONS } from "./generated/forms.js";

/** Where an operand comes from: `Slot` of @kvmkit/x86-asm. */
export const Slot = {
  implicit: 0,
  reg: 1,
  rm: 2,
  opcode: 3,
  ib: 6,
  iw: 7,
  id: 8,
  iq: 9,
  cb: 10,
  cw: 11,
  cd: 12,
  moffs: 13,
  ptr16: 14,
  ptr32: 15,
  both: 16,
} as const;

export const ModrmKind = { none: 0, register: 1, digit: 2, fixed: 3 } as const;
export const Prefix = { none: 0, "66": 1, F3: 2, F2: 3 } as const;

export interface FormOperand {
  /** As the table writes it: `r/m32`, `simm8`, `xmm/m64`. */
  readonly notation: string;
  readonly slot: number;
  /** Number of the one register that it names, or -1. */
  readonly fixed: number;
  /** In a ModRM.rm operand: which of mod = 3 and mod ≠ 3 it takes. */
  readonly takesRegister: boolean;
  readonly takesMemory: boolean;
  /** Bytes, 0 where there is no such operand or its width is not fixed. */
  readonly registerSize: number;
  readonly memorySize: number;
}

export interface Form {
  readonly mnemonic: string;
  readonly operands: readonly FormOperand[];
  /** 0: one-byte, 1: 0F, 2: 0F 38, 3: 0F 3A */
  readonly map: number;
  readonly opcode: number;
  readonly prefix: number;
  readonly noPrefix: boolean;
  readonly modrmKind: number;
  readonly modrm: number;
  readonly plusRegister: boolean;
  readonly rexW: boolean;
  /** Bytes, or 0 for any. */
  readonly operandSize: number;
  readonly addressSize: number;
  /** 1: 16-bit, 2: 32-bit, 4: 64-bit mode */
  readonly modes: number;
  readonly lockable: boolean;
}

const WORDS = 6;
const BYTES_OF_WIDTH = [0, 2, 4, 8] as const;

/** `m`, `m64`, `m16:32`, `m16&64`; not `mm` or `moffs8`. */
function isMemory(part: string): boolean {
  return /^m(\d.*)?$/.test(part);
}

/** Bytes of `r32`, `m64`, `imm8`; 0 where the notation has no width. */
function bytesOf(part: string | undefined): number {
  const bits = /^[a-z]+(\d+)$/.exec(part ?? "");
  return bits ? Number(bits[1]) / 8 : (NAMED_REGISTERS[part ?? ""] ?? 0);
}

const NAMED_REGISTERS: Readonly<Record<string, number>> = {
  al: 1,
  cl: 1,
  ax: 2,
  dx: 2,
  eax: 4,
  rax: 8,
  mm: 8,
  xmm: 16,
  xmm0: 16,
  sreg: 2,
};

function unpackOperand(notations: readonly string[], word: number): FormOperand {
  const notation = notations[word & 0xff]!;
  const parts = notation.split("/");
  const memory = parts.find(isMemory);
  const register = parts.find((part) => !isMemory(part));
  const memorySize = bytesOf(memory);
  return {
    notation,
    slot: (word >> 8) & 0xff,
    fixed: (word >> 16) - 1,
    takesRegister: register !== undefined,
    takesMemory: memory !== undefined,
    registerSize: register === "r" ? memorySize : bytesOf(register),
    memorySize,
  };
}

class Table {
  private readonly mnemonics = MNEMONICS.split(" ");
  private readonly notations = NOTATIONS.split(" ");
  private readonly words = FORMS.split(" ").map((word) => Number.parseInt(word, 36));
  readonly length = this.words.length / WORDS;
  private readonly unpacked: (Form | undefined)[] = [];
  /** Numbers of forms by map and opcode, in the order in which they are to be tried. */
  private readonly numbers: number[][] = Array.from({ length: 4 * 256 }, () => []);
  private readonly byOpcode: (readonly Form[] | undefined)[] = [];

  constructor() {
    for (let n = 0; n < this.length; n++) {
      const { map, opcode, modrmKind, plusRegister } = this.encoding(n);
      const inOpcode = plusRegister && modrmKind !== ModrmKind.fixed;
      for (let k = 0; k < (inOpcode ? 8 : 1); k++) this.numbers[map * 256 + opcode + k]!.push(n);
    }
  }

  private encoding(n: number) {
    const encoding = this.words[n * WORDS + 1]!;
    const flags = this.words[n * WORDS + 2]!;
    return {
      opcode: encoding & 0xff,
      map: (encoding >> 8) & 15,
      modrmKind: (encoding >> 12) & 3,
      prefix: (encoding >> 14) & 3,
      modrm: (encoding >> 16) & 0xff,
      operandSize: BYTES_OF_WIDTH[(encoding >> 24) & 3]!,
      addressSize: BYTES_OF_WIDTH[(encoding >> 26) & 3]!,
      modes: flags & 7,
      rexW: (flags & 8) !== 0,
      noPrefix: (flags & 16) !== 0,
      plusRegister: (flags & 32) !== 0,
      lockable: (flags & 64) !== 0,
    };
  }

  form(n: number): Form {
    return (this.unpacked[n] ??= this.unpack(n));
  }

  private unpack(n: number): Form {
    const operands = this.words.slice(n * WORDS + 3, (n + 1) * WORDS).filter((word) => word >= 0);
    return {
      mnemonic: this.mnemonics[this.words[n * WORDS]!]!,
      operands: operands.map((word) => unpackOperand(this.notations, word)),
      ...this.encoding(n),
    };
  }

  of(map: number, opcode: number): readonly Form[] {
    const at = map * 256 + opcode;
    return (this.byOpcode[at] ??= this.numbers[at]!.map((n) => this.form(n)));
  }
}

let table: Table | undefined;

/** All forms of this processor, the more particular before the more general. */
export function allForms(): readonly Form[] {
  const { length } = (table ??= new Table());
  return Array.from({ length }, (_, n) => table!.form(n));
}

/** The forms of one opcode byte, in the order in which they are to be tried. */
export function formsOf(map: number, opcode: number): readonly Form[] {
  return (table ??= new Table()).of(map, opcode);
}
