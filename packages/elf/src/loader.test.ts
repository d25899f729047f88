import test from "ava";
import { EM, ET, PF, PROT, PT } from "./constants.js";
import { ElfError, type ElfErrorCode } from "./errors.js";
import { type LoadOptions, planLoad } from "./loader.js";
import { load, type RawElf, rawElf } from "./raw.test.helper.js";
import { readElf } from "./reader.js";

const R = PROT.PROT_READ;
const W = PROT.PROT_WRITE;
const X = PROT.PROT_EXEC;

function plan(raw: RawElf, options?: LoadOptions) {
  return planLoad(readElf(rawElf({ sizeBytes: 0x8000, ...raw })), options);
}

const text = load({});
const data = load({
  p_offset: 0x2e10n,
  p_vaddr: 0x403e10n,
  p_filesz: 0x210n,
  p_memsz: 0x3000n,
  p_flags: PF.PF_R | PF.PF_W,
});

test("a bss tail gives file pages, a zeroed rest and anonymous pages (elf_load)", (t) => {
  const { segments, brkStart } = plan({ segments: [text, data] });
  t.deepEqual(segments, [
    {
      vaddr: 0x401000n,
      memSizeBytes: 0x1000,
      fileOffset: 0x1000,
      fileSizeBytes: 0x1000,
      prot: R | X,
      segment: 0,
    },
    {
      vaddr: 0x403000n,
      memSizeBytes: 0x2000,
      fileOffset: 0x2000,
      fileSizeBytes: 0x1020,
      prot: R | W,
      segment: 1,
    },
    { vaddr: 0x405000n, memSizeBytes: 0x2000, fileOffset: 0, fileSizeBytes: 0, prot: R | W, segment: 1 },
  ]);
  t.is(brkStart, 0x407000n);
});

test("a segment without bss shows the file to the end of its last page, or of the file", (t) => {
  const short = load({ p_filesz: 0x10n });
  t.is(plan({ segments: [short] }).segments[0]!.fileSizeBytes, 0x1000);
  t.is(plan({ segments: [short], sizeBytes: 0x1800 }).segments[0]!.fileSizeBytes, 0x800);
});

test("bss pages are readable and writable whatever p_flags says, executable with PF_X (vm_brk_flags)", (t) => {
  const bss = load({ p_filesz: 0n, p_memsz: 0x10n, p_flags: PF.PF_R });
  t.deepEqual(plan({ segments: [bss] }).segments, [
    { vaddr: 0x401000n, memSizeBytes: 0x1000, fileOffset: 0, fileSizeBytes: 0, prot: R | W, segment: 0 },
  ]);
  t.is(plan({ segments: [{ ...bss, p_flags: PF.PF_X }] }).segments[0]!.prot, R | W | X);
});

test("a PT_LOAD of no bytes maps nothing", (t) => {
  const { segments } = plan({ segments: [text, load({ p_vaddr: 0x500000n, p_filesz: 0n })] });
  t.is(segments.length, 1);
});

test("ET_DYN is moved by the load bias, ET_EXEC is not", (t) => {
  const segments = [load({ p_offset: 0n, p_vaddr: 0n })];
  const dyn = plan({ header: { e_type: ET.ET_DYN, e_entry: 0x20n }, segments }, { loadBias: 0x10000000n });
  t.is(dyn.loadBias, 0x10000000n);
  t.is(dyn.segments[0]!.vaddr, 0x10000000n);
  t.is(dyn.entry, 0x10000020n);
  t.is(dyn.phdr, 0x10000040n);
  t.is(dyn.brkStart, 0x10001000n);
  t.is(plan({ segments: [text] }, { loadBias: 0x10000000n }).loadBias, 0n);
});

test("the load bias is rounded down to the largest p_align that is a power of two (maximum_alignment)", (t) => {
  const segments = [
    load({ p_offset: 0n, p_vaddr: 0n, p_align: 0x200000n }),
    load({ p_vaddr: 0x2000n, p_align: 3n << 40n }),
  ];
  t.is(plan({ header: { e_type: ET.ET_DYN, e_entry: 0n }, segments }).loadBias, 0x555555400000n);
});

