/** What an assembly is, as plain data: sections with bytes, symbols, relocations. */
import { AsmError, type AsmErrorCode, type Diagnostic } from "./errors.js";
import { writeInteger } from "./immediates.js";
import { relax, type SectionLayout } from "./relaxation.js";
import { FixKind, FixWord, type SectionBuffer, type SectionFlags } from "./sections.js";
import { ABSOLUTE_ZERO, SymbolPlace, type SymbolTable } from "./symbols.js";

/** Relocation types (x86-64 psABI, "Relocation Types") that assembled code asks for. */
export type RelocationType =
  | "R_X86_64_8"
  | "R_X86_64_16"
  | "R_X86_64_32"
  | "R_X86_64_32S"
  | "R_X86_64_64"
  | "R_X86_64_PC8"
  | "R_X86_64_PC16"
  | "R_X86_64_PC32";

/** A place that gets `symbol + addend`, less its own address for the PC types (RELA: the bytes there are 0). */
export interface Relocation {
  /** Offset in the section. */
  readonly offset: number;
  readonly type: RelocationType;
  /** Name of a symbol of this object, or one that another object defines; "" is the absolute address 0. */
  readonly symbol: string;
  readonly addend: bigint;
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
  readonly binding: "local" | "global";
}

export interface AsmObject {
  readonly sections: readonly ObjectSection[];
  readonly symbols: readonly ObjectSymbol[];
}

export const RELOCATION_TYPES: readonly RelocationType[] = [
  "R_X86_64_8",
  "R_X86_64_16",
  "R_X86_64_32",
  "R_X86_64_32S",
  "R_X86_64_64",
  "R_X86_64_PC8",
  "R_X86_64_PC16",
  "R_X86_64_PC32",
];

/** Bytes of each fix kind's field. */
const FIELD_SIZES = [1, 2, 4, 4, 8, 1, 2, 4];

/** Lays every section out and patches what needs no address. Throws `AsmError` with all that does not fit. */
export function buildObject(sections: readonly SectionBuffer[], symbols: SymbolTable): AsmObject {
  const layouts = sections.map((section) => relax(section, symbols));
  const errors: Diagnostic[] = [];
  const built = layouts.map((layout) => new SectionWriter(layout, symbols, errors).write());
  if (errors.length > 0) throw new AsmError(errors as [Diagnostic, ...Diagnostic[]]);
  return { sections: built, symbols: objectSymbols(layouts, symbols) };
}

function objectSymbols(layouts: readonly SectionLayout[], symbols: SymbolTable): ObjectSymbol[] {
  return symbols.entries.slice(1).map((symbol) => {
    const layout = layouts[symbol.place];
    const binding = symbol.isGlobal || symbol.place === SymbolPlace.undefined ? "global" : "local";
    if (layout === undefined) {
      const section = symbol.place === SymbolPlace.absolute ? null : undefined;
      return { name: symbol.name, section, value: BigInt(symbol.value), binding };
    }
    const value = BigInt((symbol.value as number) + layout.growth[symbol.fixesBefore]!);
    return { name: symbol.name, section: layout.section.name, value, binding };
  });
}

/** Whether `value` fits a field: `signed` fields take signed values only, the others signed or unsigned. */
export function fitsField(value: bigint, size: number, signed: boolean): boolean {
  const bits = BigInt(size * 8);
  return value >= -(1n << (bits - 1n)) && value < 1n << (signed ? bits - 1n : bits);
}

/** Copies a section's bytes to where they end up, and patches or relocates its fields. */
class SectionWriter {
  private readonly layout: SectionLayout;
  private readonly symbols: SymbolTable;
  private readonly errors: Diagnostic[];
  private readonly out: Uint8Array;
  private readonly relocations: Relocation[] = [];

  constructor(layout: SectionLayout, symbols: SymbolTable, errors: Diagnostic[]) {
    this.layout = layout;
    this.symbols = symbols;
    this.errors = errors;
    this.out = new Uint8Array(layout.section.flags.nobits ? 0 : layout.sizeBytes);
  }

