/** The way in and out: numbers, registers, and what a program gains by jumping where it should not. */
import { KERNEL_HYPERCALLS, SYSCALLS } from "@kvmkit/guest-kernel/abi";
import {
  mem,
  r8,
  r9,
  r10,
  r11,
  r12,
  r13,
  r14,
  r15,
  rax,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
  sym,
  xmm0,
} from "@kvmkit/x86-asm";
import { type GuestProgram, REPORT, syscallNumber } from "./guest-program.js";
import { anonymous } from "./mappings.js";
import { failure, guestTest, reportsOf, runGuest } from "./run-guest.js";

const ENOSYS = failure("ENOSYS");

guestTest(
  "a number without a row is -ENOSYS: unused, past the table, the kernel's own, negative",
  async (t, machine) => {
    const used = new Set<number>(SYSCALLS.map(({ nr }) => nr));
    const unused = Array.from({ length: 512 }, (_, nr) => nr).filter((nr) => !used.has(nr));
    const wild = [
      ...unused,
      ...KERNEL_HYPERCALLS.map(({ nr }) => nr),
      REPORT + 1,
      0x1fff,
      0x2000,
      0x7fff_ffff,
      0xffff_ffff,
    ];
    const reports = await reportsOf(t, machine, (p) => {
      for (const nr of wild) p.call(nr).report();
    });
    t.is(reports.length, wild.length);
    t.deepEqual(
      wild.filter((_, i) => reports[i] !== ENOSYS),
      [],
    );
  },
);

guestTest("the number is eax: what lies above is ignored, as Linux does", async (t, machine) => {
  const reports = await reportsOf(t, machine, (p) => {
    for (const high of [0xffff_ffff_0000_0000n, 1n << 32n, 1n << 63n]) {
      for (const nr of [syscallNumber("getpid"), 0x1fff]) {
        p.load(rax, high | BigInt(nr)).a.syscall();
        p.report();
      }
    }
  });
  t.deepEqual(reports, [1n, ENOSYS, 1n, ENOSYS, 1n, ENOSYS]);
});

const PRESERVED = [rbx, rbp, rdi, rsi, rdx, r8, r9, r10, r12, r13, r14, r15] as const;

/** Makes one call with arguments in place and a pattern everywhere else, and reports how many registers changed. */
function reportChanges(p: GuestProgram, emitCall: () => void, args: Partial<Record<string, bigint>>): void {
  const { a } = p;
  const patterns = PRESERVED.map((register, i) => args[register.name] ?? 0x1111_0000_2222_0000n + BigInt(i));
  PRESERVED.forEach((register, i) => {
    p.load(register, patterns[i]!);
  });
  a.movq(xmm0, rbx);
  emitCall();
  a.mov(rcx, 0);
  const check = (emit: () => void) => {
    const same = p.fresh();
    emit();
    a.je(same);
    a.inc(rcx);
    a.label(same);
  };
  PRESERVED.forEach((register, i) => {
    p.load(r11, patterns[i]!);
    check(() => a.cmp(register, r11));
  });
  a.movq(rax, xmm0);
  check(() => a.cmp(rbx, rax));
  p.report(rcx);
}

guestTest(
  "a call preserves every register but rax, rcx and r11 (psABI, A.2.1), whoever serves it",
  async (t, machine) => {
    const address = 0x1_0000_0000n;
    const cases: readonly (readonly [string, Record<string, bigint>])[] = [
      ["getpid", {}],
      ["getuid", {}],
      ["rseq", {}],
      ["mmap", { rdi: address, rsi: 0x4000n, rdx: 3n, r10: 0x22n, r8: -1n & 0xffff_ffff_ffff_ffffn, r9: 0n }],
      ["madvise", { rdi: address, rsi: 0x4000n, rdx: 4n }],
      ["mprotect", { rdi: address, rsi: 0x1000n, rdx: 1n }],
      ["munmap", { rdi: address, rsi: 0x1000n }],
      ["brk", { rdi: 0n }],
      ["uname", { rdi: 0x1234n }],
      ["rt_sigprocmask", { rdi: 0n, rsi: 0n, rdx: 0n, r10: 8n }],
      ["write", { rdi: 1n, rsi: address + 0x2000n, rdx: 8n }],
    ];
    const reports = await reportsOf(t, machine, (p) => {
      for (const [name, args] of cases) {
        const nr = syscallNumber(name as never);
        reportChanges(p, () => p.load(rax, nr).a.syscall(), args);
      }
      reportChanges(p, () => p.load(rax, 0x1fff).a.syscall(), {});
    });
    t.deepEqual(
      cases.filter((_, i) => reports[i] !== 0n),
      [],
    );
    t.is(reports[cases.length], 0n);
  },
);

