/** Reads characters, names, numbers and strings of one source text. */
import { type AsmErrorCode, asmError } from "../errors.js";
import { type Integer, narrow } from "../integers.js";
import { Class, type Dialect } from "./dialect.js";
import { hashStep } from "./names.js";

const NEWLINE = 10;
const QUOTE = 34;
const APOSTROPHE = 39;
const BACKQUOTE = 96;
const BACKSLASH = 92;

/** Digits that a double holds exactly, whatever they are. */
const EXACT_DECIMAL_DIGITS = 15;
const EXACT_HEX_DIGITS = 13;
/** Longer numbers are refused: nothing takes more than 512 bits. */
const MAX_NUMBER_LENGTH = 200;

export class Reader {
  readonly dialect: Dialect;
  private readonly classes: Uint8Array;
  /** Ends with a newline. */
  text = "\n";
  /** Its characters as bytes: reading them is faster, and all that is not ASCII is alike. See `encodeText`. */
  codes: Uint8Array = encodeText("\n");
  at = 0;
  /** The name read last: `text[nameStart, nameEnd)`. */
  nameStart = 0;
  nameEnd = 0;
  nameHash = 0;
  /** Where the token begins that an error would be about. */
  tokenStart = 0;

  constructor(dialect: Dialect) {
    this.dialect = dialect;
    this.classes = dialect.classes;
  }

  /** Starts to read another text. */
  protected setText(text: string, codes: Uint8Array, at: number): void {
    this.text = text;
    this.codes = codes;
    this.at = at;
  }

  /** The character here. */
  peek(): number {
    return this.codes[this.at]!;
  }

  skipBlanks(): void {
    const { codes, classes } = this;
    let code = codes[this.at]!;
    while ((classes[code]! & Class.blank) !== 0) code = codes[++this.at]!;
  }

  /** The next character that is not blank, which becomes the one here. */
  next(): number {
    this.skipBlanks();
    return this.codes[this.at]!;
  }

  /** Whether the statement ends here: a newline, a separator or a comment. */
  atEnd(): boolean {
    const code = this.next();
    return (this.classes[code]! & Class.end) !== 0;
  }

  /** Whether a character may begin a name. */
  startsName(code: number): boolean {
    return (this.classes[code]! & Class.nameStart) !== 0;
  }

  isDigit(code: number): boolean {
    return code >= 48 && code <= 57;
  }

  /** Reads a name, if one starts here. */
  readName(): boolean {
    const { codes, classes } = this;
    let at = this.at;
    let code = codes[at]!;
    if ((classes[code]! & Class.nameStart) === 0) return false;
    let hash = 0;
    do {
      hash = hashStep(hash, code);
      code = codes[++at]!;
    } while ((classes[code]! & Class.namePart) !== 0);
    this.nameStart = this.at;
    this.nameEnd = at;
    this.nameHash = hash;
    this.at = at;
    return true;
  }

  /** Reads a name behind blanks, if there is one. */
  nextName(): boolean {
    this.skipBlanks();
    return this.readName();
  }

  /** The name read last. */
  name(): string {
    return this.text.slice(this.nameStart, this.nameEnd);
  }

  /** Whether the name read last is `word`, which is in lower case. */
  nameIs(word: string): boolean {
    return this.nameEnd - this.nameStart === word.length && this.name().toLowerCase() === word;
  }

  /** Passes a character if it is the next one. */
  accept(code: number): boolean {
    if (this.next() !== code) return false;
    this.at++;
    return true;
  }

  /** Passes a character that must be there. */
  expect(code: number): void {
    if (!this.accept(code)) throw this.unexpected(`"${String.fromCharCode(code)}"`);
  }

  /** An error that says what stands here and what should. */
  unexpected(wanted: string, code: AsmErrorCode = "ERR_ASM_SYNTAX") {
    this.skipBlanks();
    this.tokenStart = this.at;
    return asmError(code, `expected ${wanted}, found ${this.describeHere()}`);
  }

