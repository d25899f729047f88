/** Where each statement stands in the source, and what it made. */
import type { Diagnostic } from "../errors.js";
import type { SectionBuffer } from "../sections.js";
import { callStack, type Frame, type FrameList } from "./frames.js";

/** Words of a statement's record. */
export const StatementWord = {
  frame: 0,
  line: 1,
  /** From 1. */
  column: 2,
  /** Characters. */
  length: 3,
  section: 4,
  /** Offset in the section, and variables before it. */
  offset: 5,
  variables: 6,
  stride: 7,
} as const;

export class StatementList {
  words = new Int32Array(256 * StatementWord.stride);
  count = 0;
  private readonly frames: FrameList;

  constructor(frames: FrameList) {
    this.frames = frames;
  }

  /** Records a statement that begins here; its number counts from 1. */
  add(frame: Frame, line: number, column: number, section: SectionBuffer): number {
    this.reserve(1);
    const at = this.count * StatementWord.stride;
    const { words } = this;
    words[at] = frame.index;
    words[at + StatementWord.line] = line;
    words[at + StatementWord.column] = column;
    words[at + StatementWord.length] = 0;
    words[at + StatementWord.section] = section.index;
    words[at + StatementWord.offset] = section.length;
    words[at + StatementWord.variables] = section.variables.count;
    return ++this.count;
  }

  /** Makes room for `count` more statements. */
  reserve(count: number): void {
    const needed = (this.count + count) * StatementWord.stride;
    if (needed <= this.words.length) return;
    const words = new Int32Array(Math.max(needed, this.words.length * 2));
    words.set(this.words);
    this.words = words;
  }

  setLength(statement: number, length: number): void {
    this.words[(statement - 1) * StatementWord.stride + StatementWord.length] = length;
  }

  frameOf(statement: number): Frame {
    return this.frames.frames[this.words[(statement - 1) * StatementWord.stride]!]!;
  }

  /** Position fields for a complaint about a statement; `column` and `length` narrow it down. */
  positionOf(statement: number, column?: number, length?: number): Partial<Diagnostic> {
    if (statement === 0) return {};
    const at = (statement - 1) * StatementWord.stride;
    const frame = this.frameOf(statement);
    const stack = callStack(frame);
    return {
      file: frame.file,
      line: this.words[at + StatementWord.line]!,
      column: column ?? this.words[at + StatementWord.column]!,
      length: Math.max(1, length ?? this.words[at + StatementWord.length]!),
      ...(stack.length > 0 ? { stack } : {}),
    };
  }
}
