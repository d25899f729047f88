/**
 * Random sequences of mmap, munmap, mprotect, madvise and mremap with loads and stores between them, beside a model;
 * each ends with an access that the model refuses, and that must end the program there.
 */
import { MADV, MAP } from "@kvmkit/guest-kernel/abi";
import { AddressSpaceModel, PAGE } from "./address-space-model.js";
import { anonymous } from "./mappings.js";
import { guestTest, runGuest } from "./run-guest.js";
import { call, DEBUG, emitScript, load, resultsOf, type Step, store } from "./script.js";

interface Shape {
  readonly title: string;
  /** Pages of the window that everything happens in. */
  readonly window: number;
  /** Longest range of one call, in pages. */
  readonly longest: number;
  readonly steps: number;
  readonly seeds: readonly number[];
  /** Of the window; not a multiple of 2 MiB, so that ranges cross tables. */
  readonly base: bigint;
}

const SHAPES: readonly Shape[] = [
  {
    title: "many short ranges in a small window",
    window: 24,
    longest: 6,
    steps: 400,
    seeds: [1, 2, 3, 4],
    base: 0x10_001f_8000n,
  },
  {
    title: "long ranges over five page tables",
    window: 2048,
    longest: 1100,
    steps: 150,
    seeds: [5, 6, 7],
    base: 0x7f_ffe0_3000n,
  },
];

/** mulberry32: the same sequence for the same seed, everywhere. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PROTECTIONS = [0, 1, 3, 3, 3, 5, 7];

/** One random sequence: the steps, and the result that each must have. */
function makeSequence({ window, longest, steps, base }: Shape, seed: number) {
  const random = randomFrom(seed);
  const model = new AddressSpaceModel();
  const sequence: { step: Step; result: bigint }[] = [];
  const at = (index: number) => base + BigInt(index) * PAGE;
  const range = () => {
    const count = 1 + random(random(3) === 0 ? longest : Math.min(longest, 8));
    return { first: random(window - count + 1), count, size: BigInt(count) * PAGE };
  };
  const prot = () => PROTECTIONS[random(PROTECTIONS.length)]!;
  const add = (step: Step, result: bigint) => sequence.push({ step, result });

  const actions: readonly (() => void)[] = [
    () => {
      const { first, count, size } = range();
      const replace = random(4) !== 0;
      const bits = prot();
      const flags =
        (replace ? MAP.MAP_FIXED : MAP.MAP_FIXED_NOREPLACE) | (random(8) === 0 ? MAP.MAP_POPULATE : 0);
      const step = call("mmap", ...(anonymous(at(first), size, bits, flags) as unknown as bigint[]));
      add(step, model.map(first, count, bits, replace, at(first)));
    },
    () => {
      const { first, count, size } = range();
      add(call("munmap", at(first), size), model.unmap(first, count));
    },
    () => {
      const { first, count, size } = range();
      const bits = prot();
      add(call("mprotect", at(first), size, bits), model.protect(first, count, bits));
    },
    () => {
      const { first, count, size } = range();
      const advice = random(3) === 0 ? MADV.MADV_NORMAL : MADV.MADV_DONTNEED;
      add(call("madvise", at(first), size, advice), model.advise(first, count, advice));
    },
    () => {
      const { first, count, size } = range();
      const { first: to, count: newCount, size: newSize } = range();
      const result = model.move(first, count, to, newCount, at(to));
      add(call("mremap", at(first), size, newSize, 3, at(to)), result);
    },
  ];
  const touch = () => {
    const index = random(window);
    if (model.canWrite(index) && random(2) === 0) {
      const value = BigInt(sequence.length + 1) * 0x1_0001n;
      model.store(index, value);
      add(store(at(index), value), 0n);
    } else if (model.canRead(index)) add(load(at(index)), model.load(index));
  };

  while (sequence.length < steps) {
    actions[random(actions.length)]!();
    for (let i = 0; i < 6; i++) touch();
  }
  for (let index = 0; index < window; index++) {
    if (model.canRead(index)) add(load(at(index)), model.load(index));
  }
  return { sequence, last: refusedAccess(model, window, at, random), at };
}

/** An access that must fault: preferably a write to a page that can be read, then one to a page that nothing permits. */
function refusedAccess(
  model: AddressSpaceModel,
  window: number,
  at: (index: number) => bigint,
  random: (below: number) => number,
): Step {
  const indexes = Array.from({ length: window }, (_, index) => index);
  const readOnly = indexes.filter((index) => model.canRead(index) && !model.canWrite(index));
  const closed = indexes.filter((index) => !model.canRead(index));
  const pool = readOnly.length > 0 && random(2) === 0 ? readOnly : closed.length > 0 ? closed : readOnly;
  const index = pool[random(pool.length)]!;
  return model.canRead(index) ? store(at(index), 1n) : load(at(index));
}

for (const shape of SHAPES) {
  for (const seed of shape.seeds) {
    guestTest(`an address space is what the model says: ${shape.title}, seed ${seed}`, async (t, machine) => {
      const { sequence, last } = makeSequence(shape, seed);
      const steps = sequence.map(({ step }) => step);
      const { result, output } = await runGuest(machine, (p) => emitScript(p, steps, last));
      const results = resultsOf(output);
      const wrong = sequence.flatMap(({ step, result: expected }, i) =>
        results[i] === expected ? [] : [{ i, step, result: results[i], expected }],
      );
      t.deepEqual(wrong.slice(0, 3), []);
      t.like(result, { kind: "killed", signalName: "SIGSEGV", vector: 14 });
      if (result.kind === "killed" && last.kind !== "call") t.is(result.address, last.address);
    });
  }
}

guestTest("what was mapped and unmapped again is free again, tables included", async (t, machine) => {
  const shape = SHAPES[1]!;
  const { sequence } = makeSequence(shape, 99);
  const size = BigInt(shape.window) * PAGE;
  const steps = [
    ...sequence.map(({ step }) => step),
    call("munmap", shape.base, size),
    call(DEBUG.freePages),
    ...sequence.map(({ step }) => step),
    call("munmap", shape.base, size),
    call(DEBUG.freePages),
  ];
  const { result, output } = await runGuest(machine, (p) => emitScript(p, steps));
  t.like(result, { kind: "exited" });
  const results = resultsOf(output);
  const half = steps.length / 2;
  const [first, second] = [results[half - 1]!, results[steps.length - 1]!];
  // The results' own array is touched further.
  const ownPages = BigInt(Math.ceil((half * 8) / 4096)) + 16n;
  t.true(first - second <= ownPages, `${first} ${second}`);
  t.true(first > 0n);
});
