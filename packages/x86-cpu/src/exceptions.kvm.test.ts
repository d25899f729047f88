import { kvmTest } from "@kvmkit-internal/test-support";
import { Guest, Sel } from "./scripts/guest/guest.js";
import { KvmBox } from "./scripts/guest/kvm-box.js";
import { USER_FAULTS } from "./scripts/guest/user-faults.js";

for (const { title, code, what, change, enginesOnly } of USER_FAULTS) {
  if (enginesOnly) continue;
  kvmTest(`kvm: ring 3: ${title}: ${what} (SDM Vol. 3A, "Exception and Interrupt Reference")`, (t) => {
    const box = new KvmBox();
    const guest = new Guest(box, { level: 3 });
    change?.(guest);
    const outcome = guest.run(code);
    t.is(outcome.what, what);
    if (what !== "done") {
      t.is(outcome.frame!.rip, guest.symbol("at"));
      t.deepEqual([outcome.frame!.cs, outcome.frame!.ss], [BigInt(Sel.userCode64), BigInt(Sel.userData)]);
    }
    box.close();
  });
}
