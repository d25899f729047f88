/** The small calls: identity, thread pointers, names, limits, signals that a program sends itself. */
import { SIGNALS, type SignalName } from "@kvmkit/guest-kernel/abi";
import { mem, r12, rax, sym } from "@kvmkit/x86-asm";
import type { GuestProgram } from "./guest-program.js";
import { failure, guestTest, reportsOf, runGuest } from "./run-guest.js";

const words = (...values: readonly (number | bigint)[]) =>
  new Uint8Array(new BigUint64Array(values.map((value) => BigInt.asUintN(64, BigInt(value)))).buffer);

/** Reports quadword `i` of what lies at `label`. */
function reportWord(p: GuestProgram, label: string, i: number): void {
  p.load(r12, sym(label)).a.mov(rax, mem.qword(r12, i * 8));
  p.report();
}

guestTest(
  "getpid, gettid, getppid, getuid and their kin: process 1, root, as in a container",
  async (t, machine) => {
    const names = [
      "getpid",
      "gettid",
      "getppid",
      "getuid",
      "getgid",
      "geteuid",
      "getegid",
      "sched_yield",
    ] as const;
    const reports = await reportsOf(t, machine, (p) => {
      for (const name of names) p.call(name).report();
      p.call("set_tid_address", 0x1234).report();
      p.call("rseq", 0, 32, 0, 0).report();
    });
    t.deepEqual(reports, [1n, 1n, 0n, 0n, 0n, 0n, 0n, 0n, 1n, failure("ENOSYS")]);
  },
);

guestTest(
  "arch_prctl: FS and GS bases are set, used and read back; kernel addresses are -EPERM (arch_prctl(2))",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      const area = p.data("area", words(0x1111n, 0x2222n));
      p.call("arch_prctl", 0x1002, area).report();
      p.a.mov(rax, mem.seg("fs").qword(0));
      p.report();
      p.call("arch_prctl", 0x1001, area).report();
      p.a.mov(rax, mem.seg("gs").qword(8));
      p.report();
      const base = p.data("base", words(0));
      p.call("arch_prctl", 0x1003, base).report();
      p.load(r12, base).a.mov(r12, mem.qword(r12));
      p.a.mov(rax, mem.qword(r12));
      p.report();
      // The bases outlive calls that are served in all three ways.
      p.call("getpid").call("write", 1, area, 1).call("brk", 0);
      p.a.mov(rax, mem.seg("gs").qword(0));
      p.report();
      for (const address of [0x7fff_ffff_f000n, 0x8000_0000_0000n, 0xffff_8000_0000_0000n]) {
        p.call("arch_prctl", 0x1002, address).report();
      }
      p.call("arch_prctl", 0x9999, 0).report();
    });
    const EPERM = failure("EPERM");
    t.deepEqual(reports, [
      0n,
      0x1111n,
      0n,
      0x2222n,
      0n,
      0x1111n,
      0x1111n,
      EPERM,
      EPERM,
      EPERM,
      failure("EINVAL"),
    ]);
  },
);

guestTest(
  "prctl: the name is kept up to 15 bytes; one that cannot be read changes nothing (PR_SET_NAME)",
  async (t, machine) => {
    const { output } = await runGuest(machine, (p) => {
      const name = p.data("name", "a-name-that-is-too-long\0");
      const buffer = p.array("buffer", 16);
      p.call("prctl", 15, name).call("prctl", 16, buffer).call("write", 1, buffer, 16);
      p.call("prctl", 15, p.data("short", "ab\0")).call("prctl", 15, 8).call("prctl", 16, buffer);
      p.call("write", 1, buffer, 16);
    });
    t.is(output.toString("latin1"), `a-name-that-is-\0ab${"\0".repeat(14)}`);
  },
);

guestTest("uname: six fields of 65 bytes", async (t, machine) => {
  const { output } = await runGuest(machine, (p) => {
    const buffer = p.array("buffer", 4096);
    p.call("uname", buffer).call("write", 1, buffer, 391);
  });
  const fields = Array.from({ length: 6 }, (_, i) =>
    output
      .subarray(i * 65, i * 65 + 65)
      .toString()
      .replace(/\0+$/, ""),
  );
  t.deepEqual([fields[0], fields[4]], ["Linux", "x86_64"]);
  t.regex(fields[2]!, /^\d+\.\d+\.\d+/);
  t.is(output[390], 0);
});

