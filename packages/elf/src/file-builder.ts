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
import { ElfError } from "./errors.js";
import { viewOf } from "./header.js";
import type { ElfModel } from "./model.js";
import { modelError, unsigned } from "./model-check.js";
import { EHDR, type Encoding, encodeStruct, layoutOf, PHDR, SHDR, type StructValue } from "./structs.js";

/** A section header before its name has an offset; zero where nothing is said. */
export interface SectionHeader extends Partial<Omit<StructValue<typeof SHDR>, "sh_name">> {
  readonly name: string;
}

export function encodingOf({ is64 = true, littleEndian = true }: ElfModel): Encoding {
  return { is64, littleEndian };
}

export class FileBuilder {
  readonly encoding: Encoding;
  readonly #chunks: { offset: number; bytes: Uint8Array }[] = [];
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
    if (next > Number.MAX_SAFE_INTEGER) throw modelError("size of the file", next, "at most 2^53 - 1");
    this.#chunks.push({ offset: Number(offset), bytes });
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
    model: ElfModel,
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
    const shdrs = encodeTable(
      SHDR,
      encoding,
      this.#sections.map((section, i) => sectionRow(section, nameOffsets[i]!)),
    );
    const shoff = this.append(shdrs, encoding.is64 ? 8n : 4n);

    const file = allocate(this.#end);
    for (const { offset, bytes } of this.#chunks) file.set(bytes, offset);
    const head = EI_NIDENT + layoutOf(EHDR, encoding).sizeBytes;
    file.set(encodeTable(PHDR, encoding, segments), head);
    writeIdent(file, model, encoding);
    encodeStruct(EHDR, encoding, viewOf(file), EI_NIDENT, {
      e_type,
      e_machine: Number(unsigned("machine", model.machine ?? (encoding.is64 ? EM.EM_X86_64 : EM.EM_386), 16)),
      e_version: EV_CURRENT,
      e_entry,
      e_phoff: segments.length === 0 ? 0n : BigInt(head),
      e_shoff: shoff,
      e_flags: Number(unsigned("flags", model.flags ?? 0, 32)),
      e_ehsize: head,
      e_phentsize: segments.length === 0 ? 0 : layoutOf(PHDR, encoding).sizeBytes,
      e_phnum: segments.length,
      e_shentsize: layoutOf(SHDR, encoding).sizeBytes,
      e_shnum: this.#sections.length,
      e_shstrndx: nameIndex,
    });
    return file;
  }
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

function writeIdent(file: Uint8Array, model: ElfModel, { is64, littleEndian }: Encoding): void {
  viewOf(file).setUint32(0, ELFMAG);
  file[EI_CLASS] = is64 ? ELFCLASS.ELFCLASS64 : ELFCLASS.ELFCLASS32;
  file[EI_DATA] = littleEndian ? ELFDATA.ELFDATA2LSB : ELFDATA.ELFDATA2MSB;
  file[EI_VERSION] = EV_CURRENT;
  file[EI_OSABI] = Number(unsigned("osabi", model.osabi ?? 0, 8));
  file[EI_ABIVERSION] = Number(unsigned("abiVersion", model.abiVersion ?? 0, 8));
}

/** Alignment can ask for a file that no machine holds. */
function allocate(sizeBytes: number): Uint8Array {
  try {
    return new Uint8Array(sizeBytes);
  } catch (cause) {
    const allowed = "what fits into one Uint8Array";
    throw new ElfError("ERR_ELF_MODEL", { field: "size of the file", found: sizeBytes, allowed, cause });
  }
}

/** Encodes rows of one structure as a table. */
export function encodeTable<S extends typeof PHDR | typeof SHDR>(
  definition: S,
  encoding: Encoding,
  rows: readonly StructValue<S>[],
): Uint8Array {
  const { sizeBytes } = layoutOf(definition, encoding);
  const bytes = new Uint8Array(rows.length * sizeBytes);
  const view = viewOf(bytes);
  rows.forEach((row, i) => {
    encodeStruct(definition, encoding, view, i * sizeBytes, row);
  });
  return bytes;
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
    const bytes = new Uint8Array(this.#sizeBytes);
    let offset = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return bytes;
  }
}
