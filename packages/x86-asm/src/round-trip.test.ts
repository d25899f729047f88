import { toolTest } from "@kvmkit-internal/test-support";
import { roundTrip } from "./round-trip.test.helper.js";

const TOOLS = { as: "binutils", objcopy: "binutils", objdump: "binutils" };
const COUNT = 600;

for (const entry of ["core", "vector"] as const) {
  for (const bits of [16, 32, 64] as const) {
    toolTest(
      `${COUNT} random instructions of the ${entry} table in ${bits}-bit mode: there and back`,
      TOOLS,
      (t) => {
        const { count, wrong } = roundTrip(COUNT, bits, bits, entry);
        t.deepEqual(wrong, []);
        t.true(count > COUNT / 2);
      },
    );
  }
}
