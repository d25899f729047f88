/** An open file over a descriptor of the host. */
import { type BigIntStats, closeSync, fstatSync } from "node:fs";
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import { errno, errnoName } from "../host/errno.js";
import { canRead, canWrite, type FileStat, O, type OpenFile, S_IF, SEEK } from "../host/open-file.js";
import type { StopSource } from "../host/stop-source.js";
import { errnoOf, hostIo } from "./host-io.js";

type Views = readonly Uint8Array[];

/** Views that one call of the host takes; more go in turns. */
const VIEWS_PER_CALL = 64;

/** fstat(2) of a descriptor. Errors: errno. */
export function statDescriptor(fd: number): FileStat {
  try {
    return fileStat(fstatSync(fd, { bigint: true }));
  } catch (error) {
    throw errno(errnoName(errnoOf(error)) ?? "EIO");
  }
}

const fileStat = ({
  dev,
  ino,
  nlink,
  mode,
  rdev,
  size,
  atimeNs,
  mtimeNs,
  ctimeNs,
}: BigIntStats): FileStat => ({
  dev,
  ino,
  nlink,
  mode: Number(mode),
  rdev,
  size,
  atimeNs,
  mtimeNs,
  ctimeNs,
});

/** A regular file that this process opened: it has a position of its own. */
export class RegularFile implements OpenFile {
  readonly terminal = undefined;
  readonly #fd: number;
  readonly #flags: number;
  readonly #stop: StopSource;
  #position = 0;

  constructor(fd: number, flags: number, stop: StopSource) {
    this.#fd = fd;
    this.#flags = flags;
    this.#stop = stop;
  }

  read(views: Views): number {
    if (!canRead(this.#flags)) return -ERRNO.EBADF;
    let count = 0;
    for (let at = 0; at < views.length; at += VIEWS_PER_CALL) {
      const turn = views.slice(at, at + VIEWS_PER_CALL);
      const result = this.#readAll(turn);
      if (result < 0) return count > 0 ? count : result;
      count += result;
      if (result < byteLength(turn)) break;
    }
    return count;
  }

  /** A read of a file gives fewer bytes than asked for only at its end, or where it is interrupted. */
  #readAll(views: Views): number {
    const result = hostIo.read(this.#fd, views, this.#stop, this.#position);
    if (result > 0) this.#position += result;
    return result;
  }

  write(views: Views): number {
    if (!canWrite(this.#flags)) return -ERRNO.EBADF;
    if (this.#flags & O.APPEND) this.#position = this.#size();
    const result = hostIo.write(this.#fd, views, this.#stop, this.#position);
    if (result > 0) this.#position += result;
    return result;
  }

  remaining(): number {
    return Math.max(0, this.#size() - this.#position);
  }

  seek(offset: bigint, whence: number): bigint | number {
    if (whence !== SEEK.SET && whence !== SEEK.CUR && whence !== SEEK.END) return -ERRNO.EINVAL;
    const base = whence === SEEK.SET ? 0 : whence === SEEK.CUR ? this.#position : this.#size();
    const position = BigInt(base) + offset;
    if (position < 0n || position > BigInt(Number.MAX_SAFE_INTEGER)) return -ERRNO.EINVAL;
    this.#position = Number(position);
    return position;
  }

  stat(): FileStat {
    return statDescriptor(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #size(): number {
    return Number(this.stat().size);
  }
}

const byteLength = (views: Views): number => views.reduce((sum, { length }) => sum + length, 0);

/** A pipe, a terminal or a file that someone else opened: read and written where it stands. */
export class StreamFile implements OpenFile {
  readonly terminal: OpenFile["terminal"];
  readonly #fd: number;
  readonly #owned: boolean;
  readonly #stop: StopSource;

  constructor(fd: number, stop: StopSource, options: { owned: boolean; terminal?: OpenFile["terminal"] }) {
    this.#fd = fd;
    this.#stop = stop;
    this.#owned = options.owned;
    this.terminal = options.terminal;
  }

  read(views: Views): number {
    return hostIo.read(this.#fd, views.slice(0, VIEWS_PER_CALL), this.#stop);
  }

  write(views: Views): number {
    return hostIo.write(this.#fd, views, this.#stop);
  }

  remaining(): undefined {
    return undefined;
  }

  seek(): number {
    return -ERRNO.ESPIPE;
  }

  stat(): FileStat {
    return statDescriptor(this.#fd);
  }

  close(): void {
    if (this.#owned) closeSync(this.#fd);
  }
}

/** A directory that is open for openat(2) and fstat(2). */
export class DirectoryFile implements OpenFile {
  readonly terminal = undefined;
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  read(): number {
    return -ERRNO.EISDIR;
  }

  write(): number {
    return -ERRNO.EBADF;
  }

  remaining(): undefined {
    return undefined;
  }

  seek(): number {
    return 0;
  }

  stat(): FileStat {
    return statDescriptor(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

export const isRegular = ({ mode }: FileStat): boolean => (mode & S_IF.MT) === S_IF.REG;
