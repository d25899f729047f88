/** `createVm`: a virtual machine from options to result. */

import type { ArgumentType } from "@kvmkit/guest-kernel/abi";
import { openPlatform } from "#platform";
import type { Accelerator, AcceleratorName } from "./accelerators/accelerator.js";
import { openSoftAccelerator } from "./accelerators/soft.js";
import { CallerSide } from "./caller-side.js";
import { reasonOf, VmError } from "./errors.js";
import {
  compileSignature,
  type GuestFunction,
  type GuestResult,
  type GuestSignature,
  type Passed,
  passUntyped,
  type Returned,
} from "./guest-function.js";
import type { StopSource } from "./host/stop-source.js";
import { Machine, type MachineInput } from "./machine.js";
import { layOutMachine, type MachineLayout } from "./machine-layout.js";
import type { GuestMemory } from "./memory/guest-memory.js";
import type { Platform } from "./platform.js";
import { loadPlugins } from "./plugin-loader.js";
import { type PluginGrant, type ResolvedPlugin, resolvePlugins } from "./plugin-set.js";
import { type PluginSides, splitPlugins } from "./plugin-sides.js";
import { outcomeText, type RunOutcome, type RunResult } from "./result.js";
import { sharedThread } from "./run-loop.js";
import { exportedFunctions, Symbolizer } from "./symbols.js";
import {
  type AccelOption,
  checkOptions,
  type RunOptions,
  type RunSyncOptions,
  type VmOptions,
} from "./vm-options.js";
import type { WorkerJob } from "./worker-job.js";

type VmState = "ready" | "running" | "waiting" | "finished" | "closed";

/** Names of exports that an error lists. */
const LISTED_EXPORTS = 10;

/**
 * Makes a machine: checks everything, opens the accelerator, lays memory out. It runs once.
 * Errors: any code of ERROR_TABLE that concerns options, images, plugins or the host.
 */
export async function createVm(options: VmOptions): Promise<Vm> {
  checkOptions(options);
  const platform = await openPlatform();
  const grants = await loadPlugins(options.plugins ?? []);
  const plugins = resolvePlugins(grants);
  const { accelerator, fallbackReason } = await openAccelerator(platform, options.accel ?? "auto");
  const startedAt = performance.now();
  const layout = layOutMachine(accelerator, options);
  const layoutMs = performance.now() - startedAt;
  return new Vm({ options, platform, accelerator, fallbackReason, grants, plugins, layout, layoutMs });
}

interface VmParts {
  readonly options: VmOptions;
  readonly platform: Platform;
  readonly accelerator: Accelerator;
  readonly fallbackReason: string | undefined;
  readonly grants: readonly PluginGrant[];
  readonly plugins: readonly ResolvedPlugin[];
  readonly layout: MachineLayout;
  readonly layoutMs: number;
}

export class Vm {
  /** The accelerator in use. */
  readonly accel: AcceleratorName;
  /** Why it is not the one that `auto` prefers; undefined where it is. */
  readonly fallbackReason: string | undefined;
  readonly #parts: VmParts;
  #state: VmState = "ready";
  #machine: Machine | undefined;
  #result: RunResult | undefined;
  /** Of a machine that takes calls. */
  #stop: StopSource | undefined;
  #exports: ReadonlyMap<string, bigint> | undefined;

  /** @internal */
  constructor(parts: VmParts) {
    this.#parts = parts;
    this.accel = parts.accelerator.name;
    this.fallbackReason = parts.fallbackReason;
  }

