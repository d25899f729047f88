/**
 * Drives the hypercalls and ports of plugins without a machine: registers in, rax out, guest memory as a plain buffer.
 *
 * Everything between is what a machine uses: the registry, the decoding, the checks. Addresses are the buffer's
 * offsets, so a test can place a pointer anywhere, also outside.
 */

import { type PortAccess, REG, REGISTER_NAMES } from "../accelerators/accelerator.js";
import { ARGUMENT_REGISTERS } from "../call-arguments.js";
import { VmError } from "../errors.js";
import { PortableStop } from "../host/portable-stop.js";
import type { PluginInstance } from "../hypercall-call.js";
import { HypercallRegistry } from "../hypercall-registry.js";
import { GuestMemory } from "../memory/guest-memory.js";
import { GuestSpace, type PageNeeded, type SpacePolicy } from "../memory/guest-space.js";
import { memoryMap } from "../memory/memory-map.js";
import type { AddressSpace } from "../memory/page-walk.js";
import { encodeText } from "../memory/text.js";
import { instantiatePlugins } from "../plugin-instances.js";
import { type PluginGrant, type ResolvedPlugin, resolvePlugins } from "../plugin-set.js";
import type { Diagnostic, RunCounts, RunOutcome } from "../result.js";
import { RunControl } from "../run-control.js";
import type { TraceSink } from "../trace.js";
import type { Limits } from "../vm-options.js";

export interface HarnessOptions {
  /** Guest memory. Default 1 MiB. */
  readonly memoryBytes?: number;
  readonly limits?: Limits;
  /** Working directory of the program. Default `/`. */
  readonly cwd?: string;
  readonly trace?: TraceSink;
  /** How addresses are translated. Default: not at all. */
  readonly space?: AddressSpace;
  /** Whose rights count. Default: memory bounds only. */
  readonly policy?: SpacePolicy;
}

const ARENA_START = 0x1000;
const ALIGNMENT = 16;
const CARRY_FLAG = 1;
/** On both sides of guest memory, so that a handler that forgets `byteOffset` or a bound is found out. */
const GUARD_BYTES = 4096;
const GUARD = 0xa5;

export class PluginHarness {
  readonly memory: GuestMemory;
  readonly plugins: readonly ResolvedPlugin[];
  readonly counts: RunCounts = { exits: 0, hypercalls: 0, populates: 0 };
  /** The last request for pages that the guest's kernel would have got. */
  needed: { readonly address: bigint; readonly length: number; readonly write: boolean } | undefined;
  readonly #bytes: Uint8Array;
  readonly #registers = new BigUint64Array(REGISTER_NAMES.length);
  readonly #control: RunControl;
  readonly #instances: readonly PluginInstance[];
  readonly #registry: HypercallRegistry;
  readonly #numbers: ReadonlyMap<string, number>;
  #next = ARENA_START;

