/**
 * The `kvmkit` boot protocol: kernel ELF, first page tables, boot information, boot stack, program.
 *
 * The memory map is in guest-kernel's `abi/memory-layout.ts`, the boot information record in `abi/boot-info.ts`.
 * At entry: rdi = boot information, rsp = boot stack, both in the direct map; long mode, IF = 0.
 */
import { ElfError, type ElfFile, type ElfSegment, EM, PF, PT, readElf } from "@kvmkit/elf";
import {
  AREA,
  BOOT_FLAGS,
  BOOT_INFO,
  BOOT_INFO_MAGIC,
  BOOT_INFO_SIZE,
  BOOT_INFO_VERSION,
  BOOT_STACK_SIZE,
  DIRECT_MAP_BASE,
  KERNEL_BASE,
  KERNEL_TEXT_GPA,
  LARGE_PAGE_SIZE,
  PAGE_SIZE,
} from "@kvmkit/guest-kernel/abi";
import { VmError } from "../errors.js";
import type { GuestMemory } from "../memory/guest-memory.js";
import type { CpuStart } from "../vcpu-setup.js";
import { PageTableBuilder } from "./page-tables.js";
import { PhysicalAllocator } from "./physical-allocator.js";
import { type LoadedProgram, loadProgram, type ProgramInput, planProgram } from "./program.js";

export interface KvmkitBootInput {
  readonly kernel: Uint8Array;
  readonly program?: ProgramInput;
  readonly ring0Emulated: boolean;
  /** 16 bytes for AT_RANDOM. */
  readonly random: Uint8Array;
}

export interface KvmkitBoot {
  readonly start: CpuStart;
  /** Guest-physical address of the boot information. */
  readonly bootInfo: number;
}

/** Least memory: the kernel's two 2 MiB pages, and as much for tables, program and pool. */
export const KVMKIT_MINIMUM_BYTES = 4 * LARGE_PAGE_SIZE;

const directMap = (address: number): bigint => DIRECT_MAP_BASE + BigInt(address);

/** Lays a machine out. Errors: ERR_VM_KERNEL, ERR_VM_PROGRAM, ERR_VM_PROGRAM_ARGUMENTS, ERR_VM_MEMORY_EXHAUSTED. */
export function layOutKvmkit(memory: GuestMemory, input: KvmkitBootInput): KvmkitBoot {
  const plan = input.program && planProgram(input.program);
  const kernel = loadKernel(memory, input.kernel);
  const allocator = new PhysicalAllocator(kernel.end, memory.ranges[0]!.size);

  const tables = buildTables(memory, kernel.pages, allocator);
  const bootInfo = allocator.take("the boot information", BOOT_INFO_SIZE);
  const stack = allocator.take("the boot stack", BOOT_STACK_SIZE);
  const areas = allocator.take("the program's areas", plan ? (plan.segments.length + 1) * AREA.size : 0);
  const program = plan && loadProgram(memory, allocator, input.program!, plan, input.random);

  writeBootInfo(memory, {
    at: bootInfo,
    flags: flagsOf(input),
    tables,
    areas,
    program,
    poolStart: allocator.next,
  });
  return {
    bootInfo,
    start: {
      mode: "long",
      pageTableRoot: tables,
      noExecute: true,
      registers: { rip: kernel.entry, rdi: directMap(bootInfo), rsp: directMap(stack + BOOT_STACK_SIZE) },
    },
  };
}

interface LoadedKernel {
  readonly entry: bigint;
  /** First guest-physical byte after it. */
  readonly end: number;
  /** Rights of each 2 MiB page from guest-physical 0 on. */
  readonly pages: readonly KernelPage[];
}

interface KernelPage {
  writable: boolean;
  executable: boolean;
}

function loadKernel(memory: GuestMemory, image: Uint8Array): LoadedKernel {
  const elf = readKernel(image);
  const loads = elf.segments.filter(({ p_type, p_memsz }) => p_type === PT.PT_LOAD && p_memsz > 0n);
  if (loads.length === 0) throw kernelError("PT_LOAD segments", 0, "at least 1");
  for (const segment of loads) checkKernelSegment(segment, memory.ranges[0]!.size);

  const end = Math.max(...loads.map(({ p_paddr, p_memsz }) => Number(p_paddr + p_memsz)));
  const pages = kernelPages(loads, end);
  for (const segment of loads) memory.write(Number(segment.p_paddr), elf.segmentData(segment));
  const { e_entry } = elf.header;
  if (!pages[Math.floor(Number(e_entry - KERNEL_BASE) / LARGE_PAGE_SIZE)]?.executable) {
    throw kernelError("e_entry", e_entry, "an address in an executable segment");
  }
  return { entry: e_entry, end, pages };
}

function readKernel(image: Uint8Array): ElfFile {
  try {
    const elf = readElf(image);
    if (elf.header.e_machine !== EM.EM_X86_64 || !elf.encoding.is64) {
      throw kernelError("e_machine", elf.header.e_machine, "EM_X86_64, ELFCLASS64");
    }
    void elf.segments.map((segment) => elf.segmentData(segment));
    return elf;
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    throw new VmError(
      "ERR_VM_KERNEL",
      { field: error.field, found: error.message, allowed: "a whole ELF file" },
      { cause: error },
    );
  }
}

