/** What only a processor shows that executes ring 0 itself, has SMEP and SMAP, and counts the same each time. */

import { rax, rbx, rdx } from "@kvmkit/x86-asm";
import { DATA_ADDRESS, TEXT_ADDRESS } from "./guest-program.js";
import { guestTest, MACHINES, runGuest } from "./run-guest.js";
import { DEBUG } from "./script.js";

const SOFT = MACHINES.filter(({ accel }) => accel === "soft");

/** Kinds of syscalls/debug.ts. */
const ACCESSES = [
  {
    title: "SMAP: ring 0 cannot read a page of the program outside of uaccess",
    kind: 0,
    address: DATA_ADDRESS,
  },
  {
    title: "SMAP: ring 0 cannot write to a page of the program outside of uaccess",
    kind: 1,
    address: DATA_ADDRESS,
  },
  { title: "SMEP: ring 0 cannot execute a page of the program", kind: 2, address: TEXT_ADDRESS },
] as const;

for (const { title, kind, address } of ACCESSES) {
  guestTest(
    title,
    async (t, machine) => {
      const { result } = await runGuest(machine, (p) => {
        // Present, accessed and dirty: nothing but the two bits is in the way.
        p.load(rbx, p.data("word", new Uint8Array(8))).touch(rbx, 1);
        p.call(DEBUG.access, kind, address).exit(1);
      });
      t.is(result.kind, "panic");
      if (result.kind === "panic") t.regex(result.message, /^#PF/);
    },
    SOFT,
  );
}

guestTest(
  "the time-stamp counter of two runs is the same: it counts instructions, of the kernel too",
  async (t, machine) => {
    const counters = async () => {
      const { reports } = await runGuest(machine, (p) => {
        for (let i = 0; i < 3; i++) {
          p.call("getpid");
          p.a.rdtsc().shl(rdx, 32).or(rax, rdx);
          p.report();
        }
      });
      return reports;
    };
    const first = await counters();
    t.is(first.length, 3);
    t.true(first[0]! > 0n && first[0]! < first[1]! && first[1]! < first[2]!);
    t.deepEqual(await counters(), first);
  },
  SOFT,
);
