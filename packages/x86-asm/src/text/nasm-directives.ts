/** NASM's directives, pseudo-instructions and preprocessor (its manual, chapters 3, 4, 7 and 8). */
import { asmError } from "../errors.js";
import { checkAlignment } from "../program.js";
import { hasKnownName, type SectionBuffer, type SectionFlags } from "../sections.js";
import { CONDITION_NAMES, evaluateCondition } from "./condition-tests.js";
import { closeCondition, endBranch, openCondition } from "./conditions.js";
import * as data from "./data-directives.js";
import type { Directive } from "./directives.js";
import { splitArguments } from "./macros.js";
import { readPattern, times } from "./repeated-statement.js";
import type { TextAssembler } from "./text-assembler.js";

const COMMA = 44;
const MAX_ALIGN = 2 ** 30;
const MAX_REPEAT = 5_000_000;
const NOP = Uint8Array.of(0x90);

const SECTION_WORDS: Readonly<Record<string, Partial<SectionFlags>>> = {
  exec: { execute: true },
  noexec: { execute: false },
  write: { write: true },
  nowrite: { write: false },
  alloc: { alloc: true },
  noalloc: { alloc: false },
  nobits: { nobits: true },
  progbits: { nobits: false },
};

/** `section .text align=16 exec`. */
function section(a: TextAssembler): void {
  a.skipBlanks();
  const match = /^[^\s;\]]+/.exec(a.text.slice(a.at, a.at + 200));
  if (match === null) throw a.unexpected("the name of a section");
  a.at += match[0].length;
  let flags: Partial<SectionFlags> = {};
  let align: number | undefined;
  while (!a.atEnd() && a.peek() !== 93) {
    if (!a.nextName()) throw a.unexpected("a property of a section");
    const word = a.name().toLowerCase();
    if (a.accept(61)) {
      const value = a.readConstant(word);
      if (word === "align") align = checkAlignment(Number(value));
    } else if (SECTION_WORDS[word] !== undefined) flags = { ...flags, ...SECTION_WORDS[word] };
    else throw asmError("ERR_ASM_DIRECTIVE", `"${word}" is no property of a section`);
  }
  const [name] = match;
  if (!a.program.sections.some((known) => known.name === name) && !hasKnownName(name)) {
    flags = { write: false, ...flags };
  }
  const made = a.program.switchSection(name, align === undefined ? flags : { ...flags, align });
  made.least = align === undefined ? leastAlignment(name) : { object: 1, flat: 1 };
}

/** What NASM aligns sections to that say nothing of it (its manual, "elf extensions to the SECTION Directive", "bin"). */
export function leastAlignment(name: string): SectionBuffer["least"] {
  if (name === ".text") return { object: 16, flat: 4 };
  return { object: /^\.(ro)?data$|^\.bss$/.test(name) ? 4 : 1, flat: 4 };
}

const binding =
  (kind: "global" | "weak" | "local" | null): Directive =>
  (a) => {
    do {
      if (!a.nextName()) throw a.unexpected("the name of a symbol");
      const symbol = a.program.symbols.entry(a.name());
      if (kind !== null) symbol.binding = kind;
      if (a.accept(58)) readSymbolType(a, symbol);
    } while (a.accept(COMMA));
  };

const VISIBILITIES = ["default", "internal", "hidden", "protected"] as const;

/** What stands behind `global name:`: `function`, `data`, and a size. */
function readSymbolType(
  a: TextAssembler,
  symbol: ReturnType<TextAssembler["program"]["symbols"]["entry"]>,
): void {
  if (!a.nextName()) throw a.unexpected("function or data");
  const word = a.name().toLowerCase();
  if (word === "function") symbol.type = "func";
  else if (word === "data" || word === "object") symbol.type = "object";
  const start = a.at;
  const visibility = a.nextName() ? VISIBILITIES.find((name) => a.nameIs(name)) : undefined;
  if (visibility === undefined) a.at = start;
  else symbol.visibility = visibility;
  if (!a.atEnd() && a.peek() !== COMMA) symbol.size = a.readLater();
}

const bits: Directive = (a) => {
  const mode = a.readConstant("a mode");
  if (mode !== 16 && mode !== 32 && mode !== 64) {
    throw asmError("ERR_ASM_DIRECTIVE", `a mode is 16, 32 or 64, not ${mode}`);
  }
  a.program.encoder.setBits(mode);
};

const setDefault: Directive = (a) => {
  if (!a.nextName()) throw a.unexpected("rel or abs");
  const word = a.name().toLowerCase();
  if (word === "rel" || word === "abs") a.defaultRelative = word === "rel";
  else if (word !== "bnd" && word !== "nobnd") throw a.unexpected("rel or abs");
};

function org(a: TextAssembler): void {
  a.origin = BigInt(a.readConstant("an origin"));
}

/** `align 16`, `align 16, db 0`. */
const align =
  (fill: Uint8Array): Directive =>
  (a) => {
    const bytes = checkAlignment(a.readCount("an alignment", MAX_ALIGN));
    const pattern = a.accept(COMMA)
      ? readPattern(a)
      : a.program.section.flags.nobits
        ? Uint8Array.of(0)
        : fill;
    a.program.align(bytes, pattern);
  };

