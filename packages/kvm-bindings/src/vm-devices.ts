/** What a virtual machine has besides memory and vCPUs: interrupt controllers, clocks, devices, filters. */
import { arrayOf, instanceOf, integerOf, u64Of } from "./checks.js";
import { Device } from "./device.js";
import { handleOf } from "./handled.js";
import { ioctlIndex } from "./ioctls.js";
import { KvmFd } from "./kvm-fd.js";
import { Statistics } from "./stats.js";
import {
  type KvmClockData,
  type KvmCoalescedMmioZone,
  type KvmIoeventfd,
  type KvmIrqchip,
  type KvmIrqfd,
  type KvmIrqRoutingEntry,
  type KvmMsi,
  type KvmPitState2,
  kvm_clock_data,
  kvm_coalesced_mmio_zone,
  kvm_create_device,
  kvm_ioeventfd,
  kvm_irq_level,
  kvm_irq_routing,
  kvm_irqchip,
  kvm_irqfd,
  kvm_msi,
  kvm_msr_filter,
  kvm_pit_config,
  kvm_pit_state2,
  kvm_pmu_event_filter,
} from "./structs.js";

/** One range of setMsrFilter(): which accesses the bitmap governs, and for which registers. */
export interface MsrFilterRange {
  /** 1 reads, 2 writes. */
  readonly flags: number;
  readonly base: number;
  /** One bit per register from `base` on: 1 allows. */
  readonly nmsrs: number;
  readonly bitmap: Uint8Array;
}

export interface PmuEventFilter {
  /** 0 allow, 1 deny. */
  readonly action: number;
  readonly flags?: number;
  readonly fixedCounterBitmap?: number;
  readonly events: readonly bigint[];
}

export abstract class VmDevices extends KvmFd {
  // ---- interrupts ----

  /** KVM_CREATE_IRQCHIP: PIC, I/O APIC, and a local APIC in every vCPU made after it. */
  createIrqchip(): void {
    this.call("KVM_CREATE_IRQCHIP");
  }

  /** KVM_IRQ_LINE: sets the level of an interrupt pin. */
  irqLine(irq: number, level: boolean): void {
    this.callWith("KVM_IRQ_LINE", kvm_irq_level.encode({ irq, level: level ? 1 : 0 }));
  }

  /** KVM_GET_IRQCHIP: 0 and 1 are the PICs, 2 the I/O APIC; `chip` is kvm_pic_state or kvm_ioapic_state. */
  getIrqchip(chip_id: number): KvmIrqchip {
    return kvm_irqchip.decode(this.callWith("KVM_GET_IRQCHIP", kvm_irqchip.encode({ chip_id })));
  }

  setIrqchip(state: KvmIrqchip): void {
    this.callWith("KVM_SET_IRQCHIP", kvm_irqchip.encode(state));
  }

  /** KVM_SET_GSI_ROUTING: replaces the whole table. */
  setGsiRouting(entries: readonly Partial<KvmIrqRoutingEntry>[]): void {
    this.callWith("KVM_SET_GSI_ROUTING", kvm_irq_routing.encodeAll(entries));
  }

  /** KVM_SIGNAL_MSI: true if the interrupt was delivered, false if the guest has it blocked. */
  signalMsi(msi: Partial<KvmMsi>): boolean {
    const delivered = handleOf(this).ioctl(ioctlIndex.KVM_SIGNAL_MSI, 0, kvm_msi.encode(msi));
    if (delivered < 0) throw this.explain("KVM_SIGNAL_MSI", delivered);
    return delivered > 0;
  }

  /** KVM_IRQFD: an eventfd (hostIo.eventfd) that raises a GSI. */
  irqfd(irqfd: Partial<KvmIrqfd>): void {
    this.callWith("KVM_IRQFD", kvm_irqfd.encode(irqfd));
  }

  /** KVM_IOEVENTFD: an eventfd that a guest's write signals without an exit. */
  ioeventfd(ioeventfd: Partial<KvmIoeventfd>): void {
    this.callWith("KVM_IOEVENTFD", kvm_ioeventfd.encode(ioeventfd));
  }

  // ---- clocks ----

