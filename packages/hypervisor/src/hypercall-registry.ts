/**
 * The hypercalls and ports of one machine: from a number in rax to a handler and back.
 *
 * A call decodes its arguments, runs middleware and handler, and answers. Nothing that a handler throws gets further
 * than here: errno becomes the answer, everything else is reported and becomes -EIO.
 */
import { ERRNO, PLUGIN_HYPERCALL_LAST } from "@kvmkit/guest-kernel/abi";
import { type PortAccess, REG, type VirtualCpu } from "./accelerators/accelerator.js";
import { type CallFrame, writeResult } from "./call-arguments.js";
import { reasonOf, VmError } from "./errors.js";
import { GuestBuffer } from "./guest-buffer.js";
import { Errno } from "./host/errno.js";
import { type AnyContext, Call, type PluginInstance } from "./hypercall-call.js";
import { PageNeeded } from "./memory/guest-space.js";
import type { HandlerResult } from "./plugin.js";
import type { GrantedPort } from "./plugin-set.js";
import type { RunCounts } from "./result.js";
import type { RunControl } from "./run-control.js";
import type { TraceSink } from "./trace.js";

/** What the registry needs of the machine around it. */
export interface RegistryHost {
  readonly control: RunControl;
  readonly counts: RunCounts;
  readonly cpu: Pick<VirtualCpu, "registers" | "registers32" | "registersChanged">;
  /** Leaves a request for pages with the guest's kernel. */
  requestPages(needed: PageNeeded): void;
  readonly trace: TraceSink | undefined;
  /** Calls whose plugins live on another thread. */
  readonly elsewhere?: CallsElsewhere | undefined;
  /** Milliseconds since the run began. */
  now(): number;
}

/** Serves the call that the vCPU stands at on another thread, and waits for it. */
export interface CallsElsewhere {
  hasCall(nr: number): boolean;
  hasPort(port: number): boolean;
  dispatch(): void;
  dispatchPort(access: PortAccess): void;
}

/** Consecutive calls that ask for one page in vain, after which the host answers -EFAULT itself. */
const POPULATE_ATTEMPTS = 16;
const CARRY_FLAG = 1;
const ALL_ONES = 0xffff_ffff;
const NO_FRAME: CallFrame = { commits: [] };

interface Port extends GrantedPort {
  readonly context: AnyContext;
  readonly plugin: string;
}

export class HypercallRegistry {
  readonly #host: RegistryHost;
  readonly #calls = new Map<number, Call>();
  readonly #ports: Port[] = [];
  #lastNeed = { address: -1n, write: false, attempts: 0 };

  constructor(host: RegistryHost, plugins: readonly PluginInstance[]) {
    this.#host = host;
    const middleware = plugins.flatMap(({ resolved, context }) =>
      (resolved.plugin.definition.middleware ?? []).map((definition) => ({ definition, context })),
    );
    for (const instance of plugins) {
      const { resolved, context } = instance;
      for (const call of resolved.calls)
        this.#calls.set(call.nr, new Call(call, instance, host.cpu, middleware));
      for (const port of resolved.ports) this.#ports.push({ ...port, context, plugin: resolved.plugin.name });
    }
  }

  /** Whether `out HYPERCALL_PORT` means a hypercall here. */
  get hasHypercalls(): boolean {
    return this.#calls.size > 0 || this.#host.elsewhere !== undefined;
  }

  /**
   * Serves the hypercall that the vCPU stands at. Result: a promise where its handler is asynchronous, and the vCPU
   * must not run before it settles; it never rejects.
   */
  dispatch(): Promise<void> | undefined {
    const { registers, registers32 } = this.#host.cpu;
    this.#host.counts.hypercalls++;
    const call = registers32[REG.rax * 2 + 1] === 0 ? this.#calls.get(registers32[REG.rax * 2]!) : undefined;
    if (call === undefined) {
      const { elsewhere } = this.#host;
      if (elsewhere?.hasCall(Number(registers[REG.rax]!))) elsewhere.dispatch();
      else this.#unknown(registers[REG.rax]!);
      return undefined;
    }
    return this.#host.trace === undefined ? this.#serve(call) : this.#serveTraced(call);
  }

