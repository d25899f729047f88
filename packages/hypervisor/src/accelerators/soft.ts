/**
 * The accelerator over a software CPU, @kvmkit/x86-cpu: an optional package, loaded when it is asked for.
 *
 * Guest memory and processor state lie in one WebAssembly memory. It is shared between threads where the platform
 * lets pages share memory (Node.js always does); in a page that is not cross-origin isolated it is not, and needs not
 * be, because nothing there runs in a worker.
 */
import type { Cpu, CpuExit, CpuMemory, EngineChoice, WasmMemory } from "@kvmkit/x86-cpu";
import { InternalError, reasonOf, VmError } from "../errors.js";
import type { StopSource } from "../host/stop-source.js";
import type { MemoryRange } from "../memory/memory-map.js";
import { type AddressSpace, addressSpaceOf } from "../memory/page-walk.js";
import {
  type AcceleratedMachine,
  type Accelerator,
  EXIT,
  type ExitDetails,
  type MemoryBacking,
  type MemoryToken,
  type PortAccess,
  REGISTER_NAMES,
  type Registers,
  type SystemRegisters,
  type VirtualCpu,
} from "./accelerator.js";

type Software = typeof import("@kvmkit/x86-cpu");

/** Errors: ERR_VM_ACCEL_NOT_BUILT_IN. */
export async function openSoftAccelerator(): Promise<Accelerator> {
  try {
    return new SoftAccelerator(await import("@kvmkit/x86-cpu"));
  } catch (error) {
    const facts = { accel: "soft", reason: reasonOf(error) };
    throw new VmError("ERR_VM_ACCEL_NOT_BUILT_IN", facts, { cause: error });
  }
}

export class SoftAccelerator implements Accelerator {
  readonly name = "soft";
  readonly traits = { ring0Emulated: false };
  readonly #software: Software;
  readonly #engine: EngineChoice;

  /** `engine`: for tests to take another than the fastest. */
  constructor(software: Software, engine: EngineChoice = "auto") {
    this.#software = software;
    this.#engine = engine;
  }

