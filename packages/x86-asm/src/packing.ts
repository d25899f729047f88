/**
 * The packed instruction table: what the generator writes and the assembler loads.
 *
 * A form is three bytes and more: indices into the lists of distinct upper halves of the opcode word and of
 * distinct flags words, the opcode, the byte of the ModRM field where it has a meaning, and for each operand an
 * index into the list of distinct operands. An operand is four numbers: bits, slot, check, fixed register. Bytes
 * travel as base64, so that the module is plain ASCII.
 */
import type { Form, FormOperand } from "./notation.js";
import {
  CHECK_BITS,
  FIXED_BITS,
  FormFlag,
  FormWord,
  MAX_OPERANDS,
  ModrmKind,
  OpcodeField,
  OperandBit,
  SLOT_BITS,
} from "./operand-bits.js";

export interface PackedTable {
  /** Mnemonics, separated by blanks, each followed by its number of forms if that is not 1: `mov*24 movabs*8`. */
  readonly mnemonics: string;
  /** Numbers, separated by commas, as the two below: arrays would be printed a number a line. */
  readonly operands: string;
  /** Opcode words without their low 16 bits. */
  readonly kinds: string;
  readonly flags: string;
  readonly forms: string;
}

/** The lists of a packed table that forms index. */
type Parts = Readonly<Record<"operands" | "kinds" | "flags", readonly number[]>>;

/** A table as the encoder reads it. */
export interface LoadedTable {
  readonly mnemonics: readonly string[];
  /** First form of each mnemonic, and the number of all forms at the end. */
  readonly first: Int32Array;
  /** `FormWord.stride` words a form. */
  readonly words: Int32Array;
}

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

/** Distinct keys, numbered from 0 in a byte. Throws `RangeError` where there are more. */
class Dictionary {
  private readonly indices = new Map<string, number>();

  /** The number of a key; `onNew` is called for a new one. */
  indexOf(key: string, onNew: () => void): number {
    let index = this.indices.get(key);
    if (index === undefined) {
      index = this.indices.size;
      if (index > 255) throw new RangeError("more than 256 distinct parts of forms; a byte holds 256");
      this.indices.set(key, index);
      onNew();
    }
    return index;
  }
}

/** Packs forms; those of one mnemonic need not stand together. */
export function packTable(forms: readonly Form[]): PackedTable {
  const byMnemonic = groupForms(forms);
  const operands: number[] = [];
  const kinds: number[] = [];
  const flags: number[] = [];
  const dictionaries = { operands: new Dictionary(), kinds: new Dictionary(), flags: new Dictionary() };
  const bytes: number[] = [];
  for (const form of [...byMnemonic.values()].flat()) {
    const opcode = opcodeWord(form);
    const flag = flagsWord(form);
    const kind = opcode & ~0xffff;
    bytes.push(dictionaries.kinds.indexOf(String(kind), () => kinds.push(kind)));
    bytes.push(dictionaries.flags.indexOf(String(flag), () => flags.push(flag)));
    bytes.push(opcode & 255);
    if (hasModrmByte(opcode, flag)) bytes.push((opcode >> 8) & 255);
    for (const operand of form.operands) {
      const packed = packOperand(operand);
      bytes.push(dictionaries.operands.indexOf(packed.join(), () => operands.push(...packed)));
    }
  }
  const mnemonics = [...byMnemonic].map(([name, group]) =>
    group.length === 1 ? name : `${name}*${group.length}`,
  );
  return {
    mnemonics: mnemonics.join(" "),
    operands: operands.join(),
    kinds: kinds.join(),
    flags: flags.join(),
    forms: toBase64(bytes),
  };
}

/** Whether the ModRM field of a form says anything: a digit, a second opcode byte, or a last byte. */
function hasModrmByte(opcode: number, flags: number): boolean {
  return ((opcode >> OpcodeField.modrmKind) & 3) >= ModrmKind.digit || (flags & FormFlag.suffix) !== 0;
}

/** A form with a last operand that may be left out is two forms. */
function withoutOptional(form: Form): Form[] {
  if (!form.operands.at(-1)?.optional) return [form];
  return [form, { ...form, operands: form.operands.slice(0, -1) }];
}

function packOperand(operand: FormOperand): number[] {
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
  const parts: Parts = {
    operands: packed.operands.split(",").map(Number),
    kinds: packed.kinds.split(",").map(Number),
    flags: packed.flags.split(",").map(Number),
  };
  const bytes = fromBase64(packed.forms);
  const words = new Int32Array(first[entries.length]! * FormWord.stride);
  for (let from = 0, to = 0; to < words.length; to += FormWord.stride) {
    from = loadForm(bytes, from, words, to, parts);
  }
  return { mnemonics, first, words };
}

/** One table with the forms of two; where both have a mnemonic, the first one's forms come first. */
export function combineTables(first: LoadedTable, second: LoadedTable): LoadedTable {
  const ids = new Map(second.mnemonics.map((name, id) => [name, id]));
  const shared = new Set(first.mnemonics.filter((name) => ids.has(name)));
  const mnemonics = [...first.mnemonics, ...second.mnemonics.filter((name) => !shared.has(name))];
  const starts = new Int32Array(mnemonics.length + 1);
  const words = new Int32Array(first.words.length + second.words.length);
  let at = 0;
  const append = (table: LoadedTable, id: number) => {
    const [from, to] = [table.first[id]! * FormWord.stride, table.first[id + 1]! * FormWord.stride];
    words.set(table.words.subarray(from, to), at);
    at += to - from;
  };
  mnemonics.forEach((name, i) => {
    if (i < first.mnemonics.length) append(first, i);
    const id = ids.get(name);
    if (id !== undefined) append(second, id);
    starts[i + 1] = at / FormWord.stride;
  });
  return { mnemonics, first: starts, words };
}

/** Spreads out the form at `from`; returns the offset behind it. */
function loadForm(bytes: Uint8Array, from: number, words: Int32Array, to: number, packed: Parts): number {
  const kind = packed.kinds[bytes[from]!]!;
  const flags = packed.flags[bytes[from + 1]!]!;
  let opcode = kind | bytes[from + 2]!;
  let at = from + 3;
  if (hasModrmByte(kind, flags)) opcode |= bytes[at++]! << OpcodeField.modrm;
  words[to + FormWord.opcode] = opcode;
  words[to + FormWord.flags] = flags;
  const count = (flags >> FormFlag.countShift) & 7;
  for (let i = 0; i < MAX_OPERANDS; i++) {
    if (i >= count) {
      words[to + i] = OperandBit.absent;
      continue;
    }
    const operand = bytes[at++]! * OPERAND_NUMBERS;
    words[to + i] = packed.operands[operand]!;
    words[to + FormWord.slots]! |= packed.operands[operand + 1]! << (i * SLOT_BITS);
    words[to + FormWord.checks]! |= packed.operands[operand + 2]! << (i * CHECK_BITS);
    words[to + FormWord.fixed]! |= packed.operands[operand + 3]! << (i * FIXED_BITS);
  }
  return at;
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
