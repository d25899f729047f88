/**
 * What a platform gives the hypervisor: an accelerator of its own, stop sources, threads.
 *
 * `#platform` in package.json chooses the module that implements this: Node.js, or a browser.
 */
import type { Accelerator, AcceleratorTraits } from "./accelerators/accelerator.js";
import type { CallerSide } from "./caller-side.js";
import type { StopSource } from "./host/stop-source.js";
import type { RunResult } from "./result.js";
import type { TraceSink } from "./trace.js";
import type { WorkerJob } from "./worker-job.js";

export interface Platform {
  /** `traits`: what another thread found out. Errors: ERR_VM_ACCEL_UNAVAILABLE. */
  openKvm(traits?: AcceleratorTraits): Promise<Accelerator>;
  createStop(): StopSource;
  /** The same source as `id` names on another thread. */
  attachStop(id: unknown): StopSource;
  /** Runs a machine in a thread of its own; absent where there are none. */
  readonly runInWorker?: (
    job: WorkerJob,
    callerSide: CallerSide | undefined,
    trace: TraceSink | undefined,
  ) => Promise<RunResult>;
}
