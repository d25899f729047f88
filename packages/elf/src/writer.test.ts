import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { EM, PF, SHF, SHN, STB, STT } from "./constants.js";
import { ElfError } from "./errors.js";
import { planLoad } from "./loader.js";
import type { ElfModel, ExecutableModel, ObjectModel } from "./model.js";
import { readElf } from "./reader.js";
import { writeElf } from "./writer.js";

const bytes = (hex: string) =>
  Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16));
const ascii = (text: string) => new TextEncoder().encode(text);

/** mov eax, 1; mov edi, 1; mov rsi, 0x402000; mov edx, 3; syscall; mov eax, 60; xor edi, edi; syscall */
const HELLO = bytes("b801000000 bf01000000 48be0020400000000000 ba03000000 0f05 b83c000000 31ff 0f05");

const hello: ExecutableModel = {
  kind: "executable",
  entry: 0x401000n,
  segments: [
    { vaddr: 0x401000n, bytes: HELLO, flags: PF.PF_R | PF.PF_X },
    { vaddr: 0x402000n, bytes: ascii("hi\n"), memSizeBytes: 5000, flags: PF.PF_R | PF.PF_W },
  ],
  symbols: [
    { name: "_start", value: 0x401000n, sizeBytes: HELLO.length, type: "STT_FUNC" },
    { name: "message", value: 0x402000n, type: "STT_OBJECT" },
    { name: "buffer", value: 0x402003n, binding: "STB_LOCAL" },
    { name: "PAGE", value: 4096 },
  ],
};

/** push rax; lea rdi, [rip + message]; call puts; pop rcx; xor eax, eax; ret */
const callsPuts: ObjectModel = {
  kind: "object",
  file: "main.asm",
  sections: [
    {
      name: ".text",
      bytes: bytes("50 488d3d00000000 e800000000 59 31c0 c3"),
      sizeBytes: 17,
      align: 16,
      flags: { alloc: true, execute: true, write: false, nobits: false },
      relocations: [
        { offset: 4, type: "R_X86_64_PC32", symbol: "message", addend: -4 },
        { offset: 9, type: "R_X86_64_PLT32", symbol: "puts", addend: -4n },
      ],
    },
    { name: ".rodata", bytes: ascii("linked\0"), flags: SHF.SHF_ALLOC },
    {
      name: ".bss",
      bytes: new Uint8Array(),
      sizeBytes: 64,
      align: 32,
      flags: { alloc: true, write: true, execute: false, nobits: true },
      relocations: [],
    },
  ],
  symbols: [
    { name: "main", value: 0n, sizeBytes: 17n, section: ".text", type: "func", binding: "global" },
    { name: "message", value: 0n, section: ".rodata", binding: "local" },
    { name: "ANSWER", value: 42n, section: null, binding: "local" },
    { name: "puts", value: 0n, section: undefined },
  ],
};

/** The model with one relocation of its first section changed. */
function withRelocation(change: object): ObjectModel {
  const [text, ...rest] = callsPuts.sections;
  const [first, second] = text!.relocations!;
  return {
    ...callsPuts,
    sections: [{ ...text!, relocations: [{ ...first!, ...change }, second!] }, ...rest],
  };
}

