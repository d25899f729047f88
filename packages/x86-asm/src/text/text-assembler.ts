/** Reads source text statement by statement and writes it to a program. */
import { AsmError, asmError } from "../errors.js";
import { MnemonicTrait } from "../form-table.js";
import { isBareOffset, type MaybeOperand } from "../matching.js";
import { OperandBit } from "../operand-bits.js";
import { checkPair, Prefix } from "../prefixes.js";
import type { Program } from "../program.js";
import { Register } from "../registers.js";
import { generalRegister } from "../registers-by-number.js";
import { evaluateCondition } from "./condition-tests.js";
import { Class, DIALECTS, type DialectName } from "./dialect.js";
import { vocabularyOf } from "./dialect-vocabulary.js";
import { type Directive, directivesOf } from "./directives.js";
import { FileCache, type FileResolver } from "./files.js";
import { FrameReader } from "./frame-reader.js";
import { joinLines, withoutComments } from "./line-joining.js";
import { MacroTable } from "./macros.js";
import { MEANING_SHIFT, MEANING_VALUE, Meaning } from "./names.js";
import { encodeText } from "./reader.js";
import { Scope } from "./scope.js";
import { suggest } from "./suggest.js";
import { BRACED_HINTS, PREFIX_BITS, PREFIX_NAMES } from "./vocabulary.js";

export interface TextOptions {
  /** Whose spelling the source has; `gas` if not given. */
  readonly dialect?: DialectName;
  /** Finds what `include` and `incbin` name; without it both are errors. */
  readonly resolve?: FileResolver;
  /** Names that are defined before the first line. */
  readonly defines?: Readonly<Record<string, number | bigint | string>>;
}

const CODE = {
  newline: 10,
  percent: 37,
  colon: 58,
  semicolon: 59,
  equals: 61,
  openBracket: 91,
  brace: 123,
} as const;

/** Statements that macros and repetitions may expand to, over all. */
const MAX_EXPANDED = 5_000_000;

/** An offset that NASM's `[qword …]` makes one of 64 bits. */
function isLongOffset(operand: MaybeOperand): boolean {
  return (
    typeof operand === "object" &&
    operand.kind === "memory" &&
    operand.addressBits === 64 &&
    isBareOffset(operand)
  );
}

export class TextAssembler extends FrameReader {
  readonly macros = new MacroTable();
  readonly files: FileCache;
  private readonly directives: readonly Directive[];
  private readonly isData: Uint8Array;
  /** Sections to go back to (`.popsection`, `.previous`). */
  readonly sectionStack: string[] = [];
  previousSection = ".text";
  /** Where flat code is to run (NASM's org). */
  origin = 0n;
  private expanded = 0;

  /** `before` is a reader of the same program, with which positions are shared. */
  constructor(program: Program, options: TextOptions, before?: TextAssembler) {
    const dialect = DIALECTS[options.dialect ?? "gas"];
    if (dialect === undefined) {
      throw asmError("ERR_ASM_ARGUMENT", `a dialect is "gas" or "nasm"; found ${String(options.dialect)}`);
    }
    const known = vocabularyOf(program.encoder.set, dialect.name);
    super(dialect, program, known.names, new Scope(program, dialect.name), before);
    this.directives = known.directives;
    this.isData = known.isData;
    this.files = new FileCache(options.resolve);
    for (const [name, value] of Object.entries(options.defines ?? {})) this.predefine(name, value);
  }

  private predefine(name: string, value: number | bigint | string): void {
    if (typeof value === "string") this.macros.define(name, value);
    else this.program.assign(name, value, true);
  }

  /** Assembles a text. Complaints go to `errors`; nothing is thrown for what the text says. */
  assemble(text: string, file: string): void {
    const { encoder } = this.program;
    this.stopped = false;
    const frame = this.frames.open(null, {
      file,
      firstLine: 1,
      name: "",
      text: this.prepare(text),
      conditions: 0,
    });
    this.enter(frame);
    this.observer?.begin(this);
    try {
      while (!this.stopped) this.step();
    } finally {
      encoder.line = 0;
    }
  }

