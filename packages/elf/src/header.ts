/** The ELF header and the two tables that it points to. gABI, "ELF Header", "Sections", "Program Header". */
import { EI_CLASS, EI_DATA, EI_NIDENT, ELFCLASS, ELFDATA, ELFMAG, PN_XNUM, SHN } from "./constants.js";
import { ElfError } from "./errors.js";
import type { TableRow } from "./places.js";
import type { FileBytes } from "./source.js";
import {
  decodeInto,
  decodeStruct,
  EHDR,
  type Encoding,
  layoutOf,
  PHDR,
  SHDR,
  type Struct,
  type StructValue,
} from "./structs.js";

export interface ElfHeader extends StructValue<typeof EHDR> {
  /** The first 16 bytes, as they stand in the file. */
  readonly e_ident: Uint8Array;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Decodes e_ident and the ELF header.
 * Errors: ERR_ELF_MAGIC, ERR_ELF_CLASS, ERR_ELF_DATA, ERR_ELF_TRUNCATED.
 */
export function readHeader(file: FileBytes): { header: ElfHeader; encoding: Encoding } {
  const head = file.slice(0, Math.min(file.size, EI_NIDENT + EHDR.elf64.sizeBytes));
  const encoding = readIdent(head);
  const sizeBytes = EI_NIDENT + layoutOf(EHDR, encoding).sizeBytes;
  if (head.length < sizeBytes) {
    throw new ElfError("ERR_ELF_TRUNCATED", {
      where: "ELF header",
      field: "size of the file",
      offset: 0,
      found: head.length,
      allowed: `at least ${sizeBytes}`,
    });
  }
  const fields = decodeStruct(EHDR, encoding, viewOf(head), EI_NIDENT);
  return { header: { e_ident: new Uint8Array(head.subarray(0, EI_NIDENT)), ...fields }, encoding };
}

function readIdent(head: Uint8Array): Encoding {
  const magic = head.length < 4 ? 0 : viewOf(head).getUint32(0);
  if (magic !== ELFMAG) {
    const found = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw identError("ERR_ELF_MAGIC", "EI_MAG", 0, found || "an empty file", "7f 45 4c 46");
  }
  const elfClass = head[EI_CLASS] ?? 0;
  if (elfClass !== ELFCLASS.ELFCLASS32 && elfClass !== ELFCLASS.ELFCLASS64) {
    throw identError("ERR_ELF_CLASS", "EI_CLASS", EI_CLASS, elfClass, "1 (ELFCLASS32) or 2 (ELFCLASS64)");
  }
  const data = head[EI_DATA] ?? 0;
  if (data !== ELFDATA.ELFDATA2LSB && data !== ELFDATA.ELFDATA2MSB) {
    throw identError("ERR_ELF_DATA", "EI_DATA", EI_DATA, data, "1 (ELFDATA2LSB) or 2 (ELFDATA2MSB)");
  }
  return { is64: elfClass === ELFCLASS.ELFCLASS64, littleEndian: data === ELFDATA.ELFDATA2LSB };
}

function identError(
  code: "ERR_ELF_MAGIC" | "ERR_ELF_CLASS" | "ERR_ELF_DATA",
  field: string,
  offset: number,
  found: number | string,
  allowed: string,
): ElfError {
  return new ElfError(code, { where: "ELF header", field, offset, found, allowed });
}

/** File offset of a field of the ELF header, for errors. */
export function headerFieldOffset(encoding: Encoding, field: keyof StructValue<typeof EHDR>): number {
  return EI_NIDENT + layoutOf(EHDR, encoding).offsets[field]!;
}

/**
 * Decodes the program headers; none is an empty table.
 * Errors: ERR_ELF_ENTRY_SIZE, ERR_ELF_COUNT, ERR_ELF_TRUNCATED.
 */
export function readProgramHeaders(
  file: FileBytes,
  header: ElfHeader,
  encoding: Encoding,
): TableRow<typeof PHDR>[] {
  if (header.e_phoff === 0n || header.e_phnum === 0) return [];
  checkEntrySize(header, encoding, "e_phentsize", PHDR);
  const inHeader = BigInt(header.e_phnum);
  const count =
    header.e_phnum === PN_XNUM ? realCount(file, header, encoding, "sh_info", inHeader) : inHeader;
  return readTable(file, encoding, PHDR, header.e_phoff, count, "program headers", "e_phoff");
}

/**
 * Decodes the section headers; none is an empty table.
 * Errors: ERR_ELF_ENTRY_SIZE, ERR_ELF_COUNT, ERR_ELF_TRUNCATED.
 */
export function readSectionHeaders(
  file: FileBytes,
  header: ElfHeader,
  encoding: Encoding,
): TableRow<typeof SHDR>[] {
  if (header.e_shoff === 0n) return [];
  checkEntrySize(header, encoding, "e_shentsize", SHDR);
  const inHeader = BigInt(header.e_shnum);
  const count = header.e_shnum === 0 ? realCount(file, header, encoding, "sh_size", inHeader) : inHeader;
  return readTable(file, encoding, SHDR, header.e_shoff, count, "section headers", "e_shoff");
}

/** The index of the section names' string table, from e_shstrndx or from section 0. */
export function sectionNameIndex(header: ElfHeader, sections: readonly TableRow<typeof SHDR>[]): number {
  return header.e_shstrndx === SHN.SHN_XINDEX ? (sections[0]?.sh_link ?? 0) : header.e_shstrndx;
}

/** More than any linker writes; a sparse file can claim what no memory holds. */
const MAX_ENTRIES = 2n ** 24n;

/** Section 0 holds the counts that do not fit into the ELF header; `inHeader` counts where there is none. */
function realCount(
  file: FileBytes,
  header: ElfHeader,
  encoding: Encoding,
  field: "sh_size" | "sh_info",
  inHeader: bigint,
): bigint {
  if (header.e_shoff === 0n) return inHeader;
  const [zero] = readTable(file, encoding, SHDR, header.e_shoff, 1n, "section headers", "e_shoff");
  const count = BigInt(zero![field]);
  if (count <= MAX_ENTRIES) return count;
  const offset = zero!.headerOffset + layoutOf(SHDR, encoding).offsets[field]!;
  const allowed = `at most ${MAX_ENTRIES}`;
  throw new ElfError("ERR_ELF_COUNT", { where: "section 0", field, offset, found: count, allowed });
}

function checkEntrySize(
  header: ElfHeader,
  encoding: Encoding,
  field: "e_phentsize" | "e_shentsize",
  definition: Struct,
): void {
  const allowed = layoutOf(definition, encoding).sizeBytes;
  const found = header[field];
  if (found === allowed) return;
  const offset = headerFieldOffset(encoding, field);
  throw new ElfError("ERR_ELF_ENTRY_SIZE", { where: "ELF header", field, offset, found, allowed });
}

function readTable<S extends Struct>(
  file: FileBytes,
  encoding: Encoding,
  definition: S,
  offset: bigint,
  count: bigint,
  where: string,
  field: "e_phoff" | "e_shoff",
): TableRow<S>[] {
  const { sizeBytes } = layoutOf(definition, encoding);
  const start = Number(offset);
  const length = Number(count) * sizeBytes;
  if (offset + count * BigInt(sizeBytes) > file.size) {
    throw new ElfError("ERR_ELF_TRUNCATED", {
      where: `${where} (${count} entries)`,
      field,
      offset: headerFieldOffset(encoding, field),
      found: offset,
      allowed: `a table that ends within the ${file.size} bytes of the file`,
    });
  }
  const view = viewOf(file.slice(start, length));
  const rows: TableRow<S>[] = [];
  for (let at = 0; at < length; at += sizeBytes) {
    rows.push(decodeInto({ index: rows.length, headerOffset: start + at }, definition, encoding, view, at));
  }
  return rows;
}
