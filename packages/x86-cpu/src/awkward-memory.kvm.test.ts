import { kvmTest } from "@kvmkit-internal/test-support";
import { AWKWARD, mistakes } from "./scripts/guest/awkward-memory.js";
import { Guest } from "./scripts/guest/guest.js";
import { KvmBox } from "./scripts/guest/kvm-box.js";

for (const one of AWKWARD) {
  kvmTest(`kvm: ${one.title}`, (t) => {
    const box = new KvmBox();
    const guest = new Guest(box, { level: 3 });
    one.change?.(guest);
    t.deepEqual(mistakes(one, guest, guest.run(one.code)), []);
    box.close();
  });
}
