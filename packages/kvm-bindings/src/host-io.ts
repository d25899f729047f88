/**
 * Host input and output that a StopSource ends. node:fs blocks in read(2), out of reach of any time limit; these
 * calls wait with poll(2) on the descriptor and on the stop's wake-up descriptor.
 *
 * Results are what the system call returns: bytes, or -errno as a negative number. -EINTR means that `stop` stopped.
 */

import { checkpoint } from "./checkpoint.js";
import { arrayOf, instanceOf, integerOf } from "./checks.js";
import { KvmError } from "./errors.js";
import { failure, handleOf } from "./handled.js";
import { NATIVE, type NativeHandle, native } from "./load-native.js";
import { StopSource } from "./stop-source.js";

export interface TransferOptions {
  readonly stop?: StopSource;
  /** Byte offset in the file (preadv(2), pwritev(2)); absent: the descriptor's own position. */
  readonly position?: number;
}

/** Events of poll(2). */
export const POLL = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 16, NVAL: 32 } as const;

/** Calls `attempt` again for as long as it was only interrupted, for a look at whether the thread should end. */
function uninterrupted(what: string, attempt: () => number): number {
  for (;;) {
    const result = attempt();
    if (result >= -4095) return result;
    if (result !== NATIVE.INTERRUPTED) throw failure(result, what);
    checkpoint();
  }
}

function stopOf(what: string, stop: StopSource | undefined): NativeHandle | undefined {
  return instanceOf(`${what}: stop`, stop, StopSource) && handleOf(stop!);
}

function viewsOf(what: string, views: readonly Uint8Array[]): readonly Uint8Array[] {
  for (const view of arrayOf(`${what}: views`, views)) {
    if (view instanceof Uint8Array) continue;
    throw new KvmError("ERR_KVM_ARGUMENT", { what: `${what}: a view`, value: view, allowed: "a Uint8Array" });
  }
  return views;
}

function positionOf({ position }: TransferOptions): number {
  return position === undefined ? -1 : integerOf("position", position, 0, Number.MAX_SAFE_INTEGER);
}

/** Reads once into the views, in order: bytes read, 0 at the end of the file, or -errno. */
function read(fd: number, views: readonly Uint8Array[], options: TransferOptions = {}): number {
  const position = positionOf(options);
  integerOf("hostIo.read: fd", fd, 0, 2 ** 31 - 1);
  const stop = stopOf("hostIo.read", options.stop);
  viewsOf("hostIo.read", views);
  return uninterrupted("hostIo.read", () => native().read(fd, views, 0, stop, position));
}

/**
 * Writes all views, continuing after partial writes: bytes written, or -errno where nothing was. A stop or an error
 * after a part returns that part. A closed pipe is -EPIPE; SIGPIPE is never raised.
 */
function write(fd: number, views: readonly Uint8Array[], options: TransferOptions = {}): number {
  const position = positionOf(options);
  integerOf("hostIo.write: fd", fd, 0, 2 ** 31 - 1);
  const stop = stopOf("hostIo.write", options.stop);
  let rest = viewsOf("hostIo.write", views);
  let written = 0;
  for (;;) {
    const at = position < 0 ? -1 : position + written;
    const result = uninterrupted("hostIo.write", () => native().write(fd, rest, 0, stop, at));
    if (result < 0) return written > 0 ? written : result;
    written += result;
    rest = after(rest, result);
    if (rest.length === 0 || result === 0) return written;
  }
}

/** What is left of the views after `count` bytes. */
function after(views: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (const [i, view] of views.entries()) {
    if (left < view.length) return [view.subarray(left), ...views.slice(i + 1)];
    left -= view.length;
  }
  return [];
}

/** Waits for events (POLL) of a descriptor: those that are ready, 0 after `timeoutMs`, or -errno. */
function poll(
  fd: number,
  events: number,
  options: { readonly stop?: StopSource; readonly timeoutMs?: number } = {},
): number {
  integerOf("hostIo.poll: fd", fd, -1, 2 ** 31 - 1);
  return wait("hostIo.poll", fd, events, options.timeoutMs, options.stop);
}

/** Sleeps: 0, or -EINTR when stopped. */
function sleep(ms: number, stop?: StopSource): number {
  return wait("hostIo.sleep", -1, 0, ms, stop);
}

function wait(
  what: string,
  fd: number,
  events: number,
  ms: number | undefined,
  stop: StopSource | undefined,
): number {
  const deadline = ms === undefined ? Number.POSITIVE_INFINITY : performance.now() + ms;
  if (Number.isNaN(deadline))
    throw new KvmError("ERR_KVM_ARGUMENT", { what, value: ms, allowed: "milliseconds" });
  const handle = stopOf(what, stop);
  return uninterrupted(what, () => {
    const left = Math.max(0, Math.ceil(deadline - performance.now()));
    const timeout = left === Number.POSITIVE_INFINITY ? -1 : Math.min(left, 2 ** 31 - 1);
    return native().poll(fd, events, timeout, handle);
  });
}

/**
 * openat2(2) with RESOLVE_BENEATH: a path that cannot leave `directory`, by `..` or by link. A descriptor
 * (close-on-exec), or -errno: -EXDEV for a path that leaves, -ENOSYS before Linux 5.6.
 */
function openBeneath(directory: number, path: string, flags: number, mode = 0): number {
  integerOf("hostIo.openBeneath: directory", directory, 0, 2 ** 31 - 1);
  return uninterrupted("hostIo.openBeneath", () => native().openBeneath(directory, path, flags, mode));
}

/** eventfd(2), close-on-exec; `flags` of <sys/eventfd.h>: 1 semaphore, 2048 non-blocking. A descriptor, or -errno. */
function eventfd(initial = 0, flags = 0): number {
  return native().eventfd(initial, flags);
}

export const hostIo = { read, write, poll, sleep, openBeneath, eventfd } as const;
