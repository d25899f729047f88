/** A virtual machine: its memory slots and its vCPUs; interrupts, clocks and devices are in vm-devices.ts. */

import type { CapabilityName } from "./capabilities.js";
import { capabilityNumber, instanceOf, integerOf, u64Of } from "./checks.js";
import { GuestMemfd } from "./device.js";
import { KvmError } from "./errors.js";
import { GuestMemory } from "./guest-memory.js";
import { attach, handleOf } from "./handled.js";
import { fdKinds, ioctlIndex } from "./ioctls.js";
import type { NativeHandle } from "./load-native.js";
import {
  kvm_clear_dirty_log,
  kvm_create_guest_memfd,
  kvm_dirty_log,
  kvm_memory_attributes,
  kvm_sev_cmd,
  scalar_u64,
} from "./structs.js";
import { Vcpu } from "./vcpu.js";
import { VmDevices } from "./vm-devices.js";

/** Flags of a memory slot (KVM api.rst 4.35, 4.140). */
export const KVM_MEM = { LOG_DIRTY_PAGES: 1, READONLY: 2, GUEST_MEMFD: 4 } as const;

export interface UserMemoryRegion {
  /** Slot number; bits 31:16 choose the address space (1: SMM). */
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
  /** Private memory of the slot, with KVM_MEM.GUEST_MEMFD; then KVM_SET_USER_MEMORY_REGION2 is used. */
  readonly guestMemfd?: GuestMemfd;
  readonly guestMemfdOffset?: number;
}

const U32 = 0xffff_ffff;
const PAGE_SIZE = 4096;

/** One bit per page, in 64-bit words. */
function bitmapBytes(pages: number): number {
  return Math.ceil(pages / 64) * 8;
}

export class Vm extends VmDevices {
  readonly #vcpuMmapSize: number;
  readonly #vcpus = new Set<Vcpu>();
  /** For the length of dirty bitmaps. */
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
   * The virtual machine with this id, which another thread of the process has open, to create vCPUs that this thread
   * owns; `vcpuMmapSize` as Kvm has it. Close it here as well: the last handle closes the descriptor.
   */
  static attach(id: number, vcpuMmapSize: number): Vm {
    return new Vm(attach("Vm", id, fdKinds.vm), vcpuMmapSize);
  }

  protected override extension(number: number): number {
    return this.call("KVM_CHECK_EXTENSION", number);
  }

  /** KVM_CHECK_EXTENSION on the VM, whose answers can depend on its type (KVM_CAP_CHECK_EXTENSION_VM). */
  checkExtension(capability: CapabilityName | number): number {
    return this.extension(capabilityNumber(capability));
  }

