/**
 * Throws random registers and memory at every hypercall and port of a set of plugins, without a machine.
 *
 * Half of the calls are noise; the other half have arguments as the hypercall's types want them, which get further. What
 * may come back is a result, an errno, a request for pages, or an outcome of the run. An exception is an escape, and so
 * is a write outside of guest memory or a secret inside of it: seed and number of the call bring it back.
 */
import type { ArgumentType } from "@kvmkit/guest-kernel/abi";
import { reasonOf } from "../errors.js";
import { encodeText } from "../memory/text.js";
import type { PluginGrant } from "../plugin-set.js";
import { type HarnessOptions, PluginHarness } from "./harness.js";
import { Random } from "./random.js";

export interface FuzzOptions extends HarnessOptions {
  readonly calls: number;
  /** Any 32-bit number; the same seed makes the same calls. */
  readonly seed: number;
  /** Calls after which a fresh harness is made, so that state stays varied. Default 1000. */
  readonly callsPerHarness?: number;
  /** Strings worth passing: paths, URLs, names. */
  readonly texts?: readonly string[];
  /** What no guest may get to see: the content of a file that is not granted. At least 8 bytes each. */
  readonly secrets?: readonly string[];
}

export interface FuzzReport {
  readonly calls: number;
  /** Calls by what came back. */
  readonly results: number;
  readonly errors: number;
  readonly pageRequests: number;
  readonly outcomes: number;
  /** Reads and writes of ports; they are among the calls. */
  readonly ports: number;
  /** Exceptions of plugins that became -EIO, by message: often a check that is missing. */
  readonly handlerFailures: ReadonlyMap<string, number>;
  readonly escapes: readonly FuzzEscape[];
}

export interface FuzzEscape {
  /** For what is seen only when a harness ends, its last call. */
  readonly call: number;
  readonly hypercall: string;
  readonly registers: readonly bigint[];
  readonly reason: string;
}

const MAX_ERRNO = 4095n;
const REGISTER_COUNT = 6;
const TEXTS = ["", "/", "a", "name", "../..", "%s%n", "\u{1f980}".repeat(64), "x".repeat(5000)];

/** Asynchronous hypercalls are awaited. */
export async function fuzzHypercalls(
  grants: readonly PluginGrant[],
  options: FuzzOptions,
): Promise<FuzzReport> {
  const run = new FuzzRun(grants, options);
  for (let call = 0; call < options.calls; call++) await run.one(call);
  return run.finish();
}

class FuzzRun {
  readonly #grants: readonly PluginGrant[];
  readonly #options: FuzzOptions;
  readonly #random: Random;
  readonly #texts: readonly string[];
  readonly #count = { results: 0, errors: 0, pageRequests: 0, outcomes: 0, ports: 0 };
  readonly #handlerFailures = new Map<string, number>();
  readonly #escapes: FuzzEscape[] = [];
  /** Calls that ended a run: they come rarely, else no state would ever grow. */
  readonly #ending = new Set<string>();
  #harness: PluginHarness;
  #last: Omit<FuzzEscape, "reason"> = { call: 0, hypercall: "", registers: [] };

  constructor(grants: readonly PluginGrant[], options: FuzzOptions) {
    this.#grants = grants;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#texts = [...TEXTS, ...(options.texts ?? [])];
    this.#harness = new PluginHarness(grants, options);
  }

