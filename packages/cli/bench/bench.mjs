/**
 * What a start costs: `kvm exec` of a static hello, minus `node -e 0`, split by phase; and a build that has
 * nothing to do. Medians of interleaved runs, so that a busy machine slows both sides; processor time beside wall
 * time, because a busy machine stretches only the second.
 *
 *   node bench/bench.mjs [rounds]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const kvm = join(root, "bin/kvm.js");
/** Says what it cost itself, as --timings does. */
const CPU = "total, processor time";
const BARE = `const { user, system } = process.cpuUsage(); require("fs").writeSync(2, String((user + system) / 1000))`;
const rounds = Number(process.argv[2] ?? 21);
const dir = mkdtempSync(join(tmpdir(), "kvmkit-bench-"));

try {
  bench();
} finally {
  rmSync(dir, { recursive: true });
}

function bench() {
  const hello = join(dir, "hello");
  mustRun([kvm, "asm", "--format", "program", "--output", hello, join(root, "testdata/programs/hello.s")]);
  writeFileSync(join(dir, "vm.toml"), `[program]\npath = "hello"\n`);
  mustRun([kvm, "exec", hello]); // fills the kernel cache
  mustRun([kvm, "build", join(dir, "vm.toml")]);

  const wall = { bare: [], exec: [], rebuild: [] };
  const cpu = { bare: [], exec: [] };
  const phases = new Map();
  for (let round = 0; round < rounds; round++) {
    const bare = mustRun(["-e", BARE]);
    const exec = mustRun([kvm, "exec", "--timings", "--json", hello]);
    const timings = timingsOf(exec.stderr);
    wall.bare.push(bare.ms);
    cpu.bare.push(Number(bare.stderr));
    wall.exec.push(exec.ms);
    cpu.exec.push(timings[CPU]);
    for (const [name, ms] of Object.entries(timings)) phases.set(name, [...(phases.get(name) ?? []), ms]);
    wall.rebuild.push(mustRun([kvm, "build", join(dir, "vm.toml")]).ms);
  }
  const minus = (all, bare) => median(all.map((ms, round) => ms - bare[round]));
  print("node -e 0", median(wall.bare), median(cpu.bare));
  print("kvm exec hello", median(wall.exec), median(cpu.exec));
  print("  minus node -e 0 (reach: <= 120 ms)", minus(wall.exec, wall.bare), minus(cpu.exec, cpu.bare));
  for (const [name, times] of phases) print(`    ${name}`, median(times));
  print("kvm build, nothing to do (reach: <= 300 ms)", median(wall.rebuild));
  console.log(`load average ${loadavg()[0].toFixed(1)} on ${availableParallelism()} processors`);
}

function timingsOf(stderr) {
  const line = stderr.split("\n").find((text) => text.startsWith('{"timings"'));
  return line === undefined ? {} : JSON.parse(line).timings;
}

function mustRun(args) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`node ${args.join(" ")}: status ${status}\n${stderr}`);
  return { ms, stderr };
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function print(name, ms, cpuMs) {
  const cpuText = cpuMs === undefined ? "" : `${cpuMs.toFixed(1).padStart(8)} ms processor time`;
  console.log(`${name.padEnd(48)} ${ms.toFixed(1).padStart(8)} ms ${cpuText}`.trimEnd());
}
