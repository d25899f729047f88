/** The line number program: which line of which file the bytes of a section came from (DWARF 5, "Line Number Information"). */
import type { SourceLine } from "../listing.js";
import type { Relocation } from "../object.js";
import { ByteWriter } from "./byte-writer.js";

/** Standard and extended opcodes (DWARF 5, "The Line Number Program"). */
const DW_LNS = { copy: 1, advance_pc: 2, advance_line: 3, set_file: 4 } as const;
const DW_LNE = { end_sequence: 1, set_address: 2 } as const;
const DW_LNCT = { path: 1, directory_index: 2 } as const;
const DW_FORM = { string: 0x08, udata: 0x0f } as const;

/** A special opcode advances the line by `LINE_BASE` and up, and the address by what is left. */
const LINE_BASE = -5;
const LINE_RANGE = 14;
const OPCODE_BASE = 13;
/** Arguments of the standard opcodes 1 to 12. */
const OPCODE_LENGTHS = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];
const ADDRESS_BYTES = 8;

/** Statements of one section, in the order of their offsets. */
export interface SectionLines {
  readonly name: string;
  readonly sizeBytes: number;
  readonly lines: readonly SourceLine[];
}

/** The contents of `.debug_line` and its relocations. Files are named relative to `directory`; the first is the main one. */
export function lineSection(
  sections: readonly SectionLines[],
  files: readonly string[],
  directory: string,
): { bytes: Uint8Array; relocations: Relocation[] } {
  const out = new ByteWriter();
  const relocations: Relocation[] = [];
  out.number(0, 4);
  out.number(5, 2);
  out.byte(ADDRESS_BYTES);
  out.byte(0);
  out.number(0, 4);
  const headerStart = out.length;
  // Instructions have any length, and one operation each; a row is where a statement begins.
  for (const value of [1, 1, 1, LINE_BASE & 255, LINE_RANGE, OPCODE_BASE, ...OPCODE_LENGTHS]) out.byte(value);
  for (const value of [1, DW_LNCT.path, DW_FORM.string, 1]) out.byte(value);
  out.text(directory);
  for (const value of [2, DW_LNCT.path, DW_FORM.string, DW_LNCT.directory_index, DW_FORM.udata])
    out.byte(value);
  // The main file is number 0, and number 1 as well: readers of older versions count from there.
  const names = [files[0]!, ...files];
  out.uleb(names.length);
  for (const name of names) {
    out.text(name);
    out.byte(0);
  }
  out.patch(headerStart - 4, out.length - headerStart, 4);
  const numbers = new Map(files.map((name, i) => [name, i + 1]));
  for (const section of sections) {
    const offset = startSequence(out);
    relocations.push({ offset, type: "R_X86_64_64", symbol: section.name, addend: 0n });
    writeRows(out, section, numbers);
  }
  out.patch(0, out.length - 4, 4);
  return { bytes: out.finish(), relocations };
}

/** Begins a sequence at an address that is relocated; the offset of the address. */
function startSequence(out: ByteWriter): number {
  out.byte(0);
  out.byte(1 + ADDRESS_BYTES);
  out.byte(DW_LNE.set_address);
  out.number(0, ADDRESS_BYTES);
  return out.length - ADDRESS_BYTES;
}

function writeRows(
  out: ByteWriter,
  { sizeBytes, lines }: SectionLines,
  files: ReadonlyMap<string, number>,
): void {
  let [address, line, file] = [0, 1, 1];
  let isFirst = true;
  for (const statement of lines) {
    const number = files.get(statement.file)!;
    if (!isFirst && statement.line === line && number === file) continue;
    if (number !== file) {
      out.byte(DW_LNS.set_file);
      out.uleb(number);
    }
    writeRow(out, statement.line - line, statement.offset - address);
    [address, line, file, isFirst] = [statement.offset, statement.line, number, false];
  }
  out.byte(DW_LNS.advance_pc);
  out.uleb(sizeBytes - address);
  out.byte(0);
  out.byte(1);
  out.byte(DW_LNE.end_sequence);
}

/** Appends a row, `lines` and `bytes` from the last one. */
function writeRow(out: ByteWriter, lines: number, bytes: number): void {
  const isNear = lines >= LINE_BASE && lines < LINE_BASE + LINE_RANGE;
  if (!isNear) {
    out.byte(DW_LNS.advance_line);
    out.sleb(lines);
  }
  const special = (isNear ? lines - LINE_BASE : -LINE_BASE) + LINE_RANGE * bytes + OPCODE_BASE;
  if (special <= 255) {
    out.byte(special);
    return;
  }
  out.byte(DW_LNS.advance_pc);
  out.uleb(bytes);
  out.byte((isNear ? lines - LINE_BASE : -LINE_BASE) + OPCODE_BASE);
}
