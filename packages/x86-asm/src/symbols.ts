/** Symbols by name and number. */
import { asmError } from "./errors.js";
import type { Expression, SymbolReference, Value } from "./expressions.js";
import type { Integer } from "./integers.js";

/** Where a symbol is: a section's index, or one of these. */
export const SymbolPlace = {
  undefined: -1,
  absolute: -2,
  expression: -3,
  /** Not the symbol's address, but what a linker makes for it: `x@GOTPCREL`. */
  made: -4,
} as const;

export class SymbolEntry {
  readonly name: string;
  readonly id: number;
  /** Index of its section, or a `SymbolPlace`. */
  place: number = SymbolPlace.undefined;
  /** Offset in the section before anything grows; the value of an absolute symbol. */
  value: Integer = 0;
  /** Variables of the section that stand before it. */
  variablesBefore = 0;
  /** Its value, if it is an expression. */
  expression: Value | null = null;
  /** What is made, and for which symbol; see modifiers.ts. */
  modifier: { readonly name: string; readonly of: number } | null = null;
  binding: "local" | "global" | "weak" = "local";
  type: "notype" | "func" | "object" | "tls" = "notype";
  visibility: "default" | "internal" | "hidden" | "protected" = "default";
  size: Value = 0;
  /** Assembler temporaries do not appear in the object. */
  isTemporary = false;
  /** Names given by `=` or `.set` may be given again. */
  isAssigned = false;
  /** How often it was given a value. */
  assignments = 0;
  /** Source line that defines it, or first refers to it; 0 if none. */
  line = 0;

  constructor(name: string, id: number) {
    this.name = name;
    this.id = id;
  }
}

/** The symbol that has no name and the value 0: absolute targets are offsets to it. */
export const ABSOLUTE_ZERO = 0;
/** The same for 32-bit and for 16-bit code, where addresses wrap at 4 GiB and at 64 KiB. */
export const ABSOLUTE_ZERO_32 = 1;
export const ABSOLUTE_ZERO_16 = 2;

export class SymbolTable {
  readonly entries: SymbolEntry[] = [];
  private readonly ids = new Map<string, number>();

  constructor() {
    for (let id = ABSOLUTE_ZERO; id <= ABSOLUTE_ZERO_16; id++) this.anonymous().place = SymbolPlace.absolute;
  }

  /** The number of the symbol, which may be undefined yet. */
  id(name: string): number {
    let id = this.ids.get(name);
    if (id === undefined) {
      id = this.entries.length;
      this.entries.push(new SymbolEntry(name, id));
      this.ids.set(name, id);
    }
    return id;
  }

  entry(name: string): SymbolEntry {
    return this.entries[this.id(name)]!;
  }

  find(name: string): SymbolEntry | undefined {
    const id = this.ids.get(name);
    return id === undefined ? undefined : this.entries[id];
  }

  /** A symbol without a name. */
  anonymous(): SymbolEntry {
    const entry = new SymbolEntry("", this.entries.length);
    entry.isTemporary = true;
    this.entries.push(entry);
    return entry;
  }

  /** The number of a symbol that has the value of an operand. */
  idOf(operand: string | SymbolReference | Expression): number {
    if (typeof operand === "string") return this.id(operand);
    if (operand.kind === "symbol") return operand.id >= 0 ? operand.id : this.id(operand.name);
    const entry = this.anonymous();
    entry.place = SymbolPlace.expression;
    entry.expression = operand;
    return entry.id;
  }

  /** Throws `ERR_ASM_SYMBOL` if it is defined already. */
  checkUndefined(entry: SymbolEntry): void {
    if (entry.place === SymbolPlace.undefined) return;
    throw asmError("ERR_ASM_SYMBOL", `symbol ${entry.name} is already defined`, "rename one of the two");
  }
}
