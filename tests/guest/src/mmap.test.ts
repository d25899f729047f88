/** mmap(2), munmap(2), mprotect(2), brk(2): every error of the manual pages, and that an error changes nothing. */
import { MAP, PROT, USER_MAX, USER_MIN } from "@kvmkit/guest-kernel/abi";
import type { ExecutionContext } from "ava";
import { anonymous, READ_WRITE } from "./mappings.js";
import { failure, type GuestMachine, guestTest, runGuest } from "./run-guest.js";
import { call, DEBUG, emitScript, load, resultsOf, type Step, store } from "./script.js";

const BASE = 0x10_0000_0000n;
const PAGE = 0x1000n;
const FIXED = MAP.MAP_FIXED;
const NOREPLACE = MAP.MAP_FIXED_NOREPLACE;
const TiB = 1n << 40n;

/** Runs steps, and returns their results. */
async function run(t: ExecutionContext, machine: GuestMachine, steps: readonly Step[]): Promise<bigint[]> {
  const { result, output } = await runGuest(machine, (p) => emitScript(p, steps));
  t.like(result, { kind: "exited", status: 0 });
  return resultsOf(output);
}

/** Steps with the result that each must have. */
type Expected = readonly (readonly [step: Step, result: bigint])[];

async function check(t: ExecutionContext, machine: GuestMachine, expected: Expected): Promise<void> {
  const results = await run(
    t,
    machine,
    expected.map(([step]) => step),
  );
  const wrong = expected.flatMap(([step, result], i) =>
    results[i] === result ? [] : [{ i, step, result: results[i], expected: result }],
  );
  t.deepEqual(wrong, []);
}

const map = (address: bigint, pages: bigint, prot = READ_WRITE, flags: number = FIXED) =>
  call("mmap", ...(anonymous(address, pages * PAGE, prot, flags) as unknown as (number | bigint)[]));

/** A page at BASE with 42 in it: refused calls must leave it so. */
const WITNESS: Expected = [
  [map(BASE, 1n), BASE],
  [store(BASE, 42n), 0n],
];

type Refusal = readonly [title: string, step: Step, error: Parameters<typeof failure>[0]];

