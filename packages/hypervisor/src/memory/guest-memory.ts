/**
 * Guest-physical memory as the host reads and writes it: every access is checked against the ranges that exist.
 *
 * One ArrayBuffer cannot span all of a large guest, so memory is seen in chunks; whatever crosses from one chunk
 * into the next is handled here and nowhere else.
 */
import type { MemoryBacking } from "../accelerators/accelerator.js";
import { VmError } from "../errors.js";
import type { MemoryRange } from "./memory-map.js";

/** One contiguous run of guest-physical memory, in bytes. */
export interface Extent {
  readonly address: number;
  readonly length: number;
}

/**
 * Ranges start and end at multiples of this, or at the end of memory, so that no chunk holds parts of two. A chunk is
 * opened when it is first used: V8 counts what is open as memory in use, and collects the more often.
 */
export const CHUNK_SIZE = 16 * 2 ** 20;

class Chunk {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

export class GuestMemory {
  readonly ranges: readonly MemoryRange[];
  readonly #chunks: (Chunk | undefined)[] = [];
  readonly #backing: MemoryBacking;

  constructor(backing: MemoryBacking, ranges: readonly MemoryRange[]) {
    this.#backing = backing;
    this.ranges = ranges;
  }

  get sizeBytes(): number {
    return this.#backing.sizeBytes;
  }

  /** Whether all of `length` bytes from guest-physical `address` exist. */
  contains(address: number, length: number): boolean {
    if (!Number.isSafeInteger(address) || !(length >= 0)) return false;
    return this.ranges.some(({ start, size }) => address >= start && address + length <= start + size);
  }

  /** A view of memory that lies in one chunk. Errors: ERR_VM_MEMORY_RANGE. */
  view(address: number, length: number): Uint8Array {
    const chunk = this.#chunkOf(address);
    const offset = address % CHUNK_SIZE;
    if (chunk === undefined || !(length >= 0) || offset + length > chunk.bytes.length) {
      throw outOfRange(address, length);
    }
    return chunk.bytes.subarray(offset, offset + length);
  }

  /** How many bytes from `address` one view can hold; 0 where there is no memory. */
  contiguous(address: number): number {
    const chunk = this.#chunkOf(address);
    return chunk === undefined ? 0 : Math.max(0, chunk.bytes.length - (address % CHUNK_SIZE));
  }

  /** Views of `length` bytes, one where they lie in one chunk. Errors: ERR_VM_MEMORY_RANGE. */
  views(address: number, length: number): Uint8Array[] {
    if (!this.contains(address, length)) throw outOfRange(address, length);
    const views: Uint8Array[] = [];
    this.#forEachPiece(address, length, (piece) => views.push(piece));
    return views;
  }

  /** A copy of `length` bytes. Errors: ERR_VM_MEMORY_RANGE. */
  read(address: number, length: number): Uint8Array {
    if (!this.contains(address, length)) throw outOfRange(address, length);
    const copy = new Uint8Array(length);
    this.#forEachPiece(address, length, (piece, at) => copy.set(piece, at));
    return copy;
  }

  /** Errors: ERR_VM_MEMORY_RANGE, and then nothing is written. */
  write(address: number, data: Uint8Array): void {
    if (!this.contains(address, data.length)) throw outOfRange(address, data.length);
    this.#forEachPiece(address, data.length, (piece, at) => piece.set(data.subarray(at, at + piece.length)));
  }

  /** Errors: ERR_VM_MEMORY_RANGE, as the other accessors of one word; `address` is 4-byte aligned. */
  u32(address: number): number {
    return this.#word(address, 4).getUint32(address % CHUNK_SIZE, true);
  }

  setU32(address: number, value: number): void {
    this.#word(address, 4).setUint32(address % CHUNK_SIZE, value, true);
  }

  /** `address` is 8-byte aligned. */
  u64(address: number): bigint {
    return this.#word(address, 8).getBigUint64(address % CHUNK_SIZE, true);
  }

  setU64(address: number, value: bigint): void {
    this.#word(address, 8).setBigUint64(address % CHUNK_SIZE, value, true);
  }

  /** The page at `address` as a DataView over its chunk and the offset in it, or undefined where there is none. */
  page(address: number): { readonly view: DataView; readonly offset: number } | undefined {
    const chunk = this.#chunkOf(address);
    const offset = address % CHUNK_SIZE;
    return chunk === undefined || offset >= chunk.bytes.length ? undefined : { view: chunk.view, offset };
  }

  #chunkOf(address: number): Chunk | undefined {
    const index = Math.floor(address / CHUNK_SIZE);
    return this.#chunks[index] ?? this.#openChunk(index);
  }

  #openChunk(index: number): Chunk | undefined {
    const first = index * CHUNK_SIZE;
    const range = this.ranges.find(({ start, size }) => first >= start && first < start + size);
    if (range === undefined) return undefined;
    const at = first - range.start;
    const bytes = this.#backing.bytes(range.offset + at, Math.min(CHUNK_SIZE, range.size - at));
    const chunk = new Chunk(bytes);
    this.#chunks[index] = chunk;
    return chunk;
  }

  #word(address: number, size: number): DataView {
    const chunk = this.#chunkOf(address);
    if (chunk === undefined || (address % CHUNK_SIZE) + size > chunk.bytes.length)
      throw outOfRange(address, size);
    return chunk.view;
  }

  #forEachPiece(address: number, length: number, use: (piece: Uint8Array, at: number) => void): void {
    for (let at = 0; at < length; ) {
      const piece = this.view(address + at, Math.min(length - at, this.contiguous(address + at)));
      use(piece, at);
      at += piece.length;
    }
  }
}

function outOfRange(address: number, length: number): VmError {
  return new VmError("ERR_VM_MEMORY_RANGE", {
    address: Number.isSafeInteger(address) ? BigInt(address) : String(address),
    length,
  });
}
