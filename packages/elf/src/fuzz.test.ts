/** Damaged files give an ElfError or a result, never anything else. `scripts/fuzz.mjs` goes on from here. */
import test from "ava";
import { testdata, testdataBinaries } from "../scripts/testdata.mjs";
import { PF, SHT } from "./constants.js";
import { damage, randomFrom, readAll } from "./fuzz.test.helper.js";
import { viewOf } from "./header.js";
import { ALL_ENCODINGS } from "./raw.test.helper.js";
import { readElf } from "./reader.js";
import { SHDR } from "./structs.js";
import { writeElf } from "./writer.js";

const CASES_PER_FILE = 400;

async function codesOf(original: Uint8Array, seed: number): Promise<Set<string>> {
  const random = randomFrom(seed);
  const codes = new Set<string>();
  for (let i = 0; i < CASES_PER_FILE; i++) {
    for (const code of await readAll(damage(original, random), random)) codes.add(code);
  }
  return codes;
}

for (const [i, name] of testdataBinaries().entries()) {
  test(`testdata/${name}, damaged ${CASES_PER_FILE} times, gives ElfErrors only`, async (t) => {
    const codes = await codesOf(testdata(name), i + 1);
    t.true(codes.has("ERR_ELF_TRUNCATED"));
    t.true(codes.size >= 7, [...codes].join(" "));
  });
}

for (const { is64, littleEndian } of ALL_ENCODINGS) {
  test(`a written ELF${is64 ? 64 : 32} ${littleEndian ? "LSB" : "MSB"} file, damaged, gives ElfErrors only`, async (t) => {
    const segments = [
      { vaddr: 0x401000n, bytes: new Uint8Array(64), memSizeBytes: 0x2000, flags: PF.PF_R | PF.PF_X },
    ];
    const symbols = [{ name: "_start", value: 0x401000n, sizeBytes: 8 }];
    const file = writeElf({ kind: "executable", is64, littleEndian, entry: 0x401000n, segments, symbols });
    t.true((await codesOf(file, 99)).size >= 5);
  });
}

test("every prefix of a file gives ElfErrors only", async (t) => {
  const whole = testdata("user");
  for (let length = 0; length < whole.length; length += 7) {
    await t.notThrowsAsync(readAll(whole.subarray(0, length), randomFrom(length)));
  }
});

for (const name of ["libversions.so", "user", "program-pie"]) {
  test(`testdata/${name}: sections of any type that claim 2^62 bytes give ElfErrors only`, async (t) => {
    const whole = testdata(name);
    for (const { headerOffset, sh_type } of readElf(whole).sections) {
      for (const type of [sh_type, ...Object.values(SHT)]) {
        const bytes = whole.slice();
        viewOf(bytes).setUint32(headerOffset + SHDR.elf64.offsets["sh_type"]!, type, true);
        viewOf(bytes).setBigUint64(headerOffset + SHDR.elf64.offsets["sh_size"]!, 1n << 62n, true);
        await t.notThrowsAsync(readAll(bytes, randomFrom(type)));
      }
    }
  });
}

test("sections that link to themselves and to each other end", async (t) => {
  const whole = testdata("libversions.so");
  const { sections } = readElf(whole);
  for (const { headerOffset, index } of sections) {
    for (const link of [index, (index + 1) % sections.length, 0]) {
      const bytes = whole.slice();
      bytes.set([link], headerOffset + 40);
      await t.notThrowsAsync(readAll(bytes, randomFrom(index)));
    }
  }
});
