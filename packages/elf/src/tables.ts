/** What the tables of fixed-size entries in a section have in common. */
import { ElfError } from "./errors.js";
import { describeSection, type ElfSection, sectionError } from "./places.js";
import type { ElfFile } from "./reader.js";

/**
 * The number of entries of a section; a rest that is no whole entry is left out.
 * Errors: ERR_ELF_ENTRY_SIZE if sh_entsize is not what the gABI fixes.
 */
export function entryCount(elf: ElfFile, section: ElfSection, sizeBytes: number): number {
  if (section.sh_entsize !== BigInt(sizeBytes)) {
    throw sectionError(elf, section, "ERR_ELF_ENTRY_SIZE", "sh_entsize", section.sh_entsize, sizeBytes);
  }
  return Math.floor(Number(section.sh_size) / sizeBytes);
}

/** The index itself, where a table has it. Errors: ERR_ELF_INDEX. */
export function checkIndex(index: number, length: number, section: ElfSection): number {
  if (index >= 0 && index < length) return index;
  throw new ElfError("ERR_ELF_INDEX", {
    where: describeSection(section),
    field: "entry",
    found: index,
    allowed: `below ${length}`,
  });
}
