/** The symbols of an object. */
import type { Evaluator } from "./evaluation.js";
import type { Report, SectionLayout } from "./layout.js";
import type { ObjectSymbol } from "./object.js";
import type { References } from "./section-writer.js";
import { type SymbolEntry, SymbolPlace, type SymbolTable } from "./symbols.js";

/**
 * The named symbols of an assembly in the order of their definitions; behind them, by name, those that are defined
 * elsewhere: what is `referenced`, and what the source makes global.
 */
export function objectSymbols(
  layouts: readonly SectionLayout[],
  symbols: SymbolTable,
  evaluator: Evaluator,
  referenced: References,
  report: Report,
): ObjectSymbol[] {
  const found: ObjectSymbol[] = [];
  const named = symbols.entries.filter(
    (symbol) =>
      !symbol.isTemporary &&
      (symbol.place !== SymbolPlace.undefined || symbol.binding === "global" || referenced.has(symbol.name)),
  );
  for (const symbol of named.sort(byDefinition)) {
    try {
      const made = objectSymbol(symbol, layouts, evaluator, referenced.get(symbol.name) === true);
      if (made !== null) found.push(made);
    } catch (error) {
      report(symbol.line, error);
    }
  }
  return found;
}

/** Symbols of one line stand in the order of their names: their numbers depend on where they are used first. */
function byDefinition(a: SymbolEntry, b: SymbolEntry): number {
  const isUndefined = a.place === SymbolPlace.undefined;
  if (isUndefined !== (b.place === SymbolPlace.undefined)) return isUndefined ? 1 : -1;
  if (!isUndefined && (a.line !== b.line || a.line === 0)) return a.line - b.line || a.id - b.id;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function objectSymbol(
  symbol: SymbolEntry,
  layouts: readonly SectionLayout[],
  evaluator: Evaluator,
  isThreadLocal: boolean,
): ObjectSymbol | null {
  const { name, visibility } = symbol;
  const type = isThreadLocal && symbol.type === "notype" ? "tls" : symbol.type;
  const sizeBytes = symbol.size === 0 ? 0n : BigInt(evaluator.evaluate(symbol.size).constant);
  const value = evaluator.evaluateSymbol(symbol.id, 0);
  const target = evaluator.symbolOf(value.plus);
  const isUndefined = target.place === SymbolPlace.undefined;
  // A name for something that is defined elsewhere is no symbol of its own.
  if (value.minus !== 0 || (isUndefined && target !== symbol)) return null;
  const binding = isUndefined && symbol.binding === "local" ? "global" : symbol.binding;
  const layout = layouts[target.place];
  if (layout === undefined) {
    const section = isUndefined ? undefined : null;
    return {
      name,
      section,
      value: isUndefined ? 0n : BigInt(value.constant),
      sizeBytes,
      binding,
      type,
      visibility,
    };
  }
  const offset = BigInt(layout.offsetOf(target)) + BigInt(value.constant);
  return { name, section: layout.section.name, value: offset, sizeBytes, binding, type, visibility };
}
