/**
 * Takes random instructions there and back (see src/round-trip.test.helper.ts), as many as wanted:
 *
 *   node scripts/round-trip.mjs [count] [seed]
 */
import { roundTrip } from "../dist/round-trip.test.helper.js";

const [count = 20_000, seed = 1] = process.argv.slice(2).map(Number);

let failures = 0;
for (const entry of ["core", "vector"]) {
  for (const bits of [16, 32, 64]) {
    const { count: taken, wrong } = roundTrip(count, bits, seed, entry);
    failures += wrong.length;
    process.stdout.write(`${entry} in ${bits}-bit mode: ${taken} there and back, ${wrong.length} not\n`);
    for (const line of wrong.slice(0, 20)) process.stdout.write(`  ${line}\n`);
  }
}
process.exitCode = failures === 0 ? 0 : 1;
