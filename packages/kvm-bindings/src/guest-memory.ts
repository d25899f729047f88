/**
 * Guest memory: one mmap, seen by the guest and by JavaScript at the same time, without a copy.
 *
 * JavaScript sees it through windows: ArrayBuffers of 16 MiB that begin every 8 MiB, made when first needed and then
 * reused, so that any range of up to 8 MiB lies in one of them; longer ranges get windows of 32 MiB and so on, up to
 * 4 GiB. V8 counts an external ArrayBuffer as memory in use by its full length and starts a collection once that
 * grew by 64 MiB: one ArrayBuffer over all of a 64 MiB guest would cost more than creating the virtual machine.
 *
 * A mapping is unmapped only when no handle, no memory slot and no view is left; close() detaches the views.
 */
import { integerOf } from "./checks.js";
import { KvmError } from "./errors.js";
import { attach, Handled, handleOf, handleOr } from "./handled.js";
import { NATIVE, type NativeHandle, native, objectTypes } from "./load-native.js";

export const PAGE_SIZE = 4096;
/** The length of `window(i)`; the last one may be shorter. */
export const WINDOW_BYTES = 16 * 2 ** 20;
/** The longest external ArrayBuffer of Node.js 20. */
const LARGEST_WINDOW_BYTES = 4 * 2 ** 30;
const USER_ADDRESS_BYTES = 2 ** 47;

export interface AllocateOptions {
  /** madvise(MADV_HUGEPAGE). */
  readonly hugePages?: boolean;
  /**
   * Maps a file or memfd instead of anonymous memory; private (copy-on-write) unless `shared`. The file must keep
   * its length while it is mapped: touching a page beyond its end is SIGBUS, for the guest and for JavaScript.
   */
  readonly file?: { readonly fd: number; readonly offset?: number; readonly shared?: boolean };
}

const SHARED = 1;
const HUGE_PAGES = 2;

export class GuestMemory extends Handled {
  readonly sizeBytes: number;
  /** By start and length: `start / PAGE_SIZE * 64 + log2(length)`. */
  readonly #windows = new Map<number, Uint8Array>();

  private constructor(handle: NativeHandle) {
    super(handle, "GuestMemory");
    this.sizeBytes = handle.size();
  }

  /** Reserves address space; pages cost memory when first touched (mmap(2), MAP_NORESERVE). */
  static allocate(sizeBytes: number, options: AllocateOptions = {}): GuestMemory {
    integerOf("GuestMemory.allocate: sizeBytes", sizeBytes, PAGE_SIZE, USER_ADDRESS_BYTES);
    if (sizeBytes % PAGE_SIZE !== 0)
      throw new KvmError("ERR_KVM_ARGUMENT", {
        what: "GuestMemory.allocate: sizeBytes",
        value: sizeBytes,
        allowed: "a multiple of 4096",
      });
    const { file, hugePages } = options;
    const flags = (file?.shared ? SHARED : 0) | (hugePages ? HUGE_PAGES : 0);
    const fd = file === undefined ? -1 : integerOf("file.fd", file.fd, 0, 2 ** 31 - 1);
    const offset = integerOf("file.offset", file?.offset ?? 0, 0, Number.MAX_SAFE_INTEGER);
    const result = native().allocateMemory(sizeBytes, fd, offset, flags);
    if (result === NATIVE.RANGE) throw new KvmError("ERR_KVM_FILE_SIZE", { offset, sizeBytes });
    return new GuestMemory(handleOr(result, `GuestMemory of ${sizeBytes} bytes`, { syscall: "mmap" }));
  }

  /** The memory with this id, which another thread of the process has open. Close it here as well. */
  static attach(id: number): GuestMemory {
    return new GuestMemory(attach("GuestMemory", id, objectTypes.memory));
  }

  /**
   * The bytes from `offset` on; reads and writes are the guest's memory. Ranges up to 2 GiB are always one view.
   * ERR_KVM_RANGE outside the memory, ERR_KVM_CLOSED after close().
   */
  bytes(offset = 0, lengthWanted?: number): Uint8Array {
    const length = this.#lengthFrom(offset, lengthWanted);
    const { start, window } = this.#windowOver(offset, length);
    return new Uint8Array(window.buffer, offset - start, length);
  }

