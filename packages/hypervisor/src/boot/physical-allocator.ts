/** Hands guest-physical pages out in order while a machine is laid out. */
import { PAGE_SIZE } from "@kvmkit/guest-kernel/abi";
import { alignUp } from "../addresses.js";
import { VmError } from "../errors.js";

export class PhysicalAllocator {
  #next: number;
  readonly #end: number;

  constructor(start: number, end: number) {
    this.#next = alignUp(start, PAGE_SIZE);
    this.#end = end;
  }

  /** The first byte that was not handed out. */
  get next(): number {
    return this.#next;
  }

  /** Takes whole pages for `sizeBytes`. Errors: ERR_VM_MEMORY_EXHAUSTED. */
  take(what: string, sizeBytes: number): number {
    const needed = alignUp(sizeBytes, PAGE_SIZE);
    const available = this.#end - this.#next;
    if (needed > available) throw new VmError("ERR_VM_MEMORY_EXHAUSTED", { what, needed, available });
    const start = this.#next;
    this.#next += needed;
    return start;
  }
}
