import test from "ava";
import { testdata } from "../scripts/testdata.mjs";
import { EI_NIDENT, ET, PN_XNUM, PT, SHN, SHT } from "./constants.js";
import { ElfError, type ElfErrorCode } from "./errors.js";
import { ALL_ENCODINGS, ELF64LSB, load, type RawElf, rawElf } from "./raw.test.helper.js";
import { type ElfFile, readElf } from "./reader.js";
import { EHDR, SHDR } from "./structs.js";

const ascii = (text: string) => new TextEncoder().encode(text);

for (const encoding of ALL_ENCODINGS) {
  const title = `ELF${encoding.is64 ? 64 : 32} ${encoding.littleEndian ? "LSB" : "MSB"}`;
  test(`${title}: header, segments and sections read as they were written`, (t) => {
    const elf = readElf(
      rawElf({
        encoding,
        header: { e_type: ET.ET_DYN, e_entry: 0x12345678n, e_shstrndx: 1, e_flags: 0x80000001 },
        segments: [load({ p_vaddr: 0xfffff000n, p_memsz: 5n })],
        sections: [{}, { sh_name: 1, sh_type: SHT.SHT_STRTAB, sh_offset: 0x800n, sh_size: 7n }],
        contents: [[0x800, ascii("\0names\0")]],
      }),
    );
    t.deepEqual(elf.encoding, encoding);
    t.is(elf.header.e_entry, 0x12345678n);
    t.is(elf.header.e_flags, 0x80000001);
    t.is(elf.segments[0]!.p_vaddr, 0xfffff000n);
    t.is(elf.segments[0]!.p_memsz, 5n);
    t.deepEqual(
      elf.sections.map(({ name }) => name),
      ["", "names"],
    );
    t.is(elf.section("names"), elf.sections[1]);
    t.is(elf.section("none"), undefined);
  });
}

test("the caller's bytes are not changed, and may be a view at an odd offset", (t) => {
  const bytes = testdata("libversions.so");
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const elf = readElf(shifted.subarray(1));
  t.deepEqual([...elf.dynamicSymbols!], [...readElf(bytes).dynamicSymbols!]);
  t.deepEqual(shifted.subarray(1), new Uint8Array(bytes));
});

test("counts that do not fit into the header stand in section 0 (gABI, ELF Header)", (t) => {
  const sections = [
    { sh_size: 3n, sh_link: 2, sh_info: 1 },
    {},
    { sh_name: 1, sh_type: SHT.SHT_STRTAB, sh_offset: 0x800n, sh_size: 4n },
  ];
  const header = { e_shnum: 0, e_shstrndx: SHN.SHN_XINDEX, e_phnum: PN_XNUM };
  const elf = readElf(
    rawElf({ header, segments: [load({})], sections, contents: [[0x800, ascii("\0ab\0")]] }),
  );
  t.is(elf.sections.length, 3);
  t.is(elf.sections[2]!.name, "ab");
  t.is(elf.segments.length, 1);
});

test("the first section of a name is the one that section() finds", (t) => {
  const strtab = { sh_name: 0, sh_type: SHT.SHT_STRTAB, sh_offset: 0x800n, sh_size: 1n };
  const elf = readElf(
    rawElf({ header: { e_shstrndx: 1 }, sections: [{}, strtab], contents: [[0x800, ascii("\0")]] }),
  );
  t.is(elf.section(""), elf.sections[0]);
});

test("SHT_NOBITS has no bytes, whatever its size and offset", (t) => {
  const elf = readElf(
    rawElf({ sections: [{}, { sh_type: SHT.SHT_NOBITS, sh_offset: 1n << 60n, sh_size: 1n << 60n }] }),
  );
  t.is(elf.sectionData(elf.sections[1]!).length, 0);
});

test("the interpreter of a program is its PT_INTERP, to the first NUL", (t) => {
  const segments = [load({ p_type: PT.PT_INTERP, p_offset: 0x500n, p_filesz: 8n })];
  t.is(readElf(rawElf({ segments, contents: [[0x500, ascii("/ld\0xyz\0")]] })).interpreter, "/ld");
  t.is(readElf(rawElf({ segments: [load({})] })).interpreter, undefined);
});

const everything = (elf: ElfFile) => [elf.segments, elf.sections];
const sections = [{}, { sh_type: SHT.SHT_STRTAB, sh_name: 9, sh_offset: 0x800n, sh_size: 4n }];
const SHSTRNDX_AT = EI_NIDENT + EHDR.elf64.offsets["e_shstrndx"]!;

