import test from "ava";
import { testdata } from "../scripts/testdata.mjs";
import { SHT } from "./constants.js";
import { ElfError } from "./errors.js";
import { viewOf } from "./header.js";
import { readElf } from "./reader.js";

const library = () => readElf(testdata("libversions.so"));
const user = () => readElf(testdata("user"));

test("default and other versions are told apart: foo@@V and foo@V", (t) => {
  const symbols = library().dynamicSymbols!;
  const names = Array.from({ length: symbols.length }, (_, i) => symbols.versionedName(i));
  t.deepEqual(names, [
    "",
    "missing",
    "__tls_get_addr",
    "V1",
    "table@@V1",
    "per_thread@@V2",
    "pointer@@V2",
    "chosen@@V2",
    "answer@V1",
    "call@@V2",
    "answer@@V2",
    "V2",
  ]);
  t.deepEqual(symbols.version(8), { name: "V1", index: 2, isDefault: false, file: undefined });
  t.deepEqual(symbols.version(10), { name: "V2", index: 3, isDefault: true, file: undefined });
});

test("a needed version names its file, for undefined symbols and for copied variables", (t) => {
  const symbols = user().dynamicSymbols!;
  t.deepEqual(symbols.version(1), { name: "V2", file: "libversions.so", index: 3, isDefault: false });
  t.deepEqual(symbols.version(2), { name: "V1", file: "libversions.so", index: 2, isDefault: false });
  t.is(symbols.versionedName(2), "table@V1");
});

test("definitions come with the versions that they inherit from", (t) => {
  const { definitions } = library().versions!;
  t.deepEqual(
    definitions.map(({ vd_ndx, vd_flags, auxiliaries }) => [
      vd_ndx,
      vd_flags,
      ...auxiliaries.map(({ name }) => name),
    ]),
    [
      [1, 1, "libversions.so"],
      [2, 0, "V1"],
      [3, 0, "V2", "V1"],
    ],
  );
});

test("needs come by file", (t) => {
  const { needs } = user().versions!;
  t.deepEqual(
    needs.map(({ file, versions }) => [file, ...versions.map(({ name }) => name)]),
    [["libversions.so", "V2", "V1"]],
  );
});

test("a file without .gnu.version has no versions", (t) => {
  const elf = readElf(testdata("program"));
  t.is(elf.versions, undefined);
  t.is(elf.symbols!.version(1), undefined);
});

/** The library with one word of its version definitions changed. */
function damaged(offset: number, value: number): Uint8Array {
  const bytes = new Uint8Array(testdata("libversions.so"));
  const section = readElf(bytes).sections.find(({ sh_type }) => sh_type === SHT.SHT_GNU_verdef)!;
  viewOf(bytes).setUint32(Number(section.sh_offset) + offset, value, true);
  return bytes;
}

for (const [title, offset, value] of [
  ["vd_next far outside", 16, 0x7fffffff],
  ["vd_aux at the end of the section", 12, 0x55],
  ["vda_next outside", 20 + 4, 0xffffffff],
] as const) {
  test(`${title}: ERR_ELF_VERSION`, (t) => {
    const bytes = damaged(offset, value);
    if (title.startsWith("vda")) viewOf(bytes).setUint16(Number(verdefOffset(bytes)) + 6, 2, true);
    const error = t.throws(() => readElf(bytes).versions, { instanceOf: ElfError, code: "ERR_ELF_VERSION" });
    t.is(error?.where, "section 6 (.gnu.version_d)");
  });
}

function verdefOffset(bytes: Uint8Array): bigint {
  return readElf(bytes).sections.find(({ sh_type }) => sh_type === SHT.SHT_GNU_verdef)!.sh_offset;
}

test("lists that run through each other again and again end: ERR_ELF_VERSION", (t) => {
  const bytes = new Uint8Array(testdata("libversions.so"));
  const section = readElf(bytes).sections.find(({ sh_type }) => sh_type === SHT.SHT_GNU_verdef)!;
  const view = viewOf(bytes);
  const start = Number(section.sh_offset);
  // One byte ahead each time, 65535 entries in every list.
  for (let at = 0; at + 2 <= Number(section.sh_size); at++) view.setUint8(start + at, 1);
  t.throws(() => readElf(bytes).versions, { instanceOf: ElfError });
});
