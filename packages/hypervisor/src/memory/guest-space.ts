/**
 * Guest-virtual memory as the host reaches it during a call: by the caller's page tables and rights.
 *
 * Where a page is absent the guest's kernel may be able to make it present. The method then throws `PageNeeded`, the
 * host asks the kernel, and the call comes again from its start. So a handler that uses these methods itself calls
 * them before it changes anything.
 */
import { type Direction, USER_MAX } from "@kvmkit/guest-kernel/abi";
import { GuestBuffer } from "../guest-buffer.js";
import { errno } from "../host/errno.js";
import type { Extent, GuestMemory } from "./guest-memory.js";
import { type AddressSpace, translate } from "./page-walk.js";
import { decodeText } from "./text.js";

/** Thrown through a handler: these pages first. Reused, because it is common and carries no stack. */
export class PageNeeded {
  address = 0n;
  length = 0;
  write = false;
}

/** Whose rights count. */
export interface SpacePolicy {
  /** User addresses and user-accessible pages only; otherwise whatever the tables map. */
  readonly user: boolean;
  /** Whether the kernel can be asked for pages; otherwise an absent page is -EFAULT. */
  readonly canPopulate: boolean;
}

const PAGE = 4096n;

export class GuestSpace {
  readonly #memory: GuestMemory;
  readonly #policy: SpacePolicy;
  readonly #readSpace: () => AddressSpace;
  readonly #needed = new PageNeeded();
  #space: AddressSpace | undefined;
  /** Those of the present call. */
  #buffers: GuestBuffer[] = [];

  /** `readSpace` looks the present tables up; it is asked once per call, when the first address is used. */
  constructor(memory: GuestMemory, policy: SpacePolicy, readSpace: () => AddressSpace) {
    this.#memory = memory;
    this.#policy = policy;
    this.#readSpace = readSpace;
  }

  /** Forgets the tables of the last call. */
  beginCall(): void {
    this.#space = undefined;
  }

  /** Ends the life of the call's buffers; where it succeeded, the guest sees what they hold. */
  endCall(succeeded: boolean): void {
    if (this.#buffers.length === 0) return;
    for (const buffer of this.#buffers) buffer.end(succeeded);
    this.#buffers = [];
  }

  /** The physical extents of `length` bytes at `address`. Errors: EFAULT; PageNeeded. */
  extents(address: bigint, length: number, write: boolean): Extent[] {
    const extents: Extent[] = [];
    const found = this.#translate(address, length, write, extents);
    if (found < length) throw this.#missing(address + BigInt(found), length - found, write);
    return extents;
  }

  /**
   * A buffer of `length` bytes, or of as many as are present, at least one, where `partial` says that fewer will do.
   * Errors: EFAULT; PageNeeded.
   */
  buffer(address: bigint, length: number, direction: Direction, { partial = false } = {}): GuestBuffer {
    const extents: Extent[] = [];
    const found = this.#translate(address, length, direction !== "in", extents);
    if (found < length && !(partial && found > 0)) {
      throw this.#missing(address + BigInt(found), length - found, direction !== "in");
    }
    const buffer = new GuestBuffer(this.#memory, extents, found, direction);
    this.#buffers.push(buffer);
    return buffer;
  }

  /** A copy of `length` bytes. Errors: EFAULT; PageNeeded. */
  read(address: bigint, length: number): Uint8Array {
    const extents = this.extents(address, length, false);
    if (extents.length === 1) return this.#memory.read(extents[0]!.address, length);
    const copy = new Uint8Array(length);
    let at = 0;
    for (const extent of extents) {
      copy.set(this.#memory.view(extent.address, extent.length), at);
      at += extent.length;
    }
    return copy;
  }

  /** A copy of up to `length` bytes, ended by the first that cannot be read. */
  readSome(address: bigint, length: number): Uint8Array {
    const extents: Extent[] = [];
    this.#translate(address, length, false, extents);
    return concatenate(extents.map((extent) => this.#memory.read(extent.address, extent.length)));
  }

  /** Errors: EFAULT, and then nothing is written; PageNeeded. */
  write(address: bigint, data: Uint8Array): void {
    let at = 0;
    for (const extent of this.extents(address, data.length, true)) {
      this.#memory.write(extent.address, data.subarray(at, at + extent.length));
      at += extent.length;
    }
  }

  /** A NUL-terminated string of at most `maxBytes` bytes. Errors: EFAULT, ENAMETOOLONG; PageNeeded. */
  cstring(address: bigint, maxBytes: number): string {
    return decodeText(this.cstringBytes(address, maxBytes));
  }

  /** The bytes of such a string without the NUL. */
  cstringBytes(address: bigint, maxBytes: number): Uint8Array {
    const pieces: Uint8Array[] = [];
    for (let length = 0; length <= maxBytes; ) {
      const at = address + BigInt(length);
      const [extent] = this.extents(at, Number(PAGE - (at % PAGE)), false);
      const page = this.#memory.view(extent!.address, Math.min(extent!.length, maxBytes + 1 - length));
      const end = page.indexOf(0);
      pieces.push(page.slice(0, end < 0 ? page.length : end));
      if (end >= 0) return pieces.length === 1 ? pieces[0]! : concatenate(pieces);
      length += page.length;
    }
    throw errno("ENAMETOOLONG");
  }

  #translate(address: bigint, length: number, write: boolean, extents: Extent[]): number {
    if (length === 0) return 0;
    if (this.#policy.user && (address < 0n || address + BigInt(length) > USER_MAX)) throw errno("EFAULT");
    this.#space ??= this.#readSpace();
    return translate(this.#memory, this.#space, address, length, { write, user: this.#policy.user }, extents);
  }

  #missing(address: bigint, length: number, write: boolean): Error | PageNeeded {
    if (!this.#policy.canPopulate) return errno("EFAULT");
    this.#needed.address = address;
    this.#needed.length = length;
    this.#needed.write = write;
    return this.#needed;
  }
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
