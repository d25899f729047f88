/**
 * What this package adds to the bindings under it, measured in turns with them in one run: medians of processor time
 * per operation, and of the pairs' ratios.
 *
 *   node bench/main.mjs [pairs]
 */

import { openSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeElf } from "@kvmkit/elf";
import { buildKernel } from "@kvmkit/guest-kernel";
import { GuestMemory, KVM_EXIT, KVM_SYNC_X86, Kvm, kvm_run } from "@kvmkit/kvm-bindings";
import { assemble, link } from "@kvmkit/x86-asm";
import { calls, createVm, definePlugin, process as process_, t } from "../dist/index.js";
import { prepareWorkers } from "../dist/node/index.js";
import { minimalSyscallMachine } from "./minimal-syscall.mjs";

const PAIRS = Number(process.argv[2] ?? 21);
const CALLS = 20_000;
const WRITES = 5000;
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

let calling;

/** The same in ring 3: `syscall`, `out`, `sysretq` and nothing else. */
function bareSyscalls(count) {
  calling ??= minimalSyscallMachine(kvm);
  const { vcpu, view } = calling;
  for (let i = 0; i < count; i++) {
    if (vcpu.run() !== KVM_EXIT.KVM_EXIT_IO || view.getUint16(34, true) !== 0xe4)
      throw new Error("unexpected exit");
    if (view.getUint32(RIP, true) === 0) throw new Error("unexpected rip");
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

const scratchFile = openSync(join(tmpdir(), `kvmkit-bench-${process.pid}`), "w+");
unlinkSync(join(tmpdir(), `kvmkit-bench-${process.pid}`));
const ownMegabyte = new Uint8Array(2 ** 20).fill(1);
const writeOut = (bytes) => writeSync(scratchFile, bytes, 0, bytes.length, 0);
const writer = definePlugin({
  name: "bench",
  version: "1.0.0",
  abi: 1,
  hypercalls: {
    write: {
      args: { data: t.buffer.in(2 ** 20) },
      handle: (_, { data }) => (writeOut(data.bytes()) === 2 ** 20 ? HYPERCALL : 0),
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

/** `count` hypercalls of three scalars by a program under our kernel. */
async function programHypercalls(count) {
  const source = `_start: mov ebx, ${count}\nagain: mov eax, ${HYPERCALL}\nsyscall\ndec ebx\njnz again\nmov edi, 0\nmov eax, 231\nsyscall`;
  const vm = await createVm(programGuest(source, [scalars]));
  const { kind } = vm.runSync();
  vm.close();
  if (kind !== "exited") throw new Error(`unexpected result ${kind}`);
}

let warm;

/** `count` calls of an empty function of one warm machine. */
async function guestCalls(count) {
  if (warm === undefined) {
    const source = `_start: call kvmkit_serve_calls\nud2\n.globl nothing\nnothing: ret\nkvmkit_serve_calls_here\n`;
    warm = await createVm(
      programGuest(`.set SYS_call_next, ${HYPERCALL}\n${calls.definition.guest.asm}${source}`, [calls]),
    );
    warm.warmUp();
  }
  for (let i = 0; i < count; i++) warm.call("nothing");
}

function programGuest(source, plugins) {
  const { entry, segments, symbols } = buildKernel({
    plugins: plugins[0].rows.map((row) => ({ ...row, nr: HYPERCALL })),
  });
  const start = 0x40_0000n;
  const image = link(assemble(source).object, { origins: { ".text": start } });
  const program = writeElf({
    kind: "executable",
    entry: start,
    segments: [{ vaddr: start, bytes: image.sections[0].bytes, flags: 5 }],
    symbols: [...image.symbols.values()]
      .filter(({ binding }) => binding === "global")
      .map(({ name, address }) => ({ name, value: address, type: "STT_FUNC" })),
  });
  return {
    memoryBytes: MEMORY_BYTES,
    boot: { protocol: "kvmkit", kernel: writeElf({ kind: "executable", entry, segments, symbols }) },
    program: { image: program, path: "/program" },
    plugins: [...plugins, process_].map((plugin) => ({ plugin, grant: "all" })),
  };
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
await compare(
  "1 MiB of the guest written to a file / of the host",
  WRITES,
  () => hypercalls(WRITES, writer, { rdi: 0x10_0000n, rsi: 2n ** 20n }),
  () => {
    for (let i = 0; i < WRITES; i++) writeOut(ownMegabyte);
  },
);
const syscalls = () => bareSyscalls(CALLS);
await compare(
  "hypercall of a program / minimal syscall path",
  CALLS,
  () => programHypercalls(CALLS),
  syscalls,
);
await compare(
  "vm.call of an empty function / minimal syscall path",
  CALLS,
  () => guestCalls(CALLS),
  syscalls,
);
warm.close();
await compare("createVm to hlt to close / the same ioctls", 1, () => life((vm) => vm.runSync()), bareLife);

const workerTimes = [];
for (let i = 0; i < 10; i++) {
  const start = performance.now();
  await life((vm) => vm.run());
  workerTimes.push(performance.now() - start);
  if (i === 0) prepareWorkers(1);
}
const [cold, ...pooled] = workerTimes;
console.log(
  `\ncreateVm to hlt in a worker, wall time: cold ${cold.toFixed(1)} ms, pooled ${median(pooled).toFixed(1)} ms`,
);
