/**
 * Reads lines of a source anew in place of others: takes out what they had made and what stands behind, reads, and
 * appends what stood behind, moved.
 */
import type { Difference } from "../program.js";
import type { SectionBuffer } from "../sections.js";
import { type SymbolEntry, SymbolPlace } from "../symbols.js";
import { type Complaint, MAX_ERRORS } from "../text/frame-reader.js";
import { StatementWord } from "../text/statements.js";
import type { TextAssembler } from "../text/text-assembler.js";
import { LineTrack, restoreState, stateOf } from "./line-track.js";
import {
  cutSection,
  cutStatements,
  fixesUpTo,
  moveLines,
  pasteSection,
  pasteStatements,
  type SectionMark,
} from "./section-edits.js";

/** The statements of the lines that go: those behind number `first`, up to number `end`. */
interface Span {
  readonly first: number;
  readonly end: number;
  /** The section that the lines write to. */
  readonly section: SectionBuffer;
}

/** How far what stands behind the lines moves. */
interface Shift {
  readonly bytes: number;
  readonly variables: number;
  readonly statements: number;
  readonly lines: number;
}

/** What stands behind the lines, beside what is in sections. */
interface Behind {
  readonly statements: Int32Array;
  readonly symbols: readonly SymbolEntry[];
  readonly differences: readonly Difference[];
  readonly complaints: readonly Complaint[];
  readonly remarks: readonly { statement: number }[];
}

/**
 * Reads `texts` in place of the `count` lines from index `first` on. `false` where lines cannot be read by
 * themselves: reader and track are of no more use then.
 */
export function replaceLines(
  reader: TextAssembler,
  track: LineTrack,
  first: number,
  count: number,
  texts: readonly string[],
): boolean {
  const start = track.lines[first];
  const next = track.lines[first + count];
  if (start === undefined || next === undefined || !track.arePlain(first, count)) return false;
  const { section } = start.state;
  const span = { first: start.statements, end: next.statements, section };
  const from = markAt(reader, section, span.first);
  const to = markAt(reader, section, span.end);
  if (from === undefined || to === undefined || !areInOrder(reader.complaints)) return false;

  const labels = forgetLabels(reader, span);
  const behind = takeBehind(reader, span);
  const tail = cutSection(section, from, to);
  restoreState(reader, start.state);
  const read = readLines(reader, first, texts);
  if (read === undefined || stateOf(reader, next.state) !== next.state) return false;

  const shift = {
    bytes: section.length - to.length,
    variables: section.variables.count - to.variables,
    statements: reader.statements.count - span.end,
    lines: texts.length - count,
  };
  const isAlone = reader.complaints.length === 0 && behind.complaints.length === 0;
  moveSymbols(behind.symbols, section, shift);
  if (!mayChange(reader, labels, labelsOf(reader, span.first, span.end + shift.statements), isAlone))
    return false;
  for (const other of reader.program.sections) {
    if (other === section) pasteSection(section, tail, shift.statements);
    else moveLines(other, span.end, shift.statements);
  }
  if (!appendBehind(reader, behind, section, shift, first + count)) return false;
  track.replace(first, count, read.lines.slice(0, texts.length), shift.statements);
  return true;
}

/** Where a section stood when `statements` statements had been read: the next one is in it, or it is at its end. */
function markAt(
  { statements }: TextAssembler,
  section: SectionBuffer,
  count: number,
): SectionMark | undefined {
  const fixes = fixesUpTo(section, count);
  if (count === statements.count) {
    return { length: section.length, fixes, variables: section.variables.count };
  }
  const at = count * StatementWord.stride;
  if (statements.words[at + StatementWord.section] !== section.index) return undefined;
  const length = statements.words[at + StatementWord.offset]!;
  return { length, fixes, variables: statements.words[at + StatementWord.variables]! };
}

/** Complaints are in the order of their statements, unless one is about something that has no end. */
function areInOrder(complaints: readonly Complaint[]): boolean {
  return complaints.every(
    ({ statement, diagnostic }, i) =>
      diagnostic.code !== "ERR_ASM_MACRO" && (i === 0 || statement >= complaints[i - 1]!.statement),
  );
}

/** The names of the labels of statements behind number `first`, up to number `end`. */
function labelsOf({ program }: TextAssembler, first: number, end: number): Set<string> {
  const names = new Set<string>();
  for (const { name, line, place } of program.symbols.entries) {
    if (name !== "" && line > first && line <= end && place !== SymbolPlace.undefined) names.add(name);
  }
  return names;
}

/** Makes the labels of a span undefined; their names. */
function forgetLabels(reader: TextAssembler, { first, end }: Span): ReadonlySet<string> {
  const names = labelsOf(reader, first, end);
  for (const symbol of reader.program.symbols.entries) {
    if (symbol.line <= first || symbol.line > end || symbol.place < 0) continue;
    symbol.place = SymbolPlace.undefined;
    symbol.value = 0;
    if (symbol.name !== "") symbol.isTemporary = false;
  }
  return names;
}

