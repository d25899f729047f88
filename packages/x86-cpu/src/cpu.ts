/** One virtual processor: what a VMM holds. It looks like a KVM vCPU; which engine executes is a matter of options. */
import { RFLAGS, Vector } from "./architecture.js";
import { CodeCache } from "./code-cache.js";
import { setCpuid, supportedCpuid } from "./cpuid.js";
import { CpuError } from "./errors.js";
import { deliver, type Event } from "./exceptions.js";
import type { CpuExit } from "./exits.js";
import { Ended, Interpreter } from "./interpreter.js";
import {
  getDebugregs,
  getFpu,
  getRegs,
  getSregs,
  getVcpuEvents,
  setDebugregs,
  setFpu,
  setRegs,
  setSregs,
  setVcpuEvents,
} from "./kvm-state.js";
import type {
  KvmDebugregs,
  KvmFpu,
  KvmMsrEntry,
  KvmRegs,
  KvmSregs,
  KvmTranslation,
  KvmVcpuEvents,
} from "./kvm-types.js";
import { State } from "./layout.js";
import { type CpuidEntry, type ExternalAccess, Machine, Shadow } from "./machine.js";
import { CpuMemory, type MemoryRegion } from "./memory.js";
import { readMsr, writeMsr } from "./msrs.js";
import { flushTlb, isCanonical, Kind, walk } from "./paging.js";
import { reset } from "./reset.js";
import { type CpuSnapshot, checkSnapshot, copyAccess, machineSnapshot, restoreMachine } from "./snapshot.js";
import { WasmEngine } from "./wasm/engine.js";

const INTERRUPT = State.interrupt >> 2;
const SHADOW = State.shadow >> 2;
const NMI_PENDING = State.nmiPending >> 2;
const NMI_BLOCKED = State.nmiBlocked >> 2;
const NONE = -1;

export type EngineName = "wasm" | "typescript";
export type EngineChoice = EngineName | "auto";

export interface CpuOptions {
  /** Guest memory; a number makes one of so many bytes. */
  readonly memory: CpuMemory | number;
  /** What CPUID says; default `supportedCpuid()`. */
  readonly cpuid?: readonly CpuidEntry[];
  /**
   * What executes: `wasm` emits a WebAssembly module, `typescript` runs where code generation is forbidden, and is slower.
   * Results are the same to the bit. Default `auto`: the first, where the host can.
   */
  readonly engine?: EngineChoice;
  /** Where guest memory appears; default all of it at address 0. */
  readonly regions?: readonly MemoryRegion[];
}

export interface RunOptions {
  /** Instructions after which `run` returns KVM_EXIT_INTR, exactly. Default: no limit. */
  readonly budget?: number;
  /** `run` returns KVM_EXIT_INTR soon after another thread stores a non-zero value at index 0. */
  readonly stop?: Int32Array;
}

const NO_REGION = { flags: 0, guest_phys_addr: 0, memory_size: 0, offset: 0 };

/** Instructions between two looks at the stop flag: about a millisecond. */
const SLICE = 50_000;

export class Cpu {
  readonly memory: CpuMemory;
  /** `kvm_run.request_interrupt_window`: leave with KVM_EXIT_IRQ_WINDOW_OPEN once an interrupt could be injected. */
  requestInterruptWindow = false;
  private readonly m: Machine;
  private readonly cache: CodeCache;
  private readonly interpreter: Interpreter;
  private readonly wasm: WasmEngine | undefined;
  /** What the last exit asked for, and where the instruction is that waits for it. */
  private awaited: ExternalAccess | undefined;
  private injected: Event | undefined;

  constructor(options: CpuOptions) {
    this.memory =
      typeof options.memory === "number" ? CpuMemory.create({ sizeBytes: options.memory }) : options.memory;
    this.m = new Machine(this.memory);
    this.cache = new CodeCache(this.m);
    this.interpreter = new Interpreter(this.m, this.cache);
    this.wasm = this.chooseEngine(options.engine ?? "auto");
    const all = { slot: 0, flags: 0, guest_phys_addr: 0, memory_size: this.memory.ram.length, offset: 0 };
    for (const region of options.regions ?? [all]) this.m.physical.setRegion(region);
    setCpuid(this.m, options.cpuid ?? supportedCpuid());
    this.reset();
  }

