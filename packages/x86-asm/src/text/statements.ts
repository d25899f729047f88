/** Where each statement stands in the source, and what it made. */
import type { Diagnostic } from "../errors.js";
import type { SectionBuffer } from "../sections.js";
import { callStack, type Frame, type FrameList } from "./frames.js";

/** Words of a statement's record. */
export const StatementWord = {
  frame: 0,
  line: 1,
  /** Offsets in the frame's text. */
  start: 2,
  end: 3,
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
  add(frame: Frame, line: number, start: number, section: SectionBuffer): number {
    const at = this.count * StatementWord.stride;
    if (at === this.words.length) {
      const words = new Int32Array(at * 2);
      words.set(this.words);
      this.words = words;
    }
    const { words } = this;
    words[at] = frame.index;
    words[at + StatementWord.line] = line;
    words[at + StatementWord.start] = start;
    words[at + StatementWord.end] = start;
    words[at + StatementWord.section] = section.index;
    words[at + StatementWord.offset] = section.length;
    words[at + StatementWord.variables] = section.variables.count;
    return ++this.count;
  }

  setEnd(statement: number, end: number): void {
    this.words[(statement - 1) * StatementWord.stride + StatementWord.end] = end;
  }

  frameOf(statement: number): Frame {
    return this.frames.frames[this.words[(statement - 1) * StatementWord.stride]!]!;
  }

  /** Position fields for a complaint about a statement; `start` and `end` narrow it down. */
  positionOf(statement: number, start?: number, end?: number): Partial<Diagnostic> {
    if (statement === 0) return {};
    const at = (statement - 1) * StatementWord.stride;
    const frame = this.frameOf(statement);
    const from = start ?? this.words[at + StatementWord.start]!;
    const to = end ?? this.words[at + StatementWord.end]!;
    const lineStart = frame.text.lastIndexOf("\n", from - 1) + 1;
    const stack = callStack(frame);
    return {
      file: frame.file,
      line: this.words[at + StatementWord.line]!,
      column: from - lineStart + 1,
      length: Math.max(1, to - from),
      ...(stack.length > 0 ? { stack } : {}),
    };
  }
}
