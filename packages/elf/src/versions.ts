/**
 * Symbol versions: which version of a symbol an object defines or needs. LSB Core, "Symbol Versioning".
 *
 * `.gnu.version` has a version index for every dynamic symbol; `.gnu.version_d` names the indices that the
 * object defines, `.gnu.version_r` those that it needs from others.
 */
import { SHN, SHT, VER_FLG, VER_NDX, VERSYM_HIDDEN } from "./constants.js";
import { ElfError } from "./errors.js";
import { viewOf } from "./header.js";
import { describeSection, type ElfSection } from "./places.js";
import type { ElfFile } from "./reader.js";
import type { StringTable } from "./strings.js";
import { decodeStruct, type Struct, type StructValue, VERDAUX, VERDEF, VERNAUX, VERNEED } from "./structs.js";

/** A version that the object defines; `names[0]` is its own, the others are those that it inherits from. */
export interface VersionDefinition extends StructValue<typeof VERDEF> {
  /** Offset in the section. */
  readonly offset: number;
  readonly auxiliaries: readonly { readonly offset: number; readonly name: string }[];
}

/** The versions that the object needs from one file. */
export interface VersionNeed extends StructValue<typeof VERNEED> {
  readonly offset: number;
  readonly file: string;
  readonly versions: readonly NeededVersion[];
}

export interface NeededVersion extends StructValue<typeof VERNAUX> {
  readonly offset: number;
  readonly name: string;
}

export interface SymbolVersion {
  readonly name: string;
  /** The index in `.gnu.version`, without the hidden bit. */
  readonly index: number;
  /** `foo@@V`: the version that a reference without one is bound to. */
  readonly isDefault: boolean;
  /** The file that it is needed from; `undefined` for a version that is defined here. */
  readonly file: string | undefined;
}

/** Errors: ERR_ELF_VERSION, ERR_ELF_STRING, ERR_ELF_TRUNCATED. */
export function readVersionDefinitions(elf: ElfFile, section: ElfSection): VersionDefinition[] {
  const chain = new Chain(elf, section);
  return chain.walk(VERDEF, 0, section.sh_info, "vd_next").map(({ offset, value }) => ({
    ...value,
    offset,
    auxiliaries: chain
      .walk(VERDAUX, offset + value.vd_aux, value.vd_cnt, "vda_next")
      .map((aux) => ({ offset: aux.offset, name: chain.strings.get(aux.value.vda_name) })),
  }));
}

/** Errors: ERR_ELF_VERSION, ERR_ELF_STRING, ERR_ELF_TRUNCATED. */
export function readVersionNeeds(elf: ElfFile, section: ElfSection): VersionNeed[] {
  const chain = new Chain(elf, section);
  return chain.walk(VERNEED, 0, section.sh_info, "vn_next").map(({ offset, value }) => ({
    ...value,
    offset,
    file: chain.strings.get(value.vn_file),
    versions: chain
      .walk(VERNAUX, offset + value.vn_aux, value.vn_cnt, "vna_next")
      .map((aux) => ({ ...aux.value, offset: aux.offset, name: chain.strings.get(aux.value.vna_name) })),
  }));
}

/**
 * The linked lists of a version section. Definitions of one name may share an auxiliary entry (gold does that),
 * but all lists together have no more entries than the section has words: a damaged section in which lists run
 * through each other again and again is an error and not a long walk.
 */
class Chain {
  readonly strings: StringTable;
  readonly #elf: ElfFile;
  readonly #section: ElfSection;
  readonly #view: DataView;
  #entriesLeft: number;

  constructor(elf: ElfFile, section: ElfSection) {
    this.#elf = elf;
    this.#section = section;
    this.#view = viewOf(elf.sectionData(section));
    this.#entriesLeft = this.#view.byteLength / 4;
    this.strings = elf.stringTable(section.sh_link);
  }

  walk<S extends Struct>(
    definition: S,
    start: number,
    count: number,
    next: keyof StructValue<S> & string,
  ): { readonly offset: number; readonly value: StructValue<S> }[] {
    const { sizeBytes } = definition.elf64;
    const entries: { offset: number; value: StructValue<S> }[] = [];
    let offset = start;
    while (entries.length < count) {
      if (offset + sizeBytes > this.#view.byteLength || this.#entriesLeft-- < 0) {
        throw this.#error(
          offset,
          next,
          `${count} entries within the ${this.#view.byteLength} bytes of the section`,
        );
      }
      const value = decodeStruct(definition, this.#elf.encoding, this.#view, offset);
      entries.push({ offset, value });
      const step = value[next] as number;
      if (step === 0) break;
      offset += step;
    }
    return entries;
  }

