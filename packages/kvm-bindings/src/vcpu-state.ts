/**
 * The state of a vCPU, as KVM's GET and SET ioctls have it: plain objects with KVM's field names, 64-bit fields
 * bigint. A SET leaves out nothing: fields that are absent become 0.
 */

import type { CapabilityName } from "./capabilities.js";
import { arrayOf, capabilityNumber, integerOf } from "./checks.js";
import { KvmError } from "./errors.js";
import { growing } from "./growing.js";
import { handleOf } from "./handled.js";
import { type IoctlName, ioctlIndex } from "./ioctls.js";
import { KvmFd } from "./kvm-fd.js";
import type { Struct } from "./layout.js";
import { Statistics } from "./stats.js";
import {
  type KvmCpuidEntry2,
  type KvmDebugregs,
  type KvmFpu,
  type KvmGuestDebug,
  type KvmMsrEntry,
  type KvmNestedState,
  type KvmPreFaultMemory,
  type KvmRegs,
  type KvmSregs,
  type KvmSregs2,
  type KvmTranslation,
  type KvmVcpuEvents,
  type KvmX86Mce,
  type KvmXcrs,
  kvm_cpuid2,
  kvm_debugregs,
  kvm_fpu,
  kvm_guest_debug,
  kvm_interrupt,
  kvm_lapic_state,
  kvm_mp_state,
  kvm_msrs,
  kvm_nested_state,
  kvm_pre_fault_memory,
  kvm_regs,
  kvm_signal_mask,
  kvm_sregs,
  kvm_sregs2,
  kvm_translation,
  kvm_vcpu_events,
  kvm_x86_mce,
  kvm_xcrs,
  kvm_xsave,
  scalar_u64,
} from "./structs.js";

/** Lists that came from the kernel, with the bytes they came in. */
const encodings = new WeakMap<readonly unknown[], Uint8Array>();

/** @internal */
export function rememberEncoding(entries: readonly unknown[], encoded: Uint8Array): void {
  encodings.set(entries, encoded);
}

export abstract class VcpuState extends KvmFd {
  /** @internal KVM_CHECK_EXTENSION of the vCPU's virtual machine. */
  protected abstract override extension(number: number): number;

