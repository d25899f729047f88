/** Symbols by name and number. */
import { asmError } from "./errors.js";

/** Where a symbol is: a section's index, or one of these. */
export const SymbolPlace = { undefined: -1, absolute: -2 } as const;

export interface SymbolEntry {
  readonly name: string;
  /** Index of its section, or a `SymbolPlace`. */
  place: number;
  /** Offset in the section before branches grow; the value of an absolute symbol. */
  value: number | bigint;
  /** Fixes of the section that stand before it. */
  fixesBefore: number;
  isGlobal: boolean;
}

/** The symbol that has no name and the value 0: absolute targets are offsets to it. */
export const ABSOLUTE_ZERO = 0;

export class SymbolTable {
  readonly entries: SymbolEntry[] = [];
  private readonly ids = new Map<string, number>();

  constructor() {
    this.entries.push(entry("", SymbolPlace.absolute));
  }

  /** The number of the symbol, which may be undefined yet. */
  id(name: string): number {
    let id = this.ids.get(name);
    if (id === undefined) {
      id = this.entries.length;
      this.entries.push(entry(name, SymbolPlace.undefined));
      this.ids.set(name, id);
    }
    return id;
  }

  find(name: string): SymbolEntry | undefined {
    const id = this.ids.get(name);
    return id === undefined ? undefined : this.entries[id];
  }

  /** Throws `ERR_ASM_SYMBOL` if it is defined already. */
  define(name: string, place: number, value: number | bigint, fixesBefore: number): void {
    const symbol = this.entries[this.id(name)]!;
    if (symbol.place !== SymbolPlace.undefined) {
      throw asmError("ERR_ASM_SYMBOL", `symbol ${name} is already defined`, "rename one of the two");
    }
    symbol.place = place;
    symbol.value = value;
    symbol.fixesBefore = fixesBefore;
  }
}

function entry(name: string, place: number): SymbolEntry {
  return { name, place, value: 0, fixesBefore: 0, isGlobal: false };
}
