/** What an assembly is, as plain data: sections with bytes, symbols, relocations. */
import { asmError } from "./errors.js";
import type { Evaluated, Evaluator } from "./evaluation.js";
import { fitsBytes } from "./immediates.js";
import { add, type Integer, narrow, subtract, writeInteger } from "./integers.js";
import type { Report, SectionLayout } from "./layout.js";
import { writePadding } from "./padding.js";
import { FixKind, FixWord, type SectionFlags, VariableKind, VariableWord } from "./sections.js";
import {
  ABSOLUTE_ZERO,
  ABSOLUTE_ZERO_32,
  type SymbolEntry,
  SymbolPlace,
  type SymbolTable,
} from "./symbols.js";

/** Relocation types (x86-64 psABI, "Relocation Types") that assembled code asks for. */
export type RelocationType =
  | "R_X86_64_8"
  | "R_X86_64_16"
  | "R_X86_64_32"
  | "R_X86_64_32S"
  | "R_X86_64_64"
  | "R_X86_64_PC8"
  | "R_X86_64_PC16"
  | "R_X86_64_PC32"
  | "R_X86_64_PC64";

/** A place that gets `symbol + addend`, less its own address for the PC types (RELA: the bytes there are 0). */
export interface Relocation {
  /** Offset in the section. */
  readonly offset: number;
  readonly type: RelocationType;
  /** A symbol of this object, one that another object defines, or a section's name; "" is the address 0. */
  readonly symbol: string;
  readonly addend: bigint;
  /** The distance wraps at the width of the field: an absolute target in 16-bit or 32-bit code. */
  readonly wraps?: boolean;
}

export interface ObjectSection {
  readonly name: string;
  /** Empty for a section without bytes. */
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  readonly align: number;
  readonly flags: SectionFlags;
  readonly relocations: readonly Relocation[];
}

export interface ObjectSymbol {
  readonly name: string;
  /** Name of its section; `null` for an absolute symbol, `undefined` for one that is defined elsewhere. */
  readonly section: string | null | undefined;
  /** Offset in the section; the value of an absolute symbol; 0 if undefined. */
  readonly value: bigint;
  readonly sizeBytes: bigint;
  readonly binding: "local" | "global" | "weak";
  readonly type: "notype" | "func" | "object";
}

export interface AsmObject {
  readonly sections: readonly ObjectSection[];
  readonly symbols: readonly ObjectSymbol[];
}

/** By `FixKind`. */
const RELOCATION_TYPES: readonly RelocationType[] = [
  "R_X86_64_8",
  "R_X86_64_16",
  "R_X86_64_32",
  "R_X86_64_32S",
  "R_X86_64_64",
  "R_X86_64_PC8",
  "R_X86_64_PC16",
  "R_X86_64_PC32",
  "R_X86_64_PC64",
  "R_X86_64_8",
];

/** Bytes of each fix kind's field. */
const FIELD_SIZES: readonly number[] = [1, 2, 4, 4, 8, 1, 2, 4, 8, 1];
const RELATIVE_BY_SIZE: Readonly<Record<number, number>> = {
  1: FixKind.pc8,
  2: FixKind.pc16,
  4: FixKind.pc32,
  8: FixKind.pc64,
};

/** Up to here a loop copies faster than a view of the bytes is made. */
const SHORT_COPY = 200;

function isRelative(kind: number): boolean {
  return kind >= FixKind.pc8 && kind <= FixKind.pc64;
}

function isSigned(kind: number): boolean {
  return isRelative(kind) || kind === FixKind.abs32s || kind === FixKind.abs8s;
}

/** Whether `value` fits a field: `signed` fields take signed values only, the others signed or unsigned. */
export function fitsField(value: Integer, size: number, signed: boolean): boolean {
  if (!fitsBytes(value, size)) return false;
  if (!signed || value < 0) return true;
  return typeof value === "number" ? value < 2 ** (size * 8 - 1) : value < 1n << BigInt(size * 8 - 1);
}

/** Copies a section's bytes to where they end up, and patches or relocates its fields. */
export class SectionWriter {
  private readonly layout: SectionLayout;
  private readonly symbols: SymbolTable;
  private readonly evaluator: Evaluator;
  private readonly report: Report;
  private readonly out: Uint8Array;
  private readonly relocations: Relocation[] = [];

  constructor(layout: SectionLayout, symbols: SymbolTable, evaluator: Evaluator, report: Report) {
    this.layout = layout;
    this.symbols = symbols;
    this.evaluator = evaluator;
    this.report = report;
    this.out = new Uint8Array(layout.sizeBytes);
  }

  write(): ObjectSection {
    const { name, align, flags } = this.layout.section;
    const { sizeBytes } = this.layout;
    this.copy();
    this.patch();
    if (!flags.nobits)
      return { name, bytes: this.out, sizeBytes, align, flags, relocations: this.relocations };
    if (this.relocations.length > 0 || this.out.some((byte) => byte !== 0)) {
      this.report(
        0,
        asmError("ERR_ASM_SECTION", `section ${name} has no bytes in a file, so it can hold zeros only`),
      );
    }
    return { name, bytes: new Uint8Array(0), sizeBytes, align, flags, relocations: [] };
  }

