/** SDM Vol. 1, "Data Transfer Instructions": moves, exchanges, stack, sign extension. */

import { bytes, load8, load16, load32, load64, loadBytes, probeWrite, storeBytes } from "../access.js";
import { Gpr, RFLAGS, Seg } from "../architecture.js";
import { setFlags } from "../control.js";
import { raiseGp, raiseUd } from "../faults.js";
import { condition, setStatus, TOP_BIT } from "../flags.js";
import { type Instruction, OperandKind } from "../instruction.js";
import { State } from "../layout.js";
import { type Machine, Shadow } from "../machine.js";
import {
  effectiveAddress,
  farPointer,
  read,
  readModify,
  readModifyWide,
  readWide,
  write,
  writeSized,
  writeWide,
} from "../operands.js";
import { loadSegment } from "../segments.js";
import { peek, pop, push, setStackPointer, stackPointer } from "../stack.js";
import { addNarrow, addWide, compareNarrow, compareWide } from "./arithmetic.js";
import { byWidth, type SemanticsTable } from "./semantics.js";

const GPR = State.gpr >> 2;

/** Operand size of a stack operation: 64 bits in 64-bit mode unless it is 16 (SDM Vol. 1, "Stacks in 64-bit mode"). */
export function stackOperandSize(i: Instruction): number {
  if (i.mode !== 8) return i.operandSize;
  return i.operandSize === 2 ? 2 : 8;
}

function mov(m: Machine, i: Instruction): void {
  write(m, i, i.a, read(m, i, i.b));
}

function movWide(m: Machine, i: Instruction): void {
  const lo = readWide(m, i, i.b);
  writeWide(m, i, i.a, lo, m.hi);
}

/** MOVZX and MOVSX: the source is at most 32 bits. */
function movExtended(signed: boolean): (m: Machine, i: Instruction) => void {
  return (m, i) => {
    let value = read(m, i, i.b);
    if (signed) {
      const unused = 31 - TOP_BIT[i.b.size]!;
      value = (value << unused) >> unused;
    }
    writeSized(m, i, i.a, value, signed ? value >> 31 : 0);
  };
}

function movToSegment(m: Machine, i: Instruction): void {
  const segment = i.a.register;
  if (segment === Seg.CS || segment > Seg.GS) raiseUd(m);
  loadSegment(m, segment, read(m, i, i.b) & 0xffff);
  if (segment === Seg.SS) setShadow(m, Shadow.MOV_SS);
}

function movFromSegment(m: Machine, i: Instruction): void {
  const segment = i.b.register;
  if (segment > Seg.GS) raiseUd(m);
  writeSized(m, i, i.a, m.selector(segment), 0);
}

/** LDS, LSS and their kin: a far pointer to a segment register and a general one. */
function loadFarPointer(segment: number): (m: Machine, i: Instruction) => void {
  return (m, i) => {
    const { selector, lo, hi } = farPointer(m, i);
    loadSegment(m, segment, selector);
    writeSized(m, i, i.a, lo, hi);
  };
}

/** MOV SS, POP SS and STI keep events out of the next boundary; not twice in a row for MOV SS. */
export function setShadow(m: Machine, shadow: number): void {
  m.i32[State.shadow >> 2] = shadow;
  m.attention = true;
}

/** 90 is a NOP: it does not clear the upper half of RAX, as XCHG EAX, EAX would (SDM Vol. 2B, "NOP"). */
function isNop(i: Instruction): boolean {
  return i.opcode === 0x90 && i.a === i.b;
}

function xchg(m: Machine, i: Instruction): void {
  if (isNop(i)) return;
  const a = readModify(m, i, i.a);
  const b = read(m, i, i.b);
  write(m, i, i.a, b);
  write(m, i, i.b, a);
}

function xchgWide(m: Machine, i: Instruction): void {
  const lo = readModifyWide(m, i, i.a);
  const hi = m.hi;
  const other = readWide(m, i, i.b);
  writeWide(m, i, i.a, other, m.hi);
  writeWide(m, i, i.b, lo, hi);
}

function pushOperand(m: Machine, i: Instruction): void {
  const size = i.a.kind === OperandKind.immediate ? stackOperandSize(i) : i.a.size;
  const lo = size === 8 ? readWide(m, i, i.a) : read(m, i, i.a);
  push(m, size, lo, m.hi);
}

function pushSegment(m: Machine, i: Instruction): void {
  push(m, stackOperandSize(i), m.selector(i.a.register), 0);
}

/** The address of a memory destination is computed with RSP already moved (SDM Vol. 2B, "POP"). */
function popOperand(m: Machine, i: Instruction): void {
  const { size } = i.a;
  const lo = pop(m, size);
  writeSized(m, i, i.a, lo, m.hi);
}