  #error(offset: number, field: string, allowed: string): ElfError {
    return new ElfError("ERR_ELF_VERSION", {
      where: describeSection(this.#section),
      field,
      offset: this.#section.sh_offset + BigInt(offset),
      found: `an entry at 0x${offset.toString(16)} of the section`,
      allowed,
    });
  }
}

/** The versions of one dynamic symbol table. */
export class SymbolVersions {
  readonly definitions: readonly VersionDefinition[];
  readonly needs: readonly VersionNeed[];
  readonly #versym: DataView;
  readonly #littleEndian: boolean;
  readonly #defined = new Map<number, VersionDefinition>();
  readonly #needed = new Map<number, { readonly name: string; readonly file: string }>();

  /** Versions by raw index: a table of many symbols has few of them. */
  readonly #ofDefined = new Map<number, SymbolVersion | undefined>();
  readonly #ofUndefined = new Map<number, SymbolVersion | undefined>();

  constructor(elf: ElfFile, versym: ElfSection) {
    const definitions = elf.sections.find(({ sh_type }) => sh_type === SHT.SHT_GNU_verdef);
    const needs = elf.sections.find(({ sh_type }) => sh_type === SHT.SHT_GNU_verneed);
    this.#versym = viewOf(elf.sectionData(versym));
    this.#littleEndian = elf.encoding.littleEndian;
    this.definitions = definitions === undefined ? [] : readVersionDefinitions(elf, definitions);
    this.needs = needs === undefined ? [] : readVersionNeeds(elf, needs);
    for (const definition of this.definitions)
      setOnce(this.#defined, definition.vd_ndx & ~VERSYM_HIDDEN, definition);
    for (const { file, versions } of this.needs) {
      for (const { name, vna_other } of versions) setOnce(this.#needed, vna_other, { name, file });
    }
  }

  /** The entry of `.gnu.version`, hidden bit included; 0 behind its end. */
  raw(symbol: number): number {
    const at = symbol * 2;
    return at + 2 <= this.#versym.byteLength ? this.#versym.getUint16(at, this.#littleEndian) : 0;
  }

  /** The name of an entry of `.gnu.version`, whatever symbol has it. */
  nameOf(raw: number): string | undefined {
    const defined = raw === (VERSYM_HIDDEN | 1) ? undefined : this.#defined.get(raw & ~VERSYM_HIDDEN);
    return this.#needed.get(raw)?.name ?? defined?.auxiliaries[0]?.name;
  }

  /**
   * The version of a symbol, `undefined` for a local or unversioned one. Variables that the linker copied out
   * of a library are defined here and have a needed version, so both lists count for a defined symbol.
   */
  get(symbol: number, st_shndx: number): SymbolVersion | undefined {
    const raw = this.raw(symbol);
    if (raw === 0) return undefined;
    const cache = st_shndx === SHN.SHN_UNDEF ? this.#ofUndefined : this.#ofDefined;
    const known = cache.get(raw);
    if (known !== undefined || cache.has(raw)) return known;
    const version = this.#lookUp(raw, st_shndx !== SHN.SHN_UNDEF);
    cache.set(raw, version);
    return version;
  }

  #lookUp(raw: number, isDefined: boolean): SymbolVersion | undefined {
    const index = raw & ~VERSYM_HIDDEN;
    const definition = isDefined && raw !== (VERSYM_HIDDEN | 1) ? this.#defined.get(index) : undefined;
    if (definition !== undefined) {
      if (isBase(definition)) return undefined;
      const name = definition.auxiliaries[0]?.name ?? "";
      return { name, index, isDefault: (raw & VERSYM_HIDDEN) === 0, file: undefined };
    }
    const needed = this.#needed.get(raw);
    return needed && { ...needed, index, isDefault: false };
  }
}

/** The base definition names the object itself, not a version of its symbols. */
function isBase({ vd_ndx, vd_flags }: VersionDefinition): boolean {
  return vd_ndx === VER_NDX.VER_NDX_GLOBAL && vd_flags === VER_FLG.VER_FLG_BASE;
}

function setOnce<V>(map: Map<number, V>, key: number, value: V): void {
  if (!map.has(key)) map.set(key, value);
}
