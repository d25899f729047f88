import test from "ava";
import { VmError } from "../errors.js";
import { plainMemory, sparseMemory } from "../internal-testing/memory.js";
import { CHUNK_SIZE } from "./guest-memory.js";

const SIZE = 0x4000;
const HOLE_START = 3 * 2 ** 30;
const HOLE_END = 4 * 2 ** 30;

test("GuestMemory: what was written is read, as bytes and as words in little-endian order", (t) => {
  const memory = plainMemory(SIZE);
  memory.write(0x100, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  t.is(memory.u32(0x100), 0x04030201);
  t.is(memory.u64(0x100), 0x0807060504030201n);
  memory.setU64(0x108, 0xffee_ddcc_bbaa_9988n);
  t.deepEqual([...memory.read(0x106, 4)], [7, 8, 0x88, 0x99]);
});

test("GuestMemory.read: a copy; GuestMemory.view: the memory itself", (t) => {
  const memory = plainMemory(SIZE);
  const copy = memory.read(0, 4);
  const view = memory.view(0, 4);
  memory.write(0, Uint8Array.of(9));
  t.is(copy[0], 0);
  t.is(view[0], 9);
});

const outside: [number, number][] = [
  [SIZE, 1],
  [SIZE - 1, 2],
  [-1, 1],
  [0, SIZE + 1],
  [2 ** 53, 1],
  [Number.NaN, 1],
  [0.5, 1],
  [0, -1],
];

for (const [address, length] of outside) {
  test(`GuestMemory: ${length} bytes at ${address} lie outside, and nothing is written`, (t) => {
    const memory = plainMemory(SIZE);
    t.false(memory.contains(address, length));
    t.throws(() => memory.read(address, length), { instanceOf: VmError, code: "ERR_VM_MEMORY_RANGE" });
    if (length < 0) return;
    const data = new Uint8Array(length).fill(0xff);
    t.throws(() => memory.write(address, data), { instanceOf: VmError, code: "ERR_VM_MEMORY_RANGE" });
    t.true(memory.read(0, SIZE).every((byte) => byte === 0));
  });
}

test("GuestMemory: a word that only starts inside is refused", (t) => {
  const memory = plainMemory(SIZE);
  t.throws(() => memory.u64(SIZE - 4), { code: "ERR_VM_MEMORY_RANGE" });
  t.throws(() => memory.setU32(SIZE, 1), { code: "ERR_VM_MEMORY_RANGE" });
});

test("GuestMemory: the hole below 4 GiB is no memory, what follows it is", (t) => {
  const memory = sparseMemory(HOLE_START + SIZE);
  t.true(memory.contains(HOLE_START - 8, 8));
  t.false(memory.contains(HOLE_START - 8, 9));
  t.false(memory.contains(HOLE_END - 1, 1));
  t.true(memory.contains(HOLE_END, SIZE));
  t.false(memory.contains(HOLE_END, SIZE + 1));
  memory.setU64(HOLE_END, 42n);
  t.is(memory.u64(HOLE_END), 42n);
  t.is(memory.contiguous(HOLE_START), 0);
});

test("GuestMemory: reads and writes go over a chunk's end, views do not", (t) => {
  const memory = sparseMemory(2 * CHUNK_SIZE);
  memory.write(CHUNK_SIZE - 2, Uint8Array.of(1, 2, 3, 4));
  t.deepEqual([...memory.read(CHUNK_SIZE - 2, 4)], [1, 2, 3, 4]);
  t.deepEqual(
    memory.views(CHUNK_SIZE - 2, 4).map((view) => [...view]),
    [
      [1, 2],
      [3, 4],
    ],
  );
  t.throws(() => memory.view(CHUNK_SIZE - 2, 4), { code: "ERR_VM_MEMORY_RANGE" });
});
