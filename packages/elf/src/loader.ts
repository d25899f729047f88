/**
 * Plans the load of an x86-64 program as Linux does: PT_LOAD segments to page-aligned pieces with permissions.
 *
 * Linux, fs/binfmt_elf.c (load_elf_binary, elf_load, total_mapping_size, maximum_alignment) and
 * arch/x86/include/asm/elf.h; gABI, "Program Loading". The result is plain data; nothing is mapped here.
 *
 * Stricter than Linux on purpose: EI_CLASS and EI_DATA are checked, segments may not share bytes (Linux lets
 * the later one win), file bytes must exist (Linux raises SIGBUS on access).
 */
import { EI_CLASS, EI_DATA, ELFCLASS, ELFDATA, EM, ET, nameOf, PF, PROT, PT } from "./constants.js";
import { ElfError, type ElfErrorCode, type Fact } from "./errors.js";
import { headerFieldOffset } from "./header.js";
import { describeSegment, type ElfSegment, segmentError } from "./places.js";
import type { ElfFile } from "./reader.js";
import { layoutOf, PHDR } from "./structs.js";

const PAGE = 4096n;
const pageStart = (address: bigint): bigint => address & -PAGE;
const pageEnd = (address: bigint): bigint => (address + PAGE - 1n) & -PAGE;

/** TASK_SIZE with four-level paging: the last page of the lower half stays unused. */
const TASK_SIZE = 0x7ffffffff000n;
/** vm.mmap_min_addr as distributions set it. */
const MMAP_MIN_ADDR = 0x10000n;
/** Where Linux puts position-independent programs when it does not randomize: ELF_ET_DYN_BASE, page-aligned. */
const ELF_ET_DYN_BASE = 0x555555554000n;
/** load_elf_phdrs() reads at most 64 KiB of program headers. */
const MAX_PHDR_BYTES = 65536;

export interface LoadOptions {
  /**
   * Added to every address of an ET_DYN file; rounded down to the largest p_align. Default 0x555555554000.
   * ET_EXEC files stand where they were linked.
   */
  readonly loadBias?: bigint;
  /** Lowest address that a segment may use. Default 0x10000 (vm.mmap_min_addr). */
  readonly minAddress?: bigint;
  /** First address that a segment must not reach. Default 0x7ffffffff000 (TASK_SIZE). */
  readonly maxAddress?: bigint;
  /** The plan of the program's interpreter, if it has one: gives `base` and `start`. */
  readonly interpreterPlan?: LoadPlan;
}

/**
 * Whole pages with one permission. The first `fileSizeBytes` bytes are those of the file from `fileOffset`
 * (a multiple of the page size), the rest of `memSizeBytes` is zero.
 */
export interface LoadPiece {
  readonly vaddr: bigint;
  readonly memSizeBytes: number;
  readonly fileOffset: number;
  readonly fileSizeBytes: number;
  /** PROT_READ | PROT_WRITE | PROT_EXEC. */
  readonly prot: number;
  /** Index of the program header that it comes from. */
  readonly segment: number;
}

export interface LoadPlan {
  /** By ascending address; pieces do not overlap. */
  readonly segments: readonly LoadPiece[];
  readonly loadBias: bigint;
  /** AT_ENTRY: the program's entry point. */
  readonly entry: bigint;
  /** Where execution starts: the interpreter's entry point, or `entry`. */
  readonly start: bigint;
  /** AT_PHDR: where the program headers lie in memory; 0 if no segment holds them. */
  readonly phdr: bigint;
  /** AT_PHENT, AT_PHNUM. */
  readonly phent: number;
  readonly phnum: number;
  /** AT_BASE: where the interpreter lies; 0 without one. */
  readonly base: bigint;
  /** The first page after the program: where brk(2) starts. */
  readonly brkStart: bigint;
  /** PT_INTERP's path; the caller plans that file too, with a bias of its own. */
  readonly interpreter: string | undefined;
  /** PT_GNU_STACK has PF_X; without PT_GNU_STACK the stack of an x86-64 program is not executable. */
  readonly executableStack: boolean;
}

