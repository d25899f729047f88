/**
 * How an instruction ends early. An exception or an exit to the VMM is described in the machine's fields and
 * then thrown as one of two constants: they unwind an instruction from any depth, and make no stack trace.
 * Nothing is thrown through WebAssembly frames.
 */
import { Vector } from "./architecture.js";
import type { ExternalAccess, Machine } from "./machine.js";

/** An exception: `faultVector` and `faultError` say which. */
export const FAULT = Object.freeze({ thrown: "fault" });
/** The VMM has to make `pending` before the instruction can start again. */
export const EXIT = Object.freeze({ thrown: "exit" });
/** What this processor does not have (task switches, 32-bit paging): KVM_EXIT_INTERNAL_ERROR. */
export const UNSUPPORTED = Object.freeze({ thrown: "unsupported" });

/** Raises an exception; `error` is its error code where the vector has one. */
export function raise(m: Machine, vector: number, error = 0): never {
  m.faultVector = vector;
  m.faultError = error;
  throw FAULT;
}

export function raiseUd(m: Machine): never {
  raise(m, Vector.UD);
}

export function raiseGp(m: Machine, error = 0): never {
  raise(m, Vector.GP, error);
}

/** Raises #PF with CR2 = the linear address. */
export function raisePageFault(m: Machine, lo: number, hi: number, error: number): never {
  m.faultLo = lo;
  m.faultHi = hi;
  raise(m, Vector.PF, error);
}

/**
 * Makes an access through the VMM: returns the one that it has made when the instruction runs again, else leaves.
 * Accesses repeat in the same order, because an instruction commits nothing before its last access.
 */
export function external(m: Machine, access: ExternalAccess): ExternalAccess {
  if (m.replayed < m.done.length) return m.done[m.replayed++]!;
  m.pending = access;
  throw EXIT;
}

/** Hands an access to the VMM that nothing waits for: the instruction completes, and the exit follows it. */
export function post(m: Machine, access: ExternalAccess): void {
  m.pending = access;
  m.attention = true;
}
