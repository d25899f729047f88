/** How a plugin, or the machine itself, ends a run: the first outcome counts. */
import { SIGNALS, type SignalName } from "@kvmkit/guest-kernel/abi";
import { readRegisters, type VirtualCpu } from "./accelerators/accelerator.js";
import type { VmError } from "./errors.js";
import { errno } from "./host/errno.js";
import type { StopSource } from "./host/stop-source.js";
import type { VmControl } from "./plugin-context.js";
import { DIAGNOSTIC_LIMIT, type Diagnostic, type LimitName, type RunOutcome } from "./result.js";
import type { Limits } from "./vm-options.js";

export interface RunControlInput {
  readonly protocol: VmControl["protocol"];
  readonly cwd: string;
  readonly limits: Limits;
  readonly stop: StopSource;
}

/** What a guest that waits for a call has passed. */
export interface WaitingGuest {
  /** rax of the function that was called last. */
  readonly result: bigint;
  /** Gva of CALL_FRAME. */
  readonly frame: bigint;
}

export class RunControl implements VmControl {
  readonly protocol: VmControl["protocol"];
  readonly cwd: string;
  readonly limits: Limits;
  readonly stop: StopSource;
  readonly diagnostics: Diagnostic[] = [];
  /** Set once the machine has a vCPU. */
  cpu: VirtualCpu | undefined;
  /** Somebody will call into the guest: `awaitCall` is allowed. */
  takesCalls = false;
  /** Set while the guest stands and waits for a call. */
  waiting: WaitingGuest | undefined;
  #outcome: RunOutcome | undefined;
  readonly #abort = new AbortController();

  constructor({ protocol, cwd, limits, stop }: RunControlInput) {
    this.protocol = protocol;
    this.cwd = cwd;
    this.limits = limits;
    this.stop = stop;
  }

  get outcome(): RunOutcome | undefined {
    return this.#outcome;
  }

  /** Fires when the run has an outcome. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  end(outcome: RunOutcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#abort.abort();
  }

  fail(error: VmError): void {
    this.end({ kind: "error", error });
  }

  exit(status: number): void {
    this.end({ kind: "exited", status: status & 0xff });
  }

  kill(signal: SignalName): void {
    const registers = this.cpu && readRegisters(this.cpu);
    this.end({
      kind: "killed",
      signal: SIGNALS[signal],
      signalName: signal,
      reason: "signal",
      vector: undefined,
      errorCode: undefined,
      // The program stands behind its `syscall`, and that is in rcx (SDM Vol. 2B, "SYSCALL").
      rip: registers?.rcx ?? 0n,
      address: undefined,
      registers: registers ?? {},
    });
  }

  panic(message: string): void {
    this.end({ kind: "panic", message, registers: this.cpu ? readRegisters(this.cpu) : {}, backtrace: [] });
  }

  awaitCall(result: bigint, frame: bigint): void {
    if (!this.takesCalls) throw errno("ENOSYS");
    this.waiting = { result, frame };
  }

  limit(limit: LimitName): void {
    this.end({ kind: "limit", limit });
  }

  report({ code, message }: Diagnostic): void {
    if (this.diagnostics.length < DIAGNOSTIC_LIMIT) this.diagnostics.push({ code, message });
  }
}
