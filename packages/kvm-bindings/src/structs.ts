/**
 * The structures of the KVM API, x86-64: field, offset in bytes, width. The unit of a field is the API's
 * (guest-physical addresses and sizes in bytes, times in nanoseconds, frequencies in kHz).
 *
 * Source: linux/kvm.h and asm/kvm.h; KVM api.rst names the structure under each ioctl. Padding and reserved members
 * have no row: they are written as zeros. native/abi_asserts.c compares every row with C.
 */
import {
  array,
  arrayStruct,
  bytes,
  nested,
  type StructShape,
  type StructValue,
  s16,
  s32,
  s64,
  struct,
  u8,
  u16,
  u32,
  u64,
} from "./layout.js";

// ---- registers ----

export const kvm_regs = struct("kvm_regs", 144, {
  rax: u64(0),
  rbx: u64(8),
  rcx: u64(16),
  rdx: u64(24),
  rsi: u64(32),
  rdi: u64(40),
  rsp: u64(48),
  rbp: u64(56),
  r8: u64(64),
  r9: u64(72),
  r10: u64(80),
  r11: u64(88),
  r12: u64(96),
  r13: u64(104),
  r14: u64(112),
  r15: u64(120),
  rip: u64(128),
  rflags: u64(136),
});
export type KvmRegs = StructValue<typeof kvm_regs>;

export const kvm_segment = struct("kvm_segment", 24, {
  base: u64(0),
  limit: u32(8),
  selector: u16(12),
  type: u8(14),
  present: u8(15),
  dpl: u8(16),
  db: u8(17),
  s: u8(18),
  l: u8(19),
  g: u8(20),
  avl: u8(21),
  unusable: u8(22),
});
export type KvmSegment = StructValue<typeof kvm_segment>;

export const kvm_dtable = struct("kvm_dtable", 16, { base: u64(0), limit: u16(8) });
export type KvmDtable = StructValue<typeof kvm_dtable>;

const systemRegisters = {
  cs: nested(0, kvm_segment),
  ds: nested(24, kvm_segment),
  es: nested(48, kvm_segment),
  fs: nested(72, kvm_segment),
  gs: nested(96, kvm_segment),
  ss: nested(120, kvm_segment),
  tr: nested(144, kvm_segment),
  ldt: nested(168, kvm_segment),
  gdt: nested(192, kvm_dtable),
  idt: nested(208, kvm_dtable),
  cr0: u64(224),
  cr2: u64(232),
  cr3: u64(240),
  cr4: u64(248),
  cr8: u64(256),
  efer: u64(264),
  apic_base: u64(272),
};

export const kvm_sregs = struct("kvm_sregs", 312, {
  ...systemRegisters,
  interrupt_bitmap: array(4, u64(280)),
});
export type KvmSregs = StructValue<typeof kvm_sregs>;

export const kvm_sregs2 = struct("kvm_sregs2", 320, {
  ...systemRegisters,
  flags: u64(280),
  pdptrs: array(4, u64(288)),
});
export type KvmSregs2 = StructValue<typeof kvm_sregs2>;

export const kvm_fpu = struct("kvm_fpu", 416, {
  fpr: array(8, bytes(0, 16)),
  fcw: u16(128),
  fsw: u16(130),
  ftwx: u8(132),
  last_opcode: u16(134),
  last_ip: u64(136),
  last_dp: u64(144),
  xmm: array(16, bytes(152, 16)),
  mxcsr: u32(408),
});
export type KvmFpu = StructValue<typeof kvm_fpu>;

export const kvm_debugregs = struct("kvm_debugregs", 128, {
  db: array(4, u64(0)),
  dr6: u64(32),
  dr7: u64(40),
  flags: u64(48),
});
export type KvmDebugregs = StructValue<typeof kvm_debugregs>;

export const kvm_xcr = struct("kvm_xcr", 16, { xcr: u32(0), value: u64(8) });
export type KvmXcr = StructValue<typeof kvm_xcr>;

export const kvm_xcrs = struct("kvm_xcrs", 392, {
  nr_xcrs: u32(0),
  flags: u32(4),
  xcrs: array(16, nested(8, kvm_xcr)),
});
export type KvmXcrs = StructValue<typeof kvm_xcrs>;

export const kvm_lapic_state = struct("kvm_lapic_state", 1024, { regs: bytes(0, 1024) });

export const kvm_mp_state = struct("kvm_mp_state", 4, { mp_state: u32(0) });

