/** A virtual machine: memory slots, interrupt controllers, clocks, devices, and vCPUs. */
import type { CapabilityName } from "./capabilities.js";
import { KvmError } from "./errors.js";
import type { GuestMemory } from "./guest-memory.js";
import { fdKinds, ioctlIndex } from "./ioctls.js";
import { capabilityNumber, failure, handleOr, integerOf, KvmFd, u64Of } from "./kvm-fd.js";
import { NATIVE, type NativeHandle, native } from "./load-native.js";
import {
  type KvmClockData,
  type KvmIoeventfd,
  type KvmIrqchip,
  type KvmIrqfd,
  type KvmIrqRoutingEntry,
  type KvmMsi,
  type KvmPitState2,
  kvm_clock_data,
  kvm_dirty_log,
  kvm_enable_cap,
  kvm_ioeventfd,
  kvm_irq_level,
  kvm_irq_routing,
  kvm_irqchip,
  kvm_irqfd,
  kvm_msi,
  kvm_pit_config,
  kvm_pit_state2,
  scalar_u64,
} from "./structs.js";
import { Vcpu } from "./vcpu.js";

/** Flags of a memory slot (KVM api.rst 4.35). */
export const KVM_MEM = { LOG_DIRTY_PAGES: 1, READONLY: 2, GUEST_MEMFD: 4 } as const;

export interface UserMemoryRegion {
  readonly slot: number;
  readonly guestPhysAddr: bigint;
  /** Absent: the slot is removed. */
  readonly memory?: GuestMemory;
  /** Where in `memory` the slot begins. */
  readonly offset?: number;
  /** Defaults to the rest of the memory. */
  readonly sizeBytes?: number;
  /** Bits of KVM_MEM. */
  readonly flags?: number;
}

const U32 = 0xffff_ffff;
const PAGE_SIZE = 4096;

export class Vm extends KvmFd {
  readonly #vcpuMmapSize: number;
  readonly #vcpus = new Set<Vcpu>();
  /** Pages by slot, for the length of dirty bitmaps. */
  readonly #slotPages = new Map<number, number>();

  private constructor(handle: NativeHandle, vcpuMmapSize: number) {
    super(handle, "Vm");
    this.#vcpuMmapSize = vcpuMmapSize;
  }

  /** @internal */
  static over(handle: NativeHandle, vcpuMmapSize: number): Vm {
    return new Vm(handle, vcpuMmapSize);
  }

  /**
   * The virtual machine with this id, which another thread of the process has open; `vcpuMmapSize` as Kvm has it.
   * Close it here as well: the last handle closes the descriptor.
   */
  static attach(id: number, vcpuMmapSize: number): Vm {
    const result = native().attach(id, fdKinds.vm);
    if (result === NATIVE.NO_SUCH_ID) throw new KvmError("ERR_KVM_NO_SUCH_ID", { what: "Vm", id });
    return new Vm(handleOr(result, "Vm", {}), vcpuMmapSize);
  }

  protected override extension(number: number): number {
    return this.call("KVM_CHECK_EXTENSION", number);
  }

  /** KVM_CHECK_EXTENSION on the VM, whose answers can depend on its type (KVM_CAP_CHECK_EXTENSION_VM). */
  checkExtension(capability: CapabilityName | number): number {
    return this.extension(capabilityNumber(capability));
  }

  /** KVM_ENABLE_CAP on the VM. */
  enableCap(capability: CapabilityName | number, ...args: readonly bigint[]): void {
    const cap = capabilityNumber(capability);
    this.callWith("KVM_ENABLE_CAP", kvm_enable_cap.encode({ cap, args: [...args] }));
  }

