import {
  DIRECT_MAP_BASE,
  EDIT,
  EDIT_PLAN,
  EDIT_PLAN_MAX_EDITS,
  EDIT_PLAN_MAX_FRAMES,
  ENTRY_HELD,
  ERRNO,
  FRAME_RUN,
} from "@kvmkit/guest-kernel/abi";
import test from "ava";
import fc from "fast-check";
import { PAGE, plainMemory, TestTables, USER_TABLE } from "../internal-testing/memory.js";
import { GuestSpace } from "../memory/guest-space.js";
import { PTE } from "../x86.js";
import { type PlanArguments, planEdits } from "./plan-edits.js";

const SIZE = 8 * 2 ** 20;
const PLAN = 0x1_0000n;
const FRESH_END = 0x10_0000;
const FIRST_FRAME = 0x20_0000;
const BASE = 0x4000_0000n;
const FLAGS = USER_TABLE | BigInt(PTE.A | PTE.D);
const READ_ONLY = BigInt(PTE.P | PTE.US | PTE.A | PTE.D);
const USER_TOP = 0x7fff_ffff_f000n;

/** A guest whose kernel asks for plans and does what they say. */
class Kernel {
  readonly memory = plainMemory(SIZE);
  readonly tables = new TestTables(this.memory, 0x10_0000);
  readonly #space = new GuestSpace(this.memory, { user: false, canPopulate: false }, () => ({
    paging: "none",
  }));
  /** Pages by address: their frame. */
  readonly pages = new Map<bigint, number>();
  readonly freed: { address: bigint; physical: number }[] = [];
  edits = 0;
  plans = 0;
  #nextFrame = FIRST_FRAME;

  map(address: bigint, gap = 0): void {
    const frame = this.#nextFrame + gap * PAGE;
    this.#nextFrame = frame + PAGE;
    this.tables.map(address, frame, FLAGS);
    this.pages.set(address, frame);
  }

  /** What plan_edits answers: its result and the plan. */
  plan(args: Partial<PlanArguments> & { start: bigint; end: bigint }, floor: bigint, ceiling: bigint) {
    this.memory.setU64(Number(PLAN) + EDIT_PLAN.floor, floor);
    this.memory.setU64(Number(PLAN) + EDIT_PLAN.ceiling, ceiling);
    const defaults = { entry_flags: 0n, plan: PLAN, tables_end: BigInt(FRESH_END), table_count: 4n };
    const result = planEdits(this.memory, this.#space, this.tables.root, { ...defaults, ...args });
    const word = (at: number) => this.memory.u64(Number(PLAN) + at);
    return {
      result,
      next: word(EDIT_PLAN.next),
      edits: Array.from({ length: Number(word(EDIT_PLAN.edit_count)) }, (_, index) => ({
        slot: Number(word(EDIT_PLAN.edits + index * EDIT.size + EDIT.slot) - DIRECT_MAP_BASE),
        value: word(EDIT_PLAN.edits + index * EDIT.size + EDIT.value),
      })),
      frames: Array.from({ length: Number(word(EDIT_PLAN.frame_count)) }, (_, index) => ({
        address: word(EDIT_PLAN.frames + index * FRAME_RUN.size + FRAME_RUN.address),
        physical: Number(word(EDIT_PLAN.frames + index * FRAME_RUN.size + FRAME_RUN.physical)),
        pageCount: Number(word(EDIT_PLAN.frames + index * FRAME_RUN.size + FRAME_RUN.page_count)),
      })),
    };
  }

  /** Carries plans out until the range is done. */
  edit(start: bigint, end: bigint, flags: bigint, floor: bigint, ceiling: bigint, tableCount = 4n): void {
    for (let at = start; at < end; ) {
      const plan = this.plan({ start: at, end, entry_flags: flags, table_count: tableCount }, floor, ceiling);
      if (plan.result < 0 || plan.next <= at || plan.next > end) throw new Error(`no progress at ${at}`);
      for (const { slot, value } of plan.edits) this.memory.setU64(slot, value);
      // Fresh tables that were used are not fresh any more: copied out of the way, as another page would be.
      for (let used = 1; used <= plan.result; used++) this.#keepTable(FRESH_END - used * PAGE);
      for (const { address, physical, pageCount } of plan.frames) {
        for (let page = 0; page < pageCount; page++) {
          const gva = address === 0n ? 0n : address + BigInt(page * PAGE);
          this.freed.push({ address: gva, physical: physical + page * PAGE });
        }
      }
      this.edits += plan.edits.length;
      this.plans++;
      at = plan.next;
    }
  }

  #nextTable = 0x40_0000;

  /** Moves a table that was swapped in to a page of its own, and zeroes the place. */
  #keepTable(fresh: number): void {
    const table = this.#nextTable;
    this.#nextTable += PAGE;
    this.memory.write(table, this.memory.read(fresh, PAGE));
    this.memory.view(fresh, PAGE).fill(0);
    this.#replace(this.tables.root, 3, fresh, table);
  }

  #replace(at: number, level: number, from: number, to: number): void {
    for (let index = 0; index < 512; index++) {
      const entry = this.memory.u64(at + index * 8);
      if (!(entry & 1n)) continue;
      const frame = Number(entry & 0xf_ffff_ffff_f000n);
      if (frame === from) this.memory.setU64(at + index * 8, (entry & 0xfffn) | BigInt(to));
      else if (level > 1) this.#replace(frame, level - 1, from, to);
    }
  }

  /** What the tables map below `level`, by address. */
  mapped(): Map<bigint, bigint> {
    const found = new Map<bigint, bigint>();
    const visit = (table: number, level: number, base: bigint): void => {
      for (let index = 0; index < 512; index++) {
        const entry = this.memory.u64(table + index * 8);
        const address = base + (BigInt(index) << BigInt(12 + 9 * level));
        if (level === 0) {
          if (entry !== 0n) found.set(address, entry);
        } else if (entry & 1n) visit(Number(entry & 0xf_ffff_ffff_f000n), level - 1, address);
      }
    };
    visit(this.tables.root, 3, 0n);
    return found;
  }
}