  /**
   * Runs on this thread until the guest ends; nothing else of JavaScript runs meanwhile, so time limits are native
   * timers and asynchronous handlers are refused. Guest failures are results.
   * Errors: ERR_VM_PLUGIN_ASYNC, ERR_VM_STATE.
   */
  runSync({ signals = [] }: RunSyncOptions = {}): RunResult {
    refuseAsync(this.#parts.plugins);
    this.#begin("runSync()");
    const stop = this.#parts.platform.createStop();
    try {
      if (signals.length > 0) stop.watchSignals(signals);
      this.#machine = new Machine(this.#input(stop));
      return this.#finish(this.#machine.run());
    } finally {
      stop.close();
    }
  }

  /**
   * Runs in a worker without blocking this thread.
   * Errors (rejections): ERR_VM_STATE, ERR_VM_PLUGIN_THREAD. Guest failures, aborts and lost workers are results.
   */
  async run({ signal }: RunOptions = {}): Promise<RunResult> {
    this.#begin("run()");
    const { platform } = this.#parts;
    const stop = platform.createStop();
    const abort = (): void => stop.stop();
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    try {
      const result = await this.#runApart(stop);
      // The stop source knows that it was asked to stop, the signal knows why.
      const aborted = result.kind === "aborted" && signal?.aborted === true;
      return this.#finish(aborted ? { ...result, reason: signal.reason } : result);
    } catch (error) {
      this.#state = "finished";
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      stop.close();
    }
  }

  /**
   * Runs on this thread until the program waits for calls (plugin `calls`, kvmkit_serve_calls()): a warm machine.
   * Errors: ERR_VM_CALL_ENDED where the program ended instead, ERR_VM_PLUGIN_ASYNC, ERR_VM_STATE.
   */
  warmUp({ signals = [] }: RunSyncOptions = {}): void {
    refuseAsync(this.#parts.plugins);
    this.#begin("warmUp()");
    const stop = this.#parts.platform.createStop();
    this.#stop = stop;
    if (signals.length > 0) stop.watchSignals(signals);
    this.#machine = new Machine(this.#input(stop));
    const ended = this.#machine.start();
    if (ended !== undefined) throw this.#ended("warmUp()", ended);
    this.#state = "waiting";
  }

  /**
   * Calls a function that the program exports, on this thread, and returns its rax as a signed integer. Integers,
   * booleans, strings (a `const char *`) and byte arrays (a pointer; what the function writes is copied back) need no
   * signature.
   * Errors: ERR_VM_CALL_SYMBOL, ERR_VM_CALL_ARGUMENT, ERR_VM_CALL_MEMORY; ERR_VM_CALL_ENDED where the call ended the
   * run, by a fault, a limit or exit(3); ERR_VM_STATE.
   */
  call(symbol: string, ...args: readonly unknown[]): bigint {
    const address = this.#export(symbol);
    return BigInt.asIntN(64, this.#call(symbol, address, passUntyped(symbol, args), false).rax);
  }

  /**
   * A function that the program exports, with a signature of types of `t`; the result is of its `returns`.
   * Errors: ERR_VM_CALL_SYMBOL, ERR_VM_CALL_ARGUMENT. What it returns throws what call() throws.
   */
  guestFunction<const A extends readonly ArgumentType[], R extends ArgumentType | undefined = undefined>(
    symbol: string,
    signature: GuestSignature<A, R>,
  ): GuestFunction<A, R> {
    const address = this.#export(symbol);
    const { pass, result, returnsSse } = compileSignature(symbol, signature);
    return (...args) => result(this.#call(symbol, address, pass(args), returnsSse)) as GuestResult<R>;
  }

  /** How the run ended; undefined before. */
  get result(): RunResult | undefined {
    return this.#result;
  }

  /** Guest-physical memory, except while the machine runs in a worker. Errors: ERR_VM_STATE. */
  get memory(): GuestMemory {
    if (this.#state === "closed" || (this.#state === "running" && this.#machine === undefined)) {
      throw new VmError("ERR_VM_STATE", { operation: "memory", state: this.#state });
    }
    return this.#parts.layout.memory;
  }

  /** A copy of guest-physical memory, at any time. Errors: ERR_VM_MEMORY_RANGE, ERR_VM_STATE. */
  async readMemory(address: bigint, length: number): Promise<Uint8Array> {
    if (this.#state === "closed")
      throw new VmError("ERR_VM_STATE", { operation: "readMemory()", state: "closed" });
    return this.#parts.layout.memory.read(Number(address), length);
  }

  /** Gives the machine and its memory back; views of the memory must not be used any more. Errors: ERR_VM_STATE while it runs. */
  close(): void {
    if (this.#state === "closed") return;
    if (this.#state === "running")
      throw new VmError("ERR_VM_STATE", { operation: "close()", state: "running" });
    if (this.#state === "waiting") this.#finish(this.#machine!.dismiss());
    this.#state = "closed";
    this.#stop?.close();
    this.#machine?.close();
    this.#parts.layout.backing.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #call(symbol: string, address: bigint, passed: readonly Passed[], wantsXmm0: boolean): Returned {
    if (this.#state !== "waiting")
      throw new VmError("ERR_VM_STATE", { operation: "call()", state: this.#state });
    this.#state = "running";
    try {
      const returned = this.#machine!.call(symbol, address, passed, wantsXmm0);
      if ("kind" in returned) throw this.#ended(`call of ${symbol}`, returned);
      return returned;
    } finally {
      if (this.#result === undefined) this.#state = "waiting";
    }
  }

  #export(symbol: string): bigint {
    const { program } = this.#parts.options;
    this.#exports ??= program === undefined ? new Map() : exportedFunctions(program.image);
    const address = this.#exports.get(symbol);
    if (address !== undefined) return address;
    const names = [...this.#exports.keys()];
    const more = names.length > LISTED_EXPORTS ? `, and ${names.length - LISTED_EXPORTS} more` : "";
    const allowed = names.slice(0, LISTED_EXPORTS).join(", ") || "nothing";
    throw new VmError("ERR_VM_CALL_SYMBOL", { symbol, allowed: `${allowed}${more}` });
  }

  #ended(operation: string, result: RunResult): VmError {
    return new VmError("ERR_VM_CALL_ENDED", { operation, outcome: outcomeText(this.#finish(result)) });
  }

  #begin(operation: string): void {
    if (this.#state !== "ready") throw new VmError("ERR_VM_STATE", { operation, state: this.#state });
    this.#state = "running";
  }

  #finish(result: RunResult): RunResult {
    this.#state = "finished";
    const { boot, program } = this.#parts.options;
    const kernel = boot.protocol === "kvmkit" ? boot.kernel : undefined;
    this.#result = { ...result, ...new Symbolizer(kernel, program?.image).annotate(result) };
    return this.#result;
  }

  #input(stop: StopSource): MachineInput {
    const { accelerator, layout, layoutMs, plugins, options } = this.#parts;
    const { limits = {}, trace } = options;
    return { accelerator, ...layout, plugins, limits, stop, trace, layoutMs };
  }

  async #runApart(stop: StopSource): Promise<RunResult> {
    const input = this.#input(stop);
    const { platform, grants, options } = this.#parts;
    const { runInWorker } = platform;
    if (runInWorker === undefined) {
      this.#machine = new Machine({ ...input, turn: sharedThread() });
      return this.#machine.runAsync();
    }
    const sides = splitPlugins(options.plugins ?? [], grants, input.plugins);
    const callerSide = sides.caller.length === 0 ? undefined : new CallerSide(input, sides.caller);
    const ended = callerSide?.start();
    const result =
      ended === undefined
        ? await runInWorker(workerJob(input, sides, callerSide), callerSide, input.trace)
        : endedBefore(input, ended);
    return callerSide?.finish(result) ?? result;
  }
}

function workerJob(
  input: MachineInput,
  { worker }: PluginSides,
  callerSide: CallerSide | undefined,
): WorkerJob {
  const { accelerator, backing, stop, plan, limits, layoutMs, trace } = input;
  return {
    accel: accelerator.name,
    traits: accelerator.traits,
    memory: backing.token,
    stop: stop.id,
    plan,
    limits,
    layoutMs,
    plugins: worker,
    caller: callerSide?.plugins,
    trace: trace !== undefined,
  };
}

/** A start hook on the caller's thread ended the run before there was a machine. */
function endedBefore({ layoutMs }: MachineInput, outcome: RunOutcome): RunResult {
  return {
    ...outcome,
    counts: { exits: 0, hypercalls: 0, populates: 0 },
    timings: { layoutMs, createMs: 0, runMs: 0 },
    diagnostics: [],
  };
}

function refuseAsync(plugins: readonly ResolvedPlugin[]): void {
  for (const { plugin, calls } of plugins) {
    const call = calls.find(({ row }) => row.isAsync);
    if (call) throw new VmError("ERR_VM_PLUGIN_ASYNC", { hypercall: call.row.name, plugin: plugin.name });
  }
}

interface OpenedAccelerator {
  readonly accelerator: Accelerator;
  readonly fallbackReason: string | undefined;
}

async function openAccelerator(platform: Platform, accel: AccelOption): Promise<OpenedAccelerator> {
  if (accel === "soft") return { accelerator: await openSoftAccelerator(), fallbackReason: undefined };
  try {
    return { accelerator: await platform.openKvm(), fallbackReason: undefined };
  } catch (kvmError) {
    if (accel === "kvm") throw kvmError;
    try {
      return { accelerator: await openSoftAccelerator(), fallbackReason: reasonOf(kvmError) };
    } catch {
      // What is wrong with the accelerator that `auto` prefers says more than that the other one is absent.
      throw kvmError;
    }
  }
}
