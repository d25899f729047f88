import test from "ava";
import { testdata } from "../scripts/testdata.mjs";
import { SHN, SHT, STB, STT, STV } from "./constants.js";
import { ElfError, type ElfErrorCode } from "./errors.js";
import { viewOf } from "./header.js";
import { ALL_ENCODINGS, rawElf } from "./raw.test.helper.js";
import { readElf } from "./reader.js";
import { encodeStruct, layoutOf, type SHDR, type StructValue, SYM } from "./structs.js";

test("the symbols of a program, by name", (t) => {
  const table = readElf(testdata("program")).symbols!;
  const byName = new Map([...table].map((symbol) => [symbol.name, symbol]));
  t.like(byName.get("_start"), {
    st_value: 0x401000n,
    st_size: 37n,
    type: STT.STT_FUNC,
    binding: STB.STB_GLOBAL,
  });
  t.like(byName.get("length"), { st_value: 6n, st_shndx: SHN.SHN_ABS, binding: STB.STB_LOCAL });
  t.like(byName.get("buffer"), { st_size: 20000n, type: STT.STT_OBJECT });
});

test("a stripped file has no linker symbols but dynamic ones", (t) => {
  const elf = readElf(testdata("libversions.so"));
  t.is(elf.symbols, undefined);
  t.is(elf.dynamicSymbols!.length, 12);
  t.is(readElf(testdata("program")).dynamicSymbols, undefined);
});

const ONE = {
  st_name: 1,
  st_info: (STB.STB_WEAK << 4) | STT.STT_TLS,
  st_other: 0x80 | STV.STV_HIDDEN,
  st_shndx: SHN.SHN_XINDEX,
  st_value: 0xfedcba98n,
  st_size: 0x76543210n,
};

for (const encoding of ALL_ENCODINGS) {
  const title = `ELF${encoding.is64 ? 64 : 32} ${encoding.littleEndian ? "LSB" : "MSB"}`;
  test(`${title}: every field of a symbol, and its section from SHT_SYMTAB_SHNDX`, (t) => {
    const { sizeBytes } = layoutOf(SYM, encoding);
    const symbols = new Uint8Array(sizeBytes * 2);
    encodeStruct(SYM, encoding, viewOf(symbols), sizeBytes, ONE);
    const indices = new Uint8Array(8);
    viewOf(indices).setUint32(4, 70000, encoding.littleEndian);
    const elf = readElf(
      rawElf({
        encoding,
        sections: [
          {},
          {
            sh_type: SHT.SHT_SYMTAB,
            sh_offset: 0x800n,
            sh_size: BigInt(symbols.length),
            sh_entsize: BigInt(sizeBytes),
            sh_link: 2,
          },
          { sh_type: SHT.SHT_STRTAB, sh_offset: 0x900n, sh_size: 4n },
          { sh_type: SHT.SHT_SYMTAB_SHNDX, sh_offset: 0xa00n, sh_size: 8n, sh_link: 1 },
        ],
        contents: [
          [0x800, symbols],
          [0x900, new TextEncoder().encode("\0ab\0")],
          [0xa00, indices],
        ],
      }),
    );
    const table = elf.symbols!;
    t.deepEqual(table.get(1), {
      index: 1,
      name: "ab",
      st_value: 0xfedcba98n,
      st_size: 0x76543210n,
      type: STT.STT_TLS,
      binding: STB.STB_WEAK,
      visibility: STV.STV_HIDDEN,
      st_other: 0x82,
      st_shndx: SHN.SHN_XINDEX,
    });
    t.is(table.sectionIndex(1), 70000);
    t.is(table.sectionIndex(0), SHN.SHN_UNDEF);
  });
}

const SYMTAB = { sh_type: SHT.SHT_SYMTAB, sh_offset: 0x800n, sh_size: 48n, sh_entsize: 24n, sh_link: 2 };
const STRTAB = { sh_type: SHT.SHT_STRTAB, sh_offset: 0x900n, sh_size: 1n };
type Section = Partial<StructValue<typeof SHDR>>;

/** Title, symbol table, string table, code, field. */
const refused: readonly [string, Section, Section, ElfErrorCode, string][] = [
  ["an entry size of 0", { ...SYMTAB, sh_entsize: 0n }, STRTAB, "ERR_ELF_ENTRY_SIZE", "sh_entsize"],
  ["a table behind the end", { ...SYMTAB, sh_size: 1n << 40n }, STRTAB, "ERR_ELF_TRUNCATED", "sh_size"],
  ["names in no section", { ...SYMTAB, sh_link: 3 }, STRTAB, "ERR_ELF_INDEX", "sh_link"],
  ["names in the table itself", { ...SYMTAB, sh_link: 1 }, STRTAB, "ERR_ELF_SECTION_TYPE", "sh_type"],
  ["a string table of 4 GiB", SYMTAB, { ...STRTAB, sh_size: 1n << 32n }, "ERR_ELF_TRUNCATED", "sh_size"],
  ["a name outside its table", SYMTAB, STRTAB, "ERR_ELF_STRING", "name"],
];

for (const [title, symtab, strtab, code, field] of refused) {
  test(`symbols with ${title}: ${code}`, (t) => {
    const contents = [[0x800, new Uint8Array(48).fill(5, 24)]] as const;
    const elf = readElf(rawElf({ sections: [{}, symtab, strtab], contents, sizeBytes: 0x1000 }));
    const error = t.throws(() => [...elf.symbols!], { instanceOf: ElfError });
    t.deepEqual([error?.code, error?.field], [code, field]);
  });
}

test("a symbol outside the table: ERR_ELF_INDEX; no index wraps", (t) => {
  const table = readElf(testdata("program")).symbols!;
  for (const index of [-1, table.length, Number.NaN, 2 ** 32]) {
    t.throws(() => table.value(index), { instanceOf: ElfError, code: "ERR_ELF_INDEX" });
  }
});
