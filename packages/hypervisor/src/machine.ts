/**
 * One machine from its first instruction to its result, on the thread that calls it.
 *
 * The caller's thread and a worker use it in the same way; what differs is only whether asynchronous handlers are
 * waited for.
 */
import { AREA_FLAGS, BOOT_INFO, HOST_REQUEST, HOST_REQUEST_KINDS } from "@kvmkit/guest-kernel/abi";
import type {
  AcceleratedMachine,
  Accelerator,
  MemoryBacking,
  VirtualCpu,
} from "./accelerators/accelerator.js";
import { reasonOf, VmError } from "./errors.js";
import type { ExitScene } from "./exits.js";
import { GuestCaller } from "./guest-caller.js";
import type { Passed, Returned } from "./guest-function.js";
import type { StopSource } from "./host/stop-source.js";
import type { PluginInstance } from "./hypercall-call.js";
import { type CallsElsewhere, HypercallRegistry } from "./hypercall-registry.js";
import { kernelPlugin } from "./kernel-plugin.js";
import type { MachinePlan } from "./machine-layout.js";
import type { GuestMemory } from "./memory/guest-memory.js";
import { GuestSpace, type PageNeeded } from "./memory/guest-space.js";
import type { AddressSpace } from "./memory/page-walk.js";
import { instantiatePlugins, type PluginScene } from "./plugin-instances.js";
import type { ResolvedPlugin } from "./plugin-set.js";
import type { RunCounts, RunResult } from "./result.js";
import { RunControl } from "./run-control.js";
import { type EventLoopTurn, RunLoop, stopOutcome } from "./run-loop.js";
import type { TraceSink } from "./trace.js";
import { setUpVcpu } from "./vcpu-setup.js";
import type { Limits } from "./vm-options.js";

export interface MachineInput {
  readonly accelerator: Accelerator;
  readonly backing: MemoryBacking;
  readonly memory: GuestMemory;
  readonly plan: MachinePlan;
  readonly plugins: readonly ResolvedPlugin[];
  readonly limits: Limits;
  readonly stop: StopSource;
  readonly trace: TraceSink | undefined;
  /** Milliseconds that laying memory out took. */
  readonly layoutMs: number;
  /** Where the run shares its thread with the caller. */
  readonly turn?: EventLoopTurn;
  /** For plugins that live on another thread. */
  readonly elsewhere?: (cpu: VirtualCpu, control: RunControl) => CallsElsewhere;
}

/** How often a stop is looked for while a handler is awaited, in milliseconds. */
const STOP_POLL_MS = 10;

export class Machine {
  readonly control: RunControl;
  readonly #input: MachineInput;
  readonly #counts: RunCounts = { exits: 0, hypercalls: 0, populates: 0 };
  readonly #createdAt = performance.now();
  #instances: readonly PluginInstance[] = [];
  #machine: AcceleratedMachine | undefined;
  #runAt = 0;
  #loop: RunLoop | undefined;
  #user: GuestSpace | undefined;
  #caller: GuestCaller | undefined;

  constructor(input: MachineInput) {
    this.#input = input;
    const { plan, limits, stop } = input;
    this.control = new RunControl({ protocol: plan.protocol, cwd: plan.cwd, limits, stop });
  }

  /** Runs to the end without giving the thread up. Never throws. */
  run(): RunResult {
    const loop = this.#start();
    const ended = loop?.run();
    // Asynchronous handlers are refused at registration; middleware can still make a promise of an answer.
    if (ended instanceof Promise) {
      this.control.fail(new VmError("ERR_VM_PLUGIN_ASYNC", { hypercall: "(middleware)", plugin: "(any)" }));
    }
    return this.#finish();
  }

  /** Runs until the guest waits for calls. Result: undefined then, else how the run ended. Never throws. */
  start(): RunResult | undefined {
    this.control.takesCalls = true;
    this.#loop = this.#start();
    this.#loop?.run();
    this.#disarm();
    if (this.control.waiting === undefined) return this.#finish();
    return undefined;
  }

