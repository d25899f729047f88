/**
 * Bytes to model: an `ElfFile` decodes the header at once, every table when it is first asked for.
 *
 * gABI chapters 4 and 5. What is not asked for is neither read nor checked, as with Linux, which runs
 * programs whose section headers are damaged.
 */
import { PT, SHN, SHT } from "./constants.js";
import { type DynamicTable, readDynamic } from "./dynamic.js";
import { ElfError } from "./errors.js";
import {
  type ElfHeader,
  headerFieldOffset,
  readHeader,
  readProgramHeaders,
  readSectionHeaders,
  sectionNameIndex,
} from "./header.js";
import { readInterpreter } from "./interpreter.js";
import { type ElfNote, notesIn, readAllNotes } from "./notes.js";
import {
  checkSectionType,
  describeSection,
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
  /** What was decoded so far, by what it is. */
  readonly #decoded = new Map<string, unknown>();

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
    return this.#once("segments", () => readProgramHeaders(this.#file, this.header, this.encoding));
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

  /** The sections, or why they cannot be read: damaged ones do not keep a program from being loaded. */
  get sectionsOrError(): readonly ElfSection[] | ElfError {
    return this.#once("sections", () => {
      try {
        return this.#readSections();
      } catch (error) {
        if (error instanceof ElfError && error.code !== "ERR_ELF_NOT_LOADED") return error;
        throw error;
      }
    });
  }

  /** The first section of that name. Errors: those of `sections`. */
  section(name: string): ElfSection | undefined {
    const byName = this.#once(
      "sections by name",
      () => new Map(this.sections.toReversed().map((section) => [section.name, section])),
    );
    return byName.get(name);
  }

  /**
   * The section at an index, such as another section's sh_link.
   * Errors: ERR_ELF_INDEX, and those of `sections`.
   */
  sectionAt(index: number): ElfSection {
    return this.#sectionAt(this.sections, index, { field: "sh_link" });
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
    const isInside = offset >= 0 && length >= 0 && offset + length <= this.sizeBytes;
    if (isInside) return this.#file.slice(offset, length);
    const allowed = `a range within the ${this.sizeBytes} bytes of the file`;
    throw new ElfError("ERR_ELF_TRUNCATED", { field: "range", offset, found: `${length} bytes`, allowed });
  }

  /**
   * The string table at a section index, such as another section's sh_link.
   * Errors: ERR_ELF_INDEX, ERR_ELF_SECTION_TYPE, ERR_ELF_TRUNCATED.
   */
  stringTable(index: number): StringTable {
    return this.#once(`strings ${index}`, () => this.#stringsOf(this.sectionAt(index)));
  }

  /** The symbol table of the linker (SHT_SYMTAB), if the file has one. */
  get symbols(): SymbolTable | undefined {
    const section = this.#sectionOfType(SHT.SHT_SYMTAB);
    return section && this.symbolTable(section);
  }

  /** The symbol table of the dynamic linker (SHT_DYNSYM), if the file has one. */
  get dynamicSymbols(): SymbolTable | undefined {
    const section = this.#sectionOfType(SHT.SHT_DYNSYM);
    return section && this.symbolTable(section);
  }

  /**
   * The symbols of an SHT_SYMTAB or SHT_DYNSYM section.
   * Errors: ERR_ELF_SECTION_TYPE, ERR_ELF_ENTRY_SIZE, ERR_ELF_TRUNCATED.
   */
  symbolTable(section: ElfSection): SymbolTable {
    return this.#once(`symbols ${section.index}`, () => new SymbolTable(this, section));
  }

  /** The versions of the dynamic symbols, if the file has any. Errors: ERR_ELF_VERSION, ERR_ELF_STRING. */
  get versions(): SymbolVersions | undefined {
    const versym = this.#sectionOfType(SHT.SHT_GNU_versym);
    return versym && this.#once("versions", () => new SymbolVersions(this, versym));
  }

  /** The relocations of every SHT_RELA and SHT_REL section, in their order. */
  get relocationTables(): RelocationTable[] {
    return this.sections
      .filter(({ sh_type }) => sh_type === SHT.SHT_RELA || sh_type === SHT.SHT_REL)
      .map((section) => this.relocationTable(section));
  }

  /** Errors: ERR_ELF_SECTION_TYPE, ERR_ELF_ENTRY_SIZE, ERR_ELF_TRUNCATED. */
  relocationTable(section: ElfSection): RelocationTable {
    return this.#once(`relocations ${section.index}`, () => new RelocationTable(this, section));
  }

  /** The dynamic section, found by its section header or else by PT_DYNAMIC. Errors: ERR_ELF_TRUNCATED. */
  get dynamic(): DynamicTable | undefined {
    return this.#once("dynamic", () => readDynamic(this));
  }

  /** The notes of all note sections; of the PT_NOTE segments where there are no sections. Errors: ERR_ELF_NOTE. */
  get notes(): readonly ElfNote[] {
    return this.#once("notes", () => readAllNotes(this));
  }

  /** The notes of one section or segment. Errors: ERR_ELF_NOTE, ERR_ELF_TRUNCATED. */
  notesIn(place: ElfSection | ElfSegment): Generator<ElfNote, void> {
    return notesIn(this, place);
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
   * Names an address as `name + offset`: the nearest symbol at or below it, from the linker's symbols or else
   * from the dynamic ones. `loadBias` is what a load plan added to the addresses of the file.
   * `undefined` for an address outside the program, without symbols below it, or with damaged section headers.
   * Errors: those of `symbolTable` and of a symbol's name.
   */
  symbolize(address: bigint, loadBias = 0n): SymbolizedAddress | undefined {
    const fileAddress = address - loadBias;
    if (this.sectionsOrError instanceof ElfError || !isInMemory(this, fileAddress)) return undefined;
    const index = this.#once("addresses", () => {
      const table = this.symbols ?? this.dynamicSymbols;
      return table && new AddressIndex(table);
    });
    return index?.find(fileAddress);
  }

  /**
   * Runs `body` with the bytes that it needs: those that an asynchronous source has not delivered are read,
   * and `body` runs again, so it should only look. With other sources it runs once.
   */
  load<T>(body: (elf: ElfFile) => T): Promise<T> {
    return loadThen(this.#file, () => body(this));
  }

  #once<T>(key: string, decode: () => T): T {
    const known = this.#decoded.get(key);
    if (known !== undefined) return known as T;
    const value = decode();
    this.#decoded.set(key, value);
    return value;
  }

  #readSections(): readonly ElfSection[] {
    const headers = readSectionHeaders(this.#file, this.header, this.encoding);
    const sections = headers.map((row): ElfSection & { name: string } => Object.assign(row, { name: "" }));
    const nameIndex = sectionNameIndex(this.header, headers);
    if (nameIndex === SHN.SHN_UNDEF || sections.length === 0) return sections;
    const offset = headerFieldOffset(this.encoding, "e_shstrndx");
    const place = { where: "ELF header", field: "e_shstrndx", offset };
    const names = this.#stringsOf(this.#sectionAt(sections, nameIndex, place));
    for (const section of sections) section.name = names.get(section.sh_name);
    return sections;
  }

  #sectionAt(
    sections: readonly ElfSection[],
    index: number,
    place: { readonly where?: string; readonly field: string; readonly offset?: number },
  ): ElfSection {
    const section = sections[index];
    if (section !== undefined) return section;
    throw new ElfError("ERR_ELF_INDEX", { ...place, found: index, allowed: `below ${sections.length}` });
  }

  #sectionOfType(type: number): ElfSection | undefined {
    return this.sections.find(({ sh_type }) => sh_type === type);
  }

  #stringsOf(section: ElfSection): StringTable {
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