  private chooseEngine(choice: EngineChoice): WasmEngine | undefined {
    if (choice === "typescript") return undefined;
    try {
      return new WasmEngine(this.m, this.cache, this.interpreter);
    } catch (error) {
      if (choice === "auto" && error instanceof CpuError) return undefined;
      throw error;
    }
  }

  /** What executes. */
  get engine(): EngineName {
    return this.wasm ? "wasm" : "typescript";
  }

  /** Power-up state (SDM Vol. 3A, "Processor State After Reset"); guest memory stays. */
  reset(): void {
    this.awaited = this.injected = undefined;
    this.m.done.length = 0;
    reset(this.m);
  }

  // --- state, in KVM's structures ---

  getRegs(): KvmRegs {
    return getRegs(this.m);
  }

  /** An instruction that waits for the data of an exit is given up if RIP changes. */
  setRegs(regs: KvmRegs): void {
    if (regs.rip !== this.m.view.getBigUint64(State.rip, true)) this.awaited = undefined;
    setRegs(this.m, regs);
  }

  getSregs(): KvmSregs {
    return getSregs(this.m);
  }

  /** Throws `ERR_CPU_STATE` for a state that the processor cannot have. */
  setSregs(sregs: KvmSregs): void {
    setSregs(this.m, sregs);
  }

  getFpu(): KvmFpu {
    return getFpu(this.m);
  }

  setFpu(fpu: KvmFpu): void {
    setFpu(this.m, fpu);
  }

  getDebugregs(): KvmDebugregs {
    return getDebugregs(this.m);
  }

  setDebugregs(debugregs: KvmDebugregs): void {
    setDebugregs(this.m, debugregs);
  }

  getVcpuEvents(): KvmVcpuEvents {
    const events = getVcpuEvents(this.m);
    const { injected } = this;
    if (injected === undefined) return events;
    const hasError = injected.error >= 0 ? 1 : 0;
    const exception = { injected: 1, nr: injected.vector, has_error_code: hasError, pending: 0 };
    return { ...events, exception: { ...exception, error_code: hasError ? injected.error : 0 } };
  }

  /** `exception.injected` delivers that exception before the next instruction. */
  setVcpuEvents(events: KvmVcpuEvents): void {
    const { injected, nr, has_error_code, error_code } = events.exception;
    setVcpuEvents(this.m, events);
    const error = has_error_code ? error_code : -1;
    this.injected = injected ? { vector: nr & 31, error, software: false, resume: true } : undefined;
  }

  /** Throws `ERR_CPU_MSR`. */
  getMsr(index: number): bigint {
    const lo = readMsr(this.m, index >>> 0);
    if (lo === undefined) throw new CpuError("ERR_CPU_MSR", `MSR 0x${index.toString(16)}`, { index });
    return (BigInt(this.m.hi >>> 0) << 32n) | BigInt(lo >>> 0);
  }

  /** Throws `ERR_CPU_MSR` where the register does not exist or cannot have the value. */
  setMsrs(entries: readonly KvmMsrEntry[]): void {
    for (const { index, data } of entries) {
      const [lo, hi] = [Number(BigInt.asIntN(32, data)), Number(BigInt.asIntN(32, data >> 32n))];
      if (writeMsr(this.m, index >>> 0, lo, hi)) continue;
      const problem = `MSR 0x${index.toString(16)} = 0x${data.toString(16)}`;
      throw new CpuError("ERR_CPU_MSR", problem, { index, data });
    }
  }

  setCpuid2(entries: readonly CpuidEntry[]): void {
    setCpuid(this.m, entries);
    flushTlb(this.m);
  }

  /** Adds, replaces or (memory_size 0) removes a slot. Throws `ERR_CPU_MEMORY_REGION`. */
  setUserMemoryRegion(region: MemoryRegion): void {
    this.m.physical.setRegion(region);
    flushTlb(this.m);
  }