guestTest(
  "prlimit64, getrlimit: read, set, refused above the hard limit's own rules (getrlimit(2))",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      p.data("old", words(1, 1));
      p.data("bad", words(2, 1));
      p.data("new", words(100, 200));
      p.call("getrlimit", 3, sym("old")).report();
      reportWord(p, "old", 0);
      reportWord(p, "old", 1);
      p.call("prlimit64", 0, 7, sym("new"), sym("old")).report();
      p.call("prlimit64", 1, 7, 0, sym("old")).report();
      reportWord(p, "old", 0);
      reportWord(p, "old", 1);
      p.call("prlimit64", 0, 7, sym("bad"), 0).report();
      p.call("prlimit64", 0, 16, 0, sym("old")).report();
      p.call("prlimit64", 77, 7, 0, sym("old")).report();
      p.call("getrlimit", 99, sym("old")).report();
    });
    const EINVAL = failure("EINVAL");
    t.deepEqual(reports, [0n, 0x80_0000n, -1n, 0n, 0n, 100n, 200n, EINVAL, EINVAL, failure("ESRCH"), EINVAL]);
  },
);

guestTest(
  "futex: nobody waits, so a wake wakes nobody; a wait whose value has changed is -EAGAIN (futex(2))",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      const word = p.data("word", words(5));
      p.call("futex", word, 1 | 128, 1).report();
      p.call("futex", word, 10, 1, 0, 0, -1).report();
      p.call("futex", word, 0, 6, 0).report();
      p.call("futex", word, 0, 5, 0).report();
      p.call("futex", 0x1001, 1, 1).report();
      p.call("futex", 0x1000, 0, 1).report();
    });
    t.deepEqual(reports, [
      0n,
      0n,
      failure("EAGAIN"),
      failure("ENOSYS"),
      failure("EINVAL"),
      failure("EFAULT"),
    ]);
  },
);

guestTest("sched_getaffinity, set_robust_list: one processor; sizes are checked", async (t, machine) => {
  const reports = await reportsOf(t, machine, (p) => {
    p.data("mask", words(0, 0));
    p.call("sched_getaffinity", 0, 128, sym("mask")).report();
    reportWord(p, "mask", 0);
    p.call("sched_getaffinity", 0, 4, sym("mask")).report();
    p.call("sched_getaffinity", 0, 9, sym("mask")).report();
    p.call("sched_getaffinity", 5, 8, sym("mask")).report();
    p.call("set_robust_list", sym("mask"), 24).report();
    p.call("set_robust_list", sym("mask"), 23).report();
  });
  const EINVAL = failure("EINVAL");
  t.deepEqual(reports, [8n, 1n, EINVAL, EINVAL, failure("ESRCH"), 0n, EINVAL]);
});

guestTest(
  "rt_sigaction: what was set is returned, without SIGKILL and SIGSTOP in the mask (sigaction(2))",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      p.data("act", words(0x1234, 0x0400_0000, 0x5678, -1));
      p.data("old", words(9, 9, 9, 9));
      p.call("rt_sigaction", SIGNALS.SIGUSR1, sym("act"), sym("old"), 8).report();
      reportWord(p, "old", 0);
      p.call("rt_sigaction", SIGNALS.SIGUSR1, 0, sym("old"), 8).report();
      for (let i = 0; i < 4; i++) reportWord(p, "old", i);
      p.call("rt_sigaction", SIGNALS.SIGKILL, sym("act"), 0, 8).report();
      p.call("rt_sigaction", SIGNALS.SIGKILL, 0, sym("old"), 8).report();
      p.call("rt_sigaction", 0, 0, sym("old"), 8).report();
      p.call("rt_sigaction", 65, 0, sym("old"), 8).report();
      p.call("rt_sigaction", 64, 0, sym("old"), 8).report();
      p.call("rt_sigaction", 10, 0, sym("old"), 16).report();
    });
    const unblockable = (1n << 8n) | (1n << 18n);
    const EINVAL = failure("EINVAL");
    t.deepEqual(reports.slice(0, 3), [0n, 0n, 0n]);
    t.deepEqual(reports.slice(3, 7), [0x1234n, 0x0400_0000n, 0x5678n, BigInt.asIntN(64, ~unblockable)]);
    t.deepEqual(reports.slice(7), [EINVAL, 0n, EINVAL, EINVAL, 0n, EINVAL]);
  },
);

