/** What a process holds on to after many machines. */
import { readdirSync, readFileSync } from "node:fs";
import type { ExecutionContext } from "ava";
import { flatGuest, memoryPlugins } from "../internal-testing/guests.js";
import { createVm, type Vm } from "../vm.js";
import type { AccelOption } from "../vm-options.js";

/** What a machine that is not given back would leave: descriptors, mappings of memory and of vCPUs, listeners. */
function held(): number[] {
  const mappings = readFileSync("/proc/self/maps", "utf8").split("\n");
  return [
    readdirSync("/proc/self/fd").length,
    mappings.filter((line) => line.includes("kvm-vcpu")).length,
    process.listenerCount("SIGINT"),
    process.listenerCount("exit"),
  ];
}

/** In a test file of its own: nothing else may open or close a descriptor of this process meanwhile. */
export async function leavesNothing(t: ExecutionContext, accel: AccelOption): Promise<void> {
  const { plugins } = memoryPlugins();
  const { signal } = new AbortController();
  const ways: ((vm: Vm) => unknown)[] = [(vm) => vm.runSync(), (vm) => vm.run({ signal }), () => undefined];
  const round = async () => {
    for (const run of ways) {
      const vm = await createVm(flatGuest("long", "hlt", { accel, plugins }));
      await run(vm);
      vm.close();
    }
  };
  for (let count = 0; count < 5; count++) await round();
  const before = held();
  for (let count = 0; count < 100; count++) await round();
  t.deepEqual(held(), before);
}
