/** Writes linked files: programs, kernels, core files. gABI, "Program Header"; one section per segment. */
import { ET, PF, PT, SHF, SHN, SHT } from "./constants.js";
import { encodingOf, FileBuilder } from "./file-builder.js";
import type { ExecutableModel, SegmentModel } from "./model.js";
import { byteArray, modelError, nameText, powerOfTwo, unsigned } from "./model-check.js";
import { addSection } from "./section-writer.js";
import type { PHDR, StructValue } from "./structs.js";
import { addSymbols } from "./symbol-writer.js";

type ProgramHeader = StructValue<typeof PHDR>;

interface Segment extends ProgramHeader {
  readonly bytes: Uint8Array;
  readonly name: string | undefined;
  readonly path: string;
}

/** Errors: ERR_ELF_MODEL. */
export function writeExecutable(model: ExecutableModel): Uint8Array {
  const encoding = encodingOf(model);
  const bits = encoding.is64 ? 64 : 32;
  const segments = model.segments.map((segment, i) => checkedSegment(segment, `segments[${i}]`, bits));
  const loads = inMemoryOrder(segments);
  const others = segments.filter(({ p_type }) => p_type !== PT.PT_LOAD);
  const type = Number(unsigned("type", model.type ?? ET.ET_EXEC, 16));
  const stack = type === ET.ET_CORE ? [] : [stackHeader(model.executableStack ?? false)];

  const builder = new FileBuilder(encoding, segments.length + stack.length);
  for (const segment of [...others, ...loads]) {
    segment.p_offset = builder.append(segment.bytes, segment.p_align, segment.p_vaddr);
  }
  const sections = describeLoads(builder, loads);
  (model.sections ?? []).forEach((section, i) => {
    sections.set(section.name, addSection(builder, section, `sections[${i}]`));
  });
  if (model.symbols !== undefined && model.symbols.length > 0) {
    addSymbols(builder, model.symbols, sections, (_, value) => sectionAt(loads, sections, value));
  }
  const headers = [...others, ...loads].map(programHeader);
  return builder.finish(model, type, unsigned("entry", model.entry, bits), [...headers, ...stack]);
}

function checkedSegment(segment: SegmentModel, path: string, bits: number): Segment {
  const bytes = byteArray(`${path}.bytes`, segment.bytes);
  const p_type = Number(unsigned(`${path}.type`, segment.type ?? PT.PT_LOAD, 32));
  const isLoad = p_type === PT.PT_LOAD;
  const p_vaddr = unsigned(`${path}.vaddr`, segment.vaddr, bits);
  const p_memsz = unsigned(`${path}.memSizeBytes`, segment.memSizeBytes ?? bytes.length, bits);
  if (isLoad && p_memsz < bytes.length) {
    throw modelError(`${path}.memSizeBytes`, p_memsz, `at least the ${bytes.length} of bytes`);
  }
  if (p_vaddr + p_memsz > 1n << BigInt(bits)) {
    throw modelError(`${path}.memSizeBytes`, p_memsz, "a segment that ends within the address space");
  }
  return {
    path,
    bytes,
    name: segment.name === undefined ? undefined : nameText(`${path}.name`, segment.name),
    p_type,
    p_flags: Number(unsigned(`${path}.flags`, segment.flags, 32)),
    p_offset: 0n,
    p_vaddr,
    p_paddr: unsigned(`${path}.paddr`, segment.paddr ?? p_vaddr, bits),
    p_filesz: BigInt(bytes.length),
    p_memsz,
    p_align: powerOfTwo(`${path}.align`, segment.align ?? (isLoad ? 4096 : 1), bits),
  };
}

/** gABI, "Program Header": PT_LOAD entries ascend by p_vaddr. */
function inMemoryOrder(segments: readonly Segment[]): Segment[] {
  const loads = segments
    .filter(({ p_type }) => p_type === PT.PT_LOAD)
    .sort((a, b) => (a.p_vaddr < b.p_vaddr ? -1 : a.p_vaddr > b.p_vaddr ? 1 : 0));
  let end = 0n;
  for (const { path, p_vaddr, p_memsz } of loads) {
    if (p_vaddr < end)
      throw modelError(`${path}.vaddr`, p_vaddr, `at least 0x${end.toString(16)}, where another ends`);
    end = p_vaddr + p_memsz;
  }
  return loads;
}

function stackHeader(executable: boolean): ProgramHeader {
  return {
    p_type: PT.PT_GNU_STACK,
    p_flags: PF.PF_R | PF.PF_W | (executable ? PF.PF_X : 0),
    p_offset: 0n,
    p_vaddr: 0n,
    p_paddr: 0n,
    p_filesz: 0n,
    p_memsz: 0n,
    p_align: 16n,
  };
}

function programHeader({ path: _, bytes: __, name: ___, ...header }: Segment): ProgramHeader {
  return header;
}

/** Gives every PT_LOAD a section for its bytes and one for its bss, so that tools can name addresses. */
function describeLoads(builder: FileBuilder, loads: readonly Segment[]): Map<string, number> {
  const sections = new Map<string, number>();
  for (const segment of loads) {
    const sh_flags = BigInt(
      SHF.SHF_ALLOC |
        (segment.p_flags & PF.PF_W ? SHF.SHF_WRITE : 0) |
        (segment.p_flags & PF.PF_X ? SHF.SHF_EXECINSTR : 0),
    );
    const { p_vaddr, p_offset, p_filesz, p_memsz, p_align } = segment;
    if (p_filesz > 0n) {
      const name = unusedName(sections, segment.name ?? defaultName(segment.p_flags));
      const sh_addralign = p_vaddr % p_align === 0n ? p_align : 1n;
      const place = { sh_addr: p_vaddr, sh_offset: p_offset, sh_size: p_filesz, sh_addralign };
      sections.set(name, builder.describe({ name, sh_type: SHT.SHT_PROGBITS, sh_flags, ...place }));
    }
    if (p_memsz > p_filesz) {
      const name = unusedName(sections, p_filesz > 0n ? ".bss" : (segment.name ?? ".bss"));
      const place = {
        sh_addr: p_vaddr + p_filesz,
        sh_offset: p_offset + p_filesz,
        sh_size: p_memsz - p_filesz,
      };
      sections.set(
        name,
        builder.describe({ name, sh_type: SHT.SHT_NOBITS, sh_flags, ...place, sh_addralign: 1n }),
      );
    }
  }
  return sections;
}

function defaultName(flags: number): string {
  if (flags & PF.PF_X) return ".text";
  return flags & PF.PF_W ? ".data" : ".rodata";
}

/** `.text`, `.text.1`, `.text.2` … */
function unusedName(taken: ReadonlyMap<string, number>, name: string): string {
  let unused = name;
  for (let n = 1; taken.has(unused); n++) unused = `${name}.${n}`;
  return unused;
}

/** The section that holds an address; SHN_ABS where none does. */
function sectionAt(loads: readonly Segment[], sections: ReadonlyMap<string, number>, value: bigint): number {
  let index = Math.min(...sections.values());
  for (const { p_vaddr, p_filesz, p_memsz } of loads) {
    if (p_filesz > 0n) {
      if (value >= p_vaddr && value < p_vaddr + p_filesz) return index;
      index++;
    }
    if (p_memsz > p_filesz) {
      if (value >= p_vaddr + p_filesz && value <= p_vaddr + p_memsz) return index;
      index++;
    }
  }
  return SHN.SHN_ABS;
}
