/** From RIP to a decoded instruction. */
import { Seg, Vector } from "./architecture.js";
import type { CodeCache, CodePage, Slots } from "./code-cache.js";
import { decode, MAX_LENGTH, Undecodable } from "./decode.js";
import { raise, raiseGp, raiseUd, UNSUPPORTED } from "./faults.js";
import type { Instruction } from "./instruction.js";
import { Segment, State, Tlb } from "./layout.js";
import type { Machine } from "./machine.js";
import { NOT_RAM } from "./memory.js";
import { isCanonical, Kind, PAGE_MASK, pageIndex, raiseNonCanonical, tlbEntry, translate } from "./paging.js";

const ADDEND = Tlb.addend >> 2;
const RIP = State.rip >> 2;

/** Pointer to the instruction byte at a linear address. Raises #PF; code outside RAM is UNSUPPORTED. */
export function fetchPointer(m: Machine, lo: number, hi: number): number {
  const e = tlbEntry(m.fetchTlb, lo);
  if (m.i32[e] === (lo & PAGE_MASK) && m.i32[e + 1] === hi) return (lo + m.i32[e + ADDEND]!) >>> 0;
  if (m.longMode && !isCanonical(hi)) raiseNonCanonical(m, false);
  const pointer = translate(m, m.fetchTlb, lo, hi, Kind.fetch);
  if (pointer === NOT_RAM) throw UNSUPPORTED;
  return pointer;
}

export class Fetcher {
  private readonly m: Machine;
  readonly cache: CodeCache;
  /** Instructions of the page at `m.windowLo` and `m.windowHi`. */
  window: Slots = [];
  private readonly bytes = new Uint8Array(2 * MAX_LENGTH);

  constructor(m: Machine, cache: CodeCache) {
    this.m = m;
    this.cache = cache;
  }

  /** The instruction at RIP. Raises what its fetch raises, #UD, or #GP where it is too long. */
  fetch(): Instruction {
    const { m } = this;
    const offset = m.i32[RIP]!;
    let lo = offset;
    let hi = m.i32[RIP + 1]!;
    if (!m.long64) {
      lo = (offset + m.segment(Seg.CS, Segment.base)) | 0;
      hi = 0;
    }
    const pointer = fetchPointer(m, lo, hi);
    const page = this.cache.page(pageIndex(m, pointer));
    const slots = page.slotsFor(m.codeSize);
    if (m.long64) this.openWindow(lo, hi, slots);
    const known = slots[pointer - page.pointer];
    const instruction =
      known && this.tailIsSame(known, lo, hi) ? known : this.decodeAt(page, pointer, lo, hi);
    if (!m.long64) this.checkLimit(offset, instruction.length);
    return instruction;
  }

  private openWindow(lo: number, hi: number, slots: Slots): void {
    this.m.windowLo = lo & PAGE_MASK;
    this.m.windowHi = hi;
    this.window = slots;
  }

  /** CS.limit covers the whole instruction (SDM Vol. 3A, "Limit Checking"). */
  private checkLimit(offset: number, length: number): void {
    const limit = this.m.segment(Seg.CS, Segment.limit) >>> 0;
    if ((offset >>> 0) + length - 1 > limit) raiseGp(this.m);
  }

  /** Whether the bytes that an instruction had on the next page are still there, and may be executed. */
  private tailIsSame(i: Instruction, lo: number, hi: number): boolean {
    if (!i.crosses) return true;
    const pointer = this.nextPage(lo, hi);
    return i.tail.every((byte, n) => this.m.u8[pointer + n] === byte);
  }

  private nextPage(lo: number, hi: number): number {
    const next = ((lo & PAGE_MASK) + 0x1000) | 0;
    return fetchPointer(this.m, next, this.m.long64 && next === 0 ? (hi + 1) | 0 : hi);
  }

  private decodeAt(page: CodePage, pointer: number, lo: number, hi: number): Instruction {
    const { m } = this;
    const offset = pointer - page.pointer;
    const result = decode(m.u8, pointer, page.pointer + 0x1000, m.codeSize);
    if (typeof result === "object") {
      page.add(offset, result.length, m.codeSize, result);
      return result;
    }
    if (result === Undecodable.truncated) return this.decodeAcross(page, pointer, lo, hi);
    return this.raiseUndecodable(result);
  }

  /** An instruction that goes on in the next page: its bytes there are checked whenever it is executed. */
  private decodeAcross(page: CodePage, pointer: number, lo: number, hi: number): Instruction {
    const { m, bytes } = this;
    const head = page.pointer + 0x1000 - pointer;
    const next = this.nextPage(lo, hi);
    bytes.set(m.u8.subarray(pointer, pointer + head));
    bytes.set(m.u8.subarray(next, next + MAX_LENGTH - head), head);
    const result = decode(bytes, 0, MAX_LENGTH, m.codeSize);
    if (typeof result !== "object") return this.raiseUndecodable(result);
    const instruction = Object.assign(result, { crosses: true, tail: bytes.slice(head, result.length) });
    page.add(pointer - page.pointer, result.length, m.codeSize, instruction);
    return instruction;
  }

  private raiseUndecodable(reason: string): never {
    if (reason === Undecodable.undefined) raiseUd(this.m);
    raise(this.m, Vector.GP);
  }
}
