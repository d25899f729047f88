/** Goes through source without assembling it: bodies of macros and repetitions, branches that are not taken. */
import { asmError } from "../errors.js";
import { Class } from "./dialect.js";
import type { Frame } from "./frames.js";
import { OperandReader } from "./operand-reader.js";

const NEWLINE = 10;
const QUOTE = 34;
const APOSTROPHE = 39;
const COLON = 58;
const SEMICOLON = 59;
const PERCENT = 37;
const BACKSLASH = 92;
const BACKQUOTE = 96;

export interface Body {
  readonly text: string;
  /** Line number of its first line. */
  readonly firstLine: number;
}

export abstract class SourceReader extends OperandReader {
  frame!: Frame;
  /** Line number here. */
  line = 1;
  /** Where the line here begins in the text. */
  lineStart = 0;
  /** The text ended in a body or a branch that is not taken. */
  endedInside = false;

  /** The rest of the statement, without the comment or separator behind it. */
  restOfStatement(): string {
    this.skipBlanks();
    const start = this.at;
    this.skipStatement();
    return this.text.slice(start, this.at).trimEnd();
  }

  /** A word or a quoted string, as a macro's default is written. */
  readMacroArgument(): string {
    if (this.next() === QUOTE) return this.readString();
    const start = this.at;
    while (!this.atEnd() && this.peek() !== 44) {
      if (this.at > start && /\s/.test(this.text[this.at - 1]!)) break;
      this.at++;
    }
    return this.text.slice(start, this.at).trim();
  }

  /** Goes to the newline, comment or separator that ends the statement; quotes hide what is in them. */
  private skipStatement(): void {
    const { codes } = this;
    const { classes, name } = this.dialect;
    for (;;) {
      const code = codes[this.at]!;
      if ((classes[code]! & Class.end) !== 0) return;
      this.at++;
      if (code === QUOTE || (name === "nasm" && (code === APOSTROPHE || code === BACKQUOTE)))
        this.skipQuoted(code);
      else if (code === APOSTROPHE && codes[this.at]! !== NEWLINE) {
        // In GNU as the closing quote of a character may be left out.
        this.at += codes[this.at]! === BACKSLASH ? 2 : 1;
        if (codes[this.at]! === APOSTROPHE) this.at++;
      }
    }
  }

  private skipQuoted(quote: number): void {
    const { codes } = this;
    const hasEscapes = this.dialect.name === "gas" || quote === BACKQUOTE;
    for (;;) {
      const code = codes[this.at]!;
      if (code === NEWLINE) return;
      this.at++;
      if (code === quote) return;
      if (code === BACKSLASH && hasEscapes && codes[this.at]! !== NEWLINE) this.at++;
    }
  }

  /**
   * Goes from statement to statement. `visit` gets the first word of each, in lower case, with its dot or percent
   * sign, and says where to stop: behind that word. At the end of the text, stops as well and returns `false`.
   */
  skipStatements(visit: (word: string, start: number) => boolean): boolean {
    for (;;) {
      this.skipStatement();
      if (!this.nextStatement()) {
        this.endedInside = true;
        return false;
      }
      const start = this.at;
      const word = this.firstWord();
      if (word !== "" && visit(word, start)) return true;
    }
  }

  /** Goes behind the end of a statement; `false` at the end of the text, in front of its last newline. */
  private nextStatement(): boolean {
    if (this.peek() === SEMICOLON && this.dialect.name === "gas") {
      this.at++;
      return true;
    }
    this.skipLine();
    if (this.at + 1 >= this.text.length) return false;
    this.lineStart = ++this.at;
    this.line++;
    return true;
  }

  /** The word that a statement begins with, behind labels. */
  private firstWord(): string {
    for (;;) {
      const code = this.next();
      const start = this.at;
      if (code === PERCENT && this.dialect.name === "nasm") this.at++;
      else if (this.isDigit(code)) while (this.isDigit(this.peek())) this.at++;
      if (!this.readName() && this.at === start) return "";
      if (this.peek() !== COLON) return this.text.slice(start, this.at).toLowerCase();
      this.at++;
    }
  }

  /** Reads up to the directive that closes what the one just read opened. Throws `ERR_ASM_MACRO` if there is none. */
  readBody(openers: readonly string[], closers: readonly string[]): Body {
    const from = this.text.indexOf("\n", this.at) + 1;
    const firstLine = this.line + 1;
    let depth = 1;
    let end = 0;
    const isClosed = this.skipStatements((word, start) => {
      if (openers.includes(word)) depth++;
      else if (closers.includes(word)) depth--;
      end = start;
      return depth === 0;
    });
    if (!isClosed) throw asmError("ERR_ASM_MACRO", `this has no ${closers[0]}`);
    return { text: from > end ? "" : this.text.slice(from, end), firstLine };
  }
}