const anon = MAP.MAP_PRIVATE | MAP.MAP_ANONYMOUS;
const REFUSALS: readonly Refusal[] = [
  ["mmap: length 0", call("mmap", BASE, 0, READ_WRITE, anon | FIXED, -1, 0), "EINVAL"],
  [
    "mmap: neither shared nor private",
    call("mmap", BASE, PAGE, 3, MAP.MAP_ANONYMOUS | FIXED, -1, 0),
    "EINVAL",
  ],
  [
    "mmap: MAP_SHARED_VALIDATE without a file",
    call("mmap", BASE, PAGE, 3, 3 | 0x20 | FIXED, -1, 0),
    "EINVAL",
  ],
  [
    "mmap: an offset that is no multiple of the page size",
    call("mmap", BASE, PAGE, 3, anon | FIXED, -1, 1),
    "EINVAL",
  ],
  ["mmap: MAP_FIXED at an address that is no multiple of the page size", map(BASE + 1n, 1n), "EINVAL"],
  ["mmap: MAP_FIXED_NOREPLACE over a mapping", map(BASE, 1n, READ_WRITE, NOREPLACE), "EEXIST"],
  ["mmap: MAP_FIXED_NOREPLACE that ends in a mapping", map(BASE - PAGE, 2n, READ_WRITE, NOREPLACE), "EEXIST"],
  ["mmap: MAP_FIXED below mmap_min_addr", map(0n, 1n), "EPERM"],
  ["mmap: MAP_FIXED just below mmap_min_addr", map(USER_MIN - PAGE, 1n), "EPERM"],
  ["mmap: MAP_FIXED in the page below the hole", map(USER_MAX, 1n), "ENOMEM"],
  ["mmap: MAP_FIXED across the end of user space", map(USER_MAX - PAGE, 2n), "ENOMEM"],
  ["mmap: MAP_FIXED in the kernel", map(0xffff_ffff_8000_0000n, 1n), "ENOMEM"],
  ["mmap: MAP_FIXED that wraps", map(0xffff_ffff_ffff_f000n, 2n), "ENOMEM"],
  ["mmap: longer than user space", call("mmap", 0, USER_MAX + PAGE, 0, anon, -1, 0), "ENOMEM"],
  ["mmap: longer than 2^64 once rounded", call("mmap", 0, -1n, 0, anon, -1, 0), "ENOMEM"],
  ["mmap: writable, more than all memory", call("mmap", 0, TiB, READ_WRITE, anon, -1, 0), "ENOMEM"],
  ["mmap: MAP_HUGETLB", map(BASE, 512n, READ_WRITE, FIXED | MAP.MAP_HUGETLB), "ENOMEM"],
  ["mmap: a file, which is not served yet", call("mmap", 0, PAGE, 1, MAP.MAP_PRIVATE, 3, 0), "ENODEV"],
  ["munmap: length 0", call("munmap", BASE, 0), "EINVAL"],
  ["munmap: an address that is no multiple of the page size", call("munmap", BASE + 8n, PAGE), "EINVAL"],
  ["munmap: past the end of user space", call("munmap", BASE, USER_MAX), "EINVAL"],
  ["munmap: in the kernel", call("munmap", 0xffff_8880_0000_0000n, PAGE), "EINVAL"],
  ["munmap: a range that wraps", call("munmap", BASE, -PAGE), "EINVAL"],
  [
    "mprotect: an address that is no multiple of the page size",
    call("mprotect", BASE + 1n, PAGE, 0),
    "EINVAL",
  ],
  ["mprotect: unknown bits", call("mprotect", BASE, PAGE, 0x10), "EINVAL"],
  ["mprotect: PROT_GROWSUP", call("mprotect", BASE, PAGE, PROT.PROT_GROWSUP), "EINVAL"],
  ["mprotect: PROT_GROWSDOWN on memory that does not", call("mprotect", BASE, PAGE, 0x100_0000), "EINVAL"],
  ["mprotect: memory that is not mapped", call("mprotect", BASE + 16n * PAGE, PAGE, 0), "ENOMEM"],
  ["mprotect: a range that ends in a hole", call("mprotect", BASE, 2n * PAGE, 0), "ENOMEM"],
  ["mprotect: a range that begins in a hole", call("mprotect", BASE - PAGE, 2n * PAGE, 0), "ENOMEM"],
  ["mprotect: a range that wraps", call("mprotect", BASE, -PAGE, 0), "ENOMEM"],
  ["mprotect: the kernel", call("mprotect", 0xffff_8880_0000_0000n, PAGE, 7), "ENOMEM"],
  ["madvise: unknown advice", call("madvise", BASE, PAGE, 99), "EINVAL"],
  ["madvise: an address that is no multiple of the page size", call("madvise", BASE + 1n, PAGE, 4), "EINVAL"],
  ["madvise: a range that wraps", call("madvise", BASE, -PAGE, 4), "EINVAL"],
  ["madvise: the kernel", call("madvise", 0xffff_8880_0000_0000n, PAGE, 4), "ENOMEM"],
  [
    "mremap: an address that is no multiple of the page size",
    call("mremap", BASE + 1n, PAGE, PAGE, 1),
    "EINVAL",
  ],
  ["mremap: new length 0", call("mremap", BASE, PAGE, 0, 1), "EINVAL"],
  ["mremap: unknown flags", call("mremap", BASE, PAGE, PAGE, 8), "EINVAL"],
  ["mremap: MREMAP_FIXED without MREMAP_MAYMOVE", call("mremap", BASE, PAGE, PAGE, 2, BASE), "EINVAL"],
  ["mremap: onto itself", call("mremap", BASE, PAGE, PAGE, 3, BASE), "EINVAL"],
  ["mremap: MREMAP_FIXED into the kernel", call("mremap", BASE, PAGE, PAGE, 3, -PAGE), "EINVAL"],
  ["mremap: memory that is not mapped", call("mremap", BASE + 16n * PAGE, PAGE, PAGE, 1), "EFAULT"],
  ["mremap: across the end of a mapping", call("mremap", BASE, 2n * PAGE, 4n * PAGE, 1), "EFAULT"],
  ["mremap: longer than user space", call("mremap", BASE, PAGE, USER_MAX + PAGE, 1), "EINVAL"],
];