/**
 * Plans the load of an x86-64 ET_EXEC or ET_DYN file.
 * Errors: ERR_ELF_CLASS, ERR_ELF_DATA, ERR_ELF_MACHINE, ERR_ELF_TYPE, ERR_ELF_COUNT, ERR_ELF_NO_SEGMENT,
 * ERR_ELF_SEGMENT_SIZE, ERR_ELF_SEGMENT_ALIGN, ERR_ELF_SEGMENT_RANGE, ERR_ELF_SEGMENT_OVERLAP, ERR_ELF_INTERP,
 * ERR_ELF_ENTRY, ERR_ELF_LOAD_BIAS, ERR_ELF_TRUNCATED, ERR_ELF_ENTRY_SIZE.
 */
export function planLoad(elf: ElfFile, options: LoadOptions = {}): LoadPlan {
  checkProgram(elf);
  const limits = { min: options.minAddress ?? MMAP_MIN_ADDR, max: options.maxAddress ?? TASK_SIZE };
  const loads = elf.segments.filter(({ p_type }) => p_type === PT.PT_LOAD);
  if (loads.length === 0)
    throw headerError(elf, "ERR_ELF_NO_SEGMENT", "e_phnum", elf.segments.length, "a PT_LOAD segment");
  const loadBias = elf.header.e_type === ET.ET_DYN ? biasOf(loads, options.loadBias) : 0n;

  const pieces: LoadPiece[] = [];
  for (const segment of loads) {
    checkSegment(elf, segment, loadBias, limits);
    checkShared(elf, segment, loads);
    for (const piece of piecesOf(elf, segment, loadBias)) place(elf, pieces, piece);
  }
  pieces.sort((a, b) => (a.vaddr < b.vaddr ? -1 : 1));

  const entry = entryOf(elf, loadBias, limits.max);
  const { interpreterPlan } = options;
  return {
    segments: pieces,
    loadBias,
    entry,
    start: interpreterPlan?.entry ?? entry,
    phdr: phdrAddress(elf, loads, loadBias),
    phent: elf.header.e_phentsize,
    phnum: elf.segments.length,
    base: interpreterPlan?.loadBias ?? 0n,
    brkStart: pageEnd(loads.reduce((end, s) => maximum(end, s.p_vaddr + s.p_memsz), 0n) + loadBias),
    interpreter: elf.interpreter,
    executableStack: stackIsExecutable(elf),
  };
}

/** What the ELF header of a program for this machine must say. */
function checkProgram(elf: ElfFile): void {
  const { e_ident, e_machine, e_type, e_phnum } = elf.header;
  if (!elf.encoding.is64) {
    const found = nameOf(ELFCLASS, e_ident[EI_CLASS]!)!;
    throw new ElfError("ERR_ELF_CLASS", {
      field: "EI_CLASS",
      offset: EI_CLASS,
      found,
      allowed: "ELFCLASS64",
    });
  }
  if (!elf.encoding.littleEndian) {
    const found = nameOf(ELFDATA, e_ident[EI_DATA]!)!;
    throw new ElfError("ERR_ELF_DATA", { field: "EI_DATA", offset: EI_DATA, found, allowed: "ELFDATA2LSB" });
  }
  if (e_machine !== EM.EM_X86_64) {
    throw headerError(elf, "ERR_ELF_MACHINE", "e_machine", nameOf(EM, e_machine) ?? e_machine, "EM_X86_64");
  }
  if (e_type !== ET.ET_EXEC && e_type !== ET.ET_DYN) {
    throw headerError(elf, "ERR_ELF_TYPE", "e_type", nameOf(ET, e_type) ?? e_type, "ET_EXEC or ET_DYN");
  }
  const limit = Math.floor(MAX_PHDR_BYTES / layoutOf(PHDR, elf.encoding).sizeBytes);
  if (e_phnum > limit) throw headerError(elf, "ERR_ELF_COUNT", "e_phnum", e_phnum, `at most ${limit}`);
}

/** Linux rounds the bias it chose down to the largest alignment, so that p_align holds in memory. */
function biasOf(loads: readonly ElfSegment[], wanted = ELF_ET_DYN_BASE): bigint {
  if (wanted < 0n || wanted % PAGE !== 0n) {
    const allowed = `a multiple of 0x${PAGE.toString(16)}`;
    throw new ElfError("ERR_ELF_LOAD_BIAS", { field: "loadBias", found: wanted, allowed });
  }
  const isPowerOfTwo = (align: bigint): boolean => align !== 0n && (align & (align - 1n)) === 0n;
  const alignment = loads
    .map((s) => s.p_align)
    .filter(isPowerOfTwo)
    .reduce(maximum, PAGE);
  return wanted & -alignment;
}

