/**
 * Bytes to model: an `ElfFile` decodes the header at once, every table when it is first asked for.
 *
 * gABI chapters 4 and 5. What is not asked for is neither read nor checked, as with Linux, which runs
 * programs whose section headers are damaged.
 */
import { DT, PT, SHN, SHT } from "./constants.js";
import { DynamicTable } from "./dynamic.js";
import { ElfError } from "./errors.js";
import {
  type ElfHeader,
  headerFieldOffset,
  readHeader,
  readProgramHeaders,
  readSectionHeaders,
  sectionNameIndex,
} from "./header.js";
import { type ElfNote, readNotes } from "./notes.js";
import {
  checkSectionType,
  describeSection,
  describeSegment,
  type ElfSection,
  type ElfSegment,
  sectionError,
  segmentError,
} from "./places.js";
import { RelocationTable } from "./relocations.js";
import {
  type AsyncElfSource,
  type ElfSource,
  type FileBytes,
  LoadedBytes,
  loadThen,
  MemoryBytes,
  SourceBytes,
} from "./source.js";
import { StringTable } from "./strings.js";
import type { Encoding } from "./structs.js";
import { AddressIndex, isInMemory, type SymbolizedAddress } from "./symbolize.js";
import { SymbolTable } from "./symbols.js";
import { SymbolVersions } from "./versions.js";

/**
 * Reads an ELF file from memory. The bytes are kept, not copied: tables are views of them.
 * Errors: ERR_ELF_MAGIC, ERR_ELF_CLASS, ERR_ELF_DATA, ERR_ELF_TRUNCATED.
 */
export function readElf(bytes: Uint8Array): ElfFile {
  return new ElfFile(new MemoryBytes(bytes));
}

/** Reads an ELF file by ranges; header, segments, sections and their names take one read each. */
export function openElf(source: ElfSource): ElfFile {
  return new ElfFile(new SourceBytes(source));
}

/**
 * Reads an ELF file by asynchronous ranges. Header, segments, sections and their names (four reads) are there
 * when the promise settles; everything else is reached through `elf.load((elf) => …)`.
 */
export async function openElfAsync(source: AsyncElfSource): Promise<ElfFile> {
  const bytes = new LoadedBytes(source);
  const elf = await loadThen(bytes, () => new ElfFile(bytes));
  await elf.load(() => {
    void elf.segments;
    void elf.sectionsOrError;
  });
  return elf;
}

export class ElfFile {
  readonly header: ElfHeader;
  readonly encoding: Encoding;
  readonly #file: FileBytes;
  readonly #strings = new Map<number, StringTable>();
  #segments: readonly ElfSegment[] | undefined;
  #sections: readonly ElfSection[] | ElfError | undefined;
  #versions: SymbolVersions | undefined;
  #addresses: AddressIndex | undefined;
  #sectionsByName: ReadonlyMap<string, ElfSection> | undefined;

  constructor(file: FileBytes) {
    this.#file = file;
    const { header, encoding } = readHeader(file);
    this.header = header;
    this.encoding = encoding;
  }

  /** Size of the whole file in bytes. */
  get sizeBytes(): number {
    return this.#file.size;
  }

  /** The program headers. Errors: ERR_ELF_ENTRY_SIZE, ERR_ELF_COUNT, ERR_ELF_TRUNCATED. */
  get segments(): readonly ElfSegment[] {
    this.#segments ??= readProgramHeaders(this.#file, this.header, this.encoding);
    return this.#segments;
  }

  /**
   * The section headers with their names.
   * Errors: ERR_ELF_ENTRY_SIZE, ERR_ELF_COUNT, ERR_ELF_TRUNCATED, ERR_ELF_INDEX, ERR_ELF_SECTION_TYPE,
   * ERR_ELF_STRING.
   */
  get sections(): readonly ElfSection[] {
    const sections = this.sectionsOrError;
    if (sections instanceof ElfError) throw sections;
    return sections;
  }

