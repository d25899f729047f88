import { ERRNO, FILL_ZERO } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { PAGE, plainMemory, TestTables, USER_TABLE } from "../internal-testing/memory.js";
import { PTE } from "../x86.js";
import { type FillArguments, fillPages } from "./fill-pages.js";

const SIZE = 4 * 2 ** 20;
const ADDRESS = 0x4000_0000n;
const FRAMES = 0x10_0000n;
const FRESH_END = 0x20_0000n;
const NX = 1n << 63n;
const FLAGS = USER_TABLE | BigInt(PTE.A | PTE.D) | NX;

const base: FillArguments = {
  address: ADDRESS,
  physical: FRAMES,
  page_count: 4n,
  entry_flags: FLAGS,
  tables_end: FRESH_END,
  table_count: 3n,
};

const result = (frames: number, tables: number): bigint => BigInt(frames) + (BigInt(tables) << 32n);

test("fillPages: missing tables are linked downwards from the run's end, and frames follow each other", (t) => {
  const memory = plainMemory(SIZE);
  t.is(fillPages(memory, 0x1000, base), result(4, 3));
  const tables = new TestTables(memory);
  t.is(tables.entry(ADDRESS, 3), (FRESH_END - 0x1000n) | USER_TABLE | BigInt(PTE.A));
  t.is(tables.entry(ADDRESS, 2), (FRESH_END - 0x2000n) | USER_TABLE | BigInt(PTE.A));
  t.is(tables.entry(ADDRESS, 1), (FRESH_END - 0x3000n) | USER_TABLE | BigInt(PTE.A));
  const entries = [0n, 1n, 2n, 3n, 4n].map((page) => tables.entry(ADDRESS + page * 0x1000n));
  t.deepEqual(entries, [...[0n, 1n, 2n, 3n].map((page) => (FRAMES + page * 0x1000n) | FLAGS), 0n]);
});

for (const missing of [0, 1, 2, 3]) {
  test(`fillPages: ${missing} missing tables take ${missing}, and one fewer is -ENOMEM with nothing changed`, (t) => {
    const memory = plainMemory(SIZE);
    const tables = new TestTables(memory);
    tables.slot(ADDRESS, missing);
    const before = memory.read(0, SIZE);
    if (missing > 0) {
      t.is(fillPages(memory, tables.root, { ...base, table_count: BigInt(missing - 1) }), -ERRNO.ENOMEM);
      t.deepEqual(memory.read(0, SIZE), before);
    }
    t.is(fillPages(memory, tables.root, { ...base, table_count: BigInt(missing) }), result(4, missing));
  });
}

test("fillPages: an entry that is in use, present or held, is skipped and takes no frame", (t) => {
  const memory = plainMemory(SIZE);
  const tables = new TestTables(memory);
  tables.map(ADDRESS + 0x1000n, 0x8_0000);
  memory.setU64(tables.slot(ADDRESS + 0x2000n), 1n << 10n);
  t.is(fillPages(memory, tables.root, base), result(2, 0));
  t.is(tables.entry(ADDRESS), FRAMES | FLAGS);
  t.is(tables.entry(ADDRESS + 0x1000n), 0x8_0000n | USER_TABLE);
  t.is(tables.entry(ADDRESS + 0x2000n), 1n << 10n);
  t.is(tables.entry(ADDRESS + 0x3000n), (FRAMES + 0x1000n) | FLAGS);
});

test("fillPages: FILL_ZERO zeroes the frames that are used, and is not stored", (t) => {
  const memory = plainMemory(SIZE);
  memory.write(Number(FRAMES), new Uint8Array(3 * PAGE).fill(0xff));
  t.is(fillPages(memory, 0x1000, { ...base, page_count: 2n, entry_flags: FLAGS | FILL_ZERO }), result(2, 3));
  t.true(memory.read(Number(FRAMES), 2 * PAGE).every((byte) => byte === 0));
  t.is(memory.read(Number(FRAMES) + 2 * PAGE, 1)[0], 0xff);
  t.is(new TestTables(memory).entry(ADDRESS), FRAMES | FLAGS);
});

const invalid: [string, Partial<FillArguments>][] = [
  ["no pages", { page_count: 0n }],
  ["more pages than a table has", { page_count: 513n }],
  ["pages of two tables", { address: ADDRESS + 0x1f_f000n, page_count: 2n }],
  ["an address between pages", { address: ADDRESS + 1n }],
  ["an address of the kernel's half", { address: 0xffff_8000_0000_0000n }],
  ["the first page above the lower half", { address: 0x8000_0000_0000n, page_count: 1n }],
  ["frames outside memory", { physical: BigInt(SIZE) }],
  ["frames that end outside memory", { physical: BigInt(SIZE - PAGE) }],
  ["a frame address above 2^53", { physical: 1n << 60n }],
  ["a frame between pages", { physical: FRAMES + 8n }],
  ["flags that are an address", { entry_flags: FLAGS | 0x1000n }],
  ["a large page", { entry_flags: FLAGS | BigInt(PTE.PS) }],
  ["tables outside memory", { tables_end: BigInt(SIZE) + 0x1000n }],
  ["tables below 0", { tables_end: 0x1000n }],
  ["a wild number of tables", { table_count: 1n << 63n }],
];

for (const [title, args] of invalid) {
  test(`fillPages: ${title} is -EINVAL, and nothing is changed`, (t) => {
    const memory = plainMemory(SIZE);
    t.is(fillPages(memory, 0x1000, { ...base, ...args }), -ERRNO.EINVAL);
    t.true(memory.read(0, SIZE).every((byte) => byte === 0));
  });
}

for (const level of [1, 2, 3]) {
  for (const [title, entry] of [
    ["outside memory", 0x7_ffff_f000n | USER_TABLE],
    ["a large page", USER_TABLE | BigInt(PTE.PS)],
  ] as const) {
    test(`fillPages: a table of level ${level} that is ${title} is -EINVAL`, (t) => {
      const memory = plainMemory(SIZE);
      const tables = new TestTables(memory);
      memory.setU64(tables.slot(ADDRESS, level), entry);
      t.is(fillPages(memory, tables.root, base), -ERRNO.EINVAL);
    });
  }
}
