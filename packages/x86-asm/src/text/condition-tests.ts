/** What the conditions of both dialects ask. */
import { asmError } from "../errors.js";
import { SymbolPlace } from "../symbols.js";
import { splitArguments } from "./macros.js";
import type { TextAssembler } from "./text-assembler.js";

type Test = (a: TextAssembler) => boolean;

const compared =
  (holds: (value: number | bigint) => boolean): Test =>
  (a) =>
    holds(a.readConstant("a condition"));

/** Whether the name that follows is defined: a symbol, or in NASM's dialect a `%define`. */
const isDefined: Test = (a) => {
  if (!a.nextName()) throw a.unexpected("a name");
  const name = a.name();
  if (a.dialect.name === "nasm") return a.macros.isDefined(name);
  a.program.observed.add(name);
  const symbol = a.program.symbols.find(name);
  return symbol !== undefined && symbol.place !== SymbolPlace.undefined;
};

const isBlank: Test = (a) => a.restOfStatement() === "";

const areSame =
  (fold: (text: string) => string): Test =>
  (a) => {
    const values = splitArguments(a.restOfStatement(), a.dialect.name);
    if (values.length !== 2) throw asmError("ERR_ASM_MACRO", `this compares two texts, not ${values.length}`);
    return fold(values[0]!) === fold(values[1]!);
  };

/** `%ifmacro name 1-2`: whether a macro of that name takes one of these numbers of arguments. */
const isMacro: Test = (a) => {
  if (!a.nextName()) throw a.unexpected("a name");
  const name = a.name();
  const counts = a.restOfStatement();
  return counts === "" ? a.macros.has(name) : a.macros.overlaps(name, counts);
};

const matches =
  (pattern: RegExp): Test =>
  (a) =>
    pattern.test(a.restOfStatement());

const not =
  (test: Test): Test =>
  (a) =>
    !test(a);

const COMMON: Readonly<Record<string, Test>> = {
  if: compared((value) => value !== 0),
  ifdef: isDefined,
  ifndef: not(isDefined),
};

const TESTS: Readonly<Record<"gas" | "nasm", Readonly<Record<string, Test>>>> = {
  gas: {
    ...COMMON,
    ifnotdef: not(isDefined),
    ifeq: compared((value) => value === 0),
    ifne: compared((value) => value !== 0),
    ifgt: compared((value) => value > 0),
    ifge: compared((value) => value >= 0),
    iflt: compared((value) => value < 0),
    ifle: compared((value) => value <= 0),
    ifb: isBlank,
    ifnb: not(isBlank),
    ifc: areSame((text) => text),
    ifnc: not(areSame((text) => text)),
    ifeqs: areSame((text) => text),
    ifnes: not(areSame((text) => text)),
  },
  nasm: {
    ...COMMON,
    ifn: compared((value) => value === 0),
    ifmacro: isMacro,
    ifnmacro: not(isMacro),
    ifidn: areSame((text) => text),
    ifnidn: not(areSame((text) => text)),
    ifidni: areSame((text) => text.toLowerCase()),
    ifnidni: not(areSame((text) => text.toLowerCase())),
    ifempty: isBlank,
    ifnempty: not(isBlank),
    ifnum: matches(/^[-+]?[0-9$]/),
    ifnnum: not(matches(/^[-+]?[0-9$]/)),
    ifstr: matches(/^["'`]/),
    ifnstr: not(matches(/^["'`]/)),
    ifid: matches(/^[A-Za-z_.?@]/),
    ifnid: not(matches(/^[A-Za-z_.?@]/)),
  },
};

export const CONDITION_NAMES: Readonly<Record<"gas" | "nasm", readonly string[]>> = {
  gas: Object.keys(TESTS.gas),
  nasm: Object.keys(TESTS.nasm),
};

/** Reads what the condition `name` asks, and says whether it holds. */
export function evaluateCondition(a: TextAssembler, name: string): boolean {
  const test = TESTS[a.dialect.name][name];
  if (test === undefined) throw asmError("ERR_ASM_DIRECTIVE", `there is no condition ${name}`);
  return EXPANDED.has(name.replace(/^ifn/, "if")) ? a.readExpanded(() => test(a)) : test(a);
}

/** NASM's conditions on values and texts; those on names take the name as it is. */
const EXPANDED: ReadonlySet<string> = new Set(["if", "ifidn", "ifidni", "ifempty", "ifnum", "ifstr", "ifid"]);
