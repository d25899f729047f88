/**
 * Model-specific registers of the kernel, and the values of those that are constants.
 * Source: SDM Vol. 4, "Model-Specific Registers"; SDM Vol. 3A, "Fast System Calls in 64-Bit Mode".
 */
import { RFLAGS } from "../abi/index.js";
import { bits } from "./bits.js";
import { SELECTOR } from "./gdt.js";

export const MSR = {
  IA32_EFER: 0xc000_0080,
  /** Segments of SYSCALL and SYSRET. */
  IA32_STAR: 0xc000_0081,
  /** Where SYSCALL goes in 64-bit mode. */
  IA32_LSTAR: 0xc000_0082,
  /** RFLAGS bits that SYSCALL clears. */
  IA32_FMASK: 0xc000_0084,
  IA32_FS_BASE: 0xc000_0100,
  IA32_GS_BASE: 0xc000_0101,
  /** What SWAPGS exchanges with GS.base. */
  IA32_KERNEL_GS_BASE: 0xc000_0102,
} as const;

/**
 * IA32_STAR: SYSCALL takes CS from bits 47:32 and SS 8 above it. SYSRET to 64-bit mode takes SS from bits 63:48
 * plus 8 and CS plus 16, so the user data descriptor sits just before the user code descriptor.
 */
export const STAR_VALUE = (BigInt(SELECTOR.USER_DATA - 8) << 48n) | (BigInt(SELECTOR.KERNEL_CODE) << 32n);

/**
 * IA32_FMASK: the kernel starts with interrupts off, no single step, DF clear, no nested task, IOPL 0, and no
 * AC (which would switch SMAP off). IF must be in it: without, a syscall that arrives as #PF shows IF = 1.
 */
export const FMASK_VALUE = bits(RFLAGS.TF, RFLAGS.IF, RFLAGS.DF, RFLAGS.IOPL, RFLAGS.NT, RFLAGS.AC);
