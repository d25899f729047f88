/** Builds files field by field for tests, malformed ones included: nothing is checked. */
import { EI_CLASS, EI_DATA, EI_NIDENT, EI_VERSION, ELFMAG, EM, ET, PF, PT } from "./constants.js";
import { viewOf } from "./header.js";
import { EHDR, type Encoding, encodeStruct, layoutOf, PHDR, SHDR, type StructValue } from "./structs.js";

export interface RawElf {
  readonly encoding?: Encoding;
  readonly header?: Partial<StructValue<typeof EHDR>>;
  readonly segments?: readonly Partial<StructValue<typeof PHDR>>[];
  readonly sections?: readonly Partial<StructValue<typeof SHDR>>[];
  /** Bytes at file offsets. */
  readonly contents?: readonly (readonly [offset: number, bytes: Uint8Array])[];
  /** Size of the whole file; at least what is needed. */
  readonly sizeBytes?: number;
}

export const ELF64LSB: Encoding = { is64: true, littleEndian: true };
export const ALL_ENCODINGS: readonly Encoding[] = [
  ELF64LSB,
  { is64: true, littleEndian: false },
  { is64: false, littleEndian: true },
  { is64: false, littleEndian: false },
];

/** Header, program headers, section headers, then contents: the section headers follow the program headers. */
export function rawElf({
  encoding = ELF64LSB,
  header = {},
  segments = [],
  sections = [],
  contents = [],
  sizeBytes = 0,
}: RawElf): Uint8Array {
  const ehsize = EI_NIDENT + layoutOf(EHDR, encoding).sizeBytes;
  const phentsize = layoutOf(PHDR, encoding).sizeBytes;
  const shentsize = layoutOf(SHDR, encoding).sizeBytes;
  const shoff = ehsize + segments.length * phentsize;
  const end = shoff + sections.length * shentsize;
  const file = new Uint8Array(Math.max(sizeBytes, end, ...contents.map(([offset, b]) => offset + b.length)));
  const view = viewOf(file);
  for (const [offset, bytes] of contents) file.set(bytes, offset);
  view.setUint32(0, ELFMAG);
  file[EI_CLASS] = encoding.is64 ? 2 : 1;
  file[EI_DATA] = encoding.littleEndian ? 1 : 2;
  file[EI_VERSION] = 1;
  encodeStruct(EHDR, encoding, view, EI_NIDENT, {
    e_type: ET.ET_EXEC,
    e_machine: EM.EM_X86_64,
    e_version: 1,
    e_entry: 0x401000n,
    e_phoff: segments.length > 0 ? BigInt(ehsize) : 0n,
    e_shoff: sections.length > 0 ? BigInt(shoff) : 0n,
    e_flags: 0,
    e_ehsize: ehsize,
    e_phentsize: phentsize,
    e_phnum: segments.length,
    e_shentsize: shentsize,
    e_shnum: sections.length,
    e_shstrndx: 0,
    ...header,
  });
  segments.forEach((segment, i) => {
    encodeStruct(PHDR, encoding, view, ehsize + i * phentsize, { ...load({}), ...segment });
  });
  sections.forEach((section, i) => {
    encodeStruct(SHDR, encoding, view, shoff + i * shentsize, { ...EMPTY_SECTION, ...section });
  });
  return file;
}

const EMPTY_SECTION: StructValue<typeof SHDR> = {
  sh_name: 0,
  sh_type: 0,
  sh_flags: 0n,
  sh_addr: 0n,
  sh_offset: 0n,
  sh_size: 0n,
  sh_link: 0,
  sh_info: 0,
  sh_addralign: 1n,
  sh_entsize: 0n,
};

/** A PT_LOAD of one page at 0x401000, read and execute, at file offset 0x1000. */
export function load(fields: Partial<StructValue<typeof PHDR>>): StructValue<typeof PHDR> {
  return {
    p_type: PT.PT_LOAD,
    p_flags: PF.PF_R | PF.PF_X,
    p_offset: 0x1000n,
    p_vaddr: 0x401000n,
    p_paddr: fields.p_vaddr ?? 0x401000n,
    p_filesz: 0x1000n,
    p_memsz: fields.p_filesz ?? 0x1000n,
    p_align: 0x1000n,
    ...fields,
  };
}
