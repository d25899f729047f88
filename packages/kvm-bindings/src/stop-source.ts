/**
 * A native stop flag: it ends KVM_RUN and the host I/O of this package on whichever thread they run.
 *
 * JavaScript timers and signals cannot fire while their thread is in the guest; a stop source can, because a native
 * watchdog sets it.
 */

import { constants } from "node:os";
import { arrayOf } from "./checks.js";
import { KvmError } from "./errors.js";
import { attach, Handled, handleOf, handleOr } from "./handled.js";
import { native, objectTypes } from "./load-native.js";

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

export class StopSource extends Handled {
  #watching = false;

  /** Makes one; with an id, see attach(). */
  constructor(id?: number) {
    const handle =
      id === undefined
        ? handleOr(native().createStop(), "StopSource", { syscall: "eventfd" })
        : attach("StopSource", id, objectTypes.stop);
    super(handle, "StopSource");
  }

  /** The stop source with this id, which another thread of the process has open. Close it here as well. */
  static attach(id: number): StopSource {
    return new StopSource(id);
  }

  /** Why it stopped, or undefined. The first reason stays until reset(). */
  get reason(): StopReason | undefined {
    const number = this.checked(handleOf(this).stopReason());
    if (number === 0) return undefined;
    return number >= FIRST_SIGNAL ? signalName(number - FIRST_SIGNAL) : reasons[number];
  }

  /** Stops; from any thread. */
  stop(): void {
    this.checked(handleOf(this).stop());
  }

  /** Stops after `ms` milliseconds of wall time from now; undefined disarms. */
  armWall(ms: number | undefined): void {
    this.checked(handleOf(this).armWall(duration("StopSource.armWall", ms)), { syscall: "pthread_create" });
  }

  /** Stops when the calling thread has used `ms` milliseconds of CPU time from now, its guest's included. */
  armCpu(ms: number | undefined): void {
    this.checked(handleOf(this).armCpu(duration("StopSource.armCpu", ms)), { syscall: "pthread_create" });
  }

  /**
   * Stops on these signals to the process, in place of what they did before, until `watchSignals([])` or close(),
   * which restore it.
   */
  watchSignals(signals: readonly NodeJS.Signals[]): void {
    const bits = signalBits(signals);
    this.#watching = bits !== 0;
    this.checked(handleOf(this).watchSignals(bits), { syscall: "sigaction" });
  }

  /** Forgets the reason and disarms the timers, so that it can be used again. */
  reset(): void {
    this.checked(handleOf(this).reset());
  }

  /** Gives this handle back, and the signals that it watches. The last handle's close() disarms the timers. */
  override close(): void {
    if (this.#watching) handleOf(this).watchSignals(0);
    this.#watching = false;
    super.close();
  }
}

function duration(what: string, ms: number | undefined): number {
  if (ms === undefined) return -1;
  if (typeof ms !== "number" || !(ms >= 0))
    throw new KvmError("ERR_KVM_ARGUMENT", { what, value: ms, allowed: "milliseconds, 0 or more" });
  return ms;
}