  /** @internal The sections, or why there are none: damaged ones do not keep a program from being loaded. */
  get sectionsOrError(): readonly ElfSection[] | ElfError {
    if (this.#sections === undefined) {
      try {
        this.#sections = this.#readSections();
      } catch (error) {
        if (!(error instanceof ElfError) || error.code === "ERR_ELF_NOT_LOADED") throw error;
        this.#sections = error;
      }
    }
    return this.#sections;
  }

  /** The first section of that name. */
  section(name: string): ElfSection | undefined {
    this.#sectionsByName ??= new Map(this.sections.toReversed().map((section) => [section.name, section]));
    return this.#sectionsByName.get(name);
  }

  /**
   * The bytes of a section as a view, empty for SHT_NOBITS and SHT_NULL.
   * Errors: ERR_ELF_TRUNCATED.
   */
  sectionData(section: ElfSection): Uint8Array {
    const { sh_type, sh_offset, sh_size } = section;
    if (sh_type === SHT.SHT_NOBITS || sh_type === SHT.SHT_NULL) return new Uint8Array();
    if (sh_offset + sh_size <= this.sizeBytes) return this.#file.slice(Number(sh_offset), Number(sh_size));
    throw sectionError(this, section, "ERR_ELF_TRUNCATED", "sh_size", sh_size, this.#rest(sh_offset));
  }

  /**
   * The bytes that a segment has in the file, as a view.
   * Errors: ERR_ELF_TRUNCATED.
   */
  segmentData(segment: ElfSegment): Uint8Array {
    const { p_offset, p_filesz } = segment;
    if (p_offset + p_filesz <= this.sizeBytes) return this.#file.slice(Number(p_offset), Number(p_filesz));
    throw segmentError(this, segment, "ERR_ELF_TRUNCATED", "p_filesz", p_filesz, this.#rest(p_offset));
  }

  /**
   * Any bytes of the file, as a view.
   * Errors: ERR_ELF_TRUNCATED.
   */
  bytesAt(offset: number, length: number): Uint8Array {
    if (offset >= 0 && length >= 0 && offset + length <= this.sizeBytes)
      return this.#file.slice(offset, length);
    const allowed = `a range within the ${this.sizeBytes} bytes of the file`;
    throw new ElfError("ERR_ELF_TRUNCATED", { field: "range", offset, found: `${length} bytes`, allowed });
  }

  /**
   * The string table at a section index, such as another section's sh_link.
   * Errors: ERR_ELF_INDEX, ERR_ELF_SECTION_TYPE, ERR_ELF_TRUNCATED.
   */
  stringTable(index: number): StringTable {
    let table = this.#strings.get(index);
    if (table === undefined) {
      table = this.#readStringTable(this.sections, index);
      this.#strings.set(index, table);
    }
    return table;
  }

  /** The symbol table of the linker (SHT_SYMTAB), if the file has one. */
  get symbols(): SymbolTable | undefined {
    const section = this.sections.find(({ sh_type }) => sh_type === SHT.SHT_SYMTAB);
    return section && this.symbolTable(section);
  }

  /** The symbol table of the dynamic linker (SHT_DYNSYM), if the file has one. */
  get dynamicSymbols(): SymbolTable | undefined {
    const section = this.sections.find(({ sh_type }) => sh_type === SHT.SHT_DYNSYM);
    return section && this.symbolTable(section);
  }

  /**
   * The symbols of an SHT_SYMTAB or SHT_DYNSYM section.
   * Errors: ERR_ELF_SECTION_TYPE, ERR_ELF_ENTRY_SIZE, ERR_ELF_TRUNCATED, and those of `stringTable`.
   */
  symbolTable(section: ElfSection): SymbolTable {
    return new SymbolTable(this, section);
  }

  /**
   * The section at an index, such as another section's sh_link.
   * Errors: ERR_ELF_INDEX.
   */
  sectionAt(index: number): ElfSection {
    const section = this.sections[index];
    if (section !== undefined) return section;
    throw new ElfError("ERR_ELF_INDEX", {
      field: "section",
      found: index,
      allowed: `below ${this.sections.length}`,
    });
  }

  /** The versions of the dynamic symbols, if the file has any. Errors: ERR_ELF_VERSION, ERR_ELF_STRING. */
  get versions(): SymbolVersions | undefined {
    const versym = this.sections.find(({ sh_type }) => sh_type === SHT.SHT_GNU_versym);
    if (versym !== undefined) this.#versions ??= new SymbolVersions(this, versym);
    return this.#versions;
  }

  /** The relocations of every SHT_RELA and SHT_REL section, in their order. */
  get relocationTables(): RelocationTable[] {
    return this.sections
      .filter(({ sh_type }) => sh_type === SHT.SHT_RELA || sh_type === SHT.SHT_REL)
      .map((section) => this.relocationTable(section));
  }

  /** Errors: ERR_ELF_SECTION_TYPE, ERR_ELF_ENTRY_SIZE, ERR_ELF_TRUNCATED. */
  relocationTable(section: ElfSection): RelocationTable {
    return new RelocationTable(this, section);
  }

  /** The dynamic section, found by its section header or else by PT_DYNAMIC. Errors: ERR_ELF_TRUNCATED. */
  get dynamic(): DynamicTable | undefined {
    const { encoding } = this;
    const sections = this.sectionsOrError;
    const section =
      sections instanceof ElfError ? undefined : sections.find(({ sh_type }) => sh_type === SHT.SHT_DYNAMIC);
    if (section !== undefined) {
      return new DynamicTable(this.sectionData(section), encoding, () => this.stringTable(section.sh_link));
    }
    const segment = this.segments.find(({ p_type }) => p_type === PT.PT_DYNAMIC);
    if (segment === undefined) return undefined;
    const table: DynamicTable = new DynamicTable(this.segmentData(segment), encoding, () =>
      this.#dynamicStrings(table),
    );
    return table;
  }

  /** The notes of all note sections; of the PT_NOTE segments where there are no sections. Errors: ERR_ELF_NOTE. */
  get notes(): ElfNote[] {
    const sections = this.sectionsOrError;
    if (!(sections instanceof ElfError) && sections.length > 0) {
      return sections
        .filter(({ sh_type }) => sh_type === SHT.SHT_NOTE)
        .flatMap((section) => [...this.notesIn(section)]);
    }
    return this.segments
      .filter(({ p_type }) => p_type === PT.PT_NOTE)
      .flatMap((segment) => [...this.notesIn(segment)]);
  }

  /** The notes of one section or segment. Errors: ERR_ELF_NOTE, ERR_ELF_TRUNCATED. */
  notesIn(place: ElfSection | ElfSegment): Generator<ElfNote, void> {
    const { encoding } = this;
    if ("sh_type" in place) {
      const at = {
        encoding,
        align: place.sh_addralign,
        offset: Number(place.sh_offset),
        where: describeSection(place),
      };
      return readNotes(this.sectionData(place), at);
    }
    const at = {
      encoding,
      align: place.p_align,
      offset: Number(place.p_offset),
      where: describeSegment(place),
    };
    return readNotes(this.segmentData(place), at);
  }

  /**
   * Names an address as `name + offset`: the nearest symbol at or below it, from the linker's symbols or else
   * from the dynamic ones. `loadBias` is what a load plan added to the addresses of the file.
   * `undefined` for an address outside the program, or without symbols below it.
   */
  symbolize(address: bigint, loadBias = 0n): SymbolizedAddress | undefined {
    const fileAddress = address - loadBias;
    if (!isInMemory(this, fileAddress)) return undefined;
    const table = this.#addresses === undefined ? (this.symbols ?? this.dynamicSymbols) : undefined;
    if (table !== undefined) this.#addresses = new AddressIndex(table);
    return this.#addresses?.find(fileAddress);
  }

  /**
   * The path of the program interpreter, or `undefined` for a static program.
   * Errors: ERR_ELF_TRUNCATED, ERR_ELF_INTERP.
   */
  get interpreter(): string | undefined {
    const segment = this.segments.find(({ p_type }) => p_type === PT.PT_INTERP);
    return segment && readInterpreter(this, segment);
  }

  /**
   * Runs `body` with the bytes that it needs: those that an asynchronous source has not delivered are read,
   * and `body` runs again, so it should only look. With other sources it runs once.
   */
  load<T>(body: (elf: ElfFile) => T): Promise<T> {
    return loadThen(this.#file, () => body(this));
  }

  /** DT_STRTAB is an address; the segment that holds it says where it stands in the file. */
  #dynamicStrings(table: DynamicTable): StringTable | undefined {
    const address = table.get(DT.DT_STRTAB);
    const sizeBytes = table.get(DT.DT_STRSZ);
    if (address === undefined || sizeBytes === undefined) return undefined;
    const holder = this.segments.find(
      ({ p_type, p_vaddr, p_filesz }) =>
        p_type === PT.PT_LOAD && p_vaddr <= address && address + sizeBytes <= p_vaddr + p_filesz,
    );
    if (holder === undefined) return undefined;
    const start = Number(address - holder.p_vaddr);
    const bytes = this.segmentData(holder).subarray(start, start + Number(sizeBytes));
    return new StringTable(bytes, Number(holder.p_offset) + start, "DT_STRTAB");
  }

  #readSections(): readonly ElfSection[] {
    const headers = readSectionHeaders(this.#file, this.header, this.encoding);
    const sections = headers.map((row): ElfSection & { name: string } => Object.assign(row, { name: "" }));
    const nameIndex = sectionNameIndex(this.header, headers);
    if (nameIndex === SHN.SHN_UNDEF || sections.length === 0) return sections;
    const names = this.#readStringTable(sections, nameIndex, {
      where: "ELF header",
      field: "e_shstrndx",
      offset: headerFieldOffset(this.encoding, "e_shstrndx"),
    });
    for (const section of sections) section.name = names.get(section.sh_name);
    return sections;
  }

