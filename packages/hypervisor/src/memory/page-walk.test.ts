import { CR0, CR4, EFER } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { PAGE, plainMemory, sparseMemory, TestTables, USER_TABLE } from "../internal-testing/memory.js";
import { PTE } from "../x86.js";
import { CHUNK_SIZE, type Extent, type GuestMemory } from "./guest-memory.js";
import { type Access, addressSpaceOf, isCanonical, translate } from "./page-walk.js";

const SIZE = 8 * 2 ** 20;
const USER_READ: Access = { write: false, user: true };
const USER_WRITE: Access = { write: true, user: true };
const KERNEL_READ: Access = { write: false, user: false };
const BASE = 0x4000_0000n;

function walk(memory: GuestMemory, root: number, address: bigint, length: number, access: Access) {
  const extents: Extent[] = [];
  const found = translate(memory, { paging: "long", root }, address, length, access, extents);
  return { found, extents };
}

test("translate: neighbouring frames become one extent, others one each (SDM Vol. 3A, 4-Level Paging)", (t) => {
  const tables = new TestTables(plainMemory(SIZE));
  tables.map(BASE, 0x10_0000);
  tables.map(BASE + 0x1000n, 0x10_1000);
  tables.map(BASE + 0x2000n, 0x20_0000);
  t.deepEqual(walk(tables.memory, tables.root, BASE + 0x800n, 0x2000, USER_READ), {
    found: 0x2000,
    extents: [
      { address: 0x10_0800, length: 0x1800 },
      { address: 0x20_0000, length: 0x800 },
    ],
  });
});

test("translate: a range that crosses from one page table into the next is walked through", (t) => {
  const tables = new TestTables(plainMemory(SIZE));
  tables.map(BASE + 0x1f_f000n, 0x30_0000);
  tables.map(BASE + 0x20_0000n, 0x30_1000);
  const { found, extents } = walk(tables.memory, tables.root, BASE + 0x1f_f000n, 2 * PAGE, USER_WRITE);
  t.is(found, 2 * PAGE);
  t.deepEqual(extents, [{ address: 0x30_0000, length: 2 * PAGE }]);
});

const bits: [string, bigint, Access][] = [
  ["present", BigInt(PTE.P), KERNEL_READ],
  ["user", BigInt(PTE.US), USER_READ],
  ["write", BigInt(PTE.RW), USER_WRITE],
];

for (const [name, bit, access] of bits) {
  for (const level of [0, 1, 2, 3]) {
    test(`translate: the ${name} bit counts at level ${level} (SDM Vol. 3A, Determination of Access Rights)`, (t) => {
      const tables = new TestTables(plainMemory(SIZE));
      tables.map(BASE, 0x10_0000);
      t.is(walk(tables.memory, tables.root, BASE, 8, access).found, 8);
      const slot = tables.slot(BASE, level);
      tables.memory.setU64(slot, tables.memory.u64(slot) & ~bit);
      t.deepEqual(walk(tables.memory, tables.root, BASE, 8, access), { found: 0, extents: [] });
    });
  }
}

test("translate: without the user and write bits the kernel still reads", (t) => {
  const tables = new TestTables(plainMemory(SIZE));
  tables.map(BASE, 0x10_0000, BigInt(PTE.P));
  t.is(walk(tables.memory, tables.root, BASE, 8, KERNEL_READ).found, 8);
  t.is(walk(tables.memory, tables.root, BASE, 8, USER_READ).found, 0);
});

test("translate: a 2 MiB page is one extent, and bit 12 of its entry is PAT, not address", (t) => {
  const tables = new TestTables(plainMemory(SIZE));
  const flags = USER_TABLE | BigInt(PTE.PS) | (1n << 12n);
  tables.memory.setU64(tables.slot(BASE, 1), 0x40_0000n | flags);
  t.deepEqual(walk(tables.memory, tables.root, BASE + 0x1234n, 0x10_0000, USER_WRITE), {
    found: 0x10_0000,
    extents: [{ address: 0x40_1234, length: 0x10_0000 }],
  });
});

test("translate: a 1 GiB page that ends behind guest memory maps only what exists", (t) => {
  const tables = new TestTables(plainMemory(SIZE));
  tables.memory.setU64(tables.slot(BASE, 2), USER_TABLE | BigInt(PTE.PS));
  t.is(walk(tables.memory, tables.root, BASE + BigInt(SIZE - PAGE), PAGE, USER_READ).found, PAGE);
  t.is(walk(tables.memory, tables.root, BASE + BigInt(SIZE - PAGE), PAGE + 1, USER_READ).found, PAGE);
  t.is(walk(tables.memory, tables.root, BASE + BigInt(SIZE), 1, USER_READ).found, 0);
});

