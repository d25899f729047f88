/**
 * Writes testdata/vectors/<family>.<bits>.txt and testdata/vector-entry/<family>.<bits>.txt: for every form of the table
 * in every mode, each operand in its awkward shapes, with the bytes that GNU as gives. What GNU as refuses is left out;
 * `--refused` lists it.
 *
 *   node scripts/make-vectors.mjs [family …]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { families } from "../dist/instructions/index.js";
import { parseRows, vectorFamilies } from "../dist/table.js";
import { startTurns, textsOf } from "./conformance/shapes.mjs";

const testdata = join(dirname(fileURLToPath(import.meta.url)), "../testdata");
const modes = { 16: 1, 32: 2, 64: 4 };
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const showRefused = process.argv.includes("--refused");

/** GNU as reads `jmpw 0x10`, which objdump prints for a relative jump, as one through memory. */
function spelledForAs(line, bits) {
  const [, mnemonic, suffix, target] = /^(jmp|call)([wd]) ([.+]*0x[0-9a-f]+)$/.exec(line) ?? [];
  if (mnemonic === undefined) return line;
  const isOwn = suffix === (bits === 16 ? "w" : "d");
  return `${isOwn ? "" : bits === 16 ? "data32 " : "data16 "}${mnemonic} ${target}`;
}

/** Bytes by instruction as GNU as gives them; refused ones are absent. */
function assemble(texts, bits) {
  const folder = mkdtempSync(join(tmpdir(), "vectors-"));
  const path = (name) => join(folder, name);
  const machine = bits === 64 ? ["--64", "elf_x86_64"] : ["--32", "elf_i386"];
  let left = texts;
  const run = () => {
    const lines = left.map((line, i) => `s${i}: ${spelledForAs(line, bits)}`);
    writeFileSync(path("in.s"), `.intel_syntax noprefix\n.code${bits}\n${lines.join("\n")}\nsend:\n`);
    return spawnSync("as", ["-W", machine[0], "-o", path("out.o"), path("in.s")], { encoding: "utf8" });
  };
  let result = run();
  if (result.status !== 0) {
    const bad = new Set(
      [...result.stderr.matchAll(/in\.s:(\d+): Error/g)].map((match) => Number(match[1]) - 3),
    );
    if (showRefused) for (const i of bad) process.stdout.write(`refused in ${bits}-bit mode: ${left[i]}\n`);
    left = left.filter((_, i) => !bad.has(i));
    if (left.length === 0) return [];
    result = run();
    if (result.status !== 0) throw new Error(result.stderr);
  }
  // Linking at 0 resolves branches to absolute addresses.
  spawnSync("ld", [
    "-m",
    machine[1],
    "-Ttext=0",
    "-e",
    "0",
    "--oformat=binary",
    "-o",
    path("out.bin"),
    path("out.o"),
  ]);
  const bytes = readFileSync(path("out.bin"));
  const symbols = spawnSync("nm", [path("out.o")], { encoding: "utf8" }).stdout;
  const offsets = new Map(
    [...symbols.matchAll(/^([0-9a-f]+) t s(\w+)$/gm)].map((m) => [m[2], Number.parseInt(m[1], 16)]),
  );
  rmSync(folder, { recursive: true });
  return left.map((line, i) => {
    const start = offsets.get(String(i));
    const end = offsets.get(String(i + 1)) ?? offsets.get("end");
    return { line, start, bytes: bytes.subarray(start, end) };
  });
}

/** Every `step`-th form: outside 64-bit mode vector forms differ in little but their addresses. */
const VECTOR_STEP = { 16: 8, 32: 2, 64: 1 };

for (const [folder, all] of [
  ["vectors", families],
  ["vector-entry", vectorFamilies],
]) {
  mkdirSync(join(testdata, folder), { recursive: true });
  for (const [family, rows] of Object.entries(all)) {
    if (wanted.length > 0 && !wanted.includes(family)) continue;
    for (const bits of [16, 32, 64]) writeVectors(folder, family, rows, bits);
  }
}

function writeVectors(folder, family, rows, bits) {
  // Each file begins its turns anew, so that one that is written alone comes out the same.
  startTurns();
  const step = folder === "vectors" ? 1 : VECTOR_STEP[bits];
  const forms = parseRows(rows).filter((form, i) => form.modes & modes[bits] && i % step === 0);
  const texts = [...new Set(forms.flatMap((form) => textsOf(form, bits)))];
  if (texts.length === 0) return;
  const relative = texts.filter((line) => /^(j\w+|call[wd]?|loop\w*|xbegin) [.+]*0x[0-9a-f]+$/.test(line));
  const vectors = assemble(
    texts.filter((line) => !relative.includes(line)),
    bits,
  );
  // A branch's bytes depend on where it stands: each is assembled at 0.
  for (const line of relative) vectors.push(...assemble([line], bits));
  const lines = vectors.map(
    ({ line, bytes }) => `${[...bytes].map((b) => b.toString(16).padStart(2, "0")).join(" ")} | ${line}`,
  );
  if (lines.length === 0) return;
  const head = `# ${family}, ${bits}-bit mode: bytes | instruction, each assembled at address 0.
# Origin: GNU as 2.40 (.intel_syntax noprefix), linked at 0 by GNU ld. Recipe: node scripts/make-vectors.mjs ${family}
`;
  writeFileSync(join(testdata, folder, `${family}.${bits}.txt`), `${head}${lines.join("\n")}\n`);
  process.stdout.write(`${family}.${bits}: ${lines.length}\n`);
}
