/** A guest's file descriptors. */
import { errno } from "./errno.js";
import type { OpenFile } from "./open-file.js";

export interface Descriptor {
  readonly file: OpenFile;
  /** For a directory: its path in the guest, for the calls that start from it. */
  readonly directory?: string | undefined;
}

export class DescriptorTable {
  readonly #entries: (Descriptor | undefined)[] = [];
  readonly #limit: number;

  /** `limit`: descriptors that can be open at once. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The lowest free number for `descriptor`. Errors: EMFILE. */
  add(descriptor: Descriptor): number {
    const free = this.lowestFree();
    this.#entries[free] = descriptor;
    return free;
  }

  /** Errors: EMFILE. */
  lowestFree(): number {
    let fd = 0;
    while (this.#entries[fd] !== undefined) fd++;
    if (fd >= this.#limit) throw errno("EMFILE");
    return fd;
  }

  /** Puts `descriptor` at `fd`; what was there is closed. */
  install(fd: number, descriptor: Descriptor): void {
    this.#entries[fd]?.file.close();
    this.#entries[fd] = descriptor;
  }

  /** Errors: EBADF. */
  get(fd: number): Descriptor {
    const entry = this.#entries[fd];
    if (entry === undefined) throw errno("EBADF");
    return entry;
  }

  /** Errors: EBADF. */
  close(fd: number): void {
    const { file } = this.get(fd);
    this.#entries[fd] = undefined;
    file.close();
  }

  closeAll(): void {
    for (const entry of this.#entries) entry?.file.close();
    this.#entries.length = 0;
  }
}
