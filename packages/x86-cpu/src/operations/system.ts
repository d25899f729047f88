/** SDM Vol. 1, "System Instructions", and those of 64-bit mode. */

import { load8, load16, load32, load64, store16, store32, store64 } from "../access.js";
import { Access, CR0, CR4, EFER, Gpr, RFLAGS, Seg, Vector } from "../architecture.js";
import { ioPrivilege, setCr0, setCr3, setCr4, setCr8 } from "../control.js";
import { cpuidEntry } from "../cpuid.js";
import { raise, raiseGp, raiseUd } from "../faults.js";
import { setStatus } from "../flags.js";
import { type Execute, type Instruction, OperandKind } from "../instruction.js";
import { Segment, State } from "../layout.js";
import { type Machine, Shadow } from "../machine.js";
import { rdmsr, timeStamp, wrmsr } from "../msrs.js";
import { addOffset, effectiveAddress, read, readWide, write, writeSized } from "../operands.js";
import { flushPage, flushTlb, isCanonical } from "../paging.js";
import {
  type Descriptor,
  isConforming,
  isNull,
  loadLdtr,
  loadTr,
  rpl,
  tryReadDescriptor,
} from "../segments.js";
import { setShadow } from "./data-transfer.js";
import type { SemanticsTable } from "./semantics.js";

const GPR = State.gpr >> 2;
const [RAX, RBX, RCX, RDX] = [Gpr.RAX, Gpr.RBX, Gpr.RCX, Gpr.RDX].map((r) => GPR + r * 2) as [
  number,
  number,
  number,
  number,
];

/** Raises #GP(0) outside CPL 0. */
function requireSupervisor(m: Machine): void {
  if (m.cpl !== 0) raiseGp(m);
}

function requireProtected(m: Machine): void {
  if (m.real) raiseUd(m);
}

function supervisor(execute: Execute): Execute {
  return (m, i) => {
    requireSupervisor(m);
    execute(m, i);
  };
}

function setRegister32(m: Machine, register: number, value: number): void {
  m.i32[register] = value;
  m.i32[register + 1] = 0;
}

// --- descriptor tables ---

function loadTable(base: number, limit: number): Execute {
  return supervisor((m, i) => {
    const at = effectiveAddress(m, i);
    const atHi = m.hi;
    const size = load16(m, i.segment, at, atHi);
    m.hi = atHi;
    const baseAt = addOffset(m, i, at, 2);
    const lo = i.mode === 8 ? load64(m, i.segment, baseAt, m.hi) : load32(m, i.segment, baseAt, m.hi);
    const hi = i.mode === 8 ? m.hi : 0;
    if (i.mode === 8 && !isCanonical(hi)) raiseGp(m);
    m.i32[base >> 2] = i.mode !== 8 && i.operandSize === 2 ? lo & 0xffffff : lo;
    m.i32[(base >> 2) + 1] = hi;
    m.i32[limit >> 2] = size;
  });
}

function storeTable(base: number, limit: number): Execute {
  return (m, i) => {
    const at = effectiveAddress(m, i);
    const atHi = m.hi;
    const baseAt = addOffset(m, i, at, 2);
    const baseHi = m.hi;
    const [lo, hi] = [m.i32[base >> 2]!, m.i32[(base >> 2) + 1]!];
    store16(m, i.segment, at, atHi, m.i32[limit >> 2]!);
    if (i.mode === 8) store64(m, i.segment, baseAt, baseHi, lo, hi);
    else store32(m, i.segment, baseAt, baseHi, lo);
  };
}

/** SLDT, STR, SMSW: a register takes the operand size, memory 16 bits. */
function storeWord(value: (m: Machine) => number): Execute {
  return (m, i) => {
    const word = value(m);
    if (i.a.kind === OperandKind.memory) return write(m, i, i.a, word);
    const register = GPR + i.a.register * 2;
    if (i.operandSize === 2) m.u16[register * 2] = word;
    else setRegister32(m, register, word);
  };
}

const sldt = storeWord((m) => m.selector(Seg.LDTR));
const str = storeWord((m) => m.selector(Seg.TR));

function lmsw(m: Machine, i: Instruction): void {
  const word = read(m, i, i.a);
  // PE can be set but not cleared (SDM Vol. 2A, "LMSW").
  setCr0(m, (m.cr0 & ~14) | (word & 15), 0);
}

