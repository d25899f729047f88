import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GuestMemory, WINDOW_BYTES } from "./guest-memory.js";
import { nativeTest } from "./testing/native-test.js";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

nativeTest("GuestMemory: two views of the same bytes are the same memory", (t) => {
  using memory = GuestMemory.allocate(32 * MIB);
  memory.bytes(20 * MIB, 4).set([1, 2, 3, 4]);
  t.deepEqual([...memory.bytes(20 * MIB + 1, 2)], [2, 3]);
  t.is(memory.view(20 * MIB, 4).getUint32(0, true), 0x0403_0201);
  t.is(memory.window(1)[4 * MIB], 1);
  t.deepEqual([...memory.copyTo(20 * MIB, 4)], [1, 2, 3, 4]);
});

nativeTest("GuestMemory: ranges across the windows' borders are one view", (t) => {
  using memory = GuestMemory.allocate(64 * MIB);
  for (const border of [8, 16, 24, 32, 48])
    for (const length of [2, 4096, 8 * MIB]) {
      const offset = border * MIB - length / 2;
      memory.bytes(offset, length).fill(border, 0, 1);
      memory.bytes(offset, length).fill(border + 1, length - 1);
      t.is(memory.bytes(offset, 1)[0], border);
      t.is(memory.bytes(offset + length - 1, 1)[0], border + 1);
    }
  t.is(memory.bytes().length, 64 * MIB);
  t.is(memory.bytes(1).length, 64 * MIB - 1);
});

nativeTest("GuestMemory: the same ArrayBuffers are used again", (t) => {
  using memory = GuestMemory.allocate(32 * MIB);
  t.is(memory.bytes(0, 16).buffer, memory.bytes(4096, 4 * MIB).buffer);
  t.is(memory.bytes(15 * MIB, 2 * MIB).buffer, memory.bytes(12 * MIB, 4 * MIB + 1).buffer);
  t.is(memory.window(1), memory.window(1));
});

nativeTest("GuestMemory: a memory that is no multiple of a window ends where it ends", (t) => {
  using memory = GuestMemory.allocate(WINDOW_BYTES + 8192);
  t.deepEqual(
    memory.views.map(({ length }) => length),
    [WINDOW_BYTES, 8192],
  );
  memory.bytes(WINDOW_BYTES + 8191, 1)[0] = 7;
  t.is(memory.window(1)[8191], 7);
});

nativeTest("GuestMemory: above 4 GiB every range of up to 2 GiB is one view", (t) => {
  using memory = GuestMemory.allocate(9 * GIB);
  const place = 5 * GIB + 12345;
  memory.bytes(place, 3).set([7, 8, 9]);
  t.deepEqual([...memory.bytes(place, 3)], [7, 8, 9]);
  t.is(memory.bytes(4 * GIB + 5, 2 * GIB)[place - 4 * GIB - 5], 7);
  t.is(memory.bytes(4 * GIB, 4 * GIB).length, 4 * GIB);
  t.throws(() => memory.bytes(1, 4 * GIB), { code: "ERR_KVM_RANGE" });
  t.throws(() => memory.bytes(), { code: "ERR_KVM_RANGE" });
});

nativeTest("GuestMemory.close detaches the views", (t) => {
  const memory = GuestMemory.allocate(MIB);
  const bytes = memory.bytes();
  const view = memory.view();
  memory.close();
  t.is(bytes.length, 0);
  t.throws(() => view.getUint8(0), { instanceOf: TypeError });
  t.throws(() => memory.bytes(), { code: "ERR_KVM_CLOSED" });
});

nativeTest("GuestMemory: handles of one memory close one by one", (t) => {
  const first = GuestMemory.allocate(MIB);
  const second = GuestMemory.attach(first.id);
  const bytes = second.bytes();
  bytes[0] = 5;
  first.close();
  t.is(bytes[0], 5);
  second.close();
  t.is(bytes.length, 0);
});

nativeTest(
  "GuestMemory: a buffer that was transferred away is replaced, and stays usable where it went",
  (t) => {
    using memory = GuestMemory.allocate(MIB);
    memory.bytes(0, 1)[0] = 9;
    const { buffer } = memory.bytes(0, 1) as { buffer: ArrayBuffer & { transfer?: () => ArrayBuffer } };
    // Node.js marks external buffers as untransferable, which V8's own transfer() (Node.js 22) does not know.
    const moved = buffer.transfer?.();
    t.is(memory.bytes(0, 1)[0], 9);
    memory.close();
    if (moved !== undefined) t.true(new Uint8Array(moved)[0]! >= 0);
  },
);

nativeTest("GuestMemory.discard: pages read as zeros again (madvise(2), MADV_DONTNEED)", (t) => {
  using memory = GuestMemory.allocate(MIB);
  memory.bytes().fill(1);
  memory.discard(4096, 4096);
  t.deepEqual([memory.bytes()[4095], memory.bytes()[4096], memory.bytes()[8192]], [1, 0, 1]);
});

nativeTest("GuestMemory.populate: pages are resident before they are touched", (t) => {
  using memory = GuestMemory.allocate(64 * MIB);
  const before = residentBytes();
  memory.populate(0, 32 * MIB);
  t.true(residentBytes() - before >= 24 * MIB);
});

nativeTest("GuestMemory: memory that is reserved but not touched is not resident", (t) => {
  const before = residentBytes();
  using memory = GuestMemory.allocate(64 * GIB);
  t.is(memory.bytes(48 * GIB, 1)[0], 0);
  t.true(residentBytes() - before < 64 * MIB);
});

nativeTest("GuestMemory: a file mapped private is copied on write, shared is written", (t) => {
  const path = join(tmpdir(), `kvm-bindings-${process.pid}`);
  const fd = openSync(path, "w+");
  t.teardown(() => {
    closeSync(fd);
    rmSync(path);
  });
  ftruncateSync(fd, 8192);
  writeSync(fd, "page two", 4096);
  {
    using memory = GuestMemory.allocate(4096, { file: { fd, offset: 4096 } });
    t.is(Buffer.from(memory.copyTo(0, 8)).toString(), "page two");
    memory.bytes()[0] = 0x50;
    t.is(readFileSync(path).toString("latin1", 4096, 4104), "page two");
    memory.discard();
    t.is(memory.bytes()[0], 0x70);
  }
  using shared = GuestMemory.allocate(4096, { file: { fd, offset: 4096, shared: true } });
  shared.bytes()[0] = 0x50;
  t.is(readFileSync(path).toString("latin1", 4096, 4104), "Page two");
});

nativeTest(
  "GuestMemory: a file that ends before the memory is refused, for touching it would be SIGBUS",
  (t) => {
    const path = join(tmpdir(), `kvm-bindings-short-${process.pid}`);
    const fd = openSync(path, "w+");
    t.teardown(() => {
      closeSync(fd);
      rmSync(path);
    });
    ftruncateSync(fd, 4096);
    t.throws(() => GuestMemory.allocate(8192, { file: { fd } }), { code: "ERR_KVM_FILE_SIZE" });
    t.throws(() => GuestMemory.allocate(4096, { file: { fd, offset: 4096 } }), { code: "ERR_KVM_FILE_SIZE" });
  },
);

function residentBytes(): number {
  return Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;
}
