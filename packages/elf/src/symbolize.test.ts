import test from "ava";
import { testdata } from "../scripts/testdata.mjs";
import { PF } from "./constants.js";
import type { SymbolModel } from "./model.js";
import { readElf } from "./reader.js";
import { writeElf } from "./writer.js";

function program(symbols: readonly SymbolModel[], vaddr = 0x401000n) {
  const segments = [{ vaddr, bytes: new Uint8Array(0x100), memSizeBytes: 0x200, flags: PF.PF_R | PF.PF_X }];
  return readElf(writeElf({ kind: "executable", entry: vaddr, segments, symbols }));
}

const symbols: SymbolModel[] = [
  { name: "first", value: 0x401010n, type: "func" },
  { name: "second", value: 0x401020n, type: "func" },
  { name: "PAGE", value: 0x401018n, section: "*ABS*" },
  { name: "offset_in_tls", value: 0x401019n, type: "tls" },
];

test("an address is the nearest symbol below it and the distance", (t) => {
  const elf = program(symbols);
  const named = (address: bigint) => {
    const found = elf.symbolize(address);
    return found && `${found.name}+${found.offset}`;
  };
  t.is(named(0x401010n), "first+0");
  t.is(named(0x40101fn), "first+15");
  t.is(named(0x401020n), "second+0");
  t.is(named(0x4011ffn), "second+479");
});

test("addresses outside the program, or below its first symbol, have no name", (t) => {
  const elf = program(symbols);
  t.is(elf.symbolize(0x40100fn), undefined);
  t.is(elf.symbolize(0x401200n), undefined);
  t.is(elf.symbolize(0n), undefined);
});

test("kernel addresses differ in bits that a double does not hold", (t) => {
  const base = 0xffffffff80000000n;
  const elf = program(
    [
      { name: "a", value: base },
      { name: "b", value: base + 1n },
    ],
    base,
  );
  t.is(elf.symbolize(base)!.name, "a");
  t.is(elf.symbolize(base + 1n)!.name, "b");
});

test("of several symbols at one address functions win over labels, global ones over local ones", (t) => {
  const value = 0x401000n;
  const elf = program([
    { name: "label", value },
    { name: "local_function", value, type: "func", binding: "local" },
    { name: "function", value, type: "func" },
    { name: "weak_function", value, type: "func", binding: "weak" },
  ]);
  t.is(elf.symbolize(value)!.name, "function");
});

test("a load bias is taken off first; dynamic symbols serve where there are no others", (t) => {
  const elf = readElf(testdata("libversions.so"));
  const bias = 0x7f0000000000n;
  const found = elf.symbolize(bias + 0x515n, bias)!;
  t.deepEqual([found.name, found.offset], ["call", 3n]);
});

test("a file without symbols names nothing", (t) => {
  t.is(program([]).symbolize(0x401000n), undefined);
});