function popSegment(m: Machine, i: Instruction): void {
  const selector = pop(m, stackOperandSize(i)) & 0xffff;
  loadSegment(m, i.a.register, selector);
  if (i.a.register === Seg.SS) setShadow(m, Shadow.MOV_SS);
}

function pusha(m: Machine, i: Instruction): void {
  const size = i.operandSize;
  const old = m.i32[GPR + Gpr.RSP * 2]!;
  for (let register = 0; register < 8; register++) {
    push(m, size, register === Gpr.RSP ? old : m.i32[GPR + register * 2]!, 0);
  }
}

function popa(m: Machine, i: Instruction): void {
  const size = i.operandSize;
  const values = Array.from({ length: 8 }, (_, n) => peek(m, size, n * size));
  for (let n = 0; n < 8; n++) pop(m, size);
  for (let register = 0; register < 8; register++) {
    if (register === Gpr.RSP) continue;
    const value = values[7 - register]!;
    if (size === 2) m.u16[(GPR + register * 2) * 2] = value;
    else m.i32[GPR + register * 2] = value;
  }
}

const PUSHED_FLAGS = ~(RFLAGS.VM | RFLAGS.RF);

function pushf(m: Machine, i: Instruction): void {
  push(m, stackOperandSize(i), m.flags & PUSHED_FLAGS, 0);
}

function popf(m: Machine, i: Instruction): void {
  const size = stackOperandSize(i);
  setFlags(m, pop(m, size), size === 2 ? 0xffff : -1);
  m.flags &= ~RFLAGS.RF;
}

/** SDM Vol. 2A, "ENTER". */
function enter(m: Machine, i: Instruction): void {
  const size = stackOperandSize(i);
  const level = i.b.lo & 31;
  const rbp = GPR + Gpr.RBP * 2;
  push(m, size, m.i32[rbp]!, m.i32[rbp + 1]!);
  const frame = stackPointer(m);
  const frameHi = m.hi;
  if (level > 0) {
    for (let n = 1; n < level; n++) pushDisplay(m, size, n, m.i32[rbp]!, m.i32[rbp + 1]!);
    push(m, size, frame, frameHi);
  }
  const lo = stackPointer(m);
  const next = (lo - i.a.lo) | 0;
  setStackPointer(m, next, (m.hi - (lo >>> 0 < i.a.lo ? 1 : 0)) | 0);
  // The frame must be writable where the stack ends, or ENTER faults and not the next push.
  const top = stackPointer(m);
  probeWrite(m, Seg.SS, top, m.hi, size);
  writeFramePointer(m, size, frame, frameHi);
}

/** Pushes the frame pointer of an outer level, which lies `n` slots below the caller's frame. */
function pushDisplay(m: Machine, size: number, n: number, lo: number, hi: number): void {
  const at = (lo - n * size) | 0;
  const wrapped = m.stackSize === 2 ? at & 0xffff : at;
  const atHi = m.stackSize === 8 ? (hi - (lo >>> 0 < n * size ? 1 : 0)) | 0 : 0;
  if (size === 8) push(m, size, load64(m, Seg.SS, wrapped, atHi), m.hi);
  else push(m, size, size === 4 ? load32(m, Seg.SS, wrapped, atHi) : load16(m, Seg.SS, wrapped, atHi), 0);
}

function writeFramePointer(m: Machine, size: number, lo: number, hi: number): void {
  const rbp = GPR + Gpr.RBP * 2;
  if (size === 2) {
    m.u16[rbp * 2] = lo;
    return;
  }
  m.i32[rbp] = lo;
  m.i32[rbp + 1] = size === 8 ? hi : 0;
}

function leave(m: Machine, i: Instruction): void {
  const rbp = GPR + Gpr.RBP * 2;
  const size = stackOperandSize(i);
  setStackPointer(m, m.stackSize === 2 ? m.u16[rbp * 2]! : m.i32[rbp]!, m.i32[rbp + 1]!);
  const lo = pop(m, size);
  writeFramePointer(m, size, lo, m.hi);
}

function bswap(m: Machine, i: Instruction): void {
  const lo = m.i32[i.a.index]!;
  const hi = m.i32[i.a.index + 1]!;
  if (i.a.size === 8) writeWide(m, i, i.a, swap32(hi), swap32(lo));
  // Of 16 bits it is undefined by the manual; processors give zero.
  else if (i.a.size === 2) write(m, i, i.a, 0);
  else write(m, i, i.a, swap32(lo));
}

function swap32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