  /** KVM_CREATE_PIT2: the i8254 timer; after createIrqchip(). */
  createPit2(flags = 0): void {
    this.callWith("KVM_CREATE_PIT2", kvm_pit_config.encode({ flags }));
  }

  getPit2(): KvmPitState2 {
    return kvm_pit_state2.decode(this.callWith("KVM_GET_PIT2", kvm_pit_state2.encode({})));
  }

  setPit2(state: KvmPitState2): void {
    this.callWith("KVM_SET_PIT2", kvm_pit_state2.encode(state));
  }

  /** KVM_GET_CLOCK: kvmclock in nanoseconds. */
  getClock(): KvmClockData {
    return kvm_clock_data.decode(this.callWith("KVM_GET_CLOCK", kvm_clock_data.encode({})));
  }

  setClock(clock: Partial<KvmClockData>): void {
    this.callWith("KVM_SET_CLOCK", kvm_clock_data.encode(clock));
  }

  /** KVM_GET_TSC_KHZ: the frequency that new vCPUs get. */
  getTscKhz(): number {
    return this.call("KVM_GET_TSC_KHZ");
  }

  setTscKhz(khz: number): void {
    this.call("KVM_SET_TSC_KHZ", integerOf("khz", khz, 0, 0xffff_ffff));
  }

  // ---- devices and zones ----

  /** KVM_CREATE_DEVICE: `type` is a KVM_DEV_TYPE; flag 1 only asks whether it exists. */
  createDevice(type: number, flags = 0): Device {
    const argument = kvm_create_device.encode({ type, flags });
    const result = handleOf(this).createFd(ioctlIndex.KVM_CREATE_DEVICE, argument);
    if (typeof result === "number") throw this.explain("KVM_CREATE_DEVICE", result);
    return Device.over(result);
  }

  /** KVM_REGISTER_COALESCED_MMIO: writes to the zone do not exit; Vcpu.takeCoalescedMmio() gives them. */
  registerCoalescedMmio(zone: KvmCoalescedMmioZone): void {
    this.callWith("KVM_REGISTER_COALESCED_MMIO", kvm_coalesced_mmio_zone.encode(zone));
  }

  unregisterCoalescedMmio(zone: KvmCoalescedMmioZone): void {
    this.callWith("KVM_UNREGISTER_COALESCED_MMIO", kvm_coalesced_mmio_zone.encode(zone));
  }

  // ---- filters and statistics ----

  /** KVM_X86_SET_MSR_FILTER: up to 16 ranges; `defaultDeny` for registers outside of them. */
  setMsrFilter(ranges: readonly MsrFilterRange[], defaultDeny = false): void {
    const lengths = arrayOf("ranges", ranges).map(({ nmsrs }) => Math.ceil(nmsrs / 64) * 8);
    const bitmaps = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
    let at = 0;
    for (const [i, { bitmap }] of ranges.entries()) {
      instanceOf("bitmap", bitmap, Uint8Array);
      bitmaps.set(bitmap.subarray(0, lengths[i]), at);
      at += lengths[i]!;
    }
    const filter = kvm_msr_filter.encode({
      flags: defaultDeny ? 1 : 0,
      ranges: ranges.map(({ flags, base, nmsrs }) => ({ flags, base, nmsrs })),
    });
    this.callWith("KVM_X86_SET_MSR_FILTER", filter, bitmaps);
  }

  /** KVM_SET_PMU_EVENT_FILTER: which performance events the guest may count. */
  setPmuEventFilter({ action, flags = 0, fixedCounterBitmap = 0, events }: PmuEventFilter): void {
    const header = { action, flags, fixed_counter_bitmap: fixedCounterBitmap };
    const list = arrayOf("events", events).map((event) => ({ event: u64Of("event", event) }));
    this.callWith("KVM_SET_PMU_EVENT_FILTER", kvm_pmu_event_filter.encodeAll(list, header));
  }

  /** KVM_GET_STATS_FD of the virtual machine. Close it when done. */
  statistics(): Statistics {
    const result = handleOf(this).createFd(ioctlIndex.KVM_GET_STATS_FD);
    if (typeof result === "number") throw this.explain("KVM_GET_STATS_FD", result);
    return Statistics.over(result);
  }
}
