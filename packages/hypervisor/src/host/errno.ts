/**
 * Errors that the guest may see.
 *
 * A handler throws `errno("EACCES")`; the guest gets -EACCES. Such an object says what to answer, not what went wrong
 * in the host, so it is made once per name, carries no stack, and costs nothing to throw.
 */
import { ERRNO, type ErrnoName } from "@kvmkit/guest-kernel/abi";

const MARK = Symbol.for("@kvmkit/hypervisor.Errno");

export class Errno extends Error {
  /** A plugin may have another copy of this package than the machine that runs it: what counts is the mark. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && MARK in value;
  }

  override readonly name = "Errno";
  readonly [MARK] = true;
  readonly errno: ErrnoName;
  /** The answer for the guest: the negative number. */
  readonly value: number;

  constructor(errno: ErrnoName) {
    super(errno);
    this.errno = errno;
    this.value = -ERRNO[errno];
  }
}

const known = new Map<ErrnoName, Errno>();

/** The error to throw for `name`. */
export function errno(name: ErrnoName): Errno {
  let error = known.get(name);
  if (error === undefined) {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    error = Object.freeze(new Errno(name));
    Error.stackTraceLimit = limit;
    known.set(name, error);
  }
  return error;
}

const namesByNumber: ReadonlyMap<number, ErrnoName> = /* @__PURE__ */ new Map(
  (Object.keys(ERRNO) as ErrnoName[]).map((name) => [ERRNO[name], name]),
);

/** The name of a positive error number, or undefined. */
export const errnoName = (value: number): ErrnoName | undefined => namesByNumber.get(value);

/** Largest error number that a result can carry: -4095 to -1 are errors (syscalls(2), "-MAX_ERRNO"). */
export const MAX_ERRNO = 4095;

/** What to answer for a host error number: itself where the guest knows it, else -EIO. */
export const toGuestErrno = (value: number): number => (namesByNumber.has(value) ? -value : -ERRNO.EIO);
