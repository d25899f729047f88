/** A program being assembled: what the builder and the text front end both write to. */
import { type Bits, Encoder } from "./encoder.js";
import { AsmError, asmError, type Diagnostic, throwIfAny } from "./errors.js";
import { type Expression, SymbolReference, type Value } from "./expressions.js";
import { fitsBytes } from "./immediates.js";
import type { InstructionSet } from "./instruction-set.js";
import { type Integer, writeInteger } from "./integers.js";
import { layOut, type Report, type SectionLayout } from "./layout.js";
import type { AsmObject } from "./object.js";
import { objectSymbols } from "./object-symbols.js";
import { type References, SectionWriter } from "./section-writer.js";
import { defaultFlags, FixKind, SectionBuffer, type SectionFlags, VariableKind } from "./sections.js";
import { type SymbolEntry, SymbolPlace, SymbolTable } from "./symbols.js";

export interface SectionOptions extends Partial<SectionFlags> {
  /** A power of two. */
  readonly align?: number;
}

const DATA_KINDS: Readonly<Record<number, number>> = {
  1: FixKind.abs8,
  2: FixKind.abs16,
  4: FixKind.abs32,
  8: FixKind.abs64,
};
const MAX_ALIGN = 2 ** 30;

/** A difference of two labels that was asked for while the source was read, and what was known of it there. */
export interface Difference {
  readonly a: SymbolReference;
  readonly b: SymbolReference;
  line: number;
  readonly found: Integer | undefined;
}

export class Program {
  readonly sections: SectionBuffer[] = [];
  readonly symbols = new SymbolTable();
  readonly encoder: Encoder;
  /**
   * Counts what a statement does beyond appending bytes, fixes, variables and labels: what later statements could
   * tell. See incremental/document.ts.
   */
  changes = 0;
  /** Names that conditions asked for: whether they are defined decides what is read. */
  readonly observed = new Set<string>();
  /** What was asked for so far, where somebody wants to know. */
  differences: Difference[] | null = null;

  constructor(set: InstructionSet, bits: Bits) {
    this.encoder = new Encoder(set.load(), this.symbols, this.addSection(".text", {}), bits);
  }

  /** The section being written. */
  get section(): SectionBuffer {
    return this.encoder.section;
  }

  /** Makes a section, or returns to it. Throws `ERR_ASM_ARGUMENT` for an alignment that is no power of two. */
  switchSection(name: string, options: SectionOptions = {}): SectionBuffer {
    this.changes++;
    const known = this.sections.find((section) => section.name === name);
    if (known) changeSection(known, options);
    return (this.encoder.section = known ?? this.addSection(name, options));
  }

  private addSection(name: string, { align = 1, ...flags }: SectionOptions): SectionBuffer {
    checkAlignment(align);
    const section = new SectionBuffer(name, this.sections.length, { ...defaultFlags(name), ...flags }, align);
    this.sections.push(section);
    return section;
  }

  /** Puts a symbol where the next byte goes. */
  place(symbol: SymbolEntry): void {
    const { section } = this.encoder;
    symbol.place = section.index;
    symbol.value = section.length;
    symbol.variablesBefore = section.variables.count;
    symbol.line = this.encoder.line;
  }

  /** Defines a label here. Throws `ERR_ASM_SYMBOL` if the name is taken. */
  label(name: string): void {
    const symbol = this.symbols.entry(name);
    this.symbols.checkUndefined(symbol);
    this.place(symbol);
  }

  /** The address of the next byte, as a value. */
  here(): SymbolReference {
    const symbol = this.symbols.anonymous();
    this.place(symbol);
    return new SymbolReference("", 0, symbol.id);
  }

