/** Reads expressions: precedence climbing over the operators of the dialect. */
import { asmError } from "../errors.js";
import { binary, SymbolReference, unary, type Value } from "../expressions.js";
import type { Integer } from "../integers.js";
import { MODIFIER_NAMES } from "../modifiers.js";
import type { Program } from "../program.js";
import { Class, type Dialect } from "./dialect.js";
import { MEANING_SHIFT, Meaning, type NameTable } from "./names.js";
import { Reader } from "./reader.js";
import type { Scope } from "./scope.js";

const CODE = {
  bang: 33,
  quote: 34,
  dollar: 36,
  apostrophe: 39,
  open: 40,
  close: 41,
  plus: 43,
  minus: 45,
  tilde: 126,
} as const;

/** Parentheses and unary operators nest this deep at most: reading recurses. */
const MAX_NESTING = 100;
/** Characters of a character constant: as many as 64 bits hold. */
const MAX_CHARACTERS = 8;

export class ExpressionReader extends Reader {
  readonly program: Program;
  readonly names: NameTable;
  readonly scope: Scope;
  private nesting = 0;
  /** Whether differences of labels that are known already become numbers. */
  private folds = true;

  constructor(dialect: Dialect, program: Program, names: NameTable, scope: Scope) {
    super(dialect);
    this.program = program;
    this.names = names;
    this.scope = scope;
  }

  /** Reads an expression of operators that bind at least as tightly as `precedence`. */
  readExpression(precedence = 0): Value {
    let left = this.readUnary();
    for (;;) {
      const start = this.at;
      const operator = this.readOperator();
      if (operator === undefined) return left;
      if (operator[1] < precedence) {
        this.at = start;
        return left;
      }
      left = this.combine(operator[0], left, this.readExpression(operator[1] + 1));
    }
  }

  /** Reads an expression whose value is asked for when everything is laid out. */
  readLater(): Value {
    this.folds = false;
    try {
      return this.readExpression();
    } finally {
      this.folds = true;
    }
  }

  /** Reads an expression that must be known by now. Throws `ERR_ASM_EXPRESSION` if it is not. */
  readConstant(what: string): Integer {
    const value = this.readExpression();
    if (typeof value !== "object") return value;
    throw asmError(
      "ERR_ASM_EXPRESSION",
      `${what} must be known here, but ${value} is not`,
      "define what it depends on before it",
    );
  }

  /** Reads a constant that is a number of something. */
  readCount(what: string, limit: number): number {
    const count = this.readConstant(what);
    if (count < 0 || count > limit) {
      throw asmError("ERR_ASM_RANGE", `${what} is ${count}; 0 to ${limit} is allowed`);
    }
    return Number(count);
  }

  /** `left operator right`, with the difference of two labels where it is known already. */
  combine(operator: Parameters<typeof binary>[0], left: Value, right: Value): Value {
    if (
      operator === "-" &&
      this.folds &&
      left instanceof SymbolReference &&
      right instanceof SymbolReference
    ) {
      const difference = this.program.knownDifference(left, right);
      if (difference !== undefined) return difference;
    }
    return binary(operator, left, right, this.dialect.truth);
  }

  private readOperator(): ReturnType<Dialect["operators"]["get"]> {
    const code = this.next();
    const { operators } = this.dialect;
    if ((this.dialect.classes[code]! & Class.operator) !== 0) {
      const two = operators.get(this.text.slice(this.at, this.at + 2));
      const found = two ?? operators.get(this.text[this.at]!);
      if (found !== undefined) this.at += two === undefined ? 1 : 2;
      return found;
    }
    if (this.dialect.name !== "gas" || !this.startsName(code)) return undefined;
    const start = this.at;
    this.readName();
    const found = this.nameEnd - start <= 3 ? operators.get(this.name().toLowerCase()) : undefined;
    if (found === undefined) this.at = start;
    return found;
  }

  private readUnary(): Value {
    if (this.nesting >= MAX_NESTING) {
      throw asmError("ERR_ASM_EXPRESSION", `an expression is nested more than ${MAX_NESTING} deep`);
    }
    this.nesting++;
    try {
      return this.readUnaryNested();
    } finally {
      this.nesting--;
    }
  }

  private readUnaryNested(): Value {
    const code = this.next();
    this.tokenStart = this.at;
    if (code >= 48 && code <= 57) return this.readNumberOrLabel();
    switch (code) {
      case CODE.minus:
        this.at++;
        return unary("-", this.readUnary());
      case CODE.plus:
        this.at++;
        return this.readUnary();
      case CODE.tilde:
        this.at++;
        return unary("~", this.readUnary());
      case CODE.bang:
        this.at++;
        return unary("!", this.readUnary());
      case CODE.open: {
        this.at++;
        const value = this.readExpression();
        this.expect(CODE.close);
        return value;
      }
      case CODE.quote:
      case CODE.apostrophe:
        return this.readQuoted(code);
      default:
    }
    if (code === CODE.dollar && this.dialect.name === "nasm") return this.readDollar();
    if (this.readName()) return this.readNamed();
    if (this.atQuote()) return characterConstant(this.readString());
    throw this.unexpected("an operand or an expression");
  }