  /** KVM_TRANSLATE: what a supervisor read of a linear address would find. */
  translate(linear_address: bigint): KvmTranslation {
    const lo = Number(BigInt.asIntN(32, linear_address));
    const hi = Number(BigInt.asIntN(32, linear_address >> 32n));
    const nothing = { linear_address, physical_address: 0n, valid: 0, writeable: 0, usermode: 0 };
    if (this.m.longMode && !isCanonical(hi)) return nothing;
    const { error, gpa, writable, user } = walk(this.m, lo, hi, Kind.read, false, true);
    if (error !== 0) return nothing;
    return {
      linear_address,
      physical_address: BigInt(gpa),
      valid: 1,
      writeable: writable ? 1 : 0,
      usermode: user ? 1 : 0,
    };
  }

  /** Instructions begun since reset. */
  get instructions(): number {
    return this.m.instructions;
  }

  // --- snapshots ---

  /** The state between two runs as plain data. Answer the exit first: its data is copied as it is. Guest memory is yours. */
  snapshot(): CpuSnapshot {
    const { m, awaited, injected, requestInterruptWindow } = this;
    const accesses = awaited ? [...m.done, awaited].map(copyAccess) : [];
    return {
      ...machineSnapshot(m),
      accesses,
      injected: injected && { ...injected },
      requestInterruptWindow,
    };
  }

  /**
   * Goes on from a snapshot, of this or another processor and of either engine, with guest memory as it was then. Throws
   * `ERR_CPU_SNAPSHOT` and changes nothing.
   */
  restore(snapshot: CpuSnapshot): void {
    const { m } = this;
    checkSnapshot(m, snapshot);
    for (const { slot } of m.physical.regions) m.physical.setRegion({ ...NO_REGION, slot });
    for (const region of snapshot.regions) m.physical.setRegion(region);
    setCpuid(m, snapshot.cpuid);
    restoreMachine(m, snapshot);
    const accesses = snapshot.accesses.map(copyAccess);
    this.awaited = accesses.pop();
    m.done.push(...accesses);
    this.injected = snapshot.injected && { ...snapshot.injected };
    this.requestInterruptWindow = snapshot.requestInterruptWindow;
  }

  // --- events ---

  /** `kvm_run.if_flag` */
  get ifFlag(): boolean {
    return (this.m.flags & RFLAGS.IF) !== 0;
  }

  /** `kvm_run.ready_for_interrupt_injection` */
  get readyForInterruptInjection(): boolean {
    return this.ifFlag && this.m.i32[SHADOW] === 0 && this.m.i32[INTERRUPT] === NONE;
  }

  /** KVM_INTERRUPT: queues an external interrupt. Throws `ERR_CPU_INTERRUPT` where one is queued already. */
  interrupt(vector: number): void {
    if (!Number.isInteger(vector) || vector < 0 || vector > 255 || this.m.i32[INTERRUPT] !== NONE) {
      const queued = this.m.i32[INTERRUPT]!;
      throw new CpuError("ERR_CPU_INTERRUPT", `interrupt ${vector}, queued: ${queued}`, { vector, queued });
    }
    this.m.i32[INTERRUPT] = vector;
    this.m.attention = true;
  }

  /** KVM_NMI: queues a non-maskable interrupt. */
  nmi(): void {
    this.m.i32[NMI_PENDING] = 1;
    this.m.attention = true;
  }

  // --- execution ---

  /** Executes until something needs the VMM. Throws `ERR_CPU_BUDGET`. */
  run({ budget = Number.POSITIVE_INFINITY, stop }: RunOptions = {}): CpuExit {
    const isCount = budget === Number.POSITIVE_INFINITY || (Number.isSafeInteger(budget) && budget > 0);
    if (!isCount) throw new CpuError("ERR_CPU_BUDGET", `a budget of ${budget}`, { budget });
    const { m } = this;
    this.cache.beginRun();
    this.wasm?.beginRun();
    this.resume();
    const end = m.instructions + budget;
    for (;;) {
      const exit = this.boundary();
      if (exit) return exit;
      if (m.instructions >= end) return { reason: "KVM_EXIT_INTR", cause: "budget" };
      if (stop && Atomics.load(stop, 0) !== 0) return { reason: "KVM_EXIT_INTR", cause: "stop" };
      const ended = this.execute(Math.min(SLICE, end - m.instructions));
      if (ended === Ended.external) return this.externalExit();
      if (ended === Ended.unsupported) return this.internalError();
    }
  }

