/** What a program can do wrong, as instructions, and the signal that it gets for it: as Linux, arch/x86/kernel/traps.c. */
import { HYPERCALL_PORT, type SignalName, USER_MAX } from "@kvmkit/guest-kernel/abi";
import { al, cr3, dx, eax, ecx, mem, rax, rbx, rcx, rdx, rsp, xmm0, xmm1 } from "@kvmkit/x86-asm";
import type { GuestProgram } from "./guest-program.js";

export interface Fault {
  readonly title: string;
  readonly emit: (p: GuestProgram) => void;
  readonly signal: SignalName;
  readonly vector: number;
  /** Where rip points: at the instruction (a fault) or after it (a trap). Absent: hosts do not agree. */
  readonly rip?: "at" | "after";
  /** For #PF: the address, and the error code. */
  readonly page?: { readonly address: bigint; readonly errorCode: bigint };
}

const NOT_CANONICAL = 0x8000_0000_0000_0000n;

/** The label `here` marks the instruction under test. */
export const FAULTS: readonly Fault[] = [
  {
    title: "division by 0 is #DE, SIGFPE",
    emit: ({ a }) => a.xor(ecx, ecx).xor(eax, eax).label("here").div(ecx),
    ...{ signal: "SIGFPE", vector: 0, rip: "at" },
  },
  {
    title: "INT1 is #DB, SIGTRAP",
    emit: ({ a }) => a.label("here").db(0xf1),
    // A trap on a processor; where ring 0 is emulated rip has been seen to stay.
    ...{ signal: "SIGTRAP", vector: 1 },
  },
  {
    title: "INT3 is #BP, SIGTRAP",
    emit: ({ a }) => a.label("here").int3(),
    ...{ signal: "SIGTRAP", vector: 3, rip: "after" },
  },
  {
    title: "INT 4 is #OF, SIGSEGV",
    emit: ({ a }) => a.label("here").int(4),
    ...{ signal: "SIGSEGV", vector: 4, rip: "after" },
  },
  {
    title: "UD2 is #UD, SIGILL",
    emit: ({ a }) => a.label("here").ud2(),
    ...{ signal: "SIGILL", vector: 6, rip: "at" },
  },
  {
    title: "HLT is #GP, SIGSEGV",
    emit: ({ a }) => a.label("here").hlt(),
    ...{ signal: "SIGSEGV", vector: 13, rip: "at" },
  },
  {
    title: "CLI is #GP, SIGSEGV",
    emit: ({ a }) => a.label("here").cli(),
    ...{ signal: "SIGSEGV", vector: 13, rip: "at" },
  },
  {
    title: "MOV from CR3 is #GP, SIGSEGV",
    emit: ({ a }) => a.label("here").mov(rax, cr3),
    ...{ signal: "SIGSEGV", vector: 13, rip: "at" },
  },
  {
    title: "RDMSR is #GP, SIGSEGV",
    emit: ({ a }) => a.label("here").rdmsr(),
    ...{ signal: "SIGSEGV", vector: 13, rip: "at" },
  },
  {
    title: "OUT to the hypercall port is #GP, SIGSEGV: no program reaches the host past the kernel",
    emit: ({ a }) => a.mov(eax, 231).label("here").out(HYPERCALL_PORT, eax),
    ...{ signal: "SIGSEGV", vector: 13, rip: "at" },
  },
  {
    title: "IN from any port is #GP, SIGSEGV",
    emit: (p) => p.load(rdx, 0x3f8).a.label("here").in(al, dx),
    ...{ signal: "SIGSEGV", vector: 13, rip: "at" },
  },
  {
    title: "a read from an address that is not canonical is #GP, SIGSEGV",
    emit: (p) => p.load(rbx, NOT_CANONICAL).a.label("here").mov(rax, mem.qword(rbx)),
    ...{ signal: "SIGSEGV", vector: 13, rip: "at" },
  },
  {
    title: "a push to a stack that is not canonical is #SS, SIGBUS",
    emit: (p) => p.load(rsp, NOT_CANONICAL).a.label("here").push(rax),
    ...{ signal: "SIGBUS", vector: 12, rip: "at" },
  },
  {
    title: "an unaligned access with RFLAGS.AC is #AC, SIGBUS",
    emit: ({ a }) => {
      a.pushfq().or(mem.qword(rsp), 0x4_0000).popfq();
      a.label("here").mov(rax, mem.qword(rsp, -15));
    },
    ...{ signal: "SIGBUS", vector: 17, rip: "at" },
  },
  {
    title: "an SSE division by 0 with the exception unmasked is #XM, SIGFPE",
    emit: ({ a }) => {
      a.push(0x1d80).ldmxcsr(mem.dword(rsp));
      a.xorps(xmm0, xmm0).mov(eax, 0x3f80_0000).movd(xmm1, eax);
      a.label("here").divss(xmm1, xmm0);
    },
    ...{ signal: "SIGFPE", vector: 19, rip: "at" },
  },
  {
    title: "an x87 division by 0 with the exception unmasked is #MF, SIGFPE, at the next x87 instruction",
    emit: ({ a }) => {
      a.push(0x37b).fldcw(mem.word(rsp));
      a.fld1().fldz().fdivp();
      a.label("here").fwait();
    },
    ...{ signal: "SIGFPE", vector: 16, rip: "at" },
  },
  {
    title: "a read of address 0 is #PF, SIGSEGV",
    emit: ({ a }) => a.xor(ecx, ecx).label("here").mov(rax, mem.qword(rcx)),
    ...{ signal: "SIGSEGV", vector: 14, rip: "at", page: { address: 0n, errorCode: 4n } },
  },
  {
    title: "a write to unmapped memory is #PF, SIGSEGV",
    emit: (p) => p.load(rbx, 0x7654_3210n).a.label("here").mov(mem.qword(rbx), rax),
    ...{ signal: "SIGSEGV", vector: 14, rip: "at", page: { address: 0x7654_3210n, errorCode: 6n } },
  },
  {
    title: "a read of the kernel is #PF, SIGSEGV",
    emit: (p) => p.load(rbx, 0xffff_ffff_8010_0000n).a.label("here").mov(rax, mem.qword(rbx)),
    ...{ signal: "SIGSEGV", vector: 14, rip: "at", page: { address: 0xffff_ffff_8010_0000n, errorCode: 5n } },
  },
  {
    title: "a write to the direct map is #PF, SIGSEGV",
    emit: (p) => p.load(rbx, 0xffff_8880_0040_0000n).a.label("here").mov(mem.qword(rbx), rax),
    ...{ signal: "SIGSEGV", vector: 14, rip: "at", page: { address: 0xffff_8880_0040_0000n, errorCode: 7n } },
  },
  {
    title: "the page below the end of the lower half is never mapped: a read there is #PF, SIGSEGV",
    emit: (p) => p.load(rbx, USER_MAX).a.label("here").mov(rax, mem.qword(rbx)),
    ...{ signal: "SIGSEGV", vector: 14, rip: "at", page: { address: USER_MAX, errorCode: 4n } },
  },
];