  /** What stands here, for a message. */
  describeHere(): string {
    if (this.atEnd()) return "the end of the statement";
    const start = this.at;
    if (!this.readName()) {
      this.at = start + 1;
      if (this.isDigit(this.codes[start]!)) while (this.isNamePart(this.peek())) this.at++;
    }
    const found = this.text.slice(start, this.at);
    this.at = start;
    return `"${found.length > 40 ? `${found.slice(0, 40)}…` : found}"`;
  }

  isNamePart(code: number): boolean {
    return (this.classes[code]! & Class.namePart) !== 0;
  }

  /** Goes to the end of the line. */
  skipLine(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length - 1 : end;
  }

  /** The rest of the line, without its end, which becomes the place here. */
  restOfLine(): string {
    const start = this.at;
    this.skipLine();
    return this.text.slice(start, this.at);
  }

  /** Reads a number; a digit is here. Throws `ERR_ASM_SYNTAX`. */
  readNumber(): Integer {
    const { codes } = this;
    const start = this.at;
    let value = 0;
    let at = start;
    let code = codes[at]!;
    if (code === 48 && (codes[at + 1]! | 32) === 120) return this.readHex();
    while (code >= 48 && code <= 57) {
      value = value * 10 + code - 48;
      code = codes[++at]!;
    }
    const isPlain = at - start === 1 || codes[start]! !== 48 || this.dialect.name === "nasm";
    if (isPlain && at - start <= EXACT_DECIMAL_DIGITS && !this.isNamePart(code)) {
      this.at = at;
      return value;
    }
    return this.readOddNumber();
  }

  private readHex(): Integer {
    const { codes } = this;
    const start = this.at + 2;
    let at = start;
    let value = 0;
    for (; ; at++) {
      const code = codes[at]!;
      const digit = code <= 57 ? code - 48 : (code | 32) - 87;
      if (!(digit >= 0 && digit <= 15) || (code > 57 && digit < 10)) break;
      value = value * 16 + digit;
    }
    if (at === start || at - start > EXACT_HEX_DIGITS || this.isNamePart(codes[at]!)) {
      return this.readOddNumber();
    }
    this.at = at;
    return value;
  }

  /** Numbers with suffixes, underscores, leading zeros, or more digits than a double holds. */
  private readOddNumber(): Integer {
    const start = this.at;
    let end = start;
    while (this.isNamePart(this.codes[end]!)) end++;
    const spelling = this.text.slice(start, end);
    const value = end - start > MAX_NUMBER_LENGTH ? undefined : parseNumber(spelling, this.dialect);
    if (value === undefined) throw asmError("ERR_ASM_SYNTAX", `"${spelling.slice(0, 40)}" is no number`);
    this.at = end;
    return value;
  }

  /** Whether a string or character constant starts here. */
  atQuote(): boolean {
    const code = this.next();
    return code === QUOTE || code === APOSTROPHE || (code === BACKQUOTE && this.dialect.name === "nasm");
  }

  /** Reads a string, whose opening quote is here; the result has one character for each byte. */
  readString(): string {
    const { codes, text } = this;
    const quote = codes[this.at++]!;
    const hasEscapes = this.dialect.name === "gas" || quote === BACKQUOTE;
    let result = "";
    for (let from = this.at; ; ) {
      const code = codes[this.at]!;
      if (code === NEWLINE || this.at >= text.length) {
        throw asmError(
          "ERR_ASM_SYNTAX",
          "a string has no end",
          `close it with ${String.fromCharCode(quote)}`,
        );
      }
      if (code === quote || (code === BACKSLASH && hasEscapes)) {
        result += toUtf8(text.slice(from, this.at));
        this.at++;
        if (code === quote) return result;
        result += this.readEscape();
        from = this.at;
      } else this.at++;
    }
  }

