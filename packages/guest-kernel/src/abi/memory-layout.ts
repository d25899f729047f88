/**
 * Where everything lies in guest memory under the `kvmkit` boot protocol, for host and guest.
 *
 *   guest physical                                     virtual (supervisor, 2 MiB pages, built by the host)
 *   0x0000_0000  low memory, unused (AP trampolines) ┐  KERNEL_BASE + gpa, read + execute
 *   0x0010_0000  kernel .text, .rodata               ┘
 *   0x0020_0000  kernel .data, .bss                     KERNEL_BASE + gpa, read + write, NX
 *   kernel end   first page tables, boot information, boot stack
 *                program segments and stack as planned
 *                page pool: the kernel's to hand out
 *   all of it                                           DIRECT_MAP_BASE + gpa, read + write, NX
 *                                                       (the 2 MiB page of .text: read only)
 *
 *   user half: 0x1_0000 .. 0x7fff_ffff_f000, the kernel's page tables only
 *
 * No 2 MiB page holds two permissions, so nothing is ever writable and executable, by no alias.
 */

export const PAGE_SIZE = 0x1000;
export const LARGE_PAGE_SIZE = 0x20_0000;

/** Virtual address of guest-physical 0 as the kernel is linked: the top 2 GiB, so that disp32 reaches it. */
export const KERNEL_BASE = 0xffff_ffff_8000_0000n;

/** Virtual address of guest-physical 0 in the map of all guest memory (PML4 slot 273, as Linux has it). */
export const DIRECT_MAP_BASE = 0xffff_8880_0000_0000n;

/** Where the kernel's read-execute segment starts (.text, .rodata). */
export const KERNEL_TEXT_GPA = 0x10_0000n;

/** Where the kernel's read-write segment starts (.data, .bss): the next 2 MiB page. */
export const KERNEL_DATA_GPA = 0x20_0000n;

/**
 * Guest memory leaves out 3 to 4 GiB, as a PC does: the local APIC, and on VT-x the TSS pages, live there.
 * Above 3 GiB of memory the rest continues at 4 GiB.
 */
export const MEMORY_HOLE_START = 0xc000_0000n;
export const MEMORY_HOLE_END = 0x1_0000_0000n;

/** Lowest address a program may map: page 0 to 15 stay empty, so that null pointers fault (mmap_min_addr). */
export const USER_MIN = 0x1_0000n;

/** First address past user space. The page below the non-canonical hole stays empty: SYSRET faults on it in ring 0. */
export const USER_MAX = 0x7fff_ffff_f000n;

/** Top of a program's first stack, and how far it may grow down. */
export const USER_STACK_TOP = 0x7fff_ffff_e000n;
export const USER_STACK_LIMIT = 0x80_0000;

/** mmap without an address searches down from here: below the stack's limit and a gap of 1 MiB. */
export const USER_MMAP_TOP = 0x7fff_ff60_0000n;

/** Load address of position-independent programs: ELF_ET_DYN_BASE of Linux, two thirds of user space. */
export const USER_DYN_BASE = 0x5555_5555_4000n;

export const BOOT_STACK_SIZE = 0x4000;
