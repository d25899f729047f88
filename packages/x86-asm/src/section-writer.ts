/** Copies sections to where everything ends up, and patches or relocates their fields. */
import { asmError } from "./errors.js";
import type { Evaluated, Evaluator } from "./evaluation.js";
import { fitsBytes } from "./immediates.js";
import { add, type Integer, narrow, subtract, writeInteger } from "./integers.js";
import type { Report, SectionLayout } from "./layout.js";
import { isThreadLocal, relocationFor } from "./modifiers.js";
import type { ObjectSection, Relocation, RelocationType } from "./object.js";
import { writePadding } from "./padding.js";
import { FIELD_SIZES, FixKind, FixWord, VariableKind, VariableWord } from "./sections.js";
import {
  ABSOLUTE_ZERO,
  ABSOLUTE_ZERO_16,
  ABSOLUTE_ZERO_32,
  type SymbolEntry,
  SymbolPlace,
  type SymbolTable,
} from "./symbols.js";

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
  "R_X86_64_PC32",
  "R_X86_64_PC32",
  "R_X86_64_PC32",
];

const RELATIVE_BY_SIZE: Readonly<Record<number, number>> = {
  1: FixKind.pc8,
  2: FixKind.pc16,
  4: FixKind.pc32,
  8: FixKind.pc64,
};

/** Up to here a loop copies faster than a view of the bytes is made. */
const SHORT_COPY = 200;

function isRelative(kind: number): boolean {
  return (kind >= FixKind.pc8 && kind <= FixKind.pc64) || kind >= FixKind.branch32;
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

/** The symbols that relocations refer to, and whether one says that it is a symbol for each thread. */
export type References = Map<string, boolean>;

/** Copies a section's bytes to where they end up, and patches or relocates its fields. */
export class SectionWriter {
  private readonly layout: SectionLayout;
  private readonly symbols: SymbolTable;
  private readonly evaluator: Evaluator;
  private readonly references: References;
  private readonly report: Report;
  private readonly out: Uint8Array;
  private readonly relocations: Relocation[] = [];

  constructor(
    layout: SectionLayout,
    symbols: SymbolTable,
    evaluator: Evaluator,
    references: References,
    report: Report,
  ) {
    this.layout = layout;
    this.symbols = symbols;
    this.evaluator = evaluator;
    this.references = references;
    this.report = report;
    this.out = new Uint8Array(layout.sizeBytes);
  }

  write(): ObjectSection {
    const { name, flags, least } = this.layout.section;
    const align = Math.max(this.layout.section.align, least.object);
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
    let kind: number = FixKind.pc8;
    if (own[i] === 0) this.out[to++] = opcode;
    else {
      kind = words[at + VariableWord.extra]!;
      if (opcode === 0xeb) this.out[to++] = 0xe9;
      else {
        this.out[to++] = 0x0f;
        this.out[to++] = opcode + 0x10;
      }
    }
    const symbol = words[at + VariableWord.symbol]!;
    const line = words[at + VariableWord.line]!;
    // A branch that could be short stays in its section, also where its target is global.
    this.field(to, kind, FIELD_SIZES[kind]!, symbol, addends[i]!, line, true);
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
    staysLocal = false,
  ): void {
    const symbol = this.symbols.entries[id]!;
    const isHere = symbol.place === this.layout.section.index && !(isShared(symbol) && !staysLocal);
    if (isRelative(kind) && isHere && symbol.binding !== "weak" && typeof addend === "number") {
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
    if (plus.modifier !== null) this.made(offset, kind, toEnd, plus.modifier, value);
    else if (value.minus !== 0) this.difference(offset, kind, value);
    else if (isRelative(kind)) {
      if (value.plus !== ABSOLUTE_ZERO && plus.place === index && !isShared(plus)) {
        const target = add(this.layout.offsetOf(plus), constant);
        this.store(offset, kind, subtract(target, offset + toEnd), symbol, line);
      } else this.relocate(offset, kind, plus, subtract(constant, toEnd), WRAPS[symbol.id]);
    } else if (value.plus === ABSOLUTE_ZERO) this.store(offset, kind, wrap(constant, kind), symbol, line);
    else this.relocate(offset, kind, plus, constant);
  }

  /** A field that gets what a linker makes for a symbol. */
  private made(
    offset: number,
    kind: number,
    toEnd: number,
    { name, of }: { readonly name: string; readonly of: number },
    { minus, constant }: Evaluated,
  ): void {
    const symbol = this.symbols.entries[of]!;
    const type = relocationFor(name, kind);
    if (type === undefined || minus !== 0) {
      throw asmError("ERR_ASM_EXPRESSION", `no relocation puts ${symbol.name}@${name} into this field`);
    }
    const addend = BigInt(isRelative(kind) ? subtract(constant, toEnd) : constant);
    this.relocations.push({ offset, type, symbol: symbol.name, addend });
    this.references.set(symbol.name, isThreadLocal(name) || this.references.get(symbol.name) === true);
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

  private typeOf(kind: number, symbol: SymbolEntry, addend: Integer): RelocationType {
    const isElsewhere = symbol.place === SymbolPlace.undefined || isShared(symbol);
    // What reaches into a function goes nowhere else.
    if (kind === FixKind.branch32 && isElsewhere && addend === -4) return "R_X86_64_PLT32";
    const isTable = symbol.name === "_GLOBAL_OFFSET_TABLE_";
    if (isTable && isRelative(kind)) return "R_X86_64_GOTPC32";
    return RELOCATION_TYPES[kind]!;
  }

  private relocate(
    offset: number,
    kind: number,
    symbol: SymbolEntry,
    addend: Integer,
    wraps?: 16 | 32,
  ): void {
    const type = this.typeOf(kind, symbol, addend);
    if (wraps !== undefined) {
      this.relocations.push({ offset, type, symbol: "", addend: BigInt(addend), wraps });
      return;
    }
    if (symbol.name !== "" && !symbol.isTemporary) {
      this.relocations.push({ offset, type, symbol: symbol.name, addend: BigInt(addend) });
      if (!this.references.has(symbol.name)) this.references.set(symbol.name, false);
      return;
    }
    const owner = symbol.place < 0 ? null : this.evaluator.layoutOf(symbol.place);
    const place = owner === null ? 0 : owner.offsetOf(symbol);
    const name = owner === null ? "" : owner.section.name;
    this.relocations.push({ offset, type, symbol: name, addend: BigInt(addend) + BigInt(place) });
  }
}

/** Another object may define the symbol as well, or use the one of this object in its place: a linker decides. */
function isShared({ binding }: SymbolEntry): boolean {
  return binding !== "local";
}

const WRAPS: Readonly<Record<number, 16 | 32>> = { [ABSOLUTE_ZERO_16]: 16, [ABSOLUTE_ZERO_32]: 32 };

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
