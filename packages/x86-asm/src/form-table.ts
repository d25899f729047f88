/**
 * The packed instruction table (packing.ts) as the encoder reads it. A program uses a few dozen of a thousand
 * mnemonics, so the forms of one are unpacked when it is first used.
 */
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
import { hasModrmByte, type PackedTable } from "./packing.js";

/** What is known of a mnemonic; 0 until its forms are unpacked. */
export const MnemonicTrait = {
  unpacked: 1,
  /** It takes a branch target: a bare symbol is one, not memory. */
  branch: 2,
} as const;

/** The lists of a packed table that forms index. */
type Parts = Readonly<Record<"operands" | "kinds" | "flags", readonly number[]>>;

interface Family {
  readonly count: number;
  readonly forms: string;
  readonly parts: () => Parts;
}

/** A mnemonic's forms, packed. */
export interface Member {
  readonly name: string;
  readonly family: Family;
  /** What is added to the family's bytes: `8`, `.1`, `8.1`. */
  readonly difference: string;
}

const OPERAND_NUMBERS = 4;

/** The mnemonics of a packed table. */
export function readMnemonics(packed: PackedTable): readonly Member[] {
  const families: Family[] = [];
  const members: Member[] = [];
  let known: Parts | undefined;
  const parts = () => (known ??= readParts(packed));
  for (const run of packed.mnemonics.split(";")) {
    const [head, ...names] = run.split(" ");
    const star = head!.indexOf("*");
    const family =
      star < 0
        ? families[Number(head)]!
        : { count: Number(head!.slice(0, star)), forms: head!.slice(star + 1), parts };
    if (star >= 0) families.push(family);
    for (const name of names) {
      const colon = name.indexOf(":");
      if (colon < 0) members.push({ name, family, difference: "" });
      else members.push({ name: name.slice(0, colon), family, difference: name.slice(colon + 1) });
    }
  }
  return members;
}

function readParts(packed: PackedTable): Parts {
  const numbers = (text: string) => text.split(",").map(Number);
  return { operands: numbers(packed.operands), kinds: numbers(packed.kinds), flags: numbers(packed.flags) };
}

/**
 * Forms by mnemonic; mnemonics are numbered in the order of their first member. There is nothing in it until `load`
 * is called, so that importing the package costs nothing: programs, builders and decoders do.
 */
export class FormTable {
  mnemonics: readonly string[] = [];
  /** Mnemonic to its number. */
  ids: ReadonlyMap<string, number> = new Map();
  /** First form of each mnemonic, and the number of all forms at the end. */
  first: Int32Array = new Int32Array(1);
  /** `FormWord.stride` words a form: zeros before its mnemonic is unpacked. */
  words: Int32Array = new Int32Array(0);
  /** `MnemonicTrait` bits by mnemonic. */
  traits: Uint8Array = new Uint8Array(0);
  private members: readonly (readonly Member[])[] = [];
  private readonly read: () => readonly Member[];

  /** Of what `read` gives; of two mnemonics of one name the first one's forms come first. */
  constructor(read: () => readonly Member[]) {
    this.read = read;
  }

  /** Reads the mnemonics, unless that has been done. */
  load(): this {
    if (this.members.length > 0) return this;
    const groups = new Map<string, Member[]>();
    for (const member of this.read()) {
      const group = groups.get(member.name);
      if (group) group.push(member);
      else groups.set(member.name, [member]);
    }
    const members = [...groups.values()];
    const first = new Int32Array(members.length + 1);
    members.forEach((group, id) => {
      first[id + 1] = group.reduce((sum, { family }) => sum + family.count, first[id]!);
    });
    this.members = members;
    this.mnemonics = [...groups.keys()];
    this.ids = new Map(this.mnemonics.map((name, id) => [name, id]));
    this.first = first;
    this.words = new Int32Array(first[members.length]! * FormWord.stride);
    this.traits = new Uint8Array(members.length);
    return this;
  }

  /** Unpacks the forms of a mnemonic, where that has not been done; its traits. */
  unpack(mnemonic: number): number {
    if (this.traits[mnemonic] !== 0) return this.traits[mnemonic]!;
    const start = this.first[mnemonic]! * FormWord.stride;
    let to = start;
    for (const member of this.members[mnemonic]!) to = unpackForms(member, this.words, to);
    let traits: number = MnemonicTrait.unpacked;
    for (let form = start; form < to; form += FormWord.stride) {
      if ((this.words[form]! & OperandBit.rel) !== 0) traits |= MnemonicTrait.branch;
    }
    return (this.traits[mnemonic] = traits);
  }

  /** Unpacks every form: for who looks for forms by their opcode. */
  unpackAll(): void {
    this.load();
    for (let id = 0; id < this.members.length; id++) this.unpack(id);
  }
}

/** Spreads out the forms of a member at `to`; returns the offset behind them. */
function unpackForms({ family, difference }: Member, words: Int32Array, to: number): number {
  const [opcode, modrm] = difference.split(".").map((digits) => Number.parseInt(digits || "0", 16));
  const bytes = fromBase64(family.forms);
  const parts = family.parts();
  for (let i = 0, from = 0; i < family.count; i++, to += FormWord.stride) {
    from = unpackForm(bytes, from, words, to, parts, opcode!, modrm ?? 0);
  }
  return to;
}

/** Spreads out the form at `from`; returns the offset behind it. */
function unpackForm(
  bytes: Uint8Array,
  from: number,
  words: Int32Array,
  to: number,
  parts: Parts,
  opcodeDifference: number,
  modrmDifference: number,
): number {
  const kind = parts.kinds[bytes[from]!]!;
  const flags = parts.flags[bytes[from + 1]!]!;
  let opcode = kind | ((bytes[from + 2]! + opcodeDifference) & 255);
  let at = from + 3;
  if (hasModrmByte(kind, flags)) opcode |= ((bytes[at++]! + modrmDifference) & 255) << OpcodeField.modrm;
  words[to + FormWord.opcode] = opcode;
  words[to + FormWord.flags] = flags;
  const count = (flags >> FormFlag.countShift) & 7;
  for (let i = 0; i < MAX_OPERANDS; i++) {
    if (i >= count) {
      words[to + i] = OperandBit.absent;
      continue;
    }
    const operand = bytes[at++]! * OPERAND_NUMBERS;
    words[to + i] = parts.operands[operand]!;
    words[to + FormWord.slots]! |= parts.operands[operand + 1]! << (i * SLOT_BITS);
    words[to + FormWord.checks]! |= parts.operands[operand + 2]! << (i * CHECK_BITS);
    words[to + FormWord.fixed]! |= parts.operands[operand + 3]! << (i * FIXED_BITS);
  }
  return at;
}

/** The bytes of base64 without padding; up to two zero bytes follow them. */
function fromBase64(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(text.length / 4) * 3);
  for (let i = 0; i < text.length; i++) {
    const at = (i >> 2) * 3;
    const shift = 18 - 6 * (i & 3);
    const group = base64Digit(text.charCodeAt(i)) << shift;
    bytes[at]! |= group >> 16;
    bytes[at + 1]! |= group >> 8;
    bytes[at + 2]! |= group;
  }
  return bytes;
}

/** The value of a letter, a digit, + or /. */
function base64Digit(code: number): number {
  if (code >= 97) return code - 71;
  if (code >= 65) return code - 65;
  if (code >= 48) return code + 4;
  return code === 43 ? 62 : 63;
}
