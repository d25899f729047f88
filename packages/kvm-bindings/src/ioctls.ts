/**
 * The ioctls of KVM on x86-64: name, number, direction, argument, the descriptors that take it, the capability it
 * needs, and its section in the kernel's Documentation/virt/kvm/api.rst.
 *
 * Everything about an ioctl is derived from its row: the request number, the argument check in C
 * (native/ioctl_table.h is generated from here), the error message, and the reference page. Adding an ioctl is a row
 * here, a layout in structs.ts if it takes a new structure, `npm run generate`, and a method that calls it.
 */
import type { CapabilityName } from "./capabilities.js";
import type { ArrayShape, StructShape } from "./layout.js";
import * as s from "./structs.js";

/** The kinds of KVM descriptor, with the bits that native/kvmkit.h gives them. */
export const fdKinds = { system: 1, vm: 2, vcpu: 4, device: 8 } as const;
export type FdKind = keyof typeof fdKinds;

/**
 * How the native side treats the argument beyond checking its length. `value` passes a number; the `ARG_` names
 * after STRUCT belong to one C function each.
 */
export type ArgumentKind =
  | "NONE"
  | "VALUE"
  | "STRUCT"
  | "ARRAY"
  | "XSAVE"
  | "NESTED_STATE"
  | "SIGNAL_MASK"
  | "DIRTY_LOG"
  | "CLEAR_DIRTY_LOG"
  | "MSR_FILTER"
  | "DEVICE_ATTR"
  | "MEMORY_ENCRYPT"
  | "ENABLE_CAP"
  | "MEMORY_REGION"
  | "NEW_FD"
  | "NEW_DEVICE"
  | "OWN";

export interface IoctlRow {
  readonly name: `KVM_${string}`;
  /** The `nr` of _IOC(): bits 0 to 7 of the request. */
  readonly nr: number;
  /** As the header has it, which is not always the direction of the data. */
  readonly direction: "" | "R" | "W" | "RW";
  readonly argument: ArgumentKind;
  /** The structure that the argument points at; its size is part of the request. */
  readonly struct?: StructShape | ArrayShape;
  readonly fds: readonly FdKind[];
  readonly capability?: CapabilityName;
  /** Section of api.rst; empty where the document has none. */
  readonly section: string;
}

type Options = Pick<IoctlRow, "struct" | "capability"> & { argument?: ArgumentKind };

function row<N extends `KVM_${string}`>(
  name: N,
  nr: number,
  direction: IoctlRow["direction"],
  fds: FdKind | readonly FdKind[],
  section: string,
  options: Options = {},
): IoctlRow & { readonly name: N } {
  const { argument, ...rest } = options;
  const implied = rest.struct === undefined ? "NONE" : "element" in rest.struct ? "ARRAY" : "STRUCT";
  return {
    name,
    nr,
    direction,
    argument: argument ?? implied,
    fds: typeof fds === "string" ? [fds] : fds,
    section,
    ...rest,
  };
}

function takes(
  struct: StructShape | ArrayShape,
  capability?: CapabilityName,
  argument?: ArgumentKind,
): Options {
  return {
    struct,
    ...(capability === undefined ? {} : { capability }),
    ...(argument === undefined ? {} : { argument }),
  };
}

const value: Options = { argument: "VALUE" };
const own: Options = { argument: "OWN" };