  /** Reads other lines for some of the main text, of which the first has the number `line`, up to one that opens a frame. */
  readAgain(text: string, line: number): void {
    const { encoder } = this.program;
    this.stopped = false;
    this.frame = this.frames.frames[0]!;
    this.setText(text, encodeText(text), 0);
    this.line = line;
    this.lineStart = 0;
    this.observer?.begin(this);
    try {
      while (!this.stopped && this.frame.parent === null) this.step();
    } finally {
      encoder.line = 0;
    }
  }

  /** Comments that span lines become blanks, a backslash at the end of a line (NASM) joins it to the next. */
  prepare(text: string): string {
    if (this.dialect.name === "gas") return text.includes("/*") ? withoutComments(text) : text;
    return text.includes("\\") ? joinLines(text) : text;
  }

  /** Reads one line's remaining statement, or goes to the next line. */
  private step(): void {
    const code = this.next();
    if ((this.dialect.classes[code]! & Class.end) !== 0) {
      if (code === CODE.newline) this.nextLine();
      else if (code === CODE.semicolon && this.dialect.name === "gas") this.at++;
      else this.skipLine();
    } else this.guarded();
  }

  /** One statement, with its complaints. */
  private guarded(): void {
    const { encoder, section } = this.program;
    const start = (this.tokenStart = this.at);
    const { lineStart } = this;
    const statement = this.statements.add(this.frame, this.line, start - lineStart + 1, section);
    encoder.line = statement;
    const { frame } = this;
    if (frame.parent !== null && ++this.expanded > MAX_EXPANDED) this.stopExpanding();
    try {
      this.statement(start);
      if (this.frame === frame) this.statements.setLength(statement, this.lengthFrom(start, lineStart));
      if (this.frame === frame && !this.atEnd()) throw this.unexpected("the end of the statement");
    } catch (error) {
      if (!(error instanceof AsmError)) throw error;
      this.report(error, statement, start, lineStart);
      if (this.frame === frame) this.skipLine();
    }
  }

  /** Characters from `start` to here, or to the end of its line. */
  private lengthFrom(start: number, lineStart: number): number {
    return (lineStart === this.lineStart ? this.at : this.text.indexOf("\n", start)) - start;
  }

  private stopExpanding(): void {
    this.complain(this.statements.count, {
      code: "ERR_ASM_LIMIT",
      message: `macros and repetitions expand to more than ${MAX_EXPANDED} statements`,
    });
    this.stopped = true;
  }

  /** Reads the statement here; `start` is where it begins. */
  statement(start: number): void {
    if (this.macros.needsExpansion && this.expandLine(start)) return;
    const { encoder } = this.program;
    if (encoder.written.length > 0) encoder.written = [];
    this.prefixed(0);
  }

  /** What stands behind labels, prefixes and hints that were read already. */
  private prefixed(before: number): void {
    let prefixes = before;
    while (this.readName()) {
      const { nameStart, nameEnd, nameHash } = this;
      if (this.peek() === CODE.colon && prefixes === 0) {
        this.readLabel();
        if (this.atEnd()) return;
        continue;
      }
      const meaning = this.names.statement(this.codes, nameStart, nameEnd, nameHash);
      if (this.macros.hasMacros && this.macros.call(this, this.name())) return;
      if (meaning >> MEANING_SHIFT !== Meaning.prefix) {
        this.named(meaning, prefixes);
        return;
      }
      const { encoder } = this.program;
      const bits = this.prefix(meaning & MEANING_VALUE, prefixes);
      checkPair(prefixes, bits);
      encoder.written.push(bits);
      prefixes |= bits;
      if (this.atEnd()) {
        for (const each of encoder.written) encoder.barePrefixes(each);
        return;
      }
    }
    this.oddStatement(prefixes);
  }

