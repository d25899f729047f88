/** Stack pointers and the I/O permission bitmap of the TSS. SDM Vol. 3A, "Task-State Segment (TSS)", "64-Bit TSS". */

import { load8, load16, load32, load64, SYSTEM } from "./access.js";
import { Seg, Vector } from "./architecture.js";
import { raise } from "./faults.js";
import { Segment, State } from "./layout.js";
import type { Machine } from "./machine.js";
import { SystemType } from "./segments.js";

const TR = (State.segments + Seg.TR * Segment.stride) >> 2;

/** Linear address in the TSS; high half in `m.hi`. */
function address(m: Machine, offset: number): number {
  const lo = (m.i32[TR]! + offset) | 0;
  m.hi = m.longMode ? (m.i32[TR + 1]! + (lo >>> 0 < offset >>> 0 ? 1 : 0)) | 0 : 0;
  return lo;
}

function limit(m: Machine): number {
  return m.segment(Seg.TR, Segment.limit) >>> 0;
}

function requireInLimit(m: Machine, end: number): void {
  if (end > limit(m)) raise(m, Vector.TS, m.selector(Seg.TR) & 0xfffc);
}

/** RSP0 to RSP2 for `level` 0 to 2, or IST1 to IST7 for `ist` 1 to 7; high half in `m.hi`. Raises #TS. */
export function longModeStack(m: Machine, level: number, ist: number): number {
  const offset = ist === 0 ? 4 + level * 8 : 0x24 + (ist - 1) * 8;
  requireInLimit(m, offset + 7);
  const at = address(m, offset);
  return load64(m, SYSTEM, at, m.hi);
}

/** Whether TR holds a 16-bit TSS. */
function isTss16(m: Machine): boolean {
  return (m.segment(Seg.TR, Segment.access) & 0xf & ~2) === SystemType.TSS16;
}

/** SS and (E)SP for a level in protected mode. Raises #TS. */
export function protectedModeStack(m: Machine, level: number): { ss: number; esp: number } {
  const narrow = isTss16(m);
  const offset = narrow ? 2 + level * 4 : 4 + level * 8;
  requireInLimit(m, offset + (narrow ? 3 : 5));
  const esp = narrow ? load16(m, SYSTEM, address(m, offset), 0) : load32(m, SYSTEM, address(m, offset), 0);
  return { ss: load16(m, SYSTEM, address(m, offset + (narrow ? 2 : 4)), 0), esp };
}

/** Whether the bitmap lets `size` ports from `port` through. SDM Vol. 1, "I/O Permission Bit Map". */
export function portsPermitted(m: Machine, port: number, size: number): boolean {
  if (isTss16(m) || limit(m) < 0x67) return false;
  const mapAt = address(m, 0x66);
  const offset = load16(m, SYSTEM, mapAt, m.hi) + (port >>> 3);
  // Two bytes are always read, so both have to lie inside the limit.
  if (offset + 1 > limit(m)) return false;
  const first = address(m, offset);
  const low = load8(m, SYSTEM, first, m.hi);
  const second = address(m, offset + 1);
  const bits = (low | (load8(m, SYSTEM, second, m.hi) << 8)) >>> (port & 7);
  return (bits & ((1 << size) - 1)) === 0;
}
