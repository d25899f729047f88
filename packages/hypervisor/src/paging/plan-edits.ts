/**
 * `plan_edits`: works out which live page-table entries the kernel must write to change or drop a range of pages.
 *
 * The host changes no entry that is in use; the kernel writes what the plan says. A few entries of a table are edited
 * one by one, many by swapping in a fresh copy of the table, and a table that nothing needs any more is dropped by the
 * entry above it. A plan has limited room, and tables that a hostile guest makes point at each other have no end, so a
 * plan may stop early: `next` says where, and it is always past `start`.
 */
import {
  DIRECT_MAP_BASE,
  EDIT,
  EDIT_PLAN,
  EDIT_PLAN_MAX_EDITS,
  EDIT_PLAN_MAX_FRAMES,
  ERRNO,
  FRAME_RUN,
  PAGE_SIZE,
} from "@kvmkit/guest-kernel/abi";
import type { GuestMemory } from "../memory/guest-memory.js";
import type { GuestSpace } from "../memory/guest-space.js";
import {
  BadTable,
  ENTRIES,
  frameOf,
  hasFrame,
  indexAt,
  isTableRun,
  SPANS,
  USER_END,
  UserTables,
} from "./user-tables.js";

export interface PlanArguments {
  readonly start: bigint;
  readonly end: bigint;
  readonly entry_flags: bigint;
  readonly plan: bigint;
  readonly tables_end: bigint;
  readonly table_count: bigint;
}

/** Above this many live entries in one table, swapping the table costs the guest less than writing them. */
const SWAP_ABOVE = 10;
/** Page tables that one plan looks at; bounds the host's work to some milliseconds. */
const TABLE_BUDGET = 1024;
const ADDRESS_MASK = 0x000f_ffff_ffff_f000n;

/** Result: tables used, or -EINVAL. Errors: what `space` throws for the plan's page. */
export function planEdits(memory: GuestMemory, space: GuestSpace, root: number, args: PlanArguments): number {
  if (!isValid(memory, args)) return -ERRNO.EINVAL;
  const limits = new DataView(space.read(args.plan, EDIT_PLAN.edits).buffer);
  const planner = new Planner(memory, {
    ...args,
    floor: limits.getBigUint64(EDIT_PLAN.floor, true),
    ceiling: limits.getBigUint64(EDIT_PLAN.ceiling, true),
  });
  try {
    planner.plan(root);
  } catch (error) {
    if (error instanceof BadTable) return -ERRNO.EINVAL;
    throw error;
  }
  space.write(args.plan + BigInt(EDIT_PLAN.next), planner.encode());
  return planner.tablesUsed;
}

function isValid(memory: GuestMemory, args: PlanArguments): boolean {
  const { start, end, plan } = args;
  const page = BigInt(PAGE_SIZE);
  return (
    start % page === 0n &&
    end % page === 0n &&
    start < end &&
    end <= BigInt(USER_END) &&
    plan % page === 0n &&
    isTableRun(memory, args)
  );
}

interface Edit {
  readonly slot: number;
  readonly value: bigint;
}

interface FrameRun {
  readonly address: number;
  readonly physical: number;
  pageCount: number;
}

class Planner {
  tablesUsed = 0;
  readonly #memory: GuestMemory;
  readonly #tables: UserTables;
  readonly #start: number;
  readonly #end: number;
  readonly #floor: number;
  readonly #ceiling: number;
  readonly #flags: bigint;
  readonly #freshEnd: number;
  readonly #freshCount: number;
  readonly #edits: Edit[] = [];
  readonly #frames: FrameRun[] = [];
  #next: number;
  #budget = TABLE_BUDGET;

  constructor(
    memory: GuestMemory,
    args: PlanArguments & { readonly floor: bigint; readonly ceiling: bigint },
  ) {
    this.#memory = memory;
    this.#tables = new UserTables(memory);
    this.#start = Number(args.start);
    this.#end = Number(args.end);
    this.#floor = Number(args.floor);
    this.#ceiling = Number(args.ceiling);
    this.#flags = args.entry_flags;
    this.#freshEnd = Number(args.tables_end);
    this.#freshCount = Number(args.table_count);
    this.#next = this.#start;
  }

