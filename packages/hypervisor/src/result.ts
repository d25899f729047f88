/** How a run ends: always as data, never as an exception. */
import { SIGNALS, type SignalName } from "@kvmkit/guest-kernel/abi";
import type { Registers } from "./accelerators/accelerator.js";
import type { VmError, VmErrorData } from "./errors.js";

/** Where an address lies in the kernel or the program, by symbol. */
export interface SymbolPlace {
  readonly name: string;
  /** Bytes from the symbol's start. */
  readonly offset: number;
  readonly image: "kernel" | "program";
}

export interface BacktraceEntry {
  readonly address: bigint;
  readonly symbol?: SymbolPlace | undefined;
}

export type LimitName = "wall" | "cpu" | "output" | "exits";

/** Why a program was killed. */
export type KillReason = "fault" | "out-of-memory" | "signal";

export type RunOutcome =
  | { readonly kind: "exited"; readonly status: number }
  /** `hlt` that nothing can wake. */
  | { readonly kind: "halted" }
  | KilledOutcome
  | { readonly kind: "limit"; readonly limit: LimitName }
  | PanicOutcome
  | { readonly kind: "aborted"; readonly reason: unknown }
  | { readonly kind: "error"; readonly error: VmError };

export interface KilledOutcome {
  readonly kind: "killed";
  /** Linux's number and name. */
  readonly signal: number;
  readonly signalName: string;
  readonly reason: KillReason;
  /** The exception, where there was one. */
  readonly vector: number | undefined;
  readonly errorCode: bigint | undefined;
  readonly rip: bigint;
  /** The address that could not be accessed (CR2), for #PF. */
  readonly address: bigint | undefined;
  readonly registers: Partial<Registers>;
  readonly symbol?: SymbolPlace | undefined;
}

export interface PanicOutcome {
  readonly kind: "panic";
  readonly message: string;
  readonly registers: Partial<Registers>;
  /** Innermost first. */
  readonly backtrace: readonly BacktraceEntry[];
}

export interface RunCounts {
  /** Exits from the guest. */
  exits: number;
  hypercalls: number;
  /** Times that the host asked the kernel for pages. */
  populates: number;
}

/** Milliseconds by phase. */
export interface RunTimings {
  /** Memory, kernel and program laid out. */
  readonly layoutMs: number;
  /** Machine and vCPU made, plugins started. */
  readonly createMs: number;
  /** First instruction to last. */
  readonly runMs: number;
}

/** What plugins and the machine had to say without ending the run. */
export interface Diagnostic {
  readonly code: string;
  readonly message: string;
}

export interface RunReport {
  readonly counts: Readonly<RunCounts>;
  readonly timings: RunTimings;
  /** The first DIAGNOSTIC_LIMIT of them. */
  readonly diagnostics: readonly Diagnostic[];
}

export const DIAGNOSTIC_LIMIT = 100;

export type RunResult = RunOutcome & RunReport;

/** An outcome as it crosses threads: errors as data. */
export type OutcomeData =
  | Exclude<RunOutcome, { kind: "error" } | { kind: "aborted" }>
  | { readonly kind: "aborted" }
  | { readonly kind: "error"; readonly error: VmErrorData };

const signalNames: ReadonlyMap<number, SignalName> = /* @__PURE__ */ new Map(
  (Object.keys(SIGNALS) as SignalName[]).map((name) => [SIGNALS[name], name]),
);

/** `SIGSEGV` for 11; real-time signals by number. */
export const signalName = (signal: number): string => signalNames.get(signal) ?? `SIG${signal}`;

/** An outcome in a few words, for an error's sentence. */
export function outcomeText(outcome: RunOutcome): string {
  switch (outcome.kind) {
    case "exited":
      return `the program exited with status ${outcome.status}`;
    case "halted":
      return "the guest halted";
    case "killed":
      return `the program was killed by ${outcome.signalName} at ${placeText(outcome)}`;
    case "limit":
      return `the limit ${outcome.limit} was reached`;
    case "panic":
      return `the kernel panicked: ${outcome.message}`;
    case "aborted":
      return `the run was aborted: ${String(outcome.reason)}`;
    case "error":
      return outcome.error.message;
  }
}

function placeText({ rip, symbol }: KilledOutcome): string {
  const address = `0x${rip.toString(16)}`;
  return symbol === undefined ? address : `${address} <${symbol.name}+0x${symbol.offset.toString(16)}>`;
}
