/** The builder: instructions as methods, sections, labels and data. */

import { type Bits, Encoder, Prefix } from "./encoder.js";
import { type AsmErrorCode, asmError } from "./errors.js";
import type { Instructions } from "./generated/instructions.js";
import { fitsImmediate, narrow, writeInteger } from "./immediates.js";
import { coreInstructions } from "./instruction-set.js";
import { type AsmObject, buildObject } from "./object.js";
import { OperandCheck } from "./operand-bits.js";
import { type Operand, SymbolReference } from "./operands.js";
import { defaultFlags, FixKind, SectionBuffer, type SectionFlags } from "./sections.js";
import { SymbolPlace, SymbolTable } from "./symbols.js";

export interface AssemblerOptions {
  /** Mode to start in; 64 if not given. */
  readonly bits?: Bits;
}

export interface SectionOptions extends Partial<SectionFlags> {
  /** A power of two. */
  readonly align?: number;
}

/** A datum of `db` to `dq`: a number, a symbol's address, or a string (its UTF-8 bytes, zero-padded to the width). */
export type Datum = number | bigint | string | SymbolReference | Uint8Array;

const DATA_CHECKS: Readonly<Record<number, number>> = {
  1: OperandCheck.imm8,
  2: OperandCheck.imm16,
  4: OperandCheck.imm32,
  8: OperandCheck.imm64,
};
const DATA_KINDS: Readonly<Record<number, number>> = {
  1: FixKind.abs8,
  2: FixKind.abs16,
  4: FixKind.abs32,
  8: FixKind.abs64,
};

/** Everything of `Assembler` that is no instruction. */
class AssemblerCore {
  private readonly sections: SectionBuffer[] = [];
  private readonly symbols = new SymbolTable();
  private readonly encoder: Encoder;
  private prefixes = 0;

  constructor(options: AssemblerOptions = {}) {
    const text = this.addSection(".text", {});
    this.encoder = new Encoder(coreInstructions, this.symbols, text, options.bits ?? 64);
  }

  /** Appends the instruction of that number. The generated methods call it. */
  protected emit(mnemonic: number, a?: Operand, b?: Operand, c?: Operand, d?: Operand, e?: Operand): this {
    const { prefixes } = this;
    this.prefixes = 0;
    this.encoder.instruction(mnemonic, prefixes, a, b, c, d, e);
    return this;
  }

  /** Appends an instruction by its name. Throws `ERR_ASM_OPERANDS` as the methods do. */
  instruction(mnemonic: string, ...operands: Operand[]): this {
    const id = coreInstructions.ids.get(mnemonic);
    if (id === undefined) throw asmError("ERR_ASM_OPERANDS", `there is no instruction ${mnemonic}`);
    return this.emit(id, ...(operands as [Operand]));
  }

  /** The next instruction is locked: `a.lock.xadd(mem.dword(rdi), eax)`. */
  get lock(): this {
    return this.prefix(Prefix.lock);
  }

  /** The next string instruction is repeated: `a.rep.movsb()`. */
  get rep(): this {
    return this.prefix(Prefix.rep);
  }

  get repe(): this {
    return this.prefix(Prefix.rep);
  }

  get repz(): this {
    return this.prefix(Prefix.rep);
  }

  get repne(): this {
    return this.prefix(Prefix.repne);
  }

  get repnz(): this {
    return this.prefix(Prefix.repne);
  }

  /** The next branch is two bytes long; an error if its target is too far away. */
  get short(): this {
    return this.prefix(Prefix.short);
  }

  /** The next branch has the long form, even where the short one reaches. */
  get near(): this {
    return this.prefix(Prefix.near);
  }

  private prefix(prefix: number): this {
    this.prefixes |= prefix;
    return this;
  }

  /** Instructions from here on are for that mode. */
  bits(bits: Bits): this {
    this.encoder.setBits(bits);
    return this;
  }

  /**
   * Makes a section, or returns to it. What is not given follows from the name: `.text` is executable, `.rodata`
   * read-only, `.bss` has no bytes, everything else is data.
   */
  section(name: string, options: SectionOptions = {}): this {
    const known = this.sections.find((section) => section.name === name);
    if (known) this.changeSection(known, options);
    this.encoder.section = known ?? this.addSection(name, options);
    return this;
  }

  private addSection(name: string, options: SectionOptions): SectionBuffer {
    const { align = 1, ...flags } = options;
    checkAlignment(align);
    const section = new SectionBuffer(name, this.sections.length, { ...defaultFlags(name), ...flags }, align);
    this.sections.push(section);
    return section;
  }

  private changeSection(section: SectionBuffer, { align, ...flags }: SectionOptions): void {
    if (align !== undefined) section.align = Math.max(section.align, checkAlignment(align));
    section.flags = { ...section.flags, ...flags };
  }

  /** Defines a label here. Throws `ERR_ASM_SYMBOL` if the name is taken. */
  label(name: string): this {
    const { section } = this.encoder;
    this.symbols.define(name, section.index, section.length, section.fixCount);
    return this;
  }

