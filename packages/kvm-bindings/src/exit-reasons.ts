/**
 * Why KVM_RUN came back: the exits of x86-64 with their payloads in struct kvm_run (KVM api.rst 5).
 *
 * A payload's offsets count from the start of the page. Exits of other architectures have no row and decode as
 * KVM_EXIT_UNKNOWN with their number.
 */
import { array, bytes, type StructShape, type StructValue, struct, u8, u16, u32, u64 } from "./layout.js";

/** The size of struct kvm_run up to the end of the union; payload layouts must stay within. */
const UNION_END = 288;

function payload<F extends Parameters<typeof struct>[2]>(name: string, fields: F) {
  return struct<F>(name, UNION_END, fields);
}

const none = payload("", {});

export const exitReasons = {
  KVM_EXIT_UNKNOWN: { nr: 0, payload: payload("hw", { hardware_exit_reason: u64(32) }) },
  KVM_EXIT_EXCEPTION: { nr: 1, payload: payload("ex", { exception: u32(32), error_code: u32(36) }) },
  KVM_EXIT_IO: {
    nr: 2,
    payload: payload("io", {
      direction: u8(32),
      size: u8(33),
      port: u16(34),
      count: u32(36),
      data_offset: u64(40),
    }),
  },
  KVM_EXIT_HYPERCALL: {
    nr: 3,
    payload: payload("hypercall", {
      hypercall_nr: u64(32, "nr"),
      args: array(6, u64(40)),
      ret: u64(88),
      longmode: u32(96),
    }),
  },
  KVM_EXIT_DEBUG: {
    nr: 4,
    payload: payload("debug", {
      exception: u32(32, "arch.exception"),
      pc: u64(40, "arch.pc"),
      dr6: u64(48, "arch.dr6"),
      dr7: u64(56, "arch.dr7"),
    }),
  },
  KVM_EXIT_HLT: { nr: 5, payload: none },
  KVM_EXIT_MMIO: {
    nr: 6,
    payload: payload("mmio", { phys_addr: u64(32), data: bytes(40, 8), len: u32(48), is_write: u8(52) }),
  },
  KVM_EXIT_IRQ_WINDOW_OPEN: { nr: 7, payload: none },
  KVM_EXIT_SHUTDOWN: { nr: 8, payload: none },
  KVM_EXIT_FAIL_ENTRY: {
    nr: 9,
    payload: payload("fail_entry", { hardware_entry_failure_reason: u64(32), cpu: u32(40) }),
  },
  KVM_EXIT_INTR: { nr: 10, payload: none },
  KVM_EXIT_SET_TPR: { nr: 11, payload: none },
  KVM_EXIT_TPR_ACCESS: { nr: 12, payload: payload("tpr_access", { rip: u64(32), is_write: u32(40) }) },
  KVM_EXIT_NMI: { nr: 16, payload: none },
  KVM_EXIT_INTERNAL_ERROR: {
    nr: 17,
    payload: payload("internal", { suberror: u32(32), ndata: u32(36), data: array(16, u64(40)) }),
  },
  KVM_EXIT_WATCHDOG: { nr: 21, payload: none },
  KVM_EXIT_SYSTEM_EVENT: {
    nr: 24,
    payload: payload("system_event", { type: u32(32), ndata: u32(36), data: array(16, u64(40)) }),
  },
  KVM_EXIT_IOAPIC_EOI: { nr: 26, payload: payload("eoi", { vector: u8(32) }) },
  KVM_EXIT_HYPERV: { nr: 27, payload: payload("hyperv", { type: u32(32) }) },
  KVM_EXIT_X86_RDMSR: {
    nr: 29,
    payload: payload("msr", {
      error: u8(32),
      msr_reason: u32(40, "reason"),
      index: u32(44),
      data: u64(48),
    }),
  },
  KVM_EXIT_X86_WRMSR: {
    nr: 30,
    payload: payload("msr", {
      error: u8(32),
      msr_reason: u32(40, "reason"),
      index: u32(44),
      data: u64(48),
    }),
  },
  KVM_EXIT_DIRTY_RING_FULL: { nr: 31, payload: none },
  KVM_EXIT_AP_RESET_HOLD: { nr: 32, payload: none },
  KVM_EXIT_X86_BUS_LOCK: { nr: 33, payload: none },
  KVM_EXIT_XEN: { nr: 34, payload: payload("xen", { type: u32(32) }) },
  KVM_EXIT_NOTIFY: { nr: 37, payload: payload("notify", { flags: u32(32) }) },
  KVM_EXIT_MEMORY_FAULT: {
    nr: 39,
    payload: payload("memory_fault", { flags: u64(32), gpa: u64(40), size: u64(48) }),
  },
} as const satisfies Readonly<
  Record<`KVM_EXIT_${string}`, { readonly nr: number; readonly payload: StructShape }>
>;

export type ExitName = keyof typeof exitReasons;

/** An exit with its payload, whose fields have KVM's names but for the two that would hide `reason` and `nr`. */
export type VcpuExit = {
  [N in ExitName]: { readonly reason: N; readonly nr: number } & Readonly<
    StructValue<(typeof exitReasons)[N]["payload"]>
  >;
}[ExitName];

/** KVM_EXIT_INTERNAL_ERROR, suberror 1: what could not be emulated, where KVM says (KVM api.rst 5). */
export const emulation_failure = payload("emulation_failure", {
  suberror: u32(32),
  ndata: u32(36),
  flags: u64(40),
  insn_size: u8(48),
  insn_bytes: bytes(49, 15),
});

type Numbers = { readonly [N in ExitName]: (typeof exitReasons)[N]["nr"] };

/** Exit numbers by name, for a run loop's `switch`. */
export const KVM_EXIT = Object.fromEntries(
  Object.entries(exitReasons).map(([name, { nr }]) => [name, nr]),
) as Numbers;

const names = new Map<number, ExitName>(
  Object.entries(exitReasons).map(([name, { nr }]) => [nr, name as ExitName]),
);

export function exitName(nr: number): ExitName | undefined {
  return names.get(nr);
}

/** The exit that the kvm_run page describes. */
export function decodeExit(page: DataView, nr: number): VcpuExit {
  const reason = names.get(nr) ?? "KVM_EXIT_UNKNOWN";
  return { reason, nr, ...exitReasons[reason].payload.read(page) } as VcpuExit;
}