function xadd(m: Machine, i: Instruction): void {
  const a = readModify(m, i, i.a);
  const b = read(m, i, i.b);
  const sum = addNarrow(m, a, b, i.a.size);
  if (i.a.kind === OperandKind.memory) write(m, i, i.a, sum);
  write(m, i, i.b, a);
  if (i.a.kind !== OperandKind.memory) write(m, i, i.a, sum);
}

function xaddWide(m: Machine, i: Instruction): void {
  const lo = readModifyWide(m, i, i.a);
  const hi = m.hi;
  const other = readWide(m, i, i.b);
  const sum = addWide(m, lo, hi, other, m.hi);
  const sumHi = m.hi;
  if (i.a.kind === OperandKind.memory) writeWide(m, i, i.a, sum, sumHi);
  writeWide(m, i, i.b, lo, hi);
  if (i.a.kind !== OperandKind.memory) writeWide(m, i, i.a, sum, sumHi);
}

function cmpxchg(m: Machine, i: Instruction): void {
  const { a } = i;
  const old = readModify(m, i, a);
  const accumulator = a.size === 1 ? m.u8[State.gpr]! : a.size === 2 ? m.u16[State.gpr >> 1]! : m.i32[GPR]!;
  const equal = accumulator === old;
  // Memory is written in any case; a register, and its upper half, only if the values are equal.
  if (equal || a.kind === OperandKind.memory) write(m, i, a, equal ? read(m, i, i.b) : old);
  compareNarrow(m, accumulator, old, a.size);
  if (equal) return;
  if (a.size === 1) m.u8[State.gpr] = old;
  else if (a.size === 2) m.u16[State.gpr >> 1] = old;
  else {
    m.i32[GPR] = old;
    m.i32[GPR + 1] = 0;
  }
}

function cmpxchgWide(m: Machine, i: Instruction): void {
  const lo = readModifyWide(m, i, i.a);
  const hi = m.hi;
  const [raxLo, raxHi] = [m.i32[GPR]!, m.i32[GPR + 1]!];
  if (raxLo === lo && raxHi === hi) {
    const source = readWide(m, i, i.b);
    writeWide(m, i, i.a, source, m.hi);
  } else {
    writeWide(m, i, i.a, lo, hi);
    m.i32[GPR] = lo;
    m.i32[GPR + 1] = hi;
  }
  compareWide(m, raxLo, raxHi, lo, hi);
}

/** CMPXCHG8B and CMPXCHG16B: `words` 32-bit words each of RDX:RAX and RCX:RBX; only ZF changes. */
function cmpxchgDouble(words: number): (m: Machine, i: Instruction) => void {
  const size = words * 8;
  return (m, i) => {
    const at = effectiveAddress(m, i);
    const atHi = m.hi;
    if (size === 16 && at & 15) raiseGp(m);
    probeWrite(m, i.segment, at, atHi, size);
    const inRegister = (register: number, n: number) => m.i32[GPR + register * 2 + n]!;
    loadBytes(m, i.segment, at, atHi, size);
    const old = Array.from({ length: words * 2 }, (_, n) => bytes.getInt32(n * 4, true));
    const expected = old.map((_, n) => inRegister(n < words ? Gpr.RAX : Gpr.RDX, n % words));
    const equal = old.every((word, n) => word === expected[n]);
    const stored = equal ? old.map((_, n) => inRegister(n < words ? Gpr.RBX : Gpr.RCX, n % words)) : old;
    stored.forEach((word, n) => {
      bytes.setInt32(n * 4, word, true);
    });
    storeBytes(m, i.segment, at, atHi, size);
    setStatus(m, RFLAGS.ZF, equal ? RFLAGS.ZF : 0);
    if (equal) return;
    old.forEach((word, n) => {
      const at = GPR + (n < words ? Gpr.RAX : Gpr.RDX) * 2 + (n % words);
      m.i32[at] = word;
      if (words === 1) m.i32[at + 1] = 0;
    });
  };
}

function lea(m: Machine, i: Instruction): void {
  const lo = effectiveAddress(m, i);
  writeSized(m, i, i.a, lo, m.hi);
}

function xlatb(m: Machine, i: Instruction): void {
  const rbx = GPR + Gpr.RBX * 2;
  const al = m.u8[State.gpr]!;
  const sum = (m.i32[rbx]! + al) | 0;
  const carry = sum >>> 0 < al ? 1 : 0;
  const lo = i.addressSize === 2 ? sum & 0xffff : sum;
  m.u8[State.gpr] = load8(m, i.segment, lo, i.addressSize === 8 ? (m.i32[rbx + 1]! + carry) | 0 : 0);
}

