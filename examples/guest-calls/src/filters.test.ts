import { kvmToolTest, toolTest } from "@kvmkit-internal/test-support";
import type { ExecutionContext } from "ava";
import { Filters } from "./filters.js";

const GCC = { cc: "gcc" };
/** No limit that a busy machine could reach. */
const callMs = 600_000;

/** Once per accelerator. */
function filtersTest(
  title: string,
  body: (t: ExecutionContext, accel: "kvm" | "soft") => Promise<void>,
): void {
  kvmToolTest(`${title}, on kvm`, GCC, (t) => body(t, "kvm"));
  toolTest(`${title}, on soft`, GCC, (t) => body(t, "soft"));
}

filtersTest("functions of the C program give TypeScript its answers", async (t, accel) => {
  const filters = await Filters.open({ accel, callMs });
  t.teardown(() => filters.close());
  const image = Uint8Array.of(10, 100, 200, 250);
  t.deepEqual(filters.histogram(image), { darkest: 10, brightest: 250, mean: 140 });
  t.is(filters.brighten(image, 50), 2);
  t.deepEqual([...image], [15, 150, 255, 255]);
  t.deepEqual(filters.histogram(new Uint8Array()), { darkest: 255, brightest: 0, mean: 0 });
  t.is(filters.countWords(" one warm machine,\tmany\ncalls "), 5);
  const large = new Uint8Array(2 ** 20).fill(3);
  t.is(filters.histogram(large).mean, 3);
});

filtersTest("a function that faults ends its machine, and nothing else", async (t, accel) => {
  const filters = await Filters.open({ accel, callMs });
  t.teardown(() => filters.close());
  const fault = {
    code: "ERR_VM_CALL_ENDED",
    message: /read_anything .*SIGSEGV at 0x[0-9a-f]+ <read_anything\+0x/,
  };
  t.throws(() => filters.readAnything(8n), fault);
  t.throws(() => filters.countWords("more"), { code: "ERR_VM_STATE" });
  const others = await Filters.open({ accel, callMs });
  t.is(others.countWords("still here"), 2);
  others.close();
});
