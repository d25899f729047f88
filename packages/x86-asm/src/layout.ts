/**
 * Finds where everything ends up: grows branches until every one reaches, sizes alignments and fills, and
 * evaluates expressions.
 *
 * Branches start short and only grow, as GNU as does it, so a fixed point exists; without alignment in between
 * it is the least one. A pass walks the variables of each section once. A branch that looks forward assumes
 * that what lies between moves as it has moved itself, up to the next alignment.
 */
import { asmError } from "./errors.js";
import { type Evaluated, Evaluator } from "./evaluation.js";
import { padding } from "./padding.js";
import {
  FIELD_SIZES,
  MAX_SECTION_BYTES,
  type SectionBuffer,
  VariableKind,
  VariableWord,
} from "./sections.js";
import { type SymbolEntry, SymbolPlace, type SymbolTable } from "./symbols.js";

/** Takes what was thrown for a source line; rethrows what is no `AsmError`. */
export type Report = (line: number, error: unknown) => void;

/** Beyond this many passes, branches behind one that grew are looked at again at once: chains settle in one pass. */
const PATIENT_PASSES = 16;
/** Beyond this many, every branch that an alignment or a fill could still push out of reach grows. */
const EXACT_PASSES = 128;
/** Beyond this many, fills and origins depend on themselves. */
const MAX_PASSES = 256;
/** A short branch spans fewer bytes than this, whichever way it goes. */
const SHORT_SPAN = 132;

/** Where the contents of one section end up. */
export class SectionLayout {
  readonly section: SectionBuffer;
  /** Bytes by which the variables before the i-th have grown; one more entry than there are variables. */
  readonly growth: Int32Array;
  /** The same, of the pass before. */
  readonly before: Int32Array;
  /** Bytes by which each variable has grown. */
  readonly own: Int32Array;
  /** Number of alignments, fills and origins before each variable. */
  readonly region: Int32Array;

  constructor(section: SectionBuffer) {
    const { count, words } = section.variables;
    this.section = section;
    this.growth = new Int32Array(count + 1);
    this.before = new Int32Array(count + 1);
    this.own = new Int32Array(count);
    this.region = new Int32Array(count + 1);
    for (let i = 0; i < count; i++) {
      const isBranch = words[i * VariableWord.stride + VariableWord.kind] === VariableKind.branch;
      this.region[i + 1] = this.region[i]! + (isBranch ? 0 : 1);
    }
  }

  get sizeBytes(): number {
    return this.section.length + this.growth[this.section.variables.count]!;
  }

  offsetOf(symbol: SymbolEntry): number {
    return (symbol.value as number) + this.growth[symbol.variablesBefore]!;
  }
}

/** Lays out all sections. Complaints about single places go to `report`; what hinders a layout is thrown. */
export function layOut(
  sections: readonly SectionBuffer[],
  symbols: SymbolTable,
  report: Report,
): { layouts: SectionLayout[]; evaluator: Evaluator } {
  const layouts = sections.map((section) => new SectionLayout(section));
  const evaluator = new Evaluator(symbols, layouts);
  for (const layout of layouts) padFirst(layout);
  let pass = 0;
  for (let changed = true; changed; pass++) {
    if (pass > MAX_PASSES) {
      throw asmError(
        "ERR_ASM_LAYOUT",
        "sizes depend on each other and do not settle",
        "look for a fill, an org or an align whose size changes what it is computed from",
      );
    }
    changed = false;
    evaluator.startPass();
    for (const layout of layouts) {
      if (layout.own.length > 0 && runPass(layout, symbols, evaluator, pass)) changed = true;
    }
  }
  for (const layout of layouts) checkVariables(layout, symbols, evaluator, report);
  return { layouts, evaluator };
}

/** Where things stand before the first pass: every branch short, alignments padded, fills and origins empty. */
function padFirst({ section, growth, own }: SectionLayout): void {
  const { words, count } = section.variables;
  for (let i = 0; i < count; i++) {
    const at = i * VariableWord.stride;
    if (words[at + VariableWord.kind] === VariableKind.align) {
      own[i] = alignmentSize(section, i, words[at]! + growth[i]!);
    }
    growth[i + 1] = growth[i]! + own[i]!;
  }
}

