/** Symbol tables: columns read on demand from a view of the section. gABI, "Symbol Table". */
import { SHN, SHT } from "./constants.js";
import { viewOf } from "./header.js";
import { checkSectionType, type ElfSection } from "./places.js";
import type { ElfFile } from "./reader.js";
import type { StringTable } from "./strings.js";
import { layoutOf, SYM } from "./structs.js";
import { checkIndex, entryCount } from "./tables.js";
import type { SymbolVersion, SymbolVersions } from "./versions.js";

/** One symbol, decoded. Field names are the gABI's. */
export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly st_value: bigint;
  readonly st_size: bigint;
  /** STT_*. */
  readonly type: number;
  /** STB_*. */
  readonly binding: number;
  /** STV_*. */
  readonly visibility: number;
  readonly st_other: number;
  /** As in the file; `SymbolTable.sectionIndex` resolves SHN_XINDEX. */
  readonly st_shndx: number;
}

export class SymbolTable {
  readonly section: ElfSection;
  /** Number of symbols, the null symbol at index 0 included. */
  readonly length: number;
  readonly #elf: ElfFile;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  readonly #is64: boolean;
  readonly #sizeBytes: number;
  readonly #at: Readonly<Record<string, number>>;
  #strings: StringTable | undefined;
  #indices: DataView | undefined;
  /** `null` until they were looked for. */
  #versions: SymbolVersions | undefined | null = null;

  /** Errors: ERR_ELF_SECTION_TYPE, ERR_ELF_ENTRY_SIZE, ERR_ELF_TRUNCATED. */
  constructor(elf: ElfFile, section: ElfSection) {
    checkSectionType(elf, section, SHT.SHT_SYMTAB, SHT.SHT_DYNSYM);
    const layout = layoutOf(SYM, elf.encoding);
    this.section = section;
    this.length = entryCount(elf, section, layout.sizeBytes);
    this.#elf = elf;
    this.#view = viewOf(elf.sectionData(section));
    this.#littleEndian = elf.encoding.littleEndian;
    this.#is64 = elf.encoding.is64;
    this.#sizeBytes = layout.sizeBytes;
    this.#at = layout.offsets;
  }

  /** The symbol at `index`. Errors: ERR_ELF_INDEX, and those of `name`. */
  get(index: number): ElfSymbol {
    const info = this.info(index);
    const st_other = this.other(index);
    return {
      index,
      name: this.name(index),
      st_value: this.value(index),
      st_size: this.size(index),
      type: info & 0xf,
      binding: info >> 4,
      visibility: st_other & 3,
      st_other,
      st_shndx: this.shndx(index),
    };
  }

  *[Symbol.iterator](): Generator<ElfSymbol, void> {
    for (let index = 0; index < this.length; index++) yield this.get(index);
  }

  /** Errors: ERR_ELF_INDEX, ERR_ELF_SECTION_TYPE, ERR_ELF_STRING. */
  name(index: number): string {
    return this.strings.get(this.nameOffset(index));
  }

  /** st_name: where the name stands in the string table; 0 for none. */
  nameOffset(index: number): number {
    return this.#view.getUint32(this.#position(index) + this.#at["st_name"]!, this.#littleEndian);
  }

  value(index: number): bigint {
    return this.#wide(this.#position(index) + this.#at["st_value"]!);
  }

  size(index: number): bigint {
    return this.#wide(this.#position(index) + this.#at["st_size"]!);
  }

  /** st_info: binding in the high four bits, type in the low four. */
  info(index: number): number {
    return this.#view.getUint8(this.#position(index) + this.#at["st_info"]!);
  }

  other(index: number): number {
    return this.#view.getUint8(this.#position(index) + this.#at["st_other"]!);
  }

  shndx(index: number): number {
    return this.#view.getUint16(this.#position(index) + this.#at["st_shndx"]!, this.#littleEndian);
  }

  /** The section index of a symbol, from the SHT_SYMTAB_SHNDX section where it does not fit into st_shndx. */
  sectionIndex(index: number): number {
    const shndx = this.shndx(index);
    if (shndx !== SHN.SHN_XINDEX) return shndx;
    const indices = this.#sectionIndices();
    const at = index * 4;
    return at + 4 > indices.byteLength ? SHN.SHN_UNDEF : indices.getUint32(at, this.#littleEndian);
  }

  /** Whether an SHT_SYMTAB_SHNDX section goes with the table. */
  get hasSectionIndices(): boolean {
    return this.#sectionIndices().byteLength > 0;
  }

  /**
   * The version of a symbol of SHT_DYNSYM. The absolute symbols that a linker defines for the versions
   * themselves have none. Errors: ERR_ELF_VERSION, ERR_ELF_STRING. */
  version(index: number): SymbolVersion | undefined {
    if (this.section.sh_type !== SHT.SHT_DYNSYM) return undefined;
    const shndx = this.shndx(index);
    if (this.#versions === null) this.#versions = this.#elf.versions;
    const version = this.#versions?.get(index, shndx);
    return shndx === SHN.SHN_ABS && version?.name === this.name(index) ? undefined : version;
  }

  /** The name with its version: `foo@@V` for a default version, `foo@V` for another or a needed one. */
  versionedName(index: number): string {
    const version = this.version(index);
    const name = this.name(index);
    return version === undefined ? name : `${name}${version.isDefault ? "@@" : "@"}${version.name}`;
  }

  /** The string table that the names stand in. Errors: ERR_ELF_INDEX, ERR_ELF_SECTION_TYPE. */
  get strings(): StringTable {
    this.#strings ??= this.#elf.stringTable(this.section.sh_link);
    return this.#strings;
  }

  #position(index: number): number {
    return checkIndex(index, this.length, this.section) * this.#sizeBytes;
  }

  #wide(at: number): bigint {
    return this.#is64
      ? this.#view.getBigUint64(at, this.#littleEndian)
      : BigInt(this.#view.getUint32(at, this.#littleEndian));
  }

  #sectionIndices(): DataView {
    this.#indices ??= this.#readSectionIndices();
    return this.#indices;
  }

  #readSectionIndices(): DataView {
    const section = this.#elf.sections.find(
      ({ sh_type, sh_link }) => sh_type === SHT.SHT_SYMTAB_SHNDX && sh_link === this.section.index,
    );
    return viewOf(section ? this.#elf.sectionData(section) : new Uint8Array());
  }
}
