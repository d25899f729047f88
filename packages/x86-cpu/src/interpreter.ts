/**
 * The TypeScript engine: fetches, decodes and executes one instruction after the other.
 *
 * It is the reference for the other engine, and does for it whatever that one leaves out. An instruction that faults
 * or leaves for the VMM has changed nothing when it is over, but for RSP and RFLAGS, which are put back here.
 */
import { RFLAGS, Vector } from "./architecture.js";
import type { CodeCache } from "./code-cache.js";
import { deliver, deliverFault } from "./exceptions.js";
import { EXIT, FAULT, UNSUPPORTED } from "./faults.js";
import { Fetcher } from "./fetch.js";
import type { Instruction } from "./instruction.js";
import { State } from "./layout.js";
import { type Machine, Shadow } from "./machine.js";
import { PAGE_MASK } from "./paging.js";

const RIP = State.rip >> 2;
const RSP = (State.gpr >> 2) + 8;
const FLAGS = State.rflags >> 2;
const SHADOW = State.shadow >> 2;

const DR6_BS = 1 << 14;

/** How a burst ended. */
export const Ended = {
  /** The budget is used up, or something at the boundary wants to be looked at. */
  boundary: 0,
  /** `pending` waits for the VMM; the instruction will start again. */
  external: 1,
  /** RIP is at an instruction that this processor cannot execute. */
  unsupported: 2,
} as const;

export class Interpreter {
  private readonly m: Machine;
  readonly fetcher: Fetcher;

  constructor(m: Machine, cache: CodeCache) {
    this.m = m;
    this.fetcher = new Fetcher(m, cache);
  }

  /** Executes up to `count` instructions; stops early when `attention` is set. Returns an `Ended`. */
  burst(count: number): number {
    const { m, fetcher } = this;
    const { i32 } = m;
    // What an instruction that does not come to its end may have changed.
    let rspLo = 0;
    let rspHi = 0;
    let flags = 0;
    m.burst = m.left = count;
    m.attention = false;
    let ended: number = Ended.boundary;
    try {
      while (m.left > 0 && !m.attention) {
        const lo = i32[RIP]!;
        const hi = i32[RIP + 1]!;
        m.startLo = lo;
        m.startHi = hi;
        rspLo = i32[RSP]!;
        rspHi = i32[RSP + 1]!;
        flags = i32[FLAGS]!;
        m.left--;
        let i: Instruction | undefined;
        if ((lo & PAGE_MASK) === m.windowLo && hi === m.windowHi) i = fetcher.window[lo & 0xfff];
        if (i === undefined || i.crosses) i = fetcher.fetch();
        const next = (lo + i.length) | 0;
        i32[RIP] = next;
        if (next >>> 0 < lo >>> 0) i32[RIP + 1] = m.long64 ? (hi + 1) | 0 : 0;
        else if (m.codeSize === 2) i32[RIP] = next & 0xffff;
        i.execute(m, i);
      }
    } catch (thrown) {
      i32[RSP] = rspLo;
      i32[RSP + 1] = rspHi;
      m.flags = flags;
      ended = this.unwind(thrown);
    }
    m.instructions += m.burst - m.left;
    m.burst = m.left = 0;
    return ended;
  }

  /** Executes one instruction with everything that can come with it: shadows, breakpoints, RF, TF. */
  step(): number {
    const { m } = this;
    const traps = (m.flags & RFLAGS.TF) !== 0;
    m.i32[SHADOW] = 0;
    m.trapSuppressed = false;
    m.debugHits = 0;
    m.replayed = 0;
    const breakpoints = m.breakpoints ? this.breakpointsHere() : 0;
    if (breakpoints !== 0) return this.debugException(breakpoints, true);
    const resumed = (m.flags & RFLAGS.RF) !== 0;
    m.faulted = m.repeating = false;
    const ended = this.burst(1);
    if (ended !== Ended.boundary) return ended;
    m.done.length = 0;
    if (m.faulted) return ended;
    if (resumed && !m.repeating) m.flags &= ~RFLAGS.RF;
    return this.trap(traps);
  }

  /** #DB behind an instruction: single step and data breakpoints. MOV SS lets neither through. */
  private trap(traps: boolean): number {
    const { m } = this;
    const single = traps && !m.trapSuppressed;
    if ((!single && m.debugHits === 0) || m.i32[SHADOW]! & Shadow.MOV_SS) return Ended.boundary;
    return this.debugException((single ? DR6_BS : 0) | m.debugHits, false);
  }

  /** `resume`: RF is pushed, so that the breakpoint does not fire again. */
  private debugException(bits: number, resume: boolean): number {
    const { m } = this;
    m.i32[State.dr6 >> 2] = (m.i32[State.dr6 >> 2]! & ~0xf) | bits;
    const isDelivered = deliver(m, { vector: Vector.DB, error: -1, software: false, resume });
    return isDelivered ? Ended.boundary : Ended.unsupported;
  }

  /** Instruction breakpoints (SDM Vol. 3B, "Instruction-Breakpoint Exception Condition"): faults, held back by RF. */
  private breakpointsHere(): number {
    const { m } = this;
    if (m.flags & RFLAGS.RF) return 0;
    const dr7 = m.i32[State.dr7 >> 2]!;
    let hits = 0;
    for (let n = 0; n < 4; n++) {
      const at = (State.dr >> 2) + n * 2;
      const enabled = ((dr7 >>> (n * 2)) & 3) !== 0 && ((dr7 >>> (16 + n * 4)) & 3) === 0;
      if (enabled && m.i32[at] === m.i32[RIP] && m.i32[at + 1] === m.i32[RIP + 1]) hits |= 1 << n;
    }
    return hits;
  }

  /** Goes back to an unfinished instruction, and delivers its fault. */
  private unwind(thrown: unknown): number {
    const { m } = this;
    if (thrown !== FAULT && thrown !== EXIT && thrown !== UNSUPPORTED) throw thrown;
    m.i32[RIP] = m.startLo;
    m.i32[RIP + 1] = m.startHi;
    if (thrown === FAULT) {
      m.faulted = true;
      m.done.length = 0;
      return deliverFault(m) ? Ended.boundary : Ended.unsupported;
    }
    m.left++;
    return thrown === EXIT ? Ended.external : Ended.unsupported;
  }
}
