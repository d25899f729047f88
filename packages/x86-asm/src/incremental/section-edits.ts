/** Takes parts out of the lists that a program is written to, and puts them back, moved. */
import type { Integer } from "../integers.js";
import { FixWord, type RecordList, type SectionBuffer, VariableWord } from "../sections.js";
import { type StatementList, StatementWord } from "../text/statements.js";

/** A place in a section. */
export interface SectionMark {
  readonly length: number;
  readonly fixes: number;
  readonly variables: number;
}

/** What stood behind a place of a section. */
export interface SectionTail {
  readonly mark: SectionMark;
  readonly bytes: Uint8Array;
  readonly fixes: Records;
  readonly variables: Records;
}

interface Records {
  readonly words: Int32Array;
  readonly addends: readonly Integer[];
}

/** Takes out what stands in a section from `mark` on; what stands before `end` is dropped. */
export function cutSection(section: SectionBuffer, mark: SectionMark, end: SectionMark): SectionTail {
  const bytes = section.bytes.slice(end.length, section.length);
  const fixes = cutRecords(section.fixes, FixWord.stride, end.fixes);
  const variables = cutRecords(section.variables, VariableWord.stride, end.variables);
  section.length = mark.length;
  section.fixes.truncate(mark.fixes);
  section.variables.truncate(mark.variables);
  return { mark: end, bytes, fixes, variables };
}

/** Appends what was taken out, for which there are `lines` more lines before it. */
export function pasteSection(section: SectionBuffer, tail: SectionTail, lines: number): void {
  const { mark, bytes, fixes, variables } = tail;
  const moved = section.length - mark.length;
  const more = section.variables.count - mark.variables;
  for (let at = 0; at < fixes.words.length; at += FixWord.stride) {
    fixes.words[at]! += moved;
    fixes.words[at + FixWord.variablesBefore]! += more;
    fixes.words[at + FixWord.line]! += lines;
  }
  for (let at = 0; at < variables.words.length; at += VariableWord.stride) {
    variables.words[at]! += moved;
    variables.words[at + VariableWord.line]! += lines;
  }
  section.append(bytes);
  pasteRecords(section.fixes, FixWord.stride, fixes);
  pasteRecords(section.variables, VariableWord.stride, variables);
}

/** Adds `lines` to the line of every record of a section behind `line`. */
export function moveLines({ fixes, variables }: SectionBuffer, line: number, lines: number): void {
  moveWord(fixes, FixWord.stride, FixWord.line, line, lines);
  moveWord(variables, VariableWord.stride, VariableWord.line, line, lines);
}

function moveWord(list: RecordList, stride: number, word: number, limit: number, by: number): void {
  const { words, count } = list;
  for (let i = countUpTo(list, stride, word, limit); i < count; i++) words[i * stride + word]! += by;
}

/** The number of records whose word `word`, which never falls from record to record, is at most `limit`. */
function countUpTo({ words, count }: RecordList, stride: number, word: number, limit: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[middle * stride + word]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The number of fixes of lines up to `line`. */
export function fixesUpTo({ fixes }: SectionBuffer, line: number): number {
  return countUpTo(fixes, FixWord.stride, FixWord.line, line);
}

function cutRecords(list: RecordList, stride: number, first: number): Records {
  const words = list.words.slice(first * stride, list.count * stride);
  return { words, addends: list.addends.splice(first) };
}

function pasteRecords(list: RecordList, stride: number, { words, addends }: Records): void {
  const at = list.count * stride;
  if (at + words.length > list.words.length) {
    const grown = new Int32Array(2 * (at + words.length));
    grown.set(list.words.subarray(0, at));
    list.words = grown;
  }
  list.words.set(words, at);
  for (const addend of addends) list.addends.push(addend);
}

/** Takes the statements behind number `first` out of a list; the result has those behind number `end`. */
export function cutStatements(list: StatementList, first: number, end: number): Int32Array {
  const behind = list.words.slice(end * StatementWord.stride, list.count * StatementWord.stride);
  list.count = first;
  return behind;
}

/** Appends what was taken out. */
export function pasteStatements(list: StatementList, behind: Int32Array): void {
  const count = behind.length / StatementWord.stride;
  list.reserve(count);
  list.words.set(behind, list.count * StatementWord.stride);
  list.count += count;
}
