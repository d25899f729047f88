/** Processor state to and from KVM's structures. What is set is checked as KVM_SET_SREGS checks it. */
import { Access, CR0, CR4, EFER, Gpr, RFLAGS } from "./architecture.js";
import { CR4_BITS, EFER_BITS } from "./control.js";
import { CpuError } from "./errors.js";
import type {
  KvmDebugregs,
  KvmDtable,
  KvmFpu,
  KvmRegs,
  KvmSegment,
  KvmSregs,
  KvmVcpuEvents,
} from "./kvm-types.js";
import { Segment, State } from "./layout.js";
import { type Machine, Shadow } from "./machine.js";
import { flushTlb } from "./paging.js";

/** Names of `kvm_regs` by register number. */
export const GPR_NAMES = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
] as const;

const SEGMENT_NAMES = ["es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr"] as const;

function get64(m: Machine, offset: number): bigint {
  return m.view.getBigUint64(offset, true);
}

function set64(m: Machine, offset: number, value: bigint): void {
  m.view.setBigUint64(offset, value, true);
}

/** Called at every exit; an object that is written out is made five times as fast as one from entries. */
export function getRegs(m: Machine): KvmRegs {
  const gpr = (n: number) => get64(m, State.gpr + n * 8);
  return {
    rax: gpr(Gpr.RAX),
    rbx: gpr(Gpr.RBX),
    rcx: gpr(Gpr.RCX),
    rdx: gpr(Gpr.RDX),
    rsi: gpr(Gpr.RSI),
    rdi: gpr(Gpr.RDI),
    rsp: gpr(Gpr.RSP),
    rbp: gpr(Gpr.RBP),
    r8: gpr(8),
    r9: gpr(9),
    r10: gpr(10),
    r11: gpr(11),
    r12: gpr(12),
    r13: gpr(13),
    r14: gpr(14),
    r15: gpr(15),
    rip: get64(m, State.rip),
    rflags: get64(m, State.rflags),
  };
}

/** RFLAGS bits that exist. */
const RFLAGS_BITS = 0x3f7fd5;

export function setRegs(m: Machine, regs: KvmRegs): void {
  GPR_NAMES.forEach((name, n) => {
    set64(m, State.gpr + n * 8, regs[name]);
  });
  set64(m, State.rip, regs.rip);
  m.flags = (Number(BigInt.asIntN(32, regs.rflags)) & RFLAGS_BITS & ~RFLAGS.VM) | RFLAGS.FIXED;
  m.attention = true;
}

function getSegment(m: Machine, segment: number): KvmSegment {
  const access = m.segment(segment, Segment.access);
  const bit = (mask: number) => (access & mask ? 1 : 0);
  return {
    base: get64(m, State.segments + segment * Segment.stride),
    limit: m.segment(segment, Segment.limit) >>> 0,
    selector: m.selector(segment),
    type: access & Access.TYPE,
    present: bit(Access.P),
    dpl: (access >> Access.DPL_SHIFT) & 3,
    db: bit(Access.DB),
    s: bit(Access.S),
    l: bit(Access.L),
    g: bit(Access.G),
    avl: bit(Access.AVL),
    unusable: bit(Access.UNUSABLE),
  };
}

function setSegment(m: Machine, segment: number, value: KvmSegment): void {
  const flag = (on: number, mask: number) => (on ? mask : 0);
  const access =
    (value.type & Access.TYPE) |
    flag(value.s, Access.S) |
    ((value.dpl & 3) << Access.DPL_SHIFT) |
    flag(value.present, Access.P) |
    flag(value.avl, Access.AVL) |
    flag(value.l, Access.L) |
    flag(value.db, Access.DB) |
    flag(value.g, Access.G) |
    flag(value.unusable, Access.UNUSABLE);
  set64(m, State.segments + segment * Segment.stride, value.base);
  m.setSegment(segment, Segment.limit, value.limit);
  m.setSegment(segment, Segment.selector, value.selector & 0xffff);
  m.setSegment(segment, Segment.access, access);
}

function getTable(m: Machine, base: number, limit: number): KvmDtable {
  return { base: get64(m, base), limit: m.i32[limit >> 2]! };
}

function setTable(m: Machine, base: number, limit: number, table: KvmDtable): void {
  set64(m, base, table.base);
  m.i32[limit >> 2] = table.limit & 0xffff;
}