// --- segment queries ---

const LAR_SYSTEM_TYPES: readonly number[] = [1, 2, 3, 4, 5, 9, 11, 12];
const LAR_SYSTEM_TYPES_LONG: readonly number[] = [2, 9, 11, 12];
const LSL_SYSTEM_TYPES: readonly number[] = [1, 2, 3, 9, 11];
const LSL_SYSTEM_TYPES_LONG: readonly number[] = [2, 9, 11];

/** The descriptor if LAR, LSL, VERR and VERW may look at it. */
function visibleDescriptor(
  m: Machine,
  selector: number,
  systemTypes: readonly number[],
): Descriptor | undefined {
  if (isNull(selector)) return undefined;
  const d = tryReadDescriptor(m, selector);
  if (d === undefined) return undefined;
  const isSegment = (d.access & Access.S) !== 0;
  if (!isSegment && !systemTypes.includes(d.access & Access.TYPE)) return undefined;
  const isConformingCode = isSegment && (d.access & Access.CODE) !== 0 && isConforming(d);
  if (!isConformingCode && d.dpl < Math.max(m.cpl, rpl(selector))) return undefined;
  return d;
}

function query(
  types: readonly number[],
  longTypes: readonly number[],
  value: (d: Descriptor) => number,
): Execute {
  return (m, i) => {
    requireProtected(m);
    const selector = read(m, i, i.b) & 0xffff;
    const d = visibleDescriptor(m, selector, m.longMode ? longTypes : types);
    setStatus(m, RFLAGS.ZF, d ? RFLAGS.ZF : 0);
    if (d) writeSized(m, i, i.a, value(d), 0);
  };
}

function verify(allowed: (d: Descriptor) => boolean): Execute {
  return (m, i) => {
    requireProtected(m);
    const d = visibleDescriptor(m, read(m, i, i.a) & 0xffff, []);
    setStatus(m, RFLAGS.ZF, d && allowed(d) ? RFLAGS.ZF : 0);
  };
}

const isCodeSegment = (d: Descriptor): boolean => (d.access & Access.CODE) !== 0;

function arpl(m: Machine, i: Instruction): void {
  requireProtected(m);
  const selector = read(m, i, i.a);
  const wanted = read(m, i, i.b) & 3;
  const adjusts = rpl(selector) < wanted;
  setStatus(m, RFLAGS.ZF, adjusts ? RFLAGS.ZF : 0);
  if (adjusts) write(m, i, i.a, (selector & ~3) | wanted);
}

// --- control and debug registers ---

const CONTROL_REGISTERS: Readonly<Record<number, number>> = {
  0: State.cr0,
  2: State.cr2,
  3: State.cr3,
  4: State.cr4,
  8: State.cr8,
};

function movFromControl(m: Machine, i: Instruction): void {
  requireSupervisor(m);
  const offset = CONTROL_REGISTERS[i.b.register];
  if (offset === undefined) raiseUd(m);
  writeSized(m, i, i.a, m.i32[offset >> 2]!, m.i32[(offset >> 2) + 1]!);
}

function movToControl(m: Machine, i: Instruction): void {
  const { register } = i.a;
  requireSupervisor(m);
  if (CONTROL_REGISTERS[register] === undefined) raiseUd(m);
  const lo = i.b.size === 8 ? readWide(m, i, i.b) : read(m, i, i.b);
  const hi = i.b.size === 8 ? m.hi : 0;
  if (register === 0) setCr0(m, lo, hi);
  else if (register === 3) setCr3(m, lo, hi);
  else if (register === 4) setCr4(m, lo, hi);
  else if (register === 8) setCr8(m, lo, hi);
  else {
    m.i32[State.cr2 >> 2] = lo;
    m.i32[(State.cr2 >> 2) + 1] = hi;
  }
}

const DR7_GD = 1 << 13;
const DR6_BD = 1 << 13;
const DR6_WRITABLE = 0xe00f;
const DR6_ONES = 0xffff0ff0 | 0;
const DR7_ZEROS = 0xd800;
const DR7_ONES = 0x400;

