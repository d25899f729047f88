import { kvmTest } from "@kvmkit-internal/test-support";
import { makeBatch, outcome } from "./batch.js";
import { compare, type Difference } from "./compare.js";
import { choicesFor, DEFAULT_MIX, type Mix } from "./generate.js";
import { BATCH } from "./image.js";
import { KvmProcessor, SoftProcessor } from "./processors.js";
import { spoilsSequences } from "./undefined.js";

/** Another seed each time; a failure names it. */
const seed = Number(process.env["KVMKIT_SEED"] ?? Date.now() % 2 ** 31);

function describe(number: number, { index, bytes, mnemonic, fields }: Difference): string {
  const code = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `seed ${seed}, ${number}/${index} ${mnemonic}: ${code}: ${fields.join("; ")}`;
}

/** Runs batches on all three processors; the differences. */
function run(mix: Mix, batches: number): string[] {
  const kvm = new KvmProcessor();
  const typescript = new SoftProcessor({ engine: "typescript" });
  const wasm = new SoftProcessor({ engine: "wasm" });
  const choices = choicesFor(mix);
  const found: string[] = [];
  for (let number = 0; number < batches; number++) {
    const batch = makeBatch(seed, number, mix, choices);
    const images = [batch.memory, batch.memory.slice(), batch.memory.slice()];
    const input = { ...batch, memory: batch.memory.slice() };
    if (!kvm.run(images[0]!)) continue;
    typescript.run(images[1]!);
    wasm.run(images[2]!);
    const [real, soft, compiled] = images.map((image) => outcome(image));
    const all = [...compare(input, real!, soft!, "processor"), ...compare(input, soft!, compiled!, "engine")];
    found.push(...all.map((difference) => describe(number, difference)));
  }
  kvm.close();
  return found;
}

const CASES = Number(process.env["KVMKIT_CASES"] ?? 25_000);

for (const part of ["first", "second", "third"]) {
  kvmTest(`single instructions do what the processor of /dev/kvm does, ${part} ${CASES} cases`, (t) => {
    t.deepEqual(
      run({ ...DEFAULT_MIX, random: DEFAULT_MIX.random + part.length - 5 }, Math.ceil(CASES / BATCH)),
      [],
    );
  });
}

kvmTest(`sequences do what the processor of /dev/kvm does, ${CASES} cases`, (t) => {
  const only = ({ mnemonic }: { mnemonic: string }) => !spoilsSequences(mnemonic);
  t.deepEqual(run({ length: 12, mutated: 0, random: 0, only }, Math.ceil(CASES / BATCH)), []);
});