function checkSegment(
  elf: ElfFile,
  segment: ElfSegment,
  loadBias: bigint,
  limits: { readonly min: bigint; readonly max: bigint },
): void {
  const { p_vaddr, p_memsz, p_filesz, p_offset } = segment;
  if (p_filesz > p_memsz) {
    throw segmentError(
      elf,
      segment,
      "ERR_ELF_SEGMENT_SIZE",
      "p_filesz",
      p_filesz,
      `at most p_memsz, 0x${p_memsz.toString(16)}`,
    );
  }
  if (p_memsz === 0n) return;
  const start = p_vaddr + loadBias;
  if (start < limits.min || start + p_memsz > limits.max) {
    const bounds = `0x${limits.min.toString(16)} to 0x${limits.max.toString(16)}`;
    const found = `0x${start.toString(16)} to 0x${(start + p_memsz).toString(16)} in memory`;
    throw segmentError(elf, segment, "ERR_ELF_SEGMENT_RANGE", "p_vaddr", found, bounds);
  }
  if (p_filesz === 0n) return;
  if (p_offset % PAGE !== p_vaddr % PAGE) {
    const allowed = `0x${(p_vaddr % PAGE).toString(16)} modulo 0x${PAGE.toString(16)}, as p_vaddr`;
    throw segmentError(elf, segment, "ERR_ELF_SEGMENT_ALIGN", "p_offset", p_offset, allowed);
  }
  elf.segmentData(segment);
}

/** Segments may share a page (the later one's permissions hold there, as with MAP_FIXED) but no byte. */
function checkShared(elf: ElfFile, segment: ElfSegment, loads: readonly ElfSegment[]): void {
  for (const other of loads) {
    if (other.index >= segment.index) return;
    const apart =
      other.p_vaddr + other.p_memsz <= segment.p_vaddr || segment.p_vaddr + segment.p_memsz <= other.p_vaddr;
    if (!apart) {
      const allowed = `memory that ${describeSegment(other)} does not claim`;
      throw segmentError(elf, segment, "ERR_ELF_SEGMENT_OVERLAP", "p_vaddr", segment.p_vaddr, allowed);
    }
  }
}

/** elf_load(): the pages of the file, then the pages of the bss. */
function piecesOf(elf: ElfFile, segment: ElfSegment, loadBias: bigint): LoadPiece[] {
  const { index, p_flags, p_offset, p_filesz, p_memsz } = segment;
  if (p_memsz === 0n) return [];
  const pieces: LoadPiece[] = [];
  const start = segment.p_vaddr + loadBias;
  const vaddr = pageStart(start);
  const fileEnd = p_filesz === 0n ? vaddr : pageEnd(start + p_filesz);
  if (p_filesz > 0n) {
    const fileOffset = pageStart(p_offset);
    // With a bss tail the rest of the last page is zero; without one a mapping shows what follows in the file.
    const fileBytesEnd =
      p_memsz > p_filesz ? p_offset + p_filesz : minimum(pageEnd(p_offset + p_filesz), BigInt(elf.sizeBytes));
    pieces.push({
      vaddr,
      memSizeBytes: Number(fileEnd - vaddr),
      fileOffset: Number(fileOffset),
      fileSizeBytes: Number(fileBytesEnd - fileOffset),
      prot: protOf(p_flags),
      segment: index,
    });
  }
  const memEnd = pageEnd(start + p_memsz);
  if (memEnd > fileEnd) {
    pieces.push({
      vaddr: fileEnd,
      memSizeBytes: Number(memEnd - fileEnd),
      fileOffset: 0,
      fileSizeBytes: 0,
      // vm_brk_flags() makes bss pages readable and writable whatever p_flags says, and executable with PF_X.
      prot: PROT.PROT_READ | PROT.PROT_WRITE | (p_flags & PF.PF_X ? PROT.PROT_EXEC : 0),
      segment: index,
    });
  }
  return pieces;
}

