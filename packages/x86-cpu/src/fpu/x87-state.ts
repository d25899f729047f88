/**
 * The x87 register stack, its control, status and tag words, and how an instruction ends: masked, or with an unmasked
 * exception that the next waiting instruction reports as #MF. SDM Vol. 1, "x87 FPU Execution Environment",
 * "x87 FPU Exception Handling in Software".
 */
import { CR0, Vector } from "../architecture.js";
import { raise } from "../faults.js";
import type { Execute, Instruction } from "../instruction.js";
import { OperandKind } from "../instruction.js";
import { State } from "../layout.js";
import type { Machine } from "../machine.js";
import { effectiveAddress } from "../operands.js";
import {
  EXTENDED,
  EXTENDED_TO_24,
  EXTENDED_TO_53,
  type Float,
  type Format,
  INDEFINITE,
  packExtended,
  unpackExtended,
} from "./formats.js";
import { type Environment, Exception } from "./rounding.js";

export const FCW = State.fcw >> 2;
export const FSW = State.fsw >> 2;
export const FTW = State.ftw >> 2;

/** Status word bits. The exception flags are those of `Exception`. */
export const Status = {
  SF: 1 << 6,
  ES: 1 << 7,
  C0: 1 << 8,
  C1: 1 << 9,
  C2: 1 << 10,
  TOP_SHIFT: 11,
  C3: 1 << 14,
  B: 1 << 15,
} as const;

export const CONDITIONS = Status.C0 | Status.C2 | Status.C3;
const EXCEPTIONS = 0x3f;

/** Raises #NM where CR0 does not let x87 instructions through. */
export function checkX87(m: Machine): void {
  if (m.cr0 & (CR0.EM | CR0.TS)) raise(m, Vector.NM);
}

/** Raises #MF for an exception that an earlier instruction left pending. */
export function raisePending(m: Machine): void {
  if (m.i32[FSW]! & Status.ES) raise(m, Vector.MF);
}

/** Sets ES and B as the flags and masks say. */
export function updateSummary(m: Machine): void {
  const unmasked = m.i32[FSW]! & ~m.i32[FCW]! & EXCEPTIONS;
  const summary = Status.ES | Status.B;
  m.i32[FSW] = unmasked ? m.i32[FSW]! | summary : m.i32[FSW]! & ~summary;
}

/** An instruction that waits for pending exceptions, and is remembered as the last one. */
export function waiting(execute: Execute): Execute {
  return (m, i) => {
    checkX87(m);
    raisePending(m);
    const address = i.a.kind === OperandKind.memory || i.b.kind === OperandKind.memory;
    const lo = address ? effectiveAddress(m, i) : 0;
    const hi = address ? m.hi : 0;
    execute(m, i);
    remember(m, i, address, lo, hi);
  };
}

/** FIP, FDP and FOP: where the last instruction that was no control instruction is, and its operand. */
function remember(m: Machine, i: Instruction, address: boolean, lo: number, hi: number): void {
  m.i32[State.fip >> 2] = m.startLo;
  m.i32[(State.fip >> 2) + 1] = m.startHi;
  if (!address) return;
  m.i32[State.fdp >> 2] = lo;
  m.i32[(State.fdp >> 2) + 1] = i.addressSize === 8 ? hi : 0;
}

// --- the register stack ---

export function top(m: Machine): number {
  return (m.i32[FSW]! >> Status.TOP_SHIFT) & 7;
}

export function setTop(m: Machine, value: number): void {
  m.i32[FSW] = (m.i32[FSW]! & ~(7 << Status.TOP_SHIFT)) | ((value & 7) << Status.TOP_SHIFT);
}

/** Offset in `m.view` of ST(n). */
export function stOffset(m: Machine, n: number): number {
  return State.fpr + ((top(m) + n) & 7) * 16;
}

export function isEmpty(m: Machine, n: number): boolean {
  return ((m.i32[FTW]! >> (((top(m) + n) & 7) * 2)) & 3) === 3;
}

/** Tags as they matter between instructions: 3 for empty, 0 for the rest. */
export function setTag(m: Machine, n: number, empty: boolean): void {
  const at = ((top(m) + n) & 7) * 2;
  m.i32[FTW] = (m.i32[FTW]! & ~(3 << at)) | ((empty ? 3 : 0) << at);
}

