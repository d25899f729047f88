import { ERRNO } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { errno } from "./errno.js";
import { MemoryBudget, MemoryDirectory } from "./memory-file-system.js";
import { O, S_IF, SEEK } from "./open-file.js";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const directory = (bytes = 65_536): MemoryDirectory => new MemoryDirectory(new MemoryBudget(bytes));

function contents(tree: MemoryDirectory, name: string): string {
  const file = tree.lookup(name).open(O.RDONLY);
  const bytes = new Uint8Array(file.remaining()!);
  file.read([bytes]);
  file.close();
  return new TextDecoder().decode(bytes);
}

test("MemoryDirectory: a file is created, written, sought, read and removed", (t) => {
  const tree = directory();
  const file = tree.create("a", O.RDWR, 0o644);
  t.is(file.write([text("hello "), text("world")]), 11);
  t.is(file.seek(6n, SEEK.SET), 6n);
  t.is(file.remaining(), 5);
  const [first, second] = [new Uint8Array(2), new Uint8Array(8)];
  t.is(file.read([first, second]), 5);
  t.is(new TextDecoder().decode(second.subarray(0, 3)), "rld");
  t.is(file.read([second]), 0);
  t.is(file.stat().size, 11n);
  t.is(file.stat().mode, S_IF.REG | 0o644);
  file.close();
  tree.unlink("a");
  t.throws(() => tree.lookup("a"), { is: errno("ENOENT") });
});

test("MemoryFile: a write behind the end leaves zeros between, O_APPEND writes at the end (lseek(2), open(2))", (t) => {
  const tree = directory();
  const file = tree.create("a", O.RDWR, 0o600);
  file.seek(3n, SEEK.SET);
  file.write([text("x")]);
  const appended = tree.lookup("a").open(O.WRONLY | O.APPEND);
  appended.seek(0n, SEEK.SET);
  appended.write([text("y")]);
  t.is(contents(tree, "a"), "\0\0\0xy");
});

test("MemoryFile: O_TRUNC empties, and only where it is opened for writing", (t) => {
  const tree = directory();
  tree.create("a", O.WRONLY, 0o600).write([text("old")]);
  tree
    .lookup("a")
    .open(O.RDONLY | O.TRUNC)
    .close();
  t.is(contents(tree, "a"), "old");
  tree
    .lookup("a")
    .open(O.WRONLY | O.TRUNC)
    .close();
  t.is(contents(tree, "a"), "");
});

test("MemoryFile: a descriptor does only what it was opened for (read(2), EBADF)", (t) => {
  const tree = directory();
  const writer = tree.create("a", O.WRONLY, 0o600);
  t.is(writer.read([new Uint8Array(1)]), -ERRNO.EBADF);
  t.is(
    tree
      .lookup("a")
      .open(O.RDONLY)
      .write([text("x")]),
    -ERRNO.EBADF,
  );
});

const seeks: [bigint, number, bigint | number][] = [
  [-1n, SEEK.SET, -ERRNO.EINVAL],
  [-6n, SEEK.END, -ERRNO.EINVAL],
  [-5n, SEEK.END, 0n],
  [10n, SEEK.END, 15n],
  [2n ** 62n, SEEK.SET, -ERRNO.EINVAL],
  [0n, 9, -ERRNO.EINVAL],
  [1n, SEEK.CUR, 1n],
];

for (const [offset, whence, expected] of seeks) {
  test(`MemoryFile.seek: ${offset} from ${whence} in 5 bytes is ${expected} (lseek(2))`, (t) => {
    const tree = directory();
    tree.create("a", O.WRONLY, 0o600).write([text("12345")]);
    t.is(tree.lookup("a").open(O.RDONLY).seek(offset, whence), expected);
  });
}

test("MemoryBudget: files share it, a full one is ENOSPC, and removing gives it back when the last descriptor closes", (t) => {
  const tree = directory(10_000);
  const file = tree.create("big", O.WRONLY, 0o600);
  file.write([new Uint8Array(9000)]);
  t.throws(() => tree.create("b", O.WRONLY, 0o600).write([new Uint8Array(1000)]), { is: errno("ENOSPC") });
  tree.unlink("big");
  t.throws(
    () =>
      tree
        .lookup("b")
        .open(O.WRONLY)
        .write([new Uint8Array(1000)]),
    { is: errno("ENOSPC") },
  );
  file.close();
  t.is(
    tree
      .lookup("b")
      .open(O.WRONLY)
      .write([new Uint8Array(1000)]),
    1000,
  );
});

test("MemoryBudget: empty files cost something, so that they cannot be without number", (t) => {
  const tree = directory(10_000);
  const error = t.throws(() => {
    for (let index = 0; index < 1000; index++) tree.create(`f${index}`, O.WRONLY, 0o600).close();
  });
  t.is(error, errno("ENOSPC"));
});

test("MemoryFile: a huge sparse write is ENOSPC, not a huge allocation", (t) => {
  const file = directory().create("a", O.WRONLY, 0o600);
  file.seek(2n ** 40n, SEEK.SET);
  t.throws(() => file.write([text("x")]), { is: errno("ENOSPC") });
});

test("MemoryDirectory: create refuses a name that is taken, unlink one that is missing or a directory", (t) => {
  const tree = directory();
  tree.directory("/sub/dir");
  tree.create("a", O.WRONLY, 0o600);
  t.throws(() => tree.create("a", O.WRONLY, 0o600), { is: errno("EEXIST") });
  t.throws(() => tree.unlink("b"), { is: errno("ENOENT") });
  t.throws(() => tree.unlink("sub"), { is: errno("EISDIR") });
});