const LAHF_FLAGS = RFLAGS.SF | RFLAGS.ZF | RFLAGS.AF | RFLAGS.PF | RFLAGS.CF;

function cmov(m: Machine, i: Instruction): void {
  // The source is read, and a 32-bit destination's upper half cleared, whether or not the condition holds.
  const value = read(m, i, i.b);
  if (condition(m, i.opcode & 15)) write(m, i, i.a, value);
  else if (i.a.size === 4) m.i32[i.a.index + 1] = 0;
}

function cmovWide(m: Machine, i: Instruction): void {
  const lo = readWide(m, i, i.b);
  if (condition(m, i.opcode & 15)) writeWide(m, i, i.a, lo, m.hi);
}

function setcc(m: Machine, i: Instruction): void {
  write(m, i, i.a, condition(m, i.opcode & 15) ? 1 : 0);
}

/** CBW, CWDE, CDQE: the lower half of the accumulator, sign-extended. */
function extendAccumulator(m: Machine, i: Instruction): void {
  if (i.operandSize === 2) m.u16[State.gpr >> 1] = (m.u8[State.gpr]! << 24) >> 24;
  else if (i.operandSize === 4) {
    m.i32[GPR] = (m.u16[State.gpr >> 1]! << 16) >> 16;
    m.i32[GPR + 1] = 0;
  } else m.i32[GPR + 1] = m.i32[GPR]! >> 31;
}

/** CWD, CDQ, CQO: the accumulator's sign in rDX. */
function extendIntoDx(m: Machine, i: Instruction): void {
  const rdx = GPR + Gpr.RDX * 2;
  if (i.operandSize === 2) m.u16[rdx * 2] = (m.u16[State.gpr >> 1]! << 16) >> 31;
  else {
    const sign = m.i32[GPR + (i.operandSize === 8 ? 1 : 0)]! >> 31;
    m.i32[rdx] = sign;
    m.i32[rdx + 1] = i.operandSize === 8 ? sign : 0;
  }
}

const movWidths = byWidth(mov, movWide);
const cmovWidths = byWidth(cmov, cmovWide);

/** Names of the sixteen conditions, as the table's first rows spell them. */
export const CONDITION_NAMES = "o no b ae e ne be a s ns p np l ge le g".split(" ");

const SEGMENT_STACK = Object.fromEntries(
  ["es", "cs", "ss", "ds", "fs", "gs"].flatMap((name) => [
    [`push ${name}`, pushSegment],
    [`pop ${name}`, popSegment],
  ]),
);

export const dataTransfer: SemanticsTable = {
  "mov to sreg": movToSegment,
  "mov from sreg": movFromSegment,
  mov: movWidths,
  movabs: movWidths,
  movnti: movWidths,
  movzx: movExtended(false),
  movsx: movExtended(true),
  movsxd: movExtended(true),
  xchg: byWidth(xchg, xchgWide),
  push: pushOperand,
  pushw: pushOperand,
  pop: popOperand,
  ...SEGMENT_STACK,
  les: loadFarPointer(Seg.ES),
  lds: loadFarPointer(Seg.DS),
  lss: loadFarPointer(Seg.SS),
  lfs: loadFarPointer(Seg.FS),
  lgs: loadFarPointer(Seg.GS),
  pusha,
  pushaw: pusha,
  pushad: pusha,
  popa,
  popaw: popa,
  popad: popa,
  pushf,
  pushfw: pushf,
  pushfd: pushf,
  pushfq: pushf,
  popf,
  popfw: popf,
  popfd: popf,
  popfq: popf,
  enter,
  leave,
  leavew: leave,
  leaved: leave,
  leaveq: leave,
  cbw: extendAccumulator,
  cwde: extendAccumulator,
  cdqe: extendAccumulator,
  cwd: extendIntoDx,
  cdq: extendIntoDx,
  cqo: extendIntoDx,
  bswap,
  xadd: byWidth(xadd, xaddWide),
  cmpxchg: byWidth(cmpxchg, cmpxchgWide),
  cmpxchg8b: cmpxchgDouble(1),
  cmpxchg16b: cmpxchgDouble(2),
  lea,
  xlat: xlatb,
  xlatb,
  lahf: (m) => {
    m.u8[State.gpr + 1] = (m.flags & LAHF_FLAGS) | RFLAGS.FIXED;
  },
  sahf: (m) => setStatus(m, LAHF_FLAGS, m.u8[State.gpr + 1]! & LAHF_FLAGS),
  ...Object.fromEntries(CONDITION_NAMES.map((name) => [`cmov${name}`, cmovWidths])),
  ...Object.fromEntries(CONDITION_NAMES.map((name) => [`set${name}`, setcc])),
};
