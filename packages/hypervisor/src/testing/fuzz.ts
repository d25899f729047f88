/**
 * Throws random registers and memory at every hypercall and port of a set of plugins, without a machine.
 *
 * What may come back is a result, an errno, a request for pages, or an outcome of the run. An exception is an escape:
 * the seed and the number of the call bring it back.
 */
import { reasonOf } from "../errors.js";
import type { PluginGrant } from "../plugin-set.js";
import { type HarnessOptions, PluginHarness } from "./harness.js";

export interface FuzzOptions extends HarnessOptions {
  readonly calls: number;
  /** Any 32-bit number; the same seed makes the same calls. */
  readonly seed: number;
  /** Calls after which a fresh harness is made, so that state stays varied. Default 1000. */
  readonly callsPerHarness?: number;
}

export interface FuzzReport {
  readonly calls: number;
  /** Calls by what came back. */
  readonly results: number;
  readonly errors: number;
  readonly pageRequests: number;
  readonly outcomes: number;
  /** Exceptions of plugins that became -EIO, by message: often a check that is missing. */
  readonly handlerFailures: ReadonlyMap<string, number>;
  readonly escapes: readonly FuzzEscape[];
}

export interface FuzzEscape {
  readonly call: number;
  readonly hypercall: string;
  readonly registers: readonly bigint[];
  readonly reason: string;
}

const MAX_ERRNO = 4095n;
const REGISTER_COUNT = 6;

/** Asynchronous hypercalls are awaited. */
export async function fuzzHypercalls(
  grants: readonly PluginGrant[],
  options: FuzzOptions,
): Promise<FuzzReport> {
  const { calls, seed, callsPerHarness = 1000 } = options;
  const random = new Random(seed);
  const count = { results: 0, errors: 0, pageRequests: 0, outcomes: 0 };
  const handlerFailures = new Map<string, number>();
  const escapes: FuzzEscape[] = [];
  let harness = new PluginHarness(grants, options);
  for (let call = 0; call < calls; call++) {
    if (call % callsPerHarness === callsPerHarness - 1 || harness.outcome !== undefined) {
      for (const { message } of harness.diagnostics) {
        handlerFailures.set(message, (handlerFailures.get(message) ?? 0) + 1);
      }
      harness.close();
      harness = new PluginHarness(grants, options);
    }
    const names = harness.plugins.flatMap((plugin) => plugin.calls.map(({ row }) => row.name));
    const hypercall = names[random.below(names.length)]!;
    scribble(harness, random);
    const registers = Array.from({ length: REGISTER_COUNT }, () => randomRegister(harness, random));
    try {
      const result = await harness.callAsync(hypercall, ...registers);
      if (harness.outcome !== undefined) count.outcomes++;
      else if (result === undefined) count.pageRequests++;
      else if (result < 0n && result >= -MAX_ERRNO) count.errors++;
      else count.results++;
    } catch (thrown) {
      escapes.push({ call, hypercall, registers, reason: reasonOf(thrown) });
    }
  }
  harness.close();
  return { calls, ...count, handlerFailures, escapes };
}

/** Puts a few random words where pointers may lead. */
function scribble(harness: PluginHarness, random: Random): void {
  for (let count = random.below(8); count > 0; count--) {
    const address = random.below(harness.memory.sizeBytes / 8) * 8;
    harness.memory.setU64(address, random.interesting());
  }
}

/** A small number, a pointer into or near memory, or anything. */
function randomRegister(harness: PluginHarness, random: Random): bigint {
  const size = harness.memory.sizeBytes;
  switch (random.below(4)) {
    case 0:
      return BigInt(random.below(16));
    case 1:
      return BigInt(random.below(size));
    case 2:
      return BigInt(size - 8 + random.below(16));
    default:
      return random.interesting();
  }
}

/** Edges of integers and addresses. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xfffn,
  0x1000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x7fff_ffff_f000n,
  0x8000_0000_0000n,
  0xffff_8000_0000_0000n,
  0xffff_ffff_8000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_f000n,
  0xffff_ffff_ffff_ffffn,
];

/** Marsaglia's xorshift32: enough for variety, and the same everywhere. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  below(limit: number): number {
    return this.next() % Math.max(1, Math.floor(limit));
  }

  u64(): bigint {
    return (BigInt(this.next()) << 32n) | BigInt(this.next());
  }

  interesting(): bigint {
    return this.below(2) === 0 ? EDGES[this.below(EDGES.length)]! : this.u64();
  }
}
