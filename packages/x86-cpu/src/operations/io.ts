/** SDM Vol. 1, "I/O Instructions": IN, OUT, INS, OUTS. Every port belongs to the VMM. */

import { buffer, loadBytes, probeWrite, store8, store16, store32 } from "../access.js";
import { Access, Gpr, Seg } from "../architecture.js";
import { ioPrivilege } from "../control.js";
import { external, post, raiseGp } from "../faults.js";
import type { Execute, Instruction } from "../instruction.js";
import { Segment, State } from "../layout.js";
import type { Machine } from "../machine.js";
import { read, write } from "../operands.js";
import { portsPermitted } from "../tss.js";
import type { SemanticsTable } from "./semantics.js";
import { advance, countIsZero, pointer, RCX, RDI, RSI, repeat, step } from "./string.js";

const DX = (State.gpr + Gpr.RDX * 8) >> 1;
/** Bytes of string data that one exit carries, as KVM's one page of `pio` data does. */
const EXIT_BYTES = 1024;

function checkPort(m: Machine, port: number, size: number): void {
  if (m.real || m.cpl <= ioPrivilege(m)) return;
  if (!portsPermitted(m, port, size)) raiseGp(m);
}

function portOf(m: Machine, i: Instruction, operand: Instruction["a"]): number {
  return operand.size === 2 ? m.u16[DX]! : read(m, i, operand) & 0xff;
}

const input: Execute = (m, i) => {
  const port = portOf(m, i, i.b);
  const { size } = i.a;
  checkPort(m, port, size);
  const data = new Uint8Array(size);
  const answer = external(m, { kind: "io", address: port, size, count: 1, write: false, data });
  write(m, i, i.a, littleEndian(answer.data, 0, size));
};

const output: Execute = (m, i) => {
  const port = portOf(m, i, i.a);
  const { size } = i.b;
  checkPort(m, port, size);
  const value = read(m, i, i.b);
  const data = Uint8Array.from({ length: size }, (_, n) => value >>> (n * 8));
  post(m, { kind: "io", address: port, size, count: 1, write: true, data });
};

function littleEndian(data: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let n = size - 1; n >= 0; n--) value = (value << 8) | data[at + n]!;
  return value;
}

function itemSize(i: Instruction): number {
  return i.opcode & 1 ? Math.min(i.operandSize, 4) : 1;
}

/** How many items one exit moves: under REP upwards, as many as are left on the page and in the segment, and fit. */
function itemsPerExit(m: Machine, i: Instruction, segment: number, size: number, lo: number): number {
  if (i.repeat === 0 || step(m, size) < 0 || m.breakpoints || m.alignmentChecked) return 1;
  const count = i.addressSize === 2 ? m.u16[RCX * 2]! : m.i32[RCX]! >>> 0 || 0xffffffff;
  const onPage = Math.floor((0x1000 - (lo & 0xfff)) / size);
  return Math.max(1, Math.min(count, onPage, itemsInSegment(m, segment, size, lo), EXIT_BYTES / size));
}

/** Items up to the limit; what lies beyond it raises its fault by itself. */
function itemsInSegment(m: Machine, segment: number, size: number, lo: number): number {
  if (m.long64) return Number.POSITIVE_INFINITY;
  const access = m.segment(segment, Segment.access);
  const growsDown = (access & (Access.CODE | Access.EXPAND_DOWN)) === Access.EXPAND_DOWN;
  const limit = m.segment(segment, Segment.limit) >>> 0;
  return growsDown ? 1 : Math.floor((limit + 1 - (lo >>> 0)) / size);
}

/** Moves pointer and count on by what was done, and comes back if something is left. */
function finish(m: Machine, i: Instruction, register: number, size: number, items: number): void {
  advance(m, i, register, step(m, size) * items);
  if (i.repeat === 0) return;
  advance(m, i, RCX, -items);
  if (!countIsZero(m, i)) repeat(m);
}

function ins(m: Machine, i: Instruction): void {
  const size = itemSize(i);
  const port = m.u16[DX]!;
  // A count of zero does not excuse a port that is not permitted.
  checkPort(m, port, size);
  if (i.repeat !== 0 && countIsZero(m, i)) return;
  const lo = pointer(m, i, RDI);
  const hi = m.hi;
  const items = itemsPerExit(m, i, Seg.ES, size, lo);
  // What cannot be stored is not read from the port.
  probeWrite(m, Seg.ES, lo, hi, size * items);
  const data = new Uint8Array(size * items);
  const answer = external(m, { kind: "io", address: port, size, count: items, write: false, data });
  for (let n = 0; n < items; n++) {
    const value = littleEndian(answer.data, n * size, size);
    const at = (lo + n * size) | 0;
    if (size === 1) store8(m, Seg.ES, at, hi, value);
    else if (size === 2) store16(m, Seg.ES, at, hi, value);
    else store32(m, Seg.ES, at, hi, value);
  }
  finish(m, i, RDI, size, items);
}

function outs(m: Machine, i: Instruction): void {
  const size = itemSize(i);
  const port = m.u16[DX]!;
  // A count of zero does not excuse a port that is not permitted.
  checkPort(m, port, size);
  if (i.repeat !== 0 && countIsZero(m, i)) return;
  const lo = pointer(m, i, RSI);
  const hi = m.hi;
  const items = itemsPerExit(m, i, i.segment, size, lo);
  const data = new Uint8Array(size * items);
  for (let at = 0; at < data.length; at += 512) {
    const length = Math.min(512, data.length - at);
    loadBytes(m, i.segment, (lo + at) | 0, hi, length);
    data.set(buffer.subarray(0, length), at);
  }
  post(m, { kind: "io", address: port, size, count: items, write: true, data });
  finish(m, i, RSI, size, items);
}

export const io: SemanticsTable = {
  in: input,
  out: output,
  ...Object.fromEntries(
    ["b", "w", "d"].flatMap((w) => [[`ins${w}`, ins] as const, [`outs${w}`, outs] as const]),
  ),
};
