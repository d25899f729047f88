import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants as fs,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { hostIo, POLL } from "./host-io.js";
import { StopSource } from "./stop-source.js";
import { nativeTest } from "./testing/native-test.js";

const { EINTR, EPIPE, EBADF, EXDEV, ENOENT } = constants.errno;

function temporaryDirectory(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), "kvm-bindings-io-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A fifo, which mkfifo(1) makes; both ends open. */
function fifo(t: ExecutionContext): {
  readonly reader: number;
  readonly writer: number;
  close(end: number): void;
} {
  const path = join(temporaryDirectory(t), "fifo");
  spawnSync("mkfifo", [path]);
  const reader = openSync(path, fs.O_RDONLY | fs.O_NONBLOCK);
  const writer = openSync(path, fs.O_WRONLY);
  const open = new Set([reader, writer]);
  const close = (end: number) => {
    if (open.delete(end)) closeSync(end);
  };
  t.teardown(() => [...open].forEach(close));
  return { reader, writer, close };
}

const text = (value: string) => new TextEncoder().encode(value);
const string = (value: Uint8Array) => new TextDecoder().decode(value);

nativeTest("hostIo.read: bytes into the views in order, 0 at the end (readv(2))", (t) => {
  const path = join(temporaryDirectory(t), "file");
  writeFileSync(path, "hello, world");
  const fd = openSync(path, "r");
  const [first, second] = [new Uint8Array(5), new Uint8Array(100)];
  t.is(hostIo.read(fd, [first, second]), 12);
  t.is(string(first) + string(second.subarray(0, 7)), "hello, world");
  t.is(hostIo.read(fd, [first]), 0);
  t.is(hostIo.read(fd, [first], { position: 7 }), 5);
  t.is(string(first), "world");
  closeSync(fd);
});

nativeTest("hostIo.write: all views, in order, at the position or after each other (writev(2))", (t) => {
  const path = join(temporaryDirectory(t), "file");
  const fd = openSync(path, "w+");
  t.is(hostIo.write(fd, [text("hello"), new Uint8Array(), text(", world")]), 12);
  t.is(hostIo.write(fd, [text("W")], { position: 7 }), 1);
  t.is(hostIo.write(fd, []), 0);
  const back = new Uint8Array(12);
  t.is(hostIo.read(fd, [back], { position: 0 }), 12);
  t.is(string(back), "hello, World");
  closeSync(fd);
});

nativeTest("hostIo.write: more views than one system call takes", (t) => {
  const path = join(temporaryDirectory(t), "file");
  const fd = openSync(path, "w+");
  const views = Array.from({ length: 3000 }, (_, i) => Uint8Array.of(i & 0xff, i >> 8));
  t.is(hostIo.write(fd, views), 6000);
  const back = new Uint8Array(6000);
  t.is(hostIo.read(fd, [back], { position: 0 }), 6000);
  t.deepEqual(back.subarray(5998), Uint8Array.of(2999 & 0xff, 2999 >> 8));
  closeSync(fd);
});

nativeTest("hostIo.read: EAGAIN of a non-blocking descriptor is waited out", (t) => {
  const { reader, writer } = fifo(t);
  using stop = new StopSource();
  stop.armWall(5);
  t.is(hostIo.read(reader, [new Uint8Array(1)], { stop }), -EINTR);
  t.is(hostIo.write(writer, [text("x")]), 1);
  t.is(hostIo.read(reader, [new Uint8Array(8)]), 1);
});

nativeTest("hostIo.read on a pipe that stays open and silent ends with the stop (-EINTR)", (t) => {
  const { reader } = fifo(t);
  using stop = new StopSource();
  stop.armWall(5);
  t.is(hostIo.read(reader, [new Uint8Array(1)], { stop }), -EINTR);
  t.is(stop.reason, "wall");
  t.is(hostIo.read(reader, [new Uint8Array(1)], { stop }), -EINTR, "until reset()");
});

nativeTest("hostIo.write on a full pipe ends with the stop, and returns what went through", (t) => {
  const { writer } = fifo(t);
  using stop = new StopSource();
  // However slow the machine is: some limit is long enough for the first part.
  let written = -EINTR;
  for (let ms = 5; written === -EINTR; ms *= 2) {
    stop.reset();
    stop.armWall(ms);
    written = hostIo.write(writer, [new Uint8Array(1 << 20)], { stop });
  }
  t.true(written > 0 && written < 1 << 20, `${written}`);
  t.is(hostIo.write(writer, [new Uint8Array(1)], { stop }), -EINTR);
});

nativeTest("hostIo.write to a pipe without a reader is -EPIPE, and no SIGPIPE (pipe(7))", (t) => {
  const { reader, writer, close } = fifo(t);
  close(reader);
  // A listener makes SIGPIPE visible; Node.js ignores it otherwise.
  let raised = 0;
  const count = () => raised++;
  process.on("SIGPIPE", count);
  t.is(hostIo.write(writer, [text("x")]), -EPIPE);
  t.is(hostIo.write(writer, [text("x")]), -EPIPE);
  return new Promise<void>((resolve) =>
    setImmediate(() => {
      process.off("SIGPIPE", count);
      t.is(raised, 0);
      resolve();
    }),
  );
});

nativeTest("hostIo.poll: the events that are ready, 0 on time-out, -EINTR when stopped (poll(2))", (t) => {
  const { reader, writer } = fifo(t);
  t.is(hostIo.poll(reader, POLL.IN, { timeoutMs: 0 }), 0);
  t.is(hostIo.poll(writer, POLL.OUT, { timeoutMs: 0 }), POLL.OUT);
  hostIo.write(writer, [text("x")]);
  t.is(hostIo.poll(reader, POLL.IN), POLL.IN);
  using stop = new StopSource();
  stop.stop();
  t.is(hostIo.poll(reader, POLL.IN, { stop }), -EINTR);
});

nativeTest("hostIo.sleep: 0 when it is over, -EINTR when stopped", (t) => {
  t.is(hostIo.sleep(1), 0);
  using stop = new StopSource();
  stop.armWall(1);
  t.is(hostIo.sleep(60_000, stop), -EINTR);
});

nativeTest("hostIo: a descriptor that is not open is -EBADF", (t) => {
  t.is(hostIo.read(1_000_000, [new Uint8Array(1)]), -EBADF);
  t.is(hostIo.write(1_000_000, [new Uint8Array(1)]), -EBADF);
});

nativeTest("hostIo.openBeneath: a path cannot leave the directory (openat2(2), RESOLVE_BENEATH)", (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, "inside"), "x");
  symlinkSync("/etc/passwd", join(directory, "absolute"));
  symlinkSync("../..", join(directory, "up"));
  symlinkSync("inside", join(directory, "link"));
  const fd = openSync(directory, "r");
  for (const path of ["inside", "./inside", "link"]) {
    const opened = hostIo.openBeneath(fd, path, fs.O_RDONLY);
    t.true(opened >= 0, path);
    closeSync(opened);
  }
  for (const path of ["../x", "/etc/passwd", "absolute", "up/x", "link/../../x".replace("link/", "")])
    t.is(hostIo.openBeneath(fd, path, fs.O_RDONLY), -EXDEV, path);
  t.is(hostIo.openBeneath(fd, "missing", fs.O_RDONLY), -ENOENT);
  const created = hostIo.openBeneath(fd, "new", fs.O_CREAT | fs.O_WRONLY, 0o600);
  t.true(created >= 0);
  closeSync(created);
  closeSync(fd);
});