/** Takes out what stands behind a span, and forgets what stands in it. */
function takeBehind(reader: TextAssembler, { first, end }: Span): Behind {
  const { statements, program, complaints } = reader;
  const differences = program.differences!;
  const behind = {
    statements: cutStatements(statements, first, end),
    symbols: program.symbols.entries.filter(({ line }) => line > end),
    differences: differences.filter(({ line }) => line > end),
    complaints: complaints.filter(({ statement }) => statement > end),
    // No plain line warns of anything, so that none goes and none comes.
    remarks: reader.remarks.filter(({ statement }) => statement > end),
  };
  program.differences = differences.filter(({ line }) => line <= first);
  reader.complaints = complaints.filter(({ statement }) => statement <= first);
  return behind;
}

/** Reads lines, the first of which has index `first`; `undefined` if they are not plain. */
function readLines(reader: TextAssembler, first: number, texts: readonly string[]): LineTrack | undefined {
  const read = new LineTrack(first + 1);
  if (texts.length === 0) return read;
  const before = reader.complaints.length;
  reader.observer = read;
  reader.readAgain(`${texts.join("\n")}\n`, first + 1);
  const isComplete = read.lines[texts.length] !== undefined && read.arePlain(0, texts.length);
  // A label that is defined twice is the fault of the line that comes second.
  const isClash = reader.complaints
    .slice(before)
    .some(({ diagnostic }) => diagnostic.code === "ERR_ASM_SYMBOL");
  return isComplete && !isClash ? read : undefined;
}

/**
 * Whether labels can come and go without another line being read otherwise: no condition asks for them, and no
 * complaint elsewhere can be about them.
 */
function mayChange(
  { program }: TextAssembler,
  before: ReadonlySet<string>,
  after: ReadonlySet<string>,
  isAlone: boolean,
): boolean {
  const changed = [...before, ...after].filter((name) => before.has(name) !== after.has(name));
  return changed.length === 0 || (isAlone && !changed.some((name) => program.observed.has(name)));
}

function moveSymbols(symbols: readonly SymbolEntry[], section: SectionBuffer, shift: Shift): void {
  for (const symbol of symbols) {
    symbol.line += shift.statements;
    if (symbol.place !== section.index) continue;
    symbol.value = (symbol.value as number) + shift.bytes;
    symbol.variablesBefore += shift.variables;
  }
}

/** Appends what stood behind line number `line`; whether nothing of it would be read otherwise now. */
function appendBehind(
  reader: TextAssembler,
  behind: Behind,
  section: SectionBuffer,
  shift: Shift,
  line: number,
): boolean {
  const { program, complaints } = reader;
  for (const remark of behind.remarks) remark.statement += shift.statements;
  for (const complaint of behind.complaints) {
    complaint.statement += shift.statements;
    complaints.push(complaint);
  }
  const differences = program.differences!;
  for (const difference of behind.differences) {
    difference.line += shift.statements;
    differences.push(difference);
  }
  if (shift.lines !== 0 && !moveFrames(reader, line, shift.lines)) return false;
  appendStatements(reader, behind.statements, section, shift, line);
  return complaints.length <= MAX_ERRORS && differences.every((difference) => program.holds(difference));
}

function appendStatements(
  { statements, frames }: TextAssembler,
  words: Int32Array,
  section: SectionBuffer,
  shift: Shift,
  line: number,
): void {
  const first = statements.count * StatementWord.stride;
  pasteStatements(statements, words);
  const end = statements.count * StatementWord.stride;
  const pasted = statements.words;
  if (shift.bytes !== 0 || shift.variables !== 0) {
    const { index } = section;
    for (let at = first; at < end; at += StatementWord.stride) {
      if (pasted[at + StatementWord.section] !== index) continue;
      pasted[at + StatementWord.offset]! += shift.bytes;
      pasted[at + StatementWord.variables]! += shift.variables;
    }
  }
  if (shift.lines === 0) return;
  const { file } = frames.frames[0]!;
  for (let at = first; at < end; at += StatementWord.stride) {
    const isBehind = pasted[at + StatementWord.line]! > line && frames.frames[pasted[at]!]!.file === file;
    if (isBehind) pasted[at + StatementWord.line]! += shift.lines;
  }
}

/** Moves what frames say of lines behind `line`; `false` where the source includes itself. */
function moveFrames({ frames: { frames } }: TextAssembler, line: number, lines: number): boolean {
  const { file } = frames[0]!;
  for (const frame of frames.slice(1)) {
    if (frame.name === "include" && frame.file === file) return false;
    if (frame.file === file && frame.firstLine > line) frame.firstLine += lines;
    const call = frame.calledFrom;
    if (call !== null && call.file === file && call.line > line) {
      frame.calledFrom = { ...call, line: call.line + lines };
    }
  }
  return true;
}