function checkKernelSegment({ p_vaddr, p_paddr, p_memsz, p_filesz }: ElfSegment, memorySize: number): void {
  if (p_paddr < KERNEL_TEXT_GPA || p_paddr + p_memsz > BigInt(memorySize)) {
    throw kernelError("p_paddr", p_paddr, `0x${KERNEL_TEXT_GPA.toString(16)} to the end of guest memory`);
  }
  if (p_vaddr !== KERNEL_BASE + p_paddr) throw kernelError("p_vaddr", p_vaddr, "KERNEL_BASE + p_paddr");
  if (p_filesz > p_memsz) throw kernelError("p_filesz", p_filesz, "at most p_memsz");
}

/** No 2 MiB page holds two permissions, so that nothing is ever writable and executable. */
function kernelPages(loads: readonly ElfSegment[], end: number): KernelPage[] {
  const pages = Array.from({ length: Math.ceil(end / LARGE_PAGE_SIZE) }, () => ({
    writable: false,
    executable: false,
  }));
  for (const { p_paddr, p_memsz, p_flags } of loads) {
    const first = Math.floor(Number(p_paddr) / LARGE_PAGE_SIZE);
    const last = Math.floor((Number(p_paddr + p_memsz) - 1) / LARGE_PAGE_SIZE);
    for (const page of pages.slice(first, last + 1)) {
      page.writable ||= (p_flags & PF.PF_W) !== 0;
      page.executable ||= (p_flags & PF.PF_X) !== 0;
      if (page.writable && page.executable) {
        throw kernelError("p_flags", p_flags, "writable and executable segments in 2 MiB pages of their own");
      }
    }
  }
  return pages;
}

/** The kernel's pages at KERNEL_BASE, all of memory in the direct map. Result: the PML4. */
function buildTables(
  memory: GuestMemory,
  pages: readonly KernelPage[],
  allocator: PhysicalAllocator,
): number {
  // PML4; PDPT and PD of the kernel; of the direct map a PD for each GiB and a PDPT for each 512. The builder
  // writes them one after another.
  const directories = memory.ranges.reduce((sum, { size }) => sum + Math.ceil(size / 2 ** 30), 0);
  const pageCount = 3 + directories + Math.ceil((directories + 1) / 512);
  const start = allocator.take("the first page tables", pageCount * PAGE_SIZE);
  const tables = new PageTableBuilder(memory, start);
  pages.forEach((page, index) => {
    const frame = index * LARGE_PAGE_SIZE;
    tables.map(KERNEL_BASE + BigInt(frame), frame, page);
  });
  for (const range of memory.ranges) {
    for (let frame = range.start; frame < range.start + range.size; frame += LARGE_PAGE_SIZE) {
      const executable = pages[frame / LARGE_PAGE_SIZE]?.executable ?? false;
      tables.map(directMap(frame), frame, { writable: !executable, executable: false });
    }
  }
  return tables.root;
}

function flagsOf({ ring0Emulated }: KvmkitBootInput): bigint {
  return ring0Emulated ? BOOT_FLAGS.RING0_EMULATED | BOOT_FLAGS.HOST_PAGING : 0n;
}

interface BootInfoInput {
  readonly at: number;
  readonly flags: bigint;
  readonly tables: number;
  readonly areas: number;
  readonly program: LoadedProgram | undefined;
  readonly poolStart: number;
}

function writeBootInfo(
  memory: GuestMemory,
  { at, flags, tables, areas, program, poolStart }: BootInfoInput,
): void {
  const [low, high] = memory.ranges;
  const fields = {
    magic: BOOT_INFO_MAGIC,
    flags,
    memory_range_0_start: low!.start,
    memory_range_0_size: low!.size,
    memory_range_1_start: high?.start ?? 0,
    memory_range_1_size: high?.size ?? 0,
    pool_start: poolStart,
    pool_end: low!.start + low!.size,
    pool_1_start: high?.start ?? 0,
    pool_1_end: high === undefined ? 0 : high.start + high.size,
    page_table_root: tables,
    program_entry: program?.entry ?? 0n,
    program_stack: program?.stackPointer ?? 0n,
    program_brk: program?.brkStart ?? 0n,
    area_count: program?.areas.length ?? 0,
    areas: program === undefined ? 0n : directMap(areas),
  } as const;
  for (const [name, value] of Object.entries(fields)) {
    memory.setU64(at + BOOT_INFO[name as keyof typeof fields], BigInt(value));
  }
  memory.setU32(at + BOOT_INFO.version, BOOT_INFO_VERSION);
  memory.setU32(at + BOOT_INFO.size, BOOT_INFO_SIZE);
  program?.areas.forEach((area, index) => {
    const record = areas + index * AREA.size;
    memory.setU64(record + AREA.start, area.start);
    memory.setU64(record + AREA.end, area.end);
    memory.setU64(record + AREA.flags, area.flags);
    memory.setU64(record + AREA.backing, BigInt(area.backing));
    memory.setU64(record + AREA.backed_bytes, BigInt(area.backedBytes));
  });
}

function kernelError(field: string, found: bigint | number, allowed: string): VmError {
  return new VmError("ERR_VM_KERNEL", { field, found, allowed });
}
