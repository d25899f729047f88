/** `readelf -W -l`: program headers and the sections in each segment. */
import { nameOf, PF, PT, SHF, SHT } from "../constants.js";
import { ElfError } from "../errors.js";
import type { ElfSection, ElfSegment } from "../places.js";
import type { ElfFile } from "../reader.js";
import { address, digits, hex, prefixed, printable } from "./text.js";

const PT_GNU_MBIND_LO = 0x6474e555;
const PT_GNU_MBIND_COUNT = 4096;
const PT_LOOS = 0x60000000;
const PT_LOPROC = 0x70000000;
const PT_HIPROC = 0x7fffffff;

function typeName(type: number): string {
  const known = nameOf(PT, type);
  if (known !== undefined) return known.slice("PT_".length);
  if (isMbind(type)) return `GNU_MBIND+${prefixed(type - PT_GNU_MBIND_LO)}`;
  if (type >= PT_LOPROC && type <= PT_HIPROC) return `LOPROC+${prefixed(type - PT_LOPROC)}`;
  if (type >= PT_LOOS && type < PT_LOPROC) return `LOOS+${prefixed(type - PT_LOOS)}`;
  return `<unknown>: ${hex(type)}`;
}

function isMbind(type: number): boolean {
  return type >= PT_GNU_MBIND_LO && type < PT_GNU_MBIND_LO + PT_GNU_MBIND_COUNT;
}

export function* formatSegments(elf: ElfFile): Generator<string, void> {
  const { segments, encoding } = elf;
  if (segments.length === 0) {
    yield "\nThere are no program headers in this file.\n";
    return;
  }
  yield "\nProgram Headers:\n";
  yield encoding.is64
    ? "  Type           Offset   VirtAddr           PhysAddr           FileSiz  MemSiz   Flg Align\n"
    : "  Type           Offset   VirtAddr   PhysAddr   FileSiz MemSiz  Flg Align\n";
  for (const segment of segments) {
    yield row(elf, segment);
    if (segment.p_type === PT.PT_INTERP) {
      const path = interpreterPath(elf, segment);
      if (path !== undefined) yield `\n      [Requesting program interpreter: ${path}]`;
    }
    yield "\n";
  }
  if (elf.sections.length > 0) yield* formatMapping(elf);
}

function row(elf: ElfFile, segment: ElfSegment): string {
  const { p_type, p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags, p_align } = segment;
  const { encoding } = elf;
  const width = encoding.is64 ? 6 : 5;
  const flags = `${p_flags & PF.PF_R ? "R" : " "}${p_flags & PF.PF_W ? "W" : " "}${p_flags & PF.PF_X ? "E" : " "}`;
  return (
    `  ${typeName(p_type).slice(0, 14).padEnd(14)} 0x${digits(p_offset, 6)} ` +
    `0x${address(p_vaddr, encoding)} 0x${address(p_paddr, encoding)} ` +
    `0x${digits(p_filesz, width)} 0x${digits(p_memsz, width)} ${flags} ${prefixed(p_align)}`
  );
}

/** What stands at p_offset up to the first NUL, whatever p_filesz says of it; nothing where that is no string. */
function interpreterPath(elf: ElfFile, segment: ElfSegment): string | undefined {
  try {
    const bytes = elf.segmentData(segment);
    const end = bytes.indexOf(0);
    return end < 0 ? undefined : new TextDecoder().decode(bytes.subarray(0, end));
  } catch (error) {
    if (error instanceof ElfError && error.code === "ERR_ELF_TRUNCATED") return undefined;
    throw error;
  }
}

function* formatMapping(elf: ElfFile): Generator<string, void> {
  yield "\n Section to Segment mapping:\n  Segment Sections...\n";
  for (const segment of elf.segments) {
    const names = elf.sections.slice(1).filter((section) => isInSegment(section, segment));
    yield `   ${`${segment.index}`.padStart(2, "0")}     ${names.map(({ name }) => `${printable(name)} `).join("")}\n`;
  }
}

const bit = (flags: bigint, flag: number): boolean => (flags & BigInt(flag)) !== 0n;

/** Segments that hold nothing but what is in memory. */
function isMemorySegment({ p_type }: ElfSegment): boolean {
  return MEMORY_SEGMENTS.has(p_type) || isMbind(p_type);
}

const MEMORY_SEGMENTS: ReadonlySet<number> = /* @__PURE__ */ new Set([
  PT.PT_LOAD,
  PT.PT_DYNAMIC,
  PT.PT_GNU_EH_FRAME,
  PT.PT_GNU_STACK,
  PT.PT_GNU_RELRO,
  PT.PT_GNU_SFRAME,
]);

const TLS_SEGMENTS: ReadonlySet<number> = /* @__PURE__ */ new Set([PT.PT_TLS, PT.PT_GNU_RELRO, PT.PT_LOAD]);

/**
 * Whether a section belongs to a segment, by the rules of the GNU tools: the right kind of section, inside it
 * in the file and in memory, and, if it is empty, not at the end.
 */
function isInSegment(section: ElfSection, segment: ElfSegment): boolean {
  const { p_type, p_offset, p_filesz, p_vaddr, p_memsz } = segment;
  const isTls = bit(section.sh_flags, SHF.SHF_TLS);
  const isAlloc = bit(section.sh_flags, SHF.SHF_ALLOC);
  const hasBytes = section.sh_type !== SHT.SHT_NOBITS;
  // .tbss takes no memory outside of the TLS template.
  if (isTls && !hasBytes && p_type !== PT.PT_TLS) return false;
  if (isTls ? !TLS_SEGMENTS.has(p_type) : p_type === PT.PT_TLS || p_type === PT.PT_PHDR) return false;
  if (!isAlloc && isMemorySegment(segment)) return false;
  const { sh_size } = section;
  if (hasBytes && !isWithin(section.sh_offset, sh_size, p_offset, p_filesz)) return false;
  if (isAlloc && !isWithin(section.sh_addr, sh_size, p_vaddr, p_memsz)) return false;
  if ((p_type !== PT.PT_DYNAMIC && p_type !== PT.PT_NOTE) || sh_size !== 0n || p_memsz === 0n) return true;
  return (
    (!hasBytes || isInside(section.sh_offset, p_offset, p_filesz)) &&
    (!isAlloc || isInside(section.sh_addr, p_vaddr, p_memsz))
  );
}

/** The range lies in the other one and starts before its end, unless that one is empty. */
function isWithin(start: bigint, size: bigint, outerStart: bigint, outerSize: bigint): boolean {
  if (start < outerStart) return false;
  const distance = start - outerStart;
  return (outerSize === 0n || distance < outerSize) && distance + size <= outerSize;
}

/** Strictly between the ends. */
function isInside(at: bigint, start: bigint, size: bigint): boolean {
  return at > start && at - start < size;
}
