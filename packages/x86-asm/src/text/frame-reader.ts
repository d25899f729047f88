/** Goes from text to text as macros, repetitions and includes open them, and keeps what there is to say about them. */
import type { AsmError, Diagnostic, Warning } from "../errors.js";
import type { Program } from "../program.js";
import { type Conditions, newConditions } from "./conditions.js";
import type { Dialect } from "./dialect.js";
import { type Frame, FrameList, setFrameText } from "./frames.js";
import type { NameTable } from "./names.js";
import type { Scope } from "./scope.js";
import { SourceReader } from "./source-reader.js";
import { StatementList } from "./statements.js";

/** Beyond this many complaints reading stops. */
export const MAX_ERRORS = 1000;

/** A complaint, and where: in a statement, from a column on. */
export interface Complaint {
  statement: number;
  readonly column: number | undefined;
  readonly length: number | undefined;
  readonly diagnostic: Diagnostic;
}

/** Is told where the lines of the main text begin, and where it ends. */
export interface LineObserver {
  begin(reader: FrameReader): void;
}

/** Complaints about a token, not about the statement as a whole. */
const READING_ERRORS: ReadonlySet<string> = new Set([
  "ERR_ASM_SYNTAX",
  "ERR_ASM_EXPRESSION",
  "ERR_ASM_DIRECTIVE",
  "ERR_ASM_SYMBOL",
]);

export abstract class FrameReader extends SourceReader {
  readonly frames: FrameList;
  readonly statements: StatementList;
  complaints: Complaint[] = [];
  /** What `.warning` said, by statement. */
  readonly remarks: { statement: number; readonly message: string }[] = [];
  observer: LineObserver | null = null;
  readonly conditions: Conditions = newConditions();
  /** Reading stops: an `.end`, or a complaint after which nothing makes sense. */
  protected stopped = false;

  /** `before` is a reader of the same program, with which positions are shared. */
  constructor(dialect: Dialect, program: Program, names: NameTable, scope: Scope, before?: FrameReader) {
    super(dialect, program, names, scope);
    this.frames = before?.frames ?? new FrameList();
    this.statements = before?.statements ?? new StatementList(this.frames);
  }

  /** What there is to complain about so far. */
  get errors(): Diagnostic[] {
    return this.complaints.map(({ statement, column, length, diagnostic }) => ({
      ...this.statements.positionOf(statement, column, length),
      ...diagnostic,
    }));
  }

  /** What the source warns of so far. */
  get warnings(): Warning[] {
    return this.remarks.map(({ statement, message }) => ({
      ...this.statements.positionOf(statement),
      message,
    }));
  }

  /** Warns of something in the statement here. */
  warn(message: string): void {
    this.program.changes++;
    if (this.remarks.length < MAX_ERRORS)
      this.remarks.push({ statement: this.program.encoder.line, message });
  }

  protected complain(statement: number, diagnostic: Diagnostic, column?: number, length?: number): void {
    this.complaints.push({ statement, column, length, diagnostic });
    if (this.complaints.length > MAX_ERRORS) this.stopped = true;
  }

  protected report(error: AsmError, statement: number, start: number, lineStart: number): void {
    const end = this.text.indexOf("\n", start);
    for (const diagnostic of error.errors) {
      const { operand } = diagnostic;
      let [from, to] = [start, Math.min(this.at, end)];
      if (operand !== undefined) [from, to] = [this.starts[operand]!, this.ends[operand]!];
      else if (READING_ERRORS.has(error.code) && this.tokenStart >= start) {
        from = this.tokenStart;
        to = Math.max(from + 1, this.at);
      }
      this.complain(statement, diagnostic, from - lineStart + 1, to - from);
    }
  }

  protected nextLine(): void {
    this.line++;
    this.lineStart = ++this.at;
    if (this.at >= this.text.length) this.leave();
    else if (this.observer !== null && this.frame.parent === null) this.observer.begin(this);
  }

  /** Reads another text, then goes on here. The rest of this line is read afterwards. */
  openFrame(opened: {
    file: string;
    firstLine: number;
    name: string;
    text: string;
    next?: () => string | null;
  }): void {
    this.program.changes++;
    this.frame.at = this.at;
    this.frame.line = this.line;
    this.frame.lineStart = this.lineStart;
    this.enter(this.frames.open(this.frame, { ...opened, conditions: this.conditions.stack.length }));
  }

  protected enter(frame: Frame): void {
    this.frame = frame;
    this.setText(frame.text, frame.codes, frame.at);
    this.line = frame.line;
    this.lineStart = frame.lineStart;
  }

  /** The text is at its end: repeats it, or goes back to where it was opened. */
  private leave(): void {
    const { frame } = this;
    const again = frame.next?.() ?? null;
    if (again !== null) {
      setFrameText(frame, again);
      this.setText(frame.text, frame.codes, 0);
      this.line = frame.firstLine;
      this.lineStart = 0;
      return;
    }
    this.checkConditions();
    if (frame.parent === null && !this.endedInside) this.observer?.begin(this);
    this.close();
  }

  /** Leaves a frame before its end, with the conditions that were opened in it. */
  close(): void {
    const { frame } = this;
    this.conditions.stack.length = Math.min(this.conditions.stack.length, frame.conditions);
    if (frame.parent === null) this.stopped = true;
    else this.enter(frame.parent);
  }

  /** Stops reading altogether. */
  stop(): void {
    this.stopped = true;
  }

  /** Complains about a condition that was opened in the text that ends here. */
  private checkConditions(): void {
    const open = this.conditions.stack[this.frame.conditions];
    if (open === undefined) return;
    this.complain(open.statement, {
      code: "ERR_ASM_MACRO",
      message: "this condition has no end",
      hint: this.dialect.name === "gas" ? "close it with .endif" : "close it with %endif",
    });
  }
}
