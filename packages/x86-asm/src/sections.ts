/**
 * Sections while they are written: bytes with everything at its shortest, and beside them the places that are
 * patched when addresses are known (fixes) and those that grow before (variables), both in order of offset.
 */
import { asmError } from "./errors.js";
import type { Integer } from "./integers.js";

/** What a fix's field holds; the width is in the name. */
export const FixKind = {
  abs8: 0,
  abs16: 1,
  abs32: 2,
  /** 32 bits that the processor sign-extends to 64. */
  abs32s: 3,
  abs64: 4,
  pc8: 5,
  pc16: 6,
  pc32: 7,
  pc64: 8,
  /** A byte that the processor sign-extends. */
  abs8s: 9,
  /** The offset of a branch in 64-bit mode: one to a function elsewhere may go through a linkage table. */
  branch32: 10,
  /** The displacement of RIP-relative memory that a linker may turn into an operand of another kind; with REX. */
  pc32Relaxable: 11,
  pc32RelaxableRex: 12,
} as const;

/** Bytes of each fix kind's field. */
export const FIELD_SIZES: readonly number[] = [1, 2, 4, 4, 8, 1, 2, 4, 8, 1, 4, 4, 4];

/** What a variable stands for. */
export const VariableKind = {
  /** A JMP or Jcc with an 8-bit offset; its offset is that of the opcode, and two bytes stand there. */
  branch: 0,
  /** Padding to an alignment; no bytes stand there. */
  align: 1,
  /** A pattern repeated as often as an expression says. */
  fill: 2,
  /** Padding up to an offset in the section. */
  org: 3,
} as const;

/** Words of a fix. */
export const FixWord = {
  offset: 0,
  kind: 1,
  symbol: 2,
  toEnd: 3,
  variablesBefore: 4,
  line: 5,
  stride: 6,
} as const;
/** Words of a variable. `extra`: `FixKind` of a branch's long form, or the index of a `Padding`. */
export const VariableWord = { offset: 0, kind: 1, symbol: 2, extra: 3, line: 4, stride: 5 } as const;

/** How a gap is filled. */
export interface Padding {
  /** Power of two; for alignments. */
  readonly align: number;
  /** An alignment that would need more bytes is not made. */
  readonly maxBytes: number;
  /** Bytes to repeat; `null` for NOPs. */
  readonly pattern: Uint8Array | null;
  /** Mode whose NOPs to use. */
  readonly bits: number;
}

export interface SectionFlags {
  readonly write: boolean;
  readonly execute: boolean;
  /** Occupies memory when the program runs. */
  readonly alloc: boolean;
  /** Occupies memory and no bytes in a file. */
  readonly nobits: boolean;
}

const FLAGS_BY_NAME: Readonly<Record<string, SectionFlags>> = {
  text: { write: false, execute: true, alloc: true, nobits: false },
  init: { write: false, execute: true, alloc: true, nobits: false },
  fini: { write: false, execute: true, alloc: true, nobits: false },
  rodata: { write: false, execute: false, alloc: true, nobits: false },
  data: { write: true, execute: false, alloc: true, nobits: false },
  bss: { write: true, execute: false, alloc: true, nobits: true },
  debug: { write: false, execute: false, alloc: false, nobits: false },
  comment: { write: false, execute: false, alloc: false, nobits: false },
  note: { write: false, execute: false, alloc: true, nobits: false },
};

/** Whether the name says what a section is for. */
export function hasKnownName(name: string): boolean {
  return Object.hasOwn(FLAGS_BY_NAME, stemOf(name));
}

function stemOf(name: string): string {
  return name.split(/[._]/).find((part) => part !== "") ?? "";
}

/** What the name says: `.text` and `.text.x` are executable, `.rodata` read-only, `.bss` without bytes, others data. */
export function defaultFlags(name: string): SectionFlags {
  return FLAGS_BY_NAME[hasKnownName(name) ? stemOf(name) : "data"]!;
}

/** Longest instruction, with room to spare: how many bytes an encoder may write without asking again. */
export const RESERVE = 64;
/** A section may not grow beyond this. */
export const MAX_SECTION_BYTES = 2 ** 30;

/** Records of `stride` words, with an integer beside each. */
export class RecordList {
  words: Int32Array;
  readonly addends: Integer[] = [];
  private readonly stride: number;

  constructor(stride: number) {
    this.stride = stride;
    this.words = new Int32Array(16 * stride);
  }

  get count(): number {
    return this.addends.length;
  }

  /** Appends a record and returns the index of its first word, for the caller to fill. */
  add(addend: Integer): number {
    const at = this.addends.length * this.stride;
    if (at === this.words.length) {
      const words = new Int32Array(at * 2);
      words.set(this.words);
      this.words = words;
    }
    this.addends.push(addend);
    return at;
  }

  /** Forgets all records from the `count`-th on. */
  truncate(count: number): void {
    this.addends.length = count;
  }
}

/** A section being written. */
export class SectionBuffer {
  readonly name: string;
  readonly index: number;
  flags: SectionFlags;
  align: number;
  /** What its alignment is at least, in an object and in a flat image, where the source does not say. */
  least: { readonly object: number; readonly flat: number } = { object: 1, flat: 1 };
  bytes: Uint8Array = new Uint8Array(1024);
  length = 0;
  readonly fixes = new RecordList(FixWord.stride);
  readonly variables = new RecordList(VariableWord.stride);
  readonly paddings: Padding[] = [];

  constructor(name: string, index: number, flags: SectionFlags, align: number) {
    this.name = name;
    this.index = index;
    this.flags = flags;
    this.align = align;
  }

  /** Makes room for `count` more bytes. Throws `ERR_ASM_SECTION` beyond 1 GiB. */
  reserve(count: number): void {
    if (this.length + count > this.bytes.length) this.grow(count);
  }

  private grow(count: number): void {
    const needed = this.length + count;
    if (needed > MAX_SECTION_BYTES) {
      throw asmError("ERR_ASM_SECTION", `section ${this.name} would have ${needed} bytes; 1 GiB is allowed`);
    }
    const bytes = new Uint8Array(Math.min(MAX_SECTION_BYTES, Math.max(needed, this.bytes.length * 2)));
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }

  /** Appends bytes. */
  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The field at `offset` gets `symbol + addend`; `toEnd` bytes from there its instruction ends (pc kinds). */
  addFix(offset: number, kind: number, symbol: number, toEnd: number, addend: Integer, line: number): void {
    const at = this.fixes.add(addend);
    const { words } = this.fixes;
    words[at] = offset;
    words[at + FixWord.kind] = kind;
    words[at + FixWord.symbol] = symbol;
    words[at + FixWord.toEnd] = toEnd;
    words[at + FixWord.variablesBefore] = this.variables.count;
    words[at + FixWord.line] = line;
  }

  addVariable(kind: number, symbol: number, extra: number, addend: Integer, line: number): void {
    const at = this.variables.add(addend);
    const { words } = this.variables;
    words[at] = this.length;
    words[at + VariableWord.kind] = kind;
    words[at + VariableWord.symbol] = symbol;
    words[at + VariableWord.extra] = extra;
    words[at + VariableWord.line] = line;
  }
}
