/** A run that goes to another thread. */
import type { MachineInput } from "./machine.js";
import type { PluginGrant } from "./plugin-set.js";
import type { PluginEntry } from "./vm-options.js";

export interface RemoteRun {
  readonly input: MachineInput;
  /** The plugins as the caller gave them, and as they were found, in the same order. */
  readonly entries: readonly PluginEntry[];
  readonly grants: readonly PluginGrant[];
}
