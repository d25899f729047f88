/**
 * Writes to RFLAGS, CR0, CR3, CR4, CR8 and EFER with the checks that the manual asks for.
 * SDM Vol. 3A, "Control Registers", "Initializing IA-32e Mode"; Vol. 2B, "MOV—Move to/from Control Registers".
 */
import { Access, CR0, CR4, EFER, RFLAGS, Seg } from "./architecture.js";
import { raiseGp, UNSUPPORTED } from "./faults.js";
import { Segment, State } from "./layout.js";
import type { Machine } from "./machine.js";
import { flushTlb } from "./paging.js";

/** What POPF and IRET may change at any privilege. */
const ALWAYS =
  RFLAGS.CF |
  RFLAGS.PF |
  RFLAGS.AF |
  RFLAGS.ZF |
  RFLAGS.SF |
  RFLAGS.TF |
  RFLAGS.DF |
  RFLAGS.OF |
  RFLAGS.NT |
  RFLAGS.AC |
  RFLAGS.ID;

export function ioPrivilege(m: Machine): number {
  return (m.flags >> 12) & 3;
}

/** Loads the bits of `mask` that the current privilege may change, as POPF does; others stay, silently. */
export function setFlags(m: Machine, value: number, mask: number): void {
  let changeable = ALWAYS;
  if (m.cpl <= ioPrivilege(m) || m.real) changeable |= RFLAGS.IF;
  if (m.cpl === 0) changeable |= RFLAGS.IOPL;
  replaceFlags(m, value, changeable & mask);
}

/** Replaces the flags of `mask` whatever the privilege. */
export function replaceFlags(m: Machine, value: number, mask: number): void {
  m.flags = (m.flags & ~mask) | (value & mask) | RFLAGS.FIXED;
  m.attention = true;
}

/** CR0 bits that exist; the others are reserved and read as zero. */
const CR0_BITS =
  CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.ET | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD | CR0.PG;

/** CR4 bits of the features that this processor has. */
export const CR4_BITS =
  CR4.TSD |
  CR4.DE |
  CR4.PSE |
  CR4.PAE |
  CR4.MCE |
  CR4.PGE |
  CR4.PCE |
  CR4.OSFXSR |
  CR4.OSXMMEXCPT |
  CR4.FSGSBASE |
  CR4.SMEP |
  CR4.SMAP;

export const EFER_BITS = EFER.SCE | EFER.LME | EFER.LMA | EFER.NXE;

/** Changes of these make every translation stale. */
const CR0_TRANSLATION = CR0.PG | CR0.WP | CR0.PE;
const CR4_TRANSLATION = CR4.PAE | CR4.PGE | CR4.PSE | CR4.SMEP | CR4.SMAP;

export function setCr0(m: Machine, lo: number, hi: number): void {
  const old = m.cr0;
  if (hi !== 0) raiseGp(m);
  if (lo & CR0.PG && (lo & CR0.PE) === 0) raiseGp(m);
  if (lo & CR0.NW && (lo & CR0.CD) === 0) raiseGp(m);
  const value = (lo & CR0_BITS) | CR0.ET;
  const paging = value & CR0.PG;
  if (paging && (old & CR0.PG) === 0) enablePaging(m);
  if (!paging && old & CR0.PG) disablePaging(m);
  m.i32[State.cr0 >> 2] = value;
  if ((value ^ old) & CR0_TRANSLATION) flushTlb(m);
  // Leaving protected mode: the level is 0 and segments keep what they hold.
  if ((value & CR0.PE) === 0) m.setCpl(0);
  else m.updateMode();
}

/** The only paging that this processor has is that of long mode. */
function enablePaging(m: Machine): void {
  if ((m.efer & EFER.LME) === 0) throw UNSUPPORTED;
  if ((m.cr4 & CR4.PAE) === 0 || m.segment(Seg.CS, Segment.access) & Access.L) raiseGp(m);
  m.i32[State.efer >> 2] = m.efer | EFER.LMA;
}

function disablePaging(m: Machine): void {
  if (m.long64) raiseGp(m);
  m.i32[State.efer >> 2] = m.efer & ~EFER.LMA;
}

export function setCr3(m: Machine, lo: number, hi: number): void {
  if (m.longMode && hi & ~((1 << (m.physicalBits - 32)) - 1)) raiseGp(m);
  m.i32[State.cr3 >> 2] = lo;
  m.i32[(State.cr3 >> 2) + 1] = hi;
  flushTlb(m);
}

export function setCr4(m: Machine, lo: number, hi: number): void {
  if (hi !== 0 || lo & ~CR4_BITS) raiseGp(m);
  if (m.longMode && (lo & CR4.PAE) === 0) raiseGp(m);
  const changed = lo ^ m.cr4;
  m.i32[State.cr4 >> 2] = lo;
  if (changed & CR4_TRANSLATION) flushTlb(m);
  m.updateMode();
}

export function setCr8(m: Machine, lo: number, hi: number): void {
  if (hi !== 0 || lo & ~15) raiseGp(m);
  m.i32[State.cr8 >> 2] = lo;
}

/** SDM Vol. 3A, "Extended Feature Enable Register": LMA is read-only, LME fixed while paging is on. Returns whether it may. */
export function setEfer(m: Machine, lo: number, hi: number): boolean {
  const old = m.efer;
  if (hi !== 0 || lo & ~EFER_BITS) return false;
  if (m.paging && (lo ^ old) & EFER.LME) return false;
  m.i32[State.efer >> 2] = (lo & ~EFER.LMA) | (old & EFER.LMA);
  if ((lo ^ old) & EFER.NXE) flushTlb(m);
  m.updateMode();
  return true;
}
