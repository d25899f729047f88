import { ERRNO } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { LimitedTree } from "./limited-file-system.js";
import { MemoryBudget, MemoryDirectory } from "./memory-file-system.js";
import { O, SEEK } from "./open-file.js";

const LIMIT = 10;
const bytes = (length: number) => new Uint8Array(length).fill(0x78);

function tree() {
  return new LimitedTree(new MemoryDirectory(new MemoryBudget(2 ** 20)), LIMIT);
}

test("a write is cut at the limit, and refused with -EFBIG behind it (write(2), setrlimit(2))", (t) => {
  const file = tree().create("f", O.RDWR, 0o600);
  t.is(file.write([bytes(6)]), 6);
  t.is(file.write([bytes(3), bytes(3)]), 4);
  t.is(file.write([bytes(1)]), -ERRNO.EFBIG);
  t.is(file.stat().size, BigInt(LIMIT));
});

test("what lies below the limit can be written again; an empty write is no error", (t) => {
  const file = tree().create("f", O.RDWR, 0o600);
  t.is(file.write([bytes(LIMIT)]), LIMIT);
  t.is(file.write([bytes(0)]), 0);
  file.seek(2n, SEEK.SET);
  t.is(file.write([bytes(3)]), 3);
});

test("a position behind the limit writes nothing and makes no hole", (t) => {
  const file = tree().create("f", O.RDWR, 0o600);
  file.seek(BigInt(LIMIT), SEEK.SET);
  t.is(file.write([bytes(1)]), -ERRNO.EFBIG);
  t.is(file.stat().size, 0n);
});

test("O_APPEND writes at the end, and that is where the limit counts", (t) => {
  const root = tree();
  root.create("f", O.WRONLY, 0o600).write([bytes(8)]);
  const file = root.lookup("f").open(O.WRONLY | O.APPEND);
  t.is(file.write([bytes(8)]), 2);
  t.is(file.write([bytes(8)]), -ERRNO.EFBIG);
});
