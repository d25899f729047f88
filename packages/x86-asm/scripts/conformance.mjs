/**
 * Measures the assembler and the decoder against GNU binutils, and prints for each ISA group and mode how many lines
 * are right, refused or wrong, with samples.
 *
 *   node scripts/conformance.mjs [assemble] [decode] [--modes=16,32,64] [--sources=legacy,vex,evex,prefixes,binaries,table]
 *     [--limit=N] [--samples=N] [--groups]
 *
 * `--samples`: lines shown for each mnemonic and verdict.
 *
 * Assembling: a line counts as right if its bytes are GNU as's, or if objdump prints them as the same text. It is
 * refused if we complain; lines that GNU as refuses as well are counted apart. All else is wrong.
 * Decoding: right is objdump's text at objdump's length. objdump also prints what is no instruction, such as EVEX with
 * the wrong W, or leaves out what matters: differences in bytes that GNU as does not make of objdump's text are counted
 * apart.
 */

import { assemble, disassemble } from "./conformance/binutils.mjs";
import { binaryBytes, sweeps, tableTexts } from "./conformance/corpus.mjs";
import { assembleLine, decodeText, groupOf, mnemonicOf } from "./conformance/own.mjs";

const options = Object.fromEntries(
  process.argv.slice(2).map((argument) => {
    const [name, value = "yes"] = argument.replace(/^--/, "").split("=");
    return [name, value];
  }),
);
const modes = (options.modes ?? "16,32,64").split(",").map(Number);
const sources = (options.sources ?? "legacy,vex,evex,prefixes,binaries,table").split(",");
const sampleCount = Number(options.samples ?? 1);
const limit = Number(options.limit ?? Number.POSITIVE_INFINITY);
const directions = ["assemble", "decode"].filter((name) => name in options);
if (directions.length === 0) directions.push("assemble", "decode");

/** Every `step`-th of a list, so that no more than the limit are left. */
function thinned(list) {
  const step = Math.max(1, list.length / limit);
  return Array.from({ length: Math.min(list.length, limit) }, (_, i) => list[Math.floor(i * step)]);
}

class Tally {
  constructor() {
    this.groups = new Map();
    this.samples = new Map();
  }

  add(line, verdict, sample) {
    const group = groupOf(line);
    const counts = this.groups.get(group) ?? {};
    counts[verdict] = (counts[verdict] ?? 0) + 1;
    this.groups.set(group, counts);
    if (verdict === "right") return;
    const key = `${verdict} ${mnemonicOf(line)}`;
    const list = this.samples.get(key) ?? [];
    if (list.length < sampleCount) list.push(`${verdict}: ${sample}`);
    this.samples.set(key, list);
  }

  print(title) {
    const rows = [...this.groups].sort(([a], [b]) => (a < b ? -1 : 1));
    const total = {};
    for (const [, counts] of rows)
      for (const [key, n] of Object.entries(counts)) total[key] = (total[key] ?? 0) + n;
    const show = (counts) => {
      const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
      const rest = Object.entries(counts).filter(([key]) => key !== "right");
      const right = counts.right ?? 0;
      return `${((100 * right) / all).toFixed(3).padStart(8)} %  ${right} of ${all}${rest.map(([key, n]) => `, ${n} ${key}`).join("")}`;
    };
    process.stdout.write(`\n${title}: ${show(total)}\n`);
    for (const [group, counts] of rows) {
      const isPerfect = Object.keys(counts).every((key) => key === "right");
      if ("groups" in options || !isPerfect) process.stdout.write(`  ${group.padEnd(20)} ${show(counts)}\n`);
    }
    for (const key of [...this.samples.keys()].sort()) {
      for (const sample of this.samples.get(key)) process.stdout.write(`    ${sample}\n`);
    }
  }
}

const hex = (bytes) => Buffer.from(bytes).toString("hex");

function reportAssembling(texts, mode, title) {
  const tally = new Tally();
  const theirs = assemble(texts, mode);
  const doubtful = [];
  for (const [i, text] of texts.entries()) {
    const own = assembleLine(text, mode);
    if (own.refusal !== undefined) {
      const verdict = theirs[i] === undefined ? "refused as GNU as does" : "refused";
      tally.add(text, verdict, `${text}: ${own.refusal}`);
    } else if (theirs[i] !== undefined && own.bytes.equals(theirs[i])) tally.add(text, "right");
    else doubtful.push({ text, own: own.bytes, theirs: theirs[i] });
  }
  const printed = disassemble(
    doubtful.map(({ own }) => own),
    mode,
  );
  for (const [i, { text, own, theirs: bytes }] of doubtful.entries()) {
    const isSame = printed[i]?.text === text && printed[i].length === own.length;
    const sample = `${text}: ${hex(own)} is ${printed[i]?.text}; GNU as ${bytes ? hex(bytes) : "refuses"}`;
    tally.add(text, isSame ? "right" : "wrong", sample);
  }
  tally.print(title);
}

function reportDecoding(instructions, mode, title) {
  const tally = new Tally();
  const printed = disassemble(instructions, mode);
  const doubtful = [];
  for (const [i, bytes] of instructions.entries()) {
    const theirs = printed[i];
    // In its slot objdump reads on into NOPs; so does the decoder.
    const own = decodeText(bytes, mode);
    if (theirs === undefined && own === undefined) continue;
    if (own?.length === theirs?.length && own.text === theirs.text) tally.add(own.text, "right");
    else doubtful.push({ bytes: Buffer.from(bytes), own, theirs });
  }
  const again = assemble(
    doubtful.map(({ theirs }) => theirs?.text ?? "nop"),
    mode,
  );
  for (const [i, { bytes, own, theirs }] of doubtful.entries()) {
    const length = Math.max(own?.length ?? 0, theirs?.length ?? 0);
    const sample = `${hex(bytes.subarray(0, length))}: ${own?.text} (${own?.length}); objdump ${theirs?.text} (${theirs?.length})`;
    tally.add(theirs?.text ?? own.text, verdictOf(own, theirs, bytes, again[i]), sample);
  }
  tally.print(title);
}

/** How a text differs from objdump's; `not canonical`: GNU as does not make these bytes of what objdump prints. */
function verdictOf(own, theirs, bytes, again) {
  if (theirs === undefined) return "decoded where objdump says (bad)";
  const isCanonical = again?.equals(bytes.subarray(0, theirs.length));
  const verdict =
    own === undefined ? "undecoded" : own.length === theirs.length ? "another text" : "another length";
  return isCanonical ? verdict : `not canonical, ${verdict}`;
}

for (const mode of modes) {
  for (const source of sources) {
    const title = `${source}, ${mode}-bit`;
    if (source === "table") {
      const texts = thinned([...tableTexts(mode)]);
      if (directions.includes("assemble")) reportAssembling(texts, mode, `${title}: assembled`);
      continue;
    }
    const instructions = thinned(source === "binaries" ? binaryBytes(mode) : [...sweeps[source](mode)]);
    if (directions.includes("decode")) reportDecoding(instructions, mode, `${title}: decoded`);
    if (!directions.includes("assemble")) continue;
    const texts = new Set();
    for (const result of disassemble(instructions, mode)) if (result !== undefined) texts.add(result.text);
    reportAssembling([...texts], mode, `${title}: assembled`);
  }
}
