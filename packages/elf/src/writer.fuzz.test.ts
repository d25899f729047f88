/** Random models are written and read back, or refused with an ElfError; nothing else happens. */
import test from "ava";
import { PT } from "./constants.js";
import { ElfError } from "./errors.js";
import { randomFrom, readAll } from "./fuzz.test.helper.js";
import { readLayout } from "./layout.js";
import { planLoad } from "./loader.js";
import type { ElfModel, Integer, SegmentModel, SymbolModel } from "./model.js";
import { readElf } from "./reader.js";
import { writeElf } from "./writer.js";

const CASES = 3000;

/** What no file of the writer's may be. */
const DAMAGED = new Set([
  "ERR_ELF_TRUNCATED",
  "ERR_ELF_STRING",
  "ERR_ELF_INDEX",
  "ERR_ELF_ENTRY_SIZE",
  "ERR_ELF_COUNT",
]);

type Random = ReturnType<typeof randomFrom>;

const pick = <T>(random: Random, values: readonly T[]): T => values[random(values.length)]!;

function integer(random: Random): Integer {
  const plain = [0, 1, 4096, 0x401000, 0x402000n, 0xffffffff80000000n, random(1 << 20)];
  const odd = [-1, -1n, 0.5, Number.NaN, Infinity, 2 ** 53, 2n ** 32n, 2n ** 64n - 1n, 2n ** 64n];
  return pick(random, random(8) === 0 ? odd : plain);
}

const name = (random: Random): string =>
  pick(random, [".text", ".data", "a", "", "größe", ".note.x", "_start"]);
const bytes = (random: Random): Uint8Array => new Uint8Array(random(64)).fill(random(256));
const list = <T>(random: Random, make: (random: Random) => T): T[] =>
  Array.from({ length: random(4) }, () => make(random));
const maybe = <T>(random: Random, make: (random: Random) => T): T | undefined =>
  random(3) === 0 ? make(random) : undefined;
const align = (random: Random): Integer => pick(random, [1, 2, 16, 4096, 4096n, 3, 0]);

function symbol(random: Random): SymbolModel {
  return {
    name: name(random),
    value: integer(random),
    sizeBytes: maybe(random, integer) ?? 0,
    type: pick(random, ["func", "object", "STT_NOTYPE", "notype", 10, 16] as const),
    binding: pick(random, ["local", "global", "STB_WEAK", 10] as const),
    section: pick(random, [undefined, null, ".text", "*ABS*", "*UND*", "a"]),
  };
}

function segment(random: Random): SegmentModel {
  const memSizeBytes = maybe(random, integer);
  return {
    vaddr: integer(random),
    bytes: bytes(random),
    flags: random(8),
    align: align(random),
    ...(memSizeBytes === undefined ? {} : { memSizeBytes }),
    ...(random(4) === 0 ? { type: PT.PT_NOTE } : {}),
  };
}

function section(random: Random) {
  const sizeBytes = maybe(random, integer);
  return {
    name: name(random),
    bytes: bytes(random),
    align: align(random),
    flags: pick(random, [0, 2, 3, 6, { alloc: true, write: true, execute: false, nobits: true }]),
    relocations: list(random, (r) => ({
      offset: integer(r),
      type: pick(r, ["R_X86_64_PC32", "R_386_32", 1, 300]),
      symbol: name(r),
      addend: integer(r),
    })),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

function model(random: Random): ElfModel {
  const base = { is64: random(2) === 0, littleEndian: random(4) > 0, symbols: list(random, symbol) };
  if (random(2) === 0) return { ...base, kind: "object", sections: list(random, section) };
  const segments = list(random, segment);
  return { ...base, kind: "executable", entry: integer(random), segments, sections: list(random, section) };
}

test(`${CASES} random models are written and read back, or refused with ERR_ELF_MODEL`, async (t) => {
  const random = randomFrom(1);
  let written = 0;
  for (let i = 0; i < CASES; i++) {
    const given = model(random);
    let file: Uint8Array;
    try {
      file = writeElf(given);
    } catch (error) {
      if (!(error instanceof ElfError) || error.code !== "ERR_ELF_MODEL")
        return t.fail(`case ${i}: ${error}`);
      continue;
    }
    written++;
    const elf = readElf(file);
    t.deepEqual(writeElf(readLayout(elf)), file, `case ${i}`);
    t.is(
      [...(elf.symbols ?? [])].filter(({ name: found }) => found !== "").length,
      named(given),
      `case ${i}`,
    );
    const codes = await readAll(file, random);
    t.deepEqual(
      codes.filter((code) => DAMAGED.has(code)),
      [],
      `case ${i}`,
    );
    if (given.kind === "executable" && given.is64) expectPlanned(file);
  }
  t.true(written > CASES / 10, `${written} of ${CASES} were written`);
});

function named(given: ElfModel): number {
  return given.kind === "layout" ? 0 : given.symbols!.filter((symbol) => symbol.name !== "").length;
}

/** Segments that the writer accepts share no bytes, so only their addresses can keep them from being loaded. */
function expectPlanned(file: Uint8Array): void {
  try {
    planLoad(readElf(file), { minAddress: 0n, maxAddress: 1n << 64n });
  } catch (error) {
    const allowed = [
      "ERR_ELF_NO_SEGMENT",
      "ERR_ELF_DATA",
      "ERR_ELF_SEGMENT_ALIGN",
      "ERR_ELF_SEGMENT_OVERLAP",
    ];
    if (!(error instanceof ElfError) || !allowed.includes(error.code)) throw error;
  }
}
