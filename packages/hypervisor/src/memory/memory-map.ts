/**
 * Where guest memory appears in guest-physical space: from 0 up, without the hole below 4 GiB, as on a PC.
 *
 *   0 .. min(size, 3 GiB)          backed from offset 0
 *   3 GiB .. 4 GiB                 nothing: local APIC, TSS pages of VT-x
 *   4 GiB ..                       the rest
 */
import { MEMORY_HOLE_END, MEMORY_HOLE_START, PAGE_SIZE } from "@kvmkit/guest-kernel/abi";
import { VmError } from "../errors.js";

/** One run of guest memory. All three are bytes: guest-physical start, size, offset in the backing memory. */
export interface MemoryRange {
  readonly start: number;
  readonly size: number;
  readonly offset: number;
}

const HOLE_START = Number(MEMORY_HOLE_START);
const HOLE_END = Number(MEMORY_HOLE_END);

/** More than any host has today; keeps every guest-physical address below 2^52. */
export const MEMORY_LIMIT = 2 ** 42;

/** Lays `sizeBytes` of memory out. Errors: ERR_VM_MEMORY_SIZE. */
export function memoryMap(sizeBytes: number, multiple = PAGE_SIZE, minimum = multiple): MemoryRange[] {
  if (
    !Number.isSafeInteger(sizeBytes) ||
    sizeBytes < minimum ||
    sizeBytes > MEMORY_LIMIT ||
    sizeBytes % multiple
  ) {
    throw new VmError("ERR_VM_MEMORY_SIZE", {
      found: String(sizeBytes),
      allowed: `multiples of ${multiple} from ${minimum} to ${MEMORY_LIMIT}`,
    });
  }
  const low = { start: 0, size: Math.min(sizeBytes, HOLE_START), offset: 0 };
  if (sizeBytes <= HOLE_START) return [low];
  return [low, { start: HOLE_END, size: sizeBytes - HOLE_START, offset: HOLE_START }];
}
