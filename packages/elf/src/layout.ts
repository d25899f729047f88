/**
 * A file as it lies: header, header tables and everything else at its offset. The last step of writing, and the
 * way to change a file that others made: `writeElf(readLayout(elf))` is the file, byte for byte.
 */
import { EI_CLASS, EI_DATA, EI_NIDENT, ELFCLASS, ELFDATA } from "./constants.js";
import { ElfError } from "./errors.js";
import { type ElfHeader, viewOf } from "./header.js";
import { modelError, unsigned } from "./model-check.js";
import type { ElfFile } from "./reader.js";
import {
  EHDR,
  type Encoding,
  encodeStruct,
  fieldRange,
  layoutOf,
  PHDR,
  SHDR,
  type Struct,
  type StructValue,
} from "./structs.js";

export interface FileLayout {
  readonly kind: "layout";
  /** e_ident gives class and byte order, e_phoff and e_shoff the places of the tables. */
  readonly header: ElfHeader;
  readonly segments: readonly StructValue<typeof PHDR>[];
  readonly sections: readonly StructValue<typeof SHDR>[];
  /** What lies between the headers, in any order; headers are written over it. */
  readonly contents: readonly FileContent[];
  /** Size of the file in bytes; what nothing covers is zero. */
  readonly sizeBytes: number;
}

export interface FileContent {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * The layout of a file that was read; contents are views of its bytes.
 * Errors: those of `segments` and `sections`.
 */
export function readLayout(elf: ElfFile): FileLayout {
  const { header, segments, sections, sizeBytes, encoding } = elf;
  const ends = [
    [0, EI_NIDENT + layoutOf(EHDR, encoding).sizeBytes],
    tableExtent(PHDR, encoding, header.e_phoff, segments.length),
    tableExtent(SHDR, encoding, header.e_shoff, sections.length),
  ] as const;
  const contents: FileContent[] = [];
  let offset = 0;
  for (const [start, end] of [...ends, [sizeBytes, sizeBytes] as const].sort((a, b) => a[0] - b[0])) {
    if (start > offset) contents.push({ offset, bytes: elf.bytesAt(offset, start - offset) });
    offset = Math.max(offset, end);
  }
  return { kind: "layout", header, segments, sections, contents, sizeBytes };
}

function tableExtent(
  definition: Struct,
  encoding: Encoding,
  offset: bigint,
  count: number,
): readonly [start: number, end: number] {
  if (count === 0) return [0, 0];
  return [Number(offset), Number(offset) + count * layoutOf(definition, encoding).sizeBytes];
}

/** Errors: ERR_ELF_MODEL. */
export function writeLayout(layout: FileLayout): Uint8Array {
  const { header, segments, sections, contents, sizeBytes } = layout;
  const encoding = {
    is64: header.e_ident[EI_CLASS] === ELFCLASS.ELFCLASS64,
    littleEndian: header.e_ident[EI_DATA] === ELFDATA.ELFDATA2LSB,
  };
  const file = allocate(sizeBytes);
  const put = (field: string, offset: bigint | number, bytes: Uint8Array): void => {
    const end = unsigned(field, offset, 64) + BigInt(bytes.length);
    if (end > file.length) throw modelError(field, end, `an end within the ${file.length} bytes of the file`);
    file.set(bytes, Number(offset));
  };
  for (const [i, { offset, bytes }] of contents.entries()) put(`contents[${i}]`, offset, bytes);
  if (segments.length > 0)
    put(
      "header.e_phoff",
      header.e_phoff,
      encodeRows(PHDR, encoding, segments, (i) => `segments[${i}]`),
    );
  if (sections.length > 0)
    put(
      "header.e_shoff",
      header.e_shoff,
      encodeRows(SHDR, encoding, sections, (i) => `sections[${i}]`),
    );
  put("header.e_ident", 0, header.e_ident.subarray(0, EI_NIDENT));
  put(
    "header",
    EI_NIDENT,
    encodeRows(EHDR, encoding, [header], () => "header"),
  );
  return file;
}

/** Alignment can ask for a file that no machine holds. */
function allocate(sizeBytes: number): Uint8Array {
  try {
    return new Uint8Array(sizeBytes);
  } catch (cause) {
    const allowed = "what fits into one Uint8Array";
    throw new ElfError("ERR_ELF_MODEL", { field: "sizeBytes", found: sizeBytes, allowed, cause });
  }
}

/** Encodes rows of one structure as a table. Errors: ERR_ELF_MODEL for a value that its field cannot hold. */
export function encodeRows<S extends Struct>(
  definition: S,
  encoding: Encoding,
  rows: readonly StructValue<S>[],
  path: (index: number) => string,
): Uint8Array {
  const { sizeBytes, fields } = layoutOf(definition, encoding);
  const bytes = new Uint8Array(rows.length * sizeBytes);
  const view = viewOf(bytes);
  for (const [i, row] of rows.entries()) {
    for (const { name, type } of fields) {
      const value = (row as Record<string, bigint | number>)[name]!;
      const { min, max } = fieldRange(type, encoding);
      if (!(value >= min && value <= max))
        throw modelError(`${path(i)}.${name}`, value, `${min} to 0x${max.toString(16)}`);
    }
    encodeStruct(definition, encoding, view, i * sizeBytes, row);
  }
  return bytes;
}
