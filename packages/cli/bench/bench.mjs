/**
 * What a start costs: `kvm exec` of a static hello, minus `node -e 0`, split by phase; and a build that has
 * nothing to do. Medians of interleaved runs, so that a busy machine slows both sides.
 *
 *   node bench/bench.mjs [rounds]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const kvm = join(root, "bin/kvm.js");
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

  const bare = [];
  const exec = [];
  const rebuild = [];
  const phases = new Map();
  for (let round = 0; round < rounds; round++) {
    bare.push(mustRun(["-e", "0"]).ms);
    const run = mustRun([kvm, "exec", "--timings", "--json", hello]);
    exec.push(run.ms);
    for (const [name, ms] of Object.entries(timingsOf(run.stderr))) {
      phases.set(name, [...(phases.get(name) ?? []), ms]);
    }
    rebuild.push(mustRun([kvm, "build", join(dir, "vm.toml")]).ms);
  }
  print("node -e 0", median(bare));
  print("kvm exec hello", median(exec));
  print("  minus node -e 0 (reach: <= 120 ms)", median(exec.map((ms, round) => ms - bare[round])));
  for (const [name, times] of phases) print(`    ${name}`, median(times));
  print("kvm build, nothing to do (reach: <= 300 ms)", median(rebuild));
}

function timingsOf(stderr) {
  const line = stderr.split("\n").find((text) => text.includes('"timings"'));
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

function print(name, ms) {
  console.log(`${name.padEnd(48)} ${ms.toFixed(1).padStart(8)} ms`);
}
