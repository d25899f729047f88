import test from "ava";
import { DescriptorTable } from "./descriptor-table.js";
import { errno } from "./errno.js";
import type { OpenFile } from "./open-file.js";

function table(limit: number) {
  const closed: string[] = [];
  const file = (name: string) => ({ file: { close: () => closed.push(name) } as unknown as OpenFile });
  return { closed, file, table: new DescriptorTable(limit) };
}

test("DescriptorTable: the lowest free number is given out (open(2))", (t) => {
  const { table: fds, file } = table(10);
  t.deepEqual([fds.add(file("a")), fds.add(file("b")), fds.add(file("c"))], [0, 1, 2]);
  fds.close(1);
  t.is(fds.add(file("d")), 1);
});

test("DescriptorTable: more than the limit is EMFILE, a number that is not open EBADF", (t) => {
  const { table: fds, file } = table(2);
  fds.add(file("a"));
  fds.add(file("b"));
  t.throws(() => fds.add(file("c")), { is: errno("EMFILE") });
  for (const fd of [2, -1, 1.5, 2 ** 31]) t.throws(() => fds.get(fd), { is: errno("EBADF") });
});

test("DescriptorTable: what is replaced or closed is closed once", (t) => {
  const { table: fds, file, closed } = table(5);
  fds.install(1, file("a"));
  fds.install(1, file("b"));
  fds.close(1);
  t.throws(() => fds.close(1), { is: errno("EBADF") });
  fds.add(file("c"));
  fds.closeAll();
  t.deepEqual(closed, ["a", "b", "c"]);
});
