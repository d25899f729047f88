/**
 * Files in memory: the root that a guest has without mounts, and its bounded /tmp.
 *
 * A budget is shared by all files of a tree; it counts bytes and files, so that neither large files nor many empty
 * ones exhaust the host.
 */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import { errno } from "./errno.js";
import type { FileNode } from "./file-system.js";
import { canRead, canWrite, type FileStat, O, type OpenFile, S_IF, SEEK } from "./open-file.js";

/** What a file costs beside its bytes. */
const NODE_BYTES = 256;
const FIRST_CAPACITY = 256;

export class MemoryBudget {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  get left(): number {
    return this.#left;
  }

  /** Errors: ENOSPC. */
  take(bytes: number): void {
    if (bytes > this.#left) throw errno("ENOSPC");
    this.#left -= bytes;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

let nextInode = 1n;

abstract class MemoryNode implements FileNode {
  abstract readonly kind: FileNode["kind"];
  readonly ino = nextInode++;
  protected times = nowNs();

  abstract stat(): FileStat;
  abstract open(flags: number): OpenFile;

  lookup(_name: string): FileNode {
    throw errno("ENOTDIR");
  }

  readlink(): string {
    throw errno("EINVAL");
  }

  create(_name: string, _flags: number, _mode: number): OpenFile {
    throw errno("ENOTDIR");
  }

  unlink(_name: string): void {
    throw errno("ENOTDIR");
  }

  close(): void {}

  touch(): void {
    this.times = nowNs();
  }

  protected statOf(mode: number, size: number): FileStat {
    const { times, ino } = this;
    return {
      dev: 1n,
      ino,
      nlink: 1n,
      mode,
      rdev: 0n,
      size: BigInt(size),
      atimeNs: times,
      mtimeNs: times,
      ctimeNs: times,
    };
  }
}

const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

export class MemoryDirectory extends MemoryNode {
  readonly kind = "directory";
  readonly #children = new Map<string, MemoryNode>();
  readonly #budget: MemoryBudget;
  readonly #mode: number;

  constructor(budget: MemoryBudget, mode = 0o755) {
    super();
    this.#budget = budget;
    this.#mode = mode;
  }

  override lookup(name: string): FileNode {
    const child = this.#children.get(name);
    if (child === undefined) throw errno("ENOENT");
    return child;
  }

  /** The directory at `path`, made with those above it where they are missing. */
  directory(path: string): MemoryDirectory {
    let at: MemoryDirectory = this;
    for (const name of path.split("/").filter(Boolean)) {
      const child = at.#children.get(name) ?? new MemoryDirectory(this.#budget);
      if (!(child instanceof MemoryDirectory)) throw errno("ENOTDIR");
      at.#children.set(name, child);
      at = child;
    }
    return at;
  }

  /** Puts a file with `data` at `path`, for the host that prepares a tree. */
  addFile(path: string, data: Uint8Array, mode = 0o644): void {
    const slash = path.lastIndexOf("/");
    const parent = this.directory(path.slice(0, Math.max(0, slash)));
    const file = new MemoryFile(this.#budget, mode);
    file.writeAt(0, [data]);
    parent.#children.set(path.slice(slash + 1), file);
  }

  override create(name: string, flags: number, mode: number): OpenFile {
    if (this.#children.has(name)) throw errno("EEXIST");
    this.#budget.take(NODE_BYTES + name.length);
    const file = new MemoryFile(this.#budget, mode & 0o777);
    this.#children.set(name, file);
    this.touch();
    return file.open(flags);
  }

  override unlink(name: string): void {
    const child = this.lookup(name);
    if (!(child instanceof MemoryFile)) throw errno("EISDIR");
    this.#children.delete(name);
    this.touch();
    this.#budget.give(NODE_BYTES + name.length);
    child.unlinked();
  }

  override stat(): FileStat {
    return this.statOf(S_IF.DIR | this.#mode, 0);
  }

  override open(flags: number): OpenFile {
    if (canWrite(flags)) throw errno("EISDIR");
    return new OpenDirectory(this);
  }
}

class OpenDirectory implements OpenFile {
  readonly terminal = undefined;
  readonly #node: FileNode;

  constructor(node: FileNode) {
    this.#node = node;
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
    return this.#node.stat();
  }

  close(): void {}
}

export class MemoryFile extends MemoryNode {
  readonly kind = "file";
  #data = new Uint8Array(0);
  #size = 0;
  #opens = 0;
  #linked = true;
  readonly #budget: MemoryBudget;
  readonly #mode: number;

  constructor(budget: MemoryBudget, mode: number) {
    super();
    this.#budget = budget;
    this.#mode = mode;
  }

  get size(): number {
    return this.#size;
  }

  override stat(): FileStat {
    return this.statOf(S_IF.REG | this.#mode, this.#size);
  }

  override open(flags: number): OpenFile {
    if (flags & O.TRUNC && canWrite(flags)) this.truncate(0);
    this.#opens++;
    return new OpenMemoryFile(this, flags);
  }

  /** The last name is gone; the bytes go with the last descriptor. */
  unlinked(): void {
    this.#linked = false;
    this.#release();
  }

  closed(): void {
    this.#opens--;
    this.#release();
  }

  readAt(position: number, views: readonly Uint8Array[]): number {
    let at = position;
    for (const view of views) {
      const piece = this.#data.subarray(Math.min(at, this.#size), Math.min(at + view.length, this.#size));
      view.set(piece);
      at += piece.length;
    }
    return at - position;
  }

  /** Errors: ENOSPC, and then nothing is written. */
  writeAt(position: number, views: readonly Uint8Array[]): number {
    const length = views.reduce((sum, view) => sum + view.length, 0);
    this.#reserve(position + length);
    let at = position;
    for (const view of views) {
      this.#data.set(view, at);
      at += view.length;
    }
    this.#size = Math.max(this.#size, at);
    this.touch();
    return length;
  }

  truncate(size: number): void {
    this.#reserve(size);
    this.#data.fill(0, size);
    this.#size = size;
    this.touch();
  }

  #reserve(size: number): void {
    if (size <= this.#data.length) return;
    const roomy = Math.max(FIRST_CAPACITY, 2 * this.#data.length);
    const capacity = Math.max(size, Math.min(roomy, this.#data.length + this.#budget.left));
    this.#budget.take(capacity - this.#data.length);
    const grown = new Uint8Array(capacity);
    grown.set(this.#data.subarray(0, this.#size));
    this.#data = grown;
  }

  #release(): void {
    if (this.#linked || this.#opens > 0) return;
    this.#budget.give(this.#data.length);
    this.#data = new Uint8Array(0);
    this.#size = 0;
  }
}

class OpenMemoryFile implements OpenFile {
  readonly terminal = undefined;
  readonly #file: MemoryFile;
  readonly #flags: number;
  #position = 0;

  constructor(file: MemoryFile, flags: number) {
    this.#file = file;
    this.#flags = flags;
  }

  read(views: readonly Uint8Array[]): number {
    if (!canRead(this.#flags)) return -ERRNO.EBADF;
    const count = this.#file.readAt(this.#position, views);
    this.#position += count;
    return count;
  }

  write(views: readonly Uint8Array[]): number {
    if (!canWrite(this.#flags)) return -ERRNO.EBADF;
    if (this.#flags & O.APPEND) this.#position = this.#file.size;
    const count = this.#file.writeAt(this.#position, views);
    this.#position += count;
    return count;
  }

  remaining(): number {
    return Math.max(0, this.#file.size - this.#position);
  }

  seek(offset: bigint, whence: number): bigint | number {
    const base =
      whence === SEEK.SET
        ? 0
        : whence === SEEK.CUR
          ? this.#position
          : whence === SEEK.END
            ? this.#file.size
            : undefined;
    if (base === undefined) return -ERRNO.EINVAL;
    const position = BigInt(base) + offset;
    if (position < 0n || position > BigInt(Number.MAX_SAFE_INTEGER)) return -ERRNO.EINVAL;
    this.#position = Number(position);
    return position;
  }

  stat(): FileStat {
    return this.#file.stat();
  }

  close(): void {
    this.#file.closed();
  }
}
