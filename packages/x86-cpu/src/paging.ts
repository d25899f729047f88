/**
 * Linear to physical: the 4-level walk with all its permission bits, and the TLB in front of it.
 * SDM Vol. 3A, "4-Level Paging", "Access Rights", "Page-Fault Exceptions", "Accessed and Dirty Flags".
 *
 * A TLB entry holds the page address once for each kind of access that needs no further check, and an impossible
 * address (`NO_PAGE`) for the others: reads of a present page, writes of a dirty page that holds no cached code.
 * So one compare covers miss, permission, MMIO, and code. The array is chosen by CPL and AC, which makes
 * permission bits in the entry unnecessary. Fetches have arrays of their own, so that both engines, which
 * look data up equally often but fetches not, fill and evict entries in the same order.
 */
import { CR0, CR4, EFER, PageFault, Vector } from "./architecture.js";
import { raise, raisePageFault } from "./faults.js";
import { State, Tlb } from "./layout.js";
import type { Machine } from "./machine.js";
import { NOT_RAM } from "./memory.js";

export const PAGE_MASK = ~0xfff;
/** Tag that no page address equals. */
export const NO_PAGE = 1;

/** What an access is. */
export const Kind = { read: 0, write: 1, fetch: 2 } as const;

/** Bits of paging-structure entries. */
export const Pte = {
  P: 1,
  W: 2,
  U: 4,
  A: 0x20,
  D: 0x40,
  PS: 0x80,
  /** In the high half. */
  NX: 1 << 31,
} as const;

const TAG_INTS = Tlb.stride >> 2;
const INDEX_MASK = (Tlb.entries - 1) * TAG_INTS;
const INDEX_SHIFT = 12 - Math.log2(TAG_INTS);
const ADDEND = Tlb.addend >> 2;
const PAGE = Tlb.page >> 2;
const MASK = Tlb.pageMask >> 2;
const MAY_WRITE = Tlb.mayWrite >> 2;
const WRITE = Tlb.write >> 2;

/** Index into `i32` of the entry for a linear address in the array at `tlb`. */
export function tlbEntry(tlb: number, lo: number): number {
  return tlb + ((lo >>> INDEX_SHIFT) & INDEX_MASK);
}

/** What a walk found: valid until the next one. */
export interface Translation {
  /** Guest-physical address of the byte. */
  gpa: number;
  writable: boolean;
  user: boolean;
  executable: boolean;
  dirty: boolean;
  /** Address bits of a page of this size, as an int32 mask. */
  pageMask: number;
  /** A write goes to RAM, and not to the VMM. Known after `tryTranslate` for a write. */
  writesRam: boolean;
  /** #PF error code, or 0 where the access is allowed. */
  error: number;
}

const found: Translation = {
  gpa: 0,
  writable: true,
  user: true,
  executable: true,
  dirty: true,
  pageMask: PAGE_MASK,
  writesRam: false,
  error: 0,
};

/** Guest-physical addresses of the entries that the walk used, to set their accessed bits when it succeeds. */
const entries = [0, 0, 0, 0];
const HIGH = 2 ** 32;

function loadEntry(m: Machine, gpa: number): number {
  const pointer = m.physical.pointer(gpa);
  // Nothing answers the bus there: all ones, which is a reserved-bit fault.
  if (pointer === NOT_RAM) {
    m.hi = -1;
    return -1;
  }
  m.hi = m.view.getInt32(pointer + 4, true);
  return m.view.getInt32(pointer, true);
}

/** Bits 51:32 that must be zero in the high half of any present entry. */
function reservedHigh(m: Machine): number {
  const address = ~((1 << (m.physicalBits - 32)) - 1) & 0xfffff;
  return m.efer & EFER.NXE ? address : address | Pte.NX;
}

/** Bits that must be zero in the low half of an entry at `level` (3: PML4E … 0: PTE). */
function reservedLow(m: Machine, level: number, lo: number): number {
  if (level === 0 || (lo & Pte.PS) === 0) return 0;
  if (level === 3) return Pte.PS;
  if (level === 2) return m.gigabytePages ? 0x3fffe000 : Pte.PS;
  return 0x1fe000;
}

/**
 * Walks the tables for one access without side effects other than accessed and dirty bits, which it sets
 * where the access is allowed. `user`: made with CPL 3 rights; `ac`: a supervisor access with SMAP suspended.
 */