  /** Gives a symbol a value; where `again`, one that was given a value before may get another. */
  assign(name: string, value: Value, again: boolean): void {
    const symbol = this.symbols.entry(name);
    if (!(again && symbol.isAssigned)) this.symbols.checkUndefined(symbol);
    this.changes++;
    symbol.assignments++;
    symbol.isAssigned = again;
    symbol.line = this.encoder.line;
    if (typeof value !== "object") {
      symbol.place = SymbolPlace.absolute;
      symbol.value = value;
    } else {
      symbol.place = SymbolPlace.expression;
      symbol.expression = value;
    }
  }

  /**
   * The value of a name as far as it is known: a constant, an earlier version of a name that may be given another
   * value, or a reference.
   */
  lookUp(name: string): Value {
    const symbol = this.symbols.entry(name);
    if (symbol.place === SymbolPlace.absolute && symbol.line <= this.encoder.line) {
      if (symbol.assignments > 1) this.changes++;
      return symbol.value;
    }
    if (symbol.place === SymbolPlace.expression && symbol.isAssigned) return this.freeze(symbol);
    if (symbol.line === 0) symbol.line = this.encoder.line;
    return new SymbolReference(name, 0, symbol.id);
  }

  /** What a linker makes for a symbol: `x@GOTPCREL`, the modifier in lower case. */
  made(name: string, modifier: string): SymbolReference {
    const of = this.symbols.id(name);
    const symbol = this.symbols.entry(`${name}@${modifier}`);
    symbol.place = SymbolPlace.made;
    symbol.isTemporary = true;
    symbol.modifier = { name: modifier, of };
    return new SymbolReference(symbol.name, 0, symbol.id);
  }

  private freeze(symbol: SymbolEntry): SymbolReference {
    this.changes++;
    const version = this.symbols.anonymous();
    version.place = SymbolPlace.expression;
    version.expression = symbol.expression;
    symbol.expression = new SymbolReference("", 0, version.id);
    return symbol.expression;
  }

  /** `a - b` where both are labels of one section with nothing in between that may grow; else `undefined`. */
  knownDifference(a: SymbolReference, b: SymbolReference): Integer | undefined {
    const { line } = this.encoder;
    const found = this.differenceAt(a, b, line);
    this.differences?.push({ a, b, line, found });
    return found;
  }

  /** The difference as far as it is known in a line: labels behind it are not. */
  private differenceAt(a: SymbolReference, b: SymbolReference, line: number): Integer | undefined {
    const [first, second] = [this.symbols.entries[a.id], this.symbols.entries[b.id]];
    if (first === undefined || second === undefined || first.place < 0 || first.place !== second.place)
      return undefined;
    if (first.line > line || second.line > line) return undefined;
    if (first.variablesBefore !== second.variablesBefore) return undefined;
    if (typeof a.addend === "bigint" || typeof b.addend === "bigint") return undefined;
    return (first.value as number) + a.addend - (second.value as number) - b.addend;
  }

  /** Whether a difference that was asked for would be answered alike now that labels have moved. */
  holds({ a, b, line, found }: Difference): boolean {
    return this.differenceAt(a, b, line) === found;
  }

  /** Appends a value of `size` bytes. Throws `ERR_ASM_RANGE` if it does not fit. */
  datum(value: Value, size: number): void {
    const { section, encoder } = this;
    section.reserve(size);
    if (typeof value !== "object") {
      if (!fitsBytes(value, size)) {
        throw asmError("ERR_ASM_RANGE", `${value} does not fit in ${size * 8} bits`);
      }
      writeInteger(section.bytes, section.length, value, size);
      section.length += size;
      return;
    }
    const kind = DATA_KINDS[size];
    if (kind === undefined) throw asmError("ERR_ASM_EXPRESSION", `no relocation is ${size} bytes wide`);
    encoder.field(value, size, kind);
  }

  /** Appends bytes, padded with zeros to a multiple of `unit`. */
  raw(bytes: Uint8Array, unit = 1): void {
    const { section } = this;
    section.append(bytes);
    const rest = bytes.length % unit;
    if (rest !== 0) this.zeros(unit - rest, 0);
  }