export function getSt(m: Machine, n: number): Float {
  const at = stOffset(m, n);
  return unpackExtended(m.view.getBigUint64(at, true), m.view.getUint16(at + 8, true));
}

export function setSt(m: Machine, n: number, value: Float): void {
  const { significand, signAndExponent } = packExtended(value);
  const at = stOffset(m, n);
  m.view.setBigUint64(at, significand, true);
  m.view.setUint16(at + 8, signAndExponent, true);
  setTag(m, n, false);
}

export function popStack(m: Machine): void {
  setTag(m, 0, true);
  setTop(m, top(m) + 1);
}

// --- the end of an instruction ---

const environment: Environment = {
  rounding: 0,
  masks: 0,
  flushToZero: false,
  wrapsExponent: true,
  flags: 0,
  roundedUp: false,
};

/** What the control word asks for, with no exceptions raised. */
export function x87Environment(m: Machine): Environment {
  const control = m.i32[FCW]!;
  environment.rounding = (control >> 10) & 3;
  environment.masks = control & EXCEPTIONS;
  environment.flags = 0;
  environment.roundedUp = false;
  environment.wrapsExponent = true;
  return environment;
}

const PRECISIONS: readonly Format[] = [EXTENDED_TO_24, EXTENDED, EXTENDED_TO_53, EXTENDED];

/** The format that precision control rounds arithmetic results to. */
export function precision(m: Machine): Format {
  return PRECISIONS[(m.i32[FCW]! >> 8) & 3]!;
}

const BEFORE = Exception.IE | Exception.DE | Exception.ZE;

/**
 * Adds what was raised to the status word, and C1. Returns whether the result may be stored: not where an invalid
 * operation, denormal operand or division by zero is unmasked. `stores`: nor where overflow or underflow is (memory).
 */
export function conclude(m: Machine, env: Environment, toMemory = false): boolean {
  const unmaskedBefore = env.flags & BEFORE & ~env.masks;
  let flags = unmaskedBefore ? env.flags & (BEFORE | Status.SF) : env.flags;
  // Nothing is rounded where nothing is stored.
  if (toMemory && flags & ~env.masks & (Exception.OE | Exception.UE)) flags &= ~Exception.PE;
  const c1 = env.roundedUp && !unmaskedBefore && flags & Exception.PE ? Status.C1 : 0;
  m.i32[FSW] = (m.i32[FSW]! & ~Status.C1) | flags | c1;
  updateSummary(m);
  const blocking = toMemory ? BEFORE | Exception.OE | Exception.UE : BEFORE;
  return (flags & ~env.masks & blocking) === 0;
}

/** Stack overflow (`c1` 1) or underflow (0). Returns whether the indefinite value takes the result's place. */
export function stackFault(m: Machine, overflow: boolean): boolean {
  const c1 = overflow ? Status.C1 : 0;
  m.i32[FSW] = (m.i32[FSW]! & ~Status.C1) | Exception.IE | Status.SF | c1;
  updateSummary(m);
  return (m.i32[FCW]! & Exception.IE) !== 0;
}

/** Pushes a value that is ready; the exceptions of getting it have been concluded. */
export function pushValue(m: Machine, value: Float): void {
  setTop(m, top(m) - 1);
  setSt(m, 0, value);
}

/**
 * Pushes what `make` gives, unless the stack is full or an unmasked exception forbids it: of a load, only an invalid
 * operation does (SDM Vol. 2A, "FLD", note).
 */
export function pushResult(m: Machine, make: (env: Environment) => Float, isLoad = false): void {
  const isFull = !isEmpty(m, 7);
  if (isFull) {
    if (stackFault(m, true)) pushValue(m, INDEFINITE);
    return;
  }
  const env = x87Environment(m);
  const value = make(env);
  const mayPush = conclude(m, env);
  if (mayPush || (isLoad && (env.flags & ~env.masks & Exception.IE) === 0)) pushValue(m, value);
}

/** Stores to ST(n) what `make` gives from the registers `sources`, which must not be empty. Returns whether it did. */
export function storeResult(
  m: Machine,
  n: number,
  sources: readonly number[],
  make: (env: Environment) => Float,
): boolean {
  if (sources.some((source) => isEmpty(m, source))) {
    if (!stackFault(m, false)) return false;
    setSt(m, n, INDEFINITE);
    return true;
  }
  const env = x87Environment(m);
  const value = make(env);
  if (!conclude(m, env)) return false;
  setSt(m, n, value);
  return true;
}