function inFolder<T>(body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "kvmkit-elf-"));
  try {
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("an executable reads back as it was given", (t) => {
  const elf = readElf(writeElf(hello));
  t.is(elf.header.e_entry, 0x401000n);
  t.deepEqual(
    planLoad(elf).segments.map(({ vaddr, memSizeBytes, fileSizeBytes }) => [
      vaddr,
      memSizeBytes,
      fileSizeBytes,
    ]),
    [
      [0x401000n, 4096, 4096],
      [0x402000n, 4096, 3],
      [0x403000n, 4096, 0],
    ],
  );
  t.deepEqual(
    elf.sections.map(({ name }) => name),
    ["", ".text", ".data", ".bss", ".symtab", ".strtab", ".shstrtab"],
  );
  t.deepEqual(
    [...elf.symbols!].map(({ name, st_value, st_shndx }) => [name, st_value, st_shndx]),
    [
      ["", 0n, 0],
      ["buffer", 0x402003n, 3],
      ["_start", 0x401000n, 1],
      ["message", 0x402000n, 2],
      ["PAGE", 4096n, 0xfff1],
    ],
  );
});

test("the same model gives the same bytes", (t) => {
  t.deepEqual(writeElf(hello), writeElf(structuredClone(hello)));
  t.deepEqual(writeElf(callsPuts), writeElf(structuredClone(callsPuts)));
});

test("p_paddr, a higher-half p_vaddr and p_align are kept, and p_offset is p_vaddr modulo p_align", (t) => {
  const segments = [
    {
      vaddr: 0xffffffff80000000n,
      paddr: 0x100000n,
      bytes: HELLO,
      flags: PF.PF_R | PF.PF_X,
      align: 0x200000n,
    },
    { vaddr: 0xffffffffffffff00n, paddr: 0x200000n, bytes: bytes("90"), memSizeBytes: 0x100, flags: PF.PF_R },
  ];
  const elf = readElf(writeElf({ kind: "executable", entry: 0xffffffff80000000n, segments }));
  const [first, second] = elf.segments;
  t.is(first!.p_paddr, 0x100000n);
  t.is(first!.p_vaddr, 0xffffffff80000000n);
  t.is(first!.p_offset % 0x200000n, 0n);
  t.is(second!.p_offset % 0x1000n, 0xf00n);
  t.deepEqual(elf.segmentData(first!), HELLO);
});

test("an i386 object keeps its addends in the section (SHT_REL)", (t) => {
  const elf = readElf(
    writeElf({
      kind: "object",
      is64: false,
      sections: [
        {
          name: ".text",
          bytes: bytes("e8 00000000 e9 0000"),
          flags: SHF.SHF_ALLOC,
          relocations: [
            { offset: 1, type: "R_386_PC32", symbol: "far", addend: -4 },
            { offset: 6, type: "R_386_PC16", symbol: "far", addend: -2 },
          ],
        },
      ],
      symbols: [{ name: "far", value: 0 }],
    }),
  );
  t.is(elf.header.e_machine, EM.EM_386);
  t.deepEqual(elf.sectionData(elf.section(".text")!), bytes("e8 fcffffff e9 feff"));
  t.deepEqual(elf.sectionData(elf.section(".rel.text")!), bytes("01000000 02030000 06000000 15030000"));
});

test("the caller's bytes are not changed, be they a Buffer", (t) => {
  const text = Buffer.from("e800000000", "hex");
  const relocations = [{ offset: 1, type: "R_386_PC32", symbol: "", addend: -4 }];
  writeElf({ kind: "object", is64: false, sections: [{ name: ".text", bytes: text, relocations }] });
  t.is(text.toString("hex"), "e800000000");
});

test("symbols and relocations of an object file are found again", (t) => {
  const elf = readElf(writeElf(callsPuts));
  t.deepEqual(
    [...elf.symbols!]
      .slice(6)
      .map(({ name, type, binding, st_shndx, st_value }) => [name, type, binding, st_shndx, st_value]),
    [
      ["message", STT.STT_NOTYPE, STB.STB_LOCAL, 2, 0n],
      ["ANSWER", STT.STT_NOTYPE, STB.STB_LOCAL, SHN.SHN_ABS, 42n],
      ["main", STT.STT_FUNC, STB.STB_GLOBAL, 1, 0n],
      ["puts", STT.STT_NOTYPE, STB.STB_GLOBAL, SHN.SHN_UNDEF, 0n],
    ],
  );
  const [table] = elf.relocationTables;
  t.deepEqual(
    [...table!].map(({ r_offset, typeName, symbol, r_addend }) => [
      r_offset,
      typeName,
      table!.symbols!.name(symbol),
      r_addend,
    ]),
    [
      [4n, "R_X86_64_PC32", "message", -4n],
      [9n, "R_X86_64_PLT32", "puts", -4n],
    ],
  );
});

test("a relocation against a section's name takes its section symbol, against no name the null symbol", (t) => {
  const symbolOf = (symbol: string): number => {
    const [table] = readElf(writeElf(withRelocation({ symbol }))).relocationTables;
    return table!.symbol(0);
  };
  t.is(symbolOf(".rodata"), 3);
  t.is(symbolOf(""), 0);
});

toolTest("an executable runs on Linux and readelf has no complaint", { readelf: "binutils" }, (t) => {
  inFolder((folder) => {
    const path = join(folder, "hello");
    writeFileSync(path, writeElf(hello));
    chmodSync(path, 0o755);
    const run = spawnSync(path, { encoding: "utf8" });
    t.deepEqual([run.status, run.stdout], [0, "hi\n"]);
    t.is(spawnSync("readelf", ["-aW", path], { encoding: "utf8" }).stderr, "");
  });
});

toolTest("an object file links with gcc and runs", { gcc: "gcc", readelf: "binutils" }, (t) => {
  inFolder((folder) => {
    const object = join(folder, "main.o");
    const program = join(folder, "main");
    writeFileSync(object, writeElf(callsPuts));
    t.is(spawnSync("readelf", ["-aW", object], { encoding: "utf8" }).stderr, "");
    t.is(execFileSync("gcc", [object, "-o", program], { encoding: "utf8", stdio: "pipe" }), "");
    t.is(execFileSync(program, { encoding: "utf8" }), "linked\n");
  });
});

toolTest(
  "binutils take an executable apart and put it together again",
  { objcopy: "binutils", nm: "binutils", objdump: "binutils" },
  (t) => {
    inFolder((folder) => {
      const path = join(folder, "hello");
      const copy = join(folder, "copy");
      writeFileSync(path, writeElf(hello));
      const objcopy = spawnSync("objcopy", ["--strip-unneeded", path, copy], { encoding: "utf8" });
      t.deepEqual([objcopy.status, objcopy.stderr], [0, ""]);
      chmodSync(copy, 0o755);
      t.is(execFileSync(copy, { encoding: "utf8" }), "hi\n");
      t.deepEqual(execFileSync("nm", ["-p", path], { encoding: "utf8" }).split("\n"), [
        "0000000000402003 b buffer",
        "0000000000401000 T _start",
        "0000000000402000 D message",
        "0000000000001000 A PAGE",
        "",
      ]);
      t.regex(
        execFileSync("objdump", ["-d", path], { encoding: "utf8" }),
        /<_start>:\n +401000:\tb8 01 00 00 00/,
      );
    });
  },
);

toolTest("an object file links with ld -r and with another object", { ld: "binutils", gcc: "gcc" }, (t) => {
  inFolder((folder) => {
    const [object, merged, program] = ["main.o", "merged.o", "main"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(object, writeElf(callsPuts));
    t.is(spawnSync("ld", ["-r", "-o", merged, object], { encoding: "utf8" }).stderr, "");
    execFileSync("gcc", [merged, "-o", program], { stdio: "pipe" });
    t.is(execFileSync(program, { encoding: "utf8" }), "linked\n");
  });
});

toolTest("an i386 object links with ld", { ld: "binutils" }, (t) => {
  inFolder((folder) => {
    const [object, program] = ["main.o", "main"].map((name) => join(folder, name)) as [string, string];
    // mov $1, %eax; mov answer, %ebx; int $0x80
    const relocations = [{ offset: 7, type: "R_386_32", symbol: ".data", addend: 4 }];
    const sections = [
      {
        name: ".text",
        bytes: bytes("b801000000 8b1d00000000 cd80"),
        flags: SHF.SHF_ALLOC | SHF.SHF_EXECINSTR,
        relocations,
      },
      { name: ".data", bytes: bytes("000000002a000000"), align: 4, flags: SHF.SHF_ALLOC | SHF.SHF_WRITE },
    ];
    const symbols = [{ name: "_start", value: 0, section: ".text" }];
    writeFileSync(object, writeElf({ kind: "object", is64: false, sections, symbols }));
    t.is(spawnSync("ld", ["-m", "elf_i386", "-o", program, object], { encoding: "utf8" }).stderr, "");
    const elf = readElf(readFileSync(program));
    const text = elf.sectionData(elf.section(".text")!);
    const address = new DataView(text.buffer, text.byteOffset).getUint32(7, true);
    t.is(BigInt(address), elf.section(".data")!.sh_addr + 4n);
  });
});

const [text] = hello.segments;
const bad: readonly [title: string, model: ElfModel, field: string][] = [
  [
    "memory smaller than the bytes",
    { ...hello, segments: [{ ...text!, memSizeBytes: 1 }] },
    "segments[0].memSizeBytes",
  ],
  [
    "a segment that wraps",
    { ...hello, segments: [{ ...text!, vaddr: 2n ** 64n - 1n }] },
    "segments[0].memSizeBytes",
  ],
  ["segments that overlap", { ...hello, segments: [text!, text!] }, "segments[1].vaddr"],
  [
    "an alignment that is no power of two",
    { ...hello, segments: [{ ...text!, align: 3 }] },
    "segments[0].align",
  ],
  ["a fraction as address", { ...hello, entry: 0.5 }, "entry"],
  ["a negative address", { ...hello, entry: -1n }, "entry"],
  ["a symbol name with NUL", { ...hello, symbols: [{ name: "a\0b", value: 0 }] }, "symbols[0].name"],
  [
    "a symbol in an unknown section",
    { ...hello, symbols: [{ name: "a", value: 0, section: ".x" }] },
    "symbols[0].section",
  ],
  [
    "two sections of one name",
    { ...callsPuts, sections: [callsPuts.sections[0]!, callsPuts.sections[0]!] },
    "sections[1].name",
  ],
  ["an unknown relocation type", withRelocation({ type: "R_386_32" }), "sections[0].relocations[0].type"],
  ["an unknown relocation symbol", withRelocation({ symbol: "x" }), "sections[0].relocations[0].symbol"],
  ["an unknown kind", { kind: "archive" } as unknown as ElfModel, "kind"],
];

for (const [title, model, field] of bad) {
  test(`writeElf refuses ${title}: ERR_ELF_MODEL at ${field}`, (t) => {
    const error = t.throws(() => writeElf(model), { instanceOf: ElfError, code: "ERR_ELF_MODEL" });
    t.is(error?.field, field);
  });
}
