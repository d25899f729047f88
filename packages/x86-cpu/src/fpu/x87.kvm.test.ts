import { kvmTest } from "@kvmkit-internal/test-support";
import { Guest } from "../scripts/guest/guest.js";
import { KvmBox } from "../scripts/guest/kvm-box.js";
import { runX87, X87_CASES } from "../scripts/guest/x87-cases.js";

for (const one of X87_CASES) {
  kvmTest(
    `kvm: ${one.title} (SDM Vol. 1, "x87 FPU Floating-Point Exception Conditions"; Vol. 2A, "FLD", note)`,
    (t) => {
      const box = new KvmBox();
      const { status, top } = one;
      t.deepEqual(runX87(new Guest(box, { level: 3 }), one), { what: "done", status, top });
      box.close();
    },
  );
}
