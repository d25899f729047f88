/** IRET. SDM Vol. 2A, "IRET/IRETD/IRETQ". Virtual-8086 mode and nested tasks do not exist here. */
import { RFLAGS, Seg } from "./architecture.js";
import { ioPrivilege, replaceFlags } from "./control.js";
import { enterCode, returnStack, returnTarget, setStack } from "./far-transfers.js";
import { raiseGp, UNSUPPORTED } from "./faults.js";
import { Segment, State } from "./layout.js";
import type { Machine } from "./machine.js";
import { dropInnerSegments, rpl, setRealSegment } from "./segments.js";
import { moveStackPointer, peek, setStackPointer } from "./stack.js";

const RIP = State.rip >> 2;

const USER_FLAGS =
  RFLAGS.CF |
  RFLAGS.PF |
  RFLAGS.AF |
  RFLAGS.ZF |
  RFLAGS.SF |
  RFLAGS.TF |
  RFLAGS.DF |
  RFLAGS.OF |
  RFLAGS.NT |
  RFLAGS.RF |
  RFLAGS.AC |
  RFLAGS.ID;

/** What the popped flags may change, by the privilege before the return. */
function changeableFlags(m: Machine, size: number): number {
  let mask = USER_FLAGS;
  if (m.cpl <= ioPrivilege(m)) mask |= RFLAGS.IF;
  if (m.cpl === 0) mask |= RFLAGS.IOPL | RFLAGS.VIF | RFLAGS.VIP;
  return size === 2 ? mask & 0xffff : mask;
}

export function returnFromInterrupt(m: Machine, size: number): void {
  if (m.real) returnReal(m, size);
  else returnProtected(m, size);
  m.i32[State.nmiBlocked >> 2] = 0;
  m.attention = true;
}

function returnReal(m: Machine, size: number): void {
  const ip = peek(m, size, 0);
  const selector = peek(m, size, size) & 0xffff;
  const flags = peek(m, size, size * 2);
  if (ip >>> 0 > m.segment(Seg.CS, Segment.limit) >>> 0) raiseGp(m);
  moveStackPointer(m, size * 3);
  setRealSegment(m, Seg.CS, selector);
  m.i32[RIP] = ip;
  m.i32[RIP + 1] = 0;
  replaceFlags(m, flags, (USER_FLAGS | RFLAGS.IF | RFLAGS.IOPL) & (size === 2 ? 0xffff : -1));
  m.updateMode();
}

function returnProtected(m: Machine, size: number): void {
  if (m.flags & RFLAGS.NT) {
    if (m.longMode) raiseGp(m);
    throw UNSUPPORTED;
  }
  const lo = peek(m, size, 0);
  const hi = m.hi;
  const selector = peek(m, size, size) & 0xffff;
  const flags = peek(m, size, size * 2);
  if (flags & RFLAGS.VM && m.cpl === 0 && !m.longMode && size === 4) throw UNSUPPORTED;
  const code = returnTarget(m, selector);
  const level = rpl(selector);
  const mask = changeableFlags(m, size);
  // In 64-bit mode the frame always has SS and RSP.
  if (!m.long64 && level === m.cpl) {
    enterCode(m, selector, code, level, lo, hi);
    moveStackPointer(m, size * 3);
  } else {
    returnWithStack(m, size, code, level, lo, hi);
  }
  replaceFlags(m, flags, mask);
}

function returnWithStack(
  m: Machine,
  size: number,
  code: ReturnType<typeof returnTarget>,
  level: number,
  lo: number,
  hi: number,
): void {
  const rspLo = peek(m, size, size * 3);
  const rspHi = m.hi;
  const ss = peek(m, size, size * 4) & 0xffff;
  const outer = level !== m.cpl;
  const stack = returnStack(m, ss, code, level);
  enterCode(m, code.selector, code, level, lo, hi);
  setStack(m, ss, stack, level);
  m.updateMode();
  setStackPointer(m, rspLo, rspHi);
  if (outer) dropInnerSegments(m);
}
