/**
 * What the hypervisor asks of whatever executes the guest: memory, registers, and `run()` until an exit.
 *
 * Two adapters implement it: `kvm.ts` over /dev/kvm and `soft.ts` over a software CPU. Nothing above this interface
 * knows which one runs. Exits carry KVM's names and numbers, registers KVM's order, because that is the vocabulary
 * of the field (KVM api.rst, "5. The kvm_run structure", "4.11 KVM_GET_REGS", "4.13 KVM_GET_SREGS").
 */

import type { StopSource } from "../host/stop-source.js";
import type { MemoryRange } from "../memory/memory-map.js";
import type { AddressSpace } from "../memory/page-walk.js";

export type AcceleratorName = "kvm" | "soft";

export interface Accelerator {
  readonly name: AcceleratorName;
  readonly traits: AcceleratorTraits;
  /** Zeroed memory of `sizeBytes`, a multiple of the page size. Errors: ERR_VM_HOST. */
  allocateMemory(sizeBytes: number): MemoryBacking;
  /** The same memory as `token` names on another thread of this process. */
  attachMemory(token: MemoryToken): MemoryBacking;
  /** A machine over `memory`, which appears to the guest at `ranges`. Errors: ERR_VM_HOST. */
  createMachine(memory: MemoryBacking, ranges: readonly MemoryRange[]): AcceleratedMachine;
}

export interface AcceleratorTraits {
  /** Ring 0 is run by an instruction emulator: BOOT_FLAGS.RING0_EMULATED. */
  readonly ring0Emulated: boolean;
}

/** Names a memory for another thread; structured-cloneable. */
export type MemoryToken = unknown;

/** Host memory that backs a guest's. Offsets are its own, from 0. */
export interface MemoryBacking {
  readonly sizeBytes: number;
  /** What `attachMemory` takes on another thread. */
  readonly token: MemoryToken;
  /** A view of `length` bytes from `offset`; shared with the guest, never a copy. */
  bytes(offset: number, length: number): Uint8Array;
  /** Gives the memory back. Views are empty afterwards where it was mapped for them, and must not be used anywhere. */
  close(): void;
}

export interface AcceleratedMachine {
  createCpu(id: number): VirtualCpu;
  /**
   * Makes page-table edits visible that the host made to entries that were present before.
   * Needed where tables are shadowed; costs a memory-slot cycle there.
   */
  flushShadow(): void;
  close(): void;
}

/** One virtual CPU. It belongs to the thread that created it. */
export interface VirtualCpu {
  /** The general registers at the last exit, indexed by REG. Writes count after `registersChanged()`. */
  readonly registers: BigUint64Array;
  /** The same memory in halves: the low one of register `r` at `2 * r`. */
  readonly registers32: Uint32Array;
  /** The next `run()` starts from what `registers` holds. */
  registersChanged(): void;
  /**
   * Runs the guest until an exit and returns its number (EXIT). KVM_EXIT_INTR: `stop` may have fired; if not, run again.
   */
  run(stop: StopSource | undefined): number;
  /** What the last exit was about if it was KVM_EXIT_IO. One object, reused. */
  readonly portAccess: PortAccess;
  /** The last exit as data; for exits off the hot path. */
  exitDetails(): ExitDetails;
  /** How the guest translated addresses at the last exit. */
  addressSpace(): AddressSpace;
  getSystemRegisters(): SystemRegisters;
  setSystemRegisters(registers: SystemRegisters): void;
  close(): void;
}

/** One `in` or `out`; `count` is above 1 for string instructions that arrive together. */
export interface PortAccess {
  readonly port: number;
  readonly isOut: boolean;
  /** Width of one element in bytes: 1, 2 or 4. */
  readonly sizeBytes: number;
  readonly count: number;
  /** Element `index` of an `out`. */
  value(index: number): number;
  /** Answers element `index` of an `in`. */
  setValue(index: number, value: number): void;
}