  /** A number, or in GNU as's spelling `1b` and `1f`: the label 1 before or behind this place. */
  private readNumberOrLabel(): Value {
    if (this.dialect.name === "gas") {
      const { codes, text } = this;
      let end = this.at;
      while (this.isDigit(codes[end]!)) end++;
      const letter = codes[end]! | 32;
      if ((letter === 98 || letter === 102) && !this.isNamePart(codes[end + 1]!)) {
        const name = this.scope.numbered(text.slice(this.at, end), letter === 102);
        this.at = end + 1;
        return this.program.lookUp(name);
      }
    }
    return this.readNumber();
  }

  /** A character constant; in GNU as's dialect double quotes are a symbol's name. */
  private readQuoted(code: number): Value {
    if (this.dialect.name === "nasm") return characterConstant(this.readString());
    if (code === CODE.quote) return this.program.lookUp(this.readString());
    const character = this.codes[this.at + 1]!;
    const isSimple = character !== 92 && character !== 10 && character < 128;
    if (isSimple && this.codes[this.at + 2]! !== CODE.apostrophe) {
      // The closing quote may be left out.
      this.at += 2;
      return character;
    }
    return characterConstant(this.readString());
  }

  /** NASM: `$` is this place, `$$` the section's start, `$name` a symbol whatever the name, `$0ff` a number. */
  private readDollar(): Value {
    this.at++;
    const code = this.peek();
    if (code === CODE.dollar) {
      this.at++;
      return this.scope.sectionStart();
    }
    if (this.isDigit(code)) {
      const start = this.at;
      while (this.isNamePart(this.peek())) this.at++;
      const digits = this.text.slice(start, this.at).replaceAll("_", "");
      if (!/^[0-9a-fA-F]{1,100}$/.test(digits)) {
        throw asmError("ERR_ASM_SYNTAX", `"$${digits}" is no hexadecimal number`);
      }
      return unary("-", unary("-", binary("+", 0, Number.parseInt(digits, 16), 1)));
    }
    return this.readName() ? this.program.lookUp(this.scope.qualify(this.name())) : this.scope.here();
  }

  private readNamed(): Value {
    const { codes, text, nameStart, nameEnd, nameHash } = this;
    const meaning = this.names.operand(codes, nameStart, nameEnd, nameHash);
    if (meaning !== 0) return this.readReserved(meaning);
    const length = nameEnd - nameStart;
    if (length === 1 && this.dialect.name === "gas") {
      const code = codes[nameStart]!;
      if (code === 46 || code === CODE.dollar) return this.scope.here();
    }
    const name = text.slice(nameStart, nameEnd);
    const at = name.lastIndexOf("@");
    const modifier = at > 0 && this.dialect.name === "gas" ? name.slice(at + 1).toLowerCase() : "";
    if (MODIFIER_NAMES.includes(modifier)) return this.program.made(name.slice(0, at), modifier);
    return this.program.lookUp(this.scope.qualify(name));
  }

  /** A reserved name where a value should be: `offset x` is x's address, `not x` its complement. */
  private readReserved(meaning: number): Value {
    const kind = meaning >> MEANING_SHIFT;
    if (kind === Meaning.word && this.nameIs("offset")) {
      const start = this.at;
      if (this.readName() && this.nameIs("flat")) this.expect(58);
      else this.at = start;
      return this.readUnary();
    }
    if (kind === Meaning.word && this.nameIs("not")) return unary("~", this.readUnary());
    const name = this.name();
    throw asmError(
      "ERR_ASM_SYNTAX",
      kind === Meaning.register
        ? `register ${name} cannot stand in an expression`
        : `"${name}" cannot stand here`,
      `a symbol of that name is written ${this.dialect.name === "gas" ? `"${name}"` : `$${name}`}`,
    );
  }
}

/** The value of a character constant: its first byte is the lowest. Throws `ERR_ASM_SYNTAX`. */
export function characterConstant(bytes: string): Value {
  if (bytes.length === 0 || bytes.length > MAX_CHARACTERS) {
    throw asmError(
      "ERR_ASM_SYNTAX",
      `a character constant has 1 to ${MAX_CHARACTERS} bytes, not ${bytes.length}`,
    );
  }
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes.charCodeAt(i));
  return binary("+", 0, value, 1);
}
