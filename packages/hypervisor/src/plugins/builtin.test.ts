/** The built-in plugins through the registry, as a program's system calls reach them. */
import { ERRNO, type HostSyscallName, SYSCALLS } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { O, SEEK } from "../host/open-file.js";
import type { PluginGrant } from "../plugin-set.js";
import { fuzzHypercalls } from "../testing/fuzz.js";
import { type HarnessOptions, PluginHarness } from "../testing/harness.js";
import { clock } from "./clock.js";
import { debugConsole } from "./debug-console.js";
import { descriptors } from "./descriptors.js";
import { foreignHost } from "./foreign-host.js";
import { type MemoryConsoleOptions, memoryConsole } from "./memory-console.js";
import { memoryFiles } from "./memory-files.js";
import { process } from "./process.js";
import { random } from "./random.js";

const FILES = { "/etc/hosts": "127.0.0.1\n", "/bin/prog": new Uint8Array(3) };
const AT_FDCWD = -100;

function grants(consoleOptions: MemoryConsoleOptions = {}, files = {}): PluginGrant[] {
  const all = "all";
  return [
    { plugin: descriptors, grant: all },
    { plugin: memoryConsole, grant: all, options: consoleOptions },
    { plugin: memoryFiles, grant: all, options: { files: FILES, tmpBytes: 65_536, ...files } },
    { plugin: process, grant: all },
    { plugin: clock, grant: all },
    { plugin: random, grant: all },
    { plugin: debugConsole, grant: all },
    { plugin: foreignHost, grant: all },
  ];
}

function program(options: MemoryConsoleOptions = {}, harness: HarnessOptions = {}) {
  const output = { stdout: "", stderr: "" };
  const onOutput = (stream: "stdout" | "stderr", bytes: Uint8Array) => {
    output[stream] += new TextDecoder().decode(bytes);
  };
  return { output, guest: new PluginHarness(grants({ onOutput, ...options }), harness) };
}

const fails = (errno: keyof typeof ERRNO): bigint => BigInt(-ERRNO[errno]);
const text = (guest: PluginHarness, at: bigint, length: number): string =>
  new TextDecoder().decode(guest.read(at, length));

test("built-ins: every system call that the kernel leaves to the host is served by one of them", (t) => {
  const { guest } = program();
  const served = new Set(guest.plugins.flatMap(({ calls }) => calls.map(({ nr }) => nr)));
  const missing = SYSCALLS.filter(({ served: by, nr }) => by === "host" && !served.has(nr));
  t.deepEqual(
    missing.map(({ name }) => name),
    [] as HostSyscallName[],
  );
});

test("write: the bytes reach standard output and standard error (write(2))", (t) => {
  const { guest, output } = program();
  const at = guest.put("hello\n");
  t.is(guest.call("write", 1, at, 6), 6n);
  t.is(guest.call("write", 2, at, 5), 5n);
  t.deepEqual(output, { stdout: "hello\n", stderr: "hello" });
  t.is(guest.call("write", 0, at, 6), fails("EBADF"));
  t.is(guest.call("write", 3, at, 6), fails("EBADF"));
  t.is(guest.call("write", 1, at, 0), 0n);
});

test("writev: the pieces go out in order (writev(2))", (t) => {
  const { guest, output } = program();
  const [one, two] = [guest.put("one "), guest.put("two")];
  const iov = guest.put(new Uint8Array(BigUint64Array.of(one, 4n, 0n, 0n, two, 3n).buffer));
  t.is(guest.call("writev", 1, iov, 3), 7n);
  t.is(output.stdout, "one two");
  t.is(guest.call("writev", 1, iov, 1025), fails("EINVAL"));
  t.is(guest.call("writev", 1, iov, -1), fails("EINVAL"));
  t.is(guest.call("writev", 1, BigInt(guest.memory.sizeBytes - 8), 1), fails("EFAULT"));
  const wild = guest.put(new Uint8Array(BigUint64Array.of(1n << 40n, 4n).buffer));
  t.is(guest.call("writev", 1, wild, 1), fails("EFAULT"));
  const negative = guest.put(new Uint8Array(BigUint64Array.of(one, 1n << 63n).buffer));
  t.is(guest.call("writev", 1, negative, 1), fails("EINVAL"));
});

