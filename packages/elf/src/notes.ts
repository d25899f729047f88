/** Notes: owner, type, description. gABI, "Note Section"; psABI x86-64, "Program Property". */
import { PT, SHT } from "./constants.js";
import { ElfError } from "./errors.js";
import { viewOf } from "./header.js";
import { describeSection, describeSegment, type ElfSection, type ElfSegment } from "./places.js";
import type { ElfFile } from "./reader.js";
import { decodeStruct, type Encoding, NHDR } from "./structs.js";

export interface ElfNote {
  /** Who defines the types, such as `GNU`; without the NUL that ends it. */
  readonly owner: string;
  /** The name as it stands in the file, whatever it holds. */
  readonly nameBytes: Uint8Array;
  readonly type: number;
  readonly description: Uint8Array;
  /** File offset of the note. */
  readonly offset: number;
}

const HEADER_BYTES = NHDR.elf64.sizeBytes;

/**
 * The notes in the bytes of a section or segment. Names and descriptions are padded to 4 bytes, to 8 where
 * `align` (sh_addralign, p_align) is 8.
 * Errors: ERR_ELF_NOTE.
 */
export function* readNotes(
  bytes: Uint8Array,
  { encoding, align, offset, where }: { encoding: Encoding; align: bigint; offset: number; where: string },
): Generator<ElfNote, void> {
  const padding = align === 8n ? 8 : 4;
  const view = viewOf(bytes);
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER_BYTES > bytes.length) {
      throw noteError(where, "note header", offset + at, bytes.length - at, `at least ${HEADER_BYTES} bytes`);
    }
    const { n_namesz, n_descsz, n_type } = decodeStruct(NHDR, encoding, view, at);
    const name = at + HEADER_BYTES;
    const description = roundUp(name + n_namesz, padding);
    const end = description + n_descsz;
    if (end > bytes.length) {
      const [field, found] = description > bytes.length ? ["n_namesz", n_namesz] : ["n_descsz", n_descsz];
      throw noteError(
        where,
        field as string,
        offset + at,
        found as number,
        `what fits into ${bytes.length - name} bytes`,
      );
    }
    yield {
      owner: ownerName(bytes.subarray(name, name + n_namesz)),
      nameBytes: bytes.subarray(name, name + n_namesz),
      type: n_type,
      description: bytes.subarray(description, end),
      offset: offset + at,
    };
    at = roundUp(end, padding);
  }
}

/** The notes of one section or segment. Errors: ERR_ELF_NOTE, ERR_ELF_TRUNCATED. */
export function notesIn(elf: ElfFile, place: ElfSection | ElfSegment): Generator<ElfNote, void> {
  const { encoding } = elf;
  if ("sh_type" in place) {
    const { sh_addralign: align, sh_offset } = place;
    return readNotes(elf.sectionData(place), {
      encoding,
      align,
      offset: Number(sh_offset),
      where: describeSection(place),
    });
  }
  const { p_align: align, p_offset } = place;
  return readNotes(elf.segmentData(place), {
    encoding,
    align,
    offset: Number(p_offset),
    where: describeSegment(place),
  });
}

/** The notes of all note sections; of the PT_NOTE segments where there are no sections. Errors: ERR_ELF_NOTE. */
export function readAllNotes(elf: ElfFile): ElfNote[] {
  const sections = elf.sectionsOrError;
  const places: readonly (ElfSection | ElfSegment)[] =
    sections instanceof ElfError || sections.length === 0
      ? elf.segments.filter(({ p_type }) => p_type === PT.PT_NOTE)
      : sections.filter(({ sh_type }) => sh_type === SHT.SHT_NOTE);
  return places.flatMap((place) => [...notesIn(elf, place)]);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Bytes to the first NUL, one character each: owners such as those of annobin hold bytes that are no text. */
function ownerName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, Math.min(end < 0 ? bytes.length : end, MAX_OWNER_BYTES)));
}

/** What one call can spread; real owners have some ten bytes, annobin's a hundred. */
const MAX_OWNER_BYTES = 4096;

function noteError(where: string, field: string, offset: number, found: number, allowed: string): ElfError {
  return new ElfError("ERR_ELF_NOTE", { where, field, offset, found, allowed });
}

export const NT_GNU = {
  NT_GNU_ABI_TAG: 1,
  NT_GNU_HWCAP: 2,
  NT_GNU_BUILD_ID: 3,
  NT_GNU_GOLD_VERSION: 4,
  NT_GNU_PROPERTY_TYPE_0: 5,
} as const;

/** One entry of NT_GNU_PROPERTY_TYPE_0. */
export interface GnuProperty {
  readonly pr_type: number;
  readonly data: Uint8Array;
}

/**
 * The entries of an NT_GNU_PROPERTY_TYPE_0 description; each is padded to the word of the class.
 * Errors: ERR_ELF_NOTE.
 */
export function readGnuProperties(note: ElfNote, encoding: Encoding): GnuProperty[] {
  const { description } = note;
  const view = viewOf(description);
  const properties: GnuProperty[] = [];
  for (let at = 0; at < description.length; ) {
    const start = at + 8;
    const size = start <= description.length ? view.getUint32(at + 4, encoding.littleEndian) : Infinity;
    if (start + size > description.length) {
      const allowed = `what fits into ${description.length - at} bytes`;
      throw noteError("GNU property", "pr_datasz", note.offset, size, allowed);
    }
    const pr_type = view.getUint32(at, encoding.littleEndian);
    properties.push({ pr_type, data: description.subarray(start, start + size) });
    at = roundUp(start + size, encoding.is64 ? 8 : 4);
  }
  return properties;
}
