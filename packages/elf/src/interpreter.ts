/** The program interpreter that PT_INTERP names. gABI, "Program Interpreter". */
import { ElfError } from "./errors.js";
import { describeSegment, type ElfSegment, segmentError } from "./places.js";
import type { ElfFile } from "./reader.js";

/** Linux, include/uapi/linux/limits.h. */
const PATH_MAX = 4096;

/**
 * The path in a PT_INTERP segment, by Linux's rules: 2 to PATH_MAX bytes, the last one NUL.
 * Errors: ERR_ELF_TRUNCATED, ERR_ELF_INTERP.
 */
export function readInterpreter(elf: ElfFile, segment: ElfSegment): string {
  const bytes = elf.segmentData(segment);
  if (bytes.length < 2 || bytes.length > PATH_MAX) {
    throw segmentError(elf, segment, "ERR_ELF_INTERP", "p_filesz", bytes.length, `2 to ${PATH_MAX}`);
  }
  if (bytes[bytes.length - 1] !== 0) {
    throw new ElfError("ERR_ELF_INTERP", {
      where: describeSegment(segment),
      field: "last byte of the path",
      offset: segment.p_offset + segment.p_filesz - 1n,
      found: bytes[bytes.length - 1]!,
      allowed: 0,
    });
  }
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