  #readStringTable(
    sections: readonly ElfSection[],
    index: number,
    place: { where?: string; field: string; offset?: number } = { field: "sh_link" },
  ): StringTable {
    const section = sections[index];
    if (section === undefined) {
      const allowed = `below ${sections.length}`;
      throw new ElfError("ERR_ELF_INDEX", { ...place, found: index, allowed });
    }
    checkSectionType(this, section, SHT.SHT_STRTAB);
    return new StringTable(this.sectionData(section), Number(section.sh_offset), describeSection(section));
  }

  /** What a range that starts at `offset` may at most be. */
  #rest(offset: bigint): string {
    const rest = BigInt(this.sizeBytes) - offset;
    return rest < 0n
      ? `nothing: it starts behind the ${this.sizeBytes} bytes of the file`
      : `at most 0x${rest.toString(16)}`;
  }
}

/**
 * The path in a PT_INTERP segment, by Linux's rules: 2 to PATH_MAX bytes, the last one NUL.
 * Errors: ERR_ELF_TRUNCATED, ERR_ELF_INTERP.
 */
export function readInterpreter(elf: ElfFile, segment: ElfSegment): string {
  const PATH_MAX = 4096;
  const bytes = elf.segmentData(segment);
  if (bytes.length < 2 || bytes.length > PATH_MAX) {
    throw segmentError(elf, segment, "ERR_ELF_INTERP", "p_filesz", bytes.length, `2 to ${PATH_MAX}`);
  }
  if (bytes[bytes.length - 1] !== 0) {
    throw new ElfError("ERR_ELF_INTERP", {
      where: describeSegment(segment),
      field: "last byte of the path",
      offset: segment.p_offset + segment.p_filesz - 1n,
      found: bytes[bytes.length - 1]!,
      allowed: 0,
    });
  }
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
