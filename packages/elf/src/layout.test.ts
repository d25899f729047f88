import test from "ava";
import { testdata, testdataBinaries } from "../scripts/testdata.mjs";
import { ElfError } from "./errors.js";
import { type FileLayout, readLayout } from "./layout.js";
import { ALL_ENCODINGS, load, rawElf } from "./raw.test.helper.js";
import { readElf } from "./reader.js";
import { writeElf } from "./writer.js";

for (const name of testdataBinaries()) {
  test(`testdata/${name} is written byte for byte as it was read`, (t) => {
    const bytes = testdata(name);
    t.deepEqual(writeElf(readLayout(readElf(bytes))), bytes);
  });
}

for (const encoding of ALL_ENCODINGS) {
  const title = `ELF${encoding.is64 ? 64 : 32} ${encoding.littleEndian ? "LSB" : "MSB"}`;
  test(`${title}: headers and what lies before, between and behind them`, (t) => {
    const contents = [[0x300, Uint8Array.of(1, 2, 3)]] as const;
    const bytes = rawElf({
      encoding,
      segments: [load({})],
      sections: [{}, { sh_info: 7 }],
      contents,
      sizeBytes: 0x400,
    });
    bytes.fill(0xee, 9, 16);
    t.deepEqual(writeElf(readLayout(readElf(bytes))), bytes);
  });
}

test("a changed header field is the only change of the file", (t) => {
  const bytes = testdata("program");
  const layout = readLayout(readElf(bytes));
  const changed = writeElf({ ...layout, header: { ...layout.header, e_entry: 0x401008n } });
  t.deepEqual(
    [...changed.keys()].filter((i) => changed[i] !== bytes[i]),
    [24],
  );
  t.is(readElf(changed).header.e_entry, 0x401008n);
});

const layout = () => readLayout(readElf(testdata("relocations.i386.o")));
const bad: readonly (readonly [
  title: string,
  change: (layout: FileLayout) => Partial<FileLayout>,
  field: string,
])[] = [
  [
    "a 64-bit address in ELF32",
    ({ header }) => ({ header: { ...header, e_entry: 1n << 32n } }),
    "header.e_entry",
  ],
  [
    "a table behind the end",
    ({ header }) => ({ header: { ...header, e_shoff: 1n << 31n } }),
    "header.e_shoff",
  ],
  [
    "contents behind the end",
    () => ({ contents: [{ offset: 747, bytes: new Uint8Array(2) }] }),
    "contents[0]",
  ],
  ["a fraction as offset", () => ({ contents: [{ offset: 0.5, bytes: new Uint8Array(2) }] }), "contents[0]"],
  ["a negative size", () => ({ sizeBytes: -1 }), "sizeBytes"],
  ["a size that no array has", () => ({ sizeBytes: 2 ** 52 }), "sizeBytes"],
];

for (const [title, change, field] of bad) {
  test(`a layout with ${title}: ERR_ELF_MODEL at ${field}`, (t) => {
    const error = t.throws(() => writeElf({ ...layout(), ...change(layout()) }), { instanceOf: ElfError });
    t.deepEqual([error?.code, error?.field], ["ERR_ELF_MODEL", field]);
  });
}
