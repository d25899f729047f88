/** The reserved names of each dialect: mnemonics, prefixes, directives, registers, widths, words of operands. */
import type { InstructionSet } from "../instruction-set.js";
import { ANY_MEMORY, OperandBit } from "../operand-bits.js";
import { Prefix } from "../prefixes.js";
import { eiz, riz } from "../pseudo-registers.js";
import { allRegisters, type Register } from "../registers.js";
import type { DialectName } from "./dialect.js";
import { Meaning, NameTable } from "./names.js";

/** Registers by the value of their meaning. */
export const REGISTERS: readonly Register[] = [...allRegisters, eiz, riz];

/** The value of a register's meaning. Throws `RangeError` for a name that is none. */
export function registerValue(name: string): number {
  const index = REGISTERS.findIndex((register) => register.name === name);
  if (index < 0) throw new RangeError(`there is no register ${name}`);
  return index;
}

/** Behind the registers: RIP and EIP, which are bases only. */
export const RIP_VALUE: number = REGISTERS.length;
export const EIP_VALUE: number = REGISTERS.length + 1;

const EXTENSION_VALUE: number = REGISTERS.length + 2;

/** Registers of an instruction set by the value of their meaning; RIP and EIP are none. */
export function registersOf(set: InstructionSet): readonly (Register | undefined)[] {
  return [...REGISTERS, undefined, undefined, ...set.registers];
}

/** Widths of memory operands: bits, and `OperandBit`. */
export const WIDTHS: readonly (readonly [bits: number, accepts: number])[] = [
  [0, ANY_MEMORY],
  [8, OperandBit.m8],
  [16, OperandBit.m16],
  [32, OperandBit.m32],
  [48, OperandBit.m48],
  [64, OperandBit.m64],
  [80, OperandBit.m80],
  [128, OperandBit.m128],
  [256, OperandBit.m256],
  [512, OperandBit.m512],
];

const WIDTH_NAMES: Readonly<Record<string, number>> = {
  byte: 1,
  word: 2,
  dword: 3,
  fword: 4,
  pword: 4,
  qword: 5,
  mmword: 5,
  tbyte: 6,
  tword: 6,
  oword: 7,
  xmmword: 7,
  yword: 8,
  ymmword: 8,
  zword: 9,
  zmmword: 9,
};

/** Words that stand before or within operands; the values are of `Word`. */
export const Word = {
  ptr: 1,
  offset: 2,
  short: 3,
  near: 4,
  far: 5,
  rel: 6,
  abs: 7,
  strict: 8,
  nosplit: 9,
  not: 10,
  operator: 11,
} as const;

const WORDS: Readonly<Record<DialectName, Readonly<Record<string, number>>>> = {
  gas: {
    ptr: Word.ptr,
    offset: Word.offset,
    short: Word.short,
    near: Word.near,
    far: Word.far,
    rel: Word.rel,
    not: Word.not,
    and: Word.operator,
    or: Word.operator,
    xor: Word.operator,
    shl: Word.operator,
    shr: Word.operator,
    mod: Word.operator,
    eq: Word.operator,
    ne: Word.operator,
    lt: Word.operator,
    le: Word.operator,
    gt: Word.operator,
    ge: Word.operator,
  },
  nasm: {
    ptr: Word.ptr,
    short: Word.short,
    near: Word.near,
    far: Word.far,
    rel: Word.rel,
    abs: Word.abs,
    strict: Word.strict,
    nosplit: Word.nosplit,
  },
};

const segmentPrefix = (number: number) => (number + 1) << Prefix.segmentShift;

/** Prefix bits by name. */
const PREFIXES: Readonly<Record<string, number>> = {
  lock: Prefix.lock,
  rep: Prefix.rep,
  repe: Prefix.rep,
  repz: Prefix.rep,
  repne: Prefix.repne,
  repnz: Prefix.repne,
  bnd: Prefix.bnd,
  notrack: Prefix.notrack,
  xacquire: Prefix.xacquire,
  xrelease: Prefix.xrelease,
  data16: Prefix.data,
  data32: Prefix.data,
  o16: Prefix.data,
  o32: Prefix.data,
  addr16: Prefix.address,
  addr32: Prefix.address,
  o64: 0x48 << Prefix.rexShift,
  a16: Prefix.address,
  a32: Prefix.address,
  a64: Prefix.address,
  es: segmentPrefix(0),
  cs: segmentPrefix(1),
  ss: segmentPrefix(2),
  ds: segmentPrefix(3),
  fs: segmentPrefix(4),
  gs: segmentPrefix(5),
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, bits) => [rexName(bits), (0x40 | bits) << Prefix.rexShift]),
  ),
};

/** `rex`, `rex.w`, `rex.wb`…, as objdump prints a REX prefix that does nothing. */
function rexName(bits: number): string {
  const letters = ["w", "r", "x", "b"].filter((_, i) => (bits & (8 >> i)) !== 0).join("");
  return letters === "" ? "rex" : `rex.${letters}`;
}

/** Values of prefix meanings index this list: the bits do not fit in a meaning. */
export const PREFIX_NAMES: readonly string[] = Object.keys(PREFIXES);
export const PREFIX_BITS: readonly number[] = Object.values(PREFIXES);

/** Hints in braces before an instruction, as GNU as has them. */
export const BRACED_HINTS: Readonly<Record<string, number>> = {
  vex: Prefix.vex,
  vex2: Prefix.vex,
  vex3: Prefix.vex3,
  evex: Prefix.evex,
  disp8: Prefix.disp8,
  disp16: Prefix.disp32,
  disp32: Prefix.disp32,
  load: Prefix.load,
  store: Prefix.store,
  rex: Prefix.rexHint,
  nooptimize: 0,
};

/** The table of a dialect, over the mnemonics of an instruction set and the dialect's directives. */
export function buildNames(
  set: InstructionSet,
  dialect: DialectName,
  directives: readonly string[],
): NameTable {
  const names = new NameTable(set.mnemonics.length + set.registers.length + directives.length + 512);
  set.mnemonics.forEach((name, id) => {
    names.addStatement(name, Meaning.mnemonic, id);
  });
  PREFIX_NAMES.forEach((name, i) => {
    names.addStatement(name, Meaning.prefix, i);
  });
  directives.forEach((name, i) => {
    names.addStatement(name, Meaning.directive, i);
  });
  REGISTERS.forEach(({ name }, i) => {
    names.addOperand(name, Meaning.register, i);
  });
  set.registers.forEach(({ name }, i) => {
    names.addOperand(name, Meaning.register, EXTENSION_VALUE + i);
  });
  names.addOperand("st", Meaning.register, registerValue("st(0)"));
  for (let i = 0; i < 8; i++) {
    names.addOperand(`st${i}`, Meaning.register, registerValue(`st(${i})`));
    names.addOperand(`db${i}`, Meaning.register, registerValue(`dr${i}`));
  }
  names.addOperand("rip", Meaning.register, RIP_VALUE);
  names.addOperand("eip", Meaning.register, EIP_VALUE);
  for (const [name, value] of Object.entries(WIDTH_NAMES)) names.addOperand(name, Meaning.size, value);
  for (const [name, value] of Object.entries(WORDS[dialect])) names.addOperand(name, Meaning.word, value);
  return names;
}
