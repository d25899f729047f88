import test from "ava";
import { ENGINES, SoftBox } from "../scripts/guest/box.js";
import { Guest } from "../scripts/guest/guest.js";
import { runX87, X87_CASES } from "../scripts/guest/x87-cases.js";

for (const engine of ENGINES) {
  for (const one of X87_CASES) {
    test(`${engine}: ${one.title} (SDM Vol. 1, "x87 FPU Floating-Point Exception Conditions"; Vol. 2A, "FLD", note)`, (t) => {
      const { status, top } = one;
      t.deepEqual(runX87(new Guest(new SoftBox(engine), { level: 3 }), one), { what: "done", status, top });
    });
  }
}
