/**
 * Guest-virtual to guest-physical, by the guest's own tables, read-only and bounded to guest memory.
 *
 * The present, user and write bits count at every level (SDM Vol. 3A, "4-Level Paging", "Determination of Access
 * Rights"). The tables are the guest's to fill with anything: an entry that points outside guest memory ends the walk
 * as an absent one does, and each step goes one level down, so there is no loop to be caught in.
 */
import { CR0, CR4, EFER, LARGE_PAGE_SIZE, PAGE_SIZE } from "@kvmkit/guest-kernel/abi";
import type { SystemRegisters } from "../accelerators/accelerator.js";
import { PTE, PTE_HIGH_ADDRESS } from "../x86.js";
import { CHUNK_SIZE, type Extent, type GuestMemory } from "./guest-memory.js";

/** How addresses are translated: not at all, by four levels from `root`, or in a way that the host does not walk. */
export type AddressSpace =
  | { readonly paging: "none" }
  | { readonly paging: "long"; readonly root: number }
  | { readonly paging: "unsupported" };

/** The rights that a walk asks for. */
export interface Access {
  readonly write: boolean;
  /** Every level must be user-accessible. */
  readonly user: boolean;
}

const HUGE_PAGE_SIZE = 2 ** 30;
/** Bytes that one table of each level spans, from the PML4 down. */
const PML4_ENTRY_SPAN = 2 ** 39;
const LOW_48_BITS = (1n << 48n) - 1n;
const ENTRY_COUNT = 512;

/** The address space that CR0, CR3, CR4 and IA32_EFER select. */
export function addressSpaceOf({
  cr0,
  cr3,
  cr4,
  efer,
}: Pick<SystemRegisters, "cr0" | "cr3" | "cr4" | "efer">): AddressSpace {
  if (!(cr0 & CR0.PG)) return { paging: "none" };
  if (!(efer & EFER.LMA) || cr4 & CR4.LA57) return { paging: "unsupported" };
  return { paging: "long", root: Number(cr3 & 0xf_ffff_ffff_f000n) };
}

/** Whether bits 63:47 of `address` are equal (SDM Vol. 1, "Canonical Addressing"). */
export const isCanonical = (address: bigint): boolean =>
  BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;

/**
 * Translates `length` bytes from `address` and appends the extents to `extents`.
 * Result: bytes translated, fewer than `length` where a page is absent, denied or outside guest memory.
 */
export function translate(
  memory: GuestMemory,
  space: AddressSpace,
  address: bigint,
  length: number,
  access: Access,
  extents: Extent[],
): number {
  if (space.paging === "unsupported" || !isCanonical(address)) return 0;
  const start = Number(space.paging === "none" ? address : address & LOW_48_BITS);
  if (start + length > (space.paging === "none" ? Number.MAX_SAFE_INTEGER : 2 ** 48)) return 0;
  if (space.paging === "none") return translateFlat(memory, start, length, extents);
  return new Walk(memory, space.root, access, extents).range(start, length);
}

function translateFlat(memory: GuestMemory, start: number, length: number, extents: Extent[]): number {
  let done = 0;
  while (done < length) {
    const piece = Math.min(length - done, memory.contiguous(start + done));
    if (piece === 0) break;
    append(extents, start + done, piece);
    done += piece;
  }
  return done;
}

/** Appends an extent, merged with the last one where both are neighbours in one chunk. */
function append(extents: Extent[], address: number, length: number): void {
  const last = extents.at(-1);
  if (last !== undefined && last.address + last.length === address && address % CHUNK_SIZE !== 0) {
    extents[extents.length - 1] = { address: last.address, length: last.length + length };
  } else {
    extents.push({ address, length });
  }
}

class Walk {
  readonly #memory: GuestMemory;
  readonly #root: number;
  readonly #extents: Extent[];
  /** The bits that an entry must have at every level. */
  readonly #required: number;
  /** The entry read last, in halves. */
  #low = 0;
  #high = 0;
  /** The extent that is growing. */
  #start = 0;
  #length = 0;

  constructor(memory: GuestMemory, root: number, access: Access, extents: Extent[]) {
    this.#memory = memory;
    this.#root = root;
    this.#extents = extents;
    this.#required = PTE.P | (access.write ? PTE.RW : 0) | (access.user ? PTE.US : 0);
  }

  range(start: number, length: number): number {
    let done = 0;
    while (done < length) {
      const step = this.#region(start + done, length - done);
      if (step === 0) break;
      done += step;
    }
    this.#flush();
    return done;
  }

  /** Translates up to the end of the page-directory entry that `address` lies in; 0 if its first page is missing. */
  #region(address: number, length: number): number {
    if (!this.#entry(this.#root, Math.floor(address / PML4_ENTRY_SPAN))) return 0;
    if (!this.#entry(this.#frame(), Math.floor(address / HUGE_PAGE_SIZE))) return 0;
    if (this.#low & PTE.PS) return this.#large(address, length, HUGE_PAGE_SIZE);
    if (!this.#entry(this.#frame(), Math.floor(address / LARGE_PAGE_SIZE))) return 0;
    if (this.#low & PTE.PS) return this.#large(address, length, LARGE_PAGE_SIZE);
    return this.#pages(address, length);
  }

  /** The entries of one page table. */
  #pages(address: number, length: number): number {
    const table = this.#memory.page(this.#frame());
    if (table === undefined) return 0;
    let done = 0;
    let index = Math.floor(address / PAGE_SIZE) % ENTRY_COUNT;
    for (; done < length && index < ENTRY_COUNT; index++) {
      this.#low = table.view.getUint32(table.offset + index * 8, true);
      this.#high = table.view.getUint32(table.offset + index * 8 + 4, true);
      if ((this.#low & this.#required) !== this.#required) break;
      const inPage = (address + done) % PAGE_SIZE;
      const piece = Math.min(length - done, PAGE_SIZE - inPage);
      if (!this.#grow(this.#frame() + inPage, piece)) break;
      done += piece;
    }
    return done;
  }

  #large(address: number, length: number, pageSize: number): number {
    const inPage = address % pageSize;
    // Bit 12 of such an entry is PAT, so the frame is taken from the bits above the page's size.
    const frame = this.#frame();
    const start = frame - (frame % pageSize) + inPage;
    const piece = Math.min(length, pageSize - inPage, this.#memory.contiguous(start));
    if (piece > 0) this.#grow(start, piece);
    return piece;
  }

  /** Reads an entry; false if it is missing, denied or outside guest memory. */
  #entry(table: number, index: number): boolean {
    const page = this.#memory.page(table);
    if (page === undefined) return false;
    const at = page.offset + (index % ENTRY_COUNT) * 8;
    this.#low = page.view.getUint32(at, true);
    this.#high = page.view.getUint32(at + 4, true);
    return (this.#low & this.#required) === this.#required;
  }

  #frame(): number {
    return (this.#high & PTE_HIGH_ADDRESS) * 2 ** 32 + ((this.#low & 0xffff_f000) >>> 0);
  }

  #grow(address: number, length: number): boolean {
    if (this.#memory.contiguous(address) < length) return false;
    if (this.#start + this.#length === address && address % CHUNK_SIZE !== 0) {
      this.#length += length;
    } else {
      this.#flush();
      this.#start = address;
      this.#length = length;
    }
    return true;
  }

  #flush(): void {
    if (this.#length > 0) append(this.#extents, this.#start, this.#length);
    this.#length = 0;
  }
}