const exception = struct("kvm_vcpu_events.exception", 8, {
  injected: u8(0),
  nr: u8(1),
  has_error_code: u8(2),
  pending: u8(3),
  error_code: u32(4),
});
const interrupt = struct("kvm_vcpu_events.interrupt", 4, {
  injected: u8(0),
  nr: u8(1),
  soft: u8(2),
  shadow: u8(3),
});
const nmi = struct("kvm_vcpu_events.nmi", 4, { injected: u8(0), pending: u8(1), masked: u8(2) });
const smi = struct("kvm_vcpu_events.smi", 4, {
  smm: u8(0),
  pending: u8(1),
  smm_inside_nmi: u8(2),
  latched_init: u8(3),
});

export const kvm_vcpu_events = struct("kvm_vcpu_events", 64, {
  exception: nested(0, exception),
  interrupt: nested(8, interrupt),
  nmi: nested(12, nmi),
  sipi_vector: u32(16),
  flags: u32(20),
  smi: nested(24, smi),
  triple_fault_pending: u8(28, "triple_fault.pending"),
  exception_has_payload: u8(55),
  exception_payload: u64(56),
});
export type KvmVcpuEvents = StructValue<typeof kvm_vcpu_events>;

export const kvm_msr_entry = struct("kvm_msr_entry", 16, { index: u32(0), data: u64(8) });
export type KvmMsrEntry = StructValue<typeof kvm_msr_entry>;

export const kvm_msrs = arrayStruct("kvm_msrs", 8, { nmsrs: u32(0) }, "nmsrs", kvm_msr_entry);

const msr_index = struct("__u32", 4, { index: u32(0) });
export const kvm_msr_list = arrayStruct("kvm_msr_list", 4, { nmsrs: u32(0) }, "nmsrs", msr_index);

export const kvm_cpuid_entry2 = struct("kvm_cpuid_entry2", 40, {
  function: u32(0),
  index: u32(4),
  flags: u32(8),
  eax: u32(12),
  ebx: u32(16),
  ecx: u32(20),
  edx: u32(24),
});
export type KvmCpuidEntry2 = StructValue<typeof kvm_cpuid_entry2>;

export const kvm_cpuid2 = arrayStruct("kvm_cpuid2", 8, { nent: u32(0) }, "nent", kvm_cpuid_entry2);

export const kvm_translation = struct("kvm_translation", 24, {
  linear_address: u64(0),
  physical_address: u64(8),
  valid: u8(16),
  writeable: u8(17),
  usermode: u8(18),
});
export type KvmTranslation = StructValue<typeof kvm_translation>;

export const kvm_interrupt = struct("kvm_interrupt", 4, { irq: u32(0) });

export const kvm_guest_debug = struct("kvm_guest_debug", 72, {
  control: u32(0),
  debugreg: array(8, u64(8, "arch.debugreg")),
});
export type KvmGuestDebug = StructValue<typeof kvm_guest_debug>;

export const kvm_x86_mce = struct("kvm_x86_mce", 64, {
  status: u64(0),
  addr: u64(8),
  misc: u64(16),
  mcg_status: u64(24),
  bank: u8(32),
});
export type KvmX86Mce = StructValue<typeof kvm_x86_mce>;

export const kvm_xsave = struct("kvm_xsave", 4096, { region: bytes(0, 4096) });

export const kvm_nested_state = struct("kvm_nested_state", 128, {
  flags: u16(0),
  format: u16(2),
  size: u32(4),
  hdr: bytes(8, 120),
});

export type KvmNestedState = StructValue<typeof kvm_nested_state>;

const signal_byte = struct("__u8", 1, { byte: u8(0) });
export const kvm_signal_mask = arrayStruct("kvm_signal_mask", 4, { len: u32(0) }, "len", signal_byte);

// ---- memory ----

export const kvm_userspace_memory_region = struct("kvm_userspace_memory_region", 32, {
  slot: u32(0),
  flags: u32(4),
  guest_phys_addr: u64(8),
  memory_size: u64(16),
  userspace_addr: u64(24),
});

export const kvm_userspace_memory_region2 = struct("kvm_userspace_memory_region2", 160, {
  slot: u32(0),
  flags: u32(4),
  guest_phys_addr: u64(8),
  memory_size: u64(16),
  userspace_addr: u64(24),
  guest_memfd_offset: u64(32),
  guest_memfd: u32(40),
});

export const kvm_create_guest_memfd = struct("kvm_create_guest_memfd", 64, { size: u64(0), flags: u64(8) });

export const kvm_memory_attributes = struct("kvm_memory_attributes", 32, {
  address: u64(0),
  size: u64(8),
  attributes: u64(16),
  flags: u64(24),
});

export const kvm_pre_fault_memory = struct("kvm_pre_fault_memory", 64, {
  gpa: u64(0),
  size: u64(8),
  flags: u64(16),
});
export type KvmPreFaultMemory = StructValue<typeof kvm_pre_fault_memory>;

