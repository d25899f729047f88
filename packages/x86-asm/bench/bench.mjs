/**
 * Throughput in instructions per CPU second, import time and size, beside GNU as, NASM and llvm-mc where they are
 * installed. CPU time, because wall time on a shared machine says little; medians, with peers in the same run.
 *
 *   node bench/bench.mjs
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Assembler, assembleFlat, eax, mem, r12, rax, rbx, rcx, rdi, rsi, rsp } from "@kvmkit/x86-asm";
import { mixedProgram, toNasm } from "./programs.mjs";

const folder = mkdtempSync(join(tmpdir(), "x86-asm-bench-"));
const dist = join(dirname(fileURLToPath(import.meta.url)), "../dist");
const million = (value) => `${(value / 1e6).toFixed(2)} M/s`;
const rows = [];

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Operations per CPU second of this process: the median of `rounds`, after as many to warm up. */
function rate(operations, rounds, run) {
  const times = [];
  for (let i = 0; i < 2 * rounds; i++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    if (i >= rounds) times.push(user + system);
  }
  return operations / (median(times) / 1e6);
}

/** CPU milliseconds of a child process, as the shell's `times` counts them: the median of `rounds`. */
function childTime(command, rounds) {
  const script = `${command} >/dev/null 2>&1 || exit 9; times`;
  const samples = [];
  for (let i = 0; i < rounds; i++) {
    const { status, stdout } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    if (status !== 0) return undefined;
    const [, children] = stdout.trim().split("\n");
    samples.push(
      [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + 60_000 * m + 1000 * s, 0),
    );
  }
  return median(samples);
}

const sources = new Map([10_000, 100_000].map((count) => [count, mixedProgram(count)]));
for (const [count, source] of sources) {
  const path = (name) => join(folder, `${count}.${name}`);
  writeFileSync(path("s"), source);
  writeFileSync(path("asm"), toNasm(source));
  const own = rate(count, count === 10_000 ? 25 : 7, () => assembleFlat(source));
  rows.push([`text, ${count} instructions`, million(own), ""]);
  const peers = [
    ["GNU as", `as -o ${path("o")} ${path("s")}`],
    ["llvm-mc", `llvm-mc -filetype=obj -o ${path("o")} ${path("s")}`],
    ["NASM", `nasm -f bin -o ${path("bin")} ${path("asm")}`],
  ];
  for (const [name, command] of peers) {
    const time = childTime(command, count === 10_000 ? 7 : 3);
    const speed = time === undefined ? undefined : count / (time / 1000);
    const ratio = speed === undefined ? "absent" : `${(own / speed).toFixed(1)} x ${name}`;
    rows.push([`  ${name} (whole process)`, speed === undefined ? "absent" : million(speed), ratio]);
  }
}

const builder = rate(100_000, 15, () => {
  const a = new Assembler();
  for (let i = 0; i < 100_000; i += 10) {
    a.mov(rax, mem.qword(rbx, rcx, 4, -8))
      .add(rax, 8)
      .mov(mem.qword(rsp, i & 255), rax);
    a.lea(rdi, mem(rsi, i)).xor(eax, eax).push(r12).pop(r12).cmp(rax, i).mov(rcx, 123456).test(rax, rax);
  }
  a.assemble();
});
rows.push(["typed builder to bytes", million(builder), ""]);

/** Start of a process that imports the package, less one that imports nothing; both modules. */
function importTime() {
  const empty = join(folder, "empty.mjs");
  const importing = join(folder, "import.mjs");
  writeFileSync(empty, "");
  writeFileSync(importing, `import ${JSON.stringify(join(dist, "index.js"))};\n`);
  const differences = [];
  for (let i = 0; i < 15; i++) {
    differences.push(childTime(`node ${importing}`, 1) - childTime(`node ${empty}`, 1));
  }
  return median(differences);
}
rows.push(["import, over bare node", `${importTime().toFixed(0)} ms CPU`, "20 ms is the aim"]);

/** Bytes of the modules that the core entry loads, followed through their imports. */
function loadedBytes(file, seen = new Set()) {
  if (seen.has(file)) return 0;
  seen.add(file);
  const text = readFileSync(file, "utf8");
  const imports = [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, path]) => join(dirname(file), path));
  return Buffer.byteLength(text) + imports.reduce((sum, path) => sum + loadedBytes(path, seen), 0);
}
rows.push([
  "JavaScript of the core entry",
  `${(loadedBytes(join(dist, "index.js")) / 1000).toFixed(0)} kB`,
  "250 kB is the aim",
]);

for (const [what, value, note] of rows) console.log(what.padEnd(32), value.padStart(12), " ", note);
rmSync(folder, { recursive: true });
