/**
 * The accelerator over /dev/kvm.
 *
 * A hypercall exit costs one native call: general registers are read and written in the kvm_run page
 * (KVM_CAP_SYNC_REGS), or by KVM_GET_REGS and KVM_SET_REGS where the host lacks that.
 * Sources: KVM api.rst, "KVM_CAP_SYNC_REGS", "4.35 KVM_SET_USER_MEMORY_REGION", "4.40 KVM_SET_TSS_ADDR",
 * "4.41 KVM_SET_IDENTITY_MAP_ADDR", "4.76 KVM_SET_CPUID2".
 */
import {
  emulation_failure,
  GuestMemory,
  KVM_SYNC_X86,
  Kvm,
  KvmError,
  kvm_run,
  kvm_sregs,
  type StopSource as NativeStopSource,
  type Vcpu,
  type Vm,
} from "@kvmkit/kvm-bindings";
import { reasonOf, VmError } from "../errors.js";
import type { StopSource } from "../host/stop-source.js";
import type { MemoryRange } from "../memory/memory-map.js";
import { type AddressSpace, addressSpaceOf } from "../memory/page-walk.js";
import {
  type AcceleratedMachine,
  type Accelerator,
  type AcceleratorTraits,
  type ExitDetails,
  exitName,
  type MemoryBacking,
  type MemoryToken,
  type PortAccess,
  REGISTER_NAMES,
  type SystemRegisters,
  type VirtualCpu,
} from "./accelerator.js";
import { detectRing0Emulation } from "./ring0-emulation.js";

/**
 * Pages that VT-x without unrestricted guest needs for real mode, below 4 GiB and outside every slot: the identity
 * map (one page), then the task-state segment (three).
 */
const IDENTITY_MAP_ADDRESS = 0xfffb_c000n;
const TSS_ADDRESS = 0xfffb_d000;

let shared: KvmAccelerator | undefined;

/**
 * The accelerator of this thread. `traits`: what another thread of the process found out.
 * Errors: ERR_VM_ACCEL_UNAVAILABLE.
 */
export function openKvmAccelerator(traits?: AcceleratorTraits): Accelerator {
  try {
    return (shared ??= new KvmAccelerator(Kvm.open(), traits));
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    throw new VmError(
      "ERR_VM_ACCEL_UNAVAILABLE",
      { accel: "kvm", reason: `${error.message}. ${error.remedy}` },
      { cause: error },
    );
  }
}

export class KvmAccelerator implements Accelerator {
  readonly name = "kvm";
  readonly #kvm: Kvm;
  /** Register sets that an exit can carry: bits of KVM_SYNC_X86. */
  readonly #syncable: number;
  readonly #needsTssAddress: boolean;
  readonly #needsIdentityMap: boolean;
  #traits: AcceleratorTraits | undefined;

  /** `syncable`: what the host has of KVM_CAP_SYNC_REGS, for tests to take less. */
  constructor(
    kvm: Kvm,
    traits: AcceleratorTraits | undefined,
    syncable = kvm.checkExtension("KVM_CAP_SYNC_REGS"),
  ) {
    this.#kvm = kvm;
    this.#traits = traits;
    this.#syncable = syncable;
    this.#needsTssAddress = kvm.checkExtension("KVM_CAP_SET_TSS_ADDR") !== 0;
    this.#needsIdentityMap = kvm.checkExtension("KVM_CAP_SET_IDENTITY_MAP_ADDR") !== 0;
  }