test("AT_PHDR comes from the segment that holds e_phoff, and is 0 without one", (t) => {
  const head = load({ p_offset: 0n, p_vaddr: 0x400000n });
  t.is(plan({ segments: [head, text] }).phdr, 0x400040n);
  t.is(plan({ segments: [text] }).phdr, 0n);
  const { phent, phnum } = plan({ segments: [head, text] });
  t.deepEqual({ phent, phnum }, { phent: 56, phnum: 2 });
});

test("AT_PHDR is the distance from the start of that segment, wherever it starts in the file", (t) => {
  const head = load({ p_offset: 0x20n, p_vaddr: 0x400020n, p_filesz: 0x100n });
  t.is(plan({ segments: [head, text] }).phdr, 0x400040n);
});

test("PT_GNU_STACK decides about the stack; without it the stack is not executable", (t) => {
  const stack = (flags: number) => ({ p_type: PT.PT_GNU_STACK, p_flags: flags, p_filesz: 0n, p_memsz: 0n });
  t.false(plan({ segments: [text] }).executableStack);
  t.false(plan({ segments: [text, stack(PF.PF_R | PF.PF_W)] }).executableStack);
  t.true(plan({ segments: [text, stack(PF.PF_R | PF.PF_W | PF.PF_X)] }).executableStack);
});

test("PT_INTERP is reported, and its plan gives AT_BASE and the start", (t) => {
  const path = new TextEncoder().encode("/lib/ld.so\0");
  const interp = load({ p_type: PT.PT_INTERP, p_offset: 0x500n, p_filesz: 11n });
  const raw = { segments: [interp, text], contents: [[0x500, path]] as const };
  const alone = plan(raw);
  t.is(alone.interpreter, "/lib/ld.so");
  t.is(alone.base, 0n);
  t.is(alone.start, alone.entry);
  const ld = plan(
    { header: { e_type: ET.ET_DYN, e_entry: 0x10n }, segments: [load({ p_vaddr: 0n })] },
    { loadBias: 0x7f0000000000n },
  );
  const both = plan(raw, { interpreterPlan: ld });
  t.is(both.base, 0x7f0000000000n);
  t.is(both.start, 0x7f0000000010n);
  t.is(both.entry, 0x401000n);
});

test("segments that show the same page of the file share it; the later permissions hold", (t) => {
  const first = load({ p_filesz: 0x1800n });
  const second = load({
    p_offset: 0x2800n,
    p_vaddr: 0x402800n,
    p_filesz: 0x900n,
    p_flags: PF.PF_R | PF.PF_W,
  });
  t.deepEqual(
    plan({ segments: [first, second] }).segments.map(({ vaddr, fileOffset, fileSizeBytes, prot }) => [
      vaddr,
      fileOffset,
      fileSizeBytes,
      prot,
    ]),
    [
      [0x401000n, 0x1000, 0x1000, R | X],
      [0x402000n, 0x2000, 0x2000, R | W],
    ],
  );
});

