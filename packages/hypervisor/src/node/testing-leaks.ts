/** What a process holds on to after many machines. */
import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ExecutionContext } from "ava";
import { flatGuest, machine, memoryPlugins, servingGuest } from "../internal-testing/guests.js";
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

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of JavaScript that are still in use. */
function heapInUse(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** 100,000 calls, with an argument that is copied and one that is copied back, within one page per thousand calls. */
export async function callsLeaveNothing(t: ExecutionContext, accel: AccelOption): Promise<void> {
  const vm = await machine(t, servingGuest(".globl first\nfirst: movzx eax, byte ptr [rdi]; ret", { accel }));
  vm.warmUp();
  const bytes = Uint8Array.of(7);
  let wrong = 0;
  const round = (count: number): void => {
    for (let n = 0; n < count; n++) if (vm.call("first", bytes, n) !== 7n) wrong++;
  };
  round(10_000);
  const before = { held: held(), heap: heapInUse() };
  round(100_000);
  t.is(wrong, 0);
  t.deepEqual(held(), before.held);
  const grown = heapInUse() - before.heap;
  t.true(grown < 100 * 4096, `${grown} bytes of heap more after 100,000 calls`);
}
