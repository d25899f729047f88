/** GNU as's directives (its manual, "Assembler Directives"; "80386 Dependent Features"). */
import { asmError } from "../errors.js";
import { checkAlignment } from "../program.js";
import type { SectionFlags } from "../sections.js";
import { CONDITION_NAMES, evaluateCondition } from "./condition-tests.js";
import { closeCondition, endBranch, openCondition } from "./conditions.js";
import * as data from "./data-directives.js";
import type { Directive } from "./directives.js";
import { splitArguments, substitute } from "./macros.js";
import type { TextAssembler } from "./text-assembler.js";

const COMMA = 44;
const MAX_ALIGN = 2 ** 30;
const MAX_REPEAT = 5_000_000;
const NOP = 0x90;

const section =
  (name: string): Directive =>
  (a) => {
    if (!a.atEnd()) a.readConstant("a subsection");
    switchTo(a, name);
  };

function switchTo(a: TextAssembler, name: string, flags: Partial<SectionFlags> = {}): void {
  a.previousSection = a.program.section.name;
  a.program.switchSection(name, flags);
}

/** `.section name, "flags", @type`. */
function namedSection(a: TextAssembler): void {
  const name = readSectionName(a);
  if (a.accept(COMMA)) sectionFlags(a, name);
  else switchTo(a, name);
}

function sectionFlags(a: TextAssembler, name: string): void {
  if (a.next() !== 34) throw a.unexpected("flags in double quotes");
  const letters = a.readString();
  const flags = {
    alloc: letters.includes("a"),
    write: letters.includes("w"),
    execute: letters.includes("x"),
  };
  const isNobits = a.accept(COMMA) && /nobits/.test(a.restOfStatement());
  a.restOfStatement();
  switchTo(a, name, isNobits ? { ...flags, nobits: true } : flags);
}

function readSectionName(a: TextAssembler): string {
  if (a.next() === 34) return a.readString();
  const start = a.at;
  while (a.isNamePart(a.peek()) || a.peek() === 45) a.at++;
  if (a.at === start) throw a.unexpected("the name of a section");
  return a.text.slice(start, a.at);
}

/** Calls `each` with every name of a list. */
const names =
  (each: (a: TextAssembler, name: string) => void): Directive =>
  (a) => {
    do {
      each(a, readSymbolName(a));
    } while (a.accept(COMMA));
  };

function readSymbolName(a: TextAssembler): string {
  if (a.next() === 34) return a.readString();
  if (!a.nextName()) throw a.unexpected("the name of a symbol");
  return a.name();
}

const binding = (kind: "global" | "weak" | "local"): Directive =>
  names((a, name) => {
    a.program.symbols.entry(name).binding = kind;
  });

const visibility = (kind: "hidden" | "internal" | "protected"): Directive =>
  names((a, name) => {
    a.program.symbols.entry(name).visibility = kind;
  });

const assign =
  (again: boolean): Directive =>
  (a) => {
    const name = readSymbolName(a);
    a.expect(COMMA);
    a.program.assign(name, a.readExpression(), again);
  };

/** `.align n, fill, max`: `n` in bytes, or as a power of two. */
const align =
  (isPower: boolean, unit: number): Directive =>
  (a) => {
    const given = a.atEnd() ? 0 : a.readCount("an alignment", MAX_ALIGN);
    const bytes = isPower ? 2 ** Math.min(given, 31) : Math.max(1, given);
    checkAlignment(bytes);
    let pattern: Uint8Array | null = null;
    let most = MAX_ALIGN;
    if (a.accept(COMMA)) {
      if (a.next() !== COMMA && !a.atEnd()) pattern = fillPattern(a, unit);
      // 0 is no limit.
      if (a.accept(COMMA)) most = a.readCount("the most bytes to skip", MAX_ALIGN) || MAX_ALIGN;
    }
    const isCode = a.program.section.flags.execute;
    // A NOP as the fill means NOPs of any length.
    if (isCode && pattern?.length === 1 && pattern[0] === NOP) pattern = null;
    a.program.align(bytes, pattern ?? (isCode ? null : Uint8Array.of(0)), most);
  };

