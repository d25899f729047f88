import { kvmTest } from "@kvmkit-internal/test-support";
import { At, Guest } from "./scripts/guest/guest.js";
import { KvmBox } from "./scripts/guest/kvm-box.js";
import { RIGHTS } from "./scripts/guest/page-rights.js";

const RET = 0xc3;

for (const [title, level, code, flags, high, change, what] of RIGHTS) {
  if (level !== 3) continue;
  kvmTest(`kvm: ${title}: ${what} (SDM Vol. 3A, "Access Rights")`, (t) => {
    const box = new KvmBox();
    const guest = new Guest(box, { level });
    box.ram[At.data] = RET;
    guest.page(At.data, flags, At.data, high);
    change(guest);
    t.is(guest.run(code).what, what);
    box.close();
  });
}
