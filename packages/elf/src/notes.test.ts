import test from "ava";
import { testdata } from "../scripts/testdata.mjs";
import { ElfError } from "./errors.js";
import { type ElfNote, NT_GNU, readGnuProperties, readNotes } from "./notes.js";
import { ELF64LSB } from "./raw.test.helper.js";
import { readElf } from "./reader.js";

const words = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
const ascii = (text: string) => new TextEncoder().encode(text);
const bytes = (...parts: Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
const notesIn = (data: Uint8Array, align = 4n) => [
  ...readNotes(data, { encoding: ELF64LSB, align, offset: 0x200, where: "section 1 (.note)" }),
];

test("the notes of a program: owner, type, description", (t) => {
  const elf = readElf(testdata("program"));
  t.deepEqual(
    elf.notes.map(({ owner, type, description, offset }) => ({
      owner,
      type,
      description: [...description],
      offset,
    })),
    [{ owner: "kvmkit", type: 1, description: [0x2a, 0, 0, 0], offset: 0x200 }],
  );
});

test("the build ID is the GNU note of type 3", (t) => {
  const note = readElf(testdata("libversions.so")).notes.find(({ type }) => type === NT_GNU.NT_GNU_BUILD_ID)!;
  t.is(note.owner, "GNU");
  t.is(note.description.length, 20);
});

test("notes are found by PT_NOTE where section headers are gone", (t) => {
  const stripped = new Uint8Array(testdata("program"));
  stripped.fill(0, 0x28, 0x30);
  t.is(readElf(stripped).sections.length, 0);
  t.is(readElf(stripped).notes[0]!.owner, "kvmkit");
});

test("names and descriptions are padded to 4 bytes, to 8 in sections of that alignment", (t) => {
  const note4 = bytes(words(2, 1, 9), ascii("A\0"), new Uint8Array(2), ascii("x"), new Uint8Array(3));
  t.deepEqual(
    notesIn(bytes(note4, note4)).map(({ owner, offset }) => [owner, offset]),
    [
      ["A", 0x200],
      ["A", 0x214],
    ],
  );
  const note8 = bytes(words(4, 1, 5), ascii("GNU\0"), ascii("x"), new Uint8Array(7));
  t.deepEqual(
    notesIn(bytes(note8, note8), 8n).map(({ owner, description }) => [owner, description.length]),
    [
      ["GNU", 1],
      ["GNU", 1],
    ],
  );
});

test("a last note without padding is whole", (t) => {
  t.is(notesIn(bytes(words(0, 1, 1), ascii("x"))).length, 1);
});

for (const [title, data, field] of [
  ["a header of 11 bytes", new Uint8Array(11), "note header"],
  ["a name that leaves the section", words(8, 0, 1, 0), "n_namesz"],
  ["a name of 4 GiB", words(0xffffffff, 0, 1, 0), "n_namesz"],
  ["a description that leaves the section", words(4, 8, 1, 0), "n_descsz"],
  ["a description of 4 GiB", words(0, 0xffffffff, 1), "n_descsz"],
] as const) {
  test(`${title}: ERR_ELF_NOTE at ${field}`, (t) => {
    const error = t.throws(() => notesIn(data), { instanceOf: ElfError, code: "ERR_ELF_NOTE" });
    t.is(error?.field, field);
    t.is(error?.offset, 0x200);
  });
}

function properties(description: Uint8Array) {
  const note: ElfNote = { owner: "GNU", nameBytes: new Uint8Array(), type: 5, description, offset: 0 };
  return readGnuProperties(note, ELF64LSB);
}

test("program properties are padded to 8 bytes in ELF64 (psABI, Program Property)", (t) => {
  const found = properties(words(0xc0000002, 4, 3, 0, 0xc0008002, 4, 1, 0));
  t.deepEqual(
    found.map(({ pr_type, data }) => [pr_type, [...data]]),
    [
      [0xc0000002, [3, 0, 0, 0]],
      [0xc0008002, [1, 0, 0, 0]],
    ],
  );
});

test("a property that leaves its note: ERR_ELF_NOTE", (t) => {
  t.throws(() => properties(words(0xc0000002, 5, 3)), { instanceOf: ElfError, code: "ERR_ELF_NOTE" });
  t.throws(() => properties(words(0xc0000002)), { instanceOf: ElfError, code: "ERR_ELF_NOTE" });
});
