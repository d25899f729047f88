/**
 * A vCPU: KVM_RUN, the page that it shares with the kernel, and the rings behind that page. Its state is in
 * vcpu-state.ts.
 *
 * A vCPU belongs to the thread that created it (KVM api.rst 1); calls from other threads throw, except kick().
 */
import { checkpoint } from "./checkpoint.js";
import { instanceOf, integerOf } from "./checks.js";
import { KvmError } from "./errors.js";
import { decodeExit, type VcpuExit } from "./exit-reasons.js";
import { attach, handleOf } from "./handled.js";
import { fdKinds } from "./ioctls.js";
import { NATIVE, type NativeHandle, native } from "./load-native.js";
import { StopSource } from "./stop-source.js";
import {
  type KvmCoalescedMmio,
  type KvmDirtyGfn,
  kvm_coalesced_mmio,
  kvm_coalesced_mmio_ring,
  kvm_dirty_gfn,
  kvm_run,
} from "./structs.js";
import { VcpuState } from "./vcpu-state.js";
import type { Vm } from "./vm.js";

/** Register sets of kvm_run.kvm_valid_regs and kvm_dirty_regs (KVM_CAP_SYNC_REGS). */
export const KVM_SYNC_X86 = { REGS: 1n, SREGS: 2n, EVENTS: 4n } as const;

/** The kvm_run page, shared with the kernel; offsets are in `kvm_run` of structs.ts and in exit-reasons.ts. */
export interface RunPage {
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

const EXIT_REASON = kvm_run.fields["exit_reason"]!.offset;

// KVM api.rst 4.116: the ring fills the third page of the vCPU's mapping.
const COALESCED_PAGE = 2 * 4096;
const COALESCED_ENTRIES = Math.floor((4096 - kvm_coalesced_mmio_ring.size) / kvm_coalesced_mmio.size);

/** KVM_DIRTY_GFN_F_DIRTY and _RESET. */
const GFN_DIRTY = 1;
const GFN_RESET = 2;

/**
 * Which vCPU the native run() of this thread runs: the last one that did, by a number that keeps nothing alive. Most
 * threads have one vCPU, so that most exits cost one native call without an argument.
 */
let selected = 0;
let runSelected: () => number;
let serialNumbers = 0;

export class Vcpu extends VcpuState {
  /** The APIC id that it was created with; -1 where attached. */
  readonly vcpuId: number;
  readonly #vm: Vm | undefined;
  readonly #serial = ++serialNumbers;
  #page: RunPage | undefined;
  #stop: StopSource | undefined;
  #dirtyRing: { readonly words: Int32Array; readonly view: DataView; next: number } | undefined;

  private constructor(handle: NativeHandle, vcpuId: number, vm: Vm | undefined) {
    super(handle, vm === undefined ? "Vcpu" : `Vcpu ${vcpuId}`);
    this.vcpuId = vcpuId;
    this.#vm = vm;
  }

  /** @internal */
  static over(handle: NativeHandle, vcpuId: number, vm: Vm): Vcpu {
    return new Vcpu(handle, vcpuId, vm);
  }

  /** The vCPU with this id, which another thread owns: for kick(). Close it here as well. */
  static attach(id: number): Vcpu {
    return new Vcpu(attach("Vcpu", id, fdKinds.vcpu), -1, undefined);
  }

  protected override extension(number: number): number {
    return this.#vm === undefined || this.#vm.closed ? 0 : this.#vm.checkExtension(number);
  }