export function walk(
  m: Machine,
  lo: number,
  hi: number,
  kind: number,
  user: boolean,
  ac: boolean,
): Translation {
  if (!m.paging) return identity(lo);
  let entryGpa =
    (m.i32[(State.cr3 >> 2) + 1]! & 0xfffff) * HIGH + ((m.i32[State.cr3 >> 2]! & PAGE_MASK) >>> 0);
  const high = reservedHigh(m);
  found.writable = found.user = found.executable = true;
  for (let level = 3; ; level--) {
    entryGpa += tableIndex(lo, hi, level) * 8;
    entries[level] = entryGpa;
    const low = loadEntry(m, entryGpa);
    const upper = m.hi;
    if ((low & Pte.P) === 0) return fail(m, kind, user, 0);
    if (upper & high || low & reservedLow(m, level, low)) {
      return fail(m, kind, user, PageFault.P | PageFault.RSVD);
    }
    found.writable &&= (low & Pte.W) !== 0;
    found.user &&= (low & Pte.U) !== 0;
    found.executable &&= upper >= 0;
    const frame = (upper & 0xfffff) * HIGH + ((low & PAGE_MASK) >>> 0);
    if (level > 0 && (level === 3 || (low & Pte.PS) === 0)) {
      entryGpa = frame;
      continue;
    }
    const span = 2 ** (12 + 9 * level);
    found.gpa = frame - (frame % span) + ((lo >>> 0) % span);
    found.pageMask = -span;
    found.dirty = (low & Pte.D) !== 0;
    if (!allowed(m, kind, user, ac)) return fail(m, kind, user, PageFault.P);
    markUsed(m, level, kind);
    found.error = 0;
    return found;
  }
}

function identity(lo: number): Translation {
  found.gpa = lo >>> 0;
  found.pageMask = PAGE_MASK;
  found.writable = found.user = found.executable = found.dirty = true;
  found.error = 0;
  return found;
}

function tableIndex(lo: number, hi: number, level: number): number {
  if (level === 0) return (lo >>> 12) & 0x1ff;
  if (level === 1) return (lo >>> 21) & 0x1ff;
  if (level === 2) return ((lo >>> 30) | (hi << 2)) & 0x1ff;
  return (hi >>> 7) & 0x1ff;
}

/** SDM Vol. 3A, "Determination of Access Rights". */
function allowed(m: Machine, kind: number, user: boolean, ac: boolean): boolean {
  const { writable, user: userPage, executable } = found;
  if (user) return userPage && (kind === Kind.write ? writable : kind === Kind.fetch ? executable : true);
  if (kind === Kind.fetch) return executable && !(userPage && m.cr4 & CR4.SMEP);
  if (userPage && !ac && m.cr4 & CR4.SMAP) return false;
  return kind === Kind.read || writable || (m.cr0 & CR0.WP) === 0;
}

function fail(m: Machine, kind: number, user: boolean, bits: number): Translation {
  const fetchKnown = (m.efer & EFER.NXE) !== 0 || (m.cr4 & CR4.SMEP) !== 0;
  found.error =
    bits |
    (kind === Kind.write ? PageFault.WR : 0) |
    (user ? PageFault.US : 0) |
    (kind === Kind.fetch && fetchKnown ? PageFault.ID : 0) |
    FAILED;
  return found;
}

/** Set in `Translation.error` where the walk failed, so that it is not 0 (a supervisor read of an absent page has error code 0). */
export const FAILED = 1 << 30;

function markUsed(m: Machine, leaf: number, kind: number): void {
  for (let level = 3; level >= leaf; level--) {
    const pointer = m.physical.pointer(entries[level]!);
    const bits = Pte.A | (level === leaf && kind === Kind.write ? Pte.D : 0);
    const low = m.view.getInt32(pointer, true);
    if ((low & bits) === bits || !m.physical.writable(entries[level]!)) continue;
    if (m.codePages[pageIndex(m, pointer)]) m.codeWritten(pointer, 4);
    m.view.setInt32(pointer, low | bits, true);
  }
  if (kind === Kind.write) found.dirty = true;
}

/** Index into `codePages` of a pointer into RAM. */
export function pageIndex(m: Machine, pointer: number): number {
  return (pointer - m.memory.ram.byteOffset) >>> 12;
}

/** Whether bits 63:47 of a linear address are equal (SDM Vol. 1, "Canonical Addressing"). */
export function isCanonical(hi: number): boolean {
  return (hi << 16) >> 16 === hi;
}

/**
 * Translates one byte's page for an access of the current privilege, fills the TLB, and returns the pointer to
 * the byte, or `NOT_RAM` with the guest-physical address in `m.gpa`. Raises #PF.
 */
export function translate(m: Machine, tlb: number, lo: number, hi: number, kind: number): number {
  const pointer = tryTranslate(m, tlb, lo, hi, kind);
  if (found.error !== 0) raisePageFault(m, lo, hi, found.error & ~FAILED);
  return pointer;
}

