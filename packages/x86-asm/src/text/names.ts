/**
 * Reserved names, found without making a string: a hash table over the characters of the source.
 *
 * A name can mean one thing at the start of a statement (mnemonic, prefix, directive) and another in an operand
 * (register, size, operator): `and`, `cs`, `short`.
 */

/** What a name means; a meaning is `kind << 16 | value`. */
export const Meaning = {
  none: 0,
  mnemonic: 1,
  prefix: 2,
  directive: 3,
  register: 4,
  /** A width: the value indexes the list of widths. */
  size: 5,
  /** A word before an operand: `ptr`, `offset`, `short`, `rel`… */
  word: 6,
} as const;

export const MEANING_SHIFT = 16;
export const MEANING_VALUE = 0xffff;

/** Folds case: for letters this is lower case, and both sides of every comparison use it. */
const FOLD = 0x20;

export function hashStep(hash: number, code: number): number {
  return (Math.imul(hash, 31) + (code | FOLD)) | 0;
}

export class NameTable {
  private readonly slots: Int16Array;
  private readonly mask: number;
  /** Folded characters of each name. */
  private readonly names: Uint8Array[] = [];
  private readonly statementMeanings: number[] = [];
  private readonly operandMeanings: number[] = [];

  /** For up to `capacity` names. */
  constructor(capacity: number) {
    const size = 2 ** Math.ceil(Math.log2(capacity * 3));
    this.slots = new Int16Array(size).fill(-1);
    this.mask = size - 1;
  }

  addStatement(name: string, kind: number, value: number): void {
    this.statementMeanings[this.index(name)] = (kind << MEANING_SHIFT) | value;
  }

  addOperand(name: string, kind: number, value: number): void {
    this.operandMeanings[this.index(name)] = (kind << MEANING_SHIFT) | value;
  }

  private index(name: string): number {
    const codes = Uint8Array.from(name, (character) => character.charCodeAt(0) | FOLD);
    let hash = 0;
    for (const code of codes) hash = hashStep(hash, code);
    const found = this.find(codes, 0, codes.length, hash);
    if (found >= 0) return found;
    let slot = hash & this.mask;
    while (this.slots[slot]! >= 0) slot = (slot + 1) & this.mask;
    this.slots[slot] = this.names.length;
    this.names.push(codes);
    this.statementMeanings.push(0);
    this.operandMeanings.push(0);
    return this.names.length - 1;
  }

  private find(codes: ArrayLike<number>, start: number, end: number, hash: number): number {
    const { slots, mask, names } = this;
    for (let slot = hash & mask; slots[slot]! >= 0; slot = (slot + 1) & mask) {
      const index = slots[slot]!;
      const name = names[index]!;
      if (name.length === end - start && equalFolded(codes, start, name)) return index;
    }
    return -1;
  }

  /** What `codes[start, end)`, with that hash, means at the start of a statement; 0 if nothing. */
  statement(codes: Uint8Array, start: number, end: number, hash: number): number {
    const index = this.find(codes, start, end, hash);
    return index < 0 ? 0 : this.statementMeanings[index]!;
  }

  /** What it means in an operand; 0 if nothing. */
  operand(codes: Uint8Array, start: number, end: number, hash: number): number {
    const index = this.find(codes, start, end, hash);
    return index < 0 ? 0 : this.operandMeanings[index]!;
  }
}

function equalFolded(codes: ArrayLike<number>, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    if ((codes[start + i]! | FOLD) !== name[i]) return false;
  }
  return true;
}
