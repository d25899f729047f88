/**
 * Debugging information, so that a debugger shows the source and steps through it: DWARF 5. Published as
 * `@kvmkit/x86-asm/debug`.
 */
import type { Assembly } from "../assemble.js";
import type { SourceLine } from "../listing.js";
import type { AsmObject, ObjectSection, Relocation } from "../object.js";
import { ByteWriter } from "./byte-writer.js";
import { lineSection, type SectionLines } from "./line-program.js";

export interface DebugOptions {
  /** Name of the source; that of its first statement if not given. */
  readonly file?: string;
  /** The folder that file names are relative to: debuggers look for the sources there. */
  readonly directory?: string;
}

const DW_TAG_compile_unit = 0x11;
const DW_UT_compile = 1;
const DW_LANG_Mips_Assembler = 0x8001;
const DW_RLE = { end_of_list: 0, start_length: 7 } as const;
const ADDRESS_BYTES = 8;

/** Attributes of the compile unit and their forms (DWARF 5, "Attribute Encodings", "Form Encodings"). */
const ATTRIBUTES = [
  /* DW_AT_stmt_list, DW_FORM_sec_offset */ [0x10, 0x17],
  /* DW_AT_low_pc, DW_FORM_addr: what ranges are relative to */ [0x11, 0x01],
  /* DW_AT_ranges, DW_FORM_sec_offset */ [0x55, 0x17],
  /* DW_AT_name, DW_FORM_string */ [0x03, 0x08],
  /* DW_AT_comp_dir, DW_FORM_string */ [0x1b, 0x08],
  /* DW_AT_producer, DW_FORM_string */ [0x25, 0x08],
  /* DW_AT_language, DW_FORM_data2 */ [0x13, 0x05],
] as const;

/**
 * The object of an assembly with `.debug_line`, `.debug_info`, `.debug_abbrev` and `.debug_rnglists`, which say of
 * every statement in executable sections which bytes it became; those of macros are at the macro's own lines.
 * A source that has such sections itself, as compilers write them, is left alone.
 */
export function withDebugInfo(assembly: Assembly, options: DebugOptions = {}): AsmObject {
  const { object, lines } = assembly;
  if (object.sections.some(({ name }) => /^\.debug_(line|info|abbrev|rnglists)$/.test(name))) return object;
  const bySection = new Map<string, SourceLine[]>();
  for (const statement of lines) {
    const group = bySection.get(statement.section);
    if (group) group.push(statement);
    else bySection.set(statement.section, [statement]);
  }
  const sections = object.sections
    .filter(({ flags, sizeBytes }) => flags.execute && sizeBytes > 0)
    .map(({ name, sizeBytes }): SectionLines => ({ name, sizeBytes, lines: bySection.get(name) ?? [] }))
    .filter((section) => section.lines.length > 0);
  if (sections.length === 0) return object;
  const main = options.file ?? lines[0]!.file;
  const files = [...new Set([main, ...sections.flatMap((section) => section.lines.map(({ file }) => file))])];
  const directory = options.directory ?? ".";
  const line = lineSection(sections, files, directory);
  return {
    ...object,
    sections: [
      ...object.sections,
      section(".debug_line", line.bytes, line.relocations),
      infoSection(main, directory),
      section(".debug_abbrev", abbreviations()),
      rangesSection(sections),
    ],
  };
}

function section(name: string, bytes: Uint8Array, relocations: readonly Relocation[] = []): ObjectSection {
  const flags = { alloc: false, write: false, execute: false, nobits: false };
  return { name, bytes, sizeBytes: bytes.length, align: 1, flags, relocations };
}

/** One compile unit without children. */
function abbreviations(): Uint8Array {
  const out = new ByteWriter();
  for (const value of [1, DW_TAG_compile_unit, 0]) out.uleb(value);
  for (const value of ATTRIBUTES.flat()) out.uleb(value);
  for (const value of [0, 0, 0]) out.byte(value);
  return out.finish();
}

/** Bytes of the header of `.debug_rnglists` before its lists. */
const RANGES_HEADER = 12;

function infoSection(file: string, directory: string): ObjectSection {
  const out = new ByteWriter();
  const relocations: Relocation[] = [];
  const offsetIn = (symbol: string, addend: bigint) => {
    relocations.push({ offset: out.length, type: "R_X86_64_32", symbol, addend });
    out.number(0, 4);
  };
  out.number(0, 4);
  out.number(5, 2);
  out.byte(DW_UT_compile);
  out.byte(ADDRESS_BYTES);
  offsetIn(".debug_abbrev", 0n);
  out.uleb(1);
  offsetIn(".debug_line", 0n);
  out.number(0, ADDRESS_BYTES);
  offsetIn(".debug_rnglists", BigInt(RANGES_HEADER));
  out.text(file);
  out.text(directory);
  out.text("@kvmkit/x86-asm");
  out.number(DW_LANG_Mips_Assembler, 2);
  out.patch(0, out.length - 4, 4);
  return section(".debug_info", out.finish(), relocations);
}

function rangesSection(sections: readonly SectionLines[]): ObjectSection {
  const out = new ByteWriter();
  const relocations: Relocation[] = [];
  out.number(0, 4);
  out.number(5, 2);
  out.byte(ADDRESS_BYTES);
  out.byte(0);
  out.number(0, 4);
  for (const { name, sizeBytes } of sections) {
    out.byte(DW_RLE.start_length);
    relocations.push({ offset: out.length, type: "R_X86_64_64", symbol: name, addend: 0n });
    out.number(0, ADDRESS_BYTES);
    out.uleb(sizeBytes);
  }
  out.byte(DW_RLE.end_of_list);
  out.patch(0, out.length - 4, 4);
  return section(".debug_rnglists", out.finish(), relocations);
}
