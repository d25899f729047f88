/** Values of expressions once offsets are known. */
import { AsmError, asmError } from "./errors.js";
import { compute, type Expression, isConstant, type Value } from "./expressions.js";
import { add, type Integer, negate, subtract } from "./integers.js";
import type { SectionLayout } from "./layout.js";
import { ABSOLUTE_ZERO, type SymbolEntry, SymbolPlace, type SymbolTable } from "./symbols.js";

/** `plus - minus + constant`; symbols by number, 0 for none. */
export interface Evaluated {
  readonly plus: number;
  readonly minus: number;
  readonly constant: Integer;
}

/** Nesting of expressions, and of symbols that are defined by expressions, is followed this far. */
const MAX_DEPTH = 1000;

export class Evaluator {
  private readonly symbols: SymbolTable;
  private readonly layouts: readonly SectionLayout[];
  /** Values of expression symbols in this pass. */
  private memo = new Map<number, Evaluated>();
  private depth = 0;

  constructor(symbols: SymbolTable, layouts: readonly SectionLayout[]) {
    this.symbols = symbols;
    this.layouts = layouts;
  }

  layoutOf(section: number): SectionLayout {
    return this.layouts[section]!;
  }

  symbolOf(id: number): SymbolEntry {
    return this.symbols.entries[id]!;
  }

  /** Forgets what depended on offsets. */
  startPass(): void {
    this.memo.clear();
  }

  /** A symbol's value plus `addend`, as far as it can be reduced. Throws `ERR_ASM_EXPRESSION`. */
  evaluateSymbol(id: number, addend: Integer): Evaluated {
    const symbol = this.symbols.entries[id]!;
    if (symbol.place === SymbolPlace.absolute) return constant(add(symbol.value, addend));
    if (symbol.place !== SymbolPlace.expression) return { plus: id, minus: 0, constant: addend };
    const known = this.memo.get(id) ?? this.evaluateExpressionSymbol(symbol);
    return addend === 0 ? known : { ...known, constant: add(known.constant, addend) };
  }

  private evaluateExpressionSymbol(symbol: SymbolEntry): Evaluated {
    const value = this.evaluate(symbol.expression!);
    this.memo.set(symbol.id, value);
    return value;
  }

  /** Throws `ERR_ASM_EXPRESSION`. */
  evaluate(value: Value): Evaluated {
    if (++this.depth > MAX_DEPTH) {
      this.depth = 0;
      throw asmError(
        "ERR_ASM_EXPRESSION",
        "a symbol is defined by itself, or by too long a chain of symbols",
      );
    }
    try {
      return this.evaluateNested(value);
    } finally {
      this.depth = Math.max(0, this.depth - 1);
    }
  }

  /** The value, or `null` where it has none. */
  tryEvaluate(id: number, addend: Integer): Evaluated | null {
    try {
      return this.evaluateSymbol(id, addend);
    } catch (error) {
      if (error instanceof AsmError) return null;
      throw error;
    }
  }

  private evaluateNested(value: Value): Evaluated {
    if (isConstant(value)) return constant(value);
    if (value.kind === "symbol") return this.evaluateSymbol(this.symbols.idOf(value), value.addend);
    const left = this.evaluate(value.left);
    if (value.right === null) return this.unary(value, left);
    return this.binary(value, left, this.evaluate(value.right));
  }

  private unary({ operator }: Expression, value: Evaluated): Evaluated {
    if (operator === "-") {
      return { plus: value.minus, minus: value.plus, constant: negate(value.constant) };
    }
    const known = requireConstant(value, operator);
    return constant(operator === "~" ? subtract(-1, known) : known === 0 ? 1 : 0);
  }

  private binary(expression: Expression, left: Evaluated, right: Evaluated): Evaluated {
    const { operator, truth } = expression;
    if (operator === "+") return this.sum(left, right);
    if (operator === "-") return this.sum(left, negated(right));
    if (COMPARISONS.has(operator)) {
      const difference = this.sum(left, negated(right));
      if (difference.plus === 0 && difference.minus === 0) {
        return constant(compute(operator as "==", difference.constant, 0, truth));
      }
    }
    const a = requireConstant(left, operator);
    const b = requireConstant(right, operator);
    return constant(compute(operator as "+", a, b, truth));
  }

  private sum(left: Evaluated, right: Evaluated): Evaluated {
    const plus = [left.plus, right.plus].filter((id) => id !== 0);
    const minus = [left.minus, right.minus].filter((id) => id !== 0);
    let sum = add(left.constant, right.constant);
    for (const negative of [...minus]) {
      const match = plus.findIndex((positive) => this.distance(positive, negative) !== null);
      if (match < 0) continue;
      sum = add(sum, this.distance(plus[match]!, negative)!);
      plus.splice(match, 1);
      minus.splice(minus.indexOf(negative), 1);
    }
    if (plus.length > 1 || minus.length > 1) {
      throw asmError("ERR_ASM_EXPRESSION", "two addresses cannot be added");
    }
    return { plus: plus[0] ?? 0, minus: minus[0] ?? 0, constant: sum };
  }

  /** Bytes between two symbols of one section; `null` if they are not. */
  private distance(a: number, b: number): number | null {
    if (a === b) return 0;
    const [first, second] = [this.symbols.entries[a]!, this.symbols.entries[b]!];
    if (first.place < 0 || first.place !== second.place) return null;
    const layout = this.layouts[first.place]!;
    return layout.offsetOf(first) - layout.offsetOf(second);
  }

  /** The offset in a section that a symbol plus `addend` stands for; `null` if it is not there. */
  offsetIn(section: number, symbol: SymbolEntry, addend: Integer): number | null {
    const value = this.tryEvaluate(symbol.id, addend);
    return value === null ? null : this.sectionOffset(section, value);
  }

  private sectionOffset(section: number, value: Evaluated): number | null {
    if (value.minus !== 0 || value.plus === ABSOLUTE_ZERO || typeof value.constant === "bigint") return null;
    const symbol = this.symbols.entries[value.plus]!;
    return symbol.place === section ? this.layouts[section]!.offsetOf(symbol) + value.constant : null;
  }

  /** Where an origin leads: an absolute value counts from the section's start. */
  offsetOf(section: number, value: Evaluated): number | null {
    if (value.plus === 0 && value.minus === 0) return Number(value.constant);
    return this.sectionOffset(section, value);
  }
}

const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);

function constant(value: Integer): Evaluated {
  return { plus: 0, minus: 0, constant: value };
}

function negated(value: Evaluated): Evaluated {
  return { plus: value.minus, minus: value.plus, constant: negate(value.constant) };
}

function requireConstant(value: Evaluated, operator: string): Integer {
  if (value.plus === 0 && value.minus === 0) return value.constant;
  throw asmError(
    "ERR_ASM_EXPRESSION",
    `${operator} needs numbers; an address is known only after linking`,
    "differences of two labels of one section are numbers",
  );
}
