/**
 * Sections while they are written: bytes with every branch at its shortest, and beside them, in order of
 * offset, the places that are patched or grow when addresses are known.
 */
import { asmError } from "./errors.js";

/** What stands at a fix's offset. Values from `branch` on change the section's length. */
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
  /** A JMP or Jcc with an 8-bit offset that grows to 16 or 32 bits; its offset is that of the opcode. */
  branch: 8,
  /** Padding to a multiple of the addend. */
  align: 9,
} as const;

/** Words of one fix. */
export const FixWord = {
  offset: 0,
  kind: 1,
  symbol: 2,
  /** pc: bytes from the field to the end of its instruction; branch: width of the long form in bytes. */
  extra: 3,
  stride: 4,
} as const;

export interface SectionFlags {
  readonly write: boolean;
  readonly execute: boolean;
  /** Occupies memory and no bytes in a file. */
  readonly nobits: boolean;
}

const FLAGS_BY_NAME: Readonly<Record<string, SectionFlags>> = {
  text: { write: false, execute: true, nobits: false },
  init: { write: false, execute: true, nobits: false },
  rodata: { write: false, execute: false, nobits: false },
  data: { write: true, execute: false, nobits: false },
  bss: { write: true, execute: false, nobits: true },
};

/** What the name says: `.text` and `.text.x` are executable, `.rodata` read-only, `.bss` without bytes, others data. */
export function defaultFlags(name: string): SectionFlags {
  const stem = name.split(".").find((part) => part !== "") ?? "";
  return (Object.hasOwn(FLAGS_BY_NAME, stem) ? FLAGS_BY_NAME[stem] : FLAGS_BY_NAME["data"])!;
}

/** Longest instruction, with room to spare: how many bytes an encoder may write without asking again. */
export const RESERVE = 64;
const MAX_SECTION_BYTES = 2 ** 30;

/** A section being written. */
export class SectionBuffer {
  readonly name: string;
  readonly index: number;
  flags: SectionFlags;
  align: number;
  bytes: Uint8Array = new Uint8Array(1024);
  length = 0;
  fixes: Int32Array = new Int32Array(64 * FixWord.stride);
  /** Added to the symbol; one for each fix. */
  readonly addends: (number | bigint)[] = [];

  constructor(name: string, index: number, flags: SectionFlags, align: number) {
    this.name = name;
    this.index = index;
    this.flags = flags;
    this.align = align;
  }

  get fixCount(): number {
    return this.addends.length;
  }

  /** Makes room for `count` more bytes. */
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

  addFix(offset: number, kind: number, symbol: number, extra: number, addend: number | bigint): void {
    const at = this.addends.length * FixWord.stride;
    if (at === this.fixes.length) {
      const fixes = new Int32Array(at * 2);
      fixes.set(this.fixes);
      this.fixes = fixes;
    }
    this.fixes[at] = offset;
    this.fixes[at + 1] = kind;
    this.fixes[at + 2] = symbol;
    this.fixes[at + 3] = extra;
    this.addends.push(addend);
  }
}
