/**
 * Where ring 0 came from, read off its stack.
 *
 * The kernel keeps no frame pointers. A word on the stack counts as a return address if it points into kernel code
 * just behind a call (SDM Vol. 2A, "CALL": E8 rel32, or FF /2).
 */
import type { GuestSpace } from "./memory/guest-space.js";
import type { BacktraceEntry } from "./result.js";

export interface CodeRange {
  readonly start: bigint;
  readonly end: bigint;
}

const MAX_WORDS = 512;
const MAX_ENTRIES = 32;
/** Lengths of `FF /2` forms, ModR/M, SIB and displacement counted. */
const INDIRECT_CALL_LENGTHS = [2, 3, 4, 6, 7] as const;

/** `rip` itself, then the return addresses from `rsp` up. */
export function backtrace(space: GuestSpace, rip: bigint, rsp: bigint, code: CodeRange): BacktraceEntry[] {
  const entries: BacktraceEntry[] = [{ address: rip }];
  for (let index = 0; index < MAX_WORDS && entries.length < MAX_ENTRIES; index++) {
    const word = tryRead(space, rsp + BigInt(index * 8), 8);
    if (word === undefined) break;
    const address = new DataView(word.buffer, word.byteOffset).getBigUint64(0, true);
    if (address > code.start && address <= code.end && followsCall(space, address)) entries.push({ address });
  }
  return entries;
}

function followsCall(space: GuestSpace, address: bigint): boolean {
  const before = tryRead(space, address - 7n, 7);
  if (before === undefined) return false;
  if (before[2] === 0xe8) return true;
  return INDIRECT_CALL_LENGTHS.some((length) => {
    const at = 7 - length;
    return before[at] === 0xff && ((before[at + 1]! >> 3) & 7) === 2;
  });
}

function tryRead(space: GuestSpace, address: bigint, length: number): Uint8Array | undefined {
  try {
    return space.read(address, length);
  } catch {
    return undefined;
  }
}