guestTest(
  "rt_sigprocmask: block, unblock, set; SIGKILL and SIGSTOP stay unblocked (sigprocmask(2))",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      p.data("all", words(-1));
      p.data("some", words(0b1100));
      p.data("old", words(0));
      const change = (how: number, set: string) => {
        p.call("rt_sigprocmask", how, sym(set), sym("old"), 8).report();
        reportWord(p, "old", 0);
      };
      change(2, "some");
      change(0, "all");
      change(1, "some");
      p.call("rt_sigprocmask", 99, 0, sym("old"), 8).report();
      reportWord(p, "old", 0);
      p.call("rt_sigprocmask", 99, sym("some"), 0, 8).report();
      p.call("rt_sigprocmask", 0, sym("some"), 0, 4).report();
    });
    const all = BigInt.asIntN(64, ~((1n << 8n) | (1n << 18n)));
    const EINVAL = failure("EINVAL");
    t.deepEqual(reports, [0n, 0n, 0n, 0b1100n, 0n, all, 0n, all & ~0b1100n, EINVAL, EINVAL]);
  },
);

guestTest(
  "sigaltstack: kept and returned; too small is -ENOMEM, unknown flags are -EINVAL (sigaltstack(2))",
  async (t, machine) => {
    const reports = await reportsOf(t, machine, (p) => {
      p.data("old", words(9, 9, 9));
      p.data("stack", words(0x10000, 0, 8192));
      p.data("small", words(0x10000, 0, 100));
      p.data("flags", words(0x10000, 4, 8192));
      p.call("sigaltstack", sym("stack"), sym("old")).report();
      reportWord(p, "old", 1);
      p.call("sigaltstack", sym("small"), 0).report();
      p.call("sigaltstack", sym("flags"), 0).report();
      p.call("sigaltstack", 0, sym("old")).report();
      for (let i = 0; i < 3; i++) reportWord(p, "old", i);
    });
    t.deepEqual(reports, [0n, 2n, failure("ENOMEM"), failure("EINVAL"), 0n, 0x10000n, 0n, 8192n]);
  },
);

const FATAL: readonly SignalName[] = [
  "SIGHUP",
  "SIGINT",
  "SIGABRT",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGTERM",
  "SIGSYS",
];

for (const name of FATAL) {
  guestTest(`kill(getpid(), ${name}) ends the program with ${name}`, async (t, machine) => {
    const { result, address } = await runGuest(machine, (p) => {
      p.call("kill", 1, SIGNALS[name]).a.label("after");
    });
    t.like(result, { kind: "killed", signalName: name, reason: "signal", rip: address("after") });
  });
}

guestTest("kill: ignored, blocked and unknown signals and targets (kill(2))", async (t, machine) => {
  const reports = await reportsOf(t, machine, (p) => {
    p.data("ignore", words(1, 0, 0, 0));
    p.data("handler", words(0x1234, 0, 0, 0));
    p.call("kill", 1, 0).report();
    p.call("kill", 0, SIGNALS.SIGCHLD).report();
    p.call("kill", -1, SIGNALS.SIGTERM).report();
    p.call("kill", 55, SIGNALS.SIGTERM).report();
    p.call("kill", -55, SIGNALS.SIGTERM).report();
    p.call("kill", 1, 65).report();
    p.call("rt_sigaction", SIGNALS.SIGTERM, sym("ignore"), 0, 8);
    p.call("kill", 1, SIGNALS.SIGTERM).report();
    p.call("rt_sigaction", SIGNALS.SIGUSR2, sym("handler"), 0, 8);
    p.call("kill", 1, SIGNALS.SIGUSR2).report();
    p.call("tkill", 0, SIGNALS.SIGTERM).report();
    p.call("tkill", 2, SIGNALS.SIGTERM).report();
    p.call("tgkill", 1, 2, SIGNALS.SIGTERM).report();
    p.call("tgkill", 0, 1, SIGNALS.SIGTERM).report();
    p.call("tgkill", 1, 1, SIGNALS.SIGWINCH).report();
  });
  const [EINVAL, ESRCH, ENOSYS] = [failure("EINVAL"), failure("ESRCH"), failure("ENOSYS")];
  t.deepEqual(reports, [0n, 0n, ESRCH, ESRCH, ESRCH, EINVAL, 0n, ENOSYS, EINVAL, ESRCH, ESRCH, EINVAL, 0n]);
});

guestTest(
  "a signal that was sent while it was blocked ends the program when it is unblocked, as raise(3) does",
  async (t, machine) => {
    const { result, reports } = await runGuest(machine, (p) => {
      p.data("abort", words(1n << BigInt(SIGNALS.SIGABRT - 1)));
      p.call("rt_sigprocmask", 0, sym("abort"), 0, 8);
      p.call("tkill", 1, SIGNALS.SIGABRT).report();
      p.call("rt_sigprocmask", 1, sym("abort"), 0, 8);
    });
    t.deepEqual(reports, [0n]);
    t.like(result, { kind: "killed", signalName: "SIGABRT", reason: "signal" });
  },
);
