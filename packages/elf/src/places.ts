/** The rows of the header tables, and how an error names them and their fields. */
import { nameOf, PT, SHT } from "./constants.js";
import { ElfError, type ElfErrorCode, type Fact } from "./errors.js";
import { type Encoding, layoutOf, PHDR, SHDR, type StructValue } from "./structs.js";

/** A row of a header table: its decoded fields, its index and its file offset. */
export type TableRow<S> = StructValue<S> & { readonly index: number; readonly headerOffset: number };

/** A program header, with its place in the file. Field names are the gABI's. */
export type ElfSegment = TableRow<typeof PHDR>;

/** A section header, its name and its place in the file. Field names are the gABI's. */
export type ElfSection = TableRow<typeof SHDR> & { readonly name: string };

interface Encoded {
  readonly encoding: Encoding;
}

type SegmentField = keyof typeof PHDR.fields;
type SectionField = keyof typeof SHDR.fields;

export function describeSegment(segment: ElfSegment): string {
  return `segment ${segment.index} (${nameOf(PT, segment.p_type) ?? `type 0x${segment.p_type.toString(16)}`})`;
}

export function describeSection(section: ElfSection): string {
  return section.name === "" ? `section ${section.index}` : `section ${section.index} (${section.name})`;
}

/** Errors: ERR_ELF_SECTION_TYPE. */
export function checkSectionType(file: Encoded, section: ElfSection, ...allowed: number[]): void {
  if (allowed.includes(section.sh_type)) return;
  const found = nameOf(SHT, section.sh_type) ?? section.sh_type;
  const names = allowed.map((type) => nameOf(SHT, type)).join(" or ");
  throw sectionError(file, section, "ERR_ELF_SECTION_TYPE", "sh_type", found, names);
}

export function segmentError(
  file: Encoded,
  segment: ElfSegment,
  code: ElfErrorCode,
  field: SegmentField,
  found: Fact,
  allowed: Fact,
): ElfError {
  const offset = segment.headerOffset + layoutOf(PHDR, file.encoding).offsets[field]!;
  return new ElfError(code, { where: describeSegment(segment), field, offset, found, allowed });
}

export function sectionError(
  file: Encoded,
  section: ElfSection,
  code: ElfErrorCode,
  field: SectionField,
  found: Fact,
  allowed: Fact,
): ElfError {
  const offset = section.headerOffset + layoutOf(SHDR, file.encoding).offsets[field]!;
  return new ElfError(code, { where: describeSection(section), field, offset, found, allowed });
}