  /** Marks symbols as visible to other objects; they need not be defined yet. */
  global(...names: string[]): this {
    for (const name of names) this.symbols.entries[this.symbols.id(name)]!.isGlobal = true;
    return this;
  }

  /** Defines a symbol that is a number. */
  equ(name: string, value: number | bigint): this {
    checkInteger(value, "the value of a symbol");
    this.symbols.define(name, SymbolPlace.absolute, typeof value === "bigint" ? narrow(value) : value, 0);
    return this;
  }

  db(...data: Datum[]): this {
    return this.data(1, data);
  }

  dw(...data: Datum[]): this {
    return this.data(2, data);
  }

  dd(...data: Datum[]): this {
    return this.data(4, data);
  }

  dq(...data: Datum[]): this {
    return this.data(8, data);
  }

  private data(size: number, data: readonly Datum[]): this {
    for (const datum of data) this.datum(size, datum);
    return this;
  }

  private datum(size: number, datum: Datum): void {
    const { section } = this.encoder;
    section.reserve(size);
    if (typeof datum === "string") this.raw(utf8(datum), size);
    else if (datum instanceof Uint8Array) this.raw(datum, size);
    else if (datum instanceof SymbolReference) {
      section.addFix(section.length, DATA_KINDS[size]!, this.symbols.id(datum.name), 0, datum.addend);
      section.bytes.fill(0, section.length, section.length + size);
      section.length += size;
    } else {
      checkInteger(datum, `a datum of ${size} bytes`);
      const value = typeof datum === "bigint" ? narrow(datum) : datum;
      if (!fitsImmediate(value, DATA_CHECKS[size]!)) {
        throw asmError("ERR_ASM_RANGE", `${datum} does not fit in ${size * 8} bits`);
      }
      writeInteger(section.bytes, section.length, value, size);
      section.length += size;
    }
  }

  private raw(bytes: Uint8Array, unit: number): void {
    const { section } = this.encoder;
    const size = Math.ceil(bytes.length / unit) * unit;
    section.reserve(size);
    section.bytes.set(bytes, section.length);
    section.bytes.fill(0, section.length + bytes.length, section.length + size);
    section.length += size;
  }

  /** `count` bytes of zeros, or of `value`. */
  zero(count: number, value = 0): this {
    if (!Number.isInteger(count) || count < 0) throw argument("a count of bytes is an integer from 0", count);
    const { section } = this.encoder;
    section.reserve(count);
    section.bytes.fill(value, section.length, section.length + count);
    section.length += count;
    return this;
  }

  /** Pads to a multiple of `align` bytes, a power of two: with NOPs in executable sections, else with zeros. */
  align(align: number): this {
    const { section } = this.encoder;
    section.align = Math.max(section.align, checkAlignment(align));
    if (align > 1) section.addFix(section.length, FixKind.align, 0, 0, align);
    return this;
  }

  /** The object so far: sections without bytes that nothing was written to are left out. Throws `AsmError`. */
  assemble(): AsmObject {
    const object = buildObject(this.sections, this.symbols);
    const isUsed = (name: string, sizeBytes: number) =>
      sizeBytes > 0 || object.symbols.some((symbol) => symbol.section === name);
    return { ...object, sections: object.sections.filter(({ name, sizeBytes }) => isUsed(name, sizeBytes)) };
  }
}

function argument(allowed: string, found: unknown) {
  return asmError("ERR_ASM_ARGUMENT" satisfies AsmErrorCode, `${allowed}; found ${String(found)}`);
}

function checkAlignment(align: number): number {
  if (Number.isInteger(align) && align >= 1 && align <= 2 ** 30 && (align & (align - 1)) === 0) return align;
  throw argument("an alignment is a power of two up to 2^30", align);
}

function checkInteger(value: unknown, what: string): void {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return;
  throw argument(`${what} is a safe integer or a bigint`, value);
}

function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else {
      bytes.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 63),
        0x80 | ((code >> 6) & 63),
        0x80 | (code & 63),
      );
    }
  }
  return Uint8Array.from(bytes);
}

type Emit = (this: { emit(id: number, ...operands: unknown[]): unknown }, ...operands: unknown[]) => unknown;

/** One method for each mnemonic; their types are generated from the same table. */
function addInstructions(prototype: object, mnemonics: readonly string[]): void {
  mnemonics.forEach((name, id) => {
    const method: Emit = function (a, b, c, d, e) {
      return this.emit(id, a, b, c, d, e);
    };
    Object.defineProperty(prototype, name, { value: method, writable: true, configurable: true });
  });
}

addInstructions(AssemblerCore.prototype, coreInstructions.mnemonics);

/**
 * Assembles by method calls. Each mnemonic is a method with its operands in Intel order; a method throws
 * `AsmError` at once where the operands do not fit, and everything returns the assembler.
 */
export type Assembler = AssemblerCore & Instructions;
export const Assembler = AssemblerCore as unknown as new (options?: AssemblerOptions) => Assembler;
