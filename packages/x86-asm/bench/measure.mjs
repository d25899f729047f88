/** CPU time, of this process and of others: wall time on a shared machine says little. */
import { spawnSync } from "node:child_process";

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Operations per CPU second of this process: the median of `rounds`, after as many to warm up. */
export function rate(operations, rounds, run) {
  return operations / (median(times(rounds, run)) / 1000);
}

/** CPU milliseconds of `rounds` runs, after as many to warm up. */
export function times(rounds, run) {
  const found = [];
  for (let i = 0; i < 2 * rounds; i++) {
    const before = process.cpuUsage();
    run(i);
    const { user, system } = process.cpuUsage(before);
    if (i >= rounds) found.push((user + system) / 1000);
  }
  return found;
}

/** CPU and wall milliseconds of one run of a shell command, as the shell's `times` counts; `undefined` if it fails. */
export function once(command) {
  const started = performance.now();
  const script = `${command} >/dev/null 2>&1 || exit 9; times`;
  const { status, stdout } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  const wall = performance.now() - started;
  if (status !== 0) return undefined;
  const [, children] = stdout.trim().split("\n");
  const parts = children.matchAll(/(\d+)m([\d.]+)s/g);
  const cpu = [...parts].reduce((sum, [, minutes, seconds]) => sum + 60_000 * minutes + 1000 * seconds, 0);
  return { cpu, wall };
}

/** CPU milliseconds of a command: the median of `rounds`; `undefined` if it fails. */
export function commandTime(command, rounds) {
  const samples = Array.from({ length: rounds }, () => once(command)?.cpu);
  return samples.includes(undefined) ? undefined : median(samples);
}

/** What one command needs beyond another, the two run in turn: medians of the differences, CPU and wall milliseconds. */
export function difference(command, than, rounds) {
  const pairs = Array.from({ length: rounds }, () => [once(than), once(command)]);
  if (pairs.flat().includes(undefined)) return undefined;
  const of = (what) => median(pairs.map(([base, more]) => more[what] - base[what]));
  return { cpu: of("cpu"), wall: of("wall") };
}
