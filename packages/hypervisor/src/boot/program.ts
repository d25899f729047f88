/**
 * The program: from an ELF file to pages in guest memory, a stack, and the areas that the kernel starts with.
 *
 * Pages with bytes of the file, and the top of the stack, are prepared in guest-physical runs; the rest (bss, the
 * stack below) is left for the kernel to fill on demand.
 */
import { ElfError, type LoadPiece, type LoadPlan, planLoad, readElf } from "@kvmkit/elf";
import {
  AREA_FLAGS,
  PAGE_SIZE,
  USER_DYN_BASE,
  USER_MMAP_TOP,
  USER_STACK_LIMIT,
  USER_STACK_TOP,
} from "@kvmkit/guest-kernel/abi";
import { alignUp } from "../addresses.js";
import { VmError } from "../errors.js";
import type { GuestMemory } from "../memory/guest-memory.js";
import type { PhysicalAllocator } from "./physical-allocator.js";
import { type AuxvName, buildUserStack } from "./user-stack.js";

export interface ProgramInput {
  /** The bytes of an ELF program, static or static-pie. */
  readonly image: Uint8Array;
  /** AT_EXECFN, and argv[0] where `args` is absent. */
  readonly path: string;
  /** argv, argv[0] included. Default: the path. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory in the guest. Default `/`. */
  readonly cwd?: string;
}

/** One AREA record. Addresses and sizes in bytes. */
export interface Area {
  readonly start: bigint;
  readonly end: bigint;
  readonly flags: bigint;
  readonly backing: number;
  readonly backedBytes: number;
}

export interface LoadedProgram {
  /** Where ring 3 starts, and its stack pointer. */
  readonly entry: bigint;
  readonly stackPointer: bigint;
  readonly brkStart: bigint;
  readonly areas: readonly Area[];
}

/** Linux gives arguments and environment a quarter of the stack (execve(2)). */
const ARGUMENTS_LIMIT = USER_STACK_LIMIT / 4;
/** Stack below the arguments that is prepared too: what a small program touches. */
const STACK_HEADROOM = 8 * PAGE_SIZE;
/** The user and kernel clock tick that AT_CLKTCK reports (USER_HZ). */
const CLOCK_TICKS = 100n;

/** Where a program may lie: below what the stack may grow to. Errors: ERR_VM_PROGRAM with the ElfError as cause. */
export function planProgram({ image, path }: ProgramInput): LoadPlan {
  const range = { loadBias: USER_DYN_BASE, maxAddress: USER_MMAP_TOP };
  const plan = asProgramError(path, () => planLoad(readElf(image), range));
  if (plan.interpreter !== undefined) {
    throw new VmError("ERR_VM_PROGRAM", {
      path,
      reason: `it is dynamically linked (PT_INTERP ${plan.interpreter}); link it with -static or -static-pie`,
    });
  }
  return plan;
}

/** Loads a planned program. `random`: 16 bytes for AT_RANDOM. Errors: ERR_VM_MEMORY_EXHAUSTED, ERR_VM_PROGRAM_ARGUMENTS. */
export function loadProgram(
  memory: GuestMemory,
  allocator: PhysicalAllocator,
  input: ProgramInput,
  plan: LoadPlan,
  random: Uint8Array,
): LoadedProgram {
  const stack = buildUserStack({
    top: USER_STACK_TOP,
    limitBytes: ARGUMENTS_LIMIT,
    path: input.path,
    args: input.args ?? [input.path],
    env: Object.entries(input.env ?? {}).map(([name, value]) => `${name}=${value}`),
    auxv: auxvOf(plan),
    random,
  });
  const areas = plan.segments.map((piece) => loadPiece(memory, allocator, input.image, piece));

  const backedBytes = alignUp(stack.bytes.length, PAGE_SIZE) + STACK_HEADROOM;
  const backing = allocator.take("the stack", backedBytes);
  memory.write(backing + backedBytes - stack.bytes.length, stack.bytes);
  const executable = plan.executableStack ? AREA_FLAGS.EXEC : 0n;
  areas.push({
    start: USER_STACK_TOP - BigInt(backedBytes),
    end: USER_STACK_TOP,
    flags: AREA_FLAGS.READ | AREA_FLAGS.WRITE | AREA_FLAGS.STACK | executable,
    backing,
    backedBytes,
  });
  return { entry: plan.start, stackPointer: stack.rsp, brkStart: plan.brkStart, areas };
}

function loadPiece(
  memory: GuestMemory,
  allocator: PhysicalAllocator,
  image: Uint8Array,
  piece: LoadPiece,
): Area {
  const area = {
    start: piece.vaddr,
    end: piece.vaddr + BigInt(piece.memSizeBytes),
    flags: BigInt(piece.prot),
  };
  if (piece.fileSizeBytes === 0) return { ...area, backing: 0, backedBytes: 0 };
  const backedBytes = alignUp(piece.fileSizeBytes, PAGE_SIZE);
  const backing = allocator.take(`the segment at 0x${piece.vaddr.toString(16)}`, backedBytes);
  memory.write(backing, image.subarray(piece.fileOffset, piece.fileOffset + piece.fileSizeBytes));
  return { ...area, backing, backedBytes };
}

function auxvOf(plan: LoadPlan): Partial<Record<AuxvName, bigint>> {
  return {
    AT_PHDR: plan.phdr,
    AT_PHENT: BigInt(plan.phent),
    AT_PHNUM: BigInt(plan.phnum),
    AT_PAGESZ: BigInt(PAGE_SIZE),
    AT_BASE: plan.base,
    AT_FLAGS: 0n,
    AT_ENTRY: plan.entry,
    AT_UID: 0n,
    AT_EUID: 0n,
    AT_GID: 0n,
    AT_EGID: 0n,
    AT_CLKTCK: CLOCK_TICKS,
    AT_SECURE: 0n,
  };
}

function asProgramError<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ElfError)
      throw new VmError("ERR_VM_PROGRAM", { path, reason: error.message }, { cause: error });
    throw error;
  }
}