  /** A statement whose first name, behind labels and prefixes, has been read. */
  private named(meaning: number, prefixes: number): void {
    const value = meaning & MEANING_VALUE;
    const kind = meaning >> MEANING_SHIFT;
    if (kind === Meaning.mnemonic) this.instruction(value, prefixes);
    else if (kind === Meaning.directive) {
      if (this.isData[value] === 0) this.program.changes++;
      this.directives[value]!(this);
    } else this.unknownName(prefixes);
  }

  /** Passes a colon and defines the name before it. */
  private readLabel(): void {
    const name = this.name();
    this.at++;
    this.scope.define(name);
    this.skipBlanks();
  }

  private prefix(value: number, before: number): number {
    const bits = PREFIX_BITS[value]!;
    if ((before & bits) !== 0) throw asmError("ERR_ASM_PREFIX", `${PREFIX_NAMES[value]} stands twice`);
    const mode = this.program.encoder.bits;
    const name = PREFIX_NAMES[value]!;
    if (bits === Prefix.data && (name === "o16" || name === "data16") === (mode === 16)) return 0;
    if (name.endsWith("64") && mode !== 64) throw asmError("ERR_ASM_MODE", `${name} goes with 64-bit mode`);
    if (name === "a64") return 0;
    if (mode === 64 && (name === "a16" || name === "addr16"))
      throw asmError("ERR_ASM_MODE", "there are no 16-bit addresses in 64-bit mode");
    if (bits === Prefix.address && (mode === 64 ? 32 : mode) === (name.endsWith("16") ? 16 : 32)) {
      return mode === 64 ? bits : 0;
    }
    return bits;
  }

  private instruction(mnemonic: number, prefixes: number): void {
    const { encoder } = this.program;
    const { set } = encoder;
    const traits = set.traits[mnemonic] || set.unpack(mnemonic);
    this.readOperands((traits & MnemonicTrait.branch) !== 0);
    if (!this.atEnd()) throw this.unexpected("a comma or the end of the statement");
    const id = this.isFar
      ? set.farOf(mnemonic)
      : this.dialect.name === "nasm"
        ? this.sized(mnemonic)
        : mnemonic;
    // By index: destructuring would go through an iterator for every instruction.
    const { operands } = this;
    const all = prefixes | this.hints;
    encoder.nasmOrder = this.dialect.name === "nasm";
    encoder.instruction(id, all, operands[0], operands[1], operands[2], operands[3], operands[4]);
  }

  /** What a width before an immediate or a target makes of an instruction in NASM: `push word 1`, `jmp dword x`. */
  private sized(mnemonic: number): number {
    const { mnemonics, ids } = this.program.encoder.set;
    const [target] = this.operands;
    const { immediateBits } = this;
    const name = mnemonics[mnemonic]!;
    if (name === "mov") {
      const isLong = immediateBits === 64 && (this.hints & Prefix.strict) !== 0;
      if (isLong || this.operands.some(isLongOffset)) return ids.get("movabs")!;
      this.shortenMove();
    }
    const isPlain =
      immediateBits !== 0 &&
      (typeof target !== "object" || (target.kind !== "register" && target.kind !== "far"));
    if (!isPlain || immediateBits === 8 || !/^(push|jmp|call)$/.test(name)) return mnemonic;
    const { bits } = this.program.encoder;
    if (immediateBits === 64 && bits !== 64) {
      throw asmError("ERR_ASM_OPERANDS", `there is no ${name} of ${immediateBits} bits in ${bits}-bit mode`);
    }
    if (immediateBits === bits || (bits === 64 && immediateBits === 32)) return mnemonic;
    return ids.get(name + (immediateBits === 16 ? "w" : "d")) ?? mnemonic;
  }