/** DR4 and DR5 are DR6 and DR7 unless CR4.DE is set (SDM Vol. 3B, "Debug Registers DR4 and DR5"). */
function debugRegister(m: Machine, register: number): number {
  if (register > 7) raiseUd(m);
  if (register !== 4 && register !== 5) return register;
  if (m.cr4 & CR4.DE) raiseUd(m);
  return register + 2;
}

function checkDebugAccess(m: Machine): void {
  if ((m.i32[State.dr7 >> 2]! & DR7_GD) === 0) return;
  m.i32[State.dr6 >> 2] = m.i32[State.dr6 >> 2]! | DR6_BD;
  m.i32[State.dr7 >> 2] = m.i32[State.dr7 >> 2]! & ~DR7_GD;
  raise(m, Vector.DB);
}

function debugOffset(register: number): number {
  if (register === 6) return State.dr6 >> 2;
  if (register === 7) return State.dr7 >> 2;
  return (State.dr >> 2) + register * 2;
}

function movFromDebug(m: Machine, i: Instruction): void {
  requireSupervisor(m);
  const register = debugRegister(m, i.b.register);
  checkDebugAccess(m);
  const at = debugOffset(register);
  writeSized(m, i, i.a, m.i32[at]!, m.i32[at + 1]!);
}

function movToDebug(m: Machine, i: Instruction): void {
  requireSupervisor(m);
  const register = debugRegister(m, i.a.register);
  checkDebugAccess(m);
  const lo = i.b.size === 8 ? readWide(m, i, i.b) : read(m, i, i.b);
  const hi = i.b.size === 8 ? m.hi : 0;
  const at = debugOffset(register);
  if (register >= 6 && hi !== 0) raiseGp(m);
  m.i32[at] =
    register === 6 ? (lo & DR6_WRITABLE) | DR6_ONES : register === 7 ? (lo & ~DR7_ZEROS) | DR7_ONES : lo;
  m.i32[at + 1] = hi;
  flushTlb(m);
  m.updateMode();
  m.attention = true;
}

// --- fast system calls ---

/** A flat segment as SYSCALL and its kin load it, without looking at a descriptor table. */
function setFlatSegment(m: Machine, segment: number, selector: number, access: number, dpl: number): void {
  m.setSegment(segment, Segment.selector, selector);
  m.setSegment(segment, Segment.base, 0);
  m.setSegment(segment, Segment.base + 4, 0);
  m.setSegment(segment, Segment.limit, -1);
  const common = Access.S | Access.P | Access.G | Access.ACCESSED | (dpl << Access.DPL_SHIFT);
  m.setSegment(segment, Segment.access, access | common);
}

const CODE = Access.CODE | Access.READABLE;
const DATA = Access.WRITABLE | Access.DB;

function enterFlat(m: Machine, cs: number, ss: number, cpl: number, codeSize: number): void {
  setFlatSegment(m, Seg.CS, cs, CODE | codeSize, cpl);
  setFlatSegment(m, Seg.SS, ss, DATA, cpl);
  m.setCpl(cpl);
}

const RIP = State.rip >> 2;
const R11 = GPR + 11 * 2;

/** SDM Vol. 2B, "SYSCALL". Outside 64-bit mode it is undefined, as on Intel processors. */
function syscall(m: Machine): void {
  if (!m.long64 || (m.efer & EFER.SCE) === 0) raiseUd(m);
  m.i32[RCX] = m.i32[RIP]!;
  m.i32[RCX + 1] = m.i32[RIP + 1]!;
  m.i32[R11] = m.flags & ~RFLAGS.RF;
  m.i32[R11 + 1] = 0;
  m.i32[RIP] = m.i32[State.lstar >> 2]!;
  m.i32[RIP + 1] = m.i32[(State.lstar >> 2) + 1]!;
  m.flags = (m.flags & ~(m.i32[State.sfmask >> 2]! | RFLAGS.RF)) | RFLAGS.FIXED;
  const selector = m.i32[(State.star >> 2) + 1]! & 0xfffc;
  enterFlat(m, selector, selector + 8, 0, Access.L);
  m.trapSuppressed = true;
  m.attention = true;
}

/** Flags that SYSRET takes from R11. */
const SYSRET_FLAGS = 0x3c7fd7;