/** As `translate`, but leaves a failure in `lastTranslation().error` instead of raising it. */
export function tryTranslate(m: Machine, tlb: number, lo: number, hi: number, kind: number): number {
  if (isKnown(m, tlb, lo, hi, kind)) return knownPointer(m, tlb, lo, kind);
  const user = tlb === m.systemTlb ? false : m.cpl === 3;
  const ac = tlb !== m.systemTlb && (m.cr4 & CR4.SMAP) !== 0 && !user && supervisorAc(m);
  walk(m, lo, hi, kind, user, ac);
  if (found.error !== 0) return NOT_RAM;
  const pointer = m.physical.pointer(found.gpa);
  found.writesRam = pointer !== NOT_RAM && m.physical.writable(found.gpa);
  if (pointer !== NOT_RAM && tlb !== Tlb.never >> 2) fill(m, tlb, lo, hi, kind, pointer, user);
  return pointer;
}

/**
 * Whether the TLB has a translation that allows the access: what crosses a page end or holds cached code comes here with one.
 * Which pages hold code is different in each engine, and must not decide whether the tables are walked again.
 */
function isKnown({ i32 }: Machine, tlb: number, lo: number, hi: number, kind: number): boolean {
  const entry = tlbEntry(tlb, lo);
  if (i32[entry] !== (lo & PAGE_MASK) || i32[entry + 1] !== hi) return false;
  return kind === Kind.read || (kind === Kind.write && i32[entry + MAY_WRITE] === 1);
}

function knownPointer(m: Machine, tlb: number, lo: number, kind: number): number {
  const entry = tlbEntry(tlb, lo);
  if (kind === Kind.write) allowWrites(m, entry);
  found.error = 0;
  found.writesRam = kind === Kind.write;
  return (lo + m.i32[entry + ADDEND]!) >>> 0;
}

/** Lets writes take the fast path, unless the page holds cached code. */
function allowWrites({ i32, codePages }: Machine, entry: number): void {
  if (codePages[i32[entry + PAGE]!]) return;
  i32[entry + WRITE] = i32[entry]!;
  i32[entry + WRITE + 1] = i32[entry + 1]!;
}

function supervisorAc(m: Machine): boolean {
  return (m.flags & (1 << 18)) !== 0;
}

/** The result of the last walk. */
export function lastTranslation(): Readonly<Translation> {
  return found;
}

function fill(
  m: Machine,
  tlb: number,
  lo: number,
  hi: number,
  kind: number,
  pointer: number,
  user: boolean,
): void {
  const { i32 } = m;
  const entry = tlbEntry(tlb, lo);
  const page = lo & PAGE_MASK;
  i32[entry] = page;
  i32[entry + 1] = hi;
  const isAllowed = found.dirty && (found.writable || (!user && (m.cr0 & CR0.WP) === 0));
  const mayWrite = kind !== Kind.fetch && isAllowed && found.writesRam;
  i32[entry + WRITE] = NO_PAGE;
  i32[entry + MAY_WRITE] = mayWrite ? 1 : 0;
  i32[entry + ADDEND] = pointer - (lo >>> 0);
  i32[entry + PAGE] = pageIndex(m, pointer);
  i32[entry + MASK] = found.pageMask;
  if (mayWrite) allowWrites(m, entry);
}

/** Empties all TLBs (MOV to CR3, changes of CR0, CR4 and EFER, of the memory regions or of CPUID). */
export function flushTlb(m: Machine): void {
  const first = Tlb.user >> 2;
  for (let entry = first; entry < Tlb.end >> 2; entry += TAG_INTS) clearEntry(m, entry);
  m.closeWindow();
}

function clearEntry(m: Machine, entry: number): void {
  m.i32[entry] = NO_PAGE;
  m.i32[entry + WRITE] = NO_PAGE;
}

/** Drops what was translated by the page of an address, all of a large one (INVLPG). SDM Vol. 3A, "Invalidation of TLBs". */
export function flushPage(m: Machine, lo: number): void {
  for (let entry = Tlb.user >> 2; entry < Tlb.end >> 2; entry += TAG_INTS) {
    if (((m.i32[entry]! ^ lo) & m.i32[entry + MASK]!) === 0) clearEntry(m, entry);
  }
  m.closeWindow();
}

/** Sends further writes to a page of RAM through the slow path, because code was decoded from it. */
export function watchCodePage(m: Machine, page: number): void {
  m.codePages[page] = 1;
  for (let entry = Tlb.user >> 2; entry < Tlb.fetchUser >> 2; entry += TAG_INTS) {
    if (m.i32[entry + PAGE] === page) m.i32[entry + WRITE] = NO_PAGE;
  }
}

/** Raises what a non-canonical address raises: #SS for a stack reference, else #GP. */
export function raiseNonCanonical(m: Machine, stack: boolean): never {
  raise(m, stack ? Vector.SS : Vector.GP, 0);
}
