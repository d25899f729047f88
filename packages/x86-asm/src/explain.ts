/** Says why no form of an instruction takes the operands it was given, and what to write instead. */
import { type AsmError, asmError } from "./errors.js";
import type { InstructionSet } from "./instruction-set.js";
import { bitsOf, findForm, IMMEDIATE, type MaybeOperand } from "./matching.js";
import {
  ANY_MEMORY,
  CHECK_BITS,
  FIXED_BITS,
  FormWord,
  MAX_OPERANDS,
  MODE_16,
  MODE_32,
  MODE_64,
  OperandBit,
  OperandCheck,
} from "./operand-bits.js";
import { Register } from "./registers.js";
import { generalRegister } from "./registers-by-number.js";

const ALL_MODES = MODE_16 | MODE_32 | MODE_64;
/** Accepted shapes that a hint lists. */
const MAX_SHAPES = 4;

/** The error for a mnemonic with operands that none of its forms takes in a mode. */
export function explainMismatch(
  set: InstructionSet,
  mnemonic: number,
  bits: number,
  operands: readonly MaybeOperand[],
): AsmError {
  const name = set.mnemonics[mnemonic]!;
  const from = set.first[mnemonic]! * FormWord.stride;
  const end = set.first[mnemonic + 1]! * FormWord.stride;
  const [a, b, c, d, e] = operands;
  const given = operands.filter((operand) => operand !== undefined);
  const shape = `${name} ${given.map(describeOperand).join(", ")}`.trimEnd();
  if (findForm(set.words, from, end, ALL_MODES, a, b, c, d, e) >= 0) {
    return asmError("ERR_ASM_MODE", `${shape} does not exist in ${bits}-bit mode`);
  }
  const forms = range(from, end);
  const counts = [...new Set(forms.map((form) => operandCount(set.words, form)))].sort((x, y) => x - y);
  if (!counts.includes(given.length)) {
    const takes = counts.join(" or ");
    return asmError("ERR_ASM_OPERANDS", `${name} takes ${takes} operands, not ${given.length}`);
  }
  const near = forms.filter((form) => mismatches(set.words, form, operands).length === 0);
  if (near.length > 0) return outOfRange(set.words, near, name, operands);
  return withHint(set.words, forms, name, shape, modeBit(bits), operands);
}

/** The error where forms take the operands, but their encoders cannot: decorations, high registers, VEX or EVEX hints. */
export function explainRefusal(
  set: InstructionSet,
  mnemonic: number,
  operands: readonly MaybeOperand[],
): AsmError {
  const shape = operands.filter((operand) => operand !== undefined).map(spell);
  return asmError(
    "ERR_ASM_OPERANDS",
    `no encoding of ${set.mnemonics[mnemonic]!} takes ${shape.join(", ")}`,
    "masks, roundings, {vex} and {evex} need a form that has them",
  );
}

/** All bits fit, so it is a value, or a register that must be a certain one. */
function outOfRange(
  words: Int32Array,
  forms: readonly number[],
  name: string,
  operands: readonly MaybeOperand[],
): AsmError {
  const position = operands.findIndex((operand) => bitsOf(operand) === IMMEDIATE);
  const shapes = listShapes(words, forms, name);
  if (position < 0) return asmError("ERR_ASM_OPERANDS", `${name} does not take these operands`, shapes);
  const value = operands[position];
  return asmError("ERR_ASM_RANGE", `${describeValue(value)} does not fit here`, shapes, position);
}

function withHint(
  words: Int32Array,
  forms: readonly number[],
  name: string,
  shape: string,
  mode: number,
  operands: readonly MaybeOperand[],
): AsmError {
  const message = `there is no ${shape}`;
  const close = forms.filter((form) => mismatches(words, form, operands).length === 1);
  // Rather another source than another destination.
  const byPosition = [...close].sort(
    (x, y) => mismatches(words, y, operands)[0]! - mismatches(words, x, operands)[0]!,
  );
  for (const form of byPosition) {
    const [position] = mismatches(words, form, operands);
    const other = resized(operands[position!], words[form + position!]!);
    if (other === undefined) continue;
    const fixed = operands.map((operand, i) => (i === position ? other : operand));
    const [a, b, c, d, e] = fixed;
    if (findForm(words, form, form + FormWord.stride, mode, a, b, c, d, e) < 0) continue;
    const text = fixed.filter((operand) => operand !== undefined).map(spell);
    return asmError("ERR_ASM_OPERANDS", message, `did you mean ${name} ${text.join(", ")}?`, position!);
  }
  const sameCount = forms.filter((form) => operandCount(words, form) === operands.filter(Boolean).length);
  const shapes = listShapes(words, close.length > 0 ? close : sameCount, name);
  const positions = new Set(close.map((form) => mismatches(words, form, operands)[0]!));
  if (positions.size !== 1) return asmError("ERR_ASM_OPERANDS", message, shapes);
  return asmError("ERR_ASM_OPERANDS", message, shapes, [...positions][0]!);
}

