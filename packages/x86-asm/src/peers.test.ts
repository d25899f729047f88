/** Our bytes beside those of GNU as, and our text beside objdump's, for random programs of the whole table. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import type { ExecutionContext } from "ava";
import { assembleFlat } from "./assemble.js";
import { Decoder, format } from "./decoder/index.js";
import { AsmError } from "./errors.js";
import { randomInstructions } from "./random-instructions.test.support.js";
import { randomProgram } from "./random-programs.test.support.js";

const TOOLS = { as: "binutils", objcopy: "binutils", objdump: "binutils" };
const COUNT = 1500;

function run(
  command: string,
  ...parameters: string[]
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(command, parameters, { encoding: "utf8", maxBuffer: 2 ** 28 });
}

/** Calls `body` with a folder that goes away again. */
function inFolder<T>(body: (path: (name: string) => string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "x86-asm-"));
  try {
    return body((name) => join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The instructions that GNU as takes, and the bytes of all of them, linked at 0. */
function assembleWithGnu(lines: readonly string[], bits: number): { taken: string[]; bytes: Uint8Array } {
  return inFolder((path) => {
    const attempt = (source: readonly string[]) => {
      writeFileSync(path("in.s"), `.intel_syntax noprefix\n.code${bits}\n${source.join("\n")}\n`);
      return run("as", "-W", "-o", path("out.o"), path("in.s"));
    };
    const first = attempt(lines);
    const refused = new Set(
      [...first.stderr.matchAll(/in\.s:(\d+): Error/g)].map((match) => Number(match[1]) - 3),
    );
    const taken = lines.filter((_, i) => !refused.has(i));
    if (refused.size > 0) attempt(taken);
    run("objcopy", "-O", "binary", "-j", ".text", path("out.o"), path("out.bin"));
    return { taken, bytes: readFileSync(path("out.bin")) };
  });
}

/** The lines whose bytes differ from GNU as's: found by halving, because one difference shifts all behind it. */
function differences(lines: readonly string[], bits: 16 | 32 | 64): string[] {
  if (lines.length === 0) return [];
  const { taken, bytes } = assembleWithGnu(lines, bits);
  const own = assembleOwn(taken, bits);
  if (own !== undefined && Buffer.from(bytes).equals(own)) return [];
  if (taken.length === 1) {
    return [
      `${taken[0]}: GNU as ${Buffer.from(bytes).toString("hex")}, own ${own?.toString("hex") ?? "refused"}`,
    ];
  }
  const middle = taken.length >> 1;
  return [...differences(taken.slice(0, middle), bits), ...differences(taken.slice(middle), bits)];
}

function assembleOwn(lines: readonly string[], bits: 16 | 32 | 64): Buffer | undefined {
  try {
    return Buffer.from(assembleFlat(lines.join("\n"), { bits }));
  } catch (error) {
    if (error instanceof AsmError) return undefined;
    throw error;
  }
}

for (const bits of [16, 32, 64] as const) {
  toolTest(`${COUNT} random instructions in ${bits}-bit mode are GNU as's, byte for byte`, TOOLS, (t) => {
    t.deepEqual(differences(randomInstructions(COUNT, bits, bits), bits), []);
  });

  toolTest(`${COUNT} random instructions in ${bits}-bit mode decode as objdump prints them`, TOOLS, (t) => {
    compareWithObjdump(t, bits);
  });
}

toolTest("whole programs of branches, alignments and data are GNU as's, byte for byte", TOOLS, (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const bits = ([16, 32, 64] as const)[seed % 3]!;
    const source = randomProgram(bits, seed);
    const { taken, bytes } = assembleWithGnu(source.trimEnd().split("\n").slice(2), bits);
    t.deepEqual(Buffer.from(assembleFlat(taken.join("\n"), { bits })).equals(bytes), true, `seed ${seed}`);
  }
});

/** What objdump adds to its text: addresses as a comment, and what an obsolete instruction is for. */
const ADDED: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/\s+#.*$/, ""],
  [/\s+/g, " "],
  [/\((8087|287) only\)/, ""],
];

function compareWithObjdump(t: ExecutionContext, bits: 16 | 32 | 64): void {
  const lines = assembleWithGnu(randomInstructions(COUNT, bits, bits + 1), bits).taken;
  const bytes = assembleOwn(lines, bits);
  if (bytes === undefined) {
    t.fail("some are refused");
    return;
  }
  const machine = bits === 64 ? "i386:x86-64" : bits === 32 ? "i386" : "i8086";
  const printed = inFolder((path) => {
    writeFileSync(path("in.bin"), bytes);
    return run("objdump", "-D", "-w", "-b", "binary", "-m", machine, "-M", "intel", path("in.bin")).stdout;
  });
  const decoder = new Decoder();
  const wrong: string[] = [];
  for (const [, offset, hex, text] of printed.matchAll(/^\s*([0-9a-f]+):\t([0-9a-f ]+)\t(.*)$/gm)) {
    const address = Number.parseInt(offset!, 16);
    const instruction = decoder.decode(bytes, { bits, offset: address, address });
    const own = instruction === undefined ? "(bad)" : `${format(instruction)} (${instruction.length})`;
    // objdump counts an FWAIT to the x87 instruction that happens to follow.
    if (instruction?.mnemonic === "fwait") continue;
    const theirs = ADDED.reduce((line, [pattern, to]) => line.replace(pattern, to), text!).trim();
    const expected = `${theirs} (${hex!.trim().split(" ").length})`;
    if (own !== expected && !isKnown(theirs)) wrong.push(`${hex!.trim()}: ${own}; objdump ${expected}`);
  }
  t.deepEqual(wrong, []);
}

/**
 * Where our text is another than objdump's, with the reason. All of it assembles to the same bytes.
 */
const OTHERWISE: readonly RegExp[] = [
  // One row serves all modes; objdump appends the d in 64-bit mode only.
  /^(data32 )?sys(ret|exit)$/,
  // They exist in 64-bit mode only (SDM Vol. 2B, "RDFSBASE"); GNU as takes them elsewhere, with 32-bit registers.
  /^(rd|wr)[fg]sbase \w\w$/,
  // PREFETCHIT0 and PREFETCHIT1 do something with RIP-relative memory only (SDM Vol. 2B, "PREFETCHh"): else objdump has NOP.
  /^(cs |[d-gs]s )?nop [DQ]?WORD PTR /,
  // In 16-bit mode GNU as writes a 66 before them, as before all that has 32-bit operands; objdump sees no use in it.
  /^data32 encodekey/,
  // The selector has two bits that count, 0 and 4 (SDM Vol. 2B, "PCLMULQDQ"); objdump also has names for 2 and 3.
  /^pclmul[hl]q[hl]qdq /,
];

function isKnown(text: string): boolean {
  return OTHERWISE.some((pattern) => pattern.test(text));
}