export const kvm_enc_region = struct("kvm_enc_region", 16, { addr: u64(0), size: u64(8) });

export const kvm_dirty_log = struct("kvm_dirty_log", 16, { slot: u32(0) });

export const kvm_clear_dirty_log = struct("kvm_clear_dirty_log", 24, {
  slot: u32(0),
  num_pages: u32(4),
  first_page: u64(8),
});

/** One entry of a vCPU's dirty ring; `offset` is a page number inside the slot. */
export const kvm_dirty_gfn = struct("kvm_dirty_gfn", 16, { flags: u32(0), slot: u32(4), offset: u64(8) });
export type KvmDirtyGfn = StructValue<typeof kvm_dirty_gfn>;

export const kvm_coalesced_mmio_zone = struct("kvm_coalesced_mmio_zone", 16, {
  addr: u64(0),
  size: u32(8),
  pio: u32(12),
});
export type KvmCoalescedMmioZone = StructValue<typeof kvm_coalesced_mmio_zone>;

export const kvm_coalesced_mmio = struct("kvm_coalesced_mmio", 24, {
  phys_addr: u64(0),
  len: u32(8),
  pio: u32(12),
  data: bytes(16, 8),
});
export type KvmCoalescedMmio = StructValue<typeof kvm_coalesced_mmio>;

export const kvm_coalesced_mmio_ring = struct("kvm_coalesced_mmio_ring", 8, { first: u32(0), last: u32(4) });

// ---- interrupts and devices ----

export const kvm_irq_level = struct("kvm_irq_level", 8, { irq: u32(0), level: u32(4) });

export const kvm_irqchip = struct("kvm_irqchip", 520, { chip_id: u32(0), chip: bytes(8, 512) });
export type KvmIrqchip = StructValue<typeof kvm_irqchip>;

export const kvm_pit_config = struct("kvm_pit_config", 64, { flags: u32(0) });

export const kvm_pit_channel_state = struct("kvm_pit_channel_state", 24, {
  count: u32(0),
  latched_count: u16(4),
  count_latched: u8(6),
  status_latched: u8(7),
  status: u8(8),
  read_state: u8(9),
  write_state: u8(10),
  write_latch: u8(11),
  rw_mode: u8(12),
  mode: u8(13),
  bcd: u8(14),
  gate: u8(15),
  count_load_time: s64(16),
});

export const kvm_pit_state2 = struct("kvm_pit_state2", 112, {
  channels: array(3, nested(0, kvm_pit_channel_state)),
  flags: u32(72),
});
export type KvmPitState2 = StructValue<typeof kvm_pit_state2>;

export const kvm_clock_data = struct("kvm_clock_data", 48, {
  clock: u64(0),
  flags: u32(8),
  realtime: u64(16),
  host_tsc: u64(24),
});
export type KvmClockData = StructValue<typeof kvm_clock_data>;

export const kvm_msi = struct("kvm_msi", 32, {
  address_lo: u32(0),
  address_hi: u32(4),
  data: u32(8),
  flags: u32(12),
  devid: u32(16),
});
export type KvmMsi = StructValue<typeof kvm_msi>;

export const kvm_irqfd = struct("kvm_irqfd", 32, {
  fd: u32(0),
  gsi: u32(4),
  flags: u32(8),
  resamplefd: u32(12),
});
export type KvmIrqfd = StructValue<typeof kvm_irqfd>;

export const kvm_ioeventfd = struct("kvm_ioeventfd", 64, {
  datamatch: u64(0),
  addr: u64(8),
  len: u32(16),
  fd: s32(20),
  flags: u32(24),
});
export type KvmIoeventfd = StructValue<typeof kvm_ioeventfd>;

/** `u` is a union by `type`: irqchip (irqchip, pin), MSI (address_lo, address_hi, data), Hyper-V (vcpu, sint). */
export const kvm_irq_routing_entry = struct("kvm_irq_routing_entry", 48, {
  gsi: u32(0),
  type: u32(4),
  flags: u32(8),
  u: array(8, u32(16)),
});
export type KvmIrqRoutingEntry = StructValue<typeof kvm_irq_routing_entry>;

export const kvm_irq_routing = arrayStruct(
  "kvm_irq_routing",
  8,
  { nr: u32(0), flags: u32(4) },
  "nr",
  kvm_irq_routing_entry,
);

export const kvm_create_device = struct("kvm_create_device", 12, { type: u32(0), fd: u32(4), flags: u32(8) });

export const kvm_device_attr = struct("kvm_device_attr", 24, { flags: u32(0), group: u32(4), attr: u64(8) });