  /** Closes the vCPUs that were made through this handle, then the virtual machine. */
  override close(): void {
    for (const vcpu of this.#vcpus) vcpu.close();
    super.close();
  }

  /**
   * KVM_CREATE_VCPU. The calling thread owns the vCPU: its ioctls throw ERR_KVM_WRONG_THREAD on others. `id` is the
   * APIC id.
   */
  createVcpu(id: number): Vcpu {
    integerOf("Vm.createVcpu: id", id, 0, U32);
    const result = handleOf(this).createVcpu(id, this.#vcpuMmapSize);
    if (typeof result === "number") throw this.explain("KVM_CREATE_VCPU", result);
    const vcpu = Vcpu.over(result, id, this);
    this.#vcpus.add(vcpu);
    return vcpu;
  }

  /** @internal */
  forget(vcpu: Vcpu): void {
    this.#vcpus.delete(vcpu);
  }

  // ---- memory slots ----

  /**
   * KVM_SET_USER_MEMORY_REGION: makes, moves, changes or (without memory) removes a slot. The virtual machine keeps
   * the memory alive for as long as the slot exists. ERR_KVM_IOCTL: EEXIST where slots overlap, EINVAL where address,
   * offset or size are not page-aligned.
   */
  setUserMemoryRegion(region: UserMemoryRegion): void {
    if (typeof region !== "object" || region === null)
      throw new KvmError("ERR_KVM_ARGUMENT", {
        what: "region",
        value: region,
        allowed: "a UserMemoryRegion",
      });
    const { slot, guestPhysAddr, memory, offset = 0, flags = 0, guestMemfd, guestMemfdOffset = 0 } = region;
    integerOf("slot", slot, 0, U32);
    integerOf("flags", flags, 0, U32);
    u64Of("guestPhysAddr", guestPhysAddr);
    const sizeBytes = memory === undefined ? 0 : rangeIn(memory, offset, region.sizeBytes);
    const result = handleOf(this).setUserMemoryRegion(
      slot,
      flags,
      guestPhysAddr,
      memory && handleOf(memory),
      offset,
      sizeBytes,
      instanceOf("guestMemfd", guestMemfd, GuestMemfd) && handleOf(guestMemfd!),
      guestMemfdOffset,
    );
    const ioctl = guestMemfd === undefined ? "KVM_SET_USER_MEMORY_REGION" : "KVM_SET_USER_MEMORY_REGION2";
    if (result < 0) throw this.explain(ioctl, result);
    if (sizeBytes === 0) this.#slotPages.delete(slot);
    else this.#slotPages.set(slot, sizeBytes / PAGE_SIZE);
  }

  /** KVM_CREATE_GUEST_MEMFD: memory for guestMemfd of setUserMemoryRegion(). */
  createGuestMemfd(sizeBytes: number, flags = 0n): GuestMemfd {
    integerOf("sizeBytes", sizeBytes, PAGE_SIZE, Number.MAX_SAFE_INTEGER);
    const argument = kvm_create_guest_memfd.encode({ size: BigInt(sizeBytes), flags });
    const result = handleOf(this).createFd(ioctlIndex.KVM_CREATE_GUEST_MEMFD, argument);
    if (typeof result === "number") throw this.explain("KVM_CREATE_GUEST_MEMFD", result);
    return GuestMemfd.over(result, sizeBytes);
  }

  /** KVM_SET_MEMORY_ATTRIBUTES of guest-physical memory, both page-aligned; attribute 8 is "private". */
  setMemoryAttributes(address: bigint, size: bigint, attributes: bigint): void {
    this.callWith(
      "KVM_SET_MEMORY_ATTRIBUTES",
      kvm_memory_attributes.encode({ address, size, attributes, flags: 0n }),
    );
  }

  // ---- dirty pages ----

  /** KVM_GET_DIRTY_LOG: one bit per page of the slot that was written since the last call. */
  getDirtyLog(slot: number): Uint8Array {
    integerOf("slot", slot, 0, U32);
    const bitmap = new Uint8Array(bitmapBytes(this.#slotPages.get(slot) ?? 0));
    this.callWith("KVM_GET_DIRTY_LOG", kvm_dirty_log.encode({ slot }), bitmap);
    return bitmap;
  }

  /**
   * KVM_CLEAR_DIRTY_LOG: forgets the pages whose bit is set, with KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 enabled.
   * `firstPage` is a multiple of 64, and so is `pageCount` unless it reaches the end of the slot.
   */
  clearDirtyLog(slot: number, firstPage: number, pageCount: number, bitmap: Uint8Array): void {
    integerOf("firstPage", firstPage, 0, Number.MAX_SAFE_INTEGER);
    this.callWith(
      "KVM_CLEAR_DIRTY_LOG",
      kvm_clear_dirty_log.encode({ slot, first_page: BigInt(firstPage), num_pages: pageCount }),
      bitmap,
    );
  }

  /** KVM_RESET_DIRTY_RINGS: how many entries that Vcpu.takeDirtyGfns() gave were reset. */
  resetDirtyRings(): number {
    return this.call("KVM_RESET_DIRTY_RINGS");
  }

  // ---- placement, encryption ----

  /** KVM_SET_TSS_ADDR: three pages below 4 GiB that VMX without unrestricted guest needs. */
  setTssAddr(address: number): void {
    this.call("KVM_SET_TSS_ADDR", integerOf("address", address, 0, U32));
  }

  /** KVM_SET_IDENTITY_MAP_ADDR: one page for the same purpose; before the first vCPU. */
  setIdentityMapAddr(address: bigint): void {
    this.callWith("KVM_SET_IDENTITY_MAP_ADDR", scalar_u64.encode({ value: address }));
  }

  /** KVM_MEMORY_ENCRYPT_OP without a command: throws where the virtual machine has no memory encryption. */
  checkMemoryEncryption(): void {
    this.callWith("KVM_MEMORY_ENCRYPT_OP", new Uint8Array());
  }

  /**
   * KVM_MEMORY_ENCRYPT_OP: a kvm_sev_cmd; what the firmware reported. Commands whose data holds addresses are refused
   * (ERR_KVM_ARGUMENT): a pointer from JavaScript cannot be checked.
   */
  memoryEncryptOp(id: number, sevFd: number, data?: Uint8Array): number {
    const command = kvm_sev_cmd.encode({ id, sev_fd: sevFd });
    return kvm_sev_cmd.decode(this.callWith("KVM_MEMORY_ENCRYPT_OP", command, data)).error;
  }

  /** KVM_MEMORY_ENCRYPT_REG_REGION: pins memory that may hold encrypted data. */
  memoryEncryptRegRegion(memory: GuestMemory, offset = 0, sizeBytes?: number): void {
    this.#encryptRegion("KVM_MEMORY_ENCRYPT_REG_REGION", memory, offset, sizeBytes);
  }

  memoryEncryptUnregRegion(memory: GuestMemory, offset = 0, sizeBytes?: number): void {
    this.#encryptRegion("KVM_MEMORY_ENCRYPT_UNREG_REGION", memory, offset, sizeBytes);
  }

  #encryptRegion(
    ioctl: "KVM_MEMORY_ENCRYPT_REG_REGION" | "KVM_MEMORY_ENCRYPT_UNREG_REGION",
    memory: GuestMemory,
    offset: number,
    sizeBytes: number | undefined,
  ): void {
    const size = rangeIn(memory, offset, sizeBytes);
    const result = handleOf(this).memoryEncryptRegion(ioctlIndex[ioctl], handleOf(memory), offset, size);
    if (result < 0) throw this.explain(ioctl, result);
  }
}

/** The length of a range of `memory` that begins at `offset`; ERR_KVM_RANGE where it leaves the memory. */
function rangeIn(memory: GuestMemory, offset: number, sizeWanted: number | undefined): number {
  const { sizeBytes } = instanceOf("memory", memory, GuestMemory)!;
  const length = sizeWanted ?? sizeBytes - offset;
  const valid = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length > 0;
  if (valid && offset + length <= sizeBytes) return length;
  throw new KvmError("ERR_KVM_RANGE", { what: "memory slot", offset, length, sizeBytes });
}
