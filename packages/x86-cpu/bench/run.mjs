/**
 * Six kernels on both engines, in millions of guest instructions per CPU second, with peers beside them in the same run;
 * then what an import and a first processor cost, and the size of the package. CPU time, because wall time on a shared
 * machine says little.
 *
 *   node bench/run.mjs [kernel]... [--engine wasm|typescript]
 *
 * Needs gcc and static libc (Debian: gcc libc6-dev). qemu-x86_64 (qemu-user) and blink are run where they are installed. v86
 * is 32-bit and has no user mode: nothing that it could run here is the same work.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { prepare } from "../dist/scripts/user-mode/machine.js";

const KERNELS = ["sieve", "dhrystone", "sha256", "nbody", "qsort", "integer"];
/** Guest instructions that a measurement has at least: seconds, not milliseconds. */
const ENOUGH = { typescript: 25e6, wasm: 150e6 };
const EXIT_PORT = 0xe4;

const { values, positionals } = parseArgs({
  options: { engine: { type: "string" } },
  allowPositionals: true,
});
const chosen = positionals.length > 0 ? positionals : KERNELS;
const engines = values.engine ? [values.engine] : ["typescript", "wasm"];

const folder = mkdtempSync(join(tmpdir(), "x86-cpu-bench-"));
const binary = join(folder, "kernels");
const source = fileURLToPath(new URL("kernels.c", import.meta.url));
const flags = ["-O2", "-static", "-mno-avx", "-msse2"];
const built = spawnSync("gcc", [...flags, "-o", binary, source], { stdio: "inherit" });
if (built.status !== 0) throw new Error("gcc does not compile bench/kernels.c");
const elf = readFileSync(binary);

/** CPU seconds and instructions of one program run; the processor is made before the clock starts. */
function measure(engine, kernel, rounds) {
  const { cpu, calls } = prepare(elf, ["kernels", kernel, String(rounds)], { engine });
  const before = process.cpuUsage();
  for (;;) {
    const exit = cpu.run();
    if (exit.reason !== "KVM_EXIT_IO" || exit.port !== EXIT_PORT)
      throw new Error(`${kernel}: ${exit.reason}`);
    if (calls.answer()) break;
  }
  const { user, system } = process.cpuUsage(before);
  return {
    seconds: (user + system) / 1e6,
    instructions: cpu.instructions,
    output: new TextDecoder().decode(calls.output()).trim(),
  };
}

/** CPU seconds of a command and its output; `undefined` where it is not installed or fails. */
function childSeconds(command) {
  const { status, stdout } = spawnSync("bash", ["-c", `${command} && times`], { encoding: "utf8" });
  if (status !== 0) return undefined;
  const [output, , children] = stdout.trim().split("\n");
  const seconds = children
    .split(" ")
    .map((time) => /(\d+)m([\d.]+)s/.exec(time))
    .reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
  return { seconds, output };
}

const onPath = (name) => spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
const qemuStep = () =>
  spawnSync("qemu-x86_64", ["-h"], { encoding: "utf8" }).stdout.includes("-one-insn-per-tb")
    ? "-one-insn-per-tb"
    : "-singlestep";
const PEERS = [
  ["qemu-user, one insn per TB", "qemu-x86_64", () => `qemu-x86_64 ${qemuStep()}`],
  ["qemu-user, JIT", "qemu-x86_64", () => "qemu-x86_64"],
  ["blink, no JIT", "blink", () => "blink -j"],
  ["native", "true", () => ""],
];

const millions = (instructions, seconds) => (instructions / seconds / 1e6).toFixed(1).padStart(9);
const row = (name, cells) => process.stdout.write(`${name.padEnd(28)}${cells.join("")}\n`);
process.stdout.write(`Millions of guest instructions per CPU second; load ${loadavg()[0].toFixed(1)}\n`);
row(
  "",
  chosen.map((kernel) => kernel.padStart(9)),
);

const counts = new Map();
for (const engine of engines) {
  const cells = chosen.map((kernel) => {
    // The first run tells how many rounds are enough, and warms the host's compilers up.
    const first = measure(engine, kernel, 1);
    const rounds = Math.ceil(ENOUGH[engine] / first.instructions);
    const { instructions, seconds, output } = measure(engine, kernel, rounds);
    counts.set(kernel, { rounds, instructions, output });
    return millions(instructions, seconds);
  });
  row(engine, cells);
}
for (const [name, program, command] of PEERS) {
  if (!onPath(program)) {
    row(name, ["  not installed"]);
    continue;
  }
  const cells = chosen.map((kernel) => {
    const { rounds, instructions, output } = counts.get(kernel);
    const found = childSeconds(`${command()} ${binary} ${kernel} ${rounds}`);
    return found?.output === output ? millions(instructions, found.seconds) : "    wrong";
  });
  row(name, cells);
}
row("v86", ["  32-bit only: none of this runs"]);
rmSync(folder, { recursive: true });

/** CPU milliseconds of a node process that runs a line: the best of some, because load only adds. */
function nodeMilliseconds(line) {
  const code = `${line}; const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)`;
  const samples = Array.from({ length: 7 }, () =>
    Number(spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" }).stdout),
  );
  return Math.min(...samples);
}

const entry = JSON.stringify(new URL("../dist/bundle/index.js", import.meta.url).href);
const bare = nodeMilliseconds("");
const imported = nodeMilliseconds(`await import(${entry})`) - bare;
const made = (engine) =>
  nodeMilliseconds(
    `const { Cpu } = await import(${entry}); const cpu = new Cpu({ memory: 0x10000, engine: "${engine}" });
     cpu.memory.ram[0xfff0] = 0xf4; cpu.setSregs({ ...cpu.getSregs(), cs: { ...cpu.getSregs().cs, base: 0n } });
     if (cpu.run().reason !== "KVM_EXIT_HLT") throw 0`,
  ) - bare;
const rest = ["typescript", "wasm"].map((engine) => `${made(engine).toFixed(0)} ms (${engine})`).join(", ");
process.stdout.write(
  `import: ${imported.toFixed(0)} ms of CPU over bare node; with a first instruction: ${rest}\n`,
);
const packed = JSON.parse(
  spawnSync("npm", ["pack", "--dry-run", "--json"], {
    encoding: "utf8",
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  }).stdout,
)[0];
process.stdout.write(
  `package: ${Math.round(packed.size / 1000)} KB, unpacked ${Math.round(packed.unpackedSize / 1000)} KB\n`,
);
