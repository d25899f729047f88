/**
 * The kernel, in the order in which a machine meets it: read this function as a table of contents.
 */
import { Assembler, type LinkedImage, type LinkedSection, link } from "@kvmkit/x86-asm";
import {
  BOOT_INFO_VERSION,
  type HypercallRow,
  KERNEL_BASE,
  KERNEL_DATA_GPA,
  LARGE_PAGE_SIZE,
  SYSCALLS,
} from "./abi/index.js";
import { emitAreas } from "./areas.js";
import { ENTRY, emitBoot } from "./boot.js";
import { emitBootCpu, emitCpuInit } from "./cpu.js";
import { SECTION } from "./emit.js";
import { emitExceptionStubs, emitExceptions, emitIdt, TEXT_ORIGIN } from "./entry-exception.js";
import { emitSyscallEntry, emitSyscallFault } from "./entry-syscall.js";
import { KernelBuildError } from "./errors.js";
import { emitExec } from "./exec.js";
import { type KernelImage, type KernelSegment, type KernelSymbol, SEGMENT_FLAGS } from "./image.js";
import { emitMmap } from "./mmap.js";
import { emitPageAllocator } from "./page-allocator.js";
import { emitPageEdits } from "./page-edits.js";
import { emitPageFault } from "./page-fault.js";
import { emitPageTables } from "./page-tables.js";
import { emitPanicFunctions } from "./panic.js";
import { emitSyscalls, emitSyscallTable, handlersByNumber } from "./syscall-table.js";
import { emitSendSignal } from "./syscalls/signal.js";
import { emitUserAccess } from "./uaccess.js";

export interface KernelOptions {
  /** Hypercalls of granted plugins: each becomes a system call of its own number. Any other number is -ENOSYS. */
  readonly plugins?: readonly HypercallRow[];
  /** For tests of the kernel itself. */
  readonly debug?: KernelDebugOptions;
}

export interface KernelDebugOptions {
  /** Adds the calls of syscalls/debug.ts. */
  readonly calls?: boolean;
  /** Whether the host does page-table work, whatever it offers. */
  readonly hostPaging?: boolean;
}

/**
 * Builds the kernel. Same options, same bytes.
 * Throws `KernelBuildError` where a plugin's row is refused, or the kernel outgrows its pages.
 */
export function buildKernel(options: KernelOptions = {}): KernelImage {
  const { plugins = [], debug = {} } = options;
  const a = new Assembler({ bits: 64 });
  emitKernel(a, plugins, debug);
  const origins = { [SECTION.text]: TEXT_ORIGIN, [SECTION.data]: KERNEL_BASE + KERNEL_DATA_GPA };
  const image = link(a.assemble(), { origins });
  return {
    segments: [segment(image, "text"), segment(image, "data")],
    entry: image.symbols.get(ENTRY)!.address,
    symbols: symbolsOf(image),
    syscalls: SYSCALLS,
    hypercalls: plugins,
    inputs: JSON.stringify({ bootInfoVersion: BOOT_INFO_VERSION, plugins, debug }),
  };
}

/** Emits all sections of the kernel. */
export function emitKernel(
  a: Assembler,
  plugins: readonly HypercallRow[] = [],
  debug: KernelDebugOptions = {},
): void {
  const handlers = handlersByNumber(plugins, debug.calls ?? false);
  openSections(a);
  // Where a fault, an exception or a system call comes in. These addresses are constants of the IDT.
  emitExceptionStubs(a);
  emitSyscallFault(a, handlers.length);
  emitIdt(a);
  // From the first instruction to ring 3.
  emitBootCpu(a);
  emitBoot(a, debug.hostPaging);
  emitCpuInit(a);
  emitExec(a);
  // The ways back in.
  emitSyscallEntry(a);
  emitExceptions(a);
  emitPageFault(a);
  emitPanicFunctions(a);
  // Memory: frames, tables, areas, and what programs ask of them.
  emitPageAllocator(a);
  emitPageTables(a);
  emitPageEdits(a);
  emitAreas(a);
  emitMmap(a);
  emitUserAccess(a);
  // System calls, and the table that names them.
  emitSendSignal(a);
  emitSyscalls(a, debug.calls ?? false);
  emitSyscallTable(a, handlers);
  closeSections(a);
}

/** The sections in the order of the image, and the beginnings of the tables that grow from everywhere. */
function openSections(a: Assembler): void {
  a.section(SECTION.text, { align: 16 });
  a.section(SECTION.rodata, { align: 16 });
  a.section(SECTION.extable, { align: 8 }).label("extable");
  a.section(SECTION.alternatives, { align: 8 }).label("alternatives");
  a.section(SECTION.data, { align: 16 });
  a.section(SECTION.bss, { align: 16 });
}

function closeSections(a: Assembler): void {
  a.section(SECTION.extable).label("extable_end");
  a.section(SECTION.alternatives).label("alternatives_end");
}

/** The sections of one segment, in one piece. */
function segment({ sections }: LinkedImage, name: "text" | "data"): KernelSegment {
  const write = name === "data";
  const parts = sections.filter((section) => section.flags.write === write);
  const vaddr = parts[0]!.address;
  const end = (section: LinkedSection, size: number) => Number(section.address - vaddr) + size;
  const last = parts[parts.length - 1]!;
  const inFile = parts.filter((part) => !part.flags.nobits);
  const fileSize = Math.max(...inFile.map((part) => end(part, part.bytes.length)));
  const memSizeBytes = end(last, last.sizeBytes);
  if (!write && memSizeBytes > Number(KERNEL_BASE + KERNEL_DATA_GPA - vaddr)) tooLarge(name, memSizeBytes);
  if (write && memSizeBytes > LARGE_PAGE_SIZE) tooLarge(name, memSizeBytes);
  const bytes = new Uint8Array(fileSize);
  for (const part of inFile) bytes.set(part.bytes, Number(part.address - vaddr));
  return {
    name,
    vaddr,
    paddr: vaddr - KERNEL_BASE,
    bytes,
    memSizeBytes,
    flags: SEGMENT_FLAGS.READ | (write ? SEGMENT_FLAGS.WRITE : SEGMENT_FLAGS.EXECUTE),
  };
}

function tooLarge(name: string, sizeBytes: number): never {
  throw new KernelBuildError(
    "ERR_KERNEL_TOO_LARGE",
    `the kernel's ${name} segment has ${sizeBytes} bytes and does not fit into its 2 MiB page`,
  );
}

function symbolsOf({ sections, symbols }: LinkedImage): KernelSymbol[] {
  const ends = new Map(
    sections.map((section) => [section.name, section.address + BigInt(section.sizeBytes)]),
  );
  const named = [...symbols.values()].filter(({ name, section }) => section !== null && !name.includes("."));
  named.sort((x, y) => (x.address < y.address ? -1 : x.address > y.address ? 1 : 0));
  return named.map(({ name, address, section }, i) => {
    const next = named[i + 1];
    const end = next?.section === section ? next.address : ends.get(section!)!;
    const type = section === SECTION.text ? "func" : "object";
    return { name, value: address, sizeBytes: Number(end - address), type };
  });
}
