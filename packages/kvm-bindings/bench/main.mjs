/**
 * Exits and virtual machines per second from TypeScript, as a ratio to the same work in C (bench/peer.c), measured
 * in turns in one run: medians of the pairs' ratios.
 *
 *   node bench/main.mjs [pairs]
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { GuestMemory, KVM_EXIT, KVM_SYNC_X86, Kvm, kvm_run } from "../dist/index.js";

const PAIRS = Number(process.argv[2] ?? 41);
const EXITS = 5000;
const LIVES = 5;
const MEMORY_BYTES = 64 * 2 ** 20;
const ENTRY = 0x1000;
/** out 0xe4, al; jmp back */
const EXITS_CODE = Uint8Array.of(0xe6, 0xe4, 0xeb, 0xfc);

const IO_PORT = 34;
const RIP = kvm_run.fields.regs.offset + 128;

const kvm = Kvm.open();

function create() {
  const vm = kvm.createVm();
  const memory = GuestMemory.allocate(MEMORY_BYTES);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0n, memory });
  memory.copyFrom(EXITS_CODE, ENTRY);
  const vcpu = vm.createVcpu(0);
  vcpu.setCpuid2(kvm.supportedCpuid());
  const sregs = vcpu.getSregs();
  sregs.cs.base = 0n;
  sregs.cs.selector = 0;
  vcpu.setSregs(sregs);
  vcpu.setRegs({ rip: BigInt(ENTRY), rflags: 2n });
  return { vm, memory, vcpu, view: vcpu.runPage.view };
}

function runToExit({ vcpu, view }) {
  if (vcpu.run() !== KVM_EXIT.KVM_EXIT_IO || view.getUint16(IO_PORT, true) !== 0xe4)
    throw new Error("unexpected exit");
}

let spinning;
function exits(count) {
  if (spinning === undefined) {
    spinning = create();
    kvm_run.write(spinning.view, { kvm_valid_regs: KVM_SYNC_X86.REGS });
    runToExit(spinning);
  }
  const { view } = spinning;
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) {
    runToExit(spinning);
    if (view.getUint32(RIP, true) !== ENTRY + 2) throw new Error("unexpected rip");
  }
  return Number(process.hrtime.bigint() - start);
}

function lives(rounds, disposal) {
  const times = [];
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint();
    const machine = create();
    runToExit(machine);
    const running = process.hrtime.bigint();
    machine.memory.close();
    machine.vm.close();
    times.push(Number(disposal ? process.hrtime.bigint() - running : running - start));
  }
  return median(times);
}

const ours = { exits, create: (rounds) => lives(rounds, false), dispose: (rounds) => lives(rounds, true) };

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Compiles and starts the peer; `ask` gives nanoseconds. */
function startPeer() {
  const directory = mkdtempSync(join(tmpdir(), "kvm-bindings-bench-"));
  const binary = join(directory, "peer");
  const source = fileURLToPath(new URL("peer.c", import.meta.url));
  const compiled = spawnSync("cc", ["-O2", "-o", binary, source], { stdio: "inherit" });
  if (compiled.status !== 0) throw new Error("the benchmark's peer needs a C compiler (cc)");
  const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(command, count) {
      child.stdin.write(`${command} ${count}\n`);
      return Number((await lines.next()).value);
    },
    end() {
      child.stdin.end();
      rmSync(directory, { recursive: true });
    },
  };
}

async function compare(peer, title, command, count, divisor) {
  const pairs = [];
  // The first pairs warm both sides up: the compiler here, the page cache and the allocator there.
  for (let i = -3; i < PAIRS; i++) {
    const c = await peer.ask(command, count);
    await new Promise((resolve) => setImmediate(resolve));
    const typescript = ours[command](count);
    if (i >= 0) pairs.push({ typescript, c, ratio: typescript / c });
  }
  const us = (key) => (median(pairs.map((pair) => pair[key])) / divisor / 1000).toFixed(2).padStart(9);
  const ratio = median(pairs.map((pair) => pair.ratio)).toFixed(3);
  console.log(`${title.padEnd(44)} ${us("typescript")} ${us("c")} ${ratio.padStart(7)}`);
}

console.log(`${"median of interleaved pairs".padEnd(44)}  TS us/op   C us/op   ratio`);
const peer = startPeer();
await compare(peer, "exit round trip (out, sync regs)", "exits", EXITS, EXITS);
await compare(peer, "create VM, 64 MiB, vCPU, to the first exit", "create", LIVES, 1);
await compare(peer, "close it all", "dispose", LIVES, 1);
peer.end();