  private copy(): void {
    const { section, growth, own } = this.layout;
    const { words, count } = section.variables;
    let copied = 0;
    for (let i = 0; i < count; i++) {
      const at = i * VariableWord.stride;
      const offset = words[at]!;
      this.copyBytes(copied, offset, growth[i]!);
      copied = offset;
      if (words[at + VariableWord.kind] === VariableKind.branch) {
        this.writeBranch(i, offset + growth[i]!);
        copied += 2;
      } else {
        const padding = section.paddings[words[at + VariableWord.extra]!]!;
        writePadding(this.out, offset + growth[i]!, own[i]!, padding);
      }
    }
    this.copyBytes(copied, section.length, growth[count]!);
  }

  /** Copies bytes of the section to where they end up, `growth` further. */
  private copyBytes(from: number, to: number, growth: number): void {
    const { bytes } = this.layout.section;
    const { out } = this;
    if (to - from > SHORT_COPY) out.set(bytes.subarray(from, to), from + growth);
    else for (let i = from; i < to; i++) out[i + growth] = bytes[i]!;
  }

  private writeBranch(i: number, to: number): void {
    const { section, own } = this.layout;
    const { words, addends } = section.variables;
    const at = i * VariableWord.stride;
    const opcode = section.bytes[words[at]!]!;
    let width = 1;
    if (own[i] === 0) this.out[to++] = opcode;
    else {
      width = words[at + VariableWord.extra]!;
      if (opcode === 0xeb) this.out[to++] = 0xe9;
      else {
        this.out[to++] = 0x0f;
        this.out[to++] = opcode + 0x10;
      }
    }
    const kind = RELATIVE_BY_SIZE[width]!;
    const line = words[at + VariableWord.line]!;
    this.field(to, kind, width, words[at + VariableWord.symbol]!, addends[i]!, line);
  }

  private patch(): void {
    const { section, growth } = this.layout;
    const { words, addends, count } = section.fixes;
    for (let i = 0; i < count; i++) {
      const at = i * FixWord.stride;
      const offset = words[at]! + growth[words[at + FixWord.variablesBefore]!]!;
      const toEnd = words[at + FixWord.toEnd]!;
      const line = words[at + FixWord.line]!;
      this.field(offset, words[at + FixWord.kind]!, toEnd, words[at + FixWord.symbol]!, addends[i]!, line);
    }
  }

  /** Fills the field at `offset` with `symbol + addend`; `toEnd` bytes from there its instruction ends. */
  private field(
    offset: number,
    kind: number,
    toEnd: number,
    id: number,
    addend: Integer,
    line: number,
  ): void {
    const symbol = this.symbols.entries[id]!;
    if (isRelative(kind) && symbol.place === this.layout.section.index && typeof addend === "number") {
      const distance = this.layout.offsetOf(symbol) + addend - offset - toEnd;
      if (kind === FixKind.pc8 && distance >= -128 && distance <= 127) this.out[offset] = distance;
      else if (distance >= -0x80000000 && distance <= 0x7fffffff && FIELD_SIZES[kind]! >= 4) {
        writeInteger(this.out, offset, distance, FIELD_SIZES[kind]!);
      } else this.store(offset, kind, distance, symbol, line);
      return;
    }
    try {
      this.general(offset, kind, toEnd, symbol, this.evaluator.evaluateSymbol(id, addend), line);
    } catch (error) {
      this.report(line, error);
    }
  }

  private general(
    offset: number,
    kind: number,
    toEnd: number,
    symbol: SymbolEntry,
    value: Evaluated,
    line: number,
  ): void {
    const { constant } = value;
    const { index } = this.layout.section;
    const plus = this.symbols.entries[value.plus]!;
    if (value.minus !== 0) this.difference(offset, kind, value);
    else if (isRelative(kind)) {
      if (value.plus !== ABSOLUTE_ZERO && plus.place === index) {
        const target = add(this.layout.offsetOf(plus), constant);
        this.store(offset, kind, subtract(target, offset + toEnd), symbol, line);
      } else this.relocate(offset, kind, plus, subtract(constant, toEnd), symbol.id === ABSOLUTE_ZERO_32);
    } else if (value.plus === ABSOLUTE_ZERO) this.store(offset, kind, wrap(constant, kind), symbol, line);
    else this.relocate(offset, kind, plus, constant);
  }