  allocateMemory(sizeBytes: number): MemoryBacking {
    const shared = typeof SharedArrayBuffer !== "undefined";
    return asVmError(
      "guest memory",
      () => new SoftMemory(this.#software.CpuMemory.create({ sizeBytes, shared })),
    );
  }

  attachMemory(token: MemoryToken): MemoryBacking {
    return asVmError(
      "guest memory",
      () => new SoftMemory(this.#software.CpuMemory.adopt(token as WasmMemory)),
    );
  }

  createMachine(memory: MemoryBacking, ranges: readonly MemoryRange[]): AcceleratedMachine {
    return new SoftMachine(this.#software, (memory as SoftMemory).native, ranges, this.#engine);
  }
}

/** What the garbage collector is told that a shared memory weighs: this part of its size. */
const TOLD_PART = 8;

/** A WebAssembly memory cannot be unmapped: it goes with its last view, when that is collected. */
class SoftMemory implements MemoryBacking {
  readonly native: CpuMemory;
  /**
   * V8 does not count shared memory as its own, and would collect machines that were closed only after gigabytes of them.
   * This it counts; nobody writes to it, so it takes no memory.
   */
  readonly weight: ArrayBuffer;

  constructor(native: CpuMemory) {
    this.native = native;
    this.weight = new ArrayBuffer(
      native.ram.buffer instanceof ArrayBuffer ? 0 : native.ram.length / TOLD_PART,
    );
  }

  get token(): MemoryToken {
    return this.native.wasm;
  }

  get sizeBytes(): number {
    return this.native.ram.length;
  }

  bytes(offset: number, length: number): Uint8Array {
    return this.native.ram.subarray(offset, offset + length);
  }

  close(): void {}
}

class SoftMachine implements AcceleratedMachine {
  readonly #software: Software;
  readonly #memory: CpuMemory;
  readonly #ranges: readonly MemoryRange[];
  readonly #engine: EngineChoice;

  constructor(software: Software, memory: CpuMemory, ranges: readonly MemoryRange[], engine: EngineChoice) {
    this.#software = software;
    this.#memory = memory;
    this.#ranges = ranges;
    this.#engine = engine;
  }

  createCpu(id: number): VirtualCpu {
    if (id !== 0)
      throw new InternalError("a software CPU's state lies in its memory, which has room for one");
    const regions = this.#ranges.map(({ start, size, offset }, slot) => {
      return { slot, flags: 0, guest_phys_addr: start, memory_size: size, offset };
    });
    const options = { memory: this.#memory, regions, engine: this.#engine };
    return asVmError("a vCPU", () => new SoftCpu(new this.#software.Cpu(options)));
  }

  /** The software CPU walks the guest's own tables; what it keeps of them is dropped as on hardware. */
  flushShadow(): void {}

  close(): void {}
}

/** Milliseconds between two looks at the stop source, and the instructions that such a slice may have. */
const SLICE_MS = 5;
const SLICE = { first: 100_000, least: 50_000, most: 2_000_000 } as const;

class SoftCpu implements VirtualCpu {
  readonly registers = new BigUint64Array(REGISTER_NAMES.length);
  readonly registers32 = new Uint32Array(this.registers.buffer);
  readonly #cpu: Cpu;
  readonly #port = new SoftPortAccess();
  readonly #slice: { budget: number } = { budget: SLICE.first };
  #exit: CpuExit | undefined;
  #changed = false;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#readRegisters();
  }

  get portAccess(): PortAccess {
    return this.#port;
  }

  registersChanged(): void {
    this.#changed = true;
  }

  /** Ends with KVM_EXIT_INTR after a slice too; whoever runs it asks `stop` and runs it again. */
  run(stop: StopSource | undefined): number {
    if (stop?.reason !== undefined) return EXIT.KVM_EXIT_INTR;
    if (this.#changed) this.#writeRegisters();
    const startedAt = performance.now();
    const exit = this.#cpu.run(this.#slice);
    this.#exit = exit;
    if (exit.reason === "KVM_EXIT_IO") this.#port.exit = exit;
    else if (exit.reason === "KVM_EXIT_INTR") this.#fitSlice(performance.now() - startedAt);
    this.#readRegisters();
    return EXIT[exit.reason];
  }

  /** How fast instructions are depends on which they are, on the engine and on the host; results do not depend on slices. */
  #fitSlice(tookMs: number): void {
    const fitting = Math.round((this.#slice.budget * SLICE_MS) / tookMs);
    this.#slice.budget = Math.min(Math.max(fitting, SLICE.least), SLICE.most);
  }

  #writeRegisters(): void {
    this.#changed = false;
    const values = {} as Registers;
    for (let index = 0; index < REGISTER_NAMES.length; index++) {
      values[REGISTER_NAMES[index]!] = this.registers[index]!;
    }
    this.#cpu.setRegs(values);
  }

  #readRegisters(): void {
    const values = this.#cpu.getRegs();
    for (let index = 0; index < REGISTER_NAMES.length; index++) {
      this.registers[index] = values[REGISTER_NAMES[index]!];
    }
  }

  exitDetails(): ExitDetails {
    const exit = this.#exit;
    if (exit === undefined) return { exit: "KVM_EXIT_UNKNOWN" };
    switch (exit.reason) {
      case "KVM_EXIT_MMIO": {
        const { phys_addr, len, is_write } = exit;
        return { exit: exit.reason, address: BigInt(phys_addr), sizeBytes: len, isWrite: is_write !== 0 };
      }
      case "KVM_EXIT_INTERNAL_ERROR":
        return { exit: exit.reason, suberror: exit.suberror, instruction: exit.insn_bytes };
      default:
        return { exit: exit.reason };
    }
  }

  addressSpace(): AddressSpace {
    return addressSpaceOf(this.#cpu.getSregs());
  }

  getSystemRegisters(): SystemRegisters {
    return this.#cpu.getSregs();
  }

  setSystemRegisters(registers: SystemRegisters): void {
    asVmError("system registers", () => this.#cpu.setSregs({ ...this.#cpu.getSregs(), ...registers }));
  }

  close(): void {}
}

const KVM_EXIT_IO_OUT = 1;

/** The data of an exit is the guest's own bytes: little-endian, one element after another. */
class SoftPortAccess implements PortAccess {
  exit: Extract<CpuExit, { reason: "KVM_EXIT_IO" }> = {
    reason: "KVM_EXIT_IO",
    direction: 0,
    port: 0,
    size: 1,
    count: 0,
    data: new Uint8Array(),
  };

  get port(): number {
    return this.exit.port;
  }

  get isOut(): boolean {
    return this.exit.direction === KVM_EXIT_IO_OUT;
  }

  get sizeBytes(): number {
    return this.exit.size;
  }

  get count(): number {
    return this.exit.count;
  }

  value(index: number): number {
    const { data, size } = this.exit;
    let value = 0;
    for (let byte = 0; byte < size; byte++) value |= data[index * size + byte]! << (byte * 8);
    return value >>> 0;
  }

  setValue(index: number, value: number): void {
    const { data, size } = this.exit;
    for (let byte = 0; byte < size; byte++) data[index * size + byte] = value >>> (byte * 8);
  }
}

/** What the software CPU, or a host without the memory, refuses. */
function asVmError<T>(operation: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new VmError("ERR_VM_HOST", { operation, reason: reasonOf(error) }, { cause: error });
  }
}
