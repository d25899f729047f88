/** What a plugin's functions get as their first argument. One object per plugin and machine, made once. */
import type { SignalName } from "@kvmkit/guest-kernel/abi";
import type { HandleTable } from "./handle-table.js";
import type { StopSource } from "./host/stop-source.js";
import type { GuestMemory } from "./memory/guest-memory.js";
import type { GuestSpace } from "./memory/guest-space.js";
import type { Plugin } from "./plugin.js";
import type { Diagnostic, LimitName } from "./result.js";
import type { Limits } from "./vm-options.js";

/** What a plugin may do to the machine. Each ends the run once the handler returns; the first one counts. */
export interface VmControl {
  /** The program ends with `status` (its low 8 bits). */
  exit(status: number): void;
  /** The program ends as by this signal. */
  kill(signal: SignalName): void;
  /** The kernel gives up. */
  panic(message: string): void;
  /** A limit was reached. */
  limit(limit: LimitName): void;
  /**
   * Leaves the guest where it stands until the next `vm.call()`, which answers this hypercall (plugins/calls.ts).
   * `result` is what the call before returned, `frame` the guest's memory for what registers do not carry.
   * Errors: ENOSYS where nobody will call.
   */
  awaitCall(result: bigint, frame: bigint): void;
  readonly protocol: "kvmkit" | "real" | "protected" | "long";
  /** The program's working directory at its start. */
  readonly cwd: string;
  readonly limits: Limits;
  /** Fires when the run must end; host calls that may block take it. */
  readonly stop: StopSource;
}

export interface SetupContext<O> {
  /** The plugin's name. */
  readonly plugin: string;
  readonly options: O;
  readonly vm: VmControl;
  /** Guest-physical memory. */
  readonly memory: GuestMemory;
  /** What another plugin offers; it must be in `dependsOn`. */
  service<V>(plugin: Plugin<V>): V;
  /** Adds an event to the machine's trace; costs nothing where nobody traces. */
  trace(text: string): void;
}

export interface HookContext<O, S> extends SetupContext<O> {
  readonly state: S;
}

export interface HandlerContext<O, S> extends HookContext<O, S> {
  /** The memory of whoever made this call, by its own addresses and rights. */
  readonly user: GuestSpace;
  /** Fires when the run ends; in an asynchronous handler also at its deadline. */
  readonly signal: AbortSignal;
  /** The objects that this plugin gave out under this name. */
  handles<T>(of: string): HandleTable<T>;
  /** Says something to whoever runs the machine, without ending it. */
  report(diagnostic: Diagnostic): void;
}