function repeat(a: TextAssembler): void {
  let left = a.readExpanded(() => a.readCount("a number of repetitions", MAX_REPEAT));
  const { text, firstLine } = a.readBody(["%rep"], ["%endrep"]);
  a.openFrame({
    file: a.frame.file,
    firstLine,
    name: "rep",
    text: "",
    next: () => (left-- > 0 ? text : null),
  });
}

const leaveFrame =
  (isOne: (a: TextAssembler) => boolean, what: string): Directive =>
  (a) => {
    while (a.frame.parent !== null && !isOne(a)) a.close();
    if (a.frame.parent === null) throw asmError("ERR_ASM_MACRO", `this stands outside of a ${what}`);
    a.close();
  };

/** `%define name text`, `%define name(a, b) text`; `%xdefine` expands the text at once. */
const define =
  (expanded: boolean): Directive =>
  (a) => {
    if (!a.nextName()) throw a.unexpected("a name");
    const name = a.name();
    let parameters: readonly string[] | null = null;
    if (a.peek() === 40) {
      const end = a.text.indexOf(")", a.at);
      const list = a.text.slice(a.at + 1, end);
      if (end < 0 || list.includes("\n")) throw a.unexpected("parameters in parentheses");
      parameters = list.trim() === "" ? [] : list.split(",").map((parameter) => parameter.trim());
      a.at = end + 1;
    }
    const text = a.restOfStatement();
    a.macros.define(name, expanded ? a.macros.expand(text) : text, parameters);
  };

const assign: Directive = (a) => {
  if (!a.nextName()) throw a.unexpected("a name");
  const name = a.name();
  a.macros.define(name, String(a.readExpanded(() => a.readConstant("a value"))));
};

const undefine: Directive = (a) => {
  if (!a.nextName()) throw a.unexpected("a name");
  a.macros.undefine(a.name());
};

const readMessage = (a: TextAssembler) =>
  splitArguments(a.restOfStatement(), "nasm")
    .map((part) => part.replace(/^(["'`])(.*)\1$/, "$2"))
    .join(", ");

const complain: Directive = (a) => {
  throw asmError("ERR_ASM_DIRECTIVE", readMessage(a) || "the source says %error");
};

const warn: Directive = (a) => a.warn(readMessage(a) || "the source says %warning");

const ignore: Directive = (a) => {
  a.restOfStatement();
};

const misplaced =
  (opener: string): Directive =>
  (a) => {
    throw a.unexpected(`${opener} before this`, "ERR_ASM_MACRO");
  };

const table: Readonly<Record<string, Directive>> = {
  section,
  segment: section,
  global: binding("global"),
  weak: binding("weak"),
  static: binding("local"),
  extern: binding(null),
  required: binding(null),
  bits,
  use16: (a) => a.program.encoder.setBits(16),
  use32: (a) => a.program.encoder.setBits(32),
  use64: (a) => a.program.encoder.setBits(64),
  default: setDefault,
  org,
  align: align(NOP),
  alignb: align(Uint8Array.of(0)),
  cpu: ignore,
  float: ignore,
  times,
  incbin: data.incbin,
  db: data.values(1),
  dw: data.values(2),
  dd: data.values(4),
  dq: data.values(8),
  dt: data.values(10),
  do: data.values(16),
  dy: data.values(32),
  dz: data.values(64),
  resb: data.reserve(1),
  resw: data.reserve(2),
  resd: data.reserve(4),
  resq: data.reserve(8),
  rest: data.reserve(10),
  reso: data.reserve(16),
  resy: data.reserve(32),
  resz: data.reserve(64),
  "%include": data.include,
  "%macro": (a) => a.macros.readNasm(a),
  "%imacro": (a) => a.macros.readNasm(a),
  "%endmacro": misplaced("%macro"),
  "%endm": misplaced("%macro"),
  "%exitmacro": leaveFrame((a) => a.macros.has(a.frame.name), "macro"),
  "%rep": repeat,
  "%endrep": misplaced("%rep"),
  "%exitrep": leaveFrame((a) => a.frame.name === "rep", "%rep"),
  "%define": define(false),
  "%idefine": define(false),
  "%xdefine": define(true),
  "%ixdefine": define(true),
  "%assign": assign,
  "%iassign": assign,
  "%undef": undefine,
  "%else": endBranch,
  "%endif": closeCondition,
  "%error": complain,
  "%fatal": complain,
  "%warning": warn,
  "%line": ignore,
  "%pragma": ignore,
};

export const nasmDirectives: ReadonlyMap<string, Directive> = new Map([
  ...Object.entries(table),
  ...CONDITION_NAMES.nasm.flatMap((name): [string, Directive][] => [
    [`%${name}`, (a) => openCondition(a, evaluateCondition(a, name))],
    [`%el${name}`, endBranch],
  ]),
]);