export function getSregs(m: Machine): KvmSregs {
  const segments = SEGMENT_NAMES.map((name, n) => [name, getSegment(m, n)]);
  return {
    ...Object.fromEntries(segments),
    gdt: getTable(m, State.gdtrBase, State.gdtrLimit),
    idt: getTable(m, State.idtrBase, State.idtrLimit),
    cr0: get64(m, State.cr0) & 0xffffffffn,
    cr2: get64(m, State.cr2),
    cr3: get64(m, State.cr3),
    cr4: get64(m, State.cr4),
    cr8: get64(m, State.cr8),
    efer: get64(m, State.efer),
    apic_base: get64(m, State.apicBase),
  } as KvmSregs;
}

function refuse(field: string, value: bigint, allowed: string): never {
  throw new CpuError("ERR_CPU_STATE", `${field} = 0x${value.toString(16)}, allowed: ${allowed}`, {
    field,
    value,
  });
}

/** Throws `ERR_CPU_STATE` where the processor could not have come to this state, and changes nothing. */
function checkSregs({ cr0, cr3, cr4, efer, cs }: KvmSregs): void {
  const has = (value: bigint, bit: number) => (Number(BigInt.asIntN(32, value)) & bit) !== 0;
  const long = has(efer, EFER.LMA);
  if (cr0 >> 32n) refuse("cr0", cr0, "32 bits");
  if (has(cr0, CR0.PG) && !has(cr0, CR0.PE)) refuse("cr0", cr0, "PG only with PE");
  if (has(cr0, CR0.NW) && !has(cr0, CR0.CD)) refuse("cr0", cr0, "NW only with CD");
  if (cr4 >> 32n || Number(cr4) & ~CR4_BITS) refuse("cr4", cr4, `bits of 0x${CR4_BITS.toString(16)}`);
  if (efer >> 32n || Number(efer) & ~EFER_BITS) refuse("efer", efer, `bits of 0x${EFER_BITS.toString(16)}`);
  if (has(cr0, CR0.PG) && !has(efer, EFER.LME))
    refuse("efer", efer, "LME where CR0.PG is set: no 32-bit paging");
  if (long !== (has(cr0, CR0.PG) && has(efer, EFER.LME)))
    refuse("efer", efer, "LMA exactly where LME and CR0.PG are");
  if (long && !has(cr4, CR4.PAE)) refuse("cr4", cr4, "PAE in long mode");
  if (long && cs.l && cs.db) refuse("cs", BigInt(cs.selector), "not both l and db in long mode");
  if (cr3 >> 52n) refuse("cr3", cr3, "52 bits");
}

export function setSregs(m: Machine, sregs: KvmSregs): void {
  checkSregs(sregs);
  SEGMENT_NAMES.forEach((name, n) => {
    setSegment(m, n, sregs[name]);
  });
  setTable(m, State.gdtrBase, State.gdtrLimit, sregs.gdt);
  setTable(m, State.idtrBase, State.idtrLimit, sregs.idt);
  set64(m, State.cr0, sregs.cr0 | BigInt(CR0.ET));
  set64(m, State.cr2, sregs.cr2);
  set64(m, State.cr3, sregs.cr3);
  set64(m, State.cr4, sregs.cr4);
  set64(m, State.cr8, sregs.cr8 & 15n);
  set64(m, State.efer, sregs.efer);
  set64(m, State.apicBase, sregs.apic_base);
  flushTlb(m);
  // The privilege level is SS.DPL in protected mode (SDM Vol. 3C, "Guest Register State").
  m.setCpl(sregs.cr0 & 1n ? sregs.ss.dpl & 3 : 0);
  m.attention = true;
}

function top(m: Machine): number {
  return (m.i32[State.fsw >> 2]! >> 11) & 7;
}

export function getFpu(m: Machine): KvmFpu {
  const st = (n: number) =>
    m.u8.slice(State.fpr + ((top(m) + n) & 7) * 16, State.fpr + ((top(m) + n) & 7) * 16 + 16);
  const xmm = (n: number) => m.u8.slice(State.xmm + n * 16, State.xmm + n * 16 + 16);
  return {
    fpr: Array.from({ length: 8 }, (_, n) => st(n)),
    fcw: m.i32[State.fcw >> 2]!,
    fsw: m.i32[State.fsw >> 2]!,
    ftwx: abridgedTags(m),
    last_opcode: m.i32[State.fop >> 2]!,
    last_ip: get64(m, State.fip),
    last_dp: get64(m, State.fdp),
    xmm: Array.from({ length: 16 }, (_, n) => xmm(n)),
    mxcsr: m.i32[State.mxcsr >> 2]!,
  };
}