  async one(call: number): Promise<void> {
    const { callsPerHarness = 1000 } = this.#options;
    if (call % callsPerHarness === callsPerHarness - 1 || this.#harness.outcome !== undefined) {
      this.#close();
      this.#harness = new PluginHarness(this.#grants, this.#options);
    }
    this.#scribble();
    const ports = this.#harness.plugins.flatMap((plugin) => plugin.ports);
    const calls = this.#harness.plugins.flatMap((plugin) => plugin.calls);
    if (ports.length > 0 && (calls.length === 0 || this.#random.below(16) === 0)) {
      const { name, first, last } = this.#random.one(ports);
      this.#port(call, name, first + this.#random.below(last - first + 1));
    } else if (calls.length > 0) {
      await this.#hypercall(call, this.#pick(calls).row);
    }
  }

  finish(): FuzzReport {
    this.#close();
    const { handlerFailures, escapes } = { handlerFailures: this.#handlerFailures, escapes: this.#escapes };
    return { calls: this.#options.calls, ...this.#count, handlerFailures, escapes };
  }

  #pick<C extends { readonly row: { readonly name: string } }>(calls: readonly C[]): C {
    const first = this.#random.one(calls);
    return this.#ending.has(first.row.name) && this.#random.below(16) > 0 ? this.#random.one(calls) : first;
  }

  async #hypercall(
    call: number,
    { name, args }: { readonly name: string; readonly args: Readonly<Record<string, ArgumentType>> },
  ): Promise<void> {
    const registers =
      this.#random.below(2) === 0
        ? Array.from({ length: REGISTER_COUNT }, () => this.#register())
        : Object.values(args).flatMap((type) => this.#typed(type));
    this.#last = { call, hypercall: name, registers };
    try {
      const result = await this.#harness.callAsync(name, ...registers);
      if (this.#harness.outcome !== undefined) {
        this.#count.outcomes++;
        this.#ending.add(name);
      } else if (result === undefined) this.#count.pageRequests++;
      else if (result < 0n && result >= -MAX_ERRNO) this.#count.errors++;
      else this.#count.results++;
    } catch (thrown) {
      this.#escaped(reasonOf(thrown));
    }
  }

  #port(call: number, name: string, port: number): void {
    const [size, value] = [this.#random.one([1, 2, 4] as const), Number(this.#register() & 0xffff_ffffn)];
    this.#last = { call, hypercall: `port ${name}`, registers: [BigInt(port), BigInt(size), BigInt(value)] };
    this.#count.ports++;
    try {
      if (this.#random.below(2) === 0) this.#harness.out(port, size, value);
      else this.#harness.in(port, size);
      if (this.#harness.outcome !== undefined) this.#count.outcomes++;
    } catch (thrown) {
      this.#escaped(reasonOf(thrown));
    }
  }

  #escaped(reason: string): void {
    this.#escapes.push({ ...this.#last, reason });
  }

  /** What can only be seen at the end: what was reported, and where bytes are. */
  #close(): void {
    for (const { message } of this.#harness.diagnostics) {
      this.#handlerFailures.set(message, (this.#handlerFailures.get(message) ?? 0) + 1);
    }
    if (!this.#harness.guardsIntact) this.#escaped("bytes outside of guest memory were written");
    for (const secret of this.#options.secrets ?? []) {
      if (this.#harness.holds(encodeText(secret))) this.#escaped("guest memory holds a secret");
    }
    try {
      this.#harness.close();
    } catch (thrown) {
      this.#escaped(`close: ${reasonOf(thrown)}`);
    }
  }

  /** Puts a few random words where pointers may lead. */
  #scribble(): void {
    const { memory } = this.#harness;
    for (let count = this.#random.below(8); count > 0; count--) {
      const address = this.#random.below(memory.sizeBytes / 8) * 8;
      memory.setU64(address, this.#random.interesting());
    }
  }

  /** A small number, a pointer into or near memory, or anything. */
  #register(): bigint {
    const size = this.#harness.memory.sizeBytes;
    switch (this.#random.below(4)) {
      case 0:
        return BigInt(this.#random.below(16));
      case 1:
        return BigInt(this.#random.below(size));
      case 2:
        return BigInt(size - 8 + this.#random.below(16));
      default:
        return this.#random.interesting();
    }
  }

  /** Registers as a program that means well would have them. */
  #typed(type: ArgumentType): bigint[] {
    switch (type.kind) {
      case "cstring":
        return [this.#text()];
      case "buffer":
        return [this.#text(), BigInt(this.#random.below(this.#random.one([2, 64, 4096, type.maxBytes + 2])))];
      case "struct":
        return [BigInt(this.#random.below(this.#harness.memory.sizeBytes / 16) * 16)];
      case "enum":
        return [BigInt(this.#random.one(Object.values(type.values)))];
      case "handle":
        return [BigInt(this.#random.below(8))];
      default:
        return [this.#random.below(2) === 0 ? BigInt(this.#random.below(16)) : this.#register()];
    }
  }

  /** The address of one of the strings, which is put there now; its end may lie on the end of memory. */
  #text(): bigint {
    const { memory } = this.#harness;
    const bytes = encodeText(`${this.#random.one(this.#texts)}\0`);
    const last = memory.sizeBytes - bytes.length;
    const address = this.#random.below(8) === 0 ? last : this.#random.below(last);
    memory.write(address, bytes);
    return BigInt(address);
  }
}