test("read: standard input gives what it has and then its end (read(2))", (t) => {
  const { guest } = program({ stdin: "input" });
  const at = guest.allocate(64);
  t.is(guest.call("read", 0, at, 3), 3n);
  t.is(guest.call("read", 0, at + 3n, 60), 2n);
  t.is(text(guest, at, 5), "input");
  t.is(guest.call("read", 0, at, 60), 0n);
  t.is(guest.call("read", 1, at, 1), fails("EBADF"));
});

test("open, read, lseek, close: a file of the root (open(2))", (t) => {
  const { guest } = program();
  const fd = guest.call("open", guest.put("/etc/hosts"), O.RDONLY, 0)!;
  t.is(fd, 3n);
  const at = guest.allocate(64);
  t.is(guest.call("read", fd, at, 64), 10n);
  t.is(text(guest, at, 10), "127.0.0.1\n");
  t.is(guest.call("lseek", fd, 4, SEEK.SET), 4n);
  t.is(guest.call("read", fd, at, 1), 1n);
  t.is(text(guest, at, 1), "0");
  t.is(guest.call("lseek", fd, -100n & 0xffff_ffff_ffff_ffffn, SEEK.CUR), fails("EINVAL"));
  t.is(guest.call("close", fd), 0n);
  t.is(guest.call("close", fd), fails("EBADF"));
  t.is(guest.call("lseek", 0, 0, SEEK.SET), fails("ESPIPE"));
});

test("openat: from a directory, from the working directory, and not from a file (openat(2))", (t) => {
  const { guest } = program({}, { cwd: "/etc" });
  const name = guest.put("hosts");
  const cwd = BigInt.asUintN(64, BigInt(AT_FDCWD));
  t.is(guest.call("openat", cwd, name, O.RDONLY, 0), 3n);
  const directory = guest.call("open", guest.put("/etc"), O.RDONLY | O.DIRECTORY, 0)!;
  t.is(guest.call("openat", directory, name, O.RDONLY, 0), 5n);
  t.is(guest.call("openat", 3, name, O.RDONLY, 0), fails("ENOTDIR"));
  t.is(guest.call("openat", 77, name, O.RDONLY, 0), fails("EBADF"));
  t.is(guest.call("openat", 77, guest.put("/etc/hosts"), O.RDONLY, 0), 6n);
});

const refusedOpens: [string, number, keyof typeof ERRNO][] = [
  ["/etc/nothing", O.RDONLY, "ENOENT"],
  ["/etc/hosts", O.WRONLY, "EROFS"],
  ["/etc/hosts", O.RDONLY | O.TRUNC, "EROFS"],
  ["/etc/new", O.WRONLY | O.CREAT, "EROFS"],
  ["/etc/hosts", O.RDONLY | O.DIRECTORY, "ENOTDIR"],
  ["/etc/hosts", O.RDONLY | O.CREAT | O.EXCL, "EEXIST"],
  ["/etc", O.RDWR, "EISDIR"],
  ["/tmp", O.RDONLY | O.CREAT, "EISDIR"],
  ["/tmp/new/", O.WRONLY | O.CREAT, "EISDIR"],
  ["/tmp", 0o20200000 | O.RDWR, "ENOTSUP"],
  ["", O.RDONLY, "ENOENT"],
];

for (const [path, flags, errno] of refusedOpens) {
  test(`open: ${path || "the empty path"} with 0o${flags.toString(8)} is -${errno} (open(2), ERRORS)`, (t) => {
    const { guest } = program();
    t.is(guest.call("open", guest.put(path), flags, 0o644), fails(errno));
  });
}

test("open: /tmp can be written, within its bound, and what is removed is gone (unlink(2))", (t) => {
  const { guest } = program();
  const path = guest.put("/tmp/file");
  const fd = guest.call("open", path, O.RDWR | O.CREAT | O.EXCL, 0o600)!;
  const data = guest.put(new Uint8Array(50_000).fill(0x41));
  t.is(guest.call("write", fd, data, 50_000), 50_000n);
  t.is(guest.call("write", fd, data, 50_000), fails("ENOSPC"));
  t.is(guest.call("unlink", path), 0n);
  t.is(guest.call("unlink", path), fails("ENOENT"));
  t.is(guest.call("unlink", guest.put("/etc/hosts")), fails("EROFS"));
  t.is(guest.call("unlink", guest.put("/tmp")), fails("EISDIR"));
});

test("open: more descriptors than allowed is -EMFILE, and the host does not open the file", (t) => {
  const guest = new PluginHarness(
    grants().map((grant) => (grant.plugin === descriptors ? { ...grant, options: { openFiles: 4 } } : grant)),
  );
  const path = guest.put("/etc/hosts");
  t.is(guest.call("open", path, O.RDONLY, 0), 3n);
  t.is(guest.call("open", path, O.RDONLY, 0), fails("EMFILE"));
});

