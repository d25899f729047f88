/**
 * A stop source without native code: a word of shared memory, and deadlines that are looked at when it is asked.
 *
 * It ends a machine whose accelerator asks often, as a software CPU does. It cannot interrupt a system call.
 */
import type { StopReason, StopSource } from "./stop-source.js";

/** Index of the word: 0, or 1 + the index of a reason. */
const REASONS = ["requested", "wall", "cpu"] as const satisfies readonly StopReason[];

export class PortableStop implements StopSource {
  readonly id: ArrayBufferLike;
  readonly #word: Int32Array;
  #wallDeadline = Number.POSITIVE_INFINITY;
  #cpuDeadline = Number.POSITIVE_INFINITY;

  constructor(id: ArrayBufferLike = word()) {
    this.id = id;
    this.#word = new Int32Array(id);
  }

  get reason(): StopReason | undefined {
    const now = performance.now();
    if (now >= this.#wallDeadline) this.#fire("wall");
    if (now >= this.#cpuDeadline) this.#fire("cpu");
    const value = Atomics.load(this.#word, 0);
    return value === 0 ? undefined : REASONS[value - 1];
  }

  stop(): void {
    this.#fire("requested");
  }

  armWall(ms: number | undefined): void {
    this.#wallDeadline = deadline(ms);
  }

  /** There is no portable clock of processor time; a thread that runs a software CPU is busy, so wall time is near. */
  armCpu(ms: number | undefined): void {
    this.#cpuDeadline = deadline(ms);
  }

  watchSignals(): void {}

  close(): void {}

  #fire(reason: (typeof REASONS)[number]): void {
    Atomics.compareExchange(this.#word, 0, 0, REASONS.indexOf(reason) + 1);
    Atomics.notify(this.#word, 0);
  }
}

/** Where memory cannot be shared, in a page that is not cross-origin isolated, no other thread can ask for a stop. */
const word = (): ArrayBufferLike =>
  typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(4) : new SharedArrayBuffer(4);

const deadline = (ms: number | undefined): number =>
  ms === undefined ? Number.POSITIVE_INFINITY : performance.now() + ms;