  override close(): void {
    if (this.#page !== undefined) native().detach(this.#page.bytes.buffer as ArrayBuffer);
    if (this.#dirtyRing !== undefined) native().detach(this.#dirtyRing.words.buffer as ArrayBuffer);
    this.#page = undefined;
    this.#dirtyRing = undefined;
    this.#stop = undefined;
    if (selected === this.#serial) selected = 0;
    this.#vm?.forget(this);
    super.close();
  }

  /**
   * KVM_RUN: enters the guest and returns the number of the exit (KVM_EXIT), KVM_EXIT_INTR when stopped or kicked.
   * One native call per exit. With `stop`, that source ends it from any thread, by a time limit or by a signal.
   * Errors: ERR_KVM_IOCTL with EFAULT where the guest touches memory that the host cannot give.
   */
  run(stop?: StopSource): number {
    if (selected !== this.#serial || stop !== this.#stop) this.#select(stop);
    for (;;) {
      const reason = runSelected();
      if (reason >= 0) return reason;
      if (reason !== NATIVE.INTERRUPTED) throw this.failed(reason, { ioctl: "KVM_RUN" });
      checkpoint();
    }
  }

  #select(stop: StopSource | undefined): void {
    const handle = instanceOf("Vcpu.run: stop", stop, StopSource) && handleOf(stop!);
    this.checked(handleOf(this).bind(handle));
    this.#stop = stop;
    selected = this.#serial;
    runSelected = native().run;
  }

  /** Makes the present or next run() return KVM_EXIT_INTR, once; from any thread. */
  kick(): void {
    this.checked(handleOf(this).kick());
  }

  /** The shared page; made on first use, detached by close(). */
  get runPage(): RunPage {
    if (this.#page !== undefined && this.#page.bytes.length !== 0) return this.#page;
    const buffer = handleOf(this).view(0, this.checked(handleOf(this).size()));
    if (typeof buffer === "number") throw this.failed(buffer);
    this.#page = { view: new DataView(buffer), bytes: new Uint8Array(buffer) };
    return this.#page;
  }

  /** The last exit with its payload, for slow paths; a run loop reads the page itself. */
  decodeExit(): VcpuExit {
    const { view } = this.runPage;
    return decodeExit(view, view.getUint32(EXIT_REASON, true));
  }

  /** Takes the writes that Vm.registerCoalescedMmio() kept from exiting, oldest first. */
  takeCoalescedMmio(): KvmCoalescedMmio[] {
    const { view } = this.runPage;
    const writes: KvmCoalescedMmio[] = [];
    const { first, last } = kvm_coalesced_mmio_ring.read(view, COALESCED_PAGE);
    // The page is the kernel's: indices are taken modulo the ring, whatever they say.
    const end = last % COALESCED_ENTRIES;
    let index = first % COALESCED_ENTRIES;
    for (; index !== end; index = (index + 1) % COALESCED_ENTRIES) {
      const entry = COALESCED_PAGE + kvm_coalesced_mmio_ring.size + index * kvm_coalesced_mmio.size;
      writes.push(kvm_coalesced_mmio.read(view, entry));
    }
    kvm_coalesced_mmio_ring.write(view, { first: index }, COALESCED_PAGE);
    return writes;
  }

  /**
   * Maps the dirty ring; `sizeBytes` as the virtual machine's KVM_CAP_DIRTY_LOG_RING_ACQ_REL was enabled with, before
   * the vCPU was created (KVM api.rst 8.29).
   */
  mapDirtyRing(sizeBytes: number): void {
    integerOf("Vcpu.mapDirtyRing: sizeBytes", sizeBytes, 4096, 0xffff_ffff);
    const buffer = handleOf(this).dirtyRing(sizeBytes);
    if (typeof buffer === "number") throw this.failed(buffer, { syscall: "mmap" });
    this.#dirtyRing = { words: new Int32Array(buffer), view: new DataView(buffer), next: 0 };
  }

  /** Takes the pages that were written, in order; Vm.resetDirtyRings() makes their entries usable again. */
  takeDirtyGfns(): KvmDirtyGfn[] {
    const ring = this.#dirtyRing;
    if (ring === undefined)
      throw new KvmError("ERR_KVM_ARGUMENT", {
        what: "Vcpu.takeDirtyGfns",
        value: undefined,
        allowed: "after mapDirtyRing()",
      });
    const { words, view } = ring;
    const wordsPerEntry = kvm_dirty_gfn.size / 4;
    const taken: KvmDirtyGfn[] = [];
    // Atomics order the flag before the rest of the entry, and the entry before the flag.
    while (words.length !== 0 && Atomics.load(words, ring.next * wordsPerEntry) & GFN_DIRTY) {
      taken.push(kvm_dirty_gfn.read(view, ring.next * kvm_dirty_gfn.size));
      Atomics.store(words, ring.next * wordsPerEntry, GFN_RESET);
      ring.next = (ring.next + 1) % (words.length / wordsPerEntry);
    }
    return taken;
  }
}
