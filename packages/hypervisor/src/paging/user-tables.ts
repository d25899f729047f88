/**
 * A guest's page tables as the host edits them on the kernel's behalf: entries as bigint, every table checked to lie
 * in guest memory.
 */
import { ENTRY_HELD, PAGE_SIZE } from "@kvmkit/guest-kernel/abi";
import type { GuestMemory } from "../memory/guest-memory.js";
import { PTE } from "../x86.js";

export const ENTRIES = 512;
/** Bytes that one entry spans, by level: 3 is the PML4, 0 a page table. */
export const SPANS = [PAGE_SIZE, 2 ** 21, 2 ** 30, 2 ** 39] as const;
/** User space is the lower half (SDM Vol. 1, "Canonical Addressing"). */
export const USER_END = 2 ** 47;

const ADDRESS = 0x000f_ffff_ffff_f000n;
export const PRESENT = BigInt(PTE.P);
const LARGE = BigInt(PTE.PS);
/** Bits of a table's entry: every right, the leaf decides. */
export const TABLE_FLAGS = BigInt(PTE.P | PTE.RW | PTE.US | PTE.A);

/** A page-table structure that the guest's tables name but that cannot be one: outside memory, or a large page. */
export class BadTable extends Error {}

export const frameOf = (entry: bigint): number => Number(entry & ADDRESS);
/** Whether an entry has a frame: present, or held without rights. */
export const hasFrame = (entry: bigint): boolean => (entry & (PRESENT | ENTRY_HELD)) !== 0n;

export const indexAt = (address: number, level: number): number =>
  Math.floor(address / SPANS[level]!) % ENTRIES;

export class UserTables {
  readonly #memory: GuestMemory;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  entry(table: number, index: number): bigint {
    return this.#memory.u64(table + index * 8);
  }

  setEntry(table: number, index: number, value: bigint): void {
    this.#memory.setU64(table + index * 8, value);
  }

  /** The table behind an entry of `level` above 0, or undefined where it is absent. Errors: BadTable. */
  next(entry: bigint): number | undefined {
    if (!(entry & PRESENT)) return undefined;
    const table = frameOf(entry);
    if (entry & LARGE || !this.#memory.contains(table, PAGE_SIZE)) throw new BadTable();
    return table;
  }
}

/** Whether `table_count` pages below Gpa `tables_end` are guest memory. */
export function isTableRun(
  memory: GuestMemory,
  { tables_end, table_count }: { readonly tables_end: bigint; readonly table_count: bigint },
): boolean {
  if (table_count === 0n) return true;
  const bytes = Number(table_count) * PAGE_SIZE;
  return tables_end % BigInt(PAGE_SIZE) === 0n && memory.contains(Number(tables_end) - bytes, bytes);
}
