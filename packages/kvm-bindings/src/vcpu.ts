/**
 * A vCPU: its registers, its events, and KVM_RUN.
 *
 * A vCPU belongs to the thread that created it (KVM api.rst 1); calls from other threads throw, except kick().
 */
import type { CapabilityName } from "./capabilities.js";
import { KvmError } from "./errors.js";
import { decodeExit, type VcpuExit } from "./exit-reasons.js";
import { growing } from "./growing.js";
import { type IoctlName, ioctlIndex } from "./ioctls.js";
import { capabilityNumber, failure, handleOr, integerOf, KvmFd } from "./kvm-fd.js";
import type { Struct } from "./layout.js";
import { NATIVE, type NativeHandle, native } from "./load-native.js";
import type { StopSource } from "./stop-source.js";
import {
  type KvmCpuidEntry2,
  type KvmDebugregs,
  type KvmFpu,
  type KvmGuestDebug,
  type KvmMsrEntry,
  type KvmRegs,
  type KvmSregs,
  type KvmTranslation,
  type KvmVcpuEvents,
  type KvmXcrs,
  kvm_cpuid2,
  kvm_debugregs,
  kvm_enable_cap,
  kvm_fpu,
  kvm_guest_debug,
  kvm_interrupt,
  kvm_lapic_state,
  kvm_mp_state,
  kvm_msrs,
  kvm_regs,
  kvm_run,
  kvm_sregs,
  kvm_translation,
  kvm_vcpu_events,
  kvm_xcrs,
} from "./structs.js";
import type { Vm } from "./vm.js";

/** Register sets of kvm_run.kvm_valid_regs and kvm_dirty_regs (KVM_CAP_SYNC_REGS). */
export const KVM_SYNC_X86 = { REGS: 1n, SREGS: 2n, EVENTS: 4n } as const;

/** The kvm_run page, shared with the kernel; offsets are in `kvm_run` of structs.ts and in exit-reasons.ts. */
export interface RunPage {
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

/** Lists that came from the kernel, with the bytes they came in. */
const encodings = new WeakMap<readonly unknown[], Uint8Array>();

/** @internal */
export function rememberEncoding(entries: readonly unknown[], encoded: Uint8Array): void {
  encodings.set(entries, encoded);
}

const EXIT_REASON = kvm_run.fields["exit_reason"]!.offset;

export class Vcpu extends KvmFd {
  /** The APIC id that it was created with. */
  readonly vcpuId: number;
  readonly #vm: Vm | undefined;
  #page: RunPage | undefined;
  #stop: StopSource | undefined;

  private constructor(handle: NativeHandle, vcpuId: number, vm: Vm | undefined) {
    super(handle, `Vcpu ${vcpuId}`);
    this.vcpuId = vcpuId;
    this.#vm = vm;
  }

  /** @internal */
  static over(handle: NativeHandle, vcpuId: number, vm: Vm): Vcpu {
    return new Vcpu(handle, vcpuId, vm);
  }

  /** The vCPU with this id, which another thread owns: for kick(). Close it here as well. */
  static attach(id: number): Vcpu {
    const result = native().attach(id, 4);
    if (result === NATIVE.NO_SUCH_ID) throw new KvmError("ERR_KVM_NO_SUCH_ID", { what: "Vcpu", id });
    return new Vcpu(handleOr(result, "Vcpu", {}), -1, undefined);
  }

  protected override extension(number: number): number {
    return this.#vm === undefined || this.#vm.closed ? 1 : this.#vm.checkExtension(number);
  }

  override close(): void {
    if (this.#page !== undefined) native().detach(this.#page.view.buffer as ArrayBuffer);
    this.#page = undefined;
    this.#stop = undefined;
    this.#vm?.forget(this);
    super.close();
  }

  // ---- running ----

  /**
   * KVM_RUN: enters the guest and returns the number of the exit (KVM_EXIT), KVM_EXIT_INTR when stopped or kicked.
   * One native call per exit. With `stop`, that source ends it from any thread, by a time limit or by a signal.
   * Errors: ERR_KVM_IOCTL with EFAULT where the guest touches memory that the host cannot give.
   */
  run(stop?: StopSource): number {
    if (stop !== this.#stop) this.#bind(stop);
    for (;;) {
      const reason = this.handle.run();
      if (reason >= 0) return reason;
      // Back here, JavaScript gets the chance to end this thread: worker.terminate() takes effect in this loop.
      if (reason !== NATIVE.INTERRUPTED) throw failure(reason, `Vcpu ${this.vcpuId}`, { ioctl: "KVM_RUN" });
    }
  }

  #bind(stop: StopSource | undefined): void {
    this.checked(this.handle.bind(stop?.handle));
    this.#stop = stop;
  }

  /** Makes the present or next run() return KVM_EXIT_INTR, once; from any thread. */
  kick(): void {
    this.checked(this.handle.kick());
  }

  /** The shared page; made on first use, detached by close(). */
  get runPage(): RunPage {
    if (this.#page !== undefined) return this.#page;
    const buffer = this.handle.view(0, this.checked(this.handle.size()));
    if (typeof buffer === "number") throw failure(buffer, `Vcpu ${this.vcpuId}`, {});
    this.#page = { view: new DataView(buffer), bytes: new Uint8Array(buffer) };
    return this.#page;
  }

  /** The last exit with its payload, for slow paths; a run loop reads the page itself. */
  decodeExit(): VcpuExit {
    const { view } = this.runPage;
    return decodeExit(view, view.getUint32(EXIT_REASON, true));
  }

  // ---- registers ----

  #get<T>(name: IoctlName, layout: Struct<T>): T {
    return layout.decode(this.callWith(name, layout.encode({})));
  }

  #set<T>(name: IoctlName, layout: Struct<T>, value: Partial<T>): void {
    this.callWith(name, layout.encode(value));
  }