guestTest(
  "an error of mmap, munmap, mprotect, madvise or mremap is the manual's, and changes nothing",
  async (t, machine) => {
    const steps = REFUSALS.map(([, step]) => step);
    const before = [...WITNESS.map(([step]) => step), call(DEBUG.freePages)];
    // The page is as it was, and so is what it borders on.
    const after = [
      call(DEBUG.freePages),
      load(BASE),
      store(BASE, 43n),
      map(BASE - PAGE, 1n, READ_WRITE, NOREPLACE),
    ];
    const results = await run(t, machine, [...before, ...steps, ...after]);
    for (const [i, [title, , error]] of REFUSALS.entries()) {
      t.is(results[before.length + i], failure(error), `${title}: ${error}`);
    }
    const [free] = results.slice(before.length - 1);
    t.deepEqual(results.slice(before.length + steps.length), [free, 42n, 0n, BASE - PAGE]);
  },
);

guestTest(
  "mmap: length is rounded up to pages, the memory is zero and private to nobody else",
  async (t, machine) => {
    await check(t, machine, [
      [call("mmap", BASE, 1, READ_WRITE, anon | FIXED, -1, 0), BASE],
      [load(BASE + 0xff8n), 0n],
      [map(BASE + PAGE, 1n, READ_WRITE, NOREPLACE), BASE + PAGE],
      [store(BASE + PAGE, 7n), 0n],
      [load(BASE), 0n],
    ]);
  },
);

guestTest("mmap: memory that is mapped again is zero, whatever it held", async (t, machine) => {
  const pages = 40n;
  const all = Array.from({ length: Number(pages) }, (_, i) => BASE + BigInt(i) * PAGE);
  await check(t, machine, [
    [map(BASE, pages), BASE],
    ...all.map((address) => [store(address, address), 0n] as const),
    [call("munmap", BASE, pages * PAGE), 0n],
    [map(BASE, pages), BASE],
    ...all.map((address) => [load(address), 0n] as const),
    ...all.map((address) => [store(address, address), 0n] as const),
    [map(BASE, pages), BASE],
    ...all.map((address) => [load(address), 0n] as const),
  ]);
});

guestTest("mmap: a free hint is taken, rounded up; one that is not free is not", async (t, machine) => {
  const results = await run(t, machine, [
    map(BASE, 2n, READ_WRITE, 0),
    map(BASE, 2n, READ_WRITE, 0),
    map(BASE + 2n * PAGE + 1n, 1n, READ_WRITE, 0),
    map(8n, 1n, READ_WRITE, 0),
    map(USER_MAX, 1n, READ_WRITE, 0),
  ]);
  t.is(results[0], BASE);
  t.not(results[1], BASE);
  t.true(results[1]! > 0n);
  t.is(results[2], BASE + 3n * PAGE);
  t.is(results[3], USER_MIN);
  t.true(results[4]! > 0n && results[4]! < USER_MAX);
});

guestTest(
  "mmap: without a hint mappings go down from the top, and a hole that was freed is used again",
  async (t, machine) => {
    const results = await run(t, machine, [
      map(0n, 4n, READ_WRITE, 0),
      map(0n, 4n, READ_WRITE, 0),
      map(0n, 4n, READ_WRITE, 0),
    ]);
    const [first, second, third] = results as [bigint, bigint, bigint];
    t.is(second, first - 4n * PAGE);
    t.is(third, second - 4n * PAGE);
    const again = await run(t, machine, [
      map(0n, 4n, READ_WRITE, 0),
      map(0n, 4n, PROT.PROT_READ, 0),
      map(0n, 4n, READ_WRITE, 0),
      call("munmap", second, 4n * PAGE),
      map(0n, 4n, READ_WRITE, 0),
    ]);
    t.is(again[4], second);
  },
);

guestTest("mmap: MAP_32BIT is below 2 GiB", async (t, machine) => {
  const [address] = await run(t, machine, [map(0n, 4n, READ_WRITE, MAP.MAP_32BIT)]);
  t.true(address! > 0n && address! + 4n * PAGE <= 0x8000_0000n);
});