  /** Appends `count` bytes of one value. */
  zeros(count: number, value: number): void {
    const { section } = this;
    section.reserve(count);
    section.bytes.fill(value, section.length, section.length + count);
    section.length += count;
  }

  /** Appends `count` copies of `pattern`. */
  repeat(pattern: Uint8Array, count: number): void {
    const { section } = this;
    const size = pattern.length * count;
    section.reserve(size);
    const { bytes, length } = section;
    if (pattern.length === 1) bytes.fill(pattern[0]!, length, length + size);
    else for (let i = 0; i < size; i++) bytes[length + i] = pattern[i % pattern.length]!;
    section.length += size;
  }

  /** Pads to a multiple of `align`; `pattern` `null` is NOPs, `maxBytes` the most that it may take. */
  align(align: number, pattern: Uint8Array | null, maxBytes = MAX_ALIGN): void {
    const { section, encoder } = this;
    section.align = Math.max(section.align, checkAlignment(align));
    if (align === 1) return;
    section.paddings.push({ align, maxBytes, pattern, bits: encoder.bits });
    section.addVariable(VariableKind.align, 0, section.paddings.length - 1, 0, encoder.line);
  }

  /** Repeats `pattern` as often as a value says that is not known yet. */
  fill(count: SymbolReference | Expression, pattern: Uint8Array): void {
    this.gap(VariableKind.fill, count, pattern);
  }

  /** Pads up to an offset in the section, or up to a label. */
  org(target: Value, pattern: Uint8Array): void {
    this.gap(VariableKind.org, target, pattern);
  }

  private gap(kind: number, value: Value, pattern: Uint8Array): void {
    const { section, encoder } = this;
    section.paddings.push({ align: 1, maxBytes: 0, pattern, bits: encoder.bits });
    const isConstant = typeof value !== "object";
    const symbol = isConstant ? 0 : this.symbols.idOf(value);
    const addend = isConstant ? value : value.kind === "symbol" ? value.addend : 0;
    section.addVariable(kind, symbol, section.paddings.length - 1, addend, encoder.line);
  }

  /**
   * Lays everything out. Throws `AsmError` with all complaints; `positionOf` says where in the source a line
   * number of the encoder is. Sections without contents are left out.
   */
  finish(positionOf: (line: number) => Partial<Diagnostic>): { object: AsmObject; layouts: SectionLayout[] } {
    const errors: Diagnostic[] = [];
    const report: Report = (line, error) => {
      if (!(error instanceof AsmError)) throw error;
      errors.push(...error.errors.map((diagnostic) => ({ ...positionOf(line), ...diagnostic })));
    };
    const { layouts, evaluator } = layOut(this.sections, this.symbols, report);
    const referenced: References = new Map();
    const sections = layouts.map((layout) =>
      new SectionWriter(layout, this.symbols, evaluator, referenced, report).write(),
    );
    const symbols = objectSymbols(layouts, this.symbols, evaluator, referenced, report);
    throwIfAny(errors);
    const used = new Set(symbols.map(({ section }) => section));
    const kept = sections.filter(({ name, sizeBytes }) => sizeBytes > 0 || used.has(name));
    return { object: { sections: kept, symbols }, layouts };
  }
}

function changeSection(section: SectionBuffer, { align, ...flags }: SectionOptions): void {
  if (align !== undefined) section.align = Math.max(section.align, checkAlignment(align));
  section.flags = { ...section.flags, ...flags };
}

export function checkAlignment(align: number): number {
  if (Number.isInteger(align) && align >= 1 && align <= MAX_ALIGN && (align & (align - 1)) === 0)
    return align;
  throw asmError("ERR_ASM_ARGUMENT", `an alignment is a power of two up to 2^30; found ${align}`);
}

/** The bytes of a string in UTF-8. */
export function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else {
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63));
      bytes.push(0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
  }
  return Uint8Array.from(bytes);
}
