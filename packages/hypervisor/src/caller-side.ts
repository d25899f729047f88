/** The plugins of a `run()` that live on the caller's thread: a registry of their own, on registers that are shared. */

import type { PortAccess } from "./accelerators/accelerator.js";
import { CallerBlock } from "./caller-block.js";
import { reasonOf, VmError } from "./errors.js";
import type { PluginInstance } from "./hypercall-call.js";
import { HypercallRegistry } from "./hypercall-registry.js";
import { type MachineInput, requestPages, settled } from "./machine.js";
import { GuestSpace } from "./memory/guest-space.js";
import { instantiatePlugins } from "./plugin-instances.js";
import type { ResolvedPlugin } from "./plugin-set.js";
import type { RunCounts, RunOutcome, RunResult } from "./result.js";
import { RunControl } from "./run-control.js";
import { type CallerPlugins, outcomeToData } from "./worker-job.js";

/** What a worker asks the caller's thread. */
export type CallerRequest =
  | { readonly type: "call" }
  | {
      readonly type: "port";
      readonly port: number;
      readonly isOut: boolean;
      readonly sizeBytes: number;
      /** Of each element. */
      readonly values: readonly number[];
    };

/** The answer: how the run ends, if it does, and what an `in` reads. */
export interface CallerAnswer {
  readonly outcome: ReturnType<typeof outcomeToData> | undefined;
  readonly values: readonly number[];
}

export class CallerSide {
  readonly control: RunControl;
  readonly #input: MachineInput;
  readonly #resolved: readonly ResolvedPlugin[];
  readonly #block = new CallerBlock();
  readonly #counts: RunCounts = { exits: 0, hypercalls: 0, populates: 0 };
  readonly #instances: readonly PluginInstance[];
  readonly #registry: HypercallRegistry;

  /** Errors: ERR_VM_PLUGIN_HOOK, ERR_VM_PLUGIN_DEPENDENCY. */
  constructor(input: MachineInput, resolved: readonly ResolvedPlugin[]) {
    this.#input = input;
    this.#resolved = resolved;
    const { plan, limits, stop, memory, trace } = input;
    const startedAt = performance.now();
    this.control = new RunControl({ protocol: plan.protocol, cwd: plan.cwd, limits, stop });
    const isKvmkit = plan.protocol === "kvmkit";
    const user = new GuestSpace(memory, { user: isKvmkit, canPopulate: isKvmkit }, () => this.#block.space);
    const now = (): number => performance.now() - startedAt;
    this.#instances = instantiatePlugins(resolved, { control: this.control, memory, user, trace, now });
    this.#registry = new HypercallRegistry(
      {
        control: this.control,
        counts: this.#counts,
        cpu: {
          registers: this.#block.registers,
          registers32: this.#block.registers32,
          registersChanged: () => {},
        },
        requestPages: (needed) => requestPages(memory, plan, needed),
        trace,
        now,
      },
      this.#instances,
    );
  }

  /** What the worker must know. */
  get plugins(): CallerPlugins {
    return {
      calls: this.#resolved.flatMap(({ calls }) => calls.map(({ nr }) => nr)),
      ports: this.#resolved.flatMap(({ ports }) => ports.map(({ first, last }) => ({ first, last }))),
      block: this.#block.buffer,
    };
  }

  /** Runs the start hooks. Result: the outcome where one of them ended the run. */
  start(): RunOutcome | undefined {
    for (const { resolved, context } of this.#instances) {
      try {
        resolved.plugin.definition.hooks?.start?.(context);
      } catch (thrown) {
        this.control.fail(hookError(resolved, "start", thrown));
      }
      if (this.control.outcome !== undefined) break;
    }
    return this.control.outcome;
  }

  /** Serves one request and then lets the worker go on. */
  async serve(request: CallerRequest, answer: (answer: CallerAnswer) => void): Promise<void> {
    let values: readonly number[] = [];
    if (request.type === "call") {
      const pending = this.#registry.dispatch();
      if (pending !== undefined) await settled(pending, this.#input.stop, this.control);
    } else {
      const access = new RemotePortAccess(request);
      this.#registry.dispatchPort(access);
      values = access.values;
    }
    const { outcome } = this.control;
    answer({ outcome: outcome && outcomeToData(outcome), values });
    this.#block.finish();
  }

  /** Runs the exit and close hooks, and adds what this side has to say. */
  finish(result: RunResult): RunResult {
    this.control.end(result);
    const hooks = [...this.#instances].reverse();
    for (const { resolved, context } of hooks) {
      this.#hook(resolved, "exit", () => resolved.plugin.definition.hooks?.exit?.(context, result));
    }
    for (const { resolved, context } of hooks) {
      this.#hook(resolved, "close", () => resolved.plugin.definition.hooks?.close?.(context));
    }
    return {
      ...result,
      counts: { ...result.counts, populates: result.counts.populates + this.#counts.populates },
      diagnostics: [...result.diagnostics, ...this.control.diagnostics],
    };
  }

  #hook(resolved: ResolvedPlugin, hook: string, call: () => void): void {
    try {
      call();
    } catch (thrown) {
      this.control.report(hookError(resolved, hook, thrown));
    }
  }
}

function hookError({ plugin }: ResolvedPlugin, hook: string, thrown: unknown): VmError {
  const facts = { hook, plugin: plugin.name, reason: reasonOf(thrown) };
  return new VmError("ERR_VM_PLUGIN_HOOK", facts, { cause: thrown });
}

/** A port access that came in a message. */
class RemotePortAccess implements PortAccess {
  readonly port: number;
  readonly isOut: boolean;
  readonly sizeBytes: number;
  readonly values: number[];

  constructor({ port, isOut, sizeBytes, values }: Extract<CallerRequest, { type: "port" }>) {
    this.port = port;
    this.isOut = isOut;
    this.sizeBytes = sizeBytes;
    this.values = [...values];
  }

  get count(): number {
    return this.values.length;
  }

  value(index: number): number {
    return this.values[index]!;
  }

  setValue(index: number, value: number): void {
    this.values[index] = value;
  }
}
