/**
 * An ELF file as GNU readelf prints it: `readelf -W -hSlsr -n -V`, to the byte for files that readelf has no
 * complaint about (binutils 2.40).
 */
import type { ElfFile } from "../reader.js";
import { formatHeader } from "./header.js";
import { formatNotes } from "./notes.js";
import { formatRelocations } from "./relocations.js";
import { formatSections } from "./sections.js";
import { formatSegments } from "./segments.js";
import { formatSymbols } from "./symbols.js";
import { formatVersions } from "./versions.js";

/** What can be printed, in readelf's order. */
const PARTS = {
  header: formatHeader,
  sections: formatSections,
  segments: formatSegments,
  relocations: formatRelocations,
  symbols: formatSymbols,
  versions: formatVersions,
  notes: formatNotes,
} as const;

export type ReadelfPart = keyof typeof PARTS;

/**
 * Yields the text piece by piece, so that a file with a million symbols needs no string of 100 MB.
 * Errors: every `ElfError` of the parts that are printed.
 */
export function* formatReadelf(elf: ElfFile, parts?: readonly ReadelfPart[]): Generator<string, void> {
  for (const [name, format] of Object.entries(PARTS)) {
    if (parts === undefined || parts.includes(name as ReadelfPart)) yield* format(elf);
  }
}