  /** A DataView of the same bytes. */
  view(offset = 0, lengthWanted?: number): DataView {
    const { buffer, byteOffset, length } = this.bytes(offset, lengthWanted);
    return new DataView(buffer, byteOffset, length);
  }

  /**
   * The i-th 16 MiB (WINDOW_BYTES) of the memory, always the same Uint8Array: for readers of single words, such as a
   * page-table walk, that cannot afford a new view for each.
   */
  window(index: number): Uint8Array {
    const start = typeof index === "number" ? index * WINDOW_BYTES : Number.NaN;
    this.#lengthFrom(start, 1);
    return this.#window(start, WINDOW_BYTES);
  }

  /** The whole memory as its windows; see window(). */
  get views(): readonly Uint8Array[] {
    return Array.from({ length: Math.ceil(this.sizeBytes / WINDOW_BYTES) }, (_, i) => this.window(i));
  }

  /** Copies `source` to `offset`. */
  copyFrom(source: Uint8Array, offset: number): void {
    this.bytes(offset, source.length).set(source);
  }

  /** A copy of `length` bytes from `offset`. */
  copyTo(offset: number, length: number): Uint8Array {
    return this.bytes(offset, length).slice();
  }

  /** Gives the pages back: they read as zeros, or as the file's bytes (madvise(2), MADV_DONTNEED). */
  discard(offset = 0, lengthWanted?: number): void {
    const length = this.#lengthFrom(offset, lengthWanted);
    this.checked(handleOf(this).advise(offset, length, false), { syscall: "madvise" });
  }

  /** Makes the pages present and writable ahead of their use (madvise(2), MADV_POPULATE_WRITE; Linux 5.14). */
  populate(offset = 0, lengthWanted?: number): void {
    const length = this.#lengthFrom(offset, lengthWanted);
    this.checked(handleOf(this).advise(offset, length, true), { syscall: "madvise" });
  }

  /** Detaches the views of this thread. The memory itself stays for as long as a virtual machine has it in a slot. */
  override close(): void {
    for (const { buffer } of this.#windows.values()) native().detach(buffer as ArrayBuffer);
    this.#windows.clear();
    super.close();
  }

  /** The length of a range: what is asked for, else the rest; ERR_KVM_RANGE where it leaves the memory. */
  #lengthFrom(offset: number, lengthWanted: number | undefined): number {
    if (this.closed) throw this.failed(NATIVE.CLOSED);
    const { sizeBytes } = this;
    const length = lengthWanted ?? (typeof offset === "number" ? sizeBytes - offset : Number.NaN);
    const valid = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0;
    if (valid && offset + length <= sizeBytes) return length;
    throw new KvmError("ERR_KVM_RANGE", { what: "GuestMemory", offset, length, sizeBytes });
  }

  /** The start of the smallest window that holds the range, and the window. */
  #windowOver(offset: number, length: number): { readonly start: number; readonly window: Uint8Array } {
    for (let size = WINDOW_BYTES; size <= LARGEST_WINDOW_BYTES; size *= 2) {
      const half = size / 2;
      const aligned = Math.floor(offset / size) * size;
      if (offset + length <= aligned + size) return { start: aligned, window: this.#window(aligned, size) };
      const between = Math.floor(offset / half) * half;
      if (offset + length <= between + size) return { start: between, window: this.#window(between, size) };
    }
    throw new KvmError("ERR_KVM_RANGE", {
      what: "GuestMemory: more than one view can hold",
      offset,
      length,
      sizeBytes: this.sizeBytes,
    });
  }

  /** A window that someone else detached (a transfer) is replaced; the memory under it is the same. */
  #window(start: number, size: number): Uint8Array {
    const key = (start / PAGE_SIZE) * 64 + Math.log2(size);
    const known = this.#windows.get(key);
    if (known !== undefined && known.length !== 0) return known;
    const buffer = handleOf(this).view(start, Math.min(size, this.sizeBytes - start));
    if (typeof buffer === "number") throw this.failed(buffer);
    const window = new Uint8Array(buffer);
    this.#windows.set(key, window);
    return window;
  }
}