// biome-ignore format: a table, one row on one line
export const ioctls = [
  // ---- system ----
  row("KVM_GET_API_VERSION", 0x00, "", "system", "4.1"),
  row("KVM_CREATE_VM", 0x01, "", "system", "4.2", own),
  row("KVM_GET_MSR_INDEX_LIST", 0x02, "RW", "system", "4.3", takes(s.kvm_msr_list)),
  row("KVM_GET_MSR_FEATURE_INDEX_LIST", 0x0a, "RW", "system", "4.3", takes(s.kvm_msr_list, "KVM_CAP_GET_MSR_FEATURES")),
  row("KVM_CHECK_EXTENSION", 0x03, "", ["system", "vm"], "4.4", value),
  row("KVM_GET_VCPU_MMAP_SIZE", 0x04, "", "system", "4.5"),
  row("KVM_GET_SUPPORTED_CPUID", 0x05, "RW", "system", "4.46", takes(s.kvm_cpuid2, "KVM_CAP_EXT_CPUID")),
  row("KVM_GET_EMULATED_CPUID", 0x09, "RW", "system", "4.88", takes(s.kvm_cpuid2, "KVM_CAP_EXT_EMUL_CPUID")),
  row("KVM_X86_GET_MCE_CAP_SUPPORTED", 0x9d, "R", "system", "4.104", takes(s.scalar_u64, "KVM_CAP_MCE")),
  row("KVM_GET_SUPPORTED_HV_CPUID", 0xc1, "RW", ["system", "vcpu"], "4.118", takes(s.kvm_cpuid2, "KVM_CAP_HYPERV_CPUID")),

  // ---- virtual machine: memory ----
  row("KVM_SET_USER_MEMORY_REGION", 0x46, "W", "vm", "4.35", takes(s.kvm_userspace_memory_region, "KVM_CAP_USER_MEMORY", "OWN")),
  row("KVM_SET_USER_MEMORY_REGION2", 0x49, "W", "vm", "4.140", takes(s.kvm_userspace_memory_region2, "KVM_CAP_USER_MEMORY2", "OWN")),
  row("KVM_CREATE_GUEST_MEMFD", 0xd4, "RW", "vm", "4.142", takes(s.kvm_create_guest_memfd, "KVM_CAP_GUEST_MEMFD", "NEW_FD")),
  row("KVM_SET_MEMORY_ATTRIBUTES", 0xd2, "W", "vm", "4.141", takes(s.kvm_memory_attributes, "KVM_CAP_MEMORY_ATTRIBUTES")),
  row("KVM_GET_DIRTY_LOG", 0x42, "W", "vm", "4.8", takes(s.kvm_dirty_log, undefined, "DIRTY_LOG")),
  row("KVM_CLEAR_DIRTY_LOG", 0xc0, "RW", "vm", "4.117", takes(s.kvm_clear_dirty_log, "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2", "CLEAR_DIRTY_LOG")),
  row("KVM_RESET_DIRTY_RINGS", 0xc7, "", "vm", "8.29", { capability: "KVM_CAP_DIRTY_LOG_RING" }),
  row("KVM_SET_TSS_ADDR", 0x47, "", "vm", "4.36", { ...value, capability: "KVM_CAP_SET_TSS_ADDR" }),
  row("KVM_SET_IDENTITY_MAP_ADDR", 0x48, "W", "vm", "4.40", takes(s.scalar_u64, "KVM_CAP_SET_IDENTITY_MAP_ADDR")),
  row("KVM_REGISTER_COALESCED_MMIO", 0x67, "W", "vm", "4.116", takes(s.kvm_coalesced_mmio_zone, "KVM_CAP_COALESCED_MMIO")),
  row("KVM_UNREGISTER_COALESCED_MMIO", 0x68, "W", "vm", "4.116", takes(s.kvm_coalesced_mmio_zone, "KVM_CAP_COALESCED_MMIO")),
  row("KVM_MEMORY_ENCRYPT_OP", 0xba, "RW", "vm", "4.110", takes(s.scalar_u64, undefined, "MEMORY_ENCRYPT")),
  row("KVM_MEMORY_ENCRYPT_REG_REGION", 0xbb, "R", "vm", "4.111", takes(s.kvm_enc_region, undefined, "MEMORY_REGION")),
  row("KVM_MEMORY_ENCRYPT_UNREG_REGION", 0xbc, "R", "vm", "4.112", takes(s.kvm_enc_region, undefined, "MEMORY_REGION")),

  // ---- virtual machine: interrupts, clocks, devices ----
  row("KVM_CREATE_VCPU", 0x41, "", "vm", "4.7", own),
  row("KVM_CREATE_IRQCHIP", 0x60, "", "vm", "4.24", { capability: "KVM_CAP_IRQCHIP" }),
  row("KVM_IRQ_LINE", 0x61, "W", "vm", "4.25", takes(s.kvm_irq_level, "KVM_CAP_IRQCHIP")),
  row("KVM_GET_IRQCHIP", 0x62, "RW", "vm", "4.26", takes(s.kvm_irqchip, "KVM_CAP_IRQCHIP")),
  row("KVM_SET_IRQCHIP", 0x63, "R", "vm", "4.27", takes(s.kvm_irqchip, "KVM_CAP_IRQCHIP")),
  row("KVM_SET_GSI_ROUTING", 0x6a, "W", "vm", "4.52", takes(s.kvm_irq_routing, "KVM_CAP_IRQ_ROUTING")),
  row("KVM_IRQFD", 0x76, "W", "vm", "4.75", takes(s.kvm_irqfd, "KVM_CAP_IRQFD")),
  row("KVM_IOEVENTFD", 0x79, "W", "vm", "4.59", takes(s.kvm_ioeventfd, "KVM_CAP_IOEVENTFD")),
  row("KVM_SIGNAL_MSI", 0xa5, "W", "vm", "4.71", takes(s.kvm_msi, "KVM_CAP_SIGNAL_MSI")),
  row("KVM_CREATE_PIT2", 0x77, "W", "vm", "4.71", takes(s.kvm_pit_config, "KVM_CAP_PIT2")),
  row("KVM_GET_PIT2", 0x9f, "R", "vm", "4.72", takes(s.kvm_pit_state2, "KVM_CAP_PIT_STATE2")),
  row("KVM_SET_PIT2", 0xa0, "W", "vm", "4.73", takes(s.kvm_pit_state2, "KVM_CAP_PIT_STATE2")),
  row("KVM_SET_CLOCK", 0x7b, "W", "vm", "4.30", takes(s.kvm_clock_data, "KVM_CAP_ADJUST_CLOCK")),
  row("KVM_GET_CLOCK", 0x7c, "R", "vm", "4.29", takes(s.kvm_clock_data, "KVM_CAP_ADJUST_CLOCK")),
  row("KVM_CREATE_DEVICE", 0xe0, "RW", "vm", "4.79", takes(s.kvm_create_device, "KVM_CAP_DEVICE_CTRL", "NEW_DEVICE")),
  row("KVM_SET_DEVICE_ATTR", 0xe1, "W", ["vm", "vcpu", "device"], "4.80", takes(s.kvm_device_attr, "KVM_CAP_DEVICE_CTRL", "DEVICE_ATTR")),
  row("KVM_GET_DEVICE_ATTR", 0xe2, "W", ["system", "vm", "vcpu", "device"], "4.80", takes(s.kvm_device_attr, "KVM_CAP_DEVICE_CTRL", "DEVICE_ATTR")),
  row("KVM_HAS_DEVICE_ATTR", 0xe3, "W", ["system", "vm", "vcpu", "device"], "4.81", takes(s.kvm_device_attr, "KVM_CAP_DEVICE_CTRL", "DEVICE_ATTR")),
  row("KVM_ENABLE_CAP", 0xa3, "W", ["vm", "vcpu"], "4.37", takes(s.kvm_enable_cap, "KVM_CAP_ENABLE_CAP", "ENABLE_CAP")),
  row("KVM_X86_SET_MSR_FILTER", 0xc6, "W", "vm", "4.97", takes(s.kvm_msr_filter, "KVM_CAP_X86_MSR_FILTER", "MSR_FILTER")),
  row("KVM_SET_PMU_EVENT_FILTER", 0xb2, "W", "vm", "4.120", takes(s.kvm_pmu_event_filter, "KVM_CAP_PMU_EVENT_FILTER")),
  row("KVM_GET_STATS_FD", 0xce, "", ["vm", "vcpu"], "4.133", { argument: "NEW_FD", capability: "KVM_CAP_BINARY_STATS_FD", }),

  // ---- vCPU: running ----
  row("KVM_RUN", 0x80, "", "vcpu", "4.10", own),
  row("KVM_INTERRUPT", 0x86, "W", "vcpu", "4.16", takes(s.kvm_interrupt)),
  row("KVM_NMI", 0x9a, "", "vcpu", "4.64", { capability: "KVM_CAP_USER_NMI" }),
  row("KVM_SMI", 0xb7, "", "vcpu", "4.96", { capability: "KVM_CAP_X86_SMM" }),
  row("KVM_SET_SIGNAL_MASK", 0x8b, "W", "vcpu", "4.21", takes(s.kvm_signal_mask, undefined, "SIGNAL_MASK")),
  row("KVM_SET_GUEST_DEBUG", 0x9b, "W", "vcpu", "4.87", takes(s.kvm_guest_debug, "KVM_CAP_SET_GUEST_DEBUG")),
  row("KVM_TRANSLATE", 0x85, "RW", "vcpu", "4.15", takes(s.kvm_translation)),
  row("KVM_KVMCLOCK_CTRL", 0xad, "", "vcpu", "4.70", { capability: "KVM_CAP_KVMCLOCK_CTRL" }),
  row("KVM_PRE_FAULT_MEMORY", 0xd5, "RW", "vcpu", "4.143", takes(s.kvm_pre_fault_memory, "KVM_CAP_PRE_FAULT_MEMORY")),

  // ---- vCPU: state ----
  row("KVM_GET_REGS", 0x81, "R", "vcpu", "4.11", takes(s.kvm_regs)),
  row("KVM_SET_REGS", 0x82, "W", "vcpu", "4.12", takes(s.kvm_regs)),
  row("KVM_GET_SREGS", 0x83, "R", "vcpu", "4.13", takes(s.kvm_sregs)),
  row("KVM_SET_SREGS", 0x84, "W", "vcpu", "4.14", takes(s.kvm_sregs)),
  row("KVM_GET_SREGS2", 0xcc, "R", "vcpu", "4.131", takes(s.kvm_sregs2, "KVM_CAP_SREGS2")),
  row("KVM_SET_SREGS2", 0xcd, "W", "vcpu", "4.132", takes(s.kvm_sregs2, "KVM_CAP_SREGS2")),
  row("KVM_GET_FPU", 0x8c, "R", "vcpu", "4.22", takes(s.kvm_fpu)),
  row("KVM_SET_FPU", 0x8d, "W", "vcpu", "4.23", takes(s.kvm_fpu)),
  row("KVM_GET_MSRS", 0x88, "RW", ["system", "vcpu"], "4.18", takes(s.kvm_msrs)),
  row("KVM_SET_MSRS", 0x89, "W", "vcpu", "4.19", takes(s.kvm_msrs)),
  row("KVM_GET_CPUID2", 0x91, "RW", "vcpu", "", takes(s.kvm_cpuid2, "KVM_CAP_EXT_CPUID")),
  row("KVM_SET_CPUID2", 0x90, "W", "vcpu", "4.20", takes(s.kvm_cpuid2, "KVM_CAP_EXT_CPUID")),
  row("KVM_GET_LAPIC", 0x8e, "R", "vcpu", "4.57", takes(s.kvm_lapic_state, "KVM_CAP_IRQCHIP")),
  row("KVM_SET_LAPIC", 0x8f, "W", "vcpu", "4.58", takes(s.kvm_lapic_state, "KVM_CAP_IRQCHIP")),
  row("KVM_GET_MP_STATE", 0x98, "R", "vcpu", "4.38", takes(s.kvm_mp_state, "KVM_CAP_MP_STATE")),
  row("KVM_SET_MP_STATE", 0x99, "W", "vcpu", "4.39", takes(s.kvm_mp_state, "KVM_CAP_MP_STATE")),
  row("KVM_GET_VCPU_EVENTS", 0x9f, "R", "vcpu", "4.31", takes(s.kvm_vcpu_events, "KVM_CAP_VCPU_EVENTS")),
  row("KVM_SET_VCPU_EVENTS", 0xa0, "W", "vcpu", "4.32", takes(s.kvm_vcpu_events, "KVM_CAP_VCPU_EVENTS")),
  row("KVM_GET_DEBUGREGS", 0xa1, "R", "vcpu", "4.33", takes(s.kvm_debugregs, "KVM_CAP_DEBUGREGS")),
  row("KVM_SET_DEBUGREGS", 0xa2, "W", "vcpu", "4.34", takes(s.kvm_debugregs, "KVM_CAP_DEBUGREGS")),
  row("KVM_GET_XSAVE", 0xa4, "R", "vcpu", "4.42", takes(s.kvm_xsave, "KVM_CAP_XSAVE")),
  row("KVM_GET_XSAVE2", 0xcf, "R", "vcpu", "4.134", takes(s.kvm_xsave, "KVM_CAP_XSAVE2", "XSAVE")),
  row("KVM_SET_XSAVE", 0xa5, "W", "vcpu", "4.43", takes(s.kvm_xsave, "KVM_CAP_XSAVE", "XSAVE")),
  row("KVM_GET_XCRS", 0xa6, "R", "vcpu", "4.44", takes(s.kvm_xcrs, "KVM_CAP_XCRS")),
  row("KVM_SET_XCRS", 0xa7, "W", "vcpu", "4.45", takes(s.kvm_xcrs, "KVM_CAP_XCRS")),
  row("KVM_GET_NESTED_STATE", 0xbe, "RW", "vcpu", "4.114", takes(s.kvm_nested_state, "KVM_CAP_NESTED_STATE", "NESTED_STATE")),
  row("KVM_SET_NESTED_STATE", 0xbf, "W", "vcpu", "4.115", takes(s.kvm_nested_state, "KVM_CAP_NESTED_STATE", "NESTED_STATE")),
  row("KVM_SET_TSC_KHZ", 0xa2, "", ["vm", "vcpu"], "4.55", { ...value, capability: "KVM_CAP_TSC_CONTROL" }),
  row("KVM_GET_TSC_KHZ", 0xa3, "", ["vm", "vcpu"], "4.56", { capability: "KVM_CAP_GET_TSC_KHZ" }),
  row("KVM_X86_SETUP_MCE", 0x9c, "W", "vcpu", "4.105", takes(s.scalar_u64, "KVM_CAP_MCE")),
  row("KVM_X86_SET_MCE", 0x9e, "W", "vcpu", "4.106", takes(s.kvm_x86_mce, "KVM_CAP_MCE")),
] as const;

export type IoctlName = (typeof ioctls)[number]["name"];

/** The position of each row, which is how the native side is told. */
export const ioctlIndex = Object.fromEntries(ioctls.map((r, i) => [r.name, i])) as Readonly<
  Record<IoctlName, number>
>;

const KVMIO = 0xae;
const directions = { "": 0, W: 1, R: 2, RW: 3 } as const;

/** The request number, as _IOC() of asm-generic/ioctl.h builds it: direction, size, type, nr. */
export function requestOf({ direction, nr, struct }: IoctlRow): number {
  const size = struct === undefined ? 0 : struct.size;
  return ((directions[direction] << 30) | (size << 16) | (KVMIO << 8) | nr) >>> 0;
}
