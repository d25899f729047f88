/**
 * A permission that was taken away is gone, for the program too: every page was used before, so that whatever caches
 * translations has cached them. (A host that shadows page tables obeys the old ones where somebody else than ring 0
 * changed an entry that was in use.)
 */
import { MAP, PROT } from "@kvmkit/guest-kernel/abi";
import { anonymous, READ_WRITE } from "./mappings.js";
import { guestTest, runGuest } from "./run-guest.js";
import { call, emitScript, load, resultsOf, type Step, store } from "./script.js";

/** One page short of 2 MiB, so that ranges cross tables. */
const BASE = 0x20_001f_f000n;
const PAGE = 0x1000n;
const at = (index: number) => BASE + BigInt(index) * PAGE;
const pages = (count: number) => Array.from({ length: count }, (_, index) => index);

interface Downgrade {
  readonly title: string;
  readonly step: (first: number, count: number) => Step;
  /** What is no longer permitted, with the error code of its fault. */
  readonly last: (address: bigint) => Step;
  readonly errorCode: bigint;
}

const size = (count: number) => BigInt(count) * PAGE;
const DOWNGRADES: readonly Downgrade[] = [
  {
    title: "mprotect to read-only",
    step: (first, count) => call("mprotect", at(first), size(count), PROT.PROT_READ),
    last: (address) => store(address, 1n),
    errorCode: 7n,
  },
  {
    title: "mprotect to nothing",
    step: (first, count) => call("mprotect", at(first), size(count), PROT.PROT_NONE),
    last: load,
    errorCode: 4n,
  },
  {
    title: "munmap",
    step: (first, count) => call("munmap", at(first), size(count)),
    last: load,
    errorCode: 4n,
  },
  {
    title: "mremap to elsewhere",
    step: (first, count) => call("mremap", at(first), size(count), size(count), 3, BASE + 0x40_0000_0000n),
    last: load,
    errorCode: 4n,
  },
];

/** Around the limits at which one way of editing tables gives way to another. */
const COUNTS = [1, 10, 11, 64, 1100];

for (const { title, step, last, errorCode } of DOWNGRADES) {
  for (const count of COUNTS) {
    guestTest(
      `${title} of ${count} pages in use is obeyed at both ends, and by its neighbours`,
      async (t, machine) => {
        const total = count + 2;
        for (const index of new Set(count > 11 ? [count] : [1, count])) {
          const steps = [
            call("mmap", ...(anonymous(BASE, size(total), READ_WRITE, MAP.MAP_FIXED) as unknown as bigint[])),
            ...pages(total).map((page) => store(at(page), BigInt(page))),
            ...pages(total).map((page) => load(at(page))),
            step(1, count),
            load(at(0)),
            store(at(total - 1), 99n),
            load(at(total - 1)),
          ];
          const { result, output } = await runGuest(machine, (p) => emitScript(p, steps, last(at(index))));
          t.deepEqual(resultsOf(output).slice(-3), [0n, 0n, 99n]);
          t.like(result, {
            kind: "killed",
            signalName: "SIGSEGV",
            vector: 14,
            errorCode,
            address: at(index),
          });
        }
      },
    );
  }
}

guestTest(
  "a mapping over another shows nothing of it, in 1100 pages that were in use",
  async (t, machine) => {
    const count = 1100;
    const map = call(
      "mmap",
      ...(anonymous(BASE, size(count), READ_WRITE, MAP.MAP_FIXED) as unknown as bigint[]),
    );
    const steps = [
      map,
      ...pages(count).map((page) => store(at(page), 7n)),
      map,
      ...pages(count).map((page) => load(at(page))),
    ];
    const { output } = await runGuest(machine, (p) => emitScript(p, steps));
    t.deepEqual(new Set(resultsOf(output).slice(count + 2)), new Set([0n]));
  },
);

guestTest(
  "an upgrade is obeyed: read-only pages in use become writable, held ones show what they held",
  async (t, machine) => {
    for (const count of COUNTS) {
      const steps = [
        call("mmap", ...(anonymous(BASE, size(count), READ_WRITE, MAP.MAP_FIXED) as unknown as bigint[])),
        ...pages(count).map((page) => store(at(page), BigInt(page))),
        call("mprotect", BASE, size(count), PROT.PROT_READ),
        ...pages(count).map((page) => load(at(page))),
        call("mprotect", BASE, size(count), PROT.PROT_NONE),
        call("mprotect", BASE, size(count), READ_WRITE),
        ...pages(count).map((page) => load(at(page))),
        ...pages(count).map((page) => store(at(page), 5n)),
      ];
      const { result, output } = await runGuest(machine, (p) => emitScript(p, steps));
      t.like(result, { kind: "exited", status: 0 });
      const loaded = resultsOf(output).slice(2 * count + 4, 3 * count + 4);
      t.deepEqual(
        loaded,
        pages(count).map((page) => BigInt(page)),
      );
    }
  },
);