  /** `a - b + constant`, with `b` in this section: relative to `b`, so relative to the field as well. */
  private difference(offset: number, kind: number, { plus, minus, constant }: Evaluated): void {
    const subtracted = this.symbols.entries[minus]!;
    if (isRelative(kind) || subtracted.place !== this.layout.section.index || plus === 0) {
      throw asmError(
        "ERR_ASM_EXPRESSION",
        `no relocation expresses ${this.symbols.entries[plus]!.name || "a number"} - ${subtracted.name || "a label"}`,
        "a difference is taken between labels of one section, or from a label in the section of the field",
      );
    }
    const relative = RELATIVE_BY_SIZE[FIELD_SIZES[kind]!]!;
    const addend = add(constant, offset - this.layout.offsetOf(subtracted));
    this.relocate(offset, relative, this.symbols.entries[plus]!, addend);
  }

  private store(offset: number, kind: number, distance: Integer, symbol: SymbolEntry, line: number): void {
    const size = FIELD_SIZES[kind]!;
    const value = kind === FixKind.pc16 ? wrap16(distance) : distance;
    if (fitsField(value, size, isSigned(kind))) writeInteger(this.out, offset, value, size);
    else {
      const what = isRelative(kind)
        ? `the distance to ${symbol.name || "the target"}`
        : symbol.name || "the value";
      this.report(
        line,
        asmError("ERR_ASM_RANGE", `${what} is ${value}, which does not fit in ${size * 8} bits`),
      );
    }
  }

  private relocate(offset: number, kind: number, symbol: SymbolEntry, addend: Integer, wraps = false): void {
    const type = RELOCATION_TYPES[kind]!;
    if (wraps) {
      this.relocations.push({ offset, type, symbol: "", addend: BigInt(addend), wraps });
      return;
    }
    if (symbol.name !== "" && !symbol.isTemporary) {
      this.relocations.push({ offset, type, symbol: symbol.name, addend: BigInt(addend) });
      return;
    }
    const owner = symbol.place < 0 ? null : this.evaluator.layoutOf(symbol.place);
    const place = owner === null ? 0 : owner.offsetOf(symbol);
    const name = owner === null ? "" : owner.section.name;
    this.relocations.push({ offset, type, symbol: name, addend: BigInt(addend) + BigInt(place) });
  }
}

/** A jump with a 16-bit offset stays in the first 64 KiB (SDM Vol. 2A, "JMP"), so that distances wrap there. */
export function wrap16<Value extends Integer>(distance: Value): Value | number {
  if (distance < -0x10000 || distance > 0xffff) return distance;
  return (Number(distance) << 16) >> 16;
}

/** Sign-extended fields reach the upper end of the 64-bit range. */
function wrap(value: Integer, kind: number): Integer {
  if (typeof value === "number" || kind !== FixKind.abs32s || value >= 2n ** 64n) return value;
  return narrow(BigInt.asIntN(64, value));
}

/**
 * The named symbols of an assembly in the order of their definitions; behind them, by name, those that are defined
 * elsewhere: what is `referenced`, and what the source makes global.
 */
export function objectSymbols(
  layouts: readonly SectionLayout[],
  symbols: SymbolTable,
  evaluator: Evaluator,
  referenced: ReadonlySet<string>,
  report: Report,
): ObjectSymbol[] {
  const found: ObjectSymbol[] = [];
  const named = symbols.entries.filter(
    (symbol) =>
      !symbol.isTemporary &&
      (symbol.place !== SymbolPlace.undefined || symbol.binding === "global" || referenced.has(symbol.name)),
  );
  for (const symbol of named.sort(byDefinition)) {
    try {
      const made = objectSymbol(symbol, layouts, evaluator);
      if (made !== null) found.push(made);
    } catch (error) {
      report(symbol.line, error);
    }
  }
  return found;
}

/** Symbols of one line stand in the order of their names: their numbers depend on where they are used first. */
function byDefinition(a: SymbolEntry, b: SymbolEntry): number {
  const isUndefined = a.place === SymbolPlace.undefined;
  if (isUndefined !== (b.place === SymbolPlace.undefined)) return isUndefined ? 1 : -1;
  if (!isUndefined && (a.line !== b.line || a.line === 0)) return a.line - b.line || a.id - b.id;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function objectSymbol(
  symbol: SymbolEntry,
  layouts: readonly SectionLayout[],
  evaluator: Evaluator,
): ObjectSymbol | null {
  const { name, type } = symbol;
  const sizeBytes = symbol.size === 0 ? 0n : BigInt(evaluator.evaluate(symbol.size).constant);
  const value = evaluator.evaluateSymbol(symbol.id, 0);
  const target = evaluator.symbolOf(value.plus);
  const isUndefined = target.place === SymbolPlace.undefined;
  // A name for something that is defined elsewhere is no symbol of its own.
  if (value.minus !== 0 || (isUndefined && target !== symbol)) return null;
  const binding = isUndefined && symbol.binding === "local" ? "global" : symbol.binding;
  const layout = layouts[target.place];
  if (layout === undefined) {
    const section = isUndefined ? undefined : null;
    return { name, section, value: isUndefined ? 0n : BigInt(value.constant), sizeBytes, binding, type };
  }
  const offset = BigInt(layout.offsetOf(target)) + BigInt(value.constant);
  return { name, section: layout.section.name, value: offset, sizeBytes, binding, type };
}
