/**
 * The 64-bit task-state segment: where the processor finds kernel stacks.
 * Source: SDM Vol. 3A, "Task Management in 64-bit Mode", "TSS Descriptor in 64-bit mode".
 */
export const TSS = {
  /** Stack for an exception that comes from ring 3. */
  rsp0: 0x04,
  /** Interrupt stack table: ist1 is `ist`, ist2 `ist + 8`, up to ist7. */
  ist: 0x24,
  /** u16: offset of the I/O permission bitmap. */
  iomap_base: 0x66,
  size: 0x68,
} as const;

/**
 * An I/O bitmap past the segment's limit denies every port to ring 3. (0 would make a bitmap of the segment's own
 * first bytes, and let ports through.)
 */
export const TSS_NO_IOMAP = TSS.size;

/**
 * The low eight bytes of a TSS descriptor, without its base: present, available 64-bit TSS, byte-granular limit.
 * The base goes to bits 39:16 and 63:56, and its upper half to the next eight bytes.
 */
export const TSS_DESCRIPTOR = BigInt(TSS.size - 1) | (0x9n << 40n) | (1n << 47n);

/** The 16 bytes of a TSS descriptor, as two quadwords. */
export function tssDescriptor(base: bigint): readonly [low: bigint, high: bigint] {
  const low = TSS_DESCRIPTOR | ((base & 0xff_ffffn) << 16n) | (((base >> 24n) & 0xffn) << 56n);
  return [low, (base >> 32n) & 0xffff_ffffn];
}

/** Which exceptions have a stack of their own, because they can arrive when rsp is not to be trusted. */
export const IST = { DOUBLE_FAULT: 1, NMI: 2, MACHINE_CHECK: 3 } as const;
