/** What the reader's state was at the start of each line, so that a line can be read again by itself. */
import type { Bits } from "../encoder.js";
import type { SectionBuffer } from "../sections.js";
import type { FrameReader, LineObserver } from "../text/frame-reader.js";

/** What a plain line depends on beside symbols and macros. */
export interface ReaderState {
  readonly section: SectionBuffer;
  readonly bits: Bits;
  readonly defaultRelative: boolean;
  /** In NASM's dialect, the label that local labels belong to. */
  readonly owner: string;
}

/** A line of the source. */
export interface TrackedLine {
  /** Statements before it, macros and repetitions expanded. */
  statements: number;
  readonly state: ReaderState;
  /** It did nothing but append instructions, data and labels: no other line is read otherwise for it. */
  isPlain: boolean;
}

/** Lines that the reader came past; those of bodies and of branches that are not taken are `undefined`. */
export class LineTrack implements LineObserver {
  readonly lines: (TrackedLine | undefined)[] = [];
  /** Number of the line at index 0. */
  private readonly firstLine: number;
  private last: ReaderState | undefined;
  private changes = 0;

  constructor(firstLine: number) {
    this.firstLine = firstLine;
  }

  begin(reader: FrameReader): void {
    const { changes } = reader.program;
    const index = reader.line - this.firstLine;
    const before = this.lines[index - 1];
    if (before !== undefined && changes === this.changes) before.isPlain = true;
    this.changes = changes;
    this.last = stateOf(reader, this.last);
    this.lines[index] = { statements: reader.statements.count, state: this.last, isPlain: false };
  }

  /** Whether lines were read, and did nothing that others could tell. */
  arePlain(first: number, count: number): boolean {
    for (let i = first; i < first + count; i++) if (this.lines[i]?.isPlain !== true) return false;
    return true;
  }

  /** Puts lines in place of others; those behind have `statements` more before them. */
  replace(
    first: number,
    count: number,
    lines: readonly (TrackedLine | undefined)[],
    statements: number,
  ): void {
    this.lines.splice(first, count, ...lines);
    if (statements === 0) return;
    for (let i = first + lines.length; i < this.lines.length; i++) {
      const line = this.lines[i];
      if (line !== undefined) line.statements += statements;
    }
  }
}

/** The state of a reader; `last` if that has not changed. */
export function stateOf(reader: FrameReader, last?: ReaderState): ReaderState {
  const { section, encoder } = reader.program;
  const { bits } = encoder;
  const { defaultRelative } = reader;
  const owner = reader.dialect.name === "nasm" ? reader.scope.owner : "";
  const isSame =
    last !== undefined &&
    last.section === section &&
    last.bits === bits &&
    last.defaultRelative === defaultRelative &&
    last.owner === owner;
  return isSame ? last : { section, bits, defaultRelative, owner };
}

/** Puts a reader back into a state. */
export function restoreState(reader: FrameReader, state: ReaderState): void {
  const { encoder } = reader.program;
  encoder.section = state.section;
  encoder.setBits(state.bits);
  reader.defaultRelative = state.defaultRelative;
  reader.scope.owner = state.owner;
}
