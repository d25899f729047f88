/**
 * Random valid instructions there and back: our bytes, printed by objdump and by our decoder, assemble again to the same
 * bytes, and GNU as makes the same bytes of all the texts. For tests, and for scripts/round-trip.mjs.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AsmError } from "./errors.js";
import { type Entry, randomInstructions } from "./random-instructions.test.support.js";
import { Decoder, format } from "./vector/decoder.js";
import { assembleFlat } from "./vector/index.js";

type Bits = 16 | 32 | 64;

const MACHINES: Readonly<Record<Bits, string>> = { 16: "i8086", 32: "i386", 64: "i386:x86-64" };
/** Bytes for each instruction: NOPs behind it, in which objdump finds its step again. */
const SLOT = 32;
/** Stands behind GNU as's instruction; the rest of the slot is zeros. */
const END = 0xa5;
/** What objdump prints is no instruction that could come back: with the reason. */
const UNFAITHFUL: readonly RegExp[] = [
  // Registers of a gather that must differ do not: the processor raises #UD (SDM Vol. 2C, "VGATHERDPS").
  /\(bad\)/,
  // Outside 64-bit mode, where they do not exist, with registers of the operand size.
  /^(rd|wr)[fg]sbase \w\w$/,
  // GNU as writes a 66 in 16-bit mode, in which objdump sees no use.
  /^data32 encodekey/,
  // PREFETCHIT0 and PREFETCHIT1 without a RIP-relative address.
  /^nop +[DQ]WORD PTR /,
];
/** GNU as also writes instructions that are longer than a processor takes. */
const MAX_LENGTH = 15;

export interface RoundTrip {
  /** Instructions that GNU as takes. */
  readonly count: number;
  /** What did not come back, one line each. */
  readonly wrong: readonly string[];
}

/** Takes `count` random instructions of an entry there and back. Needs Debian's binutils. */
export function roundTrip(count: number, bits: Bits, seed: number, entry: Entry): RoundTrip {
  const folder = mkdtempSync(join(tmpdir(), "x86-asm-"));
  try {
    // FWAIT becomes part of an x87 instruction that happens to follow.
    const lines = randomInstructions(count, bits, seed, entry).filter((line) => !/^f?wait$/.test(line));
    const theirs = assembleWithGnu(lines, bits, folder);
    const isTaken = (_: unknown, i: number) => (theirs[i]?.length ?? MAX_LENGTH + 1) <= MAX_LENGTH;
    const taken = lines.filter(isTaken);
    const bytes = theirs.filter(isTaken) as Buffer[];
    return { count: taken.length, wrong: compare(taken, bytes, disassemble(bytes, bits, folder), bits) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** GNU as's bytes for each line; `undefined` for those that it refuses. */
function assembleWithGnu(lines: readonly string[], bits: Bits, folder: string): (Buffer | undefined)[] {
  const [source, object, image] = ["in.s", "out.o", "out.bin"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const attempt = (refused: ReadonlySet<number>) => {
    const body = lines.map((line, i) => `${refused.has(i) ? "nop" : line}; .byte ${END}; .balign ${SLOT}, 0`);
    writeFileSync(source, `.intel_syntax noprefix\n.code${bits}\n${body.join("\n")}\n`);
    const { stderr } = spawnSync("as", ["-W", "-mindex-reg", "-o", object, source], { encoding: "utf8" });
    return new Set([...refused, ...[...stderr.matchAll(/in\.s:(\d+): Error/g)].map((m) => Number(m[1]) - 3)]);
  };
  let refused = attempt(new Set());
  for (let before = 0; refused.size > before; ) {
    before = refused.size;
    refused = attempt(refused);
  }
  spawnSync("objcopy", ["-O", "binary", "-j", ".text", object, image]);
  const bytes = readFileSync(image);
  return lines.map((_, i) => {
    if (refused.has(i)) return undefined;
    let end = (i + 1) * SLOT;
    while (bytes[end - 1] !== END) end--;
    return bytes.subarray(i * SLOT, end - 1);
  });
}

/** What objdump prints for each instruction. */
function disassemble(instructions: readonly Uint8Array[], bits: Bits, folder: string): string[] {
  const image = Buffer.alloc(instructions.length * SLOT, 0x90);
  for (const [i, bytes] of instructions.entries()) image.set(bytes, i * SLOT);
  const path = join(folder, "image");
  writeFileSync(path, image);
  const { stdout } = spawnSync(
    "objdump",
    ["-D", "-w", "-z", "-b", "binary", "-m", MACHINES[bits], "-M", "intel", path],
    { encoding: "utf8", maxBuffer: 2 ** 30 },
  );
  const texts: string[] = [];
  for (const [, at, text] of stdout.matchAll(/^\s*([0-9a-f]+):\t[0-9a-f ]+\t(.*)$/gm)) {
    const offset = Number.parseInt(at!, 16);
    if (offset % SLOT === 0)
      texts[offset / SLOT] = text!.replace(/\s+#.*$/, "").replace(/\((8087|287) only\)/, "");
  }
  return texts;
}

function compare(
  lines: readonly string[],
  theirs: readonly Buffer[],
  printed: readonly string[],
  bits: Bits,
): string[] {
  const decoder = new Decoder();
  const wrong: string[] = [];
  for (const [i, line] of lines.entries()) {
    const expected = theirs[i]!.toString("hex");
    const own = assemble(line, bits, "gas");
    if (own !== expected) {
      wrong.push(`${line}: ${own}; GNU as ${expected}`);
      continue;
    }
    const instruction = decoder.decode(theirs[i]!, { bits });
    if (instruction?.length !== theirs[i]!.length) {
      wrong.push(`${line}: ${expected} decodes to ${instruction?.length ?? 0} bytes`);
      continue;
    }
    const texts: readonly (readonly [text: string, dialect: "gas" | "nasm"])[] = [
      ...(UNFAITHFUL.some((pattern) => pattern.test(printed[i]!)) ? [] : [[printed[i]!, "gas"] as const]),
      [format(instruction), "gas"],
      [format(instruction, { dialect: "nasm" }), "nasm"],
    ];
    for (const [text, dialect] of texts) {
      const again = assemble(text, bits, dialect);
      if (again !== expected && !isOtherEncoding(expected, again, bits, decoder))
        wrong.push(`${line}: ${expected}; ${text} (${dialect}): ${again}`);
    }
  }
  return wrong;
}

/** Whether other bytes are the same instruction all the same: a text does not say which of two encodings it had. */
function isOtherEncoding(expected: string, again: string, bits: Bits, decoder: Decoder): boolean {
  const [first, second] = [expected, again].map((hex) => {
    const instruction = decoder.decode(Buffer.from(hex, "hex"), { bits });
    return instruction && format(instruction);
  });
  return first !== undefined && first.replace(/\+0x0\]/, "]") === second?.replace(/\+0x0\]/, "]");
}

/** Bytes in hexadecimal, or the complaint. */
function assemble(line: string, bits: Bits, dialect: "gas" | "nasm"): string {
  try {
    return Buffer.from(assembleFlat(line, { bits, dialect })).toString("hex");
  } catch (error) {
    if (error instanceof AsmError) return error.errors[0]!.message;
    throw error;
  }
}
