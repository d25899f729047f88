/**
 * A tree whose files may not grow beyond a size: what RLIMIT_FSIZE is to a process (setrlimit(2)), without its signal.
 */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import type { FileNode } from "./file-system.js";
import { canWrite, type FileStat, O, type OpenFile, SEEK } from "./open-file.js";

/** The same tree; a write beyond `maxBytes` of a file is cut there, and -EFBIG where nothing is left. */
export class LimitedTree implements FileNode {
  readonly #node: FileNode;
  readonly #maxBytes: number;

  constructor(node: FileNode, maxBytes: number) {
    this.#node = node;
    this.#maxBytes = maxBytes;
  }

  get kind(): FileNode["kind"] {
    return this.#node.kind;
  }

  lookup(name: string): FileNode {
    return new LimitedTree(this.#node.lookup(name), this.#maxBytes);
  }

  readlink(): string {
    return this.#node.readlink();
  }

  stat(): FileStat {
    return this.#node.stat();
  }

  open(flags: number): OpenFile {
    return this.#limited(this.#node.open(flags), flags);
  }

  create(name: string, flags: number, mode: number): OpenFile {
    return this.#limited(this.#node.create(name, flags, mode), flags);
  }

  unlink(name: string): void {
    this.#node.unlink(name);
  }

  close(): void {
    this.#node.close();
  }

  #limited(file: OpenFile, flags: number): OpenFile {
    return canWrite(flags) ? new LimitedFile(file, flags, this.#maxBytes) : file;
  }
}

class LimitedFile implements OpenFile {
  readonly #file: OpenFile;
  readonly #appends: boolean;
  readonly #maxBytes: number;

  constructor(file: OpenFile, flags: number, maxBytes: number) {
    this.#file = file;
    this.#appends = (flags & O.APPEND) !== 0;
    this.#maxBytes = maxBytes;
  }

  get terminal(): OpenFile["terminal"] {
    return this.#file.terminal;
  }

  read(views: readonly Uint8Array[]): number {
    return this.#file.read(views);
  }

  write(views: readonly Uint8Array[]): number {
    const pieces = this.#allowed(views);
    if (pieces.length === 0 && views.some(({ length }) => length > 0)) return -ERRNO.EFBIG;
    return this.#file.write(pieces);
  }

  remaining(): number | undefined {
    return this.#file.remaining();
  }

  seek(offset: bigint, whence: number): bigint | number {
    return this.#file.seek(offset, whence);
  }

  stat(): FileStat {
    return this.#file.stat();
  }

  close(): void {
    this.#file.close();
  }

  /** What of `views` lies below the limit. What has no position, such as a device, has no size to limit. */
  #allowed(views: readonly Uint8Array[]): readonly Uint8Array[] {
    const position = this.#file.seek(0n, this.#appends ? SEEK.END : SEEK.CUR);
    if (position < 0) return views;
    let left = this.#maxBytes - Number(position);
    const pieces: Uint8Array[] = [];
    for (const view of views) {
      if (left <= 0) break;
      pieces.push(view.subarray(0, left));
      left -= view.length;
    }
    return pieces;
  }
}