/** One bit for each physical register: set unless it is empty. */
export function abridgedTags(m: Machine): number {
  const tags = m.i32[State.ftw >> 2]!;
  return [0, 1, 2, 3, 4, 5, 6, 7].reduce((bits, n) => bits | (((tags >> (n * 2)) & 3) === 3 ? 0 : 1 << n), 0);
}

/** The only tag that matters between instructions is whether a register is empty. */
export function setAbridgedTags(m: Machine, bits: number): void {
  let tags = 0;
  for (let n = 0; n < 8; n++) if (((bits >> n) & 1) === 0) tags |= 3 << (n * 2);
  m.i32[State.ftw >> 2] = tags;
}

/** MXCSR bits that exist. */
export const MXCSR_BITS = 0xffff;

export function setFpu(m: Machine, fpu: KvmFpu): void {
  if (fpu.mxcsr & ~MXCSR_BITS) refuse("mxcsr", BigInt(fpu.mxcsr), "16 bits");
  m.i32[State.fcw >> 2] = fpu.fcw & 0xffff;
  m.i32[State.fsw >> 2] = fpu.fsw & 0xffff;
  setAbridgedTags(m, fpu.ftwx);
  m.i32[State.fop >> 2] = fpu.last_opcode & 0x7ff;
  set64(m, State.fip, fpu.last_ip);
  set64(m, State.fdp, fpu.last_dp);
  m.i32[State.mxcsr >> 2] = fpu.mxcsr;
  fpu.xmm.forEach((bytes, n) => {
    m.u8.set(bytes.subarray(0, 16), State.xmm + n * 16);
  });
  fpu.fpr.forEach((bytes, n) => {
    m.u8.set(bytes.subarray(0, 10), State.fpr + ((top(m) + n) & 7) * 16);
  });
}

export function getDebugregs(m: Machine): KvmDebugregs {
  const db = [0, 1, 2, 3].map((n) => get64(m, State.dr + n * 8));
  return { db, dr6: get64(m, State.dr6), dr7: get64(m, State.dr7), flags: 0n };
}

export function setDebugregs(m: Machine, { db, dr6, dr7 }: KvmDebugregs): void {
  if (dr6 >> 32n) refuse("dr6", dr6, "32 bits");
  if (dr7 >> 32n) refuse("dr7", dr7, "32 bits");
  db.slice(0, 4).forEach((address, n) => {
    set64(m, State.dr + n * 8, address);
  });
  set64(m, State.dr6, dr6);
  set64(m, State.dr7, dr7);
  flushTlb(m);
  m.updateMode();
  m.attention = true;
}

const NO_INTERRUPT = -1;

export function getVcpuEvents(m: Machine): KvmVcpuEvents {
  const shadow = m.i32[State.shadow >> 2]!;
  const queued = m.i32[State.interrupt >> 2]!;
  const isQueued = queued === NO_INTERRUPT ? 0 : 1;
  return {
    exception: { injected: 0, nr: 0, has_error_code: 0, pending: 0, error_code: 0 },
    // KVM_X86_SHADOW_INT_MOV_SS is 1, KVM_X86_SHADOW_INT_STI is 2.
    interrupt: {
      injected: isQueued,
      nr: isQueued ? queued : 0,
      soft: 0,
      shadow: (shadow & Shadow.MOV_SS ? 1 : 0) | (shadow & Shadow.STI ? 2 : 0),
    },
    nmi: { injected: 0, pending: m.i32[State.nmiPending >> 2]!, masked: m.i32[State.nmiBlocked >> 2]! },
  };
}

/** All but `exception.injected`, which the caller delivers at the next boundary. */
export function setVcpuEvents(m: Machine, { interrupt, nmi }: KvmVcpuEvents): void {
  const shadow = (interrupt.shadow & 1 ? Shadow.MOV_SS : 0) | (interrupt.shadow & 2 ? Shadow.STI : 0);
  m.i32[State.shadow >> 2] = shadow;
  m.i32[State.interrupt >> 2] = interrupt.injected ? interrupt.nr & 0xff : NO_INTERRUPT;
  m.i32[State.nmiPending >> 2] = nmi.pending || nmi.injected ? 1 : 0;
  m.i32[State.nmiBlocked >> 2] = nmi.masked ? 1 : 0;
  m.attention = true;
}