test("stat, lstat, fstat, newfstatat: size, kind and owner in Linux's layout (stat(2))", (t) => {
  const { guest } = program();
  const at = guest.allocate(144);
  const view = () => new DataView(guest.read(at, 144).buffer);
  t.is(guest.call("stat", guest.put("/etc/hosts"), at), 0n);
  t.is(view().getBigUint64(48, true), 10n);
  t.is(view().getUint32(24, true), 0o100644);
  t.is(view().getUint32(28, true), 0);
  t.is(guest.call("lstat", guest.put("/etc"), at), 0n);
  t.is(view().getUint32(24, true), 0o040755);
  t.is(guest.call("fstat", 0, at), 0n);
  t.is(view().getUint32(24, true), 0o010600);
  const cwd = BigInt.asUintN(64, BigInt(AT_FDCWD));
  t.is(guest.call("newfstatat", cwd, guest.put("/bin/prog"), at, 0), 0n);
  t.is(view().getBigUint64(48, true), 3n);
  t.is(guest.call("newfstatat", 1, guest.put(""), at, 0x1000), 0n);
  t.is(guest.call("newfstatat", 1, guest.put(""), at, 0), fails("ENOENT"));
  t.is(guest.call("newfstatat", 1, guest.put(""), at, 0x40), fails("EINVAL"));
  t.is(guest.call("stat", guest.put("/nothing"), at), fails("ENOENT"));
  t.is(guest.call("stat", guest.put("/etc/hosts"), BigInt(guest.memory.sizeBytes - 8)), fails("EFAULT"));
});

test("readlink: what is no link is -EINVAL, an empty buffer too (readlink(2))", (t) => {
  const { guest } = program();
  const at = guest.allocate(16);
  t.is(guest.call("readlink", guest.put("/etc/hosts"), at, 16), fails("EINVAL"));
  t.is(guest.call("readlink", guest.put("/proc/self/exe"), at, 16), fails("ENOENT"));
  t.is(guest.call("readlink", guest.put("/etc/hosts"), at, 0), fails("EINVAL"));
});

test("ioctl: a pipe is no terminal, an unknown request neither (ioctl(2), ENOTTY)", (t) => {
  const { guest } = program();
  const at = guest.allocate(64);
  for (const request of [0x5401, 0x5413, 0xdead_beef])
    t.is(guest.call("ioctl", 1, request, at), fails("ENOTTY"));
  t.is(guest.call("ioctl", 1, 0x5451, 0), 0n);
  t.is(guest.call("ioctl", 9, 0x5413, at), fails("EBADF"));
});

test("exit and exit_group: the low 8 bits are the status (_exit(2))", (t) => {
  for (const name of ["exit", "exit_group"]) {
    const { guest } = program();
    guest.call(name, 0x103);
    t.deepEqual(guest.outcome, { kind: "exited", status: 3 });
  }
});

test("clock_gettime: the day's clocks run with the host's, the others from the start; unknown ones are -EINVAL", (t) => {
  const { guest } = program();
  const at = guest.allocate(16);
  const before = BigInt(Date.now()) / 1000n - 1n;
  t.is(guest.call("clock_gettime", 0, at), 0n);
  t.true(guest.memory.u64(Number(at)) >= before);
  t.true(guest.memory.u64(Number(at) + 8) < 1_000_000_000n);
  t.is(guest.call("clock_gettime", 1, at), 0n);
  t.true(guest.memory.u64(Number(at)) < 3600n);
  t.is(guest.call("clock_gettime", 99, at), fails("EINVAL"));
  t.is(guest.call("clock_gettime", 0, 1n << 50n), fails("EFAULT"));
});

test("time and gettimeofday: the day's clock, through pointers that may be null (time(2), gettimeofday(2))", (t) => {
  const { guest } = program();
  const [timeval, zone, tloc] = [guest.allocate(16), guest.allocate(8), guest.allocate(8)];
  const before = BigInt(Math.floor(Date.now() / 1000));
  const seconds = guest.call("time", tloc)!;
  t.true(seconds >= before && seconds <= before + 3600n);
  t.is(guest.memory.u64(Number(tloc)), seconds);
  t.true(guest.call("time", 0)! >= seconds);
  t.is(guest.call("gettimeofday", timeval, zone), 0n);
  t.true(guest.memory.u64(Number(timeval)) >= seconds);
  t.true(guest.memory.u64(Number(timeval) + 8) < 1_000_000n);
  t.is(guest.memory.u64(Number(zone)), 0n);
  t.is(guest.call("gettimeofday", 0, 0), 0n);
  t.is(guest.call("time", 1n << 50n), fails("EFAULT"));
  t.is(guest.call("gettimeofday", 1n << 50n, 0), fails("EFAULT"));
});