function sysret(m: Machine, i: Instruction): void {
  if (!m.long64 || (m.efer & EFER.SCE) === 0) raiseUd(m);
  requireSupervisor(m);
  const to64 = i.operandSize === 8;
  if (to64 && !isCanonical(m.i32[RCX + 1]!)) raiseGp(m);
  m.i32[RIP] = m.i32[RCX]!;
  m.i32[RIP + 1] = to64 ? m.i32[RCX + 1]! : 0;
  m.flags = (m.i32[R11]! & SYSRET_FLAGS) | RFLAGS.FIXED;
  const selector = m.i32[(State.star >> 2) + 1]! >>> 16;
  enterFlat(m, (to64 ? selector + 16 : selector) | 3, (selector + 8) | 3, 3, to64 ? Access.L : Access.DB);
  m.attention = true;
}

function sysenter(m: Machine): void {
  const selector = m.i32[State.sysenterCs >> 2]! & 0xfffc;
  if (m.real || selector === 0) raiseGp(m);
  m.flags &= ~(RFLAGS.VM | RFLAGS.IF | RFLAGS.RF);
  setWide(m, RIP, State.sysenterEip, m.longMode);
  setWide(m, GPR + Gpr.RSP * 2, State.sysenterEsp, m.longMode);
  enterFlat(m, selector, selector + 8, 0, m.longMode ? Access.L : Access.DB);
}

function setWide(m: Machine, to: number, from: number, wide: boolean): void {
  m.i32[to] = m.i32[from >> 2]!;
  m.i32[to + 1] = wide ? m.i32[(from >> 2) + 1]! : 0;
}

function sysexit(m: Machine, i: Instruction): void {
  const base = m.i32[State.sysenterCs >> 2]! & 0xfffc;
  if (m.real || base === 0 || m.cpl !== 0) raiseGp(m);
  const wide = i.operandSize === 8;
  if (wide && !(isCanonical(m.i32[RCX + 1]!) && isCanonical(m.i32[RDX + 1]!))) raiseGp(m);
  setWide(m, RIP, State.gpr + Gpr.RDX * 8, wide);
  setWide(m, GPR + Gpr.RSP * 2, State.gpr + Gpr.RCX * 8, wide);
  const cs = base + (wide ? 32 : 16);
  enterFlat(m, cs | 3, (cs + 8) | 3, 3, wide ? Access.L : Access.DB);
}

function swapgs(m: Machine): void {
  requireSupervisor(m);
  const base = (State.segments + Seg.GS * Segment.stride) >> 2;
  const other = State.kernelGsBase >> 2;
  for (let word = 0; word < 2; word++) {
    const value = m.i32[base + word]!;
    m.i32[base + word] = m.i32[other + word]!;
    m.i32[other + word] = value;
  }
}

/** RDFSBASE and its kin. */
function segmentBase(segment: number, writes: boolean): Execute {
  const at = (State.segments + segment * Segment.stride) >> 2;
  return (m, i) => {
    if ((m.cr4 & CR4.FSGSBASE) === 0) raiseUd(m);
    if (!writes) return writeSized(m, i, i.a, m.i32[at]!, m.i32[at + 1]!);
    const lo = i.a.size === 8 ? readWide(m, i, i.a) : read(m, i, i.a);
    const hi = i.a.size === 8 ? m.hi : 0;
    if (!isCanonical(hi)) raiseGp(m);
    m.i32[at] = lo;
    m.i32[at + 1] = hi;
  };
}

// --- the rest ---

function cpuid(m: Machine): void {
  const { eax, ebx, ecx, edx } = cpuidEntry(m, m.i32[RAX]!, m.i32[RCX]!);
  setRegister32(m, RAX, eax);
  setRegister32(m, RBX, ebx);
  setRegister32(m, RCX, ecx);
  setRegister32(m, RDX, edx);
}

function readMsrToRegisters(m: Machine): void {
  const lo = rdmsr(m, m.i32[RCX]! >>> 0);
  const { hi } = m;
  setRegister32(m, RAX, lo);
  setRegister32(m, RDX, hi);
}

function rdtsc(m: Machine): void {
  if (m.cr4 & CR4.TSD && m.cpl !== 0) raiseGp(m);
  const lo = timeStamp(m);
  const { hi } = m;
  setRegister32(m, RAX, lo);
  setRegister32(m, RDX, hi);
}

