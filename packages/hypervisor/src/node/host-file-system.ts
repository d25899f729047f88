/**
 * Host directories as trees that can be mounted.
 *
 * A node is a descriptor opened with O_PATH: it names one file, whatever happens to its path. Names are looked up
 * below it one at a time and without following links, so nothing outside the mounted directory can be reached, and
 * nobody can move a link in between.
 */
import { closeSync, readlinkSync, unlinkSync } from "node:fs";
import { errno, errnoName } from "../host/errno.js";
import type { FileNode } from "../host/file-system.js";
import { type FileStat, O, type OpenFile, S_IF } from "../host/open-file.js";
import type { StopSource } from "../host/stop-source.js";
import { decodeText } from "../memory/text.js";
import { DirectoryFile, RegularFile, StreamFile, statDescriptor } from "./descriptor-file.js";
import { answered, openAt, openPath, pathBelow } from "./host-io.js";

const KINDS: Readonly<Record<number, FileNode["kind"]>> = {
  [S_IF.REG]: "file",
  [S_IF.DIR]: "directory",
  [S_IF.LNK]: "symlink",
};

/** What of a guest's flags reaches the host. */
const PASSED_FLAGS = O.ACCMODE | O.TRUNC | O.APPEND;

/** Device numbers of null, zero, full, random, urandom (Linux "devices.txt"): the only devices that a guest gets. */
const HARMLESS_DEVICES: ReadonlySet<bigint> = new Set([0x103n, 0x105n, 0x107n, 0x108n, 0x109n]);

/** Where a node was found. */
interface Origin {
  readonly directory: number;
  readonly name: string;
}

export class HostNode implements FileNode {
  readonly kind: FileNode["kind"];
  readonly #fd: number;
  readonly #origin: Origin | undefined;
  readonly #stop: StopSource;

  private constructor(fd: number, stop: StopSource, origin?: Origin) {
    this.#fd = fd;
    this.#stop = stop;
    this.#origin = origin;
    try {
      this.kind = KINDS[statDescriptor(fd).mode & S_IF.MT] ?? "other";
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** The directory or file at a path of the host; links in it are followed. Errors: errno. */
  static root(path: string, stop: StopSource): HostNode {
    return new HostNode(checked(openPath(path, O.PATH | O.CLOEXEC)), stop);
  }

  lookup(name: string): FileNode {
    const fd = checked(openAt(this.#fd, name, O.PATH | O.CLOEXEC));
    return new HostNode(fd, this.#stop, { directory: this.#fd, name });
  }

  readlink(): string {
    const { directory, name } = this.#known();
    let target: Buffer | undefined;
    checked(
      answered(() => {
        target = readlinkSync(pathBelow(directory, name), "buffer");
      }),
    );
    return decodeText(target!);
  }

  stat(): FileStat {
    return statDescriptor(this.#fd);
  }

  open(flags: number): OpenFile {
    this.#checkKind();
    // The mounted path itself has no name below a directory; its descriptor names it.
    if (this.#origin === undefined) {
      return this.#opened(openPath(`/proc/self/fd/${this.#fd}`, hostFlags(flags)), flags);
    }
    const { directory, name } = this.#origin;
    return this.#opened(openAt(directory, name, hostFlags(flags)), flags);
  }

  create(name: string, flags: number, mode: number): OpenFile {
    return this.#opened(openAt(this.#fd, name, hostFlags(flags) | O.CREAT | O.EXCL, mode & 0o777), flags);
  }

  unlink(name: string): void {
    checked(answered(() => unlinkSync(pathBelow(this.#fd, name))));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #known(): Origin {
    if (this.#origin === undefined) throw errno("EINVAL");
    return this.#origin;
  }

  /** Opening a device can do something; a socket cannot be opened. */
  #checkKind(): void {
    if (this.kind !== "other") return;
    const { mode, rdev } = this.stat();
    const type = mode & S_IF.MT;
    if (type === S_IF.FIFO || (type === S_IF.CHR && HARMLESS_DEVICES.has(rdev))) return;
    throw errno(type === S_IF.CHR ? "EACCES" : "ENXIO");
  }

  /** The name may lead elsewhere by now, though never outside; so the type is looked at again. */
  #opened(result: number, flags: number): OpenFile {
    const fd = checked(result);
    try {
      const type = statDescriptor(fd).mode & S_IF.MT;
      if (type === S_IF.REG) return new RegularFile(fd, flags, this.#stop);
      if (type === S_IF.DIR) return new DirectoryFile(fd);
      if (type === S_IF.FIFO || type === S_IF.CHR) return new StreamFile(fd, this.#stop, { owned: true });
      throw errno("ENXIO");
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
}

/** Without O_NONBLOCK opening a FIFO would wait for its other end. */
const hostFlags = (flags: number): number => (flags & PASSED_FLAGS) | O.NONBLOCK | O.CLOEXEC;

/** Errors: errno for a negative result. */
function checked(result: number): number {
  if (result >= 0) return result;
  throw errno(errnoName(-result) ?? "EIO");
}
