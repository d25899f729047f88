/** Pointers that a program must not get away with, in calls that the kernel serves and in calls that the host serves. */
import { PROT, type SyscallName, USER_MAX } from "@kvmkit/guest-kernel/abi";
import { mem, r12, rax, sym } from "@kvmkit/x86-asm";
import type { Value } from "./guest-program.js";
import { anonymous } from "./mappings.js";
import { failure, guestTest, reportsOf } from "./run-guest.js";

/** Addresses at which nothing may be read or written. */
const HOSTILE: readonly (readonly [title: string, address: bigint])[] = [
  ["null", 0n],
  ["the first page", 0xfffn],
  ["unmapped", 0x1234_5000n],
  ["the last byte of user space's last page", USER_MAX - 1n],
  ["the first byte past user space", USER_MAX],
  ["the end of the lower half", 0x7fff_ffff_ffffn],
  ["not canonical", 0x8000_0000_0000n],
  ["not canonical, in the middle", 0x1234_5678_9abc_def0n],
  ["the direct map", 0xffff_8880_0020_0000n],
  ["the kernel's text", 0xffff_ffff_8010_0000n],
  ["the kernel's data", 0xffff_ffff_8020_0000n],
  ["the last page", 0xffff_ffff_ffff_f000n],
  ["the last byte", 0xffff_ffff_ffff_ffffn],
];

guestTest(
  "uname: an address that cannot be written is -EFAULT, and the kernel lives (uname(2))",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      for (const [, address] of HOSTILE) p.call("uname", address).report();
    });
    for (const [i, [title]] of HOSTILE.entries()) t.is(reports[i], failure("EFAULT"), title);
  },
);

guestTest("write: a buffer that cannot be read is -EFAULT (write(2))", async (t, machine) => {
  const reports = await reportsOf(t, machine, (p) => {
    for (const [, address] of HOSTILE) p.call("write", 1, address, 16).report();
  });
  for (const [i, [title]] of HOSTILE.entries()) t.is(reports[i], failure("EFAULT"), title);
});

guestTest(
  "rt_sigaction, prlimit64, prctl, arch_prctl, sigaltstack: hostile pointers are -EFAULT",
  async (t, machine) => {
    const calls: readonly ((address: bigint) => readonly [SyscallName, ...Value[]])[] = [
      (address: bigint) => ["rt_sigaction", 10, address, 0, 8],
      (address: bigint) => ["rt_sigaction", 10, 0, address, 8],
      (address: bigint) => ["rt_sigprocmask", 0, address, 0, 8],
      (address: bigint) => ["prlimit64", 0, 3, 0, address],
      (address: bigint) => ["prlimit64", 0, 3, address, 0],
      (address: bigint) => ["prctl", 15, address],
      (address: bigint) => ["prctl", 16, address],
      (address: bigint) => ["arch_prctl", 0x1003, address],
      (address: bigint) => ["sigaltstack", address, 0],
      (address: bigint) => ["sched_getaffinity", 0, 8, address],
    ];
    // A null pointer means "none" to most of these.
    const hostile = HOSTILE.slice(1);
    const reports = await reportsOf(t, machine, (p) => {
      for (const call of calls) {
        for (const [, address] of hostile) p.call(...call(address)).report();
      }
    });
    t.deepEqual(new Set(reports), new Set([failure("EFAULT")]));
    t.is(reports.length, calls.length * hostile.length);
  },
);

guestTest(
  "a range that wraps around the address space is -EFAULT, whatever its start",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      const buffer = p.array("buffer", 4096);
      p.call("write", 1, buffer, 0xffff_ffff_ffff_ffffn).report();
      p.call("write", 1, 0xffff_ffff_ffff_f000n, 0x2000).report();
    });
    t.is(reports[1], failure("EFAULT"));
    t.true(reports[0] === failure("EFAULT") || reports[0] === failure("EINVAL"), `${reports[0]}`);
  },
);

guestTest("a buffer whose last page is missing: what the kernel writes is -EFAULT", async (t, machine) => {
  const reports = await reportsOf(t, machine, (p) => {
    p.call("mmap", ...anonymous(0, 0x2000)).a.mov(r12, rax);
    p.a.lea(rax, mem(r12, 0x1000));
    p.a.mov(r12, rax);
    p.call("munmap", r12, 0x1000).report();
    // 390 bytes of struct utsname, the last 190 of them past the end.
    p.a.sub(r12, 200);
    p.call("uname", r12).report();
  });
  t.deepEqual(reports, [0n, failure("EFAULT")]);
});

guestTest(
  "a read-only page: what the kernel would write is -EFAULT, what it reads is read",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      p.call("mmap", ...anonymous(0, 0x1000)).a.mov(r12, rax);
      p.touch(r12, 1);
      p.call("mprotect", r12, 0x1000, PROT.PROT_READ).report();
      p.call("uname", r12).report();
      p.call("prctl", 15, r12).report();
      p.call("read", 0, r12, 16).report();
      p.call("write", 1, r12, 16).report();
      p.call("mprotect", r12, 0x1000, PROT.PROT_NONE).report();
      p.call("prctl", 15, r12).report();
      p.call("write", 1, r12, 16).report();
    });
    const EFAULT = failure("EFAULT");
    t.deepEqual(reports, [0n, EFAULT, 0n, EFAULT, 16n, 0n, EFAULT, EFAULT]);
  },
);

guestTest(
  "pages that were never touched are made present for the kernel and for the host",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      p.call("mmap", ...anonymous(0, 0x10_0000)).a.mov(r12, rax);
      p.call("uname", r12).report();
      p.a.add(r12, 0x4_0000 - 8);
      p.call("uname", r12).report();
      p.call("read", 0x41, r12, 0x1_0000).report();
      p.a.mov(rax, mem.qword(r12, 0xfff8));
      p.report();
      p.call("write", 1, sym("text"), 5).report();
      p.data("text", "hello");
    });
    t.deepEqual(reports, [0n, 0n, 0x1_0000n, 0x4141_4141_4141_4141n, 5n]);
  },
);
