/**
 * What a platform gives the hypervisor: an accelerator of its own, stop sources, threads.
 *
 * `#platform` in package.json chooses the module that implements this: Node.js, or a browser.
 */
import type { Accelerator } from "./accelerators/accelerator.js";
import type { StopSource } from "./host/stop-source.js";
import type { RemoteRun } from "./remote-run.js";
import type { RunResult } from "./result.js";

export interface Platform {
  /** Errors: ERR_VM_ACCEL_UNAVAILABLE. */
  openKvm(): Promise<Accelerator>;
  createStop(): StopSource;
  /** The same source as `id` names on another thread. */
  attachStop(id: unknown): StopSource;
  /** Runs a machine in a thread of its own, or is absent where there are none. */
  readonly runInWorker?: (run: RemoteRun) => Promise<RunResult>;
}