  #get<T>(name: IoctlName, layout: Struct<T>): T {
    return layout.decode(this.callWith(name, layout.encode({})));
  }

  #set<T>(name: IoctlName, layout: Struct<T>, value: Partial<T>): void {
    this.callWith(name, layout.encode(value));
  }

  #extension(name: CapabilityName): number {
    return this.extension(capabilityNumber(name));
  }

  // ---- registers ----

  getRegs(): KvmRegs {
    return this.#get("KVM_GET_REGS", kvm_regs);
  }

  setRegs(regs: Partial<KvmRegs>): void {
    this.#set("KVM_SET_REGS", kvm_regs, regs);
  }

  getSregs(): KvmSregs {
    return this.#get("KVM_GET_SREGS", kvm_sregs);
  }

  setSregs(sregs: KvmSregs): void {
    this.#set("KVM_SET_SREGS", kvm_sregs, sregs);
  }

  /** Like getSregs(), with the PDPTE registers in place of the interrupt bitmap. */
  getSregs2(): KvmSregs2 {
    return this.#get("KVM_GET_SREGS2", kvm_sregs2);
  }

  setSregs2(sregs: KvmSregs2): void {
    this.#set("KVM_SET_SREGS2", kvm_sregs2, sregs);
  }

  getFpu(): KvmFpu {
    return this.#get("KVM_GET_FPU", kvm_fpu);
  }

  setFpu(fpu: Partial<KvmFpu>): void {
    this.#set("KVM_SET_FPU", kvm_fpu, fpu);
  }

  getDebugregs(): KvmDebugregs {
    return this.#get("KVM_GET_DEBUGREGS", kvm_debugregs);
  }

  setDebugregs(registers: Partial<KvmDebugregs>): void {
    this.#set("KVM_SET_DEBUGREGS", kvm_debugregs, registers);
  }

  getXcrs(): KvmXcrs {
    return this.#get("KVM_GET_XCRS", kvm_xcrs);
  }

  setXcrs(xcrs: Partial<KvmXcrs>): void {
    this.#set("KVM_SET_XCRS", kvm_xcrs, xcrs);
  }

  /** The XSAVE area by KVM_GET_XSAVE2, or by KVM_GET_XSAVE where the host lacks it; 4096 bytes or more. */
  getXsave(): Uint8Array {
    const sizeBytes = this.#extension("KVM_CAP_XSAVE2");
    if (sizeBytes > 0) return this.callWith("KVM_GET_XSAVE2", new Uint8Array(sizeBytes));
    return this.callWith("KVM_GET_XSAVE", new Uint8Array(kvm_xsave.size));
  }

  /** KVM_SET_XSAVE of an area as long as getXsave() gives. */
  setXsave(area: Uint8Array): void {
    this.callWith("KVM_SET_XSAVE", area);
  }

  /** KVM_GET_MSRS; ERR_KVM_MSR names the first register that the host's KVM does not know. */
  getMsrs(indices: readonly number[]): KvmMsrEntry[] {
    const entries = arrayOf("indices", indices).map((index) => ({ index }));
    return this.#msrs("KVM_GET_MSRS", entries);
  }

  /** KVM_SET_MSRS; ERR_KVM_MSR names the first register that was refused. Those before it are set. */
  setMsrs(entries: readonly KvmMsrEntry[]): void {
    this.#msrs("KVM_SET_MSRS", entries);
  }

  #msrs(ioctl: "KVM_GET_MSRS" | "KVM_SET_MSRS", entries: readonly Partial<KvmMsrEntry>[]): KvmMsrEntry[] {
    const encoded = kvm_msrs.encodeAll(entries);
    const done = handleOf(this).ioctl(ioctlIndex[ioctl], 0, encoded);
    if (done < 0) throw this.explain(ioctl, done);
    const refused = entries[done];
    if (refused === undefined) return kvm_msrs.decodeAll(encoded);
    throw new KvmError("ERR_KVM_MSR", { ioctl, value: `0x${refused.index!.toString(16)}` });
  }

  /** KVM_SET_CPUID2: what CPUID shows to the guest; before its first run(). */
  setCpuid2(entries: readonly Readonly<KvmCpuidEntry2>[]): void {
    this.callWith("KVM_SET_CPUID2", encodings.get(entries) ?? kvm_cpuid2.encodeAll(entries));
  }

  getCpuid2(): KvmCpuidEntry2[] {
    return growing(128, (capacity) => {
      const encoded = this.callWith("KVM_GET_CPUID2", kvm_cpuid2.room(capacity));
      return kvm_cpuid2.decodeAll(encoded);
    });
  }

  /** KVM_GET_SUPPORTED_HV_CPUID as this vCPU sees it. */
  supportedHvCpuid(): KvmCpuidEntry2[] {
    return growing(64, (capacity) => {
      const encoded = this.callWith("KVM_GET_SUPPORTED_HV_CPUID", kvm_cpuid2.room(capacity));
      return kvm_cpuid2.decodeAll(encoded);
    });
  }

  getVcpuEvents(): KvmVcpuEvents {
    return this.#get("KVM_GET_VCPU_EVENTS", kvm_vcpu_events);
  }

  setVcpuEvents(events: Partial<KvmVcpuEvents>): void {
    this.#set("KVM_SET_VCPU_EVENTS", kvm_vcpu_events, events);
  }

  /** KVM_GET_MP_STATE: 0 runnable, 1 uninitialized, 2 INIT received, 3 halted, 4 SIPI received. */
  getMpState(): number {
    return this.#get("KVM_GET_MP_STATE", kvm_mp_state).mp_state;
  }

  setMpState(mp_state: number): void {
    this.#set("KVM_SET_MP_STATE", kvm_mp_state, { mp_state });
  }

  /** The local APIC's 1 KiB of registers (SDM Vol. 3A, "Local APIC Register Address Map"). */
  getLapic(): Uint8Array {
    return this.#get("KVM_GET_LAPIC", kvm_lapic_state).regs;
  }

  setLapic(regs: Uint8Array): void {
    this.#set("KVM_SET_LAPIC", kvm_lapic_state, { regs });
  }

  /** KVM_GET_NESTED_STATE: the state of a guest hypervisor; `data` follows the 128-byte header. */
  getNestedState(): KvmNestedState & { readonly data: Uint8Array } {
    const size = Math.max(this.#extension("KVM_CAP_NESTED_STATE"), kvm_nested_state.size);
    const encoded = new Uint8Array(size);
    encoded.set(kvm_nested_state.encode({ size }));
    this.callWith("KVM_GET_NESTED_STATE", encoded);
    return { ...kvm_nested_state.decode(encoded), data: encoded.slice(kvm_nested_state.size) };
  }

  setNestedState(state: Partial<KvmNestedState> & { readonly data?: Uint8Array }): void {
    const { data = new Uint8Array(), ...header } = state;
    const size = kvm_nested_state.size + data.length;
    const encoded = new Uint8Array(size);
    encoded.set(kvm_nested_state.encode({ ...header, size }));
    encoded.set(data, kvm_nested_state.size);
    this.callWith("KVM_SET_NESTED_STATE", encoded);
  }

  // ---- clocks and machine checks ----

  getTscKhz(): number {
    return this.call("KVM_GET_TSC_KHZ");
  }

  setTscKhz(khz: number): void {
    this.call("KVM_SET_TSC_KHZ", integerOf("khz", khz, 0, 0xffff_ffff));
  }

  /** KVM_KVMCLOCK_CTRL: tells the guest's watchdog that it was paused. */
  kvmclockCtrl(): void {
    this.call("KVM_KVMCLOCK_CTRL");
  }

  /** KVM_X86_SETUP_MCE: the number of banks in bits 7:0, and bits of Kvm.mceCapSupported(). */
  setupMce(mcgCap: bigint): void {
    this.#set("KVM_X86_SETUP_MCE", scalar_u64, { value: mcgCap });
  }

  /** KVM_X86_SET_MCE: injects a machine check. */
  setMce(mce: Partial<KvmX86Mce>): void {
    this.#set("KVM_X86_SET_MCE", kvm_x86_mce, mce);
  }

  /** KVM_GET_STATS_FD of the vCPU. Close it when done. */
  statistics(): Statistics {
    const result = handleOf(this).createFd(ioctlIndex.KVM_GET_STATS_FD);
    if (typeof result === "number") throw this.explain("KVM_GET_STATS_FD", result);
    return Statistics.over(result);
  }

  // ---- events, debugging, translation ----

  /** KVM_INTERRUPT: queues a vector; for virtual machines without an in-kernel interrupt controller. */
  interrupt(irq: number): void {
    this.#set("KVM_INTERRUPT", kvm_interrupt, { irq });
  }

  nmi(): void {
    this.call("KVM_NMI");
  }

  smi(): void {
    this.call("KVM_SMI");
  }

  /**
   * KVM_SET_SIGNAL_MASK: which signals are blocked during KVM_RUN, bit n - 1 for signal n; undefined: as outside. The
   * signal by which this package ends KVM_RUN is never blocked.
   */
  setSignalMask(signals: bigint | undefined): void {
    if (signals === undefined) {
      this.callWith("KVM_SET_SIGNAL_MASK", new Uint8Array());
      return;
    }
    const encoded = new Uint8Array(kvm_signal_mask.size + 8);
    encoded.set(kvm_signal_mask.encode({ len: 8 }));
    encoded.set(scalar_u64.encode({ value: signals }), kvm_signal_mask.size);
    this.callWith("KVM_SET_SIGNAL_MASK", encoded);
  }

  setGuestDebug(debug: Partial<KvmGuestDebug>): void {
    this.#set("KVM_SET_GUEST_DEBUG", kvm_guest_debug, debug);
  }

  /** KVM_TRANSLATE: what the guest's page tables make of a linear address. */
  translate(linear_address: bigint): KvmTranslation {
    return kvm_translation.decode(this.callWith("KVM_TRANSLATE", kvm_translation.encode({ linear_address })));
  }

  /** KVM_PRE_FAULT_MEMORY: maps guest memory ahead of its use; what is left to do, after a signal. */
  preFaultMemory(range: Partial<KvmPreFaultMemory>): KvmPreFaultMemory {
    return kvm_pre_fault_memory.decode(
      this.callWith("KVM_PRE_FAULT_MEMORY", kvm_pre_fault_memory.encode(range)),
    );
  }
}