test("planEdits: a few pages are edited one by one, and their frames named with their addresses", (t) => {
  const kernel = new Kernel();
  for (let page = 0n; page < 4n; page++) kernel.map(BASE + page * 0x1000n);
  const plan = kernel.plan({ start: BASE + 0x1000n, end: BASE + 0x3000n }, BASE + 0x1000n, BASE + 0x3000n);
  t.is(plan.result, 0);
  t.is(plan.next, BASE + 0x3000n);
  t.deepEqual(plan.edits, [
    { slot: kernel.tables.slot(BASE + 0x1000n), value: 0n },
    { slot: kernel.tables.slot(BASE + 0x2000n), value: 0n },
  ]);
  t.deepEqual(plan.frames, [{ address: BASE + 0x1000n, physical: FIRST_FRAME + PAGE, pageCount: 2 }]);
});

test("planEdits: many pages of one table are changed by swapping in a copy of it", (t) => {
  const kernel = new Kernel();
  for (let page = 0n; page < 100n; page++) kernel.map(BASE + page * 0x1000n);
  const [start, end] = [BASE + 0x5000n, BASE + 0x5_0000n];
  const table = kernel.tables.entry(BASE, 1);
  const plan = kernel.plan({ start, end, entry_flags: READ_ONLY }, start, end);
  t.is(plan.result, 1);
  t.deepEqual(plan.edits, [
    { slot: kernel.tables.slot(BASE, 1), value: BigInt(FRESH_END - PAGE) | USER_TABLE },
  ]);
  t.deepEqual(plan.frames, [{ address: 0n, physical: Number(table & ~0xfffn), pageCount: 1 }]);
  const entry = (page: number) => kernel.memory.u64(FRESH_END - PAGE + page * 8);
  t.deepEqual(
    [4, 5, 0x4f, 0x50].map((page) => entry(page) & 0xfffn),
    [FLAGS, READ_ONLY, READ_ONLY, FLAGS],
  );
  t.is(kernel.tables.entry(BASE + 0x5000n) & 0xfffn, FLAGS);
});

test("planEdits: without fresh tables entries are edited, as many as a plan holds at a time", (t) => {
  const kernel = new Kernel();
  for (let page = 0n; page < 100n; page++) kernel.map(BASE + page * 0x1000n);
  const plan = kernel.plan(
    { start: BASE, end: BASE + 0x6_4000n, entry_flags: READ_ONLY, table_count: 0n },
    0n,
    0n,
  );
  t.is(plan.edits.length, EDIT_PLAN_MAX_EDITS);
  t.is(plan.next, BASE + BigInt(EDIT_PLAN_MAX_EDITS * PAGE));
});

test("planEdits: a table that nothing needs any more is dropped by one edit, with all of its frames", (t) => {
  const kernel = new Kernel();
  for (let page = 0n; page < 512n; page++) kernel.map(BASE + page * 0x1000n);
  const end = BASE + 0x20_0000n;
  const plan = kernel.plan({ start: BASE, end }, 0n, USER_TOP);
  t.is(plan.result, 0);
  t.is(plan.edits.length, 1);
  t.is(plan.edits[0]!.value, 0n);
  t.deepEqual(plan.frames[0], { address: BASE, physical: FIRST_FRAME, pageCount: 512 });
  t.true(plan.frames.length > 1 && plan.frames.slice(1).every(({ address }) => address === 0n));
});