/** One walk over a section's variables; whether anything moved. */
function runPass(layout: SectionLayout, symbols: SymbolTable, evaluator: Evaluator, pass: number): boolean {
  const { section, own } = layout;
  const { words, count } = section.variables;
  const { growth, before } = layout;
  // What this pass has not reached yet stands where the last one put it.
  before.set(growth);
  let changed = false;
  growth[0] = 0;
  for (let i = 0; i < count; i++) {
    const at = i * VariableWord.stride;
    if (words[at + VariableWord.kind] !== VariableKind.branch) {
      own[i] = variableSize(layout, evaluator, i);
    } else if (own[i] === 0 && !reaches(layout, symbols, evaluator, i, pass)) {
      own[i] = branchGrowth(section.bytes[words[at]!]!, words[at + VariableWord.extra]!);
      if (pass >= PATIENT_PASSES) i = growBehind(layout, symbols, evaluator, i, pass);
    }
    const after = growth[i]! + own[i]!;
    if (after !== before[i + 1]) changed = true;
    if (section.length + after > MAX_SECTION_BYTES) {
      throw asmError("ERR_ASM_LIMIT", `section ${section.name} would have more than 1 GiB`);
    }
    growth[i + 1] = after;
  }
  return changed;
}

/** Bytes that the long form has beyond the short one: Jcc also gains the 0F. */
function branchGrowth(opcode: number, longKind: number): number {
  return FIELD_SIZES[longKind]! - (opcode === 0xeb ? 1 : 0);
}

/**
 * Grows the short branches close behind branch `i`, which has just grown, that it pushes out of reach, and those
 * behind them; returns the last index up to which `growth` still holds.
 */
function growBehind(
  layout: SectionLayout,
  symbols: SymbolTable,
  evaluator: Evaluator,
  i: number,
  pass: number,
): number {
  const { section, own, growth } = layout;
  const { words } = section.variables;
  let first = i;
  let grown = i;
  for (let j = i - 1; j >= 0; j--) {
    const at = j * VariableWord.stride;
    if (words[grown * VariableWord.stride]! - words[at]! > SHORT_SPAN) break;
    if (words[at + VariableWord.kind] !== VariableKind.branch || own[j] !== 0) continue;
    if (reaches(layout, symbols, evaluator, j, pass)) continue;
    own[j] = branchGrowth(section.bytes[words[at]!]!, words[at + VariableWord.extra]!);
    first = grown = j;
  }
  for (let j = first; j < i; j++) growth[j + 1] = growth[j]! + own[j]!;
  return i;
}

/** Whether the short form of branch `i` reaches its target, as far as this pass knows. */
function reaches(
  layout: SectionLayout,
  symbols: SymbolTable,
  evaluator: Evaluator,
  i: number,
  pass: number,
): boolean {
  const { section, growth, before, region } = layout;
  const at = i * VariableWord.stride;
  const symbol = symbols.entries[section.variables.words[at + VariableWord.symbol]!]!;
  const addend = section.variables.addends[i]!;
  const end = section.variables.words[at]! + 2 + growth[i]!;
  let target: number;
  // Another object may define a weak symbol, somewhere else.
  if (symbol.binding === "weak") return false;
  if (symbol.place === section.index && typeof addend === "number") {
    const { variablesBefore } = symbol;
    target = (symbol.value as number) + addend;
    if (variablesBefore <= i) target += growth[variablesBefore]!;
    else {
      const stretch = growth[i]! - before[i]!;
      target += before[variablesBefore]!;
      const isFree = region[variablesBefore] === region[i];
      if (!isFree && pass > EXACT_PASSES) return false;
      if (stretch < 0 || isFree) target += stretch;
      else if (target < end - 2) return true;
      // What grew in this pass behind i has moved the target as well.
      if (isFree && pass >= PATIENT_PASSES) target += pending(layout, i, variablesBefore);
    }
  } else {
    const known =
      symbol.place === SymbolPlace.expression ? evaluator.offsetIn(section.index, symbol, addend) : null;
    if (known === null) return false;
    target = known;
  }
  const distance = target - end;
  return distance >= -128 && distance <= 127;
}

