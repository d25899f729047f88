/**
 * Bits of the control registers, IA32_EFER, RFLAGS and XCR0: the host sets them for the first instruction, the kernel
 * from then on.
 * Source: SDM Vol. 3A, "Control Registers", "Extended Feature Enable Register", "System Flags and Fields in the EFLAGS
 * Register", "Extended Control Registers (Including XCR0)".
 */
export const CR0 = {
  /** Protected mode. */
  PE: 1n << 0n,
  /** WAIT obeys TS. */
  MP: 1n << 1n,
  EM: 1n << 2n,
  TS: 1n << 3n,
  ET: 1n << 4n,
  /** x87 errors arrive as #MF. */
  NE: 1n << 5n,
  /** Ring 0 obeys read-only pages. */
  WP: 1n << 16n,
  /** Ring 3 may ask for #AC with RFLAGS.AC. */
  AM: 1n << 18n,
  NW: 1n << 29n,
  CD: 1n << 30n,
  PG: 1n << 31n,
} as const;

export const CR4 = {
  VME: 1n << 0n,
  TSD: 1n << 2n,
  DE: 1n << 3n,
  PAE: 1n << 5n,
  MCE: 1n << 6n,
  PGE: 1n << 7n,
  OSFXSR: 1n << 9n,
  /** SSE errors arrive as #XM. */
  OSXMMEXCPT: 1n << 10n,
  UMIP: 1n << 11n,
  /** Five-level paging. */
  LA57: 1n << 12n,
  FSGSBASE: 1n << 16n,
  OSXSAVE: 1n << 18n,
  SMEP: 1n << 20n,
  SMAP: 1n << 21n,
} as const;

/** IA32_EFER. */
export const EFER = {
  /** SYSCALL and SYSRET. */
  SCE: 1n << 0n,
  LME: 1n << 8n,
  LMA: 1n << 10n,
  NXE: 1n << 11n,
} as const;

export const RFLAGS = {
  CF: 1n << 0n,
  /** Always 1. */
  RESERVED_1: 1n << 1n,
  TF: 1n << 8n,
  IF: 1n << 9n,
  DF: 1n << 10n,
  IOPL: 3n << 12n,
  NT: 1n << 14n,
  RF: 1n << 16n,
  AC: 1n << 18n,
} as const;

/** State components that the kernel lets programs use: x87, SSE, AVX, and the three of AVX-512. */
export const XCR0 = {
  X87: 1n << 0n,
  SSE: 1n << 1n,
  AVX: 1n << 2n,
  OPMASK: 1n << 5n,
  ZMM_HI256: 1n << 6n,
  HI16_ZMM: 1n << 7n,
} as const;