// ---- configuration ----

export const kvm_enable_cap = struct("kvm_enable_cap", 104, {
  cap: u32(0),
  flags: u32(4),
  args: array(4, u64(8)),
});

const kvm_msr_filter_range = struct("kvm_msr_filter_range", 24, {
  flags: u32(0),
  nmsrs: u32(4),
  base: u32(8),
});

export const kvm_msr_filter = struct("kvm_msr_filter", 392, {
  flags: u32(0),
  ranges: array(16, nested(8, kvm_msr_filter_range)),
});

const pmu_event = struct("__u64", 8, { event: u64(0) });
export const kvm_pmu_event_filter = arrayStruct(
  "kvm_pmu_event_filter",
  32,
  { action: u32(0), nevents: u32(4), fixed_counter_bitmap: u32(8), flags: u32(12) },
  "nevents",
  pmu_event,
);

export const kvm_sev_cmd = struct("kvm_sev_cmd", 24, { id: u32(0), error: u32(16), sev_fd: u32(20) });

/** The argument of ioctls that take a bare `__u64 *`. */
export const scalar_u64 = struct("__u64", 8, { value: u64(0) });

// ---- statistics (KVM api.rst 4.133) ----

export const kvm_stats_header = struct("kvm_stats_header", 24, {
  flags: u32(0),
  name_size: u32(4),
  num_desc: u32(8),
  id_offset: u32(12),
  desc_offset: u32(16),
  data_offset: u32(20),
});

export const kvm_stats_desc = struct("kvm_stats_desc", 16, {
  flags: u32(0),
  exponent: s16(4),
  size: u16(6),
  offset: u32(8),
  bucket_size: u32(12),
});
export type KvmStatsDesc = StructValue<typeof kvm_stats_desc>;

// ---- the shared page of a vCPU ----

/**
 * struct kvm_run without its union of exits, which exit-reasons.ts describes. `kvm_valid_regs` and `kvm_dirty_regs`
 * take the bits of KVM_SYNC; the registers lie in `regs`, `sregs` and `events` (KVM api.rst 5, "kvm_valid_regs").
 */
export const kvm_run = struct("kvm_run", 2352, {
  request_interrupt_window: u8(0),
  immediate_exit: u8(1),
  exit_reason: u32(8),
  ready_for_interrupt_injection: u8(12),
  if_flag: u8(13),
  flags: u16(14),
  cr8: u64(16),
  apic_base: u64(24),
  kvm_valid_regs: u64(288),
  kvm_dirty_regs: u64(296),
  regs: nested(304, kvm_regs, "s.regs.regs"),
  sregs: nested(448, kvm_sregs, "s.regs.sregs"),
  events: nested(760, kvm_vcpu_events, "s.regs.events"),
});

/** All structures by name; the generated C assertions and the reference page go through this list. */
export const structs: readonly StructShape[] = [
  kvm_regs,
  kvm_segment,
  kvm_dtable,
  kvm_sregs,
  kvm_sregs2,
  kvm_fpu,
  kvm_debugregs,
  kvm_xcr,
  kvm_xcrs,
  kvm_lapic_state,
  kvm_mp_state,
  kvm_vcpu_events,
  kvm_msr_entry,
  kvm_msrs,
  kvm_msr_list,
  kvm_cpuid_entry2,
  kvm_cpuid2,
  kvm_translation,
  kvm_interrupt,
  kvm_guest_debug,
  kvm_x86_mce,
  kvm_xsave,
  kvm_nested_state,
  kvm_signal_mask,
  kvm_userspace_memory_region,
  kvm_userspace_memory_region2,
  kvm_create_guest_memfd,
  kvm_memory_attributes,
  kvm_pre_fault_memory,
  kvm_enc_region,
  kvm_dirty_log,
  kvm_clear_dirty_log,
  kvm_dirty_gfn,
  kvm_coalesced_mmio_zone,
  kvm_coalesced_mmio,
  kvm_coalesced_mmio_ring,
  kvm_irq_level,
  kvm_irqchip,
  kvm_pit_config,
  kvm_pit_channel_state,
  kvm_pit_state2,
  kvm_clock_data,
  kvm_msi,
  kvm_irqfd,
  kvm_ioeventfd,
  kvm_irq_routing_entry,
  kvm_irq_routing,
  kvm_create_device,
  kvm_device_attr,
  kvm_enable_cap,
  kvm_msr_filter_range,
  kvm_msr_filter,
  kvm_pmu_event_filter,
  kvm_sev_cmd,
  kvm_stats_header,
  kvm_stats_desc,
  kvm_run,
];
