/**
 * Architectural bits that a hypervisor sets or reads, by their SDM names.
 * Sources: SDM Vol. 3A, "Control Registers", "IA32_EFER", "Paging-Structure Entries", "Segment Descriptors";
 * SDM Vol. 1, "EFLAGS Register".
 */

export const CR0 = {
  PE: 1n << 0n,
  MP: 1n << 1n,
  EM: 1n << 2n,
  TS: 1n << 3n,
  ET: 1n << 4n,
  NE: 1n << 5n,
  WP: 1n << 16n,
  AM: 1n << 18n,
  NW: 1n << 29n,
  CD: 1n << 30n,
  PG: 1n << 31n,
} as const;

export const CR4 = {
  PAE: 1n << 5n,
  PGE: 1n << 7n,
  OSFXSR: 1n << 9n,
  OSXMMEXCPT: 1n << 10n,
  LA57: 1n << 12n,
} as const;

export const EFER = {
  SCE: 1n << 0n,
  LME: 1n << 8n,
  LMA: 1n << 10n,
  NXE: 1n << 11n,
} as const;

export const RFLAGS = {
  CF: 1n << 0n,
  /** Bit 1 reads as 1 always. */
  FIXED: 1n << 1n,
} as const;

/** Bits 0 to 31 of a paging-structure entry. */
export const PTE = {
  P: 1 << 0,
  RW: 1 << 1,
  US: 1 << 2,
  A: 1 << 5,
  D: 1 << 6,
  PS: 1 << 7,
} as const;

/** Bit 63 of a paging-structure entry, seen in its upper 32 bits. */
export const PTE_HIGH_NX = 0x8000_0000;
/** Bits 51:32 of an entry hold the upper part of the physical address. */
export const PTE_HIGH_ADDRESS = 0x000f_ffff;

/** Types of the descriptors in use (SDM Vol. 3A, "Code- and Data-Segment Descriptor Types", "System Descriptor Types"). */
export const SEGMENT_TYPE = {
  DATA_RW_ACCESSED: 3,
  CODE_ER_ACCESSED: 11,
  LDT: 2,
  TSS_BUSY: 11,
} as const;

/** Exception vectors by mnemonic (SDM Vol. 3A, "Exception and Interrupt Vectors"). */
export const VECTOR_NAMES: readonly (string | undefined)[] = [
  "#DE",
  "#DB",
  "NMI",
  "#BP",
  "#OF",
  "#BR",
  "#UD",
  "#NM",
  "#DF",
  undefined,
  "#TS",
  "#NP",
  "#SS",
  "#GP",
  "#PF",
  undefined,
  "#MF",
  "#AC",
  "#MC",
  "#XM",
  "#VE",
  "#CP",
];
