import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { testdata } from "../scripts/testdata.mjs";
import { EM, nameOf, SHF, SHT } from "./constants.js";
import { ElfError } from "./errors.js";
import { viewOf } from "./header.js";
import { ALL_ENCODINGS, ELF64LSB, rawElf } from "./raw.test.helper.js";
import { readElf } from "./reader.js";
import { relocationTypeNumber, relocationTypes } from "./relocation-types.js";
import { relrOffsets } from "./relocations.js";
import { encodeStruct, layoutOf, REL, RELA } from "./structs.js";
import { writeElf } from "./writer.js";

function relocationsOf(name: string) {
  return readElf(testdata(name)).relocationTables.flatMap((table) =>
    Array.from(table, ({ r_offset, typeName, symbol, r_addend }) => [
      r_offset,
      typeName,
      table.symbols!.name(symbol),
      r_addend,
    ]),
  );
}

test("i386 (ELF32, SHT_REL): names of the psABI, no addends", (t) => {
  t.deepEqual(relocationsOf("relocations.i386.o").slice(0, 3), [
    [1n, "R_386_PC32", "elsewhere", undefined],
    [6n, "R_386_32", "", undefined],
    [13n, "R_386_GOTOFF", "here16", undefined],
  ]);
});

test("x32 (ELF32 with EM_X86_64): r_info is Elf32's", (t) => {
  t.deepEqual(relocationsOf("relocations.x32.o")[0], [3n, "R_X86_64_PC32", "", -4n]);
});

for (const [file, expected] of [
  ["relocations.aarch64.o", ["R_AARCH64_CALL26", "R_AARCH64_ADR_PREL_PG_HI21", "R_AARCH64_ADD_ABS_LO12_NC"]],
  ["relocations.armv7.o", ["R_ARM_CALL", "R_ARM_MOVW_ABS_NC", "R_ARM_MOVT_ABS"]],
  ["relocations.riscv64.o", ["R_RISCV_CALL", "R_RISCV_HI20", "R_RISCV_LO12_I"]],
  ["relocations.ppc64.o", ["R_PPC64_REL24", "R_PPC64_ADDR16_HA", "R_PPC64_ADDR64"]],
  ["relocations.mips.o", ["R_MIPS_26", "R_MIPS_HI16", "R_MIPS_32"]],
] as const) {
  test(`${file}: names per machine`, (t) => {
    t.deepEqual(
      relocationsOf(file)
        .slice(0, 3)
        .map(([, name]) => name),
      [...expected],
    );
  });
}

test("big-endian ELF64: offset, symbol and addend", (t) => {
  t.deepEqual(relocationsOf("relocations.ppc64.o").at(-1), [8n, "R_PPC64_ADDR64", "elsewhere", 4n]);
});

for (const encoding of ALL_ENCODINGS) {
  for (const [definition, sh_type] of [
    [REL, SHT.SHT_REL],
    [RELA, SHT.SHT_RELA],
  ] as const) {
    const title = `ELF${encoding.is64 ? 64 : 32} ${encoding.littleEndian ? "LSB" : "MSB"} ${nameOf(SHT, sh_type)}`;
    test(`${title}: type, symbol and a negative addend`, (t) => {
      const { sizeBytes } = layoutOf(definition, encoding);
      const row = new Uint8Array(sizeBytes);
      const r_info = encoding.is64 ? (0x12345n << 32n) | 0x678n : (0x12345n << 8n) | 0x78n;
      encodeStruct(RELA, encoding, viewOf(new Uint8Array(24)), 0, { r_offset: 0n, r_info, r_addend: 0n });
      encodeStruct(definition as typeof RELA, encoding, viewOf(row), 0, {
        r_offset: 0xdeadbeefn,
        r_info,
        r_addend: -2n,
      });
      const section = {
        sh_type,
        sh_offset: 0x800n,
        sh_size: BigInt(sizeBytes),
        sh_entsize: BigInt(sizeBytes),
      };
      const [table] = readElf(
        rawElf({ encoding, sections: [{}, section], contents: [[0x800, row]] }),
      ).relocationTables;
      t.like(table!.get(0), { r_offset: 0xdeadbeefn, symbol: 0x12345, type: encoding.is64 ? 0x678 : 0x78 });
      t.is(table!.get(0).r_addend, sh_type === SHT.SHT_RELA ? -2n : undefined);
      t.is(table!.info(0), r_info);
      t.is(table!.symbols, undefined);
    });
  }
}