  plan(root: number): void {
    if (this.#level(root, 3, 0)) this.#next = this.#end;
  }

  /** What the kernel reads: from `next` to the end of the page. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(EDIT_PLAN.size - EDIT_PLAN.next);
    const view = new DataView(bytes.buffer);
    const put = (at: number, value: bigint | number): void =>
      view.setBigUint64(at - EDIT_PLAN.next, BigInt(value), true);
    put(EDIT_PLAN.next, this.#next);
    put(EDIT_PLAN.edit_count, this.#edits.length);
    put(EDIT_PLAN.frame_count, this.#frames.length);
    this.#edits.forEach(({ slot, value }, index) => {
      put(EDIT_PLAN.edits + index * EDIT.size + EDIT.slot, DIRECT_MAP_BASE + BigInt(slot));
      put(EDIT_PLAN.edits + index * EDIT.size + EDIT.value, value);
    });
    this.#frames.forEach(({ address, physical, pageCount }, index) => {
      put(EDIT_PLAN.frames + index * FRAME_RUN.size + FRAME_RUN.address, address);
      put(EDIT_PLAN.frames + index * FRAME_RUN.size + FRAME_RUN.physical, physical);
      put(EDIT_PLAN.frames + index * FRAME_RUN.size + FRAME_RUN.page_count, pageCount);
    });
    return bytes;
  }

  /** Plans the part of the range in `table`, whose first byte is `base`. Result: false where the plan is full. */
  #level(table: number, level: number, base: number): boolean {
    const span = SPANS[level]!;
    const first = Math.max(this.#start, base);
    const last = Math.min(this.#end, base + span * ENTRIES);
    for (let at = first - (first % span); at < last; at += span) {
      const slot = table + indexAt(at, level) * 8;
      const child = this.#tables.next(this.#tables.entry(table, indexAt(at, level)));
      if (child !== undefined && !this.#child(slot, child, level - 1, at)) return false;
      this.#next = Math.min(this.#end, at + span);
    }
    return true;
  }

  #child(slot: number, table: number, level: number, base: number): boolean {
    if (--this.#budget < 0 && this.#next > this.#start) return false;
    if (this.#isDroppable(base, SPANS[level + 1]!) && this.#drop(slot, table, level, base)) return true;
    return level === 0 ? this.#pageTable(slot, table, base) : this.#level(table, level, base);
  }

  /** No area is left between floor and ceiling, so a table in there maps nothing that stays. */
  #isDroppable(base: number, span: number): boolean {
    return this.#flags === 0n && base >= this.#floor && base + span <= this.#ceiling;
  }

  /** Drops a table with all that it maps by the entry above it; undone and false where the plan has no room for it. */
  #drop(slot: number, table: number, level: number, base: number): boolean {
    const mark = { edits: this.#edits.length, frames: this.#frames.map((run) => ({ ...run })) };
    if (this.#edits.length < EDIT_PLAN_MAX_EDITS && this.#collect(table, level, base)) {
      this.#edits.push({ slot, value: 0n });
      return true;
    }
    this.#frames.splice(0, Infinity, ...mark.frames);
    return false;
  }

  /** Adds the frames below a table, then the table. */
  #collect(table: number, level: number, base: number): boolean {
    const span = SPANS[level]!;
    for (let index = 0; index < ENTRIES; index++) {
      const entry = this.#tables.entry(table, index);
      const address = base + index * span;
      if (level === 0) {
        if (hasFrame(entry) && !this.#addFrame(address, frameOf(entry))) return false;
        continue;
      }
      const child = this.#tables.next(entry);
      if (child === undefined) continue;
      if (--this.#budget < 0 || !this.#collect(child, level - 1, address)) return false;
    }
    return this.#addFrame(0, table);
  }

  #addFrame(address: number, physical: number): boolean {
    const last = this.#frames.at(-1);
    const length = (last?.pageCount ?? 0) * PAGE_SIZE;
    const continues =
      last !== undefined &&
      address !== 0 &&
      last.address !== 0 &&
      last.address + length === address &&
      last.physical + length === physical;
    if (continues) last.pageCount++;
    else if (this.#frames.length === EDIT_PLAN_MAX_FRAMES) return false;
    else this.#frames.push({ address, physical, pageCount: 1 });
    return true;
  }

  /** Edits a page table entry by entry, or swaps it. */
  #pageTable(slot: number, table: number, base: number): boolean {
    const first = Math.max(0, (this.#start - base) / PAGE_SIZE);
    const last = Math.min(ENTRIES, (this.#end - base) / PAGE_SIZE);
    const changes = this.#changes(table, first, last);
    if (changes.length > SWAP_ABOVE && this.#canSwap()) return this.#swap(slot, table, base, changes);
    for (const { index, entry, value } of changes) {
      this.#next = base + index * PAGE_SIZE;
      if (this.#edits.length === EDIT_PLAN_MAX_EDITS || !this.#losesFrame(base, index, entry)) return false;
      this.#edits.push({ slot: table + index * 8, value });
    }
    return true;
  }

  #changes(table: number, first: number, last: number): { index: number; entry: bigint; value: bigint }[] {
    const changes = [];
    for (let index = first; index < last; index++) {
      const entry = this.#tables.entry(table, index);
      const value = this.#flags === 0n ? 0n : (entry & ADDRESS_MASK) | this.#flags;
      if (hasFrame(entry) && value !== entry) changes.push({ index, entry, value });
    }
    return changes;
  }

  /** Where pages are dropped, their frames go back to the kernel. */
  #losesFrame(base: number, index: number, entry: bigint): boolean {
    return this.#flags !== 0n || this.#addFrame(base + index * PAGE_SIZE, frameOf(entry));
  }

  /** Room for one edit, a fresh table, the old table, and one frame at least. */
  #canSwap(): boolean {
    return (
      this.tablesUsed < this.#freshCount &&
      this.#edits.length < EDIT_PLAN_MAX_EDITS &&
      this.#frames.length + 2 <= EDIT_PLAN_MAX_FRAMES
    );
  }

  #swap(
    slot: number,
    table: number,
    base: number,
    changes: readonly { index: number; entry: bigint; value: bigint }[],
  ): boolean {
    const fresh = this.#freshEnd - (this.tablesUsed + 1) * PAGE_SIZE;
    this.#memory.view(fresh, PAGE_SIZE).set(this.#memory.view(table, PAGE_SIZE));
    let complete = true;
    for (const { index, entry, value } of changes) {
      // One place is kept for the old table.
      if (this.#frames.length >= EDIT_PLAN_MAX_FRAMES - 1 || !this.#losesFrame(base, index, entry)) {
        this.#next = base + index * PAGE_SIZE;
        complete = false;
        break;
      }
      this.#tables.setEntry(fresh, index, value);
    }
    this.tablesUsed++;
    const above = this.#memory.u64(slot);
    this.#edits.push({ slot, value: (above & ~ADDRESS_MASK) | BigInt(fresh) });
    return this.#addFrame(0, table) && complete;
  }
}
