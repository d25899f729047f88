/**
 * From createVm() to the first instruction of a program in ring 3, on each accelerator: the first machine of a process, with
 * all that is loaded for it, and the later ones. Medians of interleaved processes; wall time, and processor time in brackets.
 *
 *   node bench/boot.mjs [rounds]
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { writeElf } from "@kvmkit/elf";
import { buildKernel } from "@kvmkit/guest-kernel";
import { createVm } from "../dist/index.js";

const CHILD = "--child";
const LATER = 5;
const START = 0x40_0000n;
/** The first instruction ends the program: the result says that it was reached. */
const UD2 = Uint8Array.of(0x0f, 0x0b);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function child(accel) {
  const { entry, segments, symbols } = buildKernel();
  const kernel = writeElf({ kind: "executable", entry, segments, symbols });
  const image = writeElf({
    kind: "executable",
    entry: START,
    segments: [{ vaddr: START, bytes: UD2, flags: 5 }],
  });
  const boot = { protocol: "kvmkit", kernel };
  const boots = [];
  for (let i = 0; i <= LATER; i++) {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    const vm = await createVm({ accel, memoryBytes: 64 * 2 ** 20, boot, program: { image, path: "/ud2" } });
    const result = vm.runSync();
    const { user, system } = process.cpuUsage(cpu);
    boots.push([performance.now() - start, (user + system) / 1000]);
    vm.close();
    if (result.kind !== "killed" || result.rip !== START) throw new Error(`unexpected result ${result.kind}`);
  }
  console.log(JSON.stringify(boots));
}

function measure(accel) {
  const args = [fileURLToPath(import.meta.url), CHILD, accel];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function print(title, boots) {
  const [wall, cpu] = [0, 1].map((column) => median(boots.map((boot) => boot[column])).toFixed(1));
  console.log(`${title.padEnd(32)} ${wall.padStart(7)} ms (${cpu})`);
}

if (process.argv[2] === CHILD) await child(process.argv[3]);
else {
  const rounds = Number(process.argv[2] ?? 7);
  const boots = { kvm: [], soft: [] };
  for (let round = 0; round < rounds; round++) {
    for (const accel of ["kvm", "soft"]) boots[accel].push(measure(accel));
  }
  for (const [accel, processes] of Object.entries(boots)) {
    const [first, ...later] = Array.from({ length: LATER + 1 }, (_, i) => processes.map((all) => all[i]));
    print(`${accel}: first of a process`, first);
    print(`${accel}: later`, later.flat());
  }
}
