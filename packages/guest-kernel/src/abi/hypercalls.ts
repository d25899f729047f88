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
  | EnumType
  | HandleType
  | StringType
  | BufferType
  /** A pointer to one record, laid out as the psABI lays out a C struct. */
  | {
      readonly kind: "struct";
      readonly name: string;
      readonly direction: Direction;
      readonly fields: StructFields;
    };

/** An integer that has names. */
export interface EnumType {
  readonly kind: "enum";
  readonly repr: ScalarKind;
  readonly values: Readonly<Record<string, number>>;
}

/** An opaque number that the plugin gave out. */
export interface HandleType {
  readonly kind: "handle";
  readonly of: string;
}

/** A pointer to a NUL-terminated string of at most `maxBytes`, the NUL not counted; longer is -ENAMETOOLONG. */
export interface StringType {
  readonly kind: "cstring";
  readonly maxBytes: number;
}

/** Two registers, or in a struct two words: a pointer and a length of at most `maxBytes`. */
export interface BufferType {
  readonly kind: "buffer";
  readonly direction: Direction;
  readonly maxBytes: number;
}

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
/** What leads out of a struct, or stands for an object of the host, only where the host just reads it. */
export type StructField = ScalarKind | EnumType | HandleType | StringType | BufferType;
export type StructFields = Readonly<Record<string, StructField>>;

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
      address: { kind: "u64" },
      physical: { kind: "u64" },
      page_count: { kind: "u64" },
      entry_flags: { kind: "u64" },
      tables_end: { kind: "u64" },
      table_count: { kind: "u64" },
    },
    errors: ["ENOMEM", "EINVAL"],
    doc: "Gives frames to absent user pages, in the tables that CR3 names. Each entry of the `page_count` (1 to 512) pages at Gva `address` that is 0 becomes the next frame of the run at Gpa `physical`, with the bits of `entry_flags`; an entry that is not 0 is skipped and uses no frame. FILL_ZERO in entry_flags: the host zeroes each frame that it uses. The pages lie in one 2 MiB span, so at most three tables are missing: they are taken from the end of the zeroed run of `table_count` pages below Gpa `tables_end`, downwards, and linked with P, R/W, U/S, A. Result: frames used, plus tables used << 32. -ENOMEM: table_count is too small, nothing was changed.",
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
    name: "plan_edits",
    args: {
      start: { kind: "u64" },
      end: { kind: "u64" },
      entry_flags: { kind: "u64" },
      plan: { kind: "pointer" },
      tables_end: { kind: "u64" },
      table_count: { kind: "u64" },
    },
    errors: ["EINVAL"],
    doc: "Works out, for the tables that CR3 names, which entries the kernel must write so that every user page of [start, end) that has a frame changes to `entry_flags` (keeping its frame), or, with entry_flags 0, loses it. The host changes no entry that is in use: it writes the EDIT_PLAN at Gva `plan`, and may prepare fresh tables for the plan to swap in, taken as in fill_pages. Result: tables used.",
  },
] as const satisfies readonly HypercallRow[];

export type KernelHypercallName = (typeof KERNEL_HYPERCALLS)[number]["name"];

export const KILL_REASONS = {
  /** An exception in ring 3. */
  FAULT: 0,
  /** No page was left for the program; the signal is SIGKILL. */
  OUT_OF_MEMORY: 1,
  /** The program sent it: kill(2), tkill(2), tgkill(2). */
  SIGNAL: 2,
} as const;

/**
 * `fill_pages`: zero the frames. A bit that an entry leaves to software; it is not stored in the entries.
 * (SDM Vol. 3A, "Paging-Structure Entries": bits 11:9 are ignored by the processor.)
 */
export const FILL_ZERO = 1n << 9n;

/**
 * An entry whose page has a frame but permits nothing (PROT_NONE): P = 0, this bit, and the frame's address.
 * The processor sees an absent page, the kernel keeps the contents.
 */
export const ENTRY_HELD = 1n << 10n;

/**
 * What `plan_edits` answers in one page: offsets. The kernel writes `floor` and `ceiling` before; the host the rest.
 *
 * The kernel writes `edits` in order, reloads CR3, and then owns the runs of `frames`: frames that lost their page,
 * and tables that no entry refers to any more. A plan that is full ends early: `next` is where to go on.
 *
 * On a host where ring 0 is emulated one live entry costs the guest some 6 us, and swapping in a fresh table by
 * its page-directory entry some 75 us: above about ten live entries in a table a swap is cheaper.
 */
export const EDIT_PLAN = {
  /**
   * Gva, page aligned: no area is left between them. With entry_flags 0, a table whose whole span lies between
   * them is dropped (at each level), not edited.
   */
  floor: 0,
  ceiling: 8,
  /** Gva up to which the plan goes; `end` where it is complete. */
  next: 16,
  edit_count: 24,
  frame_count: 32,
  /** EDIT records. */
  edits: 64,
  /** FRAME_RUN records. */
  frames: 1024,
  size: 4096,
} as const;
export const EDIT_PLAN_MAX_EDITS = 60;
export const EDIT_PLAN_MAX_FRAMES = 128;

/** One entry to write: its Gva in the direct map, and its new value. */
export const EDIT = { slot: 0, value: 8, size: 16 } as const;

/** A physically contiguous run that lost its pages. `address`: Gva where it was mapped; 0 for a table. */
export const FRAME_RUN = { address: 0, physical: 8, page_count: 16, size: 24 } as const;

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

/** What `vector` says in a PT_REGS record besides the exceptions 0 to 31. */
export const PT_REGS_VECTORS = {
  /** The task was in a system call; `error_code` is its number. */
  SYSCALL: 0x100,
  /** The kernel found a broken invariant of its own. */
  ASSERTION: 0x101,
} as const;
