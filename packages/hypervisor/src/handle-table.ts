/** Numbers for the guest that stand for objects of the host. */
import { errno } from "./host/errno.js";

/** More than a guest may hold of one kind, so that it cannot exhaust the host. */
export const HANDLE_LIMIT = 65_536;

export class HandleTable<T> {
  readonly #objects = new Map<number, T>();
  #next = 1;

  get size(): number {
    return this.#objects.size;
  }

  /** A number that stands for `object`; numbers are not used twice. Errors: EMFILE. */
  add(object: T): number {
    if (this.#objects.size >= HANDLE_LIMIT) throw errno("EMFILE");
    const handle = this.#next++;
    this.#objects.set(handle, object);
    return handle;
  }

  /** Errors: EBADF. */
  get(handle: number): T {
    const object = this.#objects.get(handle);
    if (object === undefined) throw errno("EBADF");
    return object;
  }

  /** Forgets a handle. Result: whether it was known. */
  delete(handle: number): boolean {
    return this.#objects.delete(handle);
  }

  /** Forgets the handle of an object. */
  release(object: T): void {
    for (const [handle, candidate] of this.#objects) {
      if (candidate === object) this.#objects.delete(handle);
    }
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }
}
