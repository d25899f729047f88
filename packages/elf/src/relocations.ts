/**
 * Relocation tables: columns read on demand from a view of the section.
 *
 * gABI, "Relocation"; "Relative Relocation Table" (SHT_RELR) in gABI 4.3.
 */
import { SHN, SHT } from "./constants.js";
import { viewOf } from "./header.js";
import { checkSectionType, type ElfSection } from "./places.js";
import type { ElfFile } from "./reader.js";
import { relocationTypes } from "./relocation-types.js";
import { layoutOf, REL, RELA } from "./structs.js";
import type { SymbolTable } from "./symbols.js";
import { checkIndex, entryCount } from "./tables.js";

/** One relocation, decoded. Field names are the gABI's. */
export interface ElfRelocation {
  readonly index: number;
  readonly r_offset: bigint;
  readonly type: number;
  /** `"R_X86_64_PC32"`; `undefined` where the machine or the type is not known. */
  readonly typeName: string | undefined;
  /** Index into the symbol table of the section's sh_link. */
  readonly symbol: number;
  /** `undefined` in an SHT_REL section, where it stands in the place that is patched. */
  readonly r_addend: bigint | undefined;
}

export class RelocationTable {
  readonly section: ElfSection;
  /** Number of relocations. */
  readonly length: number;
  /** SHT_RELA: addends stand in the table. */
  readonly hasAddends: boolean;
  readonly #elf: ElfFile;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  readonly #is64: boolean;
  readonly #sizeBytes: number;
  readonly #wordBytes: number;
  #symbols: SymbolTable | undefined | null = null;

  /** Errors: ERR_ELF_SECTION_TYPE, ERR_ELF_ENTRY_SIZE, ERR_ELF_TRUNCATED. */
  constructor(elf: ElfFile, section: ElfSection) {
    checkSectionType(elf, section, SHT.SHT_RELA, SHT.SHT_REL);
    this.section = section;
    this.hasAddends = section.sh_type === SHT.SHT_RELA;
    this.#sizeBytes = layoutOf(this.hasAddends ? RELA : REL, elf.encoding).sizeBytes;
    this.length = entryCount(elf, section, this.#sizeBytes);
    this.#elf = elf;
    this.#view = viewOf(elf.sectionData(section));
    this.#littleEndian = elf.encoding.littleEndian;
    this.#is64 = elf.encoding.is64;
    this.#wordBytes = this.#is64 ? 8 : 4;
  }

  /** The symbol table that `symbol` counts in; `undefined` where sh_link is 0 (relative relocations only). */
  get symbols(): SymbolTable | undefined {
    if (this.#symbols === null) {
      const { sh_link } = this.section;
      this.#symbols =
        sh_link === SHN.SHN_UNDEF ? undefined : this.#elf.symbolTable(this.#elf.sectionAt(sh_link));
    }
    return this.#symbols;
  }

  /** The relocation at `index`. Errors: ERR_ELF_INDEX. */
  get(index: number): ElfRelocation {
    const type = this.type(index);
    return {
      index,
      r_offset: this.offset(index),
      type,
      typeName: relocationTypes(this.#elf.header.e_machine).get(type),
      symbol: this.symbol(index),
      r_addend: this.hasAddends ? this.addend(index) : undefined,
    };
  }

  *[Symbol.iterator](): Generator<ElfRelocation, void> {
    for (let index = 0; index < this.length; index++) yield this.get(index);
  }

  offset(index: number): bigint {
    const at = this.#position(index);
    return this.#is64
      ? this.#view.getBigUint64(at, this.#littleEndian)
      : BigInt(this.#view.getUint32(at, this.#littleEndian));
  }

  /** r_info as it stands in the file. */
  info(index: number): bigint {
    const at = this.#position(index) + this.#wordBytes;
    return this.#is64
      ? this.#view.getBigUint64(at, this.#littleEndian)
      : BigInt(this.#view.getUint32(at, this.#littleEndian));
  }

  /** ELF64_R_TYPE: the low half of r_info; ELF32_R_TYPE: its low byte. */
  type(index: number): number {
    const at = this.#position(index);
    if (this.#is64) return this.#view.getUint32(at + (this.#littleEndian ? 8 : 12), this.#littleEndian);
    return this.#view.getUint32(at + 4, this.#littleEndian) & 0xff;
  }

  /** ELF64_R_SYM: the high half of r_info; ELF32_R_SYM: its high 24 bits. */
  symbol(index: number): number {
    const at = this.#position(index);
    if (this.#is64) return this.#view.getUint32(at + (this.#littleEndian ? 12 : 8), this.#littleEndian);
    return this.#view.getUint32(at + 4, this.#littleEndian) >>> 8;
  }

  /** r_addend; 0 in an SHT_REL section. */
  addend(index: number): bigint {
    if (!this.hasAddends) return 0n;
    const at = this.#position(index) + 2 * this.#wordBytes;
    return this.#is64
      ? this.#view.getBigInt64(at, this.#littleEndian)
      : BigInt(this.#view.getInt32(at, this.#littleEndian));
  }

  #position(index: number): number {
    return checkIndex(index, this.length, this.section) * this.#sizeBytes;
  }
}

/**
 * The addresses that an SHT_RELR section relocates. An even word is an address; an odd one has a bit for each
 * of the words that follow the last address.
 * Errors: ERR_ELF_SECTION_TYPE, ERR_ELF_TRUNCATED.
 */
export function* relrOffsets(elf: ElfFile, section: ElfSection): Generator<bigint, void> {
  checkSectionType(elf, section, SHT.SHT_RELR);
  const { is64, littleEndian } = elf.encoding;
  const view = viewOf(elf.sectionData(section));
  const wordBytes = is64 ? 8 : 4;
  let next = 0n;
  for (let at = 0; at + wordBytes <= view.byteLength; at += wordBytes) {
    const word = is64 ? view.getBigUint64(at, littleEndian) : BigInt(view.getUint32(at, littleEndian));
    if ((word & 1n) === 0n) {
      yield word;
      next = word + BigInt(wordBytes);
      continue;
    }
    let address = next;
    for (let bits = word >> 1n; bits !== 0n; bits >>= 1n) {
      if (bits & 1n) yield BigInt.asUintN(wordBytes * 8, address);
      address += BigInt(wordBytes);
    }
    next += BigInt((wordBytes * 8 - 1) * wordBytes);
  }
}