guestTest(
  "mmap: reservations that permit nothing, or MAP_NORESERVE, cost nothing and may exceed memory",
  async (t, machine) => {
    const [, ...results] = await run(t, machine, [
      // The first result makes the results' own pages present.
      call(DEBUG.freePages),
      call(DEBUG.freePages),
      map(BASE, TiB / PAGE, PROT.PROT_NONE),
      map(BASE + 2n * TiB, TiB / PAGE, READ_WRITE, FIXED | MAP.MAP_NORESERVE),
      call(DEBUG.freePages),
      call("mprotect", BASE + 0x1234_5000n, PAGE, READ_WRITE),
      store(BASE + 0x1234_5000n, 5n),
      load(BASE + 0x1234_5000n),
      call("munmap", BASE, 3n * TiB),
      call(DEBUG.freePages),
    ]);
    const [before, first, second, after, protectedPage, stored, loaded, unmapped, end] = results;
    t.deepEqual([first, second], [BASE, BASE + 2n * TiB]);
    // A page of area records may have been needed.
    t.true(before! - after! <= 1n);
    t.deepEqual([protectedPage, stored, loaded, unmapped], [0n, 0n, 5n, 0n]);
    t.true(before! - end! <= 1n, `${before} ${end}`);
  },
);

guestTest("mmap: MAP_POPULATE makes pages present", async (t, machine) => {
  const results = await run(t, machine, [
    call(DEBUG.freePages),
    map(BASE, 1024n, READ_WRITE, FIXED | MAP.MAP_POPULATE),
    call(DEBUG.freePages),
    load(BASE + 1023n * PAGE),
    call(DEBUG.freePages),
  ]);
  t.is(results[1], BASE);
  t.true(results[0]! - results[2]! >= 1024n);
  t.is(results[4], results[2]);
});

guestTest(
  "munmap: takes parts of several mappings, leaves their rest, and succeeds where nothing is mapped",
  async (t, machine) => {
    await check(t, machine, [
      [map(BASE, 4n), BASE],
      [map(BASE + 4n * PAGE, 4n, PROT.PROT_READ), BASE + 4n * PAGE],
      [store(BASE, 1n), 0n],
      [store(BASE + 3n * PAGE, 3n), 0n],
      [call("munmap", BASE + PAGE, 6n * PAGE), 0n],
      [call("munmap", BASE + PAGE, 6n * PAGE), 0n],
      [load(BASE), 1n],
      [load(BASE + 7n * PAGE), 0n],
      // Exactly the six pages are free.
      [map(BASE, 1n, READ_WRITE, NOREPLACE), failure("EEXIST")],
      [map(BASE + 7n * PAGE, 1n, READ_WRITE, NOREPLACE), failure("EEXIST")],
      [map(BASE + PAGE, 6n, READ_WRITE, NOREPLACE), BASE + PAGE],
      [load(BASE + 3n * PAGE), 0n],
    ]);
  },
);

guestTest(
  "mprotect: length 0 succeeds and changes nothing; PROT_NONE keeps the contents",
  async (t, machine) => {
    await check(t, machine, [
      [map(BASE, 2n), BASE],
      [store(BASE, 11n), 0n],
      [store(BASE + PAGE, 12n), 0n],
      [call("mprotect", BASE, 0, PROT.PROT_NONE), 0n],
      [load(BASE), 11n],
      [call("mprotect", BASE, PAGE, PROT.PROT_NONE), 0n],
      [call("mprotect", BASE, 2n * PAGE, PROT.PROT_READ), 0n],
      [load(BASE), 11n],
      [load(BASE + PAGE), 12n],
      [call("mprotect", BASE, 2n * PAGE, READ_WRITE), 0n],
      [store(BASE, 13n), 0n],
      [load(BASE), 13n],
    ]);
  },
);

