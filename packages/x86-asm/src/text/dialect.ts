/** What differs between the two spellings of Intel syntax at the level of characters and operators. */
import type { BinaryOperator } from "../expressions.js";

export type DialectName = "gas" | "nasm";

/** Classes of characters, as bits. */
export const Class = { nameStart: 1, namePart: 2, blank: 4, digit: 8, end: 16, operator: 32 } as const;

export interface Dialect {
  readonly name: DialectName;
  /** `Class` bits by character code; from 128 on, where all that is not ASCII is, parts of names. */
  readonly classes: Uint8Array;
  /** What a comparison that holds gives. */
  readonly truth: number;
  /** Binary operators by spelling: their meaning and how tightly they bind. */
  readonly operators: ReadonlyMap<string, readonly [operator: BinaryOperator, precedence: number]>;
  /** Precedence of + and -: what stands between registers in an address binds tighter. */
  readonly additive: number;
}

function classes(nameStart: string, namePart: string, ends: string): Uint8Array {
  const table = new Uint8Array(256).fill(Class.nameStart | Class.namePart, 128);
  const mark = (characters: string, bits: number) => {
    for (const character of characters) table[character.charCodeAt(0)]! |= bits;
  };
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  mark(letters + nameStart, Class.nameStart | Class.namePart);
  mark(`0123456789${namePart}`, Class.namePart);
  mark("0123456789", Class.digit);
  mark(" \t\r\f\v", Class.blank);
  mark(`\n${ends}`, Class.end);
  mark("+-*/%<>&|^=!~", Class.operator);
  return table;
}

/** GNU as: the manual's "Infix Operators", and the words of the Intel syntax. */
const gas: Dialect = {
  name: "gas",
  classes: classes("_.$", "_.$@", ";#"),
  truth: -1,
  additive: 4,
  operators: new Map([
    ["*", ["*", 6]],
    ["/", ["/", 6]],
    ["%", ["%", 6]],
    ["<<", ["<<", 6]],
    [">>", [">>", 6]],
    ["mod", ["%", 6]],
    ["shl", ["<<", 6]],
    ["shr", [">>", 6]],
    ["|", ["|", 5]],
    ["&", ["&", 5]],
    ["^", ["^", 5]],
    ["and", ["&", 5]],
    ["or", ["|", 5]],
    ["xor", ["^", 5]],
    ["+", ["+", 4]],
    ["-", ["-", 4]],
    ["==", ["==", 3]],
    ["!=", ["!=", 3]],
    ["<>", ["!=", 3]],
    ["<", ["<", 3]],
    ["<=", ["<=", 3]],
    [">", [">", 3]],
    [">=", [">=", 3]],
    ["eq", ["==", 3]],
    ["ne", ["!=", 3]],
    ["lt", ["<", 3]],
    ["le", ["<=", 3]],
    ["gt", [">", 3]],
    ["ge", [">=", 3]],
    ["&&", ["&&", 2]],
    ["||", ["||", 1]],
  ]),
};

/** NASM: the manual's "Expressions". */
const nasm: Dialect = {
  name: "nasm",
  classes: classes("_.?@", "_.?$#@~", ";"),
  truth: 1,
  additive: 9,
  operators: new Map([
    ["||", ["||", 1]],
    ["^^", ["^^", 2]],
    ["&&", ["&&", 3]],
    ["=", ["==", 4]],
    ["==", ["==", 4]],
    ["!=", ["!=", 4]],
    ["<>", ["!=", 4]],
    ["<", ["<", 4]],
    ["<=", ["<=", 4]],
    [">", [">", 4]],
    [">=", [">=", 4]],
    ["|", ["|", 5]],
    ["^", ["^", 6]],
    ["&", ["&", 7]],
    ["<<", ["<<", 8]],
    [">>", [">>", 8]],
    ["+", ["+", 9]],
    ["-", ["-", 9]],
    ["*", ["*", 10]],
    // NASM's / and % are unsigned, // and %% signed: the other way round than the names of the operations.
    ["/", ["//", 10]],
    ["%", ["%%", 10]],
    ["//", ["/", 10]],
    ["%%", ["%", 10]],
  ]),
};

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { gas, nasm };
