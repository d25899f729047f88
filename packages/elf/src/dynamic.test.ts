import test from "ava";
import { testdata } from "../scripts/testdata.mjs";
import { DT } from "./constants.js";
import { readElf } from "./reader.js";

test("the dynamic section: entries to DT_NULL, names of libraries", (t) => {
  const library = readElf(testdata("libversions.so")).dynamic!;
  t.is(library.soname, "libversions.so");
  t.deepEqual(library.needed, []);
  t.is(library.get(DT.DT_SYMENT), 24n);
  t.is(library.get(DT.DT_NEEDED), undefined);
  t.is(library.entries.length, 16);
  t.deepEqual(library.entries[0], { d_tag: 14n, d_val: library.get(DT.DT_SONAME)!, tagName: "DT_SONAME" });
  t.deepEqual(readElf(testdata("user")).dynamic!.needed, ["libversions.so"]);
});

test("without section headers it is found by PT_DYNAMIC, and its strings by DT_STRTAB", (t) => {
  const stripped = new Uint8Array(testdata("libversions.so"));
  stripped.fill(0, 0x28, 0x30);
  const elf = readElf(stripped);
  t.is(elf.sections.length, 0);
  t.is(elf.dynamic!.soname, "libversions.so");
});

test("a static program has none", (t) => {
  t.is(readElf(testdata("program")).dynamic, undefined);
});
