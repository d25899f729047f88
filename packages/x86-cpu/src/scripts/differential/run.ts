/**
 * Differential run: cases on /dev/kvm and on both engines; prints each difference and a summary.
 *
 *   node dist/scripts/differential/run.js [--seed n] [--from batch] [--batches n] [--length n] [--engines]
 *     [--mnemonic regexp] [--mutated percent] [--show n] [--resume file] [--count cases]
 *
 * `--length`: instructions of a case; without it, seven batches of ten have single instructions, two are sequences of up to
 * twelve, and one has mutated bytes mostly. `--engines`: without /dev/kvm. `--resume`: a file that keeps seed, next batch and
 * what was found, so that a run can be ended and gone on with at any time; `--count`: cases in all, with those of the file.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Form } from "../../forms.js";
import { type Batch, makeBatch, outcome } from "./batch.js";
import { compare, type Difference } from "./compare.js";
import { choicesFor, DEFAULT_MIX, type Mix } from "./generate.js";
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
    length: { type: "string" },
    engines: { type: "boolean", default: false },
    show: { type: "string", default: "40" },
    resume: { type: "string" },
    count: { type: "string" },
  },
});

/** What a resume file keeps. */
interface Progress {
  seed: number;
  /** The next batch. */
  next: number;
  cases: number;
  /** Cases of batches that /dev/kvm did not come to the end of: not compared. */
  skipped: number;
  differences: string[];
}

const hex = (bytes: readonly number[]) => bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

/** Nothing that is left undefined may reach the instructions behind it. */
const withoutUndefined = { mutated: 0, random: 0, only: (form: Form) => !spoilsSequences(form.mnemonic) };

function mixes(): Mix[] {
  const pattern = values.mnemonic === undefined ? undefined : new RegExp(`^(?:${values.mnemonic})$`);
  const only = pattern && { mutated: 0, random: 0, only: (form: Form) => pattern.test(form.mnemonic) };
  const mutated = values.mutated === undefined ? {} : { mutated: Number(values.mutated) };
  const length = Number(values.length ?? 1);
  const chosen = values.length !== undefined || only !== undefined || values.mutated !== undefined;
  if (chosen) {
    const isSequence = length > 1 && !values.engines;
    return [{ ...DEFAULT_MIX, ...(isSequence ? withoutUndefined : {}), ...only, length, ...mutated }];
  }
  const sequences = { ...DEFAULT_MIX, ...withoutUndefined, length: 12 };
  const mutations = { ...DEFAULT_MIX, mutated: 70, random: 10 };
  return [...Array<Mix>(7).fill(DEFAULT_MIX), sequences, sequences, mutations];
}

function load(): Progress {
  const fresh = {
    seed: Number(values.seed),
    next: Number(values.from),
    cases: 0,
    skipped: 0,
    differences: [],
  };
  if (values.resume === undefined || !existsSync(values.resume)) return fresh;
  return JSON.parse(readFileSync(values.resume, "utf8")) as Progress;
}

/** Written beside and renamed, so that an end in between leaves a whole file. */
function save(state: Progress): void {
  if (values.resume === undefined) return;
  writeFileSync(`${values.resume}.new`, `${JSON.stringify(state, undefined, 1)}\n`);
  renameSync(`${values.resume}.new`, values.resume);
}

const all = mixes().map((mix) => ({ mix, choices: choicesFor(mix) }));
let kvm = values.engines ? undefined : new KvmProcessor();
const soft = new SoftProcessor({ engine: "typescript" });
const wasm = new SoftProcessor({ engine: "wasm" });

/** The differences of one batch, or `undefined` where a processor did not come to its end. */
function runBatch(batch: Batch, number: number): Difference[] | undefined {
  const [real, software, compiled] = [batch.memory.slice(), batch.memory.slice(), batch.memory.slice()];
  const ended = [kvm?.run(real) ?? true, soft.run(software)];
  wasm.run(compiled);
  if (!ended.every(Boolean)) {
    const stuck = [real, software].map((memory) => batch.cases.length - progress(memory).left);
    const code = stuck.map((index) => hex(batch.cases[index]?.bytes ?? []));
    process.stdout.write(`batch ${number}: ended ${ended}, at ${stuck}: ${code.join(" | ")}\n`);
    kvm?.close();
    kvm = values.engines ? undefined : new KvmProcessor();
    return undefined;
  }
  const engines = compare(batch, outcome(software), outcome(compiled), "engine");
  return [
    ...(kvm ? compare(batch, outcome(real), outcome(software), "processor") : []),
    ...engines.map((difference) => ({ ...difference, mnemonic: `engines, ${difference.mnemonic}` })),
  ];
}

const state = load();
const wanted = values.count === undefined ? undefined : Number(values.count);
const last = state.next + Number(values.batches);
const goesOn = () => (wanted === undefined ? state.next < last : state.cases < wanted);
const counts = new Map<string, number>();
let shown = 0;
while (goesOn()) {
  const { mix, choices } = all[state.next % all.length]!;
  const found = runBatch(makeBatch(state.seed, state.next, mix, choices), state.next);
  if (found) state.cases += BATCH;
  else state.skipped += BATCH;
  for (const { index, bytes, mnemonic, fields } of found ?? []) {
    const text = `${state.next}/${index} ${mnemonic}: ${hex(bytes)}: ${fields.slice(0, 5).join("; ")}`;
    counts.set(mnemonic, (counts.get(mnemonic) ?? 0) + 1);
    state.differences.push(text);
    if (shown++ < Number(values.show)) process.stdout.write(`${text}\n`);
  }
  state.next++;
  if (state.next % 100 === 0) save(state);
}
save(state);
kvm?.close();
const list = [...counts].sort((a, b) => b[1] - a[1]).map(([mnemonic, count]) => `${mnemonic} ${count}`);
process.stdout.write(
  `${state.cases} cases, ${state.differences.length} different, ${state.skipped} skipped: ${list.join(", ")}\n`,
);
