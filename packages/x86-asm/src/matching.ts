/** Finds the form of an instruction that takes given operands: the first whose operand bits and checks all hold. */
import { asmError } from "./errors.js";
import type { SymbolReference } from "./expressions.js";
import { fitsImmediate } from "./immediates.js";
import type { InstructionSet } from "./instruction-set.js";
import { narrow } from "./integers.js";
import {
  ANY_MEMORY,
  CHECK_BITS,
  FIXED_BITS,
  FormFlag,
  FormWord,
  OperandBit,
  OperandCheck,
} from "./operand-bits.js";
import { AddressKind, type FarPointer, type Memory, type Operand } from "./operands.js";
import { type Register, RexNeed } from "./registers.js";

export type MaybeOperand = Operand | undefined;

export const IMMEDIATE: number = OperandBit.imm | OperandBit.rel;
export const CHECK_MASK: number = (1 << CHECK_BITS) - 1;
const FIXED_MASK = (1 << FIXED_BITS) - 1;

export function bitsOf(operand: MaybeOperand): number {
  if (typeof operand === "object") return operand.bits;
  return operand === undefined ? OperandBit.absent : IMMEDIATE;
}

/** The offset in words of the first form, from `from` to `end`, that takes the operands in a mode; -1 if none. */
export function findForm(
  words: Int32Array,
  from: number,
  end: number,
  mode: number,
  a: MaybeOperand,
  b: MaybeOperand,
  c: MaybeOperand,
  d: MaybeOperand,
  e: MaybeOperand,
): number {
  const bitsA = bitsOf(a);
  const bitsB = bitsOf(b);
  const bitsC = bitsOf(c);
  const bitsD = bitsOf(d);
  const bitsE = bitsOf(e);
  for (let form = from; form < end; form += FormWord.stride) {
    if (
      (words[form]! & bitsA) !== 0 &&
      (words[form + 1]! & bitsB) !== 0 &&
      (words[form + 2]! & bitsC) !== 0 &&
      (words[form + 3]! & bitsD) !== 0 &&
      (words[form + 4]! & bitsE) !== 0 &&
      (words[form + FormWord.flags]! & mode) !== 0 &&
      (words[form + FormWord.checks] === 0 || passesChecks(words, form, a, b, c, d))
    ) {
      return form;
    }
  }
  return -1;
}

function passesChecks(
  words: Int32Array,
  form: number,
  a: MaybeOperand,
  b: MaybeOperand,
  c: MaybeOperand,
  d: MaybeOperand,
): boolean {
  let checks = words[form + FormWord.checks]!;
  let fixed = words[form + FormWord.fixed]!;
  for (let i = 0; checks !== 0; i++, checks >>>= CHECK_BITS, fixed >>>= FIXED_BITS) {
    const check = checks & CHECK_MASK;
    const operand = i === 0 ? a : i === 1 ? b : i === 2 ? c : d;
    if (check !== OperandCheck.none && !passesCheck(operand, check, fixed & FIXED_MASK)) return false;
  }
  return true;
}

function passesCheck(operand: MaybeOperand, check: number, fixed: number): boolean {
  if (typeof operand === "number") return Number.isSafeInteger(operand) && fitsImmediate(operand, check);
  if (typeof operand === "bigint") return fitsImmediate(narrow(operand), check);
  switch (check) {
    case OperandCheck.fixedRegister:
      return (operand as Register).number === fixed && (operand as Register).rex === RexNeed.none;
    case OperandCheck.moffs:
      return isBareOffset(operand as Memory);
    case OperandCheck.stringMemory:
      return isBareRegister(operand as Memory, fixed);
    case OperandCheck.far16:
      return (operand as FarPointer).width !== 32 && fitsOffset16((operand as FarPointer).offset);
    case OperandCheck.far32:
      return (operand as FarPointer).width !== 16;
    case OperandCheck.one:
    case OperandCheck.three:
    case OperandCheck.simm8to16:
    case OperandCheck.simm8to32:
    case OperandCheck.simm8to64:
      // The value of a symbol is not known yet: it must have room.
      return false;
    default:
      return (operand as SymbolReference).kind !== undefined || typeof operand === "string";
  }
}

function fitsOffset16(offset: FarPointer["offset"]): boolean {
  return typeof offset === "object" || fitsImmediate(offset, OperandCheck.imm16);
}

/** Whether an address is a displacement alone. */
export function isBareOffset(memory: Memory): boolean {
  return memory.base === null && memory.index === null && memory.address === AddressKind.registers;
}

function isBareRegister(memory: Memory, number: number): boolean {
  return (
    memory.base !== null &&
    memory.base.number === number &&
    memory.index === null &&
    memory.displacement === 0 &&
    memory.symbol === null
  );
}

/** Whether a form takes decorated operands for what they are: the bit of decorations alone says nothing of it. */
function acceptsDecorated(words: Int32Array, form: number, operands: readonly MaybeOperand[]): boolean {
  return operands.every(
    (operand, i) =>
      typeof operand !== "object" ||
      operand.kind !== "decorated" ||
      (words[form + i]! & operand.operand.bits) !== 0,
  );
}

const MEMORY_WIDTHS: readonly (readonly [bit: number, name: string])[] = [
  [OperandBit.m8, "byte"],
  [OperandBit.m16, "word"],
  [OperandBit.m32, "dword"],
  [OperandBit.m48, "fword"],
  [OperandBit.m64, "qword"],
  [OperandBit.m80, "tbyte"],
  [OperandBit.m128, "xmmword"],
  [OperandBit.m256, "ymmword"],
  [OperandBit.m512, "zmmword"],
];

/**
 * Throws `ERR_ASM_AMBIGUOUS` where memory without a width leaves several widths to choose from: `form` takes the
 * operands, and so does a later form of the same mnemonic with another width.
 */
export function refuseAmbiguity(
  set: InstructionSet,
  mnemonic: number,
  form: number,
  mode: number,
  operands: readonly MaybeOperand[],
): void {
  const { words, first } = set;
  if ((words[form + FormWord.flags]! & FormFlag.unsizedDefault) !== 0) return;
  const position = operands.findIndex((operand) => (bitsOf(operand) & ANY_MEMORY) === ANY_MEMORY);
  const end = first[mnemonic + 1]! * FormWord.stride;
  const [a, b, c, d, e] = operands;
  let widths = 0;
  for (let other = form; other >= 0; ) {
    const accepted = acceptsDecorated(words, other, operands) ? words[other + position]! & ANY_MEMORY : 0;
    if (accepted === ANY_MEMORY) return;
    widths |= accepted;
    other = findForm(words, other + FormWord.stride, end, mode, a, b, c, d, e);
  }
  if ((widths & (widths - 1)) === 0) return;
  const names = MEMORY_WIDTHS.filter(([bit]) => (widths & bit) !== 0).map(([, name]) => name);
  throw asmError(
    "ERR_ASM_AMBIGUOUS",
    `${set.mnemonics[mnemonic]}: the width of the memory operand is not given`,
    `write ${names.slice(0, -1).join(", ")} or ${names.at(-1)} before it`,
  );
}
