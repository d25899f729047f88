/**
 * The kernel's own records: offsets in bytes, fields of 8 bytes unless said. Host and programs never see them.
 *
 * A task's kernel stack, one aligned block of KERNEL_STACK_SIZE:
 *
 *   block + size  ┌───────────────────────────┐
 *                 │ TASK                      │
 *   RSP0 ───────► ├───────────────────────────┤
 *            -8   │ ss                        │ pushed by an exception from ring 3; the hardware's own
 *            -16  │ rsp of the program        │ arrival of `syscall` makes the same frame
 *            -24  │ rflags                    │ (entry-syscall.ts)
 *            -32  │ cs                        │
 *            -40  │ rip                       │
 *            -48  │ error code, or 0          │
 *                 │ saved registers, calls    │
 *   block         └───────────────────────────┘
 *
 * So the task lies at a fixed distance above a fresh frame, and anywhere else at the end of the block that rsp
 * points into: finding it needs no GS and no memory access.
 */
import { GDT_SIZE } from "./arch/gdt.js";
import { TSS } from "./arch/tss.js";

export const KERNEL_STACK_SIZE = 0x2000;
/** Of the double-fault, NMI and machine-check stacks. */
export const IST_STACK_SIZE = 0x400;

/** One thread of a program. */
export const TASK = {
  /** Gva of its MM. */
  mm: 0,
  /** Gva of the CPU that runs it. */
  cpu: 8,
  /** Process and thread id. */
  tgid: 16,
  tid: 24,
  /** Gva in the program: set_tid_address(2), set_robust_list(2). */
  clear_child_tid: 32,
  robust_list: 40,
  /** Blocked signals, bit n - 1 for signal n. */
  blocked: 48,
  /** Gva of its SIGHAND, shared by the threads of a process. */
  sighand: 56,
  /** sigaltstack(2): stack_t, 24 bytes. */
  altstack: 64,
  /** Name, 16 bytes with its NUL (PR_SET_NAME). */
  comm: 88,
  /** Gva of the process's limits: RLIMIT_COUNT pairs of soft and hard. */
  rlimits: 104,
  /** Signals that were sent while they were blocked. */
  pending: 112,
  size: 256,
} as const;

/** Offsets from rsp at the start of a system call or of an exception from ring 3. */
export const FRAME = {
  error_code: 0,
  rip: 8,
  cs: 16,
  rflags: 24,
  rsp: 32,
  ss: 40,
  /** The TASK begins where the frame ends. */
  task: 48,
} as const;

/** Signal dispositions: `struct kernel_sigaction` of x86-64 (handler, flags, restorer, mask) for signals 1 to 64. */
export const SIGACTION = { handler: 0, flags: 8, restorer: 16, mask: 24, size: 32 } as const;
export const SIGHAND_SIZE = 64 * SIGACTION.size;

export const RLIMIT_COUNT = 16;
export const RLIMIT_STACK = 3;

/** One processor. */
export const CPU = {
  /** rsp of the program, for the two instructions between the hardware's `syscall` and the kernel stack. */
  user_rsp: 0,
  /** RSP0 - 8 of the running task: where the hardware arrival starts to build its frame. */
  syscall_stack: 8,
  /** Gva of the running TASK. */
  task: 16,
  /** Gva of this CPU's HOST_REQUEST in the boot information. */
  host_request: 24,
  /** Gva of a page for `plan_edits`. */
  edit_plan: 32,
  /** u16 limit and u64 base for LGDT, at an address that makes the base aligned. */
  gdt_pointer: 46,
  gdt: 56,
  tss: 56 + GDT_SIZE,
  size: 256,
} as const;

if (CPU.tss + TSS.size > CPU.size) throw new RangeError("the CPU record is too small for its TSS");

/** An address space. */
export const MM = {
  /** Gpa of the PML4. */
  root: 0,
  /** Gva of the array of AREA pointers, ascending by address, without overlap. */
  areas: 8,
  area_count: 16,
  /** How many fit into the array. */
  area_capacity: 24,
  /** The AREA that the last fault found; `no_area` where it may be gone. */
  last_area: 32,
  /** brk(2): where the heap starts, and the current break. */
  start_brk: 40,
  brk: 48,
  /** mmap(2) without an address searches down from here first. */
  mmap_hint: 56,
  size: 64,
} as const;

/** One stretch of an address space with the same permissions: `vm_area_struct` of Linux. */
export const AREA = {
  start: 0,
  /** Exclusive. */
  end: 8,
  /** VM_FLAGS. */
  flags: 16,
  /** Bits of its page-table entries (userEntryFlags). */
  entry_flags: 24,
  /** Pages that the last fault made present, and the address at which a fault continues its sequence. */
  window: 32,
  next_fault: 40,
  /** Bit n: whether a fault with error code n is one of a page that may be present (permittedFaults). */
  permitted_faults: 48,
  size: 64,
} as const;

/** The low three bits are PROT_READ, PROT_WRITE, PROT_EXEC. Areas merge only where all flags agree. */
export const VM_FLAGS = {
  READ: 1,
  WRITE: 2,
  EXEC: 4,
  SHARED: 8,
  /** MAP_NORESERVE. */
  NORESERVE: 16,
  /** Grows down when the page below is touched: the stack, MAP_GROWSDOWN. */
  GROWSDOWN: 32,
  /** The first stack: grows to USER_STACK_LIMIT. */
  STACK: 64,
} as const;

/** Pages of the first fault in an area, and of one that continues a sequence of faults. */
export const FAULT_WINDOW = { first: 16, most: 64 } as const;

/** vm.max_map_count of Linux. */
export const MAX_AREA_COUNT = 65530;

/** Pages that stay empty below an area that grows down (stack_guard_gap of Linux). */
export const STACK_GUARD_GAP = 256 * 0x1000;