function fillPattern(a: TextAssembler, unit: number): Uint8Array {
  const value = BigInt(a.readConstant("a fill value"));
  return Uint8Array.from({ length: unit }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

function org(a: TextAssembler): void {
  const target = a.readExpression();
  const value = a.accept(COMMA) ? Number(a.readConstant("a fill value")) : 0;
  a.program.org(target, Uint8Array.of(value));
}

function repeat(a: TextAssembler): void {
  let left = a.readCount("a number of repetitions", MAX_REPEAT);
  const { text, firstLine } = a.readBody(LOOPS, [".endr"]);
  a.openFrame({
    file: a.frame.file,
    firstLine,
    name: "rept",
    text: "",
    next: () => (left-- > 0 ? text : null),
  });
}

/** `.irp x, a, b` and `.irpc x, abc`. */
const iterate =
  (byCharacter: boolean): Directive =>
  (a) => {
    const name = readSymbolName(a);
    a.accept(COMMA);
    const rest = a.restOfStatement();
    const values = byCharacter ? [...rest] : splitArguments(rest, "gas");
    const { text, firstLine } = a.readBody(LOOPS, [".endr"]);
    let i = 0;
    a.openFrame({
      file: a.frame.file,
      firstLine,
      name: byCharacter ? "irpc" : "irp",
      text: "",
      next: () => (i < values.length ? substitute(text, new Map([[name, values[i++]!]]), i) : null),
    });
  };

const LOOPS = [".rept", ".rep", ".irp", ".irpc"];

function exitMacro(a: TextAssembler): void {
  while (a.frame.parent !== null && !a.macros.has(a.frame.name)) a.close();
  if (a.frame.parent === null) throw asmError("ERR_ASM_MACRO", ".exitm stands outside of a macro");
  a.close();
}

/** `.type name, @function`. */
function type(a: TextAssembler): void {
  const symbol = a.program.symbols.entry(readSymbolName(a));
  a.accept(COMMA);
  const kind = a
    .restOfStatement()
    .replace(/^[@%#"]|^STT_|"$/gi, "")
    .toLowerCase();
  if (/^(gnu_indirect_)?func(tion)?$/.test(kind)) symbol.type = "func";
  else if (kind === "object") symbol.type = "object";
  else if (kind === "tls_object") symbol.type = "tls";
  else if (kind !== "notype" && kind !== "common")
    throw asmError("ERR_ASM_DIRECTIVE", `"${kind}" is no type of a symbol`);
}

function size(a: TextAssembler): void {
  const symbol = a.program.symbols.entry(readSymbolName(a));
  a.expect(COMMA);
  symbol.size = a.readLater();
}

/** `.comm name, size, align` and `.lcomm`: room in .bss. */
const common =
  (isGlobal: boolean): Directive =>
  (a) => {
    const name = readSymbolName(a);
    a.expect(COMMA);
    const bytes = a.readCount("a size", 2 ** 28);
    const alignment = a.accept(COMMA) ? a.readCount("an alignment", MAX_ALIGN) : 1;
    const { section: before } = a.program;
    a.program.switchSection(".bss");
    a.program.align(Math.max(1, alignment), Uint8Array.of(0));
    a.program.label(name);
    if (isGlobal) a.program.symbols.entry(name).binding = "global";
    a.program.zeros(bytes, 0);
    a.program.encoder.section = before;
  };

const complain: Directive = (a) => {
  const message = a.atQuote() ? a.readString() : a.restOfStatement();
  throw asmError("ERR_ASM_DIRECTIVE", message || "the source says .err");
};

const warn: Directive = (a) => {
  const message = a.atQuote() ? a.readString() : a.restOfStatement();
  a.warn(message || "the source says .warning");
};

/** What concerns other tools, or says what holds anyway. */
const ignore: Directive = (a) => {
  a.restOfStatement();
};

const IGNORED = [
  "addrsig",
  "addrsig_sym",
  "arch",
  "file",
  "ident",
  "loc",
  "loc_mark_labels",
  "nolist",
  "list",
  "line",
  "linkonce",
  "ln",
  "print",
  "psize",
  "sbttl",
  "symver",
  "title",
  "version",
  "eject",
  "cfi_adjust_cfa_offset",
  "cfi_def_cfa",
  "cfi_def_cfa_offset",
  "cfi_def_cfa_register",
  "cfi_endproc",
  "cfi_escape",
  "cfi_lsda",
  "cfi_offset",
  "cfi_personality",
  "cfi_register",
  "cfi_rel_offset",
  "cfi_remember_state",
  "cfi_restore",
  "cfi_restore_state",
  "cfi_return_column",
  "cfi_same_value",
  "cfi_sections",
  "cfi_signal_frame",
  "cfi_startproc",
  "cfi_undefined",
  "cfi_val_offset",
  "cfi_window_save",
];

const table: Readonly<Record<string, Directive>> = {
  text: section(".text"),
  data: section(".data"),
  bss: section(".bss"),
  section: namedSection,
  pushsection: (a) => {
    a.sectionStack.push(a.program.section.name);
    namedSection(a);
  },
  popsection: (a) => {
    const name = a.sectionStack.pop();
    if (name === undefined) throw asmError("ERR_ASM_DIRECTIVE", "no section was pushed");
    switchTo(a, name);
  },
  previous: (a) => switchTo(a, a.previousSection),
  subsection: ignore,
  globl: binding("global"),
  global: binding("global"),
  weak: binding("weak"),
  local: binding("local"),
  hidden: visibility("hidden"),
  internal: visibility("internal"),
  protected: visibility("protected"),
  extern: names((a, name) => {
    a.program.symbols.entry(name);
  }),
  type,
  size,
  comm: common(true),
  lcomm: common(false),
  byte: integers(1),
  "2byte": integers(2),
  short: integers(2),
  word: integers(2),
  hword: integers(2),
  value: integers(2),
  "4byte": integers(4),
  long: integers(4),
  int: integers(4),
  "8byte": integers(8),
  quad: integers(8),
  octa: integers(16),
  uleb128: data.leb128(false),
  sleb128: data.leb128(true),
  hfloat: data.floats(2),
  float: data.floats(4),
  single: data.floats(4),
  double: data.floats(8),
  tfloat: data.floats(10),
  ascii: data.strings(1, false),
  asciz: data.strings(1, true),
  string: data.strings(1, true),
  string8: data.strings(1, true),
  string16: data.strings(2, true),
  string32: data.strings(4, true),
  string64: data.strings(8, true),
  skip: data.skip,
  space: data.skip,
  zero: data.skip,
  fill: data.fill,
  incbin: data.incbin,
  include: data.include,
  align: align(false, 1),
  balign: align(false, 1),
  balignw: align(false, 2),
  balignl: align(false, 4),
  p2align: align(true, 1),
  p2alignw: align(true, 2),
  p2alignl: align(true, 4),
  org,
  equ: assign(true),
  set: assign(true),
  equiv: assign(false),
  eqv: assign(false),
  rept: repeat,
  rep: repeat,
  irp: iterate(false),
  irpc: iterate(true),
  endr: (a) => {
    throw a.unexpected(".rept before .endr", "ERR_ASM_MACRO");
  },
  macro: (a) => a.macros.readGas(a),
  endm: (a) => {
    throw a.unexpected(".macro before .endm", "ERR_ASM_MACRO");
  },
  exitm: exitMacro,
  purgem: names((a, name) => a.macros.purge(name)),
  else: endBranch,
  elseif: endBranch,
  endif: closeCondition,
  err: complain,
  error: complain,
  warning: warn,
  end: (a) => a.stop(),
  code16: (a) => a.program.encoder.setBits(16),
  code32: (a) => a.program.encoder.setBits(32),
  code64: (a) => a.program.encoder.setBits(64),
  intel_syntax: ignore,
  att_syntax: (a) => {
    if (/^prefix$|^noprefix$|^$/.test(a.restOfStatement())) {
      throw asmError("ERR_ASM_DIRECTIVE", "AT&T syntax is not read", "write the source in Intel syntax");
    }
  },
};

function integers(bytes: number): Directive {
  return data.integers(bytes);
}

export const gasDirectives: ReadonlyMap<string, Directive> = new Map([
  ...Object.entries(table).map(([name, directive]): [string, Directive] => [`.${name}`, directive]),
  ...CONDITION_NAMES.gas.map((name): [string, Directive] => [
    `.${name}`,
    (a) => openCondition(a, evaluateCondition(a, name)),
  ]),
  ...IGNORED.map((name): [string, Directive] => [`.${name}`, ignore]),
]);