test("translate: a large page over several chunks of memory is one extent in each", (t) => {
  const memory = sparseMemory(3 * CHUNK_SIZE);
  const tables = new TestTables(memory);
  memory.setU64(tables.slot(BASE, 2), USER_TABLE | BigInt(PTE.PS));
  const { found, extents } = walk(memory, tables.root, BASE + 0x1000n, 2 * CHUNK_SIZE, USER_READ);
  t.is(found, 2 * CHUNK_SIZE);
  t.deepEqual(extents, [
    { address: 0x1000, length: CHUNK_SIZE - 0x1000 },
    { address: CHUNK_SIZE, length: CHUNK_SIZE },
    { address: 2 * CHUNK_SIZE, length: 0x1000 },
  ]);
});

for (const level of [1, 2, 3]) {
  test(`translate: an entry of level ${level} that points outside guest memory ends the walk`, (t) => {
    const tables = new TestTables(plainMemory(SIZE));
    tables.map(BASE, 0x10_0000);
    tables.memory.setU64(tables.slot(BASE, level), 0x000f_ffff_ffff_f000n | USER_TABLE);
    t.is(walk(tables.memory, tables.root, BASE, 8, USER_READ).found, 0);
  });
}

test("translate: a frame outside guest memory ends the walk before it", (t) => {
  const tables = new TestTables(plainMemory(SIZE));
  tables.map(BASE, 0x10_0000);
  tables.map(BASE + 0x1000n, SIZE);
  t.is(walk(tables.memory, tables.root, BASE, 2 * PAGE, USER_READ).found, PAGE);
});

test("translate: a root outside guest memory translates nothing", (t) => {
  t.is(walk(plainMemory(SIZE), SIZE, BASE, 8, USER_READ).found, 0);
  t.is(walk(plainMemory(SIZE), 2 ** 51, BASE, 8, USER_READ).found, 0);
});

test("translate: tables that point at themselves are walked four levels deep and no further", (t) => {
  const memory = plainMemory(SIZE);
  for (let index = 0; index < 512; index++) memory.setU64(0x1000 + index * 8, 0x1000n | USER_TABLE);
  const { found } = walk(memory, 0x1000, 0n, PAGE * 1024, USER_READ);
  t.is(found, PAGE * 1024);
});

const notCanonical = [0x0000_8000_0000_0000n, 0xffff_7fff_ffff_ffffn, 0x1_0000_0000_0000_0000n, -1n];

for (const address of notCanonical) {
  test(`translate: ${address} is not canonical (SDM Vol. 1, Canonical Addressing)`, (t) => {
    const tables = new TestTables(plainMemory(SIZE));
    t.false(isCanonical(address));
    t.is(walk(tables.memory, tables.root, address, 1, KERNEL_READ).found, 0);
  });
}

test("translate: the upper half is walked by its low 48 bits, and does not wrap", (t) => {
  const tables = new TestTables(plainMemory(SIZE));
  const address = 0xffff_ffff_ffff_f000n;
  tables.map(address, 0x10_0000);
  t.is(walk(tables.memory, tables.root, address, PAGE, KERNEL_READ).found, PAGE);
  t.is(walk(tables.memory, tables.root, address, PAGE + 1, KERNEL_READ).found, 0);
});

test("translate: without paging addresses are guest-physical", (t) => {
  const extents: Extent[] = [];
  const memory = plainMemory(SIZE);
  t.is(translate(memory, { paging: "none" }, BigInt(SIZE - 4), 8, USER_READ, extents), 4);
  t.deepEqual(extents, [{ address: SIZE - 4, length: 4 }]);
});

test("addressSpaceOf: CR0.PG, IA32_EFER.LMA and CR4.LA57 select it, CR3 is its root", (t) => {
  const registers = { cr0: CR0.PG, cr3: 0x12_3fffn, cr4: CR4.PAE, efer: EFER.LMA } as never;
  t.deepEqual(addressSpaceOf(registers), { paging: "long", root: 0x12_3000 });
  t.deepEqual(addressSpaceOf({ cr0: 0n, cr3: 0n, cr4: 0n, efer: 0n } as never), { paging: "none" });
  t.deepEqual(addressSpaceOf({ cr0: CR0.PG, cr3: 0n, cr4: CR4.PAE, efer: 0n } as never), {
    paging: "unsupported",
  });
  const la57 = { cr0: CR0.PG, cr3: 0n, cr4: CR4.LA57, efer: EFER.LMA } as never;
  t.deepEqual(addressSpaceOf(la57), { paging: "unsupported" });
});
