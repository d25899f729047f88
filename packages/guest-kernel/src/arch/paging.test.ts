import test from "ava";
import { PF_ERROR, PTE, permittedFaults, userEntryFlags } from "./paging.js";

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

test("permittedFaults: a write needs PROT_WRITE, a fetch PROT_EXEC, a read any permission; from both rings", (t) => {
  const permits = (prot: number, errorCode: number) => (permittedFaults(prot) & (1 << errorCode)) !== 0;
  for (let prot = 0; prot < 8; prot++) {
    for (const ring of [0, PF_ERROR.US]) {
      t.is(permits(prot, ring | PF_ERROR.WR), (prot & 2) !== 0, `write, ${prot}`);
      t.is(permits(prot, ring | PF_ERROR.ID), (prot & 4) !== 0, `fetch, ${prot}`);
      t.is(permits(prot, ring), prot !== 0, `read, ${prot}`);
    }
  }
});

test("permittedFaults: no fault on a present page, and none of a reserved bit, is put right", (t) => {
  for (let errorCode = 0; errorCode < 32; errorCode++) {
    if ((errorCode & (PF_ERROR.P | PF_ERROR.RSVD)) === 0) continue;
    t.is(permittedFaults(7) & (1 << errorCode), 0, `${errorCode}`);
  }
});
