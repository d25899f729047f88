/**
 * Run, dispatch, resume: the loop of one vCPU.
 *
 * It is synchronous until a handler is asynchronous; then it hands the promise out and goes on when asked again. So
 * the same loop serves the caller's own thread and a worker.
 */
import { HYPERCALL_PORT } from "@kvmkit/guest-kernel/abi";
import { EXIT, REG, type VirtualCpu } from "./accelerators/accelerator.js";
import { reasonOf, VmError } from "./errors.js";
import { type ExitScene, handleExit } from "./exits.js";
import type { StopReason, StopSource } from "./host/stop-source.js";
import type { HypercallRegistry } from "./hypercall-registry.js";
import type { RunCounts, RunOutcome } from "./result.js";
import type { RunControl } from "./run-control.js";

export interface RunLoopInput {
  readonly cpu: VirtualCpu;
  readonly control: RunControl;
  readonly registry: HypercallRegistry;
  readonly stop: StopSource;
  readonly counts: RunCounts;
  readonly scene: ExitScene;
  /** Exits after which the run ends with the limit `exits`. */
  readonly maxExits: number;
  /** Where the run shares its thread: a promise to wait for now, or undefined to go on. */
  readonly turn?: EventLoopTurn | undefined;
}

export type EventLoopTurn = () => Promise<void> | undefined;

export class RunLoop {
  readonly #input: RunLoopInput;

  constructor(input: RunLoopInput) {
    this.#input = input;
  }

  /**
   * Runs until the end, or until a handler must be awaited or other work of the thread done: then the promise, after which
   * `run()` goes on. Undefined: the guest waits for a call.
   */
  run(): RunOutcome | Promise<void> | undefined {
    const { control } = this.#input;
    try {
      return this.#loop();
    } catch (thrown) {
      control.fail(
        thrown instanceof VmError
          ? thrown
          : new VmError("ERR_VM_HOST", { operation: "the run", reason: reasonOf(thrown) }, { cause: thrown }),
      );
      return control.outcome!;
    }
  }

  #loop(): RunOutcome | Promise<void> | undefined {
    const { cpu, control, registry, stop, counts, scene, maxExits, turn } = this.#input;
    const { portAccess } = cpu;
    while (control.outcome === undefined && control.waiting === undefined) {
      const others = turn?.();
      if (others !== undefined) return others;
      const exit = cpu.run(stop);
      if (exit === EXIT.KVM_EXIT_IO) {
        counts.exits++;
        if (
          portAccess.port === HYPERCALL_PORT &&
          registry.hasHypercalls &&
          portAccess.isOut &&
          portAccess.count === 1
        ) {
          const pending = registry.dispatch();
          if (pending !== undefined) return pending;
        } else if (!registry.dispatchPort(portAccess)) {
          control.fail(unknownPort(cpu));
        }
      } else if (exit === EXIT.KVM_EXIT_INTR) {
        const reason = stop.reason;
        if (reason !== undefined) control.end(stopOutcome(reason));
      } else {
        counts.exits++;
        handleExit(scene);
      }
      if (counts.exits >= maxExits) control.limit("exits");
    }
    return control.outcome;
  }
}

/** Milliseconds for which a run may hold a thread that it shares. */
const TURN_MS = 20;

/** Gives the event loop of this thread its turn, every so often. */
export function sharedThread(): EventLoopTurn {
  let since = performance.now();
  return () => {
    if (performance.now() - since < TURN_MS) return undefined;
    return new Promise((resolve) => {
      setTimeout(() => {
        since = performance.now();
        resolve();
      });
    });
  };
}

/** How a run ends that its stop source ended. */
export function stopOutcome(reason: StopReason): RunOutcome {
  return reason === "wall" || reason === "cpu"
    ? { kind: "limit", limit: reason }
    : { kind: "aborted", reason };
}

function unknownPort({ portAccess, registers }: VirtualCpu): VmError {
  return new VmError("ERR_VM_UNKNOWN_PORT", {
    port: BigInt(portAccess.port),
    direction: portAccess.isOut ? "out" : "in",
    size: portAccess.sizeBytes,
    rip: registers[REG.rip]!,
  });
}
