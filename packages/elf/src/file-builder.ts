/** Lays a file out: contents one after the other, section headers at the end. Same input, same bytes. */
import {
  EI_ABIVERSION,
  EI_CLASS,
  EI_DATA,
  EI_NIDENT,
  EI_OSABI,
  EI_VERSION,
  ELFCLASS,
  ELFDATA,
  ELFMAG,
  EM,
  EV_CURRENT,
  PN_XNUM,
  SHN,
  SHT,
} from "./constants.js";
import { viewOf } from "./header.js";
import { type FileContent, writeLayout } from "./layout.js";
import type { ExecutableModel, ObjectModel } from "./model.js";
import { modelError, unsigned } from "./model-check.js";
import { EHDR, type Encoding, layoutOf, PHDR, SHDR, type StructValue } from "./structs.js";

/** A section header before its name has an offset; zero where nothing is said. */
export interface SectionHeader extends Partial<Omit<StructValue<typeof SHDR>, "sh_name">> {
  readonly name: string;
}

type BuiltModel = ExecutableModel | ObjectModel;

export function encodingOf({ is64 = true, littleEndian = true }: BuiltModel): Encoding {
  return { is64, littleEndian };
}

/** Alignment can ask for any size; no assembler fills this. */
const MAX_FILE_BYTES = 2 ** 32;

export class FileBuilder {
  readonly encoding: Encoding;
  readonly #contents: FileContent[] = [];
  readonly #sections: SectionHeader[] = [{ name: "" }];
  #end: number;

  constructor(encoding: Encoding, programHeaderCount: number) {
    this.encoding = encoding;
    const headerBytes = EI_NIDENT + layoutOf(EHDR, encoding).sizeBytes;
    this.#end = headerBytes + programHeaderCount * layoutOf(PHDR, encoding).sizeBytes;
  }

  /** Index that the next section gets. */
  get nextIndex(): number {
    return this.#sections.length;
  }

  /** Appends bytes at the next offset that is `address` modulo `align`. */
  append(bytes: Uint8Array, align = 1n, address = 0n): bigint {
    const end = BigInt(this.#end);
    const offset = end + ((((address - end) % align) + align) % align);
    const next = offset + BigInt(bytes.length);
    if (next > MAX_FILE_BYTES)
      throw modelError("size of the file", next, `at most 0x${MAX_FILE_BYTES.toString(16)}`);
    this.#contents.push({ offset: Number(offset), bytes });
    this.#end = Number(next);
    return offset;
  }

  /** Adds the header of a section whose bytes have their place already. */
  describe(section: SectionHeader): number {
    if (this.#sections.length + 1 >= SHN.SHN_LORESERVE) {
      throw modelError("sections", this.#sections.length + 1, `below ${SHN.SHN_LORESERVE}`);
    }
    return this.#sections.push(section) - 1;
  }

  /** Adds a section and its bytes. */
  add(section: SectionHeader, bytes: Uint8Array): number {
    const sh_offset = this.append(bytes, section.sh_addralign ?? 1n);
    return this.describe({ sh_size: BigInt(bytes.length), ...section, sh_offset });
  }

  /** Appends section names and headers, and puts the ELF header and the program headers in front. */
  finish(
    model: BuiltModel,
    e_type: number,
    e_entry: bigint,
    segments: readonly StructValue<typeof PHDR>[],
  ): Uint8Array {
    if (segments.length >= PN_XNUM) throw modelError("segments", segments.length, `below ${PN_XNUM}`);
    const { encoding } = this;
    const names = new StringTableBuilder();
    const nameIndex = this.nextIndex;
    const nameOffsets = [...this.#sections.map(({ name }) => name), ".shstrtab"].map((name) =>
      names.add(name),
    );
    this.add({ name: ".shstrtab", sh_type: SHT.SHT_STRTAB, sh_addralign: 1n }, names.bytes());
    const sections = this.#sections.map((section, i) => sectionRow(section, nameOffsets[i]!));
    const head = EI_NIDENT + layoutOf(EHDR, encoding).sizeBytes;
    const shentsize = layoutOf(SHDR, encoding).sizeBytes;
    const shoff = roundUp(this.#end, encoding.is64 ? 8 : 4);
    const header = {
      e_ident: identOf(model, encoding),
      e_type,
      e_machine: model.machine ?? (encoding.is64 ? EM.EM_X86_64 : EM.EM_386),
      e_version: EV_CURRENT,
      e_entry,
      e_phoff: segments.length === 0 ? 0n : BigInt(head),
      e_shoff: BigInt(shoff),
      e_flags: model.flags ?? 0,
      e_ehsize: head,
      e_phentsize: segments.length === 0 ? 0 : layoutOf(PHDR, encoding).sizeBytes,
      e_phnum: segments.length,
      e_shentsize: shentsize,
      e_shnum: sections.length,
      e_shstrndx: nameIndex,
    };
    const sizeBytes = shoff + sections.length * shentsize;
    return writeLayout({ kind: "layout", header, segments, sections, contents: this.#contents, sizeBytes });
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

function sectionRow({ name: _, ...header }: SectionHeader, sh_name: number): StructValue<typeof SHDR> {
  return {
    sh_name,
    sh_type: SHT.SHT_NULL,
    sh_flags: 0n,
    sh_addr: 0n,
    sh_offset: 0n,
    sh_size: 0n,
    sh_link: 0,
    sh_info: 0,
    sh_addralign: 0n,
    sh_entsize: 0n,
    ...header,
  };
}

function identOf(model: BuiltModel, { is64, littleEndian }: Encoding): Uint8Array {
  const ident = new Uint8Array(EI_NIDENT);
  viewOf(ident).setUint32(0, ELFMAG);
  ident[EI_CLASS] = is64 ? ELFCLASS.ELFCLASS64 : ELFCLASS.ELFCLASS32;
  ident[EI_DATA] = littleEndian ? ELFDATA.ELFDATA2LSB : ELFDATA.ELFDATA2MSB;
  ident[EI_VERSION] = EV_CURRENT;
  ident[EI_OSABI] = Number(unsigned("osabi", model.osabi ?? 0, 8));
  ident[EI_ABIVERSION] = Number(unsigned("abiVersion", model.abiVersion ?? 0, 8));
  return ident;
}

/** A string table in which every string stands once; offset 0 is the empty string. */
export class StringTableBuilder {
  readonly #offsets = new Map<string, number>([["", 0]]);
  readonly #chunks: Uint8Array[] = [new Uint8Array(1)];
  #sizeBytes = 1;

  add(text: string): number {
    let offset = this.#offsets.get(text);
    if (offset === undefined) {
      offset = this.#sizeBytes;
      const chunk = new TextEncoder().encode(`${text}\0`);
      this.#offsets.set(text, offset);
      this.#chunks.push(chunk);
      this.#sizeBytes += chunk.length;
    }
    return offset;
  }

  bytes(): Uint8Array {
    return concatBytes(this.#chunks);
  }
}

export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