  /**
   * KVM_CREATE_VCPU. The calling thread owns the vCPU: its ioctls throw ERR_KVM_WRONG_THREAD on others. `id` is the
   * APIC id.
   */
  createVcpu(id: number): Vcpu {
    integerOf("Vm.createVcpu: id", id, 0, U32);
    const result = this.handle.createVcpu(id, this.#vcpuMmapSize);
    const vcpu = Vcpu.over(handleOr(result, "Vm", { ioctl: "KVM_CREATE_VCPU" }), id, this);
    this.#vcpus.add(vcpu);
    return vcpu;
  }

  /** @internal */
  forget(vcpu: Vcpu): void {
    this.#vcpus.delete(vcpu);
  }

  /** Closes the vCPUs that were made through this handle, then the virtual machine. */
  override close(): void {
    for (const vcpu of this.#vcpus) vcpu.close();
    super.close();
  }

  // ---- memory ----

  /**
   * KVM_SET_USER_MEMORY_REGION: makes, moves, changes or (without memory) removes a slot. The virtual machine keeps
   * the memory alive for as long as the slot exists.
   */
  setUserMemoryRegion(region: UserMemoryRegion): void {
    const { slot, guestPhysAddr, memory, offset = 0, flags = 0 } = region;
    const sizeBytes = memory === undefined ? 0 : (region.sizeBytes ?? memory.sizeBytes - offset);
    integerOf("slot", slot, 0, U32);
    integerOf("flags", flags, 0, U32);
    u64Of("guestPhysAddr", guestPhysAddr);
    if (memory !== undefined) checkRange(memory, offset, sizeBytes);
    const result = this.handle.setUserMemoryRegion(
      slot,
      flags,
      guestPhysAddr,
      memory?.handle,
      offset,
      sizeBytes,
    );
    if (result < 0) throw failure(result, "Vm", { ioctl: "KVM_SET_USER_MEMORY_REGION" });
    if (sizeBytes === 0) this.#slotPages.delete(slot);
    else this.#slotPages.set(slot, sizeBytes / PAGE_SIZE);
  }

  /** KVM_GET_DIRTY_LOG: one bit per page of the slot, written since the last call; clears the log. */
  getDirtyLog(slot: number): Uint8Array {
    integerOf("slot", slot, 0, U32);
    const bitmap = new Uint8Array(Math.ceil((this.#slotPages.get(slot) ?? 0) / 64) * 8);
    this.callWith("KVM_GET_DIRTY_LOG", kvm_dirty_log.encode({ slot }), bitmap);
    return bitmap;
  }

  /** KVM_SET_TSS_ADDR: three pages below 4 GiB that VMX without unrestricted guest needs. */
  setTssAddr(address: number): void {
    this.call("KVM_SET_TSS_ADDR", integerOf("address", address, 0, U32));
  }

  /** KVM_SET_IDENTITY_MAP_ADDR: one page for the same purpose; before the first vCPU. */
  setIdentityMapAddr(address: bigint): void {
    this.callWith("KVM_SET_IDENTITY_MAP_ADDR", scalar_u64.encode({ value: address }));
  }

  // ---- interrupts ----

  /** KVM_CREATE_IRQCHIP: PIC, I/O APIC, and a local APIC in every vCPU made after it. */
  createIrqchip(): void {
    this.call("KVM_CREATE_IRQCHIP");
  }

  /** KVM_IRQ_LINE: sets the level of an interrupt pin. */
  irqLine(irq: number, level: boolean): void {
    this.callWith("KVM_IRQ_LINE", kvm_irq_level.encode({ irq, level: level ? 1 : 0 }));
  }

  /** KVM_GET_IRQCHIP: `chip_id` 0 and 1 are the PICs, 2 the I/O APIC; `chip` is struct kvm_pic_state or kvm_ioapic_state. */
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
    const argument = kvm_msi.encode(msi);
    const result = this.handle.ioctl(ioctlIndex.KVM_SIGNAL_MSI, 0, argument);
    if (result < 0) throw this.explain("KVM_SIGNAL_MSI", result);
    return result > 0;
  }

  /** KVM_IRQFD: an eventfd that raises a GSI. */
  irqfd(irqfd: Partial<KvmIrqfd>): void {
    this.callWith("KVM_IRQFD", kvm_irqfd.encode(irqfd));
  }

  /** KVM_IOEVENTFD: an eventfd that a guest write signals without an exit. */
  ioeventfd(ioeventfd: Partial<KvmIoeventfd>): void {
    this.callWith("KVM_IOEVENTFD", kvm_ioeventfd.encode(ioeventfd));
  }

  // ---- clocks ----

  /** KVM_CREATE_PIT2: the i8254; needs createIrqchip() first. */
  createPit2(flags = 0): void {
    this.callWith("KVM_CREATE_PIT2", kvm_pit_config.encode({ flags }));
  }

  getPit2(): KvmPitState2 {
    return kvm_pit_state2.decode(this.callWith("KVM_GET_PIT2", kvm_pit_state2.encode({})));
  }

  setPit2(state: KvmPitState2): void {
    this.callWith("KVM_SET_PIT2", kvm_pit_state2.encode(state));
  }

  getClock(): KvmClockData {
    return kvm_clock_data.decode(this.callWith("KVM_GET_CLOCK", kvm_clock_data.encode({})));
  }

  setClock(clock: Partial<KvmClockData>): void {
    this.callWith("KVM_SET_CLOCK", kvm_clock_data.encode(clock));
  }
}

function checkRange(memory: GuestMemory, offset: number, length: number): void {
  const { sizeBytes } = memory;
  const valid = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length > 0;
  if (!valid || offset + length > sizeBytes)
    throw new KvmError("ERR_KVM_RANGE", { what: "memory slot", offset, length, sizeBytes });
}
