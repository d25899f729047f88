/**
 * The packed instruction table: what the generator writes and the assembler loads.
 *
 * A form is 13 bytes: opcode word, flags word, five indices into the list of distinct operands. An operand is
 * four numbers: bits, slot, check, fixed register. Bytes travel as base64, so that the module is plain ASCII.
 */
import type { Form, FormOperand } from "./notation.js";
import {
  CHECK_BITS,
  FIXED_BITS,
  FormFlag,
  FormWord,
  MAX_OPERANDS,
  OpcodeField,
  OperandBit,
  SLOT_BITS,
} from "./operand-bits.js";

export interface PackedTable {
  /** Mnemonics, separated by blanks, each followed by its number of forms if that is not 1: `mov*24 movabs*8`. */
  readonly mnemonics: string;
  readonly operands: readonly number[];
  readonly forms: string;
}

/** A table as the encoder reads it. */
export interface LoadedTable {
  readonly mnemonics: readonly string[];
  /** First form of each mnemonic, and the number of all forms at the end. */
  readonly first: Int32Array;
  /** `FormWord.stride` words a form. */
  readonly words: Int32Array;
}

const FORM_BYTES = 8 + MAX_OPERANDS;
const OPERAND_NUMBERS = 4;
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function opcodeWord(form: Form): number {
  return (
    (form.opcode << OpcodeField.opcode) |
    (form.modrm << OpcodeField.modrm) |
    (form.map << OpcodeField.map) |
    (form.prefix << OpcodeField.prefix) |
    (form.modrmKind << OpcodeField.modrmKind) |
    (Number(form.rexW) << OpcodeField.rexW) |
    (form.operandSize << OpcodeField.operandSize) |
    (form.addressSize << OpcodeField.addressSize) |
    (Number(form.plusRegister) << OpcodeField.plusRegister)
  );
}

export function flagsWord(form: Form): number {
  return (
    form.modes |
    form.flags |
    (form.kind << FormFlag.kindShift) |
    (form.operands.length << FormFlag.countShift)
  );
}

/** Forms by mnemonic, in the order in which they are packed: within a mnemonic they keep their order. */
export function groupForms(forms: readonly Form[]): ReadonlyMap<string, readonly Form[]> {
  const byMnemonic = new Map<string, Form[]>();
  for (const form of forms) {
    const group = byMnemonic.get(form.mnemonic);
    if (group) group.push(...withoutOptional(form));
    else byMnemonic.set(form.mnemonic, withoutOptional(form));
  }
  return byMnemonic;
}

/** Packs forms; those of one mnemonic need not stand together. */
export function packTable(forms: readonly Form[]): PackedTable {
  const byMnemonic = groupForms(forms);
  const operandIndex = new Map<string, number>([[packOperand(undefined).join(), 0]]);
  const operands: number[] = packOperand(undefined);
  const bytes: number[] = [];
  for (const form of [...byMnemonic.values()].flat()) {
    for (const word of [opcodeWord(form), flagsWord(form)]) {
      bytes.push(word & 255, (word >> 8) & 255, (word >> 16) & 255, (word >> 24) & 255);
    }
    for (let i = 0; i < MAX_OPERANDS; i++) {
      const packed = packOperand(form.operands[i]);
      const key = packed.join();
      if (!operandIndex.has(key)) {
        operandIndex.set(key, operands.length / OPERAND_NUMBERS);
        operands.push(...packed);
      }
      bytes.push(operandIndex.get(key)!);
    }
  }
  if (operandIndex.size > 256)
    throw new RangeError(`${operandIndex.size} distinct operands; a byte holds 256`);
  const mnemonics = [...byMnemonic].map(([name, group]) =>
    group.length === 1 ? name : `${name}*${group.length}`,
  );
  return { mnemonics: mnemonics.join(" "), operands, forms: toBase64(bytes) };
}

/** A form with a last operand that may be left out is two forms. */
function withoutOptional(form: Form): Form[] {
  if (!form.operands.at(-1)?.optional) return [form];
  return [form, { ...form, operands: form.operands.slice(0, -1) }];
}

function packOperand(operand: FormOperand | undefined): number[] {
  if (operand === undefined) return [OperandBit.absent, 0, 0, 0];
  return [operand.accepts, operand.slot, operand.check, Math.max(operand.fixed, 0)];
}

/** Spreads a packed table out for the encoder. */
export function loadTable(packed: PackedTable): LoadedTable {
  const entries = packed.mnemonics.split(" ");
  const mnemonics: string[] = [];
  const first = new Int32Array(entries.length + 1);
  for (let i = 0; i < entries.length; i++) {
    const [name, count] = entries[i]!.split("*");
    mnemonics.push(name!);
    first[i + 1] = first[i]! + Number(count ?? 1);
  }
  const bytes = fromBase64(packed.forms);
  const words = new Int32Array(first[entries.length]! * FormWord.stride);
  for (let from = 0, to = 0; to < words.length; from += FORM_BYTES, to += FormWord.stride) {
    loadForm(bytes, from, words, to, packed.operands);
  }
  return { mnemonics, first, words };
}

function loadForm(
  bytes: Uint8Array,
  from: number,
  words: Int32Array,
  to: number,
  operands: readonly number[],
): void {
  const word = (at: number) =>
    bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  words[to + FormWord.opcode] = word(from);
  words[to + FormWord.flags] = word(from + 4);
  for (let i = 0; i < MAX_OPERANDS; i++) {
    const at = bytes[from + 8 + i]! * OPERAND_NUMBERS;
    words[to + i] = operands[at]!;
    words[to + FormWord.slots]! |= operands[at + 1]! << (i * SLOT_BITS);
    words[to + FormWord.checks]! |= operands[at + 2]! << (i * CHECK_BITS);
    words[to + FormWord.fixed]! |= operands[at + 3]! << (i * FIXED_BITS);
  }
}

function toBase64(bytes: readonly number[]): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let shift = 18; shift >= 0; shift -= 6) text += BASE64[(group >> shift) & 63];
  }
  return text;
}

/** The bytes of a base64 string without padding; up to two zero bytes follow them. */
function fromBase64(text: string): Uint8Array {
  const digits = new Uint8Array(128);
  for (let i = 0; i < 64; i++) digits[BASE64.charCodeAt(i)] = i;
  const bytes = new Uint8Array((text.length / 4) * 3);
  for (let from = 0, to = 0; from < text.length; from += 4, to += 3) {
    const group =
      (digits[text.charCodeAt(from)]! << 18) |
      (digits[text.charCodeAt(from + 1)]! << 12) |
      (digits[text.charCodeAt(from + 2)]! << 6) |
      digits[text.charCodeAt(from + 3)]!;
    bytes[to] = group >> 16;
    bytes[to + 1] = (group >> 8) & 255;
    bytes[to + 2] = group & 255;
  }
  return bytes;
}