test("getrandom: fills what was asked for, and nothing behind it (getrandom(2))", (t) => {
  const { guest } = program();
  const at = guest.allocate(200_000);
  t.is(guest.call("getrandom", at, 150_000, 0), 150_000n);
  const bytes = guest.read(at, 200_000);
  t.true(bytes.subarray(149_900, 150_000).some((byte) => byte !== 0));
  t.true(bytes.subarray(150_000).every((byte) => byte === 0));
  t.is(guest.call("getrandom", at, 8, 8), fails("EINVAL"));
});

test("limits.outputBytes: what fits is written, then the run ends with the limit", (t) => {
  const { guest, output } = program({}, { limits: { outputBytes: 8 } });
  const at = guest.put("123456");
  guest.call("write", 1, at, 6);
  t.is(guest.outcome, undefined);
  guest.call("write", 2, at, 6);
  t.deepEqual(output, { stdout: "123456", stderr: "12" });
  t.deepEqual(guest.outcome, { kind: "limit", limit: "output" });
});

test("debug-console: bytes of a port are standard output, wider writes lowest byte first", (t) => {
  const { guest, output } = program();
  guest.out(0x217, 1, 0x41, 0x42);
  guest.out(0x217, 4, 0x0a444342);
  t.is(output.stdout, "ABBCD\n");
});

test("foreign-host: open, read, lseek, write and close by pairs of out and in", (t) => {
  const { guest, output } = program();
  const pair = (n: number, value: bigint | number): number => {
    guest.out(0x8000 + n, 4, Number(value));
    return guest.in(0x8000 + n, 4)! | 0;
  };
  const words = (...values: bigint[]) => guest.put(new Uint8Array(BigUint64Array.from(values).buffer));
  const fd = pair(0, guest.put("/etc/hosts"));
  t.is(fd, 3);
  const at = guest.allocate(64);
  t.is(pair(1, words(BigInt(fd), at, 9n)), 9);
  t.is(text(guest, at, 9), "127.0.0.1");
  t.is(pair(4, guest.put(new Uint8Array(Int32Array.of(fd, 2, SEEK.SET).buffer))), 2);
  t.is(pair(1, words(BigInt(fd), at, 1n)), 1);
  t.is(text(guest, at, 1), "7");
  t.is(pair(2, words(1n, at, 1n)), 1);
  t.is(output.stdout, "7");
  t.is(pair(3, fd), 0);
  t.is(pair(3, fd), -ERRNO.EBADF);
  t.is(pair(0, guest.put("/nothing")), -ERRNO.ENOENT);
  t.is(pair(0, guest.memory.sizeBytes), -ERRNO.EFAULT);
  t.is(pair(1, guest.memory.sizeBytes - 8), -ERRNO.EFAULT);
  t.is(pair(1, words(0n, BigInt(guest.memory.sizeBytes), 1n)), -ERRNO.EFAULT);
  t.is(pair(2, words(1n << 40n, at, 1n)), -ERRNO.EBADF);
  t.is(pair(9, 0), -ERRNO.ENOSYS);
  t.is(guest.in(0x8123, 4)! | 0, -ERRNO.EINVAL);
  t.is(guest.outcome, undefined);
});

test("foreign-host: exit and panic end the run at the out", (t) => {
  const exits = program().guest;
  exits.out(0x8005, 4, 7);
  t.deepEqual(exits.outcome, { kind: "exited", status: 7 });
  const panics = program().guest;
  panics.out(0xffff, 4, Number(panics.put("out of memory")));
  t.is(panics.outcome?.kind === "panic" && panics.outcome.message, "out of memory");
});

test("built-ins: random registers and memory give results and errno, never an exception or a failure of a handler", async (t) => {
  const report = await fuzzHypercalls(grants(), { calls: 20_000, seed: 0x5eed });
  t.deepEqual(report.escapes, []);
  t.deepEqual([...report.handlerFailures], []);
  t.true(report.results > 100 && report.errors > 1000);
});