test("a relocation outside the table: ERR_ELF_INDEX", (t) => {
  const [table] = readElf(testdata("libversions.so")).relocationTables;
  t.throws(() => table!.get(4), { instanceOf: ElfError, code: "ERR_ELF_INDEX" });
});

function relr(...words: bigint[]): bigint[] {
  const bytes = new Uint8Array(words.length * 8);
  words.forEach((word, i) => {
    viewOf(bytes).setBigUint64(i * 8, word, true);
  });
  const section = { sh_type: SHT.SHT_RELR, sh_offset: 0x800n, sh_size: BigInt(bytes.length) };
  const elf = readElf(rawElf({ encoding: ELF64LSB, sections: [{}, section], contents: [[0x800, bytes]] }));
  return [...relrOffsets(elf, elf.sections[1]!)];
}

test("SHT_RELR: an even word is an address, an odd one a bit for each of the 63 words behind it", (t) => {
  t.deepEqual(relr(0x1000n), [0x1000n]);
  t.deepEqual(relr(0x1000n, 0b1011n), [0x1000n, 0x1008n, 0x1018n]);
  t.deepEqual(relr(0x1000n, 1n, 3n), [0x1000n, 0x1008n + 63n * 8n]);
  t.deepEqual(relr(0x1000n, (1n << 63n) | 1n, 0x2000n), [0x1000n, 0x1008n + 62n * 8n, 0x2000n]);
});

test("SHT_RELR: addresses wrap with the class, and the table is read to its last whole word", (t) => {
  t.deepEqual(relr(2n ** 64n - 8n, 3n), [2n ** 64n - 8n, 0n]);
});

test("SHT_RELR of a static-pie program", (t) => {
  const elf = readElf(testdata("program-pie"));
  t.deepEqual([...relrOffsets(elf, elf.section(".relr.dyn")!)], [0x2008n, 0x2010n, 0x2020n]);
});

test("names and numbers of relocation types are each other's inverse; unknown ones are undefined", (t) => {
  for (const machine of Object.values(EM)) {
    for (const [number, name] of relocationTypes(machine)) t.is(relocationTypeNumber(machine, name), number);
  }
  t.is(relocationTypeNumber(EM.EM_X86_64, "R_386_32"), undefined);
  t.is(relocationTypes(EM.EM_X86_64).get(99), undefined);
  t.is(relocationTypes(12345).size, 0);
});

/** Types that binutils 2.40 does not know yet: APX of the x86-64 psABI. */
const NEWER = /CODE_4_/;

for (const machine of [
  EM.EM_X86_64,
  EM.EM_386,
  EM.EM_AARCH64,
  EM.EM_ARM,
  EM.EM_RISCV,
  EM.EM_PPC64,
  EM.EM_MIPS,
]) {
  toolTest(
    `${nameOf(EM, machine)}: readelf has the same name for every relocation type`,
    { readelf: "binutils" },
    (t) => {
      const is64 = machine !== EM.EM_386 && machine !== EM.EM_ARM && machine !== EM.EM_MIPS;
      const types = [...relocationTypes(machine)].filter(([, name]) => !NEWER.test(name));
      const relocations = types.map(([type], i) => ({ offset: i * 8, type, symbol: "" }));
      const section = {
        name: ".text",
        bytes: new Uint8Array(types.length * 8),
        flags: SHF.SHF_ALLOC,
        relocations,
      };
      const folder = mkdtempSync(join(tmpdir(), "kvmkit-elf-"));
      try {
        const path = join(folder, "types.o");
        writeFileSync(path, writeElf({ kind: "object", machine, is64, sections: [section] }));
        const { stdout } = spawnSync("readelf", ["-rW", path], { encoding: "utf8" });
        t.deepEqual(
          stdout.match(/R_[A-Z0-9]+_\w+/g),
          types.map(([, name]) => name),
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
}
