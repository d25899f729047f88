/**
 * Architectural constants that a hypervisor alone sets or reads, by their SDM names; those of the control registers
 * are shared with the kernel (guest-kernel/abi).
 * Sources: SDM Vol. 3A, "Paging-Structure Entries", "Segment Descriptors".
 */

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