  /** NASM moves what fits in 32 bits without a sign to the lower half of a 64-bit register: the upper one becomes 0. */
  private shortenMove(): void {
    const [register, value] = this.operands;
    if (
      !(register instanceof Register) ||
      register.bits !== OperandBit.r64 ||
      this.program.encoder.bits !== 64
    )
      return;
    const isShort = typeof value === "number" && value >= 0 && value <= 0xffffffff;
    if (isShort && this.immediateBits !== 32 && (this.hints & Prefix.strict) === 0)
      this.operands[0] = generalRegister(register, OperandBit.r32);
  }

  /** A statement that begins with no name: `1:`, `[bits 64]`, `{vex3} …`, `"quoted": …`, `%…` */
  private oddStatement(prefixes: number): void {
    const code = this.peek();
    if (this.isDigit(code) && prefixes === 0 && this.dialect.name === "gas") this.numberedLabel();
    else if (code === CODE.brace) this.bracedHint(prefixes);
    else if (this.dialect.name === "nasm" && code === CODE.openBracket) this.bracketedDirective();
    else if (this.dialect.name === "nasm" && code === CODE.percent) this.preprocessorDirective();
    else if (this.dialect.name === "nasm" && code === 36) this.escapedLabel();
    else if (this.dialect.name === "gas" && code === 34) this.quotedName();
    else if (this.dialect.name === "gas" && code === 47) this.skipLine();
    else throw this.unexpected("an instruction, a directive or a label");
  }

  private numberedLabel(): void {
    const start = this.at;
    while (this.isDigit(this.peek())) this.at++;
    const number = this.text.slice(start, this.at);
    this.expect(CODE.colon);
    this.scope.defineNumbered(String(Number(number)));
    if (!this.atEnd()) this.statement(this.at);
  }

  private bracedHint(prefixes: number): void {
    this.at++;
    this.skipBlanks();
    const known = this.readName() ? BRACED_HINTS[this.name().toLowerCase()] : undefined;
    if (known === undefined)
      throw asmError("ERR_ASM_SYNTAX", "this is no encoding hint", "such as {vex3} or {disp32}");
    this.expect(125);
    this.skipBlanks();
    this.prefixed(prefixes | known);
  }

  /** `[bits 64]`: the primitive form of a NASM directive. */
  private bracketedDirective(): void {
    this.at++;
    this.skipBlanks();
    if (!this.readName()) throw this.unexpected("a directive");
    this.runDirective();
    this.expect(93);
  }

  private runDirective(): void {
    const meaning = this.names.statement(this.codes, this.nameStart, this.nameEnd, this.nameHash);
    if (meaning >> MEANING_SHIFT !== Meaning.directive) throw this.unexpected("a directive");
    this.program.changes++;
    this.directives[meaning & MEANING_VALUE]!(this);
  }

  /** `%macro`, `%if`…: kept in the table with their percent sign. */
  private preprocessorDirective(): void {
    const start = this.at++;
    if (!this.readName()) throw this.unexpected("a directive behind %");
    let hash = 0;
    for (let i = start; i < this.nameEnd; i++) hash = (Math.imul(hash, 31) + (this.codes[i]! | 32)) | 0;
    const meaning = this.names.statement(this.codes, start, this.nameEnd, hash);
    if (meaning >> MEANING_SHIFT !== Meaning.directive) {
      throw asmError("ERR_ASM_DIRECTIVE", `%${this.name()} is no directive`);
    }
    this.program.changes++;
    this.directives[meaning & MEANING_VALUE]!(this);
  }

  private escapedLabel(): void {
    this.at++;
    if (!this.readName()) throw this.unexpected("a name behind $");
    const name = this.name();
    this.accept(CODE.colon);
    this.defineAndGoOn(name);
  }

  private quotedName(): void {
    const name = this.readString();
    if (this.accept(CODE.equals)) this.program.assign(name, this.readExpression(), true);
    else {
      this.expect(CODE.colon);
      this.defineAndGoOn(name);
    }
  }