  /** Errors: those of resolvePlugins(), and what a plugin's `state` throws. */
  constructor(grants: readonly PluginGrant[], options: HarnessOptions = {}) {
    const { memoryBytes = 2 ** 20, limits = {}, cwd = "/", trace, space = { paging: "none" } } = options;
    this.#bytes = new Uint8Array(memoryBytes + 2 * GUARD_BYTES);
    this.#bytes.fill(GUARD, 0, GUARD_BYTES).fill(GUARD, GUARD_BYTES + memoryBytes);
    const backing = {
      sizeBytes: memoryBytes,
      token: undefined,
      bytes: (offset: number, length: number) =>
        this.#bytes.subarray(GUARD_BYTES + offset, GUARD_BYTES + offset + length),
      close: () => {},
    };
    this.memory = new GuestMemory(backing, memoryMap(memoryBytes));
    this.plugins = resolvePlugins(grants);
    this.#numbers = new Map(this.plugins.flatMap(({ calls }) => calls.map(({ row, nr }) => [row.name, nr])));
    this.#control = new RunControl({ protocol: "kvmkit", cwd, limits, stop: new PortableStop() });
    const policy = options.policy ?? { user: false, canPopulate: false };
    const user = new GuestSpace(this.memory, policy, () => space);
    const startedAt = performance.now();
    const now = (): number => performance.now() - startedAt;
    const scene = { control: this.#control, memory: this.memory, user, trace, now };
    this.#instances = instantiatePlugins(this.plugins, scene);
    this.#registry = new HypercallRegistry(
      {
        control: this.#control,
        counts: this.counts,
        cpu: {
          registers: this.#registers,
          registers32: new Uint32Array(this.#registers.buffer),
          registersChanged: () => {},
        },
        requestPages: ({ address, length, write }: PageNeeded) => {
          this.needed = { address, length, write };
        },
        trace,
        now,
      },
      this.#instances,
    );
    for (const { resolved, context } of this.#instances) resolved.plugin.definition.hooks?.start?.(context);
  }

  /** How the run would have ended, once a plugin ended it. */
  get outcome(): RunOutcome | undefined {
    return this.#control.outcome;
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#control.diagnostics;
  }

  /** Whether nothing was written beside guest memory. */
  get guardsIntact(): boolean {
    const end = GUARD_BYTES + this.memory.sizeBytes;
    const guards = [this.#bytes.subarray(0, GUARD_BYTES), this.#bytes.subarray(end)];
    return guards.every((guard) => guard.every((byte) => byte === GUARD));
  }

  /** Whether these bytes are anywhere in guest memory. */
  holds(bytes: Uint8Array): boolean {
    const memory = this.memory.read(0, this.memory.sizeBytes);
    for (let at = memory.indexOf(bytes[0]!); at !== -1; at = memory.indexOf(bytes[0]!, at + 1)) {
      if (bytes.every((byte, index) => memory[at + index] === byte)) return true;
    }
    return false;
  }

  /** Room for `length` bytes in guest memory, and its address. */
  allocate(length: number): bigint {
    const address = this.#next;
    this.#next = Math.ceil((address + length) / ALIGNMENT) * ALIGNMENT;
    if (!this.memory.contains(address, length)) throw new RangeError("the harness has no guest memory left");
    return BigInt(address);
  }

  /** Puts bytes, or a string and a NUL, into guest memory. Result: their address. */
  put(data: Uint8Array | string): bigint {
    const bytes = typeof data === "string" ? encodeText(`${data}\0`) : data;
    const address = this.allocate(bytes.length);
    this.memory.write(Number(address), bytes);
    return address;
  }

  /** A copy of guest memory. */
  read(address: bigint, length: number): Uint8Array {
    return this.memory.read(Number(address), length);
  }

  /**
   * Calls a hypercall with these argument registers. Result: rax as the guest sees it, a result or -errno; undefined
   * where the guest's kernel is asked for pages first (`needed`).
   * Errors: ERR_VM_PLUGIN_ASYNC where the handler is asynchronous; use callAsync().
   */
  call(hypercall: string | number, ...registers: readonly (bigint | number)[]): bigint | undefined {
    if (this.#dispatch(hypercall, registers) === undefined) return this.#result();
    throw new VmError("ERR_VM_PLUGIN_ASYNC", { hypercall: String(hypercall), plugin: "(in this harness)" });
  }

  async callAsync(
    hypercall: string | number,
    ...registers: readonly (bigint | number)[]
  ): Promise<bigint | undefined> {
    await this.#dispatch(hypercall, registers);
    return this.#result();
  }

  /** Writes to a port. Result: whether a plugin serves it. */
  out(port: number, sizeBytes: 1 | 2 | 4, ...values: readonly number[]): boolean {
    return this.#registry.dispatchPort(new ArrayPortAccess(port, true, sizeBytes, [...values]));
  }

  /** Reads from a port; undefined where no plugin serves it. */
  in(port: number, sizeBytes: 1 | 2 | 4): number | undefined {
    const access = new ArrayPortAccess(port, false, sizeBytes, [0]);
    return this.#registry.dispatchPort(access) ? access.value(0) : undefined;
  }

  /** Ends the run as its deadline would, so that what waits on `ctx.signal` ends too. */
  abort(): void {
    this.#control.end({ kind: "aborted", reason: "requested" });
  }

  /** Runs the close hooks. */
  close(): void {
    for (const { resolved, context } of [...this.#instances].reverse()) {
      resolved.plugin.definition.hooks?.close?.(context);
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #dispatch(hypercall: string | number, registers: readonly (bigint | number)[]): Promise<void> | undefined {
    const nr = typeof hypercall === "number" ? hypercall : this.#numbers.get(hypercall);
    if (nr === undefined) throw new RangeError(`no granted plugin has a hypercall ${hypercall}`);
    this.#registers.fill(0n);
    this.#registers[REG.rax] = BigInt(nr);
    registers.forEach((value, index) => {
      this.#registers[ARGUMENT_REGISTERS[index]!] = BigInt(value);
    });
    this.needed = undefined;
    return this.#registry.dispatch();
  }

  #result(): bigint | undefined {
    const asked = this.#registers[REG.rflags]! & BigInt(CARRY_FLAG);
    return asked ? undefined : BigInt.asIntN(64, this.#registers[REG.rax]!);
  }
}

class ArrayPortAccess implements PortAccess {
  readonly port: number;
  readonly isOut: boolean;
  readonly sizeBytes: number;
  readonly #values: number[];

  constructor(port: number, isOut: boolean, sizeBytes: number, values: number[]) {
    this.port = port;
    this.isOut = isOut;
    this.sizeBytes = sizeBytes;
    this.#values = values;
  }

  get count(): number {
    return this.#values.length;
  }

  value(index: number): number {
    return this.#values[index]!;
  }

  /** Keeps the width that the guest sees. */
  setValue(index: number, value: number): void {
    this.#values[index] = Number(BigInt.asUintN(this.sizeBytes * 8, BigInt(value)));
  }
}
