import test from "ava";
import { viewOf } from "./header.js";
import { ALL_ENCODINGS } from "./raw.test.helper.js";
import {
  DYN,
  decodeStruct,
  EHDR,
  encodeStruct,
  layoutOf,
  NHDR,
  PHDR,
  REL,
  RELA,
  SHDR,
  type Struct,
  SYM,
  VERDAUX,
  VERDEF,
  VERNAUX,
  VERNEED,
} from "./structs.js";

/** gABI, figures of each structure; EHDR without the 16 bytes of e_ident. */
const SIZES: readonly (readonly [name: string, definition: Struct, elf32: number, elf64: number])[] = [
  ["Ehdr", EHDR, 36, 48],
  ["Phdr", PHDR, 32, 56],
  ["Shdr", SHDR, 40, 64],
  ["Sym", SYM, 16, 24],
  ["Rel", REL, 8, 16],
  ["Rela", RELA, 12, 24],
  ["Dyn", DYN, 8, 16],
  ["Nhdr", NHDR, 12, 12],
  ["Verdef", VERDEF, 20, 20],
  ["Verdaux", VERDAUX, 8, 8],
  ["Verneed", VERNEED, 16, 16],
  ["Vernaux", VERNAUX, 16, 16],
];

for (const [name, definition, elf32, elf64] of SIZES) {
  test(`Elf32_${name} has ${elf32} bytes, Elf64_${name} ${elf64} (gABI)`, (t) => {
    t.is(definition.elf32.sizeBytes, elf32);
    t.is(definition.elf64.sizeBytes, elf64);
  });

  for (const encoding of ALL_ENCODINGS) {
    const { is64, littleEndian } = encoding;
    test(`Elf${is64 ? 64 : 32}_${name}, ${littleEndian ? "LSB" : "MSB"}: any bytes are encoded as they were decoded`, (t) => {
      const { sizeBytes } = layoutOf(definition, encoding);
      const bytes = Uint8Array.from({ length: sizeBytes }, (_, i) => (i * 37 + 129) & 0xff);
      const copy = new Uint8Array(sizeBytes);
      encodeStruct(
        definition,
        encoding,
        viewOf(copy),
        0,
        decodeStruct(definition, encoding, viewOf(bytes), 0),
      );
      t.deepEqual(copy, bytes);
    });
  }
}

test("p_flags and the fields of a symbol stand elsewhere in the other class (gABI)", (t) => {
  t.deepEqual([PHDR.elf32.offsets["p_flags"], PHDR.elf64.offsets["p_flags"]], [24, 4]);
  t.deepEqual([SYM.elf32.offsets["st_value"], SYM.elf64.offsets["st_value"]], [4, 8]);
  t.deepEqual([SYM.elf32.offsets["st_info"], SYM.elf64.offsets["st_info"]], [12, 4]);
});
