/**
 * The first page tables of a long-mode guest, in 2 MiB pages, built before the vCPU runs.
 *
 * Source: SDM Vol. 3A, "4-Level Paging". Accessed and dirty bits are set ahead, so that no processor has to, and
 * shadowed tables are filled for neighbours too.
 */
import { LARGE_PAGE_SIZE, PAGE_SIZE } from "@kvmkit/guest-kernel/abi";
import type { GuestMemory } from "../memory/guest-memory.js";
import { PTE } from "../x86.js";

export interface LargePage {
  readonly writable: boolean;
  readonly executable: boolean;
}

const NX = 1n << 63n;
const ADDRESS = 0x000f_ffff_ffff_f000n;
/** Bit positions of the PML4, PDPT and PD indices in a virtual address. */
const LEVEL_SHIFTS = [39n, 30n, 21n] as const;
const TABLE_ENTRY = BigInt(PTE.P | PTE.RW | PTE.A);
const LARGE_ENTRY = BigInt(PTE.P | PTE.PS | PTE.A | PTE.D);

/** Tables grow from `start`, one page each; `end` is the first byte after the last. */
export class PageTableBuilder {
  readonly root: number;
  readonly #memory: GuestMemory;
  #end: number;

  constructor(memory: GuestMemory, start: number) {
    this.#memory = memory;
    this.root = start;
    this.#end = start + PAGE_SIZE;
  }

  get end(): number {
    return this.#end;
  }

  /** Maps the 2 MiB page at virtual `address` to guest-physical `frame`, for ring 0 only. */
  map(address: bigint, frame: number, page: LargePage): void {
    let table = this.root;
    for (const shift of LEVEL_SHIFTS.slice(0, -1)) table = this.#next(entryAddress(table, address, shift));
    const entry =
      BigInt(frame) | LARGE_ENTRY | (page.writable ? BigInt(PTE.RW) : 0n) | (page.executable ? 0n : NX);
    this.#memory.setU64(entryAddress(table, address, LEVEL_SHIFTS[2]), entry);
  }

  /** Maps `size` bytes of guest memory from `frame` on, all with the same rights. Both are multiples of 2 MiB. */
  mapRange(address: bigint, frame: number, size: number, page: LargePage): void {
    for (let at = 0; at < size; at += LARGE_PAGE_SIZE) this.map(address + BigInt(at), frame + at, page);
  }

  /** The table behind an entry, made where it is missing. */
  #next(entry: number): number {
    const present = this.#memory.u64(entry);
    if (present & BigInt(PTE.P)) return Number(present & ADDRESS);
    const table = this.#end;
    this.#end += PAGE_SIZE;
    this.#memory.setU64(entry, BigInt(table) | TABLE_ENTRY);
    return table;
  }
}

const entryAddress = (table: number, address: bigint, shift: bigint): number =>
  table + Number((address >> shift) & 511n) * 8;
