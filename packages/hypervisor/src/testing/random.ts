/** Numbers for the fuzzer: the same everywhere for the same seed. */

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

/** Marsaglia's xorshift32: enough for variety. */
export class Random {
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

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  interesting(): bigint {
    return this.below(2) === 0 ? this.one(EDGES) : (BigInt(this.next()) << 32n) | BigInt(this.next());
  }
}
