/** Model-specific registers, as a table. SDM Vol. 4, "Architectural MSRs"; AMD APM Vol. 2 for C000_00xx. */
import { Seg } from "./architecture.js";
import { setEfer } from "./control.js";
import { raiseGp } from "./faults.js";
import { Segment, State } from "./layout.js";
import type { Machine } from "./machine.js";
import { isCanonical } from "./paging.js";

export const Msr = {
  IA32_TIME_STAMP_COUNTER: 0x10,
  IA32_APIC_BASE: 0x1b,
  IA32_BIOS_SIGN_ID: 0x8b,
  IA32_SYSENTER_CS: 0x174,
  IA32_SYSENTER_ESP: 0x175,
  IA32_SYSENTER_EIP: 0x176,
  IA32_MISC_ENABLE: 0x1a0,
  IA32_DEBUGCTL: 0x1d9,
  IA32_PAT: 0x277,
  IA32_MTRR_DEF_TYPE: 0x2ff,
  IA32_EFER: 0xc0000080,
  IA32_STAR: 0xc0000081,
  IA32_LSTAR: 0xc0000082,
  IA32_CSTAR: 0xc0000083,
  IA32_FMASK: 0xc0000084,
  IA32_FS_BASE: 0xc0000100,
  IA32_GS_BASE: 0xc0000101,
  IA32_KERNEL_GS_BASE: 0xc0000102,
} as const;

const SEGMENT_BASE = (segment: number) => State.segments + segment * Segment.stride + Segment.base;

/** What a value has to be. */
type Rule = "any" | "canonical" | "32 bits" | "memory types" | "zero";

/** Where an MSR lies, and its rule for writes. */
const MSRS: ReadonlyMap<number, readonly [offset: number, rule: Rule]> = new Map([
  [Msr.IA32_APIC_BASE, [State.apicBase, "any"]],
  [Msr.IA32_BIOS_SIGN_ID, [State.zero, "zero"]],
  [Msr.IA32_SYSENTER_CS, [State.sysenterCs, "32 bits"]],
  [Msr.IA32_SYSENTER_ESP, [State.sysenterEsp, "canonical"]],
  [Msr.IA32_SYSENTER_EIP, [State.sysenterEip, "canonical"]],
  [Msr.IA32_MISC_ENABLE, [State.miscEnable, "any"]],
  [Msr.IA32_DEBUGCTL, [State.debugctl, "zero"]],
  [Msr.IA32_PAT, [State.pat, "memory types"]],
  [Msr.IA32_MTRR_DEF_TYPE, [State.mtrrDefType, "any"]],
  [Msr.IA32_STAR, [State.star, "any"]],
  [Msr.IA32_LSTAR, [State.lstar, "canonical"]],
  [Msr.IA32_CSTAR, [State.cstar, "canonical"]],
  [Msr.IA32_FMASK, [State.sfmask, "32 bits"]],
  [Msr.IA32_FS_BASE, [SEGMENT_BASE(Seg.FS), "canonical"]],
  [Msr.IA32_GS_BASE, [SEGMENT_BASE(Seg.GS), "canonical"]],
  [Msr.IA32_KERNEL_GS_BASE, [State.kernelGsBase, "canonical"]],
] as const);

/** Numbers of all MSRs (KVM_GET_MSR_INDEX_LIST). */
export const MSR_NUMBERS: readonly number[] = [Msr.IA32_TIME_STAMP_COUNTER, Msr.IA32_EFER, ...MSRS.keys()];

const RULES: Readonly<Record<Rule, (lo: number, hi: number) => boolean>> = {
  any: () => true,
  canonical: (_lo, hi) => isCanonical(hi),
  "32 bits": (_lo, hi) => hi === 0,
  "memory types": (lo, hi) => [lo, hi].every(isMemoryTypes),
  zero: (lo, hi) => lo === 0 && hi === 0,
};

/** Four bytes of UC, WC, WT, WP, WB or UC- (SDM Vol. 3A, "IA32_PAT MSR"). */
function isMemoryTypes(word: number): boolean {
  return [0, 8, 16, 24].every((shift) => [0, 1, 4, 5, 6, 7].includes((word >>> shift) & 0xff));
}

/** Low half of an MSR, high half in `m.hi`; `undefined` where there is none. */
export function readMsr(m: Machine, number: number): number | undefined {
  if (number === Msr.IA32_TIME_STAMP_COUNTER) return timeStamp(m);
  const offset = number === Msr.IA32_EFER ? State.efer : MSRS.get(number)?.[0];
  if (offset === undefined) return undefined;
  m.hi = m.i32[(offset >> 2) + 1]!;
  return m.i32[offset >> 2]!;
}

/** Whether the MSR exists and takes the value. */
export function writeMsr(m: Machine, number: number, lo: number, hi: number): boolean {
  if (number === Msr.IA32_TIME_STAMP_COUNTER) return setTimeStamp(m, lo, hi);
  if (number === Msr.IA32_EFER) return setEfer(m, lo, hi);
  const row = MSRS.get(number);
  if (row === undefined || !RULES[row[1]](lo, hi)) return false;
  if (row[1] === "zero") return true;
  m.i32[row[0] >> 2] = lo;
  m.i32[(row[0] >> 2) + 1] = hi;
  return true;
}

/** The time-stamp counter: instructions begun, plus what was last written. High half in `m.hi`. */
export function timeStamp(m: Machine): number {
  const count = m.instructions + m.burst - m.left;
  const at = State.tscOffset >> 2;
  const sum = (count % 2 ** 32) + (m.i32[at]! >>> 0);
  m.hi = (Math.floor(count / 2 ** 32) + m.i32[at + 1]! + (sum >= 2 ** 32 ? 1 : 0)) | 0;
  return sum | 0;
}

function setTimeStamp(m: Machine, lo: number, hi: number): boolean {
  const at = State.tscOffset >> 2;
  m.i32[at] = m.i32[at + 1] = 0;
  const now = timeStamp(m);
  const nowHi = m.hi;
  m.i32[at] = lo - now;
  m.i32[at + 1] = hi - nowHi - (lo >>> 0 < now >>> 0 ? 1 : 0);
  return true;
}

/** RDMSR and WRMSR. */
export function rdmsr(m: Machine, number: number): number {
  return readMsr(m, number) ?? raiseGp(m);
}

export function wrmsr(m: Machine, number: number, lo: number, hi: number): void {
  if (!writeMsr(m, number, lo, hi)) raiseGp(m);
}