/** Title, file, what is read of it, code, field, offset. */
const refused: readonly [string, Uint8Array, (elf: ElfFile) => unknown, ElfErrorCode, string, number][] = [
  ["an empty file", new Uint8Array(), everything, "ERR_ELF_MAGIC", "EI_MAG", 0],
  ["another file", ascii("#!/bin/sh\n"), everything, "ERR_ELF_MAGIC", "EI_MAG", 0],
  ["four bytes", ascii("\x7fELF"), everything, "ERR_ELF_CLASS", "EI_CLASS", 4],
  ["class 3", rawElf({}).with(4, 3), everything, "ERR_ELF_CLASS", "EI_CLASS", 4],
  ["byte order 0", rawElf({}).with(5, 0), everything, "ERR_ELF_DATA", "EI_DATA", 5],
  ["63 bytes", rawElf({}).slice(0, 63), everything, "ERR_ELF_TRUNCATED", "size of the file", 0],
  [
    "program headers behind the end",
    raw({ header: { e_phoff: 1n << 63n }, segments: [{}] }),
    everything,
    "ERR_ELF_TRUNCATED",
    "e_phoff",
    0x20,
  ],
  [
    "an e_phentsize of 0",
    raw({ header: { e_phentsize: 0 }, segments: [{}] }),
    everything,
    "ERR_ELF_ENTRY_SIZE",
    "e_phentsize",
    0x36,
  ],
  [
    "section headers behind the end",
    raw({ header: { e_shoff: 0xffffffffffffffc0n }, sections: [{}] }),
    everything,
    "ERR_ELF_TRUNCATED",
    "e_shoff",
    0x28,
  ],
  [
    "an e_shentsize of 63",
    raw({ header: { e_shentsize: 63 }, sections: [{}] }),
    everything,
    "ERR_ELF_ENTRY_SIZE",
    "e_shentsize",
    0x3a,
  ],
  [
    "2^64 - 1 sections",
    raw({ header: { e_shnum: 0 }, sections: [{ sh_size: 2n ** 64n - 1n }] }),
    everything,
    "ERR_ELF_COUNT",
    "sh_size",
    0x60,
  ],
  [
    "65535 program headers without section 0",
    raw({ header: { e_phnum: PN_XNUM }, segments: [{}] }),
    everything,
    "ERR_ELF_TRUNCATED",
    "e_phoff",
    0x20,
  ],
  [
    "an e_shstrndx of no section",
    raw({ header: { e_shstrndx: 2 }, sections }),
    everything,
    "ERR_ELF_INDEX",
    "e_shstrndx",
    SHSTRNDX_AT,
  ],
  [
    "an e_shstrndx of another type",
    raw({ header: { e_shstrndx: 1 }, sections: [{}, { sh_type: SHT.SHT_NOTE }] }),
    everything,
    "ERR_ELF_SECTION_TYPE",
    "sh_type",
    0x80 + SHDR.elf64.offsets["sh_type"]!,
  ],
  [
    "a section name outside its table",
    raw({ header: { e_shstrndx: 1 }, sections }),
    everything,
    "ERR_ELF_STRING",
    "name",
    0x804,
  ],
  [
    "section bytes behind the end",
    raw({ sections: [{ sh_type: 1, sh_offset: 0x900n, sh_size: 2n ** 64n - 1n }] }),
    (elf) => elf.sectionData(elf.sections[0]!),
    "ERR_ELF_TRUNCATED",
    "sh_size",
    0x60,
  ],
  [
    "segment bytes behind the end",
    raw({ segments: [load({ p_offset: 2n ** 64n - 1n })] }),
    (elf) => elf.segmentData(elf.segments[0]!),
    "ERR_ELF_TRUNCATED",
    "p_filesz",
    0x60,
  ],
];

function raw(elf: RawElf): Uint8Array {
  return rawElf({ encoding: ELF64LSB, contents: [[0x800, ascii("\0ab\0")]], sizeBytes: 0x1000, ...elf });
}

for (const [title, bytes, read, code, field, offset] of refused) {
  test(`${title}: ${code} at ${field}`, (t) => {
    const error = t.throws(() => read(readElf(bytes)), { instanceOf: ElfError });
    t.deepEqual([error?.code, error?.field, error?.offset], [code, field, offset]);
    t.not(error?.found, undefined);
    t.not(error?.allowed, undefined);
  });
}

test("an error says what, where, found, allowed and what to do", (t) => {
  const bytes = raw({ segments: [load({ p_filesz: 0x5000n })] });
  const elf = readElf(bytes);
  t.throws(() => elf.segmentData(elf.segments[0]!), {
    message:
      "the file ends before what a header promises: segment 0 (PT_LOAD) p_filesz at file offset 0x60 is 0x5000, " +
      "allowed at most 0x0. Copy the file again, or rebuild it.",
  });
});
