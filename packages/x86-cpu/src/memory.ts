/**
 * The one WebAssembly memory, and guest-physical addresses in it.
 *
 * The memory is allocated at its full size and never grows, so that views of it stay valid for good. Guest RAM
 * is one range of it; regions say at which guest-physical addresses parts of that range appear
 * (KVM api.rst, "KVM_SET_USER_MEMORY_REGION"). What no region covers is MMIO.
 */
import { CpuError } from "./errors.js";
import { LAYOUT_VERSION, MAX_GUEST_MEMORY, PAGE_SIZE, RAM_BASE, State, WASM_PAGE } from "./layout.js";
import { type WasmMemory, webAssembly } from "./webassembly.js";

/** `KVM_MEM_READONLY`: guest writes become MMIO exits. */
export const KVM_MEM_READONLY = 2;

/** One slot, in the field names of `kvm_userspace_memory_region`; `offset` (bytes into guest RAM) for the host address. */
export interface MemoryRegion {
  readonly slot: number;
  readonly flags: number;
  readonly guest_phys_addr: number;
  readonly memory_size: number;
  readonly offset: number;
}

export interface CpuMemoryOptions {
  /** Guest RAM in bytes, a multiple of 4 KiB. */
  readonly sizeBytes: number;
  /** Let other threads see the memory (needs cross-origin isolation in a browser). Default false. */
  readonly shared?: boolean;
}

/** The memory of one virtual machine. A shared one can be posted to a worker and adopted there. */
export class CpuMemory {
  readonly wasm: WasmMemory;
  /** All guest RAM. */
  readonly ram: Uint8Array;

  private constructor(wasm: WasmMemory, sizeBytes: number) {
    this.wasm = wasm;
    this.ram = new Uint8Array(wasm.buffer, RAM_BASE, sizeBytes);
  }

  /** Throws `ERR_CPU_MEMORY_SIZE`; `RangeError` where the host has no such memory. */
  static create({ sizeBytes, shared = false }: CpuMemoryOptions): CpuMemory {
    if (
      !Number.isInteger(sizeBytes) ||
      sizeBytes < PAGE_SIZE ||
      sizeBytes % PAGE_SIZE !== 0 ||
      sizeBytes > MAX_GUEST_MEMORY
    ) {
      throw new CpuError("ERR_CPU_MEMORY_SIZE", `${sizeBytes} bytes of guest memory`, { sizeBytes });
    }
    const pages = Math.ceil((RAM_BASE + sizeBytes) / WASM_PAGE);
    const wasm = allocate(pages, shared);
    const header = new DataView(wasm.buffer);
    header.setUint32(State.end, LAYOUT_VERSION, true);
    header.setUint32(State.end + 4, sizeBytes, true);
    return new CpuMemory(wasm, sizeBytes);
  }

  /** Adopts a memory that `create` made in another thread. Throws `ERR_CPU_MEMORY_LAYOUT`. */
  static adopt(wasm: WasmMemory): CpuMemory {
    const header = new DataView(wasm.buffer);
    const version = wasm.buffer.byteLength > RAM_BASE ? header.getUint32(State.end, true) : 0;
    const sizeBytes = version === LAYOUT_VERSION ? header.getUint32(State.end + 4, true) : 0;
    if (version !== LAYOUT_VERSION || RAM_BASE + sizeBytes > wasm.buffer.byteLength) {
      throw new CpuError("ERR_CPU_MEMORY_LAYOUT", `layout ${version} of a memory, not ${LAYOUT_VERSION}`);
    }
    return new CpuMemory(wasm, sizeBytes);
  }
}

function allocate(pages: number, shared: boolean): WasmMemory {
  if (webAssembly) return new webAssembly.Memory({ initial: pages, maximum: pages, shared });
  const bytes = pages * WASM_PAGE;
  return { buffer: shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes) };
}

/** What lies at a guest-physical page. */
export const NOT_RAM = -1;

/** The guest-physical address space: pages to pointers into the WebAssembly memory. */
export class PhysicalMemory {
  private readonly ramBytes: number;
  #regions: MemoryRegion[] = [];

  constructor(ramBytes: number) {
    this.ramBytes = ramBytes;
  }

  get regions(): readonly MemoryRegion[] {
    return this.#regions;
  }

  /** Adds, replaces or (size 0) removes a slot. Throws `ERR_CPU_MEMORY_REGION` and changes nothing. */
  setRegion(region: MemoryRegion): void {
    const others = this.#regions.filter(({ slot }) => slot !== region.slot);
    if (region.memory_size !== 0) {
      this.check(region, others);
      others.push({ ...region });
    }
    this.#regions = others.sort((a, b) => a.guest_phys_addr - b.guest_phys_addr);
  }

  private check(region: MemoryRegion, others: readonly MemoryRegion[]): void {
    const { guest_phys_addr: start, memory_size: size, offset } = region;
    const end = start + size;
    const aligned = [start, size, offset].every((value) => value >= 0 && value % PAGE_SIZE === 0);
    const overlapped = others.find(
      (o) => start < o.guest_phys_addr + o.memory_size && o.guest_phys_addr < end,
    );
    if (!aligned || offset + size > this.ramBytes || end > 2 ** 52 || overlapped) {
      const { slot } = region;
      const where = `slot ${slot}: 0x${size.toString(16)} bytes at 0x${start.toString(16)}, offset 0x${offset.toString(16)}`;
      throw new CpuError("ERR_CPU_MEMORY_REGION", where, {
        slot,
        guest_phys_addr: start,
        memory_size: size,
        offset,
      });
    }
  }

  private find(gpa: number): MemoryRegion | undefined {
    return this.#regions.find((r) => gpa >= r.guest_phys_addr && gpa < r.guest_phys_addr + r.memory_size);
  }

  /** Pointer to the byte at `gpa`, which its page keeps contiguous, or `NOT_RAM`. */
  pointer(gpa: number): number {
    const region = this.find(gpa);
    return region === undefined ? NOT_RAM : RAM_BASE + region.offset + (gpa - region.guest_phys_addr);
  }

  /** Whether a guest write to `gpa` changes memory, rather than leave as MMIO. */
  writable(gpa: number): boolean {
    const region = this.find(gpa);
    return region !== undefined && (region.flags & KVM_MEM_READONLY) === 0;
  }
}
