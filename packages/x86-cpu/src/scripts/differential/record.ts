/**
 * Records vectors: `node dist/scripts/differential/record.js [cases per form] > testdata/vectors.txt`. A case is taken if
 * /dev/kvm and both engines agree on it.
 */
import { allForms } from "../../forms.js";
import { type Case, emptyImage, writeCase } from "./batch.js";
import { compare } from "./compare.js";
import { caseBytes, DEFAULT_MIX } from "./generate.js";
import { BATCH } from "./image.js";
import { KvmProcessor, SoftProcessor } from "./processors.js";
import { Random } from "./random.js";
import { digestOf, formatVector, runAlone } from "./vectors.js";

const perForm = Number(process.argv[2] ?? 3);
const kvm = new KvmProcessor();
const typescript = new SoftProcessor({ engine: "typescript" });
const wasm = new SoftProcessor({ engine: "wasm" });

/** The only case of a batch that is compared: others are blank. */
function agreed(index: number, one: Case): string | undefined {
  const results = [kvm, typescript, wasm].map((processor) => runAlone(processor, index, one));
  const cases = Array.from({ length: BATCH }, (_, n) => (n === index ? one : { bytes: [], seed: 0 }));
  const memory = emptyImage();
  writeCase(memory, index, one);
  const batch = { memory, cases };
  const differs = compare(batch, results[0]!, results[1]!, "processor").some((d) => d.index === index);
  const digests = results.slice(1).map((result) => digestOf(result, index));
  return !differs && digests[0] === digests[1] ? digests[0] : undefined;
}

process.stdout.write(
  "# Recorded by scripts/differential/record.ts against /dev/kvm (AMD Zen 4): bytes | index | seed | digest\n",
);
let number = 0;
for (const form of allForms().filter(({ modes }) => modes & 4)) {
  for (let n = 0; n < perForm; n++) {
    const seed = new Random(number, 77).u32();
    const index = number++ % BATCH;
    let bytes: number[];
    try {
      bytes = caseBytes(new Random(seed, 1), { ...DEFAULT_MIX, mutated: 0, random: 0 }, [form]);
    } catch {
      continue;
    }
    const digest = agreed(index, { bytes, seed });
    if (digest) process.stdout.write(`${formatVector({ bytes, index, seed, digest })}\n`);
  }
}
kvm.close();