  /**
   * Calls a function of the guest that waits. Result: how the run ended, where the call ended it.
   * Errors: those of GuestCaller.
   */
  call(symbol: string, address: bigint, passed: readonly Passed[], wantsXmm0: boolean): Returned | RunResult {
    const { limits, stop } = this.#input;
    this.#caller ??= this.#guestCaller();
    this.#arm(limits.callMs ?? limits.wallMs);
    try {
      const returned = this.#caller.call(symbol, address, passed, wantsXmm0);
      // A limit that was reached with the last instruction was reached.
      if (stop.reason !== undefined) this.control.end(stopOutcome(stop.reason));
      return this.control.outcome === undefined ? returned! : this.#finish();
    } finally {
      this.#disarm();
    }
  }

  /** Runs to the end and awaits asynchronous handlers. Never rejects. */
  async runAsync(): Promise<RunResult> {
    const loop = this.#start();
    for (let ended = loop?.run(); ended instanceof Promise; ended = loop?.run()) {
      await settled(ended, this.#input.stop, this.control);
    }
    return this.#finish();
  }

  /** Ends a run whose guest waits for calls. Never throws. */
  dismiss(): RunResult {
    this.control.end({ kind: "aborted", reason: "closed" });
    return this.#finish();
  }

  /** Gives the machine back. Memory stays. Never throws. */
  close(): void {
    for (const { resolved, context } of this.#instances.toReversed()) {
      this.#hook(resolved, "close", () => resolved.plugin.definition.hooks?.close?.(context));
    }
    this.#instances = [];
    this.#machine?.close();
    this.#machine = undefined;
  }

  /** Everything up to the first instruction; undefined where that failed, and then the control says why. */
  #start(): RunLoop | undefined {
    const { accelerator, backing, plan, limits, stop } = this.#input;
    try {
      this.#machine = accelerator.createMachine(backing, plan.ranges);
      const cpu = this.#machine.createCpu(0);
      setUpVcpu(cpu, plan.start);
      this.control.cpu = cpu;
      const registry = this.#registry(cpu);
      if (!this.#startPlugins()) return undefined;
      this.#runAt = performance.now();
      this.#arm(limits.wallMs);
      return new RunLoop({
        cpu,
        control: this.control,
        registry,
        stop,
        counts: this.#counts,
        scene: this.#exitScene(cpu),
        maxExits: limits.exits ?? Number.POSITIVE_INFINITY,
        turn: this.#input.turn,
      });
    } catch (thrown) {
      this.control.fail(
        thrown instanceof VmError
          ? thrown
          : new VmError(
              "ERR_VM_HOST",
              { operation: "a machine", reason: reasonOf(thrown) },
              { cause: thrown },
            ),
      );
      return undefined;
    }
  }

  #registry(cpu: VirtualCpu): HypercallRegistry {
    const { memory, plan, plugins, trace, elsewhere } = this.#input;
    const readSpace = (): AddressSpace => cpu.addressSpace();
    const isKvmkit = plan.protocol === "kvmkit";
    // Without a kernel that we know, the host cannot tell ring 3's pointers from ring 0's: memory bounds are the check.
    const user = new GuestSpace(memory, { user: isKvmkit, canPopulate: isKvmkit }, readSpace);
    this.#user = user;
    // Before the first instruction it is 0.
    const now = (): number => (this.#runAt === 0 ? 0 : performance.now() - this.#runAt);
    const scene: PluginScene = { control: this.control, memory, user, trace, now };
    this.#instances = instantiatePlugins(plugins, scene);
    const instances = isKvmkit ? [...this.#instances, this.#kernel(readSpace)] : this.#instances;
    return new HypercallRegistry(
      {
        control: this.control,
        counts: this.#counts,
        cpu,
        trace,
        now,
        requestPages: (needed) => requestPages(memory, plan, needed),
        elsewhere: elsewhere?.(cpu, this.control),
      },
      instances,
    );
  }

  #kernel(readSpace: () => AddressSpace): PluginInstance {
    const { memory, plan, trace } = this.#input;
    return kernelPlugin({
      control: this.control,
      memory,
      space: new GuestSpace(memory, { user: false, canPopulate: false }, readSpace),
      code: plan.kernelCode,
      pageTableRoot: () => {
        const space = readSpace();
        return space.paging === "long" ? space.root : undefined;
      },
      log: (text) => {
        this.control.report({ code: "KERNEL_LOG", message: text });
        trace?.({ kind: "log", text, atMs: performance.now() - this.#runAt });
      },
    });
  }

  #guestCaller(): GuestCaller {
    const { memory, plan, stop } = this.#input;
    return new GuestCaller({
      cpu: this.control.cpu!,
      control: this.control,
      loop: this.#loop!,
      space: this.#user!,
      stop,
      requestPages: (needed) => requestPages(memory, plan, needed),
    });
  }

  #exitScene(cpu: VirtualCpu): ExitScene {
    const { memory } = this.#input;
    return {
      cpu,
      control: this.control,
      codeAt: (rip, length) => {
        const space = new GuestSpace(memory, { user: false, canPopulate: false }, () => cpu.addressSpace());
        return space.readSome(rip, length);
      },
    };
  }

  /** Result: whether every start hook succeeded. */
  #startPlugins(): boolean {
    for (const { resolved, context } of this.#instances) {
      try {
        resolved.plugin.definition.hooks?.start?.(context);
      } catch (thrown) {
        const facts = { hook: "start", plugin: resolved.plugin.name, reason: reasonOf(thrown) };
        this.control.fail(new VmError("ERR_VM_PLUGIN_HOOK", facts, { cause: thrown }));
      }
      if (this.control.outcome !== undefined) return false;
    }
    return true;
  }