function modeBit(bits: number): number {
  return bits === 64 ? MODE_64 : bits === 32 ? MODE_32 : MODE_16;
}

function range(from: number, end: number): number[] {
  const forms: number[] = [];
  for (let form = from; form < end; form += FormWord.stride) forms.push(form);
  return forms;
}

function operandCount(words: Int32Array, form: number): number {
  let count = 0;
  while (count < MAX_OPERANDS && words[form + count] !== OperandBit.absent) count++;
  return count;
}

/** Positions whose bits do not fit. */
function mismatches(words: Int32Array, form: number, operands: readonly MaybeOperand[]): number[] {
  const positions: number[] = [];
  for (let i = 0; i < MAX_OPERANDS; i++)
    if ((words[form + i]! & bitsOf(operands[i])) === 0) positions.push(i);
  return positions;
}

/** The general register of the same number in a width that is accepted. */
function resized(operand: MaybeOperand, accepts: number): Register | undefined {
  if (!(operand instanceof Register)) return undefined;
  return generalRegister(operand, accepts);
}

function spell(operand: MaybeOperand): string {
  return operand instanceof Register ? operand.name : describeOperand(operand);
}

/** An operand by its kind: `r32`, `m64`, `imm`. */
function describeOperand(operand: MaybeOperand): string {
  if (operand instanceof Register) return operand.file;
  if (typeof operand !== "object") return describeValue(operand);
  if (operand.kind === "memory") return operand.width === 0 ? "memory" : `m${operand.width}`;
  if (operand.kind === "far") return "a far pointer";
  return describeValue(operand);
}

function describeValue(operand: MaybeOperand): string {
  if (typeof operand === "number" || typeof operand === "bigint") {
    return operand < 0 ? `-0x${(-operand).toString(16)}` : `0x${operand.toString(16)}`;
  }
  return String(operand);
}

function listShapes(words: Int32Array, forms: readonly number[], name: string): string | undefined {
  const shapes = [...new Set(forms.map((form) => shapeOf(words, form, name)))];
  if (shapes.length === 0) return undefined;
  const more = shapes.length > MAX_SHAPES ? ", …" : "";
  return `it can be ${shapes.slice(0, MAX_SHAPES).join("; ")}${more}`;
}

function shapeOf(words: Int32Array, form: number, name: string): string {
  const operands = Array.from({ length: operandCount(words, form) }, (_, i) => {
    const check = (words[form + FormWord.checks]! >>> (i * CHECK_BITS)) & ((1 << CHECK_BITS) - 1);
    const fixed = (words[form + FormWord.fixed]! >>> (i * FIXED_BITS)) & ((1 << FIXED_BITS) - 1);
    return describeAccepted(words[form + i]!, check, fixed);
  });
  return `${name} ${operands.join(", ")}`.trimEnd();
}

const CHECK_NAMES: Readonly<Record<number, string>> = {
  [OperandCheck.simm8to16]: "imm8",
  [OperandCheck.simm8to32]: "imm8",
  [OperandCheck.simm8to64]: "imm8",
  [OperandCheck.imm8]: "imm8",
  [OperandCheck.imm16]: "imm16",
  [OperandCheck.imm32]: "imm32",
  [OperandCheck.simm32]: "imm32 (sign-extended)",
  [OperandCheck.imm64]: "imm64",
  [OperandCheck.one]: "1",
  [OperandCheck.three]: "3",
};

/** What a form's operand accepts, as the SDM writes it. */
function describeAccepted(accepts: number, check: number, fixed: number): string {
  if (CHECK_NAMES[check] !== undefined) return CHECK_NAMES[check];
  const names = Object.entries(OperandBit).filter(([, bit]) => (accepts & bit) !== 0);
  if (check === OperandCheck.fixedRegister) {
    const file = names[0]?.[0] ?? "";
    return generalRegister(fixed, accepts)?.name ?? `${file} ${fixed}`;
  }
  if ((accepts & ANY_MEMORY) === ANY_MEMORY) return "memory";
  const registers = names.filter(([name]) => !/^m\d|decorated/.test(name)).map(([name]) => name);
  const memory = names.filter(([name]) => /^m\d/.test(name)).map(([name]) => name);
  return [...registers, ...memory].join("/").replace(/^r(\d+)\/m\1$/, "r/m$1");
}
