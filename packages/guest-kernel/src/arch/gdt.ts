/**
 * Segment descriptors and the global descriptor table.
 * Source: SDM Vol. 3A, "Segment Descriptors", "Code- and Data-Segment Descriptor Types", "TSS Descriptor in 64-bit
 * mode".
 */
import { TSS_DESCRIPTOR } from "./tss.js";

export interface SegmentDescriptor {
  /** Code (execute, read) or data (read, write). */
  readonly type: "code" | "data";
  /** Ring that may use it. */
  readonly dpl: 0 | 3;
}

/**
 * Encodes a flat 64-bit descriptor. Base and limit are ignored in 64-bit mode; the limit is 4 GiB as is the custom.
 * The accessed bit is set, so that loading the selector writes nothing to the table.
 */
export function segmentDescriptor({ type, dpl }: SegmentDescriptor): bigint {
  const present = 1n << 47n;
  const notSystem = 1n << 44n;
  const accessed = 1n << 40n;
  const readOrWrite = 1n << 41n;
  const executable = type === "code" ? 1n << 43n : 0n;
  // L for 64-bit code; D/B must be 0 with it, and is 1 for data.
  const size = type === "code" ? 1n << 53n : 1n << 54n;
  const granularity = 1n << 55n;
  const limit = 0xffffn | (0xfn << 48n);
  return (
    limit |
    accessed |
    readOrWrite |
    executable |
    notSystem |
    (BigInt(dpl) << 45n) |
    present |
    size |
    granularity
  );
}

/**
 * Selectors, in the order that SYSCALL and SYSRET want (msr.ts). Slot 0x20, where a 32-bit user code descriptor
 * would lie for SYSRET to compatibility mode, stays empty: there is no compatibility mode here, and a far jump
 * to it must fault. 0x20 plus RPL 3 is also what IA32_STAR holds.
 */
export const SELECTOR = {
  KERNEL_CODE: 0x10,
  KERNEL_DATA: 0x18,
  USER_DATA: 0x28 | 3,
  USER_CODE: 0x30 | 3,
  /** 16 bytes: 0x40 and 0x48. */
  TSS: 0x40,
} as const;

/** The table as it is linked: each CPU has one of its own, and writes the base of its TSS into it at boot. */
export const GDT: readonly bigint[] = [
  0n,
  0n,
  segmentDescriptor({ type: "code", dpl: 0 }),
  segmentDescriptor({ type: "data", dpl: 0 }),
  0n,
  segmentDescriptor({ type: "data", dpl: 3 }),
  segmentDescriptor({ type: "code", dpl: 3 }),
  0n,
  TSS_DESCRIPTOR,
  0n,
];

export const GDT_SIZE = GDT.length * 8;
