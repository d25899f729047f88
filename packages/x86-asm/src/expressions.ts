/** Expressions whose value is not known while the source is read: symbols, sums and whatever is made of them. */
import { asmError } from "./errors.js";
import { add, type Integer, multiply, narrow, negate, subtract, unsigned64 } from "./integers.js";
import { OperandBit } from "./operand-bits.js";

export type UnaryOperator = "-" | "~" | "!";
export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "//"
  | "%%"
  | "<<"
  | ">>"
  | "&"
  | "|"
  | "^"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "&&"
  | "||"
  | "^^";

/** A symbol, plus a constant. */
export class SymbolReference {
  readonly kind = "symbol";
  /** It can stand where an immediate or a branch target stands. */
  readonly bits: number = OperandBit.imm | OperandBit.rel;
  readonly name: string;
  readonly addend: Integer;
  /** Its number in the symbol table of the program being read; -1 if it is known by name only. */
  readonly id: number;

  constructor(name: string, addend: Integer = 0, id = -1) {
    this.name = name;
    this.addend = addend;
    this.id = id;
  }

  /** The same symbol, `offset` bytes further. */
  plus(offset: Integer): SymbolReference {
    return new SymbolReference(this.name, add(this.addend, offset), this.id);
  }

  minus(offset: Integer): SymbolReference {
    return new SymbolReference(this.name, subtract(this.addend, offset), this.id);
  }

  toString(): string {
    return this.addend === 0 ? this.name : `${this.name}+${this.addend}`;
  }
}

/** A symbol by name: `sym("cpu0").plus(8)`. */
export function sym(name: string, addend: Integer = 0): SymbolReference {
  return new SymbolReference(name, addend);
}

/** Deeper expressions are refused, so that evaluating them cannot exhaust the stack. */
const MAX_DEPTH = 500;

/** An operation on values of which at least one is not known yet. */
export class Expression {
  readonly kind = "expression";
  readonly bits: number = OperandBit.imm | OperandBit.rel;
  readonly operator: UnaryOperator | BinaryOperator;
  readonly left: Value;
  readonly right: Value | null;
  readonly depth: number;
  /** What a true comparison is: -1 in GNU as, 1 in NASM. */
  readonly truth: number;

  constructor(operator: UnaryOperator | BinaryOperator, left: Value, right: Value | null, truth: number) {
    this.operator = operator;
    this.left = left;
    this.right = right;
    this.truth = truth;
    this.depth = 1 + Math.max(depthOf(left), right === null ? 0 : depthOf(right));
    if (this.depth > MAX_DEPTH) {
      throw asmError("ERR_ASM_EXPRESSION", `an expression is nested more than ${MAX_DEPTH} deep`);
    }
  }

  toString(): string {
    return this.right === null
      ? `${this.operator}${this.left}`
      : `(${this.left} ${this.operator} ${this.right})`;
  }
}

export type Value = Integer | SymbolReference | Expression;

function depthOf(value: Value): number {
  return typeof value === "object" && value.kind === "expression" ? value.depth : 0;
}

export function isConstant(value: Value): value is Integer {
  return typeof value !== "object";
}

/** `left operator right`, computed at once where both are known. Throws `ERR_ASM_EXPRESSION` for a division by 0. */
export function binary(operator: BinaryOperator, left: Value, right: Value, truth: number): Value {
  if (isConstant(left) && isConstant(right)) return compute(operator, left, right, truth);
  if (operator === "+") {
    if (isConstant(right) && left instanceof SymbolReference) return left.plus(right);
    if (isConstant(left) && right instanceof SymbolReference) return right.plus(left);
  }
  if (operator === "-" && isConstant(right) && left instanceof SymbolReference) return left.minus(right);
  return new Expression(operator, left, right, truth);
}

export function unary(operator: UnaryOperator, value: Value): Value {
  if (!isConstant(value)) return new Expression(operator, value, null, 1);
  if (operator === "-") return negate(value);
  if (operator === "~") return subtract(-1, value);
  return value === 0 ? 1 : 0;
}

/** The largest shift that still gives something other than 0. */
const WORD_BITS = 64;

/** An operation on two constants, in 64 bits. */
export function compute(operator: BinaryOperator, a: Integer, b: Integer, truth: number): Integer {
  switch (operator) {
    case "+":
      return add(a, b);
    case "-":
      return subtract(a, b);
    case "*":
      return limit(multiply(a, b));
    case "/":
    case "%":
    case "//":
    case "%%":
      return divide(operator, a, b);
    case "<<":
    case ">>":
      return shift(operator, a, b);
    case "&":
    case "|":
    case "^":
      return bitwise(operator, a, b);
    case "&&":
      return a !== 0 && b !== 0 ? 1 : 0;
    case "||":
      return a !== 0 || b !== 0 ? 1 : 0;
    case "^^":
      return (a !== 0) !== (b !== 0) ? 1 : 0;
    default:
      return compare(operator, a, b) ? truth : 0;
  }
}

/** Keeps products from growing without bound: what needs more than 128 bits is refused. */
function limit(value: Integer): Integer {
  if (typeof value === "bigint" && BigInt.asIntN(128, value) !== value) {
    throw asmError("ERR_ASM_EXPRESSION", "a product needs more than 128 bits");
  }
  return value;
}

/** `/` and `%` are signed in GNU as and C; `//` and `%%` are their other-signed counterparts for NASM. */
function divide(operator: "/" | "%" | "//" | "%%", a: Integer, b: Integer): Integer {
  if (b === 0) throw asmError("ERR_ASM_EXPRESSION", "division by zero");
  const unsigned = operator === "//" || operator === "%%";
  const left = unsigned ? unsigned64(a) : BigInt(a);
  const right = unsigned ? unsigned64(b) : BigInt(b);
  return narrow(operator === "/" || operator === "//" ? left / right : left % right);
}

function shift(operator: "<<" | ">>", a: Integer, b: Integer): Integer {
  if (b < 0) throw asmError("ERR_ASM_EXPRESSION", `a shift count of ${b} is negative`);
  if (b >= WORD_BITS) return 0;
  if (operator === "<<") return limit(narrow(BigInt(a) << BigInt(b)));
  return narrow((a < 0 ? unsigned64(a) : BigInt(a)) >> BigInt(b));
}

function bitwise(operator: "&" | "|" | "^", a: Integer, b: Integer): Integer {
  if (isInt32(a) && isInt32(b)) return operator === "&" ? a & b : operator === "|" ? a | b : a ^ b;
  const [left, right] = [BigInt(a), BigInt(b)];
  return narrow(operator === "&" ? left & right : operator === "|" ? left | right : left ^ right);
}

/** What JavaScript's own bitwise operators take without loss. */
function isInt32(value: Integer): value is number {
  return typeof value === "number" && value === (value | 0);
}

function compare(operator: BinaryOperator, a: Integer, b: Integer): boolean {
  switch (operator) {
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    default:
      return a >= b;
  }
}
