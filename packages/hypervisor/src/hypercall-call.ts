/** One granted hypercall of one machine: its compiled arguments, its middleware and its handler. */
import { PLUGIN_HYPERCALL_FIRST } from "@kvmkit/guest-kernel/abi";
import type { VirtualCpu } from "./accelerators/accelerator.js";
import {
  type CallSource,
  type CompiledArguments,
  compileArguments,
  compileResult,
  type EncodeResult,
} from "./call-arguments.js";
import { errno } from "./host/errno.js";
import {
  DEFAULT_DEADLINE_MS,
  type HandlerResult,
  type HypercallCall,
  type MiddlewareDefinition,
  type PluginRow,
} from "./plugin.js";
import type { HandlerContext } from "./plugin-context.js";
import type { GrantedCall, ResolvedPlugin } from "./plugin-set.js";

export type AnyContext = HandlerContext<unknown, unknown>;
type Answer = HandlerResult | Promise<HandlerResult>;
type RunHandler = (args: Readonly<Record<string, unknown>>) => Answer;

/** A plugin with what belongs to it in one machine. */
export interface PluginInstance {
  readonly resolved: ResolvedPlugin;
  readonly context: AnyContext;
}

export interface BoundMiddleware {
  readonly definition: MiddlewareDefinition<unknown, unknown>;
  readonly context: AnyContext;
}

export class Call {
  readonly nr: number;
  readonly row: PluginRow;
  readonly plugin: string;
  readonly compiled: CompiledArguments;
  readonly encode: EncodeResult;
  readonly source: CallSource;
  /** Middleware, outermost first, then the handler. */
  readonly run: RunHandler;

  constructor(
    { nr, row }: GrantedCall,
    { resolved, context }: PluginInstance,
    cpu: Pick<VirtualCpu, "registers" | "registers32">,
    middleware: readonly BoundMiddleware[],
  ) {
    this.nr = nr;
    this.row = row;
    this.plugin = resolved.plugin.name;
    this.compiled = compileArguments(row.args, { cutBuffers: nr < PLUGIN_HYPERCALL_FIRST });
    this.encode = compileResult(row.returns);
    this.source = {
      registers: cpu.registers,
      registers32: cpu.registers32,
      space: context.user,
      handles: (of) => context.handles(of),
    };
    const description = { nr, name: row.name, plugin: this.plugin };
    this.run = middleware
      .filter(({ definition: { on } }) => on === "*" || on.includes(row.name))
      .reduceRight((next, layer) => wrapped(layer, description, next), handlerOf(resolved, row, context));
  }
}

function handlerOf(resolved: ResolvedPlugin, row: PluginRow, context: AnyContext): RunHandler {
  const definition = resolved.plugin.definition.hypercalls![row.name]!;
  if (definition.handle !== undefined) return (args) => definition.handle!(context, args);
  const deadlineMs = definition.deadlineMs ?? DEFAULT_DEADLINE_MS;
  return (args) => withDeadline(deadlineMs, context, (bounded) => definition.handleAsync!(bounded, args));
}

function wrapped(
  layer: BoundMiddleware,
  description: Omit<HypercallCall, "args">,
  next: RunHandler,
): RunHandler {
  return (args) =>
    layer.definition.handle(layer.context, { ...description, args }, (changed = args) => next(changed));
}

/** Ends the wait, though not what it waits for, at the deadline (-ETIMEDOUT) or when the run ends (-EINTR). */
async function withDeadline(
  deadlineMs: number,
  context: AnyContext,
  start: (bounded: AnyContext) => Promise<HandlerResult>,
): Promise<HandlerResult> {
  const call = new AbortController();
  let giveUp: (reason: Error) => void = () => {};
  const given = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const ended = (): void => {
    call.abort();
    giveUp(errno("EINTR"));
  };
  const timer = setTimeout(() => {
    call.abort();
    giveUp(errno("ETIMEDOUT"));
  }, deadlineMs);
  context.signal.addEventListener("abort", ended, { once: true });
  if (context.signal.aborted) ended();
  try {
    return await Promise.race([start({ ...context, signal: call.signal }), given]);
  } finally {
    clearTimeout(timer);
    context.signal.removeEventListener("abort", ended);
  }
}
