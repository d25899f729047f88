/** A console in memory: for tests, for a page, for a caller that wants a program's output as bytes. */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import { type FileStat, type OpenFile, S_IF } from "../host/open-file.js";
import { consolePlugin } from "./console.js";
import { checkedFields } from "./options.js";

export interface MemoryConsoleOptions {
  /** What standard input holds; then it ends. Default: nothing. */
  readonly stdin?: Uint8Array | string;
  /** Called with what the guest writes; the bytes are the callee's. Default: output is dropped. */
  readonly onOutput?: (stream: "stdout" | "stderr", bytes: Uint8Array) => void;
}

export const memoryConsole = consolePlugin(
  { module: import.meta.url, export: "memoryConsole" },
  (options) => checkedFields(options, ["stdin", "onOutput"]) as MemoryConsoleOptions,
  ({ options: { stdin = "", onOutput = () => {} } }) => ({
    stdin: new InputBytes(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin),
    stdout: new OutputCallback((bytes) => onOutput("stdout", bytes)),
    stderr: new OutputCallback((bytes) => onOutput("stderr", bytes)),
  }),
);

const PIPE: FileStat = {
  dev: 0n,
  ino: 0n,
  nlink: 1n,
  mode: S_IF.FIFO | 0o600,
  rdev: 0n,
  size: 0n,
  atimeNs: 0n,
  mtimeNs: 0n,
  ctimeNs: 0n,
};

/** What a stream in memory answers to everything but its own direction: it is a pipe. */
class MemoryPipe implements OpenFile {
  readonly terminal = undefined;

  read(_views: readonly Uint8Array[]): number {
    return -ERRNO.EBADF;
  }

  write(_views: readonly Uint8Array[]): number {
    return -ERRNO.EBADF;
  }

  remaining(): number | undefined {
    return undefined;
  }

  seek(): number {
    return -ERRNO.ESPIPE;
  }

  stat(): FileStat {
    return PIPE;
  }

  close(): void {}
}

class InputBytes extends MemoryPipe {
  #rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    super();
    this.#rest = bytes;
  }

  override read(views: readonly Uint8Array[]): number {
    let count = 0;
    for (const view of views) {
      const piece = this.#rest.subarray(0, view.length);
      view.set(piece);
      this.#rest = this.#rest.subarray(piece.length);
      count += piece.length;
    }
    return count;
  }

  override remaining(): number {
    return this.#rest.length;
  }
}

class OutputCallback extends MemoryPipe {
  readonly #take: (bytes: Uint8Array) => void;

  constructor(take: (bytes: Uint8Array) => void) {
    super();
    this.#take = take;
  }

  override write(views: readonly Uint8Array[]): number {
    let count = 0;
    for (const view of views) {
      if (view.length > 0) this.#take(view.slice());
      count += view.length;
    }
    return count;
  }
}