guestTest(
  "madvise: MADV_DONTNEED gives zero pages back, in all areas of the range, and says -ENOMEM where one is missing",
  async (t, machine) => {
    await check(t, machine, [
      [map(BASE, 4n), BASE],
      [map(BASE + 5n * PAGE, 1n), BASE + 5n * PAGE],
      [store(BASE, 1n), 0n],
      [store(BASE + PAGE, 2n), 0n],
      [store(BASE + 5n * PAGE, 3n), 0n],
      [call("madvise", BASE + PAGE, PAGE, 4), 0n],
      [load(BASE), 1n],
      [load(BASE + PAGE), 0n],
      [call("madvise", BASE, 6n * PAGE, 4), failure("ENOMEM")],
      [load(BASE), 0n],
      [load(BASE + 5n * PAGE), 0n],
      [call("madvise", BASE, 4n * PAGE, 14), 0n],
    ]);
  },
);

guestTest(
  "brk: moves the break up and down, refuses without changing it, and gives zero pages",
  async (t, machine) => {
    const [start] = await run(t, machine, [call("brk", 0)]);
    const brk = start!;
    await check(t, machine, [
      [call("brk", 0), brk],
      [call("brk", brk + 100n), brk + 100n],
      [store(brk, 5n), 0n],
      [call("brk", brk + 0x5000n), brk + 0x5000n],
      [store(brk + 0x4000n, 6n), 0n],
      [call("brk", brk - 1n), brk + 0x5000n],
      [call("brk", USER_MAX), brk + 0x5000n],
      [call("brk", -1n), brk + 0x5000n],
      [call("brk", brk + TiB), brk + 0x5000n],
      [call("brk", brk + 0x1000n), brk + 0x1000n],
      [call("brk", brk + 0x5000n), brk + 0x5000n],
      [load(brk), 5n],
      [load(brk + 0x4000n), 0n],
      // A mapping in the way, with the page that Linux leaves free below it.
      [map(brk + 0x8000n, 1n), brk + 0x8000n],
      [call("brk", brk + 0x8000n), brk + 0x5000n],
      [call("brk", brk + 0x7000n), brk + 0x7000n],
      [call("brk", brk), brk],
    ]);
  },
);

guestTest(
  "mremap: shrinks, grows in place where there is room, and moves contents where there is none",
  async (t, machine) => {
    const elsewhere = BASE + TiB;
    await check(t, machine, [
      [map(BASE, 4n), BASE],
      [store(BASE, 1n), 0n],
      [store(BASE + 3n * PAGE, 4n), 0n],
      [call("mremap", BASE, 4n * PAGE, 2n * PAGE, 0), BASE],
      [map(BASE + 3n * PAGE, 1n, READ_WRITE, NOREPLACE), BASE + 3n * PAGE],
      [call("mremap", BASE, 2n * PAGE, 4n * PAGE, 0), failure("ENOMEM")],
      [call("mremap", BASE, 2n * PAGE, 3n * PAGE, 0), BASE],
      [load(BASE + 2n * PAGE), 0n],
      [call("mremap", BASE, 3n * PAGE, 6n * PAGE, 3, elsewhere), elsewhere],
      [load(elsewhere), 1n],
      [load(elsewhere + 5n * PAGE), 0n],
      [map(BASE, 3n, READ_WRITE, NOREPLACE), BASE],
      [load(BASE), 0n],
    ]);
  },
);

guestTest("mremap: moves a thousand pages and loses none", async (t, machine) => {
  const pages = 1300n;
  const elsewhere = BASE + TiB + 0x3000n;
  const each = (address: bigint) =>
    Array.from({ length: Number(pages) }, (_, i) => address + BigInt(i) * PAGE);
  const results = await run(t, machine, [
    map(BASE, pages),
    ...each(BASE).map((address, i) => store(address, BigInt(i))),
    call(DEBUG.freePages),
    call("mremap", BASE, pages * PAGE, pages * PAGE, 3, elsewhere),
    ...each(elsewhere).map(load),
    call("munmap", elsewhere, pages * PAGE),
    call(DEBUG.freePages),
  ]);
  const loaded = results.slice(Number(pages) + 3, 2 * Number(pages) + 3);
  t.is(results[Number(pages) + 2], elsewhere);
  t.deepEqual(
    loaded,
    each(elsewhere).map((_, i) => BigInt(i)),
  );
  const [before, after] = [results[Number(pages) + 1]!, results[results.length - 1]!];
  t.true(after - before >= pages, `${before} ${after}`);
});