const ZERO_IDENT_CLASS = { is64: false, littleEndian: true };
const refused: readonly [
  title: string,
  raw: RawElf,
  code: ElfErrorCode,
  field: string,
  options?: LoadOptions,
][] = [
  [
    "ELFCLASS32 (stricter than Linux)",
    { encoding: ZERO_IDENT_CLASS, segments: [text] },
    "ERR_ELF_CLASS",
    "EI_CLASS",
  ],
  [
    "big-endian (stricter than Linux)",
    { encoding: { is64: true, littleEndian: false }, segments: [text] },
    "ERR_ELF_DATA",
    "EI_DATA",
  ],
  [
    "another machine",
    { header: { e_machine: EM.EM_AARCH64 }, segments: [text] },
    "ERR_ELF_MACHINE",
    "e_machine",
  ],
  ["an object file", { header: { e_type: ET.ET_REL }, segments: [text] }, "ERR_ELF_TYPE", "e_type"],
  ["no PT_LOAD", { segments: [{ p_type: PT.PT_NOTE }] }, "ERR_ELF_NO_SEGMENT", "e_phnum"],
  [
    "more program headers than 64 KiB",
    { segments: new Array(1171).fill(text), sizeBytes: 0x20000 },
    "ERR_ELF_COUNT",
    "e_phnum",
  ],
  ["p_filesz > p_memsz", { segments: [load({ p_memsz: 0xfffn })] }, "ERR_ELF_SEGMENT_SIZE", "p_filesz"],
  [
    "p_offset and p_vaddr apart modulo the page",
    { segments: [load({ p_offset: 0x1001n })] },
    "ERR_ELF_SEGMENT_ALIGN",
    "p_offset",
  ],
  [
    "file bytes behind the end of the file",
    { segments: [load({ p_offset: 0x8000n })] },
    "ERR_ELF_TRUNCATED",
    "p_filesz",
  ],
  [
    "an offset that wraps",
    { segments: [load({ p_offset: 0xfffffffffffff000n })] },
    "ERR_ELF_TRUNCATED",
    "p_filesz",
  ],
  [
    "an address that wraps",
    { segments: [load({ p_vaddr: 0xfffffffffffff000n })] },
    "ERR_ELF_SEGMENT_RANGE",
    "p_vaddr",
  ],
  [
    "a size that wraps",
    { segments: [load({ p_memsz: 0xffffffffffffffffn })] },
    "ERR_ELF_SEGMENT_RANGE",
    "p_vaddr",
  ],
  [
    "an address below minAddress",
    { segments: [load({ p_vaddr: 0x1000n })] },
    "ERR_ELF_SEGMENT_RANGE",
    "p_vaddr",
  ],
  [
    "an end above maxAddress",
    { segments: [text] },
    "ERR_ELF_SEGMENT_RANGE",
    "p_vaddr",
    { maxAddress: 0x401fffn },
  ],
  ["a segment twice", { segments: [text, text] }, "ERR_ELF_SEGMENT_OVERLAP", "p_vaddr"],
  [
    "a bss that reaches into the next segment",
    { segments: [load({ p_memsz: 0x2e11n }), data] },
    "ERR_ELF_SEGMENT_OVERLAP",
    "p_vaddr",
  ],
  [
    "a page that two segments fill differently",
    { segments: [load({ p_memsz: 0x2100n }), data] },
    "ERR_ELF_SEGMENT_OVERLAP",
    "p_vaddr",
  ],
  [
    "an entry point above maxAddress",
    { header: { e_entry: 1n << 47n }, segments: [text] },
    "ERR_ELF_ENTRY",
    "e_entry",
  ],
  [
    "an interpreter path of one byte",
    { segments: [text, load({ p_type: PT.PT_INTERP, p_filesz: 1n })] },
    "ERR_ELF_INTERP",
    "p_filesz",
  ],
  [
    "an interpreter path without NUL",
    {
      segments: [text, load({ p_type: PT.PT_INTERP, p_filesz: 4n })],
      contents: [[0x1000, new Uint8Array(8).fill(65)]],
    },
    "ERR_ELF_INTERP",
    "last byte of the path",
  ],
  [
    "a load bias within a page",
    { header: { e_type: ET.ET_DYN }, segments: [text] },
    "ERR_ELF_LOAD_BIAS",
    "loadBias",
    { loadBias: 1n },
  ],
  [
    "a wrong e_phentsize",
    { header: { e_phentsize: 57 }, segments: [text] },
    "ERR_ELF_ENTRY_SIZE",
    "e_phentsize",
  ],
];

for (const [title, raw, code, field, options] of refused) {
  test(`planLoad refuses ${title}: ${code}`, (t) => {
    const error = t.throws(() => plan(raw, options), { instanceOf: ElfError });
    t.is(error.code, code);
    t.is(error.field, field);
    t.not(error.allowed, undefined);
  });
}

test("damaged section headers do not keep a program from being planned, as with Linux", (t) => {
  const elf = readElf(
    rawElf({ header: { e_shoff: 0x7fffn, e_shnum: 9 }, segments: [text], sizeBytes: 0x8000 }),
  );
  t.is(planLoad(elf).segments.length, 1);
  t.throws(() => elf.sections, {
    instanceOf: ElfError,
    message: /section headers \(9 entries\) e_shoff at file offset 0x28/,
  });
});
