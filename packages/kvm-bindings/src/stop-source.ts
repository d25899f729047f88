/**
 * A native stop flag: it ends KVM_RUN and the host I/O of this package on whichever thread they run.
 *
 * JavaScript timers and signals cannot fire while their thread is in the guest; a stop source can, because a native
 * watchdog sets it.
 */
import { constants } from "node:os";
import { KvmError } from "./errors.js";
import { arrayOf, failure, handleOr } from "./kvm-fd.js";
import { NATIVE, type NativeHandle, native, objectTypes } from "./load-native.js";

/** Why a stop source stopped. */
export type StopReason = "requested" | "wall" | "cpu" | NodeJS.Signals;

const reasons: Readonly<Record<number, StopReason>> = { 1: "requested", 2: "wall", 3: "cpu" };
const FIRST_SIGNAL = 64;
/** Signals beyond are real-time signals, which no terminal or service manager sends. */
const LAST_STANDARD_SIGNAL = 31;

function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found![0] as NodeJS.Signals;
}

function signalBits(signals: readonly NodeJS.Signals[]): number {
  let bits = 0;
  for (const name of arrayOf("StopSource.watchSignals", signals)) {
    const number = constants.signals[name];
    if (number === undefined || number > LAST_STANDARD_SIGNAL || name === "SIGKILL" || name === "SIGSTOP")
      throw new KvmError("ERR_KVM_ARGUMENT", {
        what: "StopSource.watchSignals",
        value: name,
        allowed: "signals that can be caught, such as SIGINT and SIGTERM",
      });
    bits += 2 ** number;
  }
  return bits;
}

export class StopSource {
  /** @internal */
  readonly handle: NativeHandle;
  #closed = false;
  #watching = false;

  /** Makes one; with an id, see attach(). */
  constructor(id?: number) {
    const result = id === undefined ? native().createStop() : native().attach(id, objectTypes.stop);
    if (result === NATIVE.NO_SUCH_ID)
      throw new KvmError("ERR_KVM_NO_SUCH_ID", { what: "StopSource", id: id! });
    this.handle = handleOr(result, "StopSource", { syscall: "eventfd" });
    Object.defineProperty(this, "handle", { enumerable: false });
  }

  /** The stop source with this id, which another thread of the process has open. Close it here as well. */
  static attach(id: number): StopSource {
    return new StopSource(id);
  }

  /** To hand to another thread's `attach`. */
  get id(): number {
    return this.#checked(this.handle.id());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Why it stopped, or undefined. The first reason stays until reset(). */
  get reason(): StopReason | undefined {
    const number = this.#checked(this.handle.stopReason());
    if (number === 0) return undefined;
    return number >= FIRST_SIGNAL ? signalName(number - FIRST_SIGNAL) : reasons[number];
  }

  /** Stops; from any thread. */
  stop(): void {
    this.#checked(this.handle.stop());
  }

  /** Stops after `ms` milliseconds of wall time from now; undefined disarms. */
  armWall(ms: number | undefined): void {
    this.#checked(this.handle.armWall(duration("StopSource.armWall", ms)), "pthread_create");
  }

  /** Stops when the calling thread has used `ms` milliseconds of CPU time from now, its guest's included. */
  armCpu(ms: number | undefined): void {
    this.#checked(this.handle.armCpu(duration("StopSource.armCpu", ms)), "pthread_create");
  }

  /**
   * Stops on these signals to the process, in place of what they did before, until `watchSignals([])` or close(),
   * which restore it.
   */
  watchSignals(signals: readonly NodeJS.Signals[]): void {
    const bits = signalBits(signals);
    this.#watching = bits !== 0;
    this.#checked(this.handle.watchSignals(bits), "sigaction");
  }

  /** Forgets the reason and disarms the timers, so that it can be used again. */
  reset(): void {
    this.#checked(this.handle.reset());
  }

  /** Gives this handle back, and the signals that it watches. The last handle's close() disarms the timers. */
  close(): void {
    if (this.#watching) this.handle.watchSignals(0);
    this.#watching = false;
    this.#closed = true;
    this.handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #checked(result: number, syscall?: string): number {
    if (result < 0) throw failure(result, "StopSource", syscall === undefined ? {} : { syscall });
    return result;
  }
}

function duration(what: string, ms: number | undefined): number {
  if (ms === undefined) return -1;
  if (typeof ms !== "number" || !(ms >= 0))
    throw new KvmError("ERR_KVM_ARGUMENT", { what, value: ms, allowed: "milliseconds, 0 or more" });
  return ms;
}
