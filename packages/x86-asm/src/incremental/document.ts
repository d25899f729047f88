/** A source, its lines, and what they assemble to. */
import { type AssembleOptions, type Assembly, DEFAULT_FILE, finish, readerFor } from "../assemble.js";
import { AsmError, asmError, type Diagnostic } from "../errors.js";
import type { TextAssembler } from "../text/text-assembler.js";
import { LineTrack } from "./line-track.js";
import { replaceLines } from "./replace-lines.js";

/** Lines that take the place of others. */
export interface LineEdit {
  /** The first line that goes, from 1; to append, the number of lines plus 1. */
  readonly line: number;
  /** How many go: 1 if not given, 0 to insert. */
  readonly remove?: number;
  /** What stands there then; without line ends. */
  readonly insert: readonly string[];
}

/** What the last edit led to: bytes, or complaints. */
type Outcome = { readonly assembly: Assembly } | { readonly errors: readonly Diagnostic[] };

/** A document keeps a little about every symbol that a line once named; beyond this many it starts afresh. */
const SPARE_SYMBOLS = 10_000;

/** A source that is edited line by line, with what it assembles to: always what `assemble` makes of its text. */
export class AssemblyDocument {
  private readonly options: AssembleOptions;
  private readonly source: string[];
  private reader!: TextAssembler;
  private track!: LineTrack;
  private symbolLimit = 0;
  private outcome: Outcome | undefined;
  private fullReads = 0;

  constructor(source: string, options: AssembleOptions = {}) {
    this.options = options;
    this.source = source.split("\n");
    this.readAll();
  }

  /** The lines of the source. */
  get lines(): readonly string[] {
    return this.source;
  }

  /** How often the whole source was read: once when it was opened, and for each edit that needed it. */
  get timesReadWhole(): number {
    return this.fullReads;
  }

  /** Everything that is wrong with the source, as `check` would say. */
  get errors(): readonly Diagnostic[] {
    const outcome = this.finished();
    return "errors" in outcome ? outcome.errors : [];
  }

  /** What the source assembles to; `undefined` while there are errors. */
  get assembly(): Assembly | undefined {
    const outcome = this.finished();
    return "assembly" in outcome ? outcome.assembly : undefined;
  }

  /** Replaces lines. Throws `ERR_ASM_ARGUMENT` for lines that do not exist. */
  edit({ line, remove = 1, insert }: LineEdit): void {
    const first = line - 1;
    if (!Number.isInteger(first) || first < 0 || !Number.isInteger(remove) || remove < 0) throw outside(line);
    if (first + remove > this.source.length) throw outside(line + remove - 1);
    if (remove === this.source.length && insert.length === 0) insert = [""];
    const lines = insert.flatMap((text) => text.split("\n"));
    const others = this.source.splice(first, remove, ...lines);
    this.outcome = undefined;
    const isSplit = [...others, ...lines].some((text) => spansLines(text, this.options));
    const isRead =
      !isSplit &&
      this.reader.program.symbols.entries.length < this.symbolLimit &&
      replaceLines(this.reader, this.track, first, remove, lines);
    if (!isRead) this.readAll();
  }

  private readAll(): void {
    this.fullReads++;
    this.reader = readerFor(this.options);
    this.reader.program.differences = [];
    this.track = new LineTrack(1);
    const text = this.source.join("\n");
    const file = this.options.file ?? DEFAULT_FILE;
    if (this.source.some((line) => spansLines(line, this.options))) {
      // No line can be read by itself, so none is tracked.
      this.reader.assemble(text, file);
    } else {
      this.reader.observer = this.track;
      this.reader.assemble(`${text}\n`, file);
    }
    this.symbolLimit = 2 * this.reader.program.symbols.entries.length + SPARE_SYMBOLS;
  }

  private finished(): Outcome {
    this.outcome ??= this.finish();
    return this.outcome;
  }

  private finish(): Outcome {
    try {
      return { assembly: finish(this.reader, this.options.file ?? DEFAULT_FILE, () => this.source) };
    } catch (error) {
      if (error instanceof AsmError) return { errors: error.errors };
      throw error;
    }
  }
}

/** Whether a line is part of something that goes on in others: a comment, or a line that a backslash continues. */
function spansLines(text: string, { dialect }: AssembleOptions): boolean {
  return dialect === "nasm" ? /\\\r?$/.test(text) : text.includes("/*") || text.includes("*/");
}

function outside(line: number): AsmError {
  return asmError("ERR_ASM_ARGUMENT", `the source has no line ${line}`);
}
