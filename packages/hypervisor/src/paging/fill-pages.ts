/**
 * `fill_pages`: gives frames to absent user pages, a whole run in one exit.
 *
 * Only entries that are 0 are written: those a processor cannot have cached, so that no host is slow to see them.
 */
import { ENTRY_HELD, ERRNO, FILL_ZERO, LARGE_PAGE_SIZE, PAGE_SIZE } from "@kvmkit/guest-kernel/abi";
import type { GuestMemory } from "../memory/guest-memory.js";
import { PTE } from "../x86.js";
import { BadTable, ENTRIES, indexAt, isTableRun, TABLE_FLAGS, USER_END, UserTables } from "./user-tables.js";

export interface FillArguments {
  readonly address: bigint;
  readonly physical: bigint;
  readonly page_count: bigint;
  readonly entry_flags: bigint;
  readonly tables_end: bigint;
  readonly table_count: bigint;
}

const NX = 1n << 63n;
const LOW_HALF = 0xffff_ffffn;
/** What an entry may carry. */
const ALLOWED_FLAGS = BigInt(PTE.P | PTE.RW | PTE.US | PTE.A | PTE.D) | FILL_ZERO | ENTRY_HELD | NX;

/** Result: frames used, plus tables used << 32; -EINVAL or -ENOMEM, and then nothing was changed. */
export function fillPages(memory: GuestMemory, root: number, args: FillArguments): bigint | number {
  if (!isValid(memory, args)) return -ERRNO.EINVAL;
  const tables = new UserTables(memory);
  const address = Number(args.address);
  try {
    const found = findTable(tables, root, address);
    const missing = found.level;
    if (missing > Number(args.table_count)) return -ERRNO.ENOMEM;
    const table = linkTables(tables, found, address, Number(args.tables_end));
    return BigInt(fillTable(memory, table, address, args)) + (BigInt(missing) << 32n);
  } catch (error) {
    if (error instanceof BadTable) return -ERRNO.EINVAL;
    throw error;
  }
}

function isValid(memory: GuestMemory, args: FillArguments): boolean {
  const { address, physical, page_count, entry_flags } = args;
  if (page_count < 1n || page_count > BigInt(ENTRIES)) return false;
  const bytes = Number(page_count) * PAGE_SIZE;
  const aligned = [address, physical].every((value) => value % BigInt(PAGE_SIZE) === 0n);
  const inUserHalf = address + BigInt(bytes) <= BigInt(USER_END);
  const inOneTable = Number(address % BigInt(LARGE_PAGE_SIZE)) + bytes <= LARGE_PAGE_SIZE;
  return (
    aligned &&
    inUserHalf &&
    inOneTable &&
    (entry_flags & ~ALLOWED_FLAGS) === 0n &&
    memory.contains(Number(physical), bytes) &&
    isTableRun(memory, args)
  );
}

interface FoundTable {
  readonly table: number;
  /** 0 where `table` is the page table, else how many are missing below it. */
  readonly level: number;
}

function findTable(tables: UserTables, root: number, address: number): FoundTable {
  let table = root;
  for (let level = 3; level > 0; level--) {
    const next = tables.next(tables.entry(table, indexAt(address, level)));
    if (next === undefined) return { table, level };
    table = next;
  }
  return { table, level: 0 };
}

/**
 * Links the missing tables, taken downwards from `freshEnd`: the lowest first, so that the tree is whole whenever it
 * is looked at.
 */
function linkTables(
  tables: UserTables,
  { table, level }: FoundTable,
  address: number,
  freshEnd: number,
): number {
  if (level === 0) return table;
  const pages = Array.from({ length: level }, (_, index) => freshEnd - (index + 1) * PAGE_SIZE);
  for (let depth = 1; depth < level; depth++) {
    const above = pages[level - depth - 1]!;
    tables.setEntry(above, indexAt(address, depth), BigInt(pages[level - depth]!) | TABLE_FLAGS);
  }
  tables.setEntry(table, indexAt(address, level), BigInt(pages[0]!) | TABLE_FLAGS);
  return pages[level - 1]!;
}

/** Result: frames used. Entries are written in halves: a bigint for each would cost more than the exit. */
function fillTable(
  memory: GuestMemory,
  table: number,
  address: number,
  { physical, page_count, entry_flags }: FillArguments,
): number {
  const flags = entry_flags & ~FILL_ZERO;
  const [flagsLow, flagsHigh] = [Number(flags & LOW_HALF), Number(flags >> 32n)];
  const page = memory.page(table);
  if (page === undefined) throw new BadTable();
  const first = indexAt(address, 0);
  let frame = Number(physical);
  for (let index = first; index < first + Number(page_count); index++) {
    const at = page.offset + index * 8;
    if (page.view.getUint32(at, true) !== 0 || page.view.getUint32(at + 4, true) !== 0) continue;
    if (entry_flags & FILL_ZERO) memory.view(frame, PAGE_SIZE).fill(0);
    page.view.setUint32(at, (frame % 2 ** 32) + flagsLow, true);
    page.view.setUint32(at + 4, Math.floor(frame / 2 ** 32) + flagsHigh, true);
    frame += PAGE_SIZE;
  }
  return (frame - Number(physical)) / PAGE_SIZE;
}
