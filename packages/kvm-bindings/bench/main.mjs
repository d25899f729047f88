/**
 * Exits and virtual machines from TypeScript beside the same work in C (bench/peer.c), measured in turns in one run.
 * Ratios are medians over the pairs: of wall time, and of CPU time of all threads of the process (compiler and
 * collector included), which other work on the machine disturbs less.
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

function moment() {
  const { user, system } = process.cpuUsage();
  return { wall: Number(process.hrtime.bigint()), cpu: (user + system) * 1000 };
}

function since(start) {
  const end = moment();
  return { wall: end.wall - start.wall, cpu: end.cpu - start.cpu };
}

let spinning;
function exits(count) {
  if (spinning === undefined) {
    spinning = create();
    kvm_run.write(spinning.view, { kvm_valid_regs: KVM_SYNC_X86.REGS });
    runToExit(spinning);
  }
  const { view } = spinning;
  const start = moment();
  for (let i = 0; i < count; i++) {
    runToExit(spinning);
    if (view.getUint32(RIP, true) !== ENTRY + 2) throw new Error("unexpected rip");
  }
  return since(start);
}

function lives(rounds, disposal) {
  const walls = [];
  let cpu = 0;
  for (let i = 0; i < rounds; i++) {
    let start = moment();
    const machine = create();
    runToExit(machine);
    const living = since(start);
    start = moment();
    machine.memory.close();
    machine.vm.close();
    const took = disposal ? since(start) : living;
    walls.push(took.wall);
    cpu += took.cpu;
  }
  return { wall: median(walls), cpu: cpu / rounds };
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
      const [wall, cpu] = (await lines.next()).value.split(" ").map(Number);
      return { wall, cpu };
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
    if (i >= 0) pairs.push({ typescript, c });
  }
  const us = (side, time) => median(pairs.map((pair) => pair[side][time])) / divisor / 1000;
  const ratio = (time) => median(pairs.map(({ typescript, c }) => typescript[time] / c[time]));
  const columns = [us("typescript", "wall"), us("c", "wall"), ratio("wall"), ratio("cpu")];
  console.log(
    title.padEnd(46) + columns.map((value, i) => value.toFixed(i < 2 ? 1 : 3).padStart(9)).join(""),
  );
}

console.log(`${"".padEnd(46)}${["TS us", "C us", "wall", "CPU"].map((head) => head.padStart(9)).join("")}`);
const peer = startPeer();
await compare(peer, "exit round trip (out, sync regs)", "exits", EXITS, EXITS);
await compare(peer, "create VM, 64 MiB, vCPU, to the first exit", "create", LIVES, 1);
await compare(peer, "close it all", "dispose", LIVES, 1);
peer.end();
