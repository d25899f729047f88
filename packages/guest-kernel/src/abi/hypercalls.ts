/**
 * The hypercall ABI: one `out HYPERCALL_PORT, eax` from ring 0, registers as they stood at `syscall`.
 *
 *   rax         number                      -> result, or -errno
 *   rdi rsi rdx r10 r8 r9   arguments, scalars; anything larger lies behind a pointer (Gva) in user memory
 *   CF          -> 0: rax is the result.
 *                  1: the host needs a page first: rax is unchanged, the vCPU's HOST_REQUEST record says what.
 *                     The kernel does it and issues the same `out` again, or answers -EFAULT itself.
 *
 * All other registers are unchanged. The port is one that an in-kernel irqchip does not take, and small enough
 * for the immediate form, which leaves rdx to the arguments.
 *
 * Numbers: 0 to 0xfff are Linux's system calls (syscalls.ts). 0x1000 to 0x1fff are plugins' (kvm.lock.json).
 * From 0x2000 on they are the kernel's own, refused from ring 3.
 */

export const HYPERCALL_PORT = 0xe4;

export const PLUGIN_HYPERCALL_FIRST = 0x1000;
export const PLUGIN_HYPERCALL_LAST = 0x1fff;

/** How an argument lies in the registers, and what the host makes of it before a handler sees it. */
export type ArgumentType =
  | { readonly kind: ScalarKind }
  /** An integer that has names. */
  | { readonly kind: "enum"; readonly repr: ScalarKind; readonly values: Readonly<Record<string, number>> }
  /** An opaque number that the plugin gave out. */
  | { readonly kind: "handle"; readonly of: string }
  /** A pointer to a NUL-terminated string of at most `maxBytes`, the NUL not counted; longer is -ENAMETOOLONG. */
  | { readonly kind: "cstring"; readonly maxBytes: number }
  /** Two registers: a pointer and a length of at most `maxBytes`. */
  | { readonly kind: "buffer"; readonly direction: Direction; readonly maxBytes: number }
  /** A pointer to one record, laid out as the psABI lays out a C struct. */
  | {
      readonly kind: "struct";
      readonly name: string;
      readonly direction: Direction;
      readonly fields: StructFields;
    };

export type ScalarKind =
  | "u8"
  | "u16"
  | "u32"
  | "u64"
  | "i8"
  | "i16"
  | "i32"
  | "i64"
  | "bool"
  | "f64"
  | "pointer";
export type Direction = "in" | "out" | "inout";
export type StructFields = Readonly<Record<string, ScalarKind>>;

/** One hypercall as pure data: what the kernel builder, the header generator and the registry read. */
export interface HypercallRow {
  readonly nr: number;
  readonly name: string;
  readonly args: Readonly<Record<string, ArgumentType>>;
  /** errno names that the handler documents. */
  readonly errors: readonly string[];
  readonly doc: string;
}

/** The kernel's own hypercalls. */
export const KERNEL_HYPERCALLS = [
  {
    nr: 0x2000,
    name: "kernel_panic",
    args: { message: { kind: "pointer" }, regs: { kind: "pointer" } },
    errors: [],
    doc: "Ends the run. message: Gva of a NUL-terminated text in kernel memory; regs: Gva of a PT_REGS record, or 0.",
  },
  {
    nr: 0x2001,
    name: "task_killed",
    args: {
      signal: { kind: "u32" },
      reason: { kind: "u32" },
      regs: { kind: "pointer" },
      address: { kind: "u64" },
    },
    errors: [],
    doc: "Ends the run: the program got a signal it cannot handle. reason: KILL_REASONS; address: CR2 for #PF.",
  },
  {
    nr: 0x2002,
    name: "fill_pages",
    args: {
      runs: { kind: "pointer" },
      count: { kind: "u32" },
      tables: { kind: "u64" },
      table_bytes: { kind: "u64" },
    },
    errors: ["ENOMEM", "EINVAL"],
    doc: "Fills absent page-table entries: `count` FILL_RUN records at Gva `runs`. Tables that are missing are taken from the zeroed physical run at Gpa `tables`. Result: bytes of it that were used.",
  },
  {
    nr: 0x2003,
    name: "kernel_log",
    args: { text: { kind: "pointer" }, length: { kind: "u32" } },
    errors: [],
    doc: "A diagnostic line of the kernel for the host's trace.",
  },
  {
    nr: 0x2004,
    name: "flush_shadow",
    args: {},
    errors: [],
    doc: "Makes every page-table edit that the host or a recycled table holds visible (a memory-slot cycle).",
  },
] as const satisfies readonly HypercallRow[];

export type KernelHypercallName = (typeof KERNEL_HYPERCALLS)[number]["name"];

export const KILL_REASONS = { FAULT: 0, OUT_OF_MEMORY: 1 } as const;

/** One run of pages for `fill_pages`: offsets of u64 fields. */
export const FILL_RUN = {
  /** Gva of the first page. */
  address: 0,
  /** Gpa of the first page; the run is physically contiguous. */
  physical: 8,
  page_count: 16,
  /** The low bits and bit 63 of each entry: P, R/W, U/S, A, D, NX (SDM Vol. 3A, "Paging-Structure Entries"). */
  entry_flags: 24,
  size: 32,
} as const;

/**
 * The register frame of an exception or a panic, on a kernel stack: `struct pt_regs` of Linux, with the vector
 * and the error code apart. Offsets of u64 fields.
 */
export const PT_REGS = {
  r15: 0,
  r14: 8,
  r13: 16,
  r12: 24,
  rbp: 32,
  rbx: 40,
  r11: 48,
  r10: 56,
  r9: 64,
  r8: 72,
  rax: 80,
  rcx: 88,
  rdx: 96,
  rsi: 104,
  rdi: 112,
  vector: 120,
  error_code: 128,
  rip: 136,
  cs: 144,
  rflags: 152,
  rsp: 160,
  ss: 168,
  size: 176,
} as const;
