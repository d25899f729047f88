/** From a source to its bytes, and back: which bytes each statement became, and the listing that shows them. */
import type { SectionLayout } from "./layout.js";
import type { AsmObject } from "./object.js";
import { type StatementList, StatementWord } from "./text/statements.js";

/** A source statement and the bytes that it became. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly section: string;
  /** Offset in the section. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** Depth of macros and includes around it. */
  readonly depth: number;
}

/** Lines of a source, from 1, both included. */
export interface LineRange {
  readonly from: number;
  readonly to: number;
}

/** The statements that became bytes, in the order of the source; where a range is given, those of its lines. */
export function sourceLines(
  statements: StatementList,
  layouts: readonly SectionLayout[],
  { from, to }: LineRange = { from: 0, to: Number.MAX_SAFE_INTEGER },
): SourceLine[] {
  const { words, count } = statements;
  const { stride } = StatementWord;
  const found: SourceLine[] = [];
  // What a statement made ends where the next one of its section begins.
  const ends = Int32Array.from(layouts, ({ sizeBytes }) => sizeBytes);
  for (let at = (count - 1) * stride; at >= 0; at -= stride) {
    const index = words[at + StatementWord.section]!;
    const { section, growth } = layouts[index]!;
    const offset = words[at + StatementWord.offset]! + growth[words[at + StatementWord.variables]!]!;
    const sizeBytes = ends[index]! - offset;
    ends[index] = offset;
    const line = words[at + StatementWord.line]!;
    if (sizeBytes <= 0 || line < from || line > to) continue;
    const { file, depth } = statements.frameOf(at / stride + 1);
    const column = words[at + StatementWord.column]!;
    found.push({ file, line, column, section: section.name, offset, sizeBytes, depth });
  }
  return found.reverse();
}

/** Bytes in a row. */
const ROW_BYTES = 8;

/** Number, offset, bytes and text of the lines of `source` in a range; `lines` are the statements in it. */
export function listing(
  source: readonly string[],
  file: string,
  lines: readonly SourceLine[],
  object: AsmObject,
  { from, to }: LineRange = { from: 1, to: source.length },
): string {
  const sections = new Map(object.sections.map((section) => [section.name, section]));
  const byLine = new Map<number, SourceLine[]>();
  for (const line of lines) {
    if (line.file !== file) continue;
    const group = byLine.get(line.line);
    if (group) group.push(line);
    else byLine.set(line.line, [line]);
  }
  return source
    .slice(from - 1, to)
    .flatMap((text, i) => {
      const number = String(from + i).padStart(6);
      const rows = (byLine.get(from + i) ?? []).flatMap((line) =>
        hexRows(line, sections.get(line.section)?.bytes),
      );
      const first = rows[0] ?? " ".repeat(9 + 2 * ROW_BYTES);
      return [
        `${number} ${first}  ${text}`.trimEnd(),
        ...rows.slice(1).map((row) => `${number} ${row}`.trimEnd()),
      ];
    })
    .join("\n");
}

function hexRows({ offset, sizeBytes }: SourceLine, bytes: Uint8Array | undefined): string[] {
  const rows: string[] = [];
  for (let at = 0; at < sizeBytes; at += ROW_BYTES) {
    const count = Math.min(ROW_BYTES, sizeBytes - at);
    const part = bytes?.subarray(offset + at, offset + at + count) ?? [];
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    rows.push(`${(offset + at).toString(16).padStart(8, "0")} ${hex.padEnd(2 * ROW_BYTES)}`);
  }
  return rows;
}