  /** Found out once per process by running an instruction, which costs a scratch machine. */
  get traits(): AcceleratorTraits {
    return (this.#traits ??= { ring0Emulated: detectRing0Emulation(this) });
  }

  allocateMemory(sizeBytes: number): MemoryBacking {
    return asVmError("guest memory", () => new KvmMemory(GuestMemory.allocate(sizeBytes)));
  }

  attachMemory(token: MemoryToken): MemoryBacking {
    return asVmError("guest memory", () => new KvmMemory(GuestMemory.attach(token as number)));
  }

  createMachine(memory: MemoryBacking, ranges: readonly MemoryRange[]): AcceleratedMachine {
    return asVmError("a virtual machine", () => {
      const vm = this.#kvm.createVm();
      try {
        if (this.#needsIdentityMap) vm.setIdentityMapAddr(IDENTITY_MAP_ADDRESS);
        if (this.#needsTssAddress) vm.setTssAddr(TSS_ADDRESS);
        const slots = { memory: (memory as KvmMemory).native, ranges };
        addSlots(vm, slots);
        return new KvmMachine(this.#kvm, vm, slots, this.#syncable);
      } catch (error) {
        vm.close();
        throw error;
      }
    });
  }
}

class KvmMemory implements MemoryBacking {
  readonly native: GuestMemory;
  readonly token: MemoryToken;

  constructor(native: GuestMemory) {
    this.native = native;
    this.token = native.id;
  }

  get sizeBytes(): number {
    return this.native.sizeBytes;
  }

  bytes(offset: number, length: number): Uint8Array {
    return this.native.bytes(offset, length);
  }

  close(): void {
    this.native.close();
  }
}

interface Slots {
  readonly memory: GuestMemory;
  readonly ranges: readonly MemoryRange[];
}

function addSlots(vm: Vm, { memory, ranges }: Slots): void {
  ranges.forEach(({ start, size, offset }, slot) => {
    vm.setUserMemoryRegion({ slot, guestPhysAddr: BigInt(start), memory, offset, sizeBytes: size });
  });
}

class KvmMachine implements AcceleratedMachine {
  readonly #kvm: Kvm;
  readonly #vm: Vm;
  readonly #slots: Slots;
  readonly #syncable: number;

  constructor(kvm: Kvm, vm: Vm, slots: Slots, syncable: number) {
    this.#kvm = kvm;
    this.#vm = vm;
    this.#slots = slots;
    this.#syncable = syncable;
  }

  createCpu(id: number): VirtualCpu {
    return asVmError("a vCPU", () => {
      const vcpu = this.#vm.createVcpu(id);
      vcpu.setCpuid2(this.#kvm.supportedCpuid());
      return new KvmCpu(vcpu, this.#syncable);
    });
  }

  /** Deleting a slot drops the shadow pages (or second-level entries) of what it held. */
  flushShadow(): void {
    this.#slots.ranges.forEach(({ start }, slot) => {
      this.#vm.setUserMemoryRegion({ slot, guestPhysAddr: BigInt(start) });
    });
    addSlots(this.#vm, this.#slots);
  }

  close(): void {
    this.#vm.close();
  }
}

const KVM_DIRTY_REGS = kvm_run.fields["kvm_dirty_regs"]!.offset;
const KVM_VALID_REGS = kvm_run.fields["kvm_valid_regs"]!.offset;
const SYNC_REGS = kvm_run.fields["regs"]!.offset;
const SYNC_SREGS = kvm_run.fields["sregs"]!.offset;
const REGS = Number(KVM_SYNC_X86.REGS);
const SREGS = Number(KVM_SYNC_X86.SREGS);
/** What decides how addresses are translated. */
const PAGING_REGISTERS = ["cr0", "cr3", "cr4", "efer"] as const;
const PAGING_OFFSETS = PAGING_REGISTERS.map((name) => SYNC_SREGS + kvm_sregs.fields[name]!.offset);

class KvmCpu implements VirtualCpu {
  readonly registers: BigUint64Array;
  readonly registers32: Uint32Array;
  readonly portAccess: PortAccess;
  readonly #vcpu: Vcpu;
  readonly #page: DataView;
  readonly #syncable: number;
  /** Whether the kvm_run page carries the general registers. */
  readonly #inPage: boolean;
  #changed = false;
  /** The space of the last exit that was asked for, and the registers that it came from. */
  #space: AddressSpace = { paging: "none" };
  readonly #spaceOf: (bigint | undefined)[] = [];

  constructor(vcpu: Vcpu, syncable: number) {
    this.#vcpu = vcpu;
    this.#syncable = syncable;
    this.#inPage = (syncable & REGS) !== 0;
    const { view } = vcpu.runPage;
    this.#page = view;
    const count = REGISTER_NAMES.length;
    this.registers = this.#inPage
      ? new BigUint64Array(view.buffer, SYNC_REGS, count)
      : new BigUint64Array(count);
    this.registers32 = new Uint32Array(this.registers.buffer, this.registers.byteOffset, count * 2);
    this.portAccess = new KvmPortAccess(view);
    view.setUint32(KVM_VALID_REGS, syncable & REGS, true);
  }

  registersChanged(): void {
    if (this.#inPage) this.#page.setUint32(KVM_DIRTY_REGS, REGS, true);
    else this.#changed = true;
  }

  run(stop: StopSource | undefined): number {
    if (this.#inPage) return this.#vcpu.run(stop as unknown as NativeStopSource);
    if (this.#changed) this.#writeRegisters();
    const exit = this.#vcpu.run(stop as unknown as NativeStopSource);
    this.#readRegisters();
    return exit;
  }

  #writeRegisters(): void {
    this.#changed = false;
    this.#vcpu.setRegs(
      Object.fromEntries(REGISTER_NAMES.map((name, index) => [name, this.registers[index]!])),
    );
  }

  #readRegisters(): void {
    const values = this.#vcpu.getRegs();
    REGISTER_NAMES.forEach((name, index) => {
      this.registers[index] = values[name];
    });
  }

  exitDetails(): ExitDetails {
    const exit = this.#vcpu.decodeExit();
    switch (exit.reason) {
      case "KVM_EXIT_MMIO":
        return {
          exit: exit.reason,
          address: exit.phys_addr,
          sizeBytes: exit.len,
          isWrite: exit.is_write !== 0,
        };
      case "KVM_EXIT_FAIL_ENTRY":
        return { exit: exit.reason, reason: exit.hardware_entry_failure_reason };
      case "KVM_EXIT_INTERNAL_ERROR":
        return { exit: exit.reason, suberror: exit.suberror, instruction: this.#failedInstruction() };
      default:
        return { exit: exitName(exit.nr) } as ExitDetails;
    }
  }

  /** KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES: bit 0 of `flags` says that the bytes are there. */
  #failedInstruction(): Uint8Array {
    const { ndata, flags, insn_size, insn_bytes } = emulation_failure.read(this.#page);
    return ndata > 0 && flags & 1n ? insn_bytes.slice(0, insn_size) : new Uint8Array();
  }

  /**
   * The first time by KVM_GET_SREGS; from then on every exit carries these registers too, which costs it a twentieth,
   * and the ioctl would cost as much as the exit.
   */
  addressSpace(): AddressSpace {
    if (!(this.#page.getUint32(KVM_VALID_REGS, true) & SREGS)) {
      this.#page.setUint32(KVM_VALID_REGS, this.#syncable & (REGS | SREGS), true);
      return addressSpaceOf(this.#vcpu.getSregs());
    }
    let changed = false;
    for (let index = 0; index < PAGING_OFFSETS.length; index++) {
      const value = this.#page.getBigUint64(PAGING_OFFSETS[index]!, true);
      changed ||= this.#spaceOf[index] !== value;
      this.#spaceOf[index] = value;
    }
    if (changed) {
      const [cr0, cr3, cr4, efer] = this.#spaceOf as [bigint, bigint, bigint, bigint];
      this.#space = addressSpaceOf({ cr0, cr3, cr4, efer });
    }
    return this.#space;
  }

  getSystemRegisters(): SystemRegisters {
    return this.#vcpu.getSregs();
  }

  setSystemRegisters(registers: SystemRegisters): void {
    this.#vcpu.setSregs(registers as ReturnType<Vcpu["getSregs"]>);
  }

  close(): void {
    this.#vcpu.close();
  }
}

/** `kvm_run.io`; the data lies in the same page. */
const IO = { direction: 32, size: 33, port: 34, count: 36, dataOffset: 40 } as const;
const KVM_EXIT_IO_OUT = 1;

class KvmPortAccess implements PortAccess {
  readonly #page: DataView;

  constructor(page: DataView) {
    this.#page = page;
  }

  get isOut(): boolean {
    return this.#page.getUint8(IO.direction) === KVM_EXIT_IO_OUT;
  }

  get sizeBytes(): number {
    return this.#page.getUint8(IO.size);
  }

  get port(): number {
    return this.#page.getUint16(IO.port, true);
  }

  get count(): number {
    return this.#page.getUint32(IO.count, true);
  }

  value(index: number): number {
    const at = this.#at(index);
    if (this.sizeBytes === 4) return this.#page.getUint32(at, true);
    return this.sizeBytes === 2 ? this.#page.getUint16(at, true) : this.#page.getUint8(at);
  }

  setValue(index: number, value: number): void {
    const at = this.#at(index);
    if (this.sizeBytes === 4) this.#page.setUint32(at, value, true);
    else if (this.sizeBytes === 2) this.#page.setUint16(at, value, true);
    else this.#page.setUint8(at, value);
  }

  #at(index: number): number {
    return this.#page.getUint32(IO.dataOffset, true) + index * this.sizeBytes;
  }
}

function asVmError<T>(operation: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    throw new VmError("ERR_VM_HOST", { operation, reason: reasonOf(error) }, { cause: error });
  }
}