/** Growth, between variable `i` and the `end`-th, that the last pass did not know of. */
function pending({ own, before }: SectionLayout, i: number, end: number): number {
  let sum = 0;
  for (let j = i; j < end; j++) sum += own[j]! - (before[j + 1]! - before[j]!);
  return sum;
}

/** Bytes of an alignment, a fill or an origin. */
function variableSize(layout: SectionLayout, evaluator: Evaluator, i: number): number {
  const { section, growth } = layout;
  const at = i * VariableWord.stride;
  const { words, addends } = section.variables;
  const offset = words[at]! + growth[i]!;
  const kind = words[at + VariableWord.kind]!;
  if (kind === VariableKind.align) return alignmentSize(section, i, offset);
  const value = evaluator.tryEvaluate(words[at + VariableWord.symbol]!, addends[i]!);
  if (value === null) return 0;
  if (kind === VariableKind.fill) {
    return fillSize(value, section.paddings[words[at + VariableWord.extra]!]!.pattern!.length);
  }
  const target = evaluator.offsetOf(section.index, value);
  return target === null ? 0 : Math.min(Math.max(0, target - offset), MAX_SECTION_BYTES);
}

/** Padding of alignment `i` where it stands at `offset`. */
function alignmentSize(section: SectionBuffer, i: number, offset: number): number {
  const extra = section.variables.words[i * VariableWord.stride + VariableWord.extra]!;
  const { align, maxBytes } = section.paddings[extra]!;
  const size = padding(offset, align);
  return size > maxBytes ? 0 : size;
}

function fillSize(value: Evaluated, unit: number): number {
  if (value.plus !== 0 || value.minus !== 0) return 0;
  const count = Number(value.constant);
  return Math.min(Math.max(0, count), MAX_SECTION_BYTES) * unit;
}

/** Complains about alignments, fills and origins that ended up without a meaning. */
function checkVariables(
  { section, growth, own }: SectionLayout,
  symbols: SymbolTable,
  evaluator: Evaluator,
  report: Report,
): void {
  const { words, addends, count } = section.variables;
  for (let i = 0; i < count; i++) {
    const at = i * VariableWord.stride;
    const kind = words[at + VariableWord.kind]!;
    if (kind === VariableKind.branch) continue;
    try {
      if (kind === VariableKind.align) {
        checkPadding(own[i]!, section.paddings[words[at + VariableWord.extra]!]!.pattern);
        continue;
      }
      const value = evaluator.evaluateSymbol(words[at + VariableWord.symbol]!, addends[i]!);
      const message =
        kind === VariableKind.fill
          ? fillProblem(value, symbols)
          : orgProblem(evaluator.offsetOf(section.index, value), words[at]! + growth[i]!);
      if (message !== null) throw asmError("ERR_ASM_LAYOUT", message);
    } catch (error) {
      report(words[at + VariableWord.line]!, error);
    }
  }
}

function checkPadding(sizeBytes: number, pattern: Uint8Array | null): void {
  if (pattern === null || sizeBytes % pattern.length === 0) return;
  throw asmError(
    "ERR_ASM_LAYOUT",
    `${sizeBytes} bytes of padding are no multiple of the fill's ${pattern.length}`,
  );
}

function fillProblem(value: Evaluated, symbols: SymbolTable): string | null {
  if (value.plus !== 0 || value.minus !== 0) {
    return `a count cannot depend on the address of ${symbols.entries[value.plus || value.minus]!.name || "a symbol"}`;
  }
  return value.constant < 0 ? `a count of ${value.constant} is negative` : null;
}

function orgProblem(target: number | null, offset: number): string | null {
  if (target === null) return "an origin must be a number or an address in this section";
  return target < offset ? `org goes back, from offset ${offset} to ${target}` : null;
}