  /** Reads what follows a backslash. */
  private readEscape(): string {
    const { codes, text } = this;
    const digits = /^(?:[xX]([0-9a-fA-F]+)|([0-7]{1,3}))/.exec(text.slice(this.at, this.at + 40));
    if (digits) {
      this.at += digits[0].length;
      const value = digits[1] ? Number.parseInt(digits[1].slice(-2), 16) : Number.parseInt(digits[2]!, 8);
      return String.fromCharCode(value & 255);
    }
    const code = codes[this.at]!;
    if (code === NEWLINE) throw asmError("ERR_ASM_SYNTAX", "a string has no end");
    this.at++;
    return ESCAPES[text[this.at - 1]!] ?? toUtf8(text[this.at - 1]!);
  }
}

/** What stands behind the end of a text: reading on finds ends of lines. */
const MARGIN = 8;

/**
 * The characters of a text as bytes: ASCII as it is, all others with the top bit set, which makes them parts of
 * names. Offsets are the same as in the string.
 */
export function encodeText(text: string): Uint8Array {
  const codes = new Uint8Array(text.length + MARGIN);
  const { read, written } = new TextEncoder().encodeInto(text, codes);
  // UTF-8 is as long as the text only if it is ASCII.
  if (read !== text.length || written !== text.length) {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      codes[i] = code < 128 ? code : code | 128;
    }
  }
  codes.fill(NEWLINE, text.length);
  return codes;
}

declare const TextEncoder: new () => {
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
};

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
  v: "\v",
  a: "\x07",
  e: "\x1b",
};

/** One character for each byte of the UTF-8 form. */
export function toUtf8(text: string): string {
  if (!/[^\0-\x7f]/.test(text)) return text;
  let result = "";
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) result += character;
    else {
      const bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      result += String.fromCharCode(((0xf00 >> bytes) & 0xff) | (code >> (6 * (bytes - 1))));
      for (let i = bytes - 2; i >= 0; i--) result += String.fromCharCode(0x80 | ((code >> (6 * i)) & 0x3f));
    }
  }
  return result;
}

/** Suffixes of numbers; `b` of a hexadecimal number is a digit, so `h` goes first. */
const SUFFIXES: readonly (readonly [pattern: RegExp, prefix: string])[] = [
  [/^([0-9][0-9a-f]*)[hx]$/i, "0x"],
  [/^([01]+)[by]$/i, "0b"],
  [/^([0-7]+)[oq]$/i, "0o"],
  [/^([0-9]+)[dt]$/i, ""],
];
/** NASM also writes the letter in front: `0h1f`, `0y101`. */
const PREFIXES: Readonly<Record<string, string>> = { h: "0x", y: "0b", q: "0o", d: "", t: "" };

function parseNumber(spelling: string, dialect: Dialect): Integer | undefined {
  const digits = spelling.replaceAll("_", "").toLowerCase();
  if (/^0x[0-9a-f]+$|^0b[01]+$|^0o[0-7]+$/.test(digits)) return narrow(BigInt(digits));
  if (dialect.name === "gas" && /^0[0-7]+$/.test(digits)) return narrow(BigInt(`0o${digits.slice(1)}`));
  if (/^[0-9]+$/.test(digits))
    return dialect.name === "gas" && digits[0] === "0" ? undefined : narrow(BigInt(digits));
  const prefixed = dialect.name === "nasm" ? /^0([hyqdt])([0-9a-f]+)$/.exec(digits) : null;
  if (prefixed) return toInteger(`${PREFIXES[prefixed[1]!]}${prefixed[2]}`);
  for (const [pattern, prefix] of SUFFIXES) {
    const match = pattern.exec(digits);
    if (match) return toInteger(prefix + match[1]);
  }
  return undefined;
}

function toInteger(spelling: string): Integer | undefined {
  try {
    return narrow(BigInt(spelling));
  } catch {
    return undefined;
  }
}