test("planEdits: frames that do not fit into a plan come in the next", (t) => {
  const kernel = new Kernel();
  for (let page = 0n; page < 300n; page++) kernel.map(BASE + page * 0x1000n, 1);
  const end = BASE + 0x20_0000n;
  const plan = kernel.plan({ start: BASE, end }, 0n, USER_TOP);
  t.true(plan.frames.length <= EDIT_PLAN_MAX_FRAMES);
  t.true(plan.next > BASE && plan.next < end);
  kernel.edit(BASE, end, 0n, 0n, USER_TOP);
  t.is(kernel.mapped().size, 0);
  t.is(kernel.freed.filter(({ address }) => address !== 0n).length, 300);
});

test("planEdits: a held page keeps its frame, and gives it back when it is dropped", (t) => {
  const kernel = new Kernel();
  kernel.map(BASE);
  kernel.edit(BASE, BASE + 0x1000n, ENTRY_HELD, BASE, BASE);
  t.is(kernel.tables.entry(BASE), BigInt(FIRST_FRAME) | ENTRY_HELD);
  kernel.edit(BASE, BASE + 0x1000n, 0n, BASE, BASE);
  t.deepEqual(kernel.freed, [{ address: BASE, physical: FIRST_FRAME }]);
});

test("planEdits: what the plan says, carried out, leaves just the pages that should be left", (t) => {
  const page = fc.integer({ min: 0, max: 1600 });
  fc.assert(
    fc.property(
      fc.uniqueArray(page, { maxLength: 250 }),
      page,
      page,
      fc.constantFrom(0n, READ_ONLY, ENTRY_HELD, FLAGS),
      fc.constantFrom(0n, 1n, 4n),
      fc.boolean(),
      (pages, one, other, flags, tableCount, wide) => {
        const kernel = new Kernel();
        for (const index of pages) kernel.map(BASE + BigInt(index * PAGE), index % 3);
        const start = BASE + BigInt(Math.min(one, other) * PAGE);
        const end = BASE + BigInt((Math.max(one, other) + 1) * PAGE);
        const inside = (address: bigint) => address >= start && address < end;
        // The gap around the range: as far as no page is kept.
        const outside = [...kernel.pages.keys()].filter((address) => !inside(address));
        const before = outside.filter((address) => address < start).sort(byValue);
        const after = outside.filter((address) => address >= end).sort(byValue);
        const floor = before.length === 0 ? 0n : before.at(-1)! + 0x1000n;
        const ceiling = after[0] ?? USER_TOP;
        kernel.edit(start, end, flags, wide ? floor : start, wide ? ceiling : end, tableCount);

        const expected = new Map(
          [...kernel.pages]
            .filter(([address]) => flags !== 0n || !inside(address))
            .map(([address, frame]) => [address, BigInt(frame) | (inside(address) ? flags : FLAGS)]),
        );
        const found = kernel.mapped();
        t.deepEqual(new Map([...found].sort(byAddress)), new Map([...expected].sort(byAddress)));
        const gone = kernel.freed.filter(({ address }) => address !== 0n);
        t.deepEqual(
          gone.map(({ address, physical }) => [address, physical]).sort(byAddress as never),
          [...kernel.pages].filter(([address]) => flags === 0n && inside(address)).sort(byAddress) as never,
        );
      },
    ),
    { numRuns: 60 },
  );
});

const byValue = (a: bigint, b: bigint): number => (a < b ? -1 : 1);
const byAddress = ([a]: readonly [bigint, unknown], [b]: readonly [bigint, unknown]): number =>
  a < b ? -1 : 1;

test("planEdits: tables that a hostile guest makes point at each other end the plan, not the host", (t) => {
  const kernel = new Kernel();
  const { root } = kernel.tables;
  for (let index = 0; index < 256; index++) kernel.memory.setU64(root + index * 8, BigInt(root) | USER_TABLE);
  const plan = kernel.plan({ start: 0n, end: USER_TOP }, 0n, USER_TOP);
  t.true(plan.result >= 0);
  t.true(plan.next > 0n && plan.next < USER_TOP);
});

const invalid: [string, Partial<PlanArguments>][] = [
  ["an empty range", { start: BASE, end: BASE }],
  ["a range that runs backwards", { start: BASE + 0x1000n, end: BASE }],
  ["addresses between pages", { start: BASE + 1n }],
  ["the kernel's half", { end: 0xffff_8000_0000_0000n }],
  ["a plan between pages", { plan: PLAN + 8n }],
  ["tables outside memory", { tables_end: BigInt(SIZE) + 0x1000n }],
];

for (const [title, args] of invalid) {
  test(`planEdits: ${title} is -EINVAL`, (t) => {
    const kernel = new Kernel();
    t.is(kernel.plan({ start: BASE, end: BASE + 0x1000n, ...args }, 0n, 0n).result, -ERRNO.EINVAL);
  });
}