export type ExitDetails =
  | {
      readonly exit: "KVM_EXIT_MMIO";
      readonly address: bigint;
      readonly sizeBytes: number;
      readonly isWrite: boolean;
    }
  | {
      readonly exit: "KVM_EXIT_INTERNAL_ERROR";
      readonly suberror: number;
      /** Bytes at rip, where the accelerator has them. */
      readonly instruction: Uint8Array;
    }
  | { readonly exit: "KVM_EXIT_FAIL_ENTRY"; readonly reason: bigint }
  | { readonly exit: Exclude<ExitName, "KVM_EXIT_MMIO" | "KVM_EXIT_INTERNAL_ERROR" | "KVM_EXIT_FAIL_ENTRY"> };

/** Exit numbers (linux/kvm.h; KVM api.rst, "5. The kvm_run structure"). */
export const EXIT = {
  KVM_EXIT_UNKNOWN: 0,
  KVM_EXIT_EXCEPTION: 1,
  KVM_EXIT_IO: 2,
  KVM_EXIT_HYPERCALL: 3,
  KVM_EXIT_DEBUG: 4,
  KVM_EXIT_HLT: 5,
  KVM_EXIT_MMIO: 6,
  KVM_EXIT_IRQ_WINDOW_OPEN: 7,
  KVM_EXIT_SHUTDOWN: 8,
  KVM_EXIT_FAIL_ENTRY: 9,
  KVM_EXIT_INTR: 10,
  KVM_EXIT_SET_TPR: 11,
  KVM_EXIT_TPR_ACCESS: 12,
  KVM_EXIT_NMI: 16,
  KVM_EXIT_INTERNAL_ERROR: 17,
  KVM_EXIT_SYSTEM_EVENT: 24,
  KVM_EXIT_IOAPIC_EOI: 26,
  KVM_EXIT_X86_RDMSR: 29,
  KVM_EXIT_X86_WRMSR: 30,
  KVM_EXIT_DIRTY_RING_FULL: 31,
  KVM_EXIT_X86_BUS_LOCK: 33,
  KVM_EXIT_NOTIFY: 37,
  KVM_EXIT_MEMORY_FAULT: 39,
} as const;

export type ExitName = keyof typeof EXIT;

const exitNames: ReadonlyMap<number, ExitName> = /* @__PURE__ */ new Map(
  (Object.keys(EXIT) as ExitName[]).map((name) => [EXIT[name], name]),
);

export const exitName = (exit: number): ExitName => exitNames.get(exit) ?? "KVM_EXIT_UNKNOWN";

/** KVM_INTERNAL_ERROR_EMULATION: an instruction that the emulator lacks. */
export const INTERNAL_ERROR_EMULATION = 1;

/** The general registers in the order of `struct kvm_regs`. */
export const REGISTER_NAMES = [
  "rax",
  "rbx",
  "rcx",
  "rdx",
  "rsi",
  "rdi",
  "rsp",
  "rbp",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
  "rip",
  "rflags",
] as const;

export type RegisterName = (typeof REGISTER_NAMES)[number];
export type Registers = Record<RegisterName, bigint>;

/** Index of each register in `VirtualCpu.registers`. */
export const REG = /* @__PURE__ */ Object.fromEntries(
  REGISTER_NAMES.map((name, index) => [name, index]),
) as Readonly<Record<RegisterName, number>>;

/** A copy of the general registers. */
export function readRegisters(cpu: VirtualCpu): Registers {
  return Object.fromEntries(REGISTER_NAMES.map((name, index) => [name, cpu.registers[index]!])) as Registers;
}

/** `struct kvm_segment`: a segment register with its hidden part. */
export interface Segment {
  base: bigint;
  limit: number;
  selector: number;
  type: number;
  present: number;
  dpl: number;
  db: number;
  s: number;
  l: number;
  g: number;
  avl: number;
  unusable: number;
}

/** `struct kvm_dtable`. */
export interface DescriptorTable {
  base: bigint;
  limit: number;
}

/** `struct kvm_sregs`, as far as this package sets it. */
export interface SystemRegisters {
  cs: Segment;
  ds: Segment;
  es: Segment;
  fs: Segment;
  gs: Segment;
  ss: Segment;
  tr: Segment;
  ldt: Segment;
  gdt: DescriptorTable;
  idt: DescriptorTable;
  cr0: bigint;
  cr2: bigint;
  cr3: bigint;
  cr4: bigint;
  efer: bigint;
}
