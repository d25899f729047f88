/** Guest memory in a plain buffer, and page tables in it, for tests that need no machine. */
import type { MemoryBacking } from "../accelerators/accelerator.js";
import { GuestMemory } from "../memory/guest-memory.js";
import { memoryMap } from "../memory/memory-map.js";
import { PTE } from "../x86.js";

export function plainBacking(sizeBytes: number): MemoryBacking {
  const bytes = new Uint8Array(sizeBytes);
  return {
    sizeBytes,
    token: undefined,
    bytes: (at, length) => bytes.subarray(at, at + length),
    close: () => {},
  };
}

export function plainMemory(sizeBytes: number): GuestMemory {
  return new GuestMemory(plainBacking(sizeBytes), memoryMap(sizeBytes));
}

/** Memory that pretends to be large: reads and writes go to small windows at the given offsets. */
export function sparseMemory(sizeBytes: number): GuestMemory {
  const chunks = new Map<number, Uint8Array>();
  const backing: MemoryBacking = {
    sizeBytes,
    token: undefined,
    bytes(at, length) {
      let chunk = chunks.get(at);
      if (chunk === undefined) chunks.set(at, (chunk = new Uint8Array(new ArrayBuffer(length))));
      return chunk;
    },
    close: () => {},
  };
  return new GuestMemory(backing, memoryMap(sizeBytes));
}

export const USER_TABLE = BigInt(PTE.P | PTE.RW | PTE.US);
export const PAGE = 0x1000;

/** Builds four-level tables in `memory`, one page after another from `next`. */
export class TestTables {
  readonly root: number;
  readonly memory: GuestMemory;
  #next: number;

  constructor(memory: GuestMemory, start = 0x1000) {
    this.memory = memory;
    this.root = start;
    this.#next = start + PAGE;
  }

  /** Guest-physical address of the entry of `level` (3: PML4) for `address`, tables above it made as needed. */
  slot(address: bigint, level = 0, tableFlags = USER_TABLE): number {
    let table = this.root;
    for (let at = 3; at > level; at--) {
      const slot = table + Number((address >> BigInt(12 + 9 * at)) & 511n) * 8;
      if (this.memory.u64(slot) === 0n) {
        this.memory.setU64(slot, BigInt(this.#next) | tableFlags);
        this.#next += PAGE;
      }
      table = Number(this.memory.u64(slot) & 0xf_ffff_ffff_f000n);
    }
    return table + Number((address >> BigInt(12 + 9 * level)) & 511n) * 8;
  }

  /** Maps the page at `address` to `frame` with these low bits. */
  map(address: bigint, frame: number, flags = USER_TABLE): void {
    this.memory.setU64(this.slot(address), BigInt(frame) | flags);
  }

  entry(address: bigint, level = 0): bigint {
    return this.memory.u64(this.slot(address, level));
  }
}
