import test from "ava";
import { ENGINES, SoftBox } from "../scripts/guest/box.js";
import { At, Guest } from "../scripts/guest/guest.js";
import { runX87, X87_CASES } from "../scripts/guest/x87-cases.js";

for (const engine of ENGINES) {
  for (const one of X87_CASES) {
    test(`${engine}: ${one.title} (SDM Vol. 1, "x87 FPU Floating-Point Exception Conditions"; Vol. 2A, "FLD", note)`, (t) => {
      const { status, top } = one;
      t.deepEqual(runX87(new Guest(new SoftBox(engine), { level: 3 }), one), { what: "done", status, top });
    });
  }

  test(`${engine}: FYL2XP1 comes to an end next to -1, where the manual leaves its result open (SDM Vol. 2A, "FYL2XP1")`, (t) => {
    for (const [x, log2] of [
      [0xbfec000000000000n, -3n],
      [0xbfe8000000000000n, -2n],
      [0xbfefffffffffffffn, -53n],
    ] as const) {
      const guest = new Guest(new SoftBox(engine));
      guest.write(At.data, x);
      const { what } = guest.run(
        `fninit\nfld1\nfld qword ptr [${At.data}]\nfyl2xp1\nfistp qword ptr [${At.data + 8}]`,
      );
      t.deepEqual([what, BigInt.asIntN(64, guest.word(At.data + 8))], ["done", log2]);
    }
  });
}
