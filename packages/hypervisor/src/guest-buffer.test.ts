import test from "ava";
import { VmError } from "./errors.js";
import { GuestBuffer } from "./guest-buffer.js";
import { plainMemory } from "./internal-testing/memory.js";

const SCATTERED = [
  { address: 0x1000, length: 4 },
  { address: 0x3000, length: 4 },
  { address: 0x2000, length: 2 },
];

test("GuestBuffer.bytes: one extent is guest memory itself", (t) => {
  const memory = plainMemory(0x4000);
  const buffer = new GuestBuffer(memory, [{ address: 0x1000, length: 4 }], 4, "out");
  buffer.bytes().set([1, 2, 3, 4]);
  t.is(memory.u32(0x1000), 0x04030201);
});

test("GuestBuffer.bytes: several extents are a copy, written back when the call succeeded", (t) => {
  const memory = plainMemory(0x4000);
  const buffer = new GuestBuffer(memory, SCATTERED, 10, "inout");
  buffer.bytes().set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  t.is(memory.u32(0x1000), 0);
  buffer.end(true);
  t.deepEqual([...memory.read(0x1000, 4)], [1, 2, 3, 4]);
  t.deepEqual([...memory.read(0x3000, 4)], [5, 6, 7, 8]);
  t.deepEqual([...memory.read(0x2000, 4)], [9, 10, 0, 0]);
});

test("GuestBuffer.bytes: the copy of a call that failed, and of an in buffer, is dropped", (t) => {
  const memory = plainMemory(0x4000);
  for (const [direction, succeeded] of [
    ["out", false],
    ["in", true],
  ] as const) {
    const buffer = new GuestBuffer(memory, SCATTERED, 10, direction);
    buffer.bytes().fill(0xff);
    buffer.end(succeeded);
    t.is(memory.u32(0x1000), 0);
  }
});

test("GuestBuffer.read and write: go through the extents from any offset and say how much they moved", (t) => {
  const memory = plainMemory(0x4000);
  const buffer = new GuestBuffer(memory, SCATTERED, 10, "inout");
  t.is(buffer.write(Uint8Array.of(1, 2, 3, 4, 5, 6), 2), 6);
  t.is(buffer.write(Uint8Array.of(7, 8, 9), 8), 2);
  t.is(buffer.write(Uint8Array.of(7), 10), 0);
  const all = new Uint8Array(12);
  t.is(buffer.read(all), 10);
  t.deepEqual([...all], [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0]);
  const some = new Uint8Array(3);
  t.is(buffer.read(some, 3), 3);
  t.deepEqual([...some], [2, 3, 4]);
});

test("GuestBuffer.write: an in buffer is not written", (t) => {
  const buffer = new GuestBuffer(plainMemory(0x4000), SCATTERED, 10, "in");
  t.throws(() => buffer.write(Uint8Array.of(1)), { instanceOf: VmError, code: "ERR_VM_BUFFER_DIRECTION" });
});

test("GuestBuffer: every method throws after the call", (t) => {
  const buffer = new GuestBuffer(plainMemory(0x4000), SCATTERED, 10, "out");
  buffer.end(true);
  const uses = [
    () => buffer.bytes(),
    () => buffer.extents,
    () => buffer.read(new Uint8Array(1)),
    () => buffer.write(new Uint8Array(1)),
  ];
  for (const use of uses) t.throws(use, { instanceOf: VmError, code: "ERR_VM_BUFFER_EXPIRED" });
});
