/**
 * A byte buffer of the guest during one call: a pointer and a length that were checked, as physical extents.
 *
 * Most buffers are one extent, so `bytes()` is a view of guest memory and nothing is copied. The methods throw after
 * the call; a raw view kept longer sees whatever the guest keeps there later.
 */
import type { Direction } from "@kvmkit/guest-kernel/abi";
import { VmError } from "./errors.js";
import type { Extent, GuestMemory } from "./memory/guest-memory.js";

export class GuestBuffer {
  readonly length: number;
  readonly direction: Direction;
  /** Where the buffer lies; for handing it to another thread. */
  readonly physical: readonly Extent[];
  readonly #memory: GuestMemory;
  #views: Uint8Array[] | undefined;
  #copy: Uint8Array | undefined;
  #live = true;

  constructor(memory: GuestMemory, physical: readonly Extent[], length: number, direction: Direction) {
    this.#memory = memory;
    this.physical = physical;
    this.length = length;
    this.direction = direction;
  }

  /** One view per physical extent, in order: fit for readv(2) and writev(2). */
  get extents(): readonly Uint8Array[] {
    this.#check();
    return (this.#views ??= this.physical.map(({ address, length }) => this.#memory.view(address, length)));
  }

  /** All bytes: the view where there is one extent, else a copy, written back after the call if the guest may see it. */
  bytes(): Uint8Array {
    const { extents } = this;
    if (extents.length === 1) return extents[0]!;
    if (this.#copy === undefined) {
      this.#copy = new Uint8Array(this.length);
      copyOut(extents, 0, this.#copy);
    }
    return this.#copy;
  }

  /** Copies from the guest, starting at byte `offset`. Result: bytes copied. */
  read(into: Uint8Array, offset = 0): number {
    return this.#copy === undefined
      ? copyOut(this.extents, offset, into)
      : copyOut([this.#copy], offset, into);
  }

  /** Copies to the guest, starting at byte `offset`. Result: bytes copied. Errors: ERR_VM_BUFFER_DIRECTION. */
  write(from: Uint8Array, offset = 0): number {
    if (this.direction === "in") {
      throw new VmError("ERR_VM_BUFFER_DIRECTION", { operation: "write()", direction: this.direction });
    }
    const copied = copyIn(this.extents, offset, from);
    if (this.#copy !== undefined) copyIn([this.#copy], offset, from);
    return copied;
  }

  /** Ends the buffer's life when the call is over; where the call succeeded, the guest sees what `bytes()` holds. */
  end(succeeded: boolean): void {
    if (succeeded && this.#copy !== undefined && this.direction !== "in") copyIn(this.extents, 0, this.#copy);
    this.#live = false;
    this.#views = undefined;
    this.#copy = undefined;
  }

  #check(): void {
    if (!this.#live) throw new VmError("ERR_VM_BUFFER_EXPIRED");
  }
}

/** Walks over the parts of `views` that [offset, offset + length) covers. */
function copyOut(views: readonly Uint8Array[], offset: number, into: Uint8Array): number {
  let copied = 0;
  for (const view of views) {
    if (offset >= view.length) {
      offset -= view.length;
      continue;
    }
    const piece = view.subarray(offset, offset + into.length - copied);
    into.set(piece, copied);
    copied += piece.length;
    offset = 0;
    if (copied === into.length) break;
  }
  return copied;
}

function copyIn(views: readonly Uint8Array[], offset: number, from: Uint8Array): number {
  let copied = 0;
  for (const view of views) {
    if (offset >= view.length) {
      offset -= view.length;
      continue;
    }
    const piece = from.subarray(copied, copied + view.length - offset);
    view.set(piece, offset);
    copied += piece.length;
    offset = 0;
    if (copied === from.length) break;
  }
  return copied;
}