guestTest("a page fault preserves every register and flag", async (t, machine) => {
  const reports = await reportsOf(t, machine, (p) => {
    p.call("mmap", ...anonymous(0x1_0000_0000n, 0x10_0000));
    reportChanges(
      p,
      () => {
        p.load(rax, 0x1_0000_0000n);
        p.a.stc();
        p.a.mov(mem.byte(rax), 1);
        // CF survived if this adds one.
        p.a.mov(rcx, 0);
        p.a.adc(rcx, 0);
        p.a.push(rcx);
      },
      {},
    );
    p.a.pop(rcx);
    p.report(rcx);
    // With the direction flag set: the kernel must not run its string instructions backwards.
    p.a.std();
    p.load(rax, 0x1_0008_0000n);
    p.a.mov(mem.byte(rax), 1);
    p.a.pushfq();
    p.a.cld();
    p.a.pop(rax);
    p.a.shr(rax, 10);
    p.a.and(rax, 1);
    p.report();
  });
  t.deepEqual(reports, [0n, 1n, 1n]);
});

guestTest("rcx is the address after SYSCALL and r11 the flags (SDM Vol. 2B, SYSCALL)", async (t, machine) => {
  const reports = await reportsOf(t, machine, (p) => {
    p.a.stc();
    p.call("getpid");
    p.a.label("after");
    p.a.mov(rbx, rcx);
    p.a.mov(r12, r11);
    p.a.movabs(rax, sym("after"));
    p.a.sub(rbx, rax);
    p.report(rbx);
    p.a.and(r12, 1);
    p.report(r12);
  });
  t.deepEqual(reports, [0n, 1n]);
});

/** What `emit` does to rcx and r11 before the jump; the kernel's entry address lies in rbx. */
async function jumpToEntry(machine: Parameters<typeof runGuest>[0], emit: (p: GuestProgram) => void) {
  const { kernel } = await runGuest(machine, () => {});
  const entry = kernel.symbols.find(({ name }) => name === "syscall_entry")!.value;
  return runGuest(machine, (p) => {
    p.load(rbx, entry);
    emit(p);
  });
}

guestTest(
  "a jump to the kernel's entry gives what a call gives, or SIGSEGV; never ring 0",
  async (t, machine) => {
    const { result, reports } = await jumpToEntry(machine, (p) => {
      p.a.movabs(rcx, sym("back"));
      p.load(r11, 0x202);
      p.load(rax, syscallNumber("getpid"));
      p.a.jmp(rbx);
      p.a.label("back");
      p.report();
      p.a.mov(rax, 0);
      p.a.mov(rax, mem.qword(rsp));
      p.report();
    });
    if (result.kind === "killed") t.is(result.signalName, "SIGSEGV");
    else {
      t.like(result, { kind: "exited", status: 0 });
      t.deepEqual(reports, [1n, 1n]);
    }
  },
);

const RETURNS: readonly (readonly [title: string, address: bigint])[] = [
  ["an address that is not canonical", 0x8000_0000_0000n],
  ["the kernel's text", 0xffff_ffff_8010_0000n],
  ["null", 0n],
];

for (const [title, address] of RETURNS) {
  guestTest(
    `a jump to the kernel's entry with ${title} in rcx ends the program with SIGSEGV`,
    async (t, machine) => {
      const { result } = await jumpToEntry(machine, (p) => {
        p.load(rcx, address);
        p.load(r11, 0xffff_ffff_ffff_ffffn);
        p.load(rax, syscallNumber("getpid"));
        p.a.jmp(rbx);
      });
      t.like(result, { kind: "killed", signalName: "SIGSEGV", reason: "fault" });
    },
  );
}

guestTest("a single step over a system call traps after it, in the program (SIGTRAP)", async (t, machine) => {
  const { result } = await runGuest(machine, (p) => {
    p.load(rax, syscallNumber("getpid"));
    p.a.pushfq();
    p.a.or(mem.qword(rsp), 0x100);
    p.a.popfq();
    p.a.nop();
    p.a.syscall();
    p.a.nop();
  });
  t.like(result, { kind: "killed", signalName: "SIGTRAP", vector: 1 });
});