  #serve(call: Call): Promise<void> | undefined {
    const frame: CallFrame = call.compiled.needsFrame ? { commits: [] } : NO_FRAME;
    call.source.space.beginCall();
    try {
      const result = call.run(call.compiled.decode(call.source, frame));
      if (result instanceof Promise) return this.#settle(call, frame, result);
      this.#succeed(call, frame, result);
    } catch (thrown) {
      this.#fail(call, thrown);
    }
    return undefined;
  }

  async #settle(call: Call, frame: CallFrame, promise: Promise<HandlerResult>): Promise<void> {
    try {
      this.#succeed(call, frame, await promise);
    } catch (thrown) {
      this.#fail(call, thrown);
    }
  }

  #succeed(call: Call, frame: CallFrame, result: HandlerResult): void {
    const encoded = call.encode(result);
    for (const commit of frame.commits) commit();
    call.source.space.endCall(true);
    // A guest that waits for a call gets that as its answer (guest-caller.ts).
    if (this.#host.control.waiting === undefined) this.#answer(encoded);
  }

  #fail(call: Call, thrown: unknown): void {
    call.source.space.endCall(false);
    if (thrown instanceof PageNeeded) this.#needPages(thrown);
    else
      this.#answer(
        thrown instanceof Errno ? thrown.value : this.#reportThrown(call.row.name, call.plugin, thrown),
      );
  }

  #answer(result: number | bigint): void {
    const { cpu } = this.#host;
    writeResult(cpu.registers, cpu.registers32, result);
    cpu.registers32[REG.rflags * 2]! &= ~CARRY_FLAG;
    cpu.registersChanged();
  }

  /** Asks the kernel for pages; it makes the same call again (guest-kernel's abi/hypercalls.ts, CF = 1). */
  #needPages(needed: PageNeeded): void {
    const last = this.#lastNeed;
    const same = last.address === needed.address && last.write === needed.write;
    const attempts = same ? last.attempts + 1 : 1;
    if (attempts > POPULATE_ATTEMPTS) {
      last.attempts = 0;
      this.#answer(-ERRNO.EFAULT);
      return;
    }
    this.#lastNeed = { address: needed.address, write: needed.write, attempts };
    const { cpu, counts, trace } = this.#host;
    counts.populates++;
    this.#host.requestPages(needed);
    cpu.registers32[REG.rflags * 2]! |= CARRY_FLAG;
    cpu.registersChanged();
    const { address, length, write } = needed;
    trace?.({ kind: "populate", address, length, write, atMs: this.#host.now() });
  }

  /** What is not granted does not exist: -ENOSYS. A number that no kernel of ours makes ends the run. */
  #unknown(nr: bigint): void {
    const { cpu, control } = this.#host;
    if (nr > BigInt(PLUGIN_HYPERCALL_LAST)) {
      control.fail(new VmError("ERR_VM_UNKNOWN_HYPERCALL", { nr, rip: cpu.registers[REG.rip]! }));
      return;
    }
    control.report(new VmError("ERR_VM_NOT_GRANTED", { hypercall: `number ${nr}` }));
    this.#answer(-ERRNO.ENOSYS);
  }

  #serveTraced(call: Call): Promise<void> | undefined {
    const atMs = this.#host.now();
    // Decoded a second time: what the guest passed, before a handler could change it.
    const args = traceArguments(call);
    const done = (): void => {
      const { cpu, trace, now } = this.#host;
      if (cpu.registers32[REG.rflags * 2]! & CARRY_FLAG) return;
      const result = BigInt.asIntN(64, cpu.registers[REG.rax]!);
      const { nr, plugin } = call;
      trace!({
        kind: "hypercall",
        nr,
        name: call.row.name,
        plugin,
        args,
        result,
        atMs,
        hostMs: now() - atMs,
      });
    };
    const served = this.#serve(call);
    if (served !== undefined) return served.then(done);
    done();
    return undefined;
  }

  /** Serves an `in` or `out` of a port. Result: whether a plugin did. */
  dispatchPort(access: PortAccess): boolean {
    const port = this.#ports.find(({ first, last }) => access.port >= first && access.port <= last);
    if (port === undefined) {
      const { elsewhere } = this.#host;
      if (!elsewhere?.hasPort(access.port)) return false;
      elsewhere.dispatchPort(access);
      return true;
    }
    for (let index = 0; index < access.count && this.#host.control.outcome === undefined; index++) {
      this.#onePort(port, access, index);
    }
    return true;
  }

  #onePort({ name, plugin, definition, context }: Port, access: PortAccess, index: number): void {
    const { port, sizeBytes, isOut } = access;
    context.user.beginCall();
    try {
      if (isOut) definition.onOut?.(context, port, sizeBytes, access.value(index));
      // A port that nobody drives reads as ones.
      else access.setValue(index, definition.onIn?.(context, port, sizeBytes) ?? ALL_ONES);
    } catch (thrown) {
      if (!isOut) access.setValue(index, thrown instanceof Errno ? thrown.value : ALL_ONES);
      if (!(thrown instanceof Errno)) this.#reportThrown(`port ${name}`, plugin, thrown);
    }
    this.#host.trace?.({
      kind: "port",
      direction: isOut ? "out" : "in",
      port,
      sizeBytes,
      value: access.value(index),
      atMs: this.#host.now(),
    });
  }

  /** Result: what the guest gets instead, -EIO. */
  #reportThrown(hypercall: string, plugin: string, thrown: unknown): number {
    this.#host.control.report(
      new VmError("ERR_VM_HANDLER", { hypercall, plugin, reason: reasonOf(thrown) }, { cause: thrown }),
    );
    return -ERRNO.EIO;
  }
}

/** The arguments of a call as plain values; a buffer is its length. */
function traceArguments({ compiled, source }: Call): Record<string, unknown> {
  source.space.beginCall();
  try {
    const args = compiled.decode(source, { commits: [] });
    return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, traceValue(value)]));
  } catch {
    return {};
  } finally {
    source.space.endCall(false);
  }
}

function traceValue(value: unknown): unknown {
  if (value instanceof GuestBuffer) return value.length;
  return typeof value === "object" ? undefined : value;
}
