/** SDM Vol. 1, "Bit and Byte Instructions": BT and its kin, BSF, BSR. */

import { load16, load32, load64, probeWrite, store16, store32, store64 } from "../access.js";
import { RFLAGS } from "../architecture.js";
import { logicFlags, setStatus, signZeroParity, signZeroParityWide, TOP_BIT } from "../flags.js";
import { type Execute, type Instruction, OperandKind } from "../instruction.js";
import type { Machine } from "../machine.js";
import { addOffset, effectiveAddress, read, readSized, readWide, writeSized } from "../operands.js";
import { byWidth, type Choice, type SemanticsTable } from "./semantics.js";

/** CF is the bit. OF and AF, which the manual leaves undefined with SF and PF, are cleared; the others stay. */
const BIT_TEST_FLAGS = RFLAGS.CF | RFLAGS.OF | RFLAGS.AF;

/** What becomes of a word's bit, or `undefined` where it is only tested. */
type Change = ((word: number, bit: number) => number) | undefined;

const set: Change = (word, bit) => word | bit;
const reset: Change = (word, bit) => word & ~bit;
const complement: Change = (word, bit) => word ^ bit;

/** The word that holds a bit, in the 32-bit half that it lies in. */
function bitTest(change: Change): Execute {
  return (m, i) => {
    if (i.a.kind === OperandKind.memory) return bitTestMemory(m, i, change);
    const offset = read(m, i, i.b) & (i.a.size * 8 - 1);
    const lo = readSized(m, i, i.a);
    const hi = m.hi;
    const bit = 1 << (offset & 31);
    const word = offset >= 32 ? hi : lo;
    if (change) {
      const changed = change(word, bit);
      writeSized(m, i, i.a, offset >= 32 ? lo : changed, offset >= 32 ? changed : hi);
    }
    setStatus(m, BIT_TEST_FLAGS, word & bit ? RFLAGS.CF : 0);
  };
}

/** A register offset is signed and selects a word relative to the operand (SDM Vol. 2A, "BT"). */
function bitTestMemory(m: Machine, i: Instruction, change: Change): void {
  const { size } = i.a;
  let word = 0;
  let wordHi = 0;
  let offset = i.b.lo & (size * 8 - 1);
  if (i.b.kind !== OperandKind.immediate) {
    offset = size === 8 ? readWide(m, i, i.b) : read(m, i, i.b);
    if (size === 2) offset = (offset << 16) >> 16;
    const hi = size === 8 ? m.hi : offset >> 31;
    // The signed offset divided by the word's bits, times its bytes.
    const shift = size === 8 ? 6 : size === 4 ? 5 : 4;
    const bytesShift = size === 8 ? 3 : size === 4 ? 2 : 1;
    const lo = (offset >>> shift) | (hi << (32 - shift));
    word = lo << bytesShift;
    wordHi = ((hi >> shift) << bytesShift) | (lo >>> (32 - bytesShift));
    offset &= size * 8 - 1;
  }
  const base = effectiveAddress(m, i);
  const baseHi = m.hi;
  const at = addOffset(m, i, base, 0) + word;
  const lo = i.addressSize === 2 ? at & 0xffff : at | 0;
  const hi = i.addressSize === 8 ? (baseHi + wordHi + (lo >>> 0 < base >>> 0 ? 1 : 0)) | 0 : 0;
  changeWord(m, i, lo, hi, offset, change);
}

function changeWord(
  m: Machine,
  i: Instruction,
  lo: number,
  hi: number,
  offset: number,
  change: Change,
): void {
  const { size } = i.a;
  if (change) probeWrite(m, i.segment, lo, hi, size);
  const bit = 1 << (offset & 31);
  let low =
    size === 8
      ? load64(m, i.segment, lo, hi)
      : size === 4
        ? load32(m, i.segment, lo, hi)
        : load16(m, i.segment, lo, hi);
  let high = m.hi;
  const word = offset >= 32 ? high : low;
  if (change) {
    if (offset >= 32) high = change(high, bit);
    else low = change(low, bit);
    if (size === 8) store64(m, i.segment, lo, hi, low, high);
    else if (size === 4) store32(m, i.segment, lo, hi, low);
    else store16(m, i.segment, lo, hi, low);
  }
  setStatus(m, BIT_TEST_FLAGS, word & bit ? RFLAGS.CF : 0);
}

/** ZF is the source's; so are SF and PF, which the manual leaves undefined like the others, which are cleared. BSF and BSR of zero leave the destination as it is (AMD APM Vol. 3; Intel processors do the same). */
function bitScan(forward: boolean): Choice {
  const first = (value: number) => (forward ? 31 - Math.clz32(value & -value) : 31 - Math.clz32(value));
  return byWidth(
    (m, i) => {
      const value = (read(m, i, i.b) << (31 - TOP_BIT[i.b.size]!)) >>> (31 - TOP_BIT[i.b.size]!);
      logicFlags(m, signZeroParity(value, i.b.size));
      if (value !== 0) writeSized(m, i, i.a, first(value), 0);
    },
    (m, i) => {
      const lo = readWide(m, i, i.b);
      const hi = m.hi;
      logicFlags(m, signZeroParityWide(lo, hi));
      if ((lo | hi) === 0) return;
      const inLow = forward ? lo !== 0 : hi === 0;
      writeSized(m, i, i.a, inLow ? first(lo) : 32 + first(hi), 0);
    },
  );
}

export const bits: SemanticsTable = {
  bt: bitTest(undefined),
  bts: bitTest(set),
  btr: bitTest(reset),
  btc: bitTest(complement),
  bsf: bitScan(true),
  bsr: bitScan(false),
};
