/**
 * The boot information record: what the host tells the kernel, at the address in `rdi` (in the direct map).
 * All fields are little-endian u64 unless said; offsets are in bytes. The host writes it once, before the
 * first instruction, except for `host_request`.
 */

/** "KVMKITBI", little-endian. */
export const BOOT_INFO_MAGIC = 0x4942_5449_4b4d_564bn;
export const BOOT_INFO_VERSION = 1;

/** Offsets of the record's fields. */
export const BOOT_INFO = {
  /** BOOT_INFO_MAGIC. */
  magic: 0,
  /** u32: BOOT_INFO_VERSION. */
  version: 8,
  /** u32: bytes in this record, BOOT_INFO_SIZE. */
  size: 12,
  /** BOOT_FLAGS. */
  flags: 16,
  /** Two ranges of guest-physical memory, each start and size; the second is 0, 0 below 3 GiB. */
  memory_range_0_start: 24,
  memory_range_0_size: 32,
  memory_range_1_start: 40,
  memory_range_1_size: 48,
  /** First free and first not free guest-physical byte of the page pool in range 0. The host zeroed it. */
  pool_start: 56,
  pool_end: 64,
  /** The same in range 1; 0, 0 where there is none. */
  pool_1_start: 72,
  pool_1_end: 80,
  /** Gpa of the PML4 the vCPU starts with; the kernel adopts it. */
  page_table_root: 88,
  /** Gva where the program starts (AT_ENTRY, or the interpreter's entry), and its rsp. 0, 0: no program. */
  program_entry: 96,
  program_stack: 104,
  /** Gva: start of the heap (brk), page aligned. */
  program_brk: 112,
  /** Number of AREA records, at most 500, and the Gva of the first. They ascend and do not overlap. */
  area_count: 120,
  areas: 128,
  /** Reserved, zero. */
  reserved: 136,
  /** One HOST_REQUEST record per vCPU, in order of the vCPU's id: written by the host while the vCPU is stopped. */
  host_request: 256,
} as const;

export const BOOT_INFO_SIZE = 0x1000;

export const BOOT_FLAGS = {
  /**
   * Ring 0 is run by an instruction emulator (KVM without hardware virtualization): `syscall` arrives as #PF at
   * the entry, and every kernel instruction costs half a microsecond or more.
   */
  RING0_EMULATED: 1n << 0n,
  /**
   * The host serves `fill_pages` and `plan_edits`, and the kernel leaves walks and loops over page tables to it.
   * Clear: the kernel does all of that itself, which is right everywhere and slow where ring 0 is emulated.
   */
  HOST_PAGING: 1n << 1n,
} as const;

/** One piece of the program's address space as the host prepared it. */
export const AREA = {
  /** Gva, page aligned, start and end (exclusive). */
  start: 0,
  end: 8,
  /** AREA_FLAGS. */
  flags: 16,
  /** Gpa of the first page prepared by the host, and how many bytes from `start` lie there, page aligned. 0, 0: none. */
  backing: 24,
  backed_bytes: 32,
  size: 40,
} as const;

/** The low bits are Linux's PROT_READ, PROT_WRITE, PROT_EXEC (mmap(2)). */
export const AREA_FLAGS = {
  READ: 1n << 0n,
  WRITE: 1n << 1n,
  EXEC: 1n << 2n,
  /** The program's stack: `backing` is its top end, it grows down to USER_STACK_LIMIT. */
  STACK: 1n << 8n,
} as const;

/**
 * What the host asks of the kernel in answer to a hypercall (see hypercalls.ts). It asks wherever a user page is
 * absent or does not permit the access; the kernel knows whether it may. A host that finds the same page as it
 * was after asking once answers -EFAULT itself, so that no disagreement loops.
 */
export const HOST_REQUEST = {
  /** HOST_REQUEST_KINDS. */
  kind: 0,
  /** Gva and length in bytes of the range that must become present, with this access. */
  address: 8,
  length: 16,
  /** AREA_FLAGS.READ or WRITE. */
  access: 24,
  size: 32,
} as const;

export const HOST_REQUEST_KINDS = {
  /** Make at least the page at `address` present with `access`; as many of the range as is cheap. */
  POPULATE: 1n,
} as const;
