/**
 * What this package adds to the bindings under it, measured in turns with them in one run: medians of processor time
 * per operation, and of the pairs' ratios.
 *
 *   node bench/main.mjs [pairs]
 */
import { GuestMemory, KVM_EXIT, KVM_SYNC_X86, Kvm, kvm_run } from "@kvmkit/kvm-bindings";
import { createVm, definePlugin, t } from "../dist/index.js";
import { prepareWorkers } from "../dist/node/index.js";

const PAIRS = Number(process.argv[2] ?? 21);
const CALLS = 20_000;
const MEMORY_BYTES = 64 * 2 ** 20;
const HYPERCALL = 0x1000;

/** again: out 0xe4, eax; jmp again. A handler that answers its own number leaves rax as the next call needs it. */
const CALL_LOOP = Uint8Array.of(0xe7, 0xe4, 0xeb, 0xfc);
const HLT = Uint8Array.of(0xf4);

const kvm = Kvm.open();

/** A machine of the bindings alone, in real mode at 0:0. */
function bareMachine(code) {
  const vm = kvm.createVm();
  const memory = GuestMemory.allocate(MEMORY_BYTES);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0n, memory });
  memory.copyFrom(code, 0);
  const vcpu = vm.createVcpu(0);
  vcpu.setCpuid2(kvm.supportedCpuid());
  const sregs = vcpu.getSregs();
  sregs.cs.base = 0n;
  sregs.cs.selector = 0;
  vcpu.setSregs(sregs);
  vcpu.setRegs({ rip: 0n, rflags: 2n });
  return { vm, memory, vcpu, view: vcpu.runPage.view };
}

const RIP = kvm_run.fields.regs.offset + 128;
let looping;

/** `count` exits, each looked at, as any run loop must. */
function bareExits(count) {
  if (looping === undefined) {
    looping = bareMachine(CALL_LOOP);
    kvm_run.write(looping.view, { kvm_valid_regs: KVM_SYNC_X86.REGS });
    looping.vcpu.run();
  }
  const { vcpu, view } = looping;
  for (let i = 0; i < count; i++) {
    if (vcpu.run() !== KVM_EXIT.KVM_EXIT_IO || view.getUint16(34, true) !== 0xe4)
      throw new Error("unexpected exit");
    if (view.getUint32(RIP, true) > 4) throw new Error("unexpected rip");
  }
}

const scalars = definePlugin({
  name: "bench",
  version: "1.0.0",
  abi: 1,
  hypercalls: { three: { args: { a: t.u64, b: t.u32, c: t.i32 }, handle: () => HYPERCALL } },
});
const buffer = definePlugin({
  name: "bench",
  version: "1.0.0",
  abi: 1,
  hypercalls: {
    take: {
      args: { data: t.buffer.in(2 ** 20) },
      handle: (_, { data }) => (data.bytes().length ? HYPERCALL : 0),
    },
  },
});

async function hypercalls(count, plugin, registers) {
  const boot = { protocol: "real", image: CALL_LOOP, registers: { rax: BigInt(HYPERCALL), ...registers } };
  const plugins = [{ plugin, grant: "all" }];
  const vm = await createVm({ memoryBytes: MEMORY_BYTES, boot, plugins, limits: { exits: count } });
  const { timings } = vm.runSync();
  vm.close();
  return timings;
}

function bareLife() {
  const { vm, memory, vcpu } = bareMachine(HLT);
  if (vcpu.run() !== KVM_EXIT.KVM_EXIT_HLT) throw new Error("unexpected exit");
  memory.close();
  vm.close();
}

async function life(run) {
  const vm = await createVm({ memoryBytes: MEMORY_BYTES, boot: { protocol: "real", image: HLT } });
  const { kind } = await run(vm);
  vm.close();
  if (kind !== "halted") throw new Error(`unexpected result ${kind}`);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function cpuUs(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function compare(title, divisor, ours, bare) {
  const pairs = [];
  for (let i = -3; i < PAIRS; i++) {
    const pair = { bare: await cpuUs(bare), ours: await cpuUs(ours) };
    if (i >= 0) pairs.push({ ...pair, ratio: pair.ours / pair.bare });
  }
  const us = (key) => (median(pairs.map((pair) => pair[key])) / divisor).toFixed(2).padStart(9);
  const ratio = median(pairs.map((pair) => pair.ratio)).toFixed(3);
  console.log(`${title.padEnd(52)} ${us("ours")} ${us("bare")} ${ratio.padStart(7)}`);
}

console.log(`${`median of ${PAIRS} interleaved pairs, processor time`.padEnd(52)} us/op  bare us/op   ratio`);
const exits = () => bareExits(CALLS);
await compare("hypercall of three scalars / bare exit", CALLS, () => hypercalls(CALLS, scalars), exits);
await compare(
  "hypercall with 1 MiB in one extent / bare exit",
  CALLS,
  () => hypercalls(CALLS, buffer, { rdi: 0x10_0000n, rsi: 2n ** 20n }),
  exits,
);
await compare("createVm to hlt to close / the same ioctls", 1, () => life((vm) => vm.runSync()), bareLife);

const workerTimes = [];
for (let i = 0; i < 10; i++) {
  const start = performance.now();
  await life((vm) => vm.run());
  workerTimes.push(performance.now() - start);
  if (i === 0) prepareWorkers(1);
}
const [cold, ...warm] = workerTimes;
console.log(
  `\ncreateVm to hlt in a worker, wall time: cold ${cold.toFixed(1)} ms, pooled ${median(warm).toFixed(1)} ms`,
);