  /** Hands the answer of the last exit to the instruction that waits for it. */
  private resume(): void {
    if (this.awaited) this.m.done.push(this.awaited);
    else this.m.done.length = 0;
    this.awaited = undefined;
  }

  /** Whether the next instruction needs the careful path: events around it, or accesses to replay. */
  private execute(count: number): number {
    const { m, interpreter } = this;
    const careful =
      (m.flags & (RFLAGS.TF | RFLAGS.RF)) !== 0 || m.i32[SHADOW] !== 0 || m.breakpoints || m.done.length > 0;
    if (careful) return interpreter.step();
    return this.wasm ? this.wasm.burst(count) : interpreter.burst(count);
  }

  /** Looks at everything that can come between two instructions. SDM Vol. 3A, "Priority Among Simultaneous Events". */
  private boundary(): CpuExit | undefined {
    const { m } = this;
    if (m.i32[State.shutdown >> 2]) return { reason: "KVM_EXIT_SHUTDOWN" };
    if (m.pending) return this.postedExit();
    if (m.i32[State.halted >> 2]) {
      m.i32[State.halted >> 2] = 0;
      return { reason: "KVM_EXIT_HLT" };
    }
    if (m.done.length > 0) return undefined;
    if (this.injected) {
      if (!deliver(m, this.injected)) return this.internalError();
      this.injected = undefined;
      return this.boundary();
    }
    return this.asynchronousEvents();
  }

  private asynchronousEvents(): CpuExit | undefined {
    const { m } = this;
    const shadow = m.i32[SHADOW]!;
    if (m.i32[NMI_PENDING] && !m.i32[NMI_BLOCKED] && (shadow & Shadow.MOV_SS) === 0) {
      if (!deliver(m, { vector: Vector.NMI, error: -1, software: false, resume: false }))
        return this.internalError();
      m.i32[NMI_PENDING] = 0;
      m.i32[NMI_BLOCKED] = 1;
      return this.boundary();
    }
    if (!this.ifFlag || shadow !== 0) return undefined;
    const vector = m.i32[INTERRUPT]!;
    if (vector !== NONE) {
      if (!deliver(m, { vector, error: -1, software: false, resume: false })) return this.internalError();
      m.i32[INTERRUPT] = NONE;
      return this.boundary();
    }
    return this.requestInterruptWindow ? { reason: "KVM_EXIT_IRQ_WINDOW_OPEN" } : undefined;
  }

  /** An output that nothing waits for. */
  private postedExit(): CpuExit {
    const access = this.m.pending!;
    this.m.pending = undefined;
    return exitFor(access);
  }

  private externalExit(): CpuExit {
    const access = this.m.pending!;
    this.m.pending = undefined;
    this.awaited = access;
    return exitFor(access);
  }

  private internalError(): CpuExit {
    return { reason: "KVM_EXIT_INTERNAL_ERROR", suberror: 1, insn_bytes: this.instructionBytes() };
  }

  private instructionBytes(): Uint8Array {
    const { m } = this;
    const rip = m.view.getBigUint64(State.rip, true);
    const base = m.long64 ? 0n : m.view.getBigUint64(State.segments + 32, true);
    const { valid, physical_address } = this.translate(BigInt.asUintN(64, rip + base));
    const pointer = valid ? m.physical.pointer(Number(physical_address)) : -1;
    const length = Math.min(15, 0x1000 - Number(rip & 0xfffn));
    return pointer < 0 ? new Uint8Array(0) : m.u8.slice(pointer, pointer + length);
  }
}

function exitFor(access: ExternalAccess): CpuExit {
  const { kind, address, size, count, data, write } = access;
  if (kind === "mmio") {
    return { reason: "KVM_EXIT_MMIO", phys_addr: address, data, len: size, is_write: write ? 1 : 0 };
  }
  return { reason: "KVM_EXIT_IO", direction: write ? 1 : 0, port: address, size, count, data };
}
