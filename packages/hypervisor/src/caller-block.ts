/**
 * The memory that a worker and the caller's thread share for calls to plugins on the caller's thread.
 *
 * The worker fills registers and address space in, sends a message and waits for `done`; the caller's thread serves
 * the call on these registers as it would on a vCPU's.
 */
import { REGISTER_NAMES } from "./accelerators/accelerator.js";
import type { AddressSpace } from "./memory/page-walk.js";

const DONE = 0;
const PAGING_AT = 8;
const REGISTERS_AT = 64;
const REGISTERS_BYTES = REGISTER_NAMES.length * 8;
const PAGINGS = ["none", "long", "unsupported"] as const satisfies readonly AddressSpace["paging"][];

export class CallerBlock {
  readonly buffer: SharedArrayBuffer;
  readonly registers: BigUint64Array;
  readonly registers32: Uint32Array;
  readonly #words: Int32Array;
  /** Which of PAGINGS, and the root of the tables. */
  readonly #paging: Float64Array;

  constructor(buffer = new SharedArrayBuffer(REGISTERS_AT + REGISTERS_BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, 2);
    this.#paging = new Float64Array(buffer, PAGING_AT, 2);
    this.registers = new BigUint64Array(buffer, REGISTERS_AT, REGISTER_NAMES.length);
    this.registers32 = new Uint32Array(buffer, REGISTERS_AT, REGISTER_NAMES.length * 2);
  }

  get space(): AddressSpace {
    const paging = PAGINGS[this.#paging[0]!]!;
    return paging === "long" ? { paging, root: this.#paging[1]! } : { paging };
  }

  set space(space: AddressSpace) {
    this.#paging[0] = PAGINGS.indexOf(space.paging);
    this.#paging[1] = space.paging === "long" ? space.root : 0;
  }

  /** The worker's side: before the message. */
  begin(): void {
    Atomics.store(this.#words, DONE, 0);
  }

  /** The worker's side: until the answer is there. */
  wait(): void {
    Atomics.wait(this.#words, DONE, 0);
  }

  /** The caller's side: the answer is there. */
  finish(): void {
    Atomics.store(this.#words, DONE, 1);
    Atomics.notify(this.#words, DONE);
  }
}