  private defineAndGoOn(label: string): void {
    this.scope.define(label);
    if (!this.atEnd()) this.statement(this.at);
  }

  /** A name that is reserved for nothing: an assignment, a label without a colon (NASM), or a mistake. */
  private unknownName(prefixes: number): void {
    const name = this.name();
    const { nameStart } = this;
    const code = this.next();
    if (this.hyphenated(nameStart, prefixes)) return;
    if (prefixes !== 0) throw this.unknown(name, nameStart);
    if (code === CODE.colon) {
      this.at++;
      this.defineAndGoOn(name);
    } else if (code === CODE.equals && this.dialect.name === "gas") this.assignment(name);
    else if (!this.labelWithoutColon(name)) throw this.unknown(name, nameStart);
  }

  /** Some mnemonics have a hyphen, which no other name has: `xstore-rng`. Whether this was one. */
  private hyphenated(start: number, prefixes: number): boolean {
    const match = /^[a-z]+-[a-z]+/i.exec(this.text.slice(start, start + 20));
    const id = match === null ? undefined : this.program.encoder.set.ids.get(match[0].toLowerCase());
    if (id === undefined) return false;
    this.at = start + match![0].length;
    this.instruction(id, prefixes);
    return true;
  }

  private unknown(name: string, start: number): AsmError {
    this.tokenStart = start;
    this.at = start + name.length;
    const kind = name.startsWith(".") && this.dialect.name === "gas" ? "directive" : "instruction";
    const directives = [...directivesOf(this.dialect.name).keys()];
    const near = suggest(name, this.program.encoder.set.mnemonics, directives);
    return asmError(
      kind === "directive" ? "ERR_ASM_DIRECTIVE" : "ERR_ASM_SYNTAX",
      `there is no ${kind} "${name.slice(0, 60)}"`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }

  /** `x = 5` may be given again, `x == 5` may not. */
  private assignment(name: string): void {
    this.at++;
    const again = this.peek() !== CODE.equals;
    if (!again) this.at++;
    this.program.assign(name, this.readExpression(), again);
  }

  /** `msg db "x"`, `size equ 5`, or a name alone on its line. */
  private labelWithoutColon(name: string): boolean {
    const start = this.at;
    if (this.atEnd()) {
      if (this.dialect.name === "gas") return false;
      this.warn(`${name} is a label; without a colon it could be a mistyped instruction`);
      this.scope.define(name);
      return true;
    }
    if (!this.readName()) return false;
    if (this.nameIs("equ")) {
      this.program.assign(this.scope.qualify(name), this.readExpression(), false);
      return true;
    }
    const { nameStart, nameEnd, nameHash } = this;
    this.at = start;
    if (this.dialect.name === "gas") return false;
    if (this.names.statement(this.codes, nameStart, nameEnd, nameHash) === 0) return false;
    this.scope.define(name);
    this.statement(this.at);
    return true;
  }

  /** Substitutes `%define`d names in the line here; whether it now reads the result. */
  private expandLine(start: number): boolean {
    const line = this.restOfLine();
    const expanded = this.macros.expandLine(line);
    if (expanded === line) {
      this.at = start;
      return false;
    }
    this.openFrame({ file: this.frame.file, firstLine: this.line, name: "", text: expanded });
    return true;
  }

  /** Whether the condition behind `.if`, `.ifdef`… (without its dot or percent sign) holds. */
  evaluateCondition(name: string): boolean {
    return evaluateCondition(this, name);
  }

  /** Reads the rest of the statement with `%define`d names replaced, by what `read` does. */
  readExpanded<T>(read: () => T): T {
    if (!this.macros.needsExpansion) return read();
    const expanded = this.macros.expand(this.restOfStatement());
    const { text, codes, at } = this;
    this.setText(`${expanded}\n`, encodeText(`${expanded}\n`), 0);
    try {
      return read();
    } finally {
      this.setText(text, codes, at);
    }
  }
}
