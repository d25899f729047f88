import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import test, { type ExecutionContext } from "ava";
import { VmError } from "../errors.js";
import { O, SEEK } from "../host/open-file.js";
import { descriptors } from "../plugins/descriptors.js";
import { PluginHarness } from "../testing/harness.js";
import { files, type MountOption } from "./files.js";

const fails = (errno: keyof typeof ERRNO): bigint => BigInt(-ERRNO[errno]);

/** A host directory `outside` with a `secret`, and in it `mounted`, which the guest gets. */
function hostTree(t: ExecutionContext) {
  const outside = mkdtempSync(join(tmpdir(), "kvmkit-files-"));
  t.teardown(() => rmSync(outside, { recursive: true }));
  const mounted = join(outside, "mounted");
  mkdirSync(join(mounted, "sub"), { recursive: true });
  writeFileSync(join(outside, "secret"), "secret");
  writeFileSync(join(mounted, "file"), "content");
  return { outside, mounted };
}

function guestWith(t: ExecutionContext, mounts: readonly MountOption[]): PluginHarness {
  const guest = new PluginHarness([
    { plugin: descriptors, grant: "all" },
    { plugin: files, grant: "all", options: { mounts } },
  ]);
  t.teardown(() => guest.close());
  return guest;
}

function open(guest: PluginHarness, path: string, flags: number = O.RDONLY): bigint {
  return guest.call("open", guest.put(path), flags, 0o644)!;
}

function contentOf(guest: PluginHarness, path: string): string | bigint {
  const fd = open(guest, path);
  if (fd < 0n) return fd;
  const at = guest.allocate(64);
  const length = guest.call("read", fd, at, 64)!;
  guest.call("close", fd);
  return length < 0n ? length : new TextDecoder().decode(guest.read(at, Number(length)));
}

test("files: a mounted directory is read, and nothing of it can be written unless it is rw", (t) => {
  const { mounted } = hostTree(t);
  const guest = guestWith(t, [
    { guest: "/ro", host: mounted },
    { guest: "/deep/rw", host: mounted, mode: "rw" },
  ]);
  t.is(contentOf(guest, "/ro/file"), "content");
  for (const flags of [O.WRONLY, O.RDWR, O.RDONLY | O.TRUNC])
    t.is(open(guest, "/ro/file", flags), fails("EROFS"));
  t.is(open(guest, "/ro/new", O.WRONLY | O.CREAT), fails("EROFS"));
  t.is(guest.call("unlink", guest.put("/ro/file")), fails("EROFS"));
  t.is(readFileSync(join(mounted, "file"), "utf8"), "content");

  const fd = open(guest, "/deep/rw/new", O.RDWR | O.CREAT | O.EXCL);
  t.is(guest.call("write", fd, guest.put("new data"), 8), 8n);
  t.is(guest.call("lseek", fd, 4, SEEK.SET), 4n);
  t.is(guest.call("write", fd, guest.put("text"), 4), 4n);
  t.is(readFileSync(join(mounted, "new"), "utf8"), "new text");
  t.is(open(guest, "/deep/rw/new", O.WRONLY | O.CREAT | O.EXCL), fails("EEXIST"));
  t.is(guest.call("unlink", guest.put("/deep/rw/new")), 0n);
  t.deepEqual(readdirSync(mounted).sort(), ["file", "sub"]);
});

test("files: without a mount there is nothing of the host", (t) => {
  const guest = guestWith(t, []);
  for (const path of ["/etc/passwd", "/proc/self/environ", "/dev/null", "../../../etc/passwd"]) {
    t.is(open(guest, path), fails("ENOENT"));
  }
});

const escapes: [string, (outside: string) => string][] = [
  ["..", () => "/m/../secret"],
  [".. behind a directory", () => "/m/sub/../../secret"],
  ["a relative link", () => "/m/relative"],
  ["an absolute link", () => "/m/absolute"],
  ["a link to a directory outside", () => "/m/directory/secret"],
  ["the host's own path", (outside) => join(outside, "secret")],
];

for (const [title, pathOf] of escapes) {
  test(`files: ${title} does not lead out of a mount`, (t) => {
    const { outside, mounted } = hostTree(t);
    symlinkSync("../secret", join(mounted, "relative"));
    symlinkSync(join(outside, "secret"), join(mounted, "absolute"));
    symlinkSync(outside, join(mounted, "directory"));
    const guest = guestWith(t, [{ guest: "/m", host: mounted, mode: "rw" }]);
    t.is(open(guest, pathOf(outside)), fails("ENOENT"));
    if (title.includes("link")) t.true(open(guest, pathOf(outside), O.WRONLY | O.CREAT) < 0n);
    t.is(readFileSync(join(outside, "secret"), "utf8"), "secret");
  });
}

