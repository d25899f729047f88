/**
 * Damages ELF files at random and reads everything of them; anything but an ElfError ends the run.
 *
 *   node scripts/fuzz.mjs [cases] [seed] [file…]
 *
 * Files default to testdata/ and the smallest programs of this system. A case that took long (CPU time), or gave another
 * error, is reported with its seed: the same seed and file give the same case.
 */
import { readFileSync, statSync } from "node:fs";
import { damage, randomFrom, readAll } from "../dist/fuzz.test.helper.js";

import { systemElfFiles } from "./system-files.mjs";
import { testdataBinaries, testdataPath } from "./testdata.mjs";

const SLOW_MS = 500;
const SYSTEM_FILES = 30;

const [cases = 100_000, seed = 1] = process.argv.slice(2, 4).map(Number);
const given = process.argv.slice(4);
const originals = (given.length > 0 ? given : defaultFiles()).map((path) => [
  path,
  new Uint8Array(readFileSync(path)),
]);

const codes = new Map();
let slowest = 0;
for (let i = 0; i < cases; i++) {
  const [path, original] = originals[i % originals.length];
  const caseSeed = (seed * 1_000_003 + i) >>> 0;
  const random = randomFrom(caseSeed);
  const start = process.cpuUsage();
  try {
    for (const code of await readAll(damage(original, random), random))
      codes.set(code, (codes.get(code) ?? 0) + 1);
  } catch (error) {
    print(`${path}, case ${i}, seed ${caseSeed}: ${error.stack}`);
    process.exit(1);
  }
  const { user, system } = process.cpuUsage(start);
  const elapsed = (user + system) / 1000;
  slowest = Math.max(slowest, elapsed);
  if (elapsed > SLOW_MS) print(`${path}, case ${i}, seed ${caseSeed}: ${elapsed.toFixed(0)} ms`);
  if ((i + 1) % 10_000 === 0) print(`${i + 1} cases, slowest ${slowest.toFixed(0)} ms`);
}
for (const [code, count] of [...codes].sort((a, b) => b[1] - a[1]))
  print(`${String(count).padStart(9)} ${code}`);
print(
  `${cases} cases over ${originals.length} files, seed ${seed}: nothing but ElfErrors; slowest ${slowest.toFixed(0)} ms`,
);

function defaultFiles() {
  const bySize = systemElfFiles(["/usr/bin"]).sort((a, b) => statSync(a).size - statSync(b).size);
  return [...testdataBinaries().map(testdataPath), ...bySize.slice(0, SYSTEM_FILES)];
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