function hlt(m: Machine): void {
  m.i32[State.halted >> 2] = 1;
  m.attention = true;
}

/** CLI and STI. STI keeps interrupts out for one more instruction if it opens the window. */
function setInterruptFlag(on: boolean): Execute {
  return (m) => {
    if (!m.real && m.cpl > ioPrivilege(m)) raiseGp(m);
    if (on && (m.flags & RFLAGS.IF) === 0) setShadow(m, Shadow.STI);
    m.flags = on ? m.flags | RFLAGS.IF : m.flags & ~RFLAGS.IF;
    m.attention = true;
  };
}

/** CLAC and STAC are undefined outside CPL 0. */
function setAlignmentFlag(on: boolean): Execute {
  return (m) => {
    if (m.cpl !== 0) raiseUd(m);
    m.flags = on ? m.flags | RFLAGS.AC : m.flags & ~RFLAGS.AC;
  };
}

/** CLFLUSH needs the permissions of a load of its byte. */
function clflush(m: Machine, i: Instruction): void {
  const at = effectiveAddress(m, i);
  load8(m, i.segment, at, m.hi);
}

const nop: Execute = () => {};

export const system: SemanticsTable = {
  lgdt: loadTable(State.gdtrBase, State.gdtrLimit),
  lidt: loadTable(State.idtrBase, State.idtrLimit),
  sgdt: storeTable(State.gdtrBase, State.gdtrLimit),
  sidt: storeTable(State.idtrBase, State.idtrLimit),
  lldt: (m, i) => {
    requireProtected(m);
    requireSupervisor(m);
    loadLdtr(m, read(m, i, i.a) & 0xffff);
  },
  ltr: (m, i) => {
    requireProtected(m);
    requireSupervisor(m);
    loadTr(m, read(m, i, i.a) & 0xffff);
  },
  sldt: (m, i) => {
    requireProtected(m);
    sldt(m, i);
  },
  str: (m, i) => {
    requireProtected(m);
    str(m, i);
  },
  smsw: storeWord((m) => m.cr0),
  lmsw: supervisor(lmsw),
  verr: verify((d) => !isCodeSegment(d) || (d.access & Access.READABLE) !== 0),
  verw: verify((d) => !isCodeSegment(d) && (d.access & Access.WRITABLE) !== 0),
  lar: query(LAR_SYSTEM_TYPES, LAR_SYSTEM_TYPES_LONG, (d) => d.high & 0xffff00),
  lsl: query(LSL_SYSTEM_TYPES, LSL_SYSTEM_TYPES_LONG, (d) => d.limit | 0),
  arpl,
  clts: supervisor((m) => {
    m.i32[State.cr0 >> 2] = m.cr0 & ~CR0.TS;
  }),
  "mov from cr": movFromControl,
  "mov to cr": movToControl,
  "mov from dr": movFromDebug,
  "mov to dr": movToDebug,
  invlpg: supervisor((m, i) => flushPage(m, effectiveAddress(m, i))),
  invd: supervisor(nop),
  wbinvd: supervisor(nop),
  cpuid,
  rdmsr: supervisor(readMsrToRegisters),
  wrmsr: supervisor((m) => wrmsr(m, m.i32[RCX]! >>> 0, m.i32[RAX]!, m.i32[RDX]!)),
  // There are no performance counters: any index is out of range.
  rdpmc: (m) => raiseGp(m),
  rdtsc,
  rsm: raiseUd,
  sysenter,
  sysexit,
  sysexitq: sysexit,
  syscall,
  sysret,
  sysretd: sysret,
  sysretq: sysret,
  swapgs,
  rdfsbase: segmentBase(Seg.FS, false),
  rdgsbase: segmentBase(Seg.GS, false),
  wrfsbase: segmentBase(Seg.FS, true),
  wrgsbase: segmentBase(Seg.GS, true),
  cli: setInterruptFlag(false),
  sti: setInterruptFlag(true),
  hlt: supervisor(hlt),
  clac: setAlignmentFlag(false),
  stac: setAlignmentFlag(true),
  clflush,
  ...Object.fromEntries(
    ["lfence", "mfence", "sfence", "prefetchnta", "prefetcht0", "prefetcht1", "prefetcht2", "prefetchw"].map(
      (name) => [name, nop],
    ),
  ),
};
