/**
 * Where the bytes of a file come from: memory, or ranges read on demand.
 *
 * All parsing is synchronous code over `FileBytes`. For an asynchronous source the bytes read so far are kept,
 * and code that needs others is run again after they have been read (`loadThen`), so that no parser exists twice.
 */
import { ElfError } from "./errors.js";

/** A file that is read by ranges: `read(offset, length)` returns exactly `length` bytes. */
export interface ElfSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

export interface AsyncElfSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>;
}

/** The whole file as far as a parser sees it; ranges are checked against `size` before they come here. */
export interface FileBytes {
  readonly size: number;
  slice(offset: number, length: number): Uint8Array;
}

export class MemoryBytes implements FileBytes {
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.byteLength;
  }

  slice(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(offset, offset + length);
  }
}

export class SourceBytes implements FileBytes {
  readonly size: number;
  readonly #source: ElfSource;

  constructor(source: ElfSource) {
    this.size = checkedSize(source);
    this.#source = source;
  }

  slice(offset: number, length: number): Uint8Array {
    return checkedRead(this.#source.read(offset, length), offset, length);
  }
}

interface Extent {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** The ranges of an asynchronous source that were read so far. */
export class LoadedBytes implements FileBytes {
  readonly size: number;
  readonly #source: AsyncElfSource;
  readonly #extents: Extent[] = [];

  constructor(source: AsyncElfSource) {
    this.size = checkedSize(source);
    this.#source = source;
  }

  slice(offset: number, length: number): Uint8Array {
    if (length === 0) return new Uint8Array();
    const extent = this.#extents.find(
      (have) => have.offset <= offset && offset + length <= have.offset + have.bytes.length,
    );
    if (extent === undefined) throw new NotLoaded(offset, length);
    return extent.bytes.subarray(offset - extent.offset, offset - extent.offset + length);
  }

  async load({ start, length }: NotLoaded): Promise<void> {
    const bytes = checkedRead(await this.#source.read(start, length), start, length);
    this.#extents.push({ offset: start, bytes });
  }
}

class NotLoaded extends ElfError {
  readonly start: number;
  readonly length: number;

  constructor(start: number, length: number) {
    super("ERR_ELF_NOT_LOADED", { field: `${length} bytes`, offset: start });
    this.start = start;
    this.length = length;
  }
}

/**
 * Runs `body`, reading what it turns out to need and running it again, until it needs nothing more.
 * Every round reads a range that was missing, so the rounds end when the file is read.
 */
export async function loadThen<T>(bytes: FileBytes, body: () => T): Promise<T> {
  for (;;) {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof NotLoaded) || !(bytes instanceof LoadedBytes)) throw error;
      await bytes.load(error);
    }
  }
}

function checkedSize({ size }: { readonly size: number }): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new ElfError("ERR_ELF_SOURCE", { field: "size", found: String(size), allowed: "0 to 2^53 - 1" });
}

function checkedRead(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (bytes instanceof Uint8Array && bytes.byteLength === length) return bytes;
  const found = bytes instanceof Uint8Array ? `${bytes.byteLength} bytes` : typeof bytes;
  throw new ElfError("ERR_ELF_SOURCE", { field: "read()", offset, found, allowed: `${length} bytes` });
}