test("files: links inside a mount are followed in the guest's tree, absolute ones from its root", (t) => {
  const { mounted } = hostTree(t);
  symlinkSync("../file", join(mounted, "sub/up"));
  symlinkSync("/m/file", join(mounted, "sub/abs"));
  const guest = guestWith(t, [{ guest: "/m", host: mounted }]);
  t.is(contentOf(guest, "/m/sub/up"), "content");
  t.is(contentOf(guest, "/m/sub/abs"), "content");
  const at = guest.allocate(32);
  t.is(guest.call("readlink", guest.put("/m/sub/abs"), at, 32), 7n);
  t.is(new TextDecoder().decode(guest.read(at, 7)), "/m/file");
  t.is(open(guest, "/m/sub/up", O.NOFOLLOW), fails("ELOOP"));
});

test("files: a single file is mounted by the name that the guest gives it, through links of the host", (t) => {
  const { outside } = hostTree(t);
  symlinkSync("secret", join(outside, "alias"));
  const guest = guestWith(t, [{ guest: "/etc/granted", host: join(outside, "alias") }]);
  t.is(contentOf(guest, "/etc/granted"), "secret");
  t.is(open(guest, "/etc/secret"), fails("ENOENT"));
  t.is(open(guest, "/etc/granted", O.WRONLY), fails("EROFS"));
});

test("files: a mount hides what another has at its path", (t) => {
  const { outside, mounted } = hostTree(t);
  writeFileSync(join(mounted, "sub/file"), "hidden");
  const guest = guestWith(t, [
    { guest: "/m", host: mounted },
    { guest: "/m/sub", host: outside },
  ]);
  t.is(contentOf(guest, "/m/sub/secret"), "secret");
  t.is(open(guest, "/m/sub/file"), fails("ENOENT"));
  t.is(contentOf(guest, "/m/sub/../file"), "content");
});

test("files: names that are no UTF-8 are found by their bytes", (t) => {
  const { mounted } = hostTree(t);
  writeFileSync(Buffer.concat([Buffer.from(`${mounted}/`), Buffer.from([0xff, 0x61])]), "bytes");
  const guest = guestWith(t, [{ guest: "/m", host: mounted }]);
  t.is(contentOf(guest, "/m/\udcffa"), "bytes");
});

test("files: a FIFO without a writer does not hold the host up, a device is not opened", (t) => {
  const { mounted } = hostTree(t);
  execFileSync("mkfifo", [join(mounted, "fifo")]);
  const guest = guestWith(t, [
    { guest: "/m", host: mounted },
    { guest: "/dev", host: "/dev" },
  ]);
  t.true(open(guest, "/m/fifo") >= 0n);
  t.is(contentOf(guest, "/dev/zero"), "\0".repeat(64));
  t.is(open(guest, "/dev/tty"), fails("EACCES"));
  t.is(open(guest, "/dev/kvm"), fails(existsSync("/dev/kvm") ? "EACCES" : "ENOENT"));
});

test("files: tmpfs is memory of its own size", (t) => {
  const guest = guestWith(t, [{ guest: "/scratch", tmpfs: 8192 }]);
  const fd = open(guest, "/scratch/a", O.RDWR | O.CREAT);
  const data = guest.put(new Uint8Array(9000));
  t.is(guest.call("write", fd, data, 9000), fails("ENOSPC"));
  t.is(guest.call("write", fd, data, 4000), 4000n);
});

test("files: descriptors of the host are given back by close, and by the end of the machine", (t) => {
  const { mounted } = hostTree(t);
  const count = () => readdirSync("/proc/self/fd").length;
  const before = count();
  const guest = new PluginHarness([
    { plugin: descriptors, grant: "all" },
    { plugin: files, grant: "all", options: { mounts: [{ guest: "/m", host: mounted }] } },
  ]);
  for (let round = 0; round < 50; round++) {
    contentOf(guest, "/m/file");
    open(guest, "/m/sub/../nothing");
    open(guest, "/m/file/x");
    guest.call("stat", guest.put("/m/sub"), 0);
  }
  open(guest, "/m/file");
  open(guest, "/m/sub");
  guest.close();
  t.is(count(), before);
});

const badMounts: [string, MountOption[], RegExp][] = [
  ["a relative guest path", [{ guest: "data", host: "/" }], /not absolute/],
  [".. in the guest path", [{ guest: "/a/../b", host: "/" }], /has \.\./],
  ["a relative host path", [{ guest: "/a", host: "data" }], /host is data/],
  ["an unknown mode", [{ guest: "/a", host: "/", mode: "rx" as "ro" }], /mode is rx/],
  [
    "one path twice",
    [
      { guest: "/a/", host: "/" },
      { guest: "//a", host: "/" },
    ],
    /mounted twice/,
  ],
  ["a size without end", [{ guest: "/a", tmpfs: Number.POSITIVE_INFINITY }], /tmpfs is Infinity/],
  ["a host path that is not there", [{ guest: "/a", host: "/no/such" }], /\/no\/such of the host.*ENOENT/],
];

for (const [title, mounts, message] of badMounts) {
  test(`files: ${title} is refused, naming the mount`, (t) => {
    t.throws(() => guestWith(t, mounts), { instanceOf: VmError, code: "ERR_VM_MOUNT", message });
  });
}