  write(): ObjectSection {
    const { section, sizeBytes } = this.layout;
    const { name, align, flags } = section;
    if (flags.nobits) {
      if (section.bytes.subarray(0, section.length).some((byte) => byte !== 0)) {
        this.error(
          "ERR_ASM_SECTION",
          `section ${name} has no bytes in the file, but something other than zeros`,
        );
      }
    } else this.copyAndPatch();
    return { name, bytes: this.out, sizeBytes, align, flags, relocations: this.relocations };
  }

  private copyAndPatch(): void {
    const { section, growth } = this.layout;
    const { fixes } = section;
    let copied = 0;
    for (let i = 0; i < section.fixCount; i++) {
      const at = i * FixWord.stride;
      const kind = fixes[at + FixWord.kind]!;
      if (kind < FixKind.branch) continue;
      const offset = fixes[at]!;
      const moved = growth[i]!;
      this.out.set(section.bytes.subarray(copied, offset), copied + moved);
      copied =
        kind === FixKind.branch ? this.writeBranch(i, offset, moved) : this.writePadding(i, offset, moved);
    }
    this.out.set(section.bytes.subarray(copied, section.length), copied + growth[section.fixCount]!);
    for (let i = 0; i < section.fixCount; i++) {
      const kind = fixes[i * FixWord.stride + FixWord.kind]!;
      if (kind < FixKind.branch) this.patch(i, kind);
    }
  }

  /** Returns the offset of what follows, before growth. */
  private writeBranch(i: number, offset: number, moved: number): number {
    const { section, growth } = this.layout;
    const opcode = section.bytes[offset]!;
    let to = offset + moved;
    if (growth[i + 1] === moved) {
      this.out[to] = opcode;
      this.field(i, to + 1, FixKind.pc8, 1);
      return offset + 2;
    }
    if (opcode === 0xeb) this.out[to++] = 0xe9;
    else {
      this.out[to++] = 0x0f;
      this.out[to++] = opcode + 0x10;
    }
    const width = section.fixes[i * FixWord.stride + FixWord.extra]!;
    this.field(i, to, width === 2 ? FixKind.pc16 : FixKind.pc32, width);
    return offset + 2;
  }

  private writePadding(i: number, offset: number, moved: number): number {
    const { section, growth } = this.layout;
    const size = growth[i + 1]! - moved;
    this.out.fill(section.flags.execute ? 0x90 : 0, offset + moved, offset + moved + size);
    return offset;
  }

  private patch(i: number, kind: number): void {
    const { section, growth } = this.layout;
    const at = i * FixWord.stride;
    this.field(i, section.fixes[at]! + growth[i]!, kind, section.fixes[at + FixWord.extra]!);
  }

  /** Fills the field of fix `i` at `offset`; `toEnd` bytes from there its instruction ends. */
  private field(i: number, offset: number, kind: number, toEnd: number): void {
    const { section } = this.layout;
    const id = section.fixes[i * FixWord.stride + FixWord.symbol]!;
    const symbol = this.symbols.entries[id]!;
    const addend = section.addends[i]!;
    const size = FIELD_SIZES[kind]!;
    if (kind >= FixKind.pc8) {
      if (symbol.place === section.index && typeof addend === "number") {
        const target = (symbol.value as number) + this.layout.growth[symbol.fixesBefore]! + addend;
        this.store(offset, target - offset - toEnd, size, true, symbol.name);
      } else this.relocate(offset, kind, id, BigInt(addend) - BigInt(toEnd));
    } else if (symbol.place === SymbolPlace.absolute) {
      const value = BigInt(symbol.value) + BigInt(addend);
      this.store(offset, value, size, kind === FixKind.abs32s, symbol.name);
    } else this.relocate(offset, kind, id, BigInt(addend));
  }

  private store(offset: number, value: number | bigint, size: number, signed: boolean, name: string): void {
    if (!fitsField(BigInt(value), size, signed)) {
      this.error("ERR_ASM_RANGE", `${name || "the target"}: ${value} does not fit in ${size * 8} bits`);
    } else writeInteger(this.out, offset, value, size);
  }

  private relocate(offset: number, kind: number, id: number, addend: bigint): void {
    const symbol = id === ABSOLUTE_ZERO ? "" : this.symbols.entries[id]!.name;
    this.relocations.push({ offset, type: RELOCATION_TYPES[kind]!, symbol, addend });
  }

  private error(code: AsmErrorCode, message: string): void {
    this.errors.push({ code, message: `section ${this.layout.section.name}: ${message}` });
  }
}
