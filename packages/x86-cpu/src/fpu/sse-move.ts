/**
 * Moves between XMM registers, MMX registers, general registers and memory.
 * SDM Vol. 1, "SSE Data Transfer Instructions", "SSE2 Data Movement Instructions".
 */

import { load16, probeWrite, store8 } from "../access.js";
import { Gpr, Seg } from "../architecture.js";
import { type Execute, type Instruction, OperandKind } from "../instruction.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import { addOffset, effectiveAddress, read, readSized, writeSized } from "../operands.js";
import type { SemanticsTable } from "../operations/semantics.js";
import { checkMmx, enterMmx, mmxOffset, mmxSource, writeMmx } from "./mmx-state.js";
import { checkSse, sourceOffset, storeOperand } from "./sse-state.js";

/** Copies 4, 8 or 16 bytes inside the state; the ranges may be the same. */
function copy({ i32 }: Machine, to: number, from: number, size: number): void {
  const [target, source] = [to >> 2, from >> 2];
  i32[target] = i32[source]!;
  if (size > 4) i32[target + 1] = i32[source + 1]!;
  if (size <= 8) return;
  i32[target + 2] = i32[source + 2]!;
  i32[target + 3] = i32[source + 3]!;
}

/** Clears a register from a place in it on. */
function clear({ i32 }: Machine, at: number, size: number): void {
  for (let word = at >> 2; word < (at + size) >> 2; word++) i32[word] = 0;
}

/** All 16 bytes; `aligned` as the mnemonic says. */
function whole(aligned: boolean): Execute {
  return (m, i) => {
    checkSse(m);
    if (i.a.kind === OperandKind.memory) return storeOperand(m, i, i.b.index, 16, aligned);
    copy(m, i.a.index, sourceOffset(m, i, i.b, 16, aligned), 16);
  };
}

/** MOVSS and MOVSD: a load clears the rest of the register, a move between registers keeps it. */
function scalar(size: number): Execute {
  return (m, i) => {
    checkSse(m);
    if (i.a.kind === OperandKind.memory) return storeOperand(m, i, i.b.index, size);
    copy(m, i.a.index, sourceOffset(m, i, i.b, size), size);
    if (i.b.kind === OperandKind.memory) clear(m, i.a.index + size, 16 - size);
  };
}

/** MOVLPS, MOVHPS and their kin: one half, at `at`, from or to 8 bytes of memory. */
function half(at: number): Execute {
  return (m, i) => {
    checkSse(m);
    if (i.a.kind === OperandKind.memory) return storeOperand(m, i, i.b.index + at, 8);
    copy(m, i.a.index + at, sourceOffset(m, i, i.b, 8), 8);
  };
}

/** MOVHLPS and MOVLHPS. */
function between(to: number, from: number): Execute {
  return (m, i) => {
    checkSse(m);
    copy(m, i.a.index + to, i.b.index + from, 8);
  };
}

/** MOVQ to or from an XMM register; the upper half of a destination register is cleared. */
function movq(m: Machine, i: Instruction): void {
  checkSse(m);
  if (i.a.kind === OperandKind.memory) {
    storeOperand(m, i, i.b.index, 8);
    return;
  }
  copy(m, i.a.index, sourceOffset(m, i, i.b, 8), 8);
  clear(m, i.a.index + 8, 8);
}

/** MOVD and MOVQ from a general register or memory, zero-extended. */
function fromGeneral(m: Machine, i: Instruction): void {
  checkSse(m);
  const lo = readSized(m, i, i.b);
  const at = i.a.index;
  m.view.setInt32(at, lo, true);
  m.view.setInt32(at + 4, m.hi, true);
  clear(m, at + 8, 8);
}

function toGeneral(m: Machine, i: Instruction): void {
  checkSse(m);
  writeSized(m, i, i.a, m.view.getInt32(i.b.index, true), m.view.getInt32(i.b.index + 4, true));
}

function mmxFromGeneral(m: Machine, i: Instruction): void {
  checkMmx(m);
  const lo = readSized(m, i, i.b);
  writeMmx(m, i.a, lo, m.hi);
}

function mmxToGeneral(m: Machine, i: Instruction): void {
  checkMmx(m);
  const at = mmxOffset(i.b);
  writeSized(m, i, i.a, m.view.getInt32(at, true), m.view.getInt32(at + 4, true));
  enterMmx(m);
}

function mmxMove(m: Machine, i: Instruction): void {
  checkMmx(m);
  if (i.a.kind === OperandKind.memory) {
    storeOperand(m, i, mmxOffset(i.b), 8);
    enterMmx(m);
    return;
  }
  const from = mmxSource(m, i, i.b);
  writeMmx(m, i.a, m.view.getInt32(from, true), m.view.getInt32(from + 4, true));
}