  #arm(wallMs: number | undefined): void {
    const { limits, stop } = this.#input;
    if (wallMs !== undefined) stop.armWall(wallMs);
    if (limits.cpuMs !== undefined) stop.armCpu(limits.cpuMs);
  }

  #disarm(): void {
    const { limits, stop } = this.#input;
    if (limits.wallMs !== undefined || limits.callMs !== undefined) stop.armWall(undefined);
    if (limits.cpuMs !== undefined) stop.armCpu(undefined);
  }

  #finish(): RunResult {
    const endedAt = performance.now();
    const { trace, layoutMs } = this.#input;
    this.#disarm();
    const runAt = this.#runAt || endedAt;
    const result: RunResult = {
      ...this.control.outcome!,
      counts: this.#counts,
      timings: { layoutMs, createMs: runAt - this.#createdAt, runMs: endedAt - runAt },
      diagnostics: this.control.diagnostics,
    };
    trace?.({ kind: "end", outcome: result.kind, atMs: endedAt - runAt });
    for (const { resolved, context } of this.#instances.toReversed()) {
      this.#hook(resolved, "exit", () => resolved.plugin.definition.hooks?.exit?.(context, result));
    }
    return result;
  }

  /** The run is over, so a hook that throws is only reported. */
  #hook({ plugin }: ResolvedPlugin, hook: string, call: () => void): void {
    try {
      call();
    } catch (thrown) {
      const facts = { hook, plugin: plugin.name, reason: reasonOf(thrown) };
      this.control.report(new VmError("ERR_VM_PLUGIN_HOOK", facts, { cause: thrown }));
    }
  }
}

/** Writes the vCPU's HOST_REQUEST record (guest-kernel's abi/boot-info.ts). */
export function requestPages(
  memory: GuestMemory,
  { bootInfo }: MachinePlan,
  { address, length, write }: PageNeeded,
): void {
  const record = bootInfo! + BOOT_INFO.host_request;
  memory.setU64(record + HOST_REQUEST.kind, HOST_REQUEST_KINDS.POPULATE);
  memory.setU64(record + HOST_REQUEST.address, address);
  memory.setU64(record + HOST_REQUEST.length, BigInt(length));
  memory.setU64(record + HOST_REQUEST.access, write ? AREA_FLAGS.WRITE : AREA_FLAGS.READ);
}

/** Waits for an asynchronous handler, and ends the run where `stop` fires meanwhile. */
export async function settled(pending: Promise<void>, stop: StopSource, control: RunControl): Promise<void> {
  const poll = setInterval(() => {
    const { reason } = stop;
    if (reason !== undefined) control.end(stopOutcome(reason));
  }, STOP_POLL_MS);
  try {
    await pending;
  } finally {
    clearInterval(poll);
  }
}
