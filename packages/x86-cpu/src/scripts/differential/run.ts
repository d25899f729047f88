/**
 * Differential run: `node dist/scripts/differential/run.js [--seed n] [--from n] [--batches n] [--length n] [--engines]
 * [--mnemonic regexp] [--mutated percent] [--show n]`. Prints each difference between /dev/kvm and the software
 * processor, and between its engines, and a summary. `--engines`: without /dev/kvm. `--length`: instructions of a case.
 */
import { parseArgs } from "node:util";
import { makeBatch, outcome } from "./batch.js";
import { compare } from "./compare.js";
import { choicesFor, DEFAULT_MIX } from "./generate.js";
import { BATCH, progress } from "./image.js";
import { KvmProcessor, SoftProcessor } from "./processors.js";
import { spoilsSequences } from "./undefined.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    batches: { type: "string", default: "40" },
    mnemonic: { type: "string" },
    mutated: { type: "string" },
    length: { type: "string", default: "1" },
    engines: { type: "boolean", default: false },
    show: { type: "string", default: "40" },
  },
});

const hex = (bytes: readonly number[]) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
const pattern = values.mnemonic === undefined ? undefined : new RegExp(`^(?:${values.mnemonic})$`);
const isSequence = Number(values.length) > 1 && !values.engines;
/** Nothing that is left undefined may reach the instructions behind it. */
const WITHOUT_UNDEFINED = {
  mutated: 0,
  random: 0,
  only: ({ mnemonic }: { mnemonic: string }) => !spoilsSequences(mnemonic),
};
const mix = {
  ...DEFAULT_MIX,
  ...(isSequence ? WITHOUT_UNDEFINED : {}),
  ...(pattern
    ? { mutated: 0, random: 0, only: (form: { mnemonic: string }) => pattern.test(form.mnemonic) }
    : {}),
  length: Number(values.length),
  ...(values.mutated ? { mutated: Number(values.mutated) } : {}),
};
const choices = choicesFor(mix);
let kvm = values.engines ? undefined : new KvmProcessor();
const soft = new SoftProcessor({ engine: "typescript" });
const wasm = new SoftProcessor({ engine: "wasm" });
const counts = new Map<string, number>();
let shown = 0;
const first = Number(values.from);
for (let number = first; number < first + Number(values.batches); number++) {
  const batch = makeBatch(Number(values.seed), number, mix, choices);
  const [real, software, compiled] = [batch.memory.slice(), batch.memory.slice(), batch.memory.slice()];
  const ended = [kvm?.run(real) ?? true, soft.run(software)];
  wasm.run(compiled);
  if (!ended[0] || !ended[1]) {
    const stuck = [real, software].map((memory) => batch.cases.length - progress(memory).left);
    const code = stuck.map((index) => hex(batch.cases[index]?.bytes ?? []));
    process.stdout.write(`batch ${number}: ended ${ended}, at ${stuck}: ${code.join(" | ")}\n`);
    kvm?.close();
    kvm = values.engines ? undefined : new KvmProcessor();
    continue;
  }
  const engines = compare(batch, outcome(software), outcome(compiled), "engine");
  const found = [
    ...(kvm ? compare(batch, outcome(real), outcome(software), "processor") : []),
    ...engines.map((difference) => ({ ...difference, mnemonic: `engines, ${difference.mnemonic}` })),
  ];
  for (const { index, bytes, mnemonic, fields } of found) {
    counts.set(mnemonic, (counts.get(mnemonic) ?? 0) + 1);
    if (shown++ >= Number(values.show)) continue;
    process.stdout.write(
      `${number}/${index} ${mnemonic}: ${hex(bytes)}\n    ${fields.slice(0, 5).join("; ")}\n`,
    );
  }
}
kvm?.close();
const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
const list = [...counts].sort((a, b) => b[1] - a[1]).map(([mnemonic, count]) => `${mnemonic} ${count}`);
process.stdout.write(`${Number(values.batches) * BATCH} cases, ${total} different: ${list.join(", ")}\n`);
