import test from "ava";
import { testdata } from "../scripts/testdata.mjs";
import { ElfError } from "./errors.js";
import { formatReadelf } from "./readelf/index.js";
import { openElf, openElfAsync, readElf } from "./reader.js";

const bytes = testdata("libversions.so");

function recorded(log: (readonly [offset: number, length: number])[]) {
  return {
    size: bytes.length,
    read(offset: number, length: number): Uint8Array {
      log.push([offset, length]);
      return bytes.slice(offset, offset + length);
    },
  };
}

const text = (elf: Parameters<typeof formatReadelf>[0]) => [...formatReadelf(elf)].join("");

test("the structure of a file costs four reads: header, segments, sections, names", (t) => {
  const log: [number, number][] = [];
  const elf = openElf(recorded(log));
  t.is(elf.segments.length, 7);
  t.is(elf.sections.at(-1)!.name, ".shstrtab");
  const { e_phoff, e_shoff } = elf.header;
  const names = elf.section(".shstrtab")!;
  t.deepEqual(log, [
    [0, 64],
    [Number(e_phoff), 7 * 56],
    [Number(e_shoff), elf.sections.length * 64],
    [Number(names.sh_offset), Number(names.sh_size)],
  ]);
});

test("an asynchronous source has read the structure when it is opened, by the same four reads", async (t) => {
  const log: [number, number][] = [];
  const source = recorded(log);
  const elf = await openElfAsync({ ...source, read: async (offset, length) => source.read(offset, length) });
  t.is(log.length, 4);
  t.is(elf.segments.length, 7);
  t.is(elf.section(".dynsym")!.name, ".dynsym");
  t.is(log.length, 4);
});

test("all three ways to read a file give the same", async (t) => {
  const expected = text(readElf(bytes));
  t.is(text(openElf(recorded([]))), expected);
  const elf = await openElfAsync({ size: bytes.length, read: async (o, n) => bytes.slice(o, o + n) });
  t.is(await elf.load(text), expected);
});

test("what an asynchronous source has not read is ERR_ELF_NOT_LOADED outside of load()", async (t) => {
  const elf = await openElfAsync({ size: bytes.length, read: async (o, n) => bytes.slice(o, o + n) });
  t.throws(() => elf.dynamicSymbols, { instanceOf: ElfError, code: "ERR_ELF_NOT_LOADED" });
  const names = await elf.load((loaded) => [...loaded.dynamicSymbols!].map(({ name }) => name));
  t.true(names.includes("answer"));
  t.notThrows(() => elf.dynamicSymbols!.name(1));
});

test("load() passes the errors of its body and of the source on", async (t) => {
  const elf = await openElfAsync({ size: bytes.length, read: async (o, n) => bytes.slice(o, o + n) });
  await t.throwsAsync(
    elf.load(() => Promise.reject(new RangeError("mine"))),
    { instanceOf: RangeError },
  );
  const failing = { size: bytes.length, read: () => Promise.reject(new Error("disk")) };
  await t.throwsAsync(openElfAsync(failing), { message: "disk" });
});

for (const [title, read] of [
  ["too few bytes", () => new Uint8Array(3)],
  ["no bytes", () => undefined as unknown as Uint8Array],
] as const) {
  test(`a source that returns ${title}: ERR_ELF_SOURCE`, async (t) => {
    t.throws(() => openElf({ size: 100, read }), { instanceOf: ElfError, code: "ERR_ELF_SOURCE" });
    await t.throwsAsync(openElfAsync({ size: 100, read }), { instanceOf: ElfError, code: "ERR_ELF_SOURCE" });
  });
}

test("a source of impossible size: ERR_ELF_SOURCE", (t) => {
  for (const size of [-1, 0.5, Number.NaN, 2 ** 60]) {
    t.throws(() => openElf({ size, read: () => new Uint8Array() }), {
      instanceOf: ElfError,
      code: "ERR_ELF_SOURCE",
    });
  }
});