  getRegs(): KvmRegs {
    return this.#get("KVM_GET_REGS", kvm_regs);
  }

  /** Registers that are absent become 0. */
  setRegs(regs: Partial<KvmRegs>): void {
    this.#set("KVM_SET_REGS", kvm_regs, regs);
  }

  getSregs(): KvmSregs {
    return this.#get("KVM_GET_SREGS", kvm_sregs);
  }

  setSregs(sregs: KvmSregs): void {
    this.#set("KVM_SET_SREGS", kvm_sregs, sregs);
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

  /** The XSAVE area of KVM_GET_XSAVE2, KVM_GET_XSAVE where the host lacks it; 4096 bytes or more. */
  getXsave(): Uint8Array {
    const sizeBytes = this.#vm?.checkExtension("KVM_CAP_XSAVE2") ?? 0;
    const name = sizeBytes > 0 ? "KVM_GET_XSAVE2" : "KVM_GET_XSAVE";
    return this.callWith(name, new Uint8Array(Math.max(sizeBytes, 4096)));
  }

  setXsave(area: Uint8Array): void {
    this.callWith("KVM_SET_XSAVE", area);
  }

  /** KVM_GET_MSRS; ERR_KVM_ARGUMENT names the first register that the kernel does not know. */
  getMsrs(indices: readonly number[]): KvmMsrEntry[] {
    return this.#msrs(
      "KVM_GET_MSRS",
      indices.map((index) => ({ index })),
    );
  }

  /** KVM_SET_MSRS; ERR_KVM_ARGUMENT names the first register that was refused, those before it are set. */
  setMsrs(entries: readonly KvmMsrEntry[]): void {
    this.#msrs("KVM_SET_MSRS", entries);
  }

  #msrs(name: "KVM_GET_MSRS" | "KVM_SET_MSRS", entries: readonly Partial<KvmMsrEntry>[]): KvmMsrEntry[] {
    const encoded = kvm_msrs.encodeAll(entries);
    const done = this.handle.ioctl(ioctlIndex[name], 0, encoded);
    if (done < 0) throw this.explain(name, done);
    if (done === entries.length) return kvm_msrs.decodeAll(encoded);
    throw new KvmError("ERR_KVM_ARGUMENT", {
      what: name,
      ioctl: name,
      value: `0x${entries[done]!.index!.toString(16)}`,
      allowed: "registers and values that this host's KVM takes",
    });
  }

  /** KVM_SET_CPUID2: what the guest's CPUID shows; before the first run(). */
  setCpuid2(entries: readonly Readonly<KvmCpuidEntry2>[]): void {
    this.callWith("KVM_SET_CPUID2", encodings.get(entries) ?? kvm_cpuid2.encodeAll(entries));
  }

  getCpuid2(): KvmCpuidEntry2[] {
    const encoded = growing(128, 4096, (capacity) =>
      this.callWith("KVM_GET_CPUID2", kvm_cpuid2.room(capacity)),
    );
    return kvm_cpuid2.decodeAll(encoded);
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

  // ---- events and debugging ----

  /** KVM_INTERRUPT: queues a vector; without an in-kernel interrupt controller. */
  interrupt(irq: number): void {
    this.callWith("KVM_INTERRUPT", kvm_interrupt.encode({ irq }));
  }

  nmi(): void {
    this.call("KVM_NMI");
  }

  /** KVM_TRANSLATE: what the guest's page tables make of a linear address. */
  translate(linear_address: bigint): KvmTranslation {
    return kvm_translation.decode(this.callWith("KVM_TRANSLATE", kvm_translation.encode({ linear_address })));
  }

  setGuestDebug(debug: Partial<KvmGuestDebug>): void {
    this.#set("KVM_SET_GUEST_DEBUG", kvm_guest_debug, debug);
  }

  /** KVM_ENABLE_CAP on the vCPU. */
  enableCap(capability: CapabilityName | number, ...args: readonly bigint[]): void {
    const cap = capabilityNumber(capability);
    this.callWith("KVM_ENABLE_CAP", kvm_enable_cap.encode({ cap, args: [...args] }));
  }

  /** KVM_GET_TSC_KHZ. */
  getTscKhz(): number {
    return this.call("KVM_GET_TSC_KHZ");
  }

  setTscKhz(khz: number): void {
    this.call("KVM_SET_TSC_KHZ", integerOf("khz", khz, 0, 0xffff_ffff));
  }
}