function movdq2q(m: Machine, i: Instruction): void {
  checkSse(m);
  checkMmx(m);
  writeMmx(m, i.a, m.view.getInt32(i.b.index, true), m.view.getInt32(i.b.index + 4, true));
}

function movq2dq(m: Machine, i: Instruction): void {
  checkSse(m);
  checkMmx(m);
  copy(m, i.a.index, mmxOffset(i.b), 8);
  clear(m, i.a.index + 8, 8);
  enterMmx(m);
}

/** MOVMSKPS and MOVMSKPD: the sign bits. */
function signMask(size: number): Execute {
  return (m, i) => {
    checkSse(m);
    let mask = 0;
    for (let n = 0; n < 16 / size; n++) mask |= (m.u8[i.b.index + n * size + size - 1]! >> 7) << n;
    m.i32[i.a.index] = mask;
    m.i32[i.a.index + 1] = 0;
  };
}

/** PINSRW: a word from a general register or from 2 bytes of memory. */
function pinsrw(m: Machine, i: Instruction): void {
  const isMmx = i.a.kind === OperandKind.mmx;
  if (isMmx) checkMmx(m);
  else checkSse(m);
  const word = wordSource(m, i);
  const at = (isMmx ? mmxOffset(i.a) : i.a.index) + (i.c.lo & (isMmx ? 3 : 7)) * 2;
  m.view.setInt16(at, word, true);
  if (isMmx)
    writeMmx(m, i.a, m.view.getInt32(mmxOffset(i.a), true), m.view.getInt32(mmxOffset(i.a) + 4, true));
}

function wordSource(m: Machine, i: Instruction): number {
  if (i.b.kind !== OperandKind.memory) return read(m, i, i.b);
  const at = effectiveAddress(m, i);
  return load16(m, i.segment, at, m.hi);
}

/** MASKMOVQ and MASKMOVDQU: the bytes whose mask has its top bit set, to DS:rDI. */
function maskedMove(size: number): Execute {
  return (m, i) => {
    if (size === 8) {
      checkMmx(m);
      enterMmx(m);
    } else checkSse(m);
    const at = (o: Instruction["a"]) => (size === 8 ? mmxOffset(o) : o.index);
    const [data, mask] = [at(i.a), at(i.b)];
    const rdi = (State.gpr >> 2) + Gpr.RDI * 2;
    const lo = i.addressSize === 2 ? m.u16[rdi * 2]! : m.i32[rdi]!;
    const hi = i.addressSize === 8 ? m.i32[rdi + 1]! : 0;
    const segment = i.segment === Seg.SS ? Seg.DS : i.segment;
    // All or nothing: the bytes are checked before the first is stored.
    const selected = Array.from({ length: size }, (_, n) => n).filter((n) => m.u8[mask + n]! & 0x80);
    const target = (n: number) => {
      m.hi = hi;
      return addOffset(m, i, lo, n);
    };
    for (const n of selected) {
      const byteAt = target(n);
      probeWrite(m, segment, byteAt, m.hi, 1);
    }
    for (const n of selected) {
      const byteAt = target(n);
      store8(m, segment, byteAt, m.hi, m.u8[data + n]!);
    }
  };
}

/** LDMXCSR, STMXCSR and EMMS are in fxsave.ts. */
export const sseMove: SemanticsTable = {
  movaps: whole(true),
  movapd: whole(true),
  movdqa: whole(true),
  movntps: whole(true),
  movntpd: whole(true),
  movntdq: whole(true),
  movups: whole(false),
  movupd: whole(false),
  movdqu: whole(false),
  movss: scalar(4),
  "movsd xmm, xmm/m64": scalar(8),
  "movsd xmm/m64, xmm": scalar(8),
  movlps: half(0),
  movlpd: half(0),
  movhps: half(8),
  movhpd: half(8),
  movhlps: between(0, 8),
  movlhps: between(8, 0),
  "movq xmm, xmm/m64": movq,
  "movq xmm/m64, xmm": movq,
  ...Object.fromEntries(
    ["movd", "movq"].flatMap((name) => [
      ...["r/m32", "r64", "r/m64"].flatMap((general) => [
        [`${name} xmm, ${general}`, fromGeneral] as const,
        [`${name} ${general}, xmm`, toGeneral] as const,
        [`${name} mm, ${general}`, mmxFromGeneral] as const,
        [`${name} ${general}, mm`, mmxToGeneral] as const,
      ]),
    ]),
  ),
  "movq mm, mm/m64": mmxMove,
  "movq mm/m64, mm": mmxMove,
  movntq: mmxMove,
  movdq2q,
  movq2dq,
  movmskps: signMask(4),
  movmskpd: signMask(8),
  pinsrw,
  maskmovq: maskedMove(8),
  maskmovdqu: maskedMove(16),
};
