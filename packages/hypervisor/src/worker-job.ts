/** A run as it goes to a worker, and what comes back: plain data only. */
import type { AcceleratorName, AcceleratorTraits, MemoryToken } from "./accelerators/accelerator.js";
import { VmError, type VmErrorData } from "./errors.js";
import type { MachinePlan } from "./machine-layout.js";
import type { PluginSource } from "./plugin.js";
import type { RunOutcome, RunReport, RunResult } from "./result.js";
import type { TraceEvent } from "./trace.js";
import type { Limits } from "./vm-options.js";

/** A plugin that lives in the worker. */
export interface WorkerPlugin {
  readonly source: PluginSource;
  /** As the caller gave them; the worker's copy of the plugin checks them again. */
  readonly options: unknown;
  readonly grant: "all" | readonly string[];
  /** Of every hypercall that has no number of Linux's. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** What the worker must send to the caller's thread. */
export interface CallerPlugins {
  readonly calls: readonly number[];
  readonly ports: readonly { readonly first: number; readonly last: number }[];
  /** A CallerBlock. */
  readonly block: SharedArrayBuffer;
}

export interface WorkerJob {
  readonly accel: AcceleratorName;
  readonly traits: AcceleratorTraits;
  readonly memory: MemoryToken;
  readonly stop: unknown;
  readonly plan: MachinePlan;
  readonly limits: Limits;
  readonly layoutMs: number;
  readonly plugins: readonly WorkerPlugin[];
  readonly caller: CallerPlugins | undefined;
  readonly trace: boolean;
}

type OutcomeData =
  | Exclude<RunOutcome, { kind: "error" }>
  | { readonly kind: "error"; readonly error: VmErrorData };
export type ResultData = OutcomeData & RunReport;

export type WorkerMessage =
  | { readonly type: "trace"; readonly event: TraceEvent }
  | { readonly type: "result"; readonly result: ResultData };

export function resultToData(result: RunResult): ResultData {
  return result.kind === "error" ? { ...result, error: result.error.toJSON() } : result;
}

export function resultFromData(data: ResultData): RunResult {
  return data.kind === "error" ? { ...data, error: VmError.from(data.error) } : data;
}

export function outcomeToData(outcome: RunOutcome): OutcomeData {
  return outcome.kind === "error" ? { kind: "error", error: outcome.error.toJSON() } : outcome;
}

export function outcomeFromData(data: OutcomeData): RunOutcome {
  return data.kind === "error" ? { kind: "error", error: VmError.from(data.error) } : data;
}
