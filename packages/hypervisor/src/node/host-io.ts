/**
 * Input and output on descriptors, in Linux's terms: a count, or -errno.
 *
 * With a native stop source, one of kvm-bindings, a stop ends a call that blocks (-EINTR). Without, Node's own calls do the same work, and
 * one that blocks goes on until it is done.
 */
import { constants as fs, openSync, readvSync, writevSync } from "node:fs";
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import { toGuestErrno } from "../host/errno.js";
import { O } from "../host/open-file.js";
import type { StopSource } from "../host/stop-source.js";
import { encodeText, hasEscapedBytes } from "../memory/text.js";
import { bindings } from "./bindings.js";

type Views = readonly Uint8Array[];

export interface HostIo {
  /** Reads once into the views: bytes, 0 at the end. */
  read(fd: number, views: Views, stop: StopSource, position?: number): number;
  /** Writes the views, again after a part and after EAGAIN: bytes, fewer than given only where an error followed. */
  write(fd: number, views: Views, stop: StopSource, position?: number): number;
}

type NativeStop = InstanceType<NonNullable<typeof bindings>["StopSource"]>;

const attached = new WeakMap<StopSource, NativeStop>();

/** `stop` as the bindings of this copy of the package know it; undefined where it is none of theirs. */
function nativeStop(stop: StopSource): NativeStop | undefined {
  if (bindings === undefined) return undefined;
  if (stop instanceof bindings.StopSource) return stop;
  let known = attached.get(stop);
  if (known === undefined && typeof stop.id === "number") {
    known = bindings.StopSource.attach(stop.id);
    attached.set(stop, known);
  }
  return known;
}

export const hostIo: HostIo = {
  read(fd, views, source, position) {
    const stop = nativeStop(source);
    if (stop === undefined) return nodeIo.read(fd, views, source, position);
    return known(bindings!.hostIo.read(fd, views, position === undefined ? { stop } : { stop, position }));
  },
  write(fd, views, source, position) {
    const stop = nativeStop(source);
    if (stop === undefined) return nodeIo.write(fd, views, source, position);
    return known(bindings!.hostIo.write(fd, views, position === undefined ? { stop } : { stop, position }));
  },
};

/** A host errno that the guest's libc does not know becomes -EIO. */
const known = (result: number): number => (result < 0 ? toGuestErrno(-result) : result);

const RETRY_MS = 10;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

const nodeIo: HostIo = {
  read: (fd, views, stop, position) => retried(stop, () => readvSync(fd, views, position)),
  write(fd, views, stop, position) {
    let written = 0;
    for (let rest = views; rest.length > 0; ) {
      const at = position === undefined ? undefined : position + written;
      const result = retried(stop, () => writevSync(fd, rest, at));
      if (result < 0) return written > 0 ? written : result;
      written += result;
      rest = after(rest, result);
    }
    return written;
  },
};

/** Calls again while the descriptor is not ready and nothing has stopped the run. */
function retried(stop: StopSource, call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return -errnoOf(error);
    }
    if (stop.reason !== undefined) return -ERRNO.EINTR;
    Atomics.wait(sleeper, 0, 0, RETRY_MS);
  }
}

/** What is left of the views after `count` bytes. */
function after(views: Views, count: number): Views {
  let left = count;
  for (const [index, view] of views.entries()) {
    if (left < view.length) return [view.subarray(left), ...views.slice(index + 1)];
    left -= view.length;
  }
  return [];
}

/** The guest's error number for what node:fs threw. */
export function errnoOf(error: unknown): number {
  const { errno } = error as NodeJS.ErrnoException;
  return typeof errno === "number" ? -toGuestErrno(-errno) : ERRNO.EIO;
}

const EAGAIN_ATTEMPTS = 8;

/**
 * Opens one name below a directory without following a link: openat2(2) with RESOLVE_BENEATH, or where the host lacks
 * that, `/proc/self/fd/N/name`, which is openat(2). Result: a descriptor (close-on-exec), or -errno.
 */
export function openAt(directory: number, name: string, flags: number, mode = 0): number {
  // openat2(2) refuses what O_PATH does not use.
  const how = flags | fs.O_NOFOLLOW | (flags & O.PATH ? 0 : fs.O_NOCTTY);
  // The bindings take names as strings, which cannot carry every byte.
  const native = hasEscapedBytes(name) ? undefined : bindings?.hostIo;
  for (let attempt = 0; native !== undefined && attempt < EAGAIN_ATTEMPTS; attempt++) {
    // A rename elsewhere may disturb the resolution: EAGAIN (openat2(2)).
    const result = native.openBeneath(directory, name, how, mode);
    if (result === -ERRNO.ENOSYS || result === -ERRNO.EPERM) break;
    if (result !== -ERRNO.EAGAIN) return known(result);
  }
  return openPath(pathBelow(directory, name), how, mode);
}

/** The path of one name below an open directory, for the calls that Node has by path only. */
export const pathBelow = (directory: number, name: string): Buffer =>
  Buffer.from(encodeText(`/proc/self/fd/${directory}/${name}`));

/** `openSync` that answers as a system call does. */
export function openPath(path: string | Buffer, flags: number, mode?: number): number {
  return answered(() => openSync(path as string, flags, mode));
}

/** What node:fs returns, or -errno for what it throws. */
export function answered(call: () => unknown): number {
  try {
    const result = call();
    return typeof result === "number" ? result : 0;
  } catch (error) {
    return -errnoOf(error);
  }
}
