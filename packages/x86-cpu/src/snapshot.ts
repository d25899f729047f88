/**
 * A processor's state as plain data: it can be cloned, stored, posted to a worker, and goes on in either engine exactly
 * as it would have gone on here. Guest memory is not part of it.
 *
 * The TLBs are: which accessed and dirty bits a processor sets, and which stale entry it still uses, depends on them.
 */
import { CpuError } from "./errors.js";
import type { Event } from "./exceptions.js";
import { RAM_BASE, State, Tlb } from "./layout.js";
import type { CpuidEntry, ExternalAccess, Machine } from "./machine.js";
import { type MemoryRegion, PhysicalMemory } from "./memory.js";
import { NO_PAGE } from "./paging.js";

export const SNAPSHOT_VERSION = 1;

export interface CpuSnapshot {
  readonly version: typeof SNAPSHOT_VERSION;
  /** Bytes of guest RAM that belong to it. */
  readonly memoryBytes: number;
  readonly regions: readonly MemoryRegion[];
  readonly cpuid: readonly CpuidEntry[];
  /** The state, as layout.ts has it. */
  readonly registers: Uint8Array;
  readonly tlb: Uint8Array;
  /** Accesses that the instruction at RIP has had from the VMM; the last one may wait for its answer. */
  readonly accesses: readonly ExternalAccess[];
  /** An exception that the VMM has injected. */
  readonly injected: Event | undefined;
  readonly requestInterruptWindow: boolean;
}

/** What of a machine goes into a snapshot. */
export function machineSnapshot(
  m: Machine,
): Omit<CpuSnapshot, "accesses" | "injected" | "requestInterruptWindow"> {
  return {
    version: SNAPSHOT_VERSION,
    memoryBytes: m.memory.ram.length,
    regions: m.physical.regions.map((region) => ({ ...region })),
    cpuid: m.cpuid.map((entry) => ({ ...entry })),
    registers: m.u8.slice(0, State.end),
    tlb: m.u8.slice(Tlb.base, Tlb.end),
  };
}

export function copyAccess(access: ExternalAccess): ExternalAccess {
  return { ...access, data: access.data.slice() };
}

/** Puts registers and TLBs back; the caller sees to regions and CPUID. */
export function restoreMachine(m: Machine, { registers, tlb }: CpuSnapshot): void {
  m.u8.set(registers, 0);
  m.u8.set(tlb, Tlb.base);
  m.i32.fill(0, State.zero >> 2, (State.zero >> 2) + 2);
  m.i32[State.cpl >> 2]! &= 3;
  for (let entry = Tlb.base >> 2; entry < Tlb.end >> 2; entry += Tlb.stride >> 2) restoreEntry(m, entry);
  m.done.length = 0;
  m.pending = undefined;
  m.updateMode();
  m.attention = true;
}

const [WRITE, ADDEND, PAGE] = [Tlb.write >> 2, Tlb.addend >> 2, Tlb.page >> 2];

/** A pointer is made anew from the page number, so that none can leave guest memory, wherever a snapshot comes from. */
function restoreEntry({ i32, codePages }: Machine, entry: number): void {
  const page = i32[entry + PAGE]! >>> 0;
  if (page >= codePages.length || i32[entry]! & 0xfff) i32[entry] = NO_PAGE;
  const isWritten = i32[entry + WRITE] === i32[entry] && i32[entry + WRITE + 1] === i32[entry + 1];
  // A page with code that is cached here takes the slow path.
  if (!isWritten || i32[entry] === NO_PAGE || codePages[page]) i32[entry + WRITE] = NO_PAGE;
  i32[entry + ADDEND] = RAM_BASE + page * 0x1000 - (i32[entry]! >>> 0);
}

function refuse(problem: string): never {
  throw new CpuError("ERR_CPU_SNAPSHOT", `a snapshot ${problem}`);
}

/** Throws `ERR_CPU_SNAPSHOT` for what is no snapshot, or one of another version or of more memory. */
export function checkSnapshot(m: Machine, snapshot: CpuSnapshot): void {
  const { version, memoryBytes, regions, cpuid, registers, tlb, accesses } = snapshot ?? {};
  if (version !== SNAPSHOT_VERSION) refuse(`of version ${version}, not ${SNAPSHOT_VERSION}`);
  if (memoryBytes !== m.memory.ram.length)
    refuse(`of ${memoryBytes} bytes of memory, for ${m.memory.ram.length}`);
  if (!isBytes(registers, State.end)) refuse(`whose registers are not ${State.end} bytes`);
  if (!isBytes(tlb, Tlb.end - Tlb.base)) refuse(`whose tlb is not ${Tlb.end - Tlb.base} bytes`);
  if (![regions, cpuid, accesses].every(Array.isArray)) refuse("without regions, cpuid or accesses");
  if (!accesses.every(isAccess)) refuse("with an access that is none");
  checkRegions(m, regions);
}

function isBytes(value: unknown, length: number): boolean {
  return value instanceof Uint8Array && value.length === length;
}

function isAccess(access: ExternalAccess | null): boolean {
  return access !== null && isBytes(access?.data, access.size * access.count);
}

function checkRegions(m: Machine, regions: readonly MemoryRegion[]): void {
  const memory = new PhysicalMemory(m.memory.ram.length);
  for (const region of regions) {
    try {
      memory.setRegion(region);
    } catch (cause) {
      refuse(`with a region that does not fit: ${(cause as Error).message}`);
    }
  }
}
