import test from "ava";
import { PTE, userEntryFlags } from "./paging.js";

const NX = 1n << 63n;
const cases = [
  { prot: "---", bits: 0, expected: PTE.HELD },
  { prot: "r--", bits: 1, expected: NX | 0x65n },
  { prot: "-w-", bits: 2, expected: NX | 0x67n },
  { prot: "rw-", bits: 3, expected: NX | 0x67n },
  { prot: "--x", bits: 4, expected: 0x65n },
  { prot: "r-x", bits: 5, expected: 0x65n },
  { prot: "-wx", bits: 6, expected: 0x67n },
  { prot: "rwx", bits: 7, expected: 0x67n },
];

for (const { prot, bits, expected } of cases) {
  test(`userEntryFlags: ${prot} is 0x${expected.toString(16)} (SDM Vol. 3A, "Access Rights")`, (t) => {
    t.is(userEntryFlags(bits), expected);
  });
}

test("userEntryFlags: a page that permits nothing is absent to the processor, and its entry is not 0", (t) => {
  t.is(userEntryFlags(0) & PTE.P, 0n);
  t.not(userEntryFlags(0), 0n);
});
