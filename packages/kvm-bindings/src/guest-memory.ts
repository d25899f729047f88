/**
 * Guest memory: one mmap, seen by the guest and by JavaScript at the same time, without a copy.
 *
 * JavaScript sees it through ArrayBuffers of at most 4 GiB, which begin every 2 GiB, so that any range of up to
 * 2 GiB lies in one of them. They are made when first needed and then reused. A mapping is unmapped only when no
 * handle, no memory slot and no view is left; views that outlive close() are detached (length 0).
 */
import { KvmError } from "./errors.js";
import { failure, handleOr, integerOf } from "./kvm-fd.js";
import { NATIVE, type NativeHandle, native, objectTypes } from "./load-native.js";

export const PAGE_SIZE = 4096;
const GIB = 2 ** 30;
const WINDOW_BYTES = 4 * GIB;
const WINDOW_STRIDE = 2 * GIB;
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

export class GuestMemory {
  readonly sizeBytes: number;
  /** @internal */
  readonly handle: NativeHandle;
  readonly #windows = new Map<number, ArrayBuffer>();
  #closed = false;

  private constructor(handle: NativeHandle) {
    this.handle = handle;
    this.sizeBytes = handle.size();
    Object.defineProperty(this, "handle", { enumerable: false });
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
    const result = native().allocateMemory(sizeBytes, fd, file?.offset ?? 0, flags);
    return new GuestMemory(handleOr(result, `GuestMemory of ${sizeBytes} bytes`, { syscall: "mmap" }));
  }

  /** The memory with this id, which another thread of the process has open. Close it here as well. */
  static attach(id: number): GuestMemory {
    const result = native().attach(id, objectTypes.memory);
    if (result === NATIVE.NO_SUCH_ID) throw new KvmError("ERR_KVM_NO_SUCH_ID", { what: "GuestMemory", id });
    return new GuestMemory(handleOr(result, "GuestMemory", {}));
  }

  get id(): number {
    return this.#checked(this.handle.id());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The bytes from `offset` on; reads and writes are the guest's memory. Ranges up to 2 GiB are always one view.
   * ERR_KVM_RANGE outside the memory, ERR_KVM_CLOSED after close().
   */
  bytes(offset = 0, length = this.sizeBytes - offset): Uint8Array {
    this.#check(offset, length);
    const start = this.#windowStart(offset, length);
    return new Uint8Array(this.#window(start), offset - start, length);
  }

  /** A DataView of the same bytes. */
  view(offset = 0, length = this.sizeBytes - offset): DataView {
    this.#check(offset, length);
    const start = this.#windowStart(offset, length);
    return new DataView(this.#window(start), offset - start, length);
  }

  /** The whole memory as consecutive views: one up to 4 GiB, else one per 4 GiB. */
  get views(): readonly Uint8Array[] {
    const views: Uint8Array[] = [];
    for (let offset = 0; offset < this.sizeBytes; offset += WINDOW_BYTES)
      views.push(this.bytes(offset, Math.min(WINDOW_BYTES, this.sizeBytes - offset)));
    return views;
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
  discard(offset = 0, length = this.sizeBytes - offset): void {
    this.#check(offset, length);
    this.#checked(this.handle.advise(offset, length, false), "madvise");
  }

  /** Makes the pages present and writable ahead of their use (madvise(2), MADV_POPULATE_WRITE; Linux 5.14). */
  populate(offset = 0, length = this.sizeBytes - offset): void {
    this.#check(offset, length);
    this.#checked(this.handle.advise(offset, length, true), "madvise");
  }

  /** Detaches the views of this thread. The memory itself stays for as long as a virtual machine has it in a slot. */
  close(): void {
    this.#closed = true;
    for (const buffer of this.#windows.values()) native().detach(buffer);
    this.#windows.clear();
    this.handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(offset: number, length: number): void {
    if (this.#closed) throw failure(NATIVE.CLOSED, "GuestMemory", {});
    const { sizeBytes } = this;
    if (
      !Number.isInteger(offset) ||
      !Number.isInteger(length) ||
      offset < 0 ||
      length < 0 ||
      offset + length > sizeBytes
    )
      throw new KvmError("ERR_KVM_RANGE", { what: "GuestMemory", offset, length, sizeBytes });
  }

  #windowStart(offset: number, length: number): number {
    const start = Math.floor(offset / WINDOW_STRIDE) * WINDOW_STRIDE;
    if (offset - start + length <= WINDOW_BYTES) return this.sizeBytes <= WINDOW_BYTES ? 0 : start;
    throw new KvmError("ERR_KVM_RANGE", {
      what: "GuestMemory: a view of more than one window",
      offset,
      length,
      sizeBytes: this.sizeBytes,
    });
  }

  /** A buffer that someone else detached (a transfer) is replaced; the memory under it is the same. */
  #window(start: number): ArrayBuffer {
    const known = this.#windows.get(start);
    if (known !== undefined && known.byteLength !== 0) return known;
    const made = this.handle.view(start, Math.min(WINDOW_BYTES, this.sizeBytes - start));
    if (typeof made === "number") throw failure(made, "GuestMemory", {});
    this.#windows.set(start, made);
    return made;
  }

  #checked(result: number, syscall?: string): number {
    if (result < 0) throw failure(result, "GuestMemory", syscall === undefined ? {} : { syscall });
    return result;
  }
}
