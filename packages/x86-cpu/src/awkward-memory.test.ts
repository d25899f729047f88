import test from "ava";
import { AWKWARD, mistakes } from "./scripts/guest/awkward-memory.js";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { Guest } from "./scripts/guest/guest.js";

for (const engine of ENGINES) {
  for (const one of AWKWARD) {
    test(`${engine}: ${one.title}`, (t) => {
      const guest = new Guest(new SoftBox(engine), { level: 3 });
      one.change?.(guest);
      t.deepEqual(mistakes(one, guest, guest.run(one.code)), []);
    });
  }
}
