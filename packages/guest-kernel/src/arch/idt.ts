/**
 * Interrupt gates and the exceptions that go through them.
 * Source: SDM Vol. 3A, "Exception and Interrupt Reference", "64-Bit Mode IDT".
 */
import type { SignalName } from "../abi/index.js";
import { SELECTOR } from "./gdt.js";
import { IST } from "./tss.js";

export interface Gate {
  /** Gva of the handler. */
  readonly offset: bigint;
  /** Lowest-privileged ring whose `int n` may use the gate. Exceptions do not look at it. */
  readonly dpl: 0 | 3;
  /** Interrupt stack table entry 1 to 7; 0: the current or the RSP0 stack. */
  readonly ist: number;
}

/** Encodes a 64-bit interrupt gate (interrupts are off on entry), as two quadwords. */
export function interruptGate({ offset, dpl, ist }: Gate): readonly [low: bigint, high: bigint] {
  const present = 1n << 47n;
  const interruptGateType = 0xen << 40n;
  const low =
    (offset & 0xffffn) |
    (BigInt(SELECTOR.KERNEL_CODE) << 16n) |
    (BigInt(ist) << 32n) |
    interruptGateType |
    (BigInt(dpl) << 45n) |
    present |
    (((offset >> 16n) & 0xffffn) << 48n);
  return [low, (offset >> 32n) & 0xffff_ffffn];
}

export interface ExceptionRow {
  readonly vector: number;
  readonly mnemonic: string;
  readonly name: string;
  /** Whether the processor pushes an error code. */
  readonly errorCode: boolean;
  /** What Linux sends for it from ring 3; null: it has no meaning there, and is a panic from either ring. */
  readonly signal: SignalName | null;
  readonly dpl: 0 | 3;
  readonly ist: number;
}

const row = (
  vector: number,
  mnemonic: string,
  name: string,
  signal: SignalName | null,
  more: { errorCode?: true; dpl?: 3; ist?: number } = {},
): ExceptionRow => ({
  vector,
  mnemonic,
  name,
  errorCode: more.errorCode ?? false,
  signal,
  dpl: more.dpl ?? 0,
  ist: more.ist ?? 0,
});

/**
 * Every vector that the architecture keeps for exceptions. Gates 3 and 4 have DPL 3, so that `int3` and `int 4` are
 * what they say and not #GP. Signals as in Linux, arch/x86/kernel/traps.c.
 */
export const EXCEPTIONS: readonly ExceptionRow[] = [
  row(0, "#DE", "divide error", "SIGFPE"),
  row(1, "#DB", "debug exception", "SIGTRAP"),
  row(2, "NMI", "non-maskable interrupt", null, { ist: IST.NMI }),
  row(3, "#BP", "breakpoint", "SIGTRAP", { dpl: 3 }),
  row(4, "#OF", "overflow", "SIGSEGV", { dpl: 3 }),
  row(5, "#BR", "bound range exceeded", "SIGSEGV"),
  row(6, "#UD", "invalid opcode", "SIGILL"),
  row(7, "#NM", "device not available", "SIGSEGV"),
  row(8, "#DF", "double fault", null, { errorCode: true, ist: IST.DOUBLE_FAULT }),
  row(9, "9", "coprocessor segment overrun", "SIGFPE"),
  row(10, "#TS", "invalid TSS", "SIGSEGV", { errorCode: true }),
  row(11, "#NP", "segment not present", "SIGBUS", { errorCode: true }),
  row(12, "#SS", "stack-segment fault", "SIGBUS", { errorCode: true }),
  row(13, "#GP", "general protection fault", "SIGSEGV", { errorCode: true }),
  row(14, "#PF", "page fault", "SIGSEGV", { errorCode: true }),
  row(15, "15", "reserved vector 15", null),
  row(16, "#MF", "x87 floating-point error", "SIGFPE"),
  row(17, "#AC", "alignment check", "SIGBUS", { errorCode: true }),
  row(18, "#MC", "machine check", null, { ist: IST.MACHINE_CHECK }),
  row(19, "#XM", "SIMD floating-point exception", "SIGFPE"),
  row(20, "#VE", "virtualization exception", null),
  row(21, "#CP", "control protection exception", "SIGSEGV", { errorCode: true }),
  ...[22, 23, 24, 25, 26, 27].map((vector) => row(vector, `${vector}`, `reserved vector ${vector}`, null)),
  row(28, "#HV", "hypervisor injection exception", null),
  row(29, "#VC", "VMM communication exception", null, { errorCode: true }),
  row(30, "#SX", "security exception", null, { errorCode: true }),
  row(31, "31", "reserved vector 31", null),
];

export const VECTOR = { DB: 1, BP: 3, UD: 6, GP: 13, PF: 14 } as const;

/**
 * The IDT ends after the exceptions: there is no interrupt source yet, and `int n` beyond it is #GP in ring 3, as
 * Linux has it.
 */
export const IDT_SIZE = EXCEPTIONS.length * 16;
