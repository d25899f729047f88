/**
 * Page-table entries and the error code of #PF.
 * Source: SDM Vol. 3A, "4-Level Paging and 5-Level Paging", "Page-Fault Exceptions".
 */
import { ENTRY_HELD } from "../abi/index.js";
import { bits } from "./bits.js";

/** Bits of an entry, at every level. */
export const PTE = {
  /** Present. */
  P: 1n << 0n,
  /** Writable. */
  RW: 1n << 1n,
  /** User: ring 3 may use it. */
  US: 1n << 2n,
  /** Accessed, dirty. */
  A: 1n << 5n,
  D: 1n << 6n,
  /** In a page-directory entry: a 2 MiB page. */
  PS: 1n << 7n,
  /** Not executable. */
  NX: 1n << 63n,
  /** P = 0, but the frame is kept (PROT_NONE). */
  HELD: ENTRY_HELD,
} as const;

/** Bits 51:12, the physical address. */
export const PTE_ADDRESS_MASK = 0x000f_ffff_ffff_f000n;

/** An entry that refers to a user table: each level permits, the last one decides. */
export const TABLE_FLAGS = bits(PTE.P, PTE.RW, PTE.US, PTE.A);

/** Error code of #PF. */
export const PF_ERROR = {
  /** The entry was present: a violation of its permissions. */
  P: 1 << 0,
  /** A write. */
  WR: 1 << 1,
  /** From ring 3. */
  US: 1 << 2,
  RSVD: 1 << 3,
  /** An instruction fetch. */
  ID: 1 << 4,
} as const;

/** The levels of a walk by the shift of their index: PML4, page-directory-pointer table, page directory, page table. */
export const LEVEL_SHIFTS = [39, 30, 21, 12] as const;
/** Bits of the index at each level. */
export const LEVEL_BITS = 9;
export const PAGE_SHIFT = 12;
export const ENTRIES_PER_TABLE = 512;

/**
 * The entry bits for a user page with mprotect(2)'s permissions `prot` (bits 2:0). Writable or executable implies
 * readable, as the hardware has it; accessed and dirty are set ahead, so that no walk has to write them; nothing
 * permitted is a held entry.
 */
export function userEntryFlags(prot: number): bigint {
  if ((prot & 7) === 0) return PTE.HELD;
  const writable = prot & 2 ? PTE.RW : 0n;
  const noExecute = prot & 4 ? 0n : PTE.NX;
  return bits(PTE.P, PTE.US, PTE.A, PTE.D, writable, noExecute);
}

/**
 * Which faults an area with mprotect(2)'s permissions `prot` puts right by making the page present: a bit for each of
 * the error codes 0 to 31. Each permission is enough to read: the hardware knows no page that can be written or run
 * and not read. A fault on a page that is present is none of them, nor one of a reserved bit.
 */
export function permittedFaults(prot: number): number {
  const isPermitted = (errorCode: number) => {
    if (errorCode & (PF_ERROR.P | PF_ERROR.RSVD)) return false;
    if (errorCode & PF_ERROR.WR) return (prot & 2) !== 0;
    if (errorCode & PF_ERROR.ID) return (prot & 4) !== 0;
    return (prot & 7) !== 0;
  };
  let faults = 0;
  for (let errorCode = 0; errorCode < 32; errorCode++) if (isPermitted(errorCode)) faults += 2 ** errorCode;
  return faults;
}
