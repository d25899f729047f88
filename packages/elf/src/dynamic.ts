/** The dynamic section: what the dynamic linker is told. gABI, "Dynamic Section". */
import { DT, nameOf, PT, SHT } from "./constants.js";
import { ElfError } from "./errors.js";
import { viewOf } from "./header.js";
import type { ElfFile } from "./reader.js";
import { StringTable } from "./strings.js";
import { DYN, decodeStruct, type Encoding, layoutOf } from "./structs.js";

export interface DynamicEntry {
  readonly d_tag: bigint;
  /** d_val or d_ptr. */
  readonly d_val: bigint;
  /** `"DT_NEEDED"`; `undefined` for a tag that is not known. */
  readonly tagName: string | undefined;
}

export class DynamicTable {
  /** The entries up to DT_NULL, which is left out. */
  readonly entries: readonly DynamicEntry[];
  readonly #strings: () => StringTable | undefined;

  constructor(bytes: Uint8Array, encoding: Encoding, strings: () => StringTable | undefined) {
    this.entries = readEntries(bytes, encoding);
    this.#strings = strings;
  }

  /** The value of the first entry with that tag. */
  get(tag: number): bigint | undefined {
    return this.entries.find(({ d_tag }) => d_tag === BigInt(tag))?.d_val;
  }

  /** DT_NEEDED: the names of the libraries, in order. Errors: ERR_ELF_STRING. */
  get needed(): string[] {
    return this.#texts(DT.DT_NEEDED);
  }

  /** DT_SONAME. Errors: ERR_ELF_STRING. */
  get soname(): string | undefined {
    return this.#texts(DT.DT_SONAME)[0];
  }

  /** DT_RUNPATH, or else DT_RPATH. Errors: ERR_ELF_STRING. */
  get runpath(): string | undefined {
    return this.#texts(DT.DT_RUNPATH)[0] ?? this.#texts(DT.DT_RPATH)[0];
  }

  #texts(tag: number): string[] {
    const strings = this.#strings();
    return this.entries
      .filter(({ d_tag }) => d_tag === BigInt(tag))
      .map(({ d_val }) => strings?.get(Number(d_val)) ?? "");
  }
}

/** The table of SHT_DYNAMIC; of PT_DYNAMIC in a file without sections. Errors: ERR_ELF_TRUNCATED. */
export function readDynamic(elf: ElfFile): DynamicTable | undefined {
  const { encoding, sectionsOrError: sections } = elf;
  const section =
    sections instanceof ElfError ? undefined : sections.find(({ sh_type }) => sh_type === SHT.SHT_DYNAMIC);
  if (section !== undefined) {
    return new DynamicTable(elf.sectionData(section), encoding, () => elf.stringTable(section.sh_link));
  }
  const segment = elf.segments.find(({ p_type }) => p_type === PT.PT_DYNAMIC);
  if (segment === undefined) return undefined;
  const table: DynamicTable = new DynamicTable(elf.segmentData(segment), encoding, () =>
    stringsOf(elf, table),
  );
  return table;
}

/** DT_STRTAB is an address; the segment that holds it says where it stands in the file. */
function stringsOf(elf: ElfFile, table: DynamicTable): StringTable | undefined {
  const address = table.get(DT.DT_STRTAB);
  const sizeBytes = table.get(DT.DT_STRSZ);
  if (address === undefined || sizeBytes === undefined) return undefined;
  const holder = elf.segments.find(
    ({ p_type, p_vaddr, p_filesz }) =>
      p_type === PT.PT_LOAD && p_vaddr <= address && address + sizeBytes <= p_vaddr + p_filesz,
  );
  if (holder === undefined) return undefined;
  const start = Number(address - holder.p_vaddr);
  const bytes = elf.segmentData(holder).subarray(start, start + Number(sizeBytes));
  return new StringTable(bytes, Number(holder.p_offset) + start, "DT_STRTAB");
}

function readEntries(bytes: Uint8Array, encoding: Encoding): DynamicEntry[] {
  const { sizeBytes } = layoutOf(DYN, encoding);
  const view = viewOf(bytes);
  const entries: DynamicEntry[] = [];
  for (let at = 0; at + sizeBytes <= bytes.length; at += sizeBytes) {
    const { d_tag, d_val } = decodeStruct(DYN, encoding, view, at);
    if (d_tag === 0n) break;
    entries.push({ d_tag, d_val, tagName: nameOf(DT, d_tag) });
  }
  return entries;
}