function protOf(flags: number): number {
  return (
    (flags & PF.PF_R ? PROT.PROT_READ : 0) |
    (flags & PF.PF_W ? PROT.PROT_WRITE : 0) |
    (flags & PF.PF_X ? PROT.PROT_EXEC : 0)
  );
}

/**
 * Adds a piece. Where it shares a page with an earlier one, both must show the same page of the file and
 * zero none of it; then nothing is lost when the later mapping replaces the earlier.
 */
function place(elf: ElfFile, pieces: LoadPiece[], piece: LoadPiece): void {
  for (let i = pieces.length - 1; i >= 0; i--) {
    const earlier = pieces[i]!;
    if (endOf(earlier) <= piece.vaddr || endOf(piece) <= earlier.vaddr) continue;
    if (!showSameFilePages(elf, earlier, piece)) {
      const segment = elf.segments[piece.segment]!;
      const allowed = `pages that ${describeSegment(elf.segments[earlier.segment]!)} does not fill differently`;
      throw segmentError(elf, segment, "ERR_ELF_SEGMENT_OVERLAP", "p_vaddr", segment.p_vaddr, allowed);
    }
    pieces.splice(i, 1, ...withoutPages(earlier, piece));
  }
  pieces.push(piece);
}

const endOf = (piece: LoadPiece): bigint => piece.vaddr + BigInt(piece.memSizeBytes);

function showSameFilePages(elf: ElfFile, a: LoadPiece, b: LoadPiece): boolean {
  const sameDistance = BigInt(a.fileOffset) - a.vaddr === BigInt(b.fileOffset) - b.vaddr;
  const unzeroed = ({ fileOffset, fileSizeBytes, memSizeBytes }: LoadPiece): boolean =>
    fileSizeBytes === memSizeBytes || (fileSizeBytes > 0 && fileOffset + fileSizeBytes === elf.sizeBytes);
  return sameDistance && unzeroed(a) && unzeroed(b);
}

/** What is left of `piece` beside the pages of `cover`. */
function withoutPages(piece: LoadPiece, cover: LoadPiece): LoadPiece[] {
  const rest: LoadPiece[] = [];
  if (piece.vaddr < cover.vaddr) {
    const sizeBytes = Number(cover.vaddr - piece.vaddr);
    rest.push({ ...piece, memSizeBytes: sizeBytes, fileSizeBytes: sizeBytes });
  }
  if (endOf(cover) < endOf(piece)) {
    const skip = Number(endOf(cover) - piece.vaddr);
    rest.push({
      ...piece,
      vaddr: endOf(cover),
      fileOffset: piece.fileOffset + skip,
      memSizeBytes: piece.memSizeBytes - skip,
      fileSizeBytes: piece.fileSizeBytes - skip,
    });
  }
  return rest;
}

function entryOf(elf: ElfFile, loadBias: bigint, max: bigint): bigint {
  const entry = elf.header.e_entry + loadBias;
  if (entry < max) return entry;
  throw headerError(elf, "ERR_ELF_ENTRY", "e_entry", entry, `below 0x${max.toString(16)}`);
}

/** The segment whose file bytes hold the program headers says where they lie in memory; the last one wins. */
function phdrAddress(elf: ElfFile, loads: readonly ElfSegment[], loadBias: bigint): bigint {
  const { e_phoff } = elf.header;
  const holder = loads.findLast((s) => s.p_offset <= e_phoff && e_phoff < s.p_offset + s.p_filesz);
  return holder === undefined ? 0n : e_phoff - holder.p_offset + holder.p_vaddr + loadBias;
}

/** The last PT_GNU_STACK counts. */
function stackIsExecutable(elf: ElfFile): boolean {
  const stack = elf.segments.findLast(({ p_type }) => p_type === PT.PT_GNU_STACK);
  return stack !== undefined && (stack.p_flags & PF.PF_X) !== 0;
}

function maximum(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function minimum(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function headerError(
  elf: ElfFile,
  code: ElfErrorCode,
  field: Parameters<typeof headerFieldOffset>[1],
  found: Fact,
  allowed: Fact,
): ElfError {
  const offset = headerFieldOffset(elf.encoding, field);
  return new ElfError(code, { where: "ELF header", field, offset, found, allowed });
}
