/**
 * Operand kinds as bits: an operand has the bits of what it is, a form's operand the bits of what it accepts,
 * and a form matches where every pair intersects. What a bit cannot say (a fixed register, the value range of
 * an immediate) is an `OperandCheck`, made after the bits have matched.
 */

/** One bit for each register file and width, each memory width, and each other kind of operand. */
export const OperandBit = {
  r8: 1 << 0,
  r16: 1 << 1,
  r32: 1 << 2,
  r64: 1 << 3,
  sreg: 1 << 4,
  cr: 1 << 5,
  dr: 1 << 6,
  st: 1 << 7,
  mm: 1 << 8,
  xmm: 1 << 9,
  ymm: 1 << 10,
  zmm: 1 << 11,
  k: 1 << 12,
  bnd: 1 << 13,
  tmm: 1 << 14,
  /** Test registers of the 386 and 486 share the bit: they and tiles exist in no mode together. */
  tr: 1 << 14,
  m8: 1 << 15,
  m16: 1 << 16,
  m32: 1 << 17,
  m48: 1 << 18,
  m64: 1 << 19,
  m80: 1 << 20,
  m128: 1 << 21,
  m256: 1 << 22,
  m512: 1 << 23,
  imm: 1 << 24,
  rel: 1 << 25,
  far: 1 << 26,
  /** Memory whose index is a vector register (VSIB). */
  vmx: 1 << 27,
  vmy: 1 << 28,
  vmz: 1 << 29,
  /** An operand with a mask, a broadcast or a rounding mode (`Decorated`), whatever else it is: EVEX forms take it. */
  decorated: 1 << 30,
  /** No operand in this position. */
  absent: 1 << 31,
} as const;

/** Memory of any width: what an operand without a width has, and what a form without one accepts. */
export const ANY_MEMORY = 0x1ff << 15;
export const ANY_REGISTER = 0x7fff;
export const ANY_GENERAL = 0xf;
export const ANY_VECTOR = 7 << 9;
export const ANY_VSIB = 7 << 27;

/** Where an operand goes in the encoding. */
export const Slot = {
  implicit: 0,
  /** ModRM.reg */
  reg: 1,
  /** ModRM.rm, with SIB and displacement */
  rm: 2,
  /** The low three bits of the opcode, or of the fixed byte behind it (x87) */
  opcode: 3,
  /** VEX.vvvv */
  vvvv: 4,
  /** The upper four bits of an immediate byte */
  is4: 5,
  ib: 6,
  iw: 7,
  id: 8,
  iq: 9,
  cb: 10,
  cw: 11,
  cd: 12,
  /** A bare offset as wide as the address size */
  moffs: 13,
  /** Far pointers: offset, then selector */
  ptr16: 14,
  ptr32: 15,
  /** ModRM.reg and ModRM.rm: the one register is destination and source (IMUL r, imm). */
  both: 16,
  /** Memory that the opcode implies; its segment and address size become prefixes. */
  implicitMemory: 17,
  /** The same, always in ES: where string instructions write to, or compare with. */
  esMemory: 18,
} as const;

/** Slots take this many bits each in a form's slots word, checks and fixed registers the ones below. */
export const SLOT_BITS = 5;
export const CHECK_BITS = 5;
export const FIXED_BITS = 5;

/** What has to hold beyond the bits. */
export const OperandCheck = {
  none: 0,
  fixedRegister: 1,
  /** A byte that is sign-extended to 16, 32 or 64 bits. */
  simm8to16: 2,
  simm8to32: 3,
  simm8to64: 4,
  imm8: 5,
  imm16: 6,
  imm32: 7,
  /** 32 bits that are sign-extended to 64. */
  simm32: 8,
  imm64: 9,
  one: 10,
  /** Memory given by a displacement alone. */
  moffs: 11,
  /** Memory at one fixed register, nothing added: what string instructions use. */
  stringMemory: 12,
  three: 13,
  /** Far pointers whose offset has 16 or 32 bits. */
  far16: 14,
  far32: 15,
  /** What fits beside a register in the byte of `is4`. */
  imm4: 16,
} as const;

export const MODE_16 = 1;
export const MODE_32 = 2;
export const MODE_64 = 4;

/** Operands a form can have at most (XOP's VPERMIL2PD has five). */
export const MAX_OPERANDS = 5;

/** The words of one form in an instruction set's array: five operand masks, then these. */
export const FormWord = { opcode: 5, flags: 6, slots: 7, checks: 8, fixed: 9, stride: 10 } as const;

/** Fields of the opcode word; each is a shift. */
export const OpcodeField = {
  opcode: 0,
  /** The digit of `/digit`, the fixed byte behind the opcode, or the fixed last byte. */
  modrm: 8,
  map: 16,
  prefix: 20,
  modrmKind: 22,
  rexW: 24,
  /** Of legacy forms the operand size; of the others the vector length, as VEX.L and EVEX.L'L number it. */
  operandSize: 25,
  addressSize: 27,
  plusRegister: 29,
} as const;

export const OpcodeMap = {
  one: 0,
  "0F": 1,
  "0F38": 2,
  "0F3A": 3,
  MAP5: 5,
  MAP6: 6,
  /** XOP's maps */
  M8: 8,
  M9: 9,
  MA: 10,
  "3DNow": 15,
} as const;
export const ModrmKind = { none: 0, register: 1, digit: 2, fixed: 3 } as const;
/** Mandatory prefixes, numbered as VEX.pp numbers them. */
export const MandatoryPrefix = { none: 0, "66": 1, F3: 2, F2: 3 } as const;
/** Operand and address sizes that a form fixes. */
export const Width = { any: 0, 16: 1, 32: 2, 64: 3 } as const;

/** Fields of the flags word: bits, or shifts where named so. */
export const FormFlag = {
  modes: 7,
  lock: 1 << 3,
  rep: 1 << 4,
  notrack: 1 << 5,
  /** The next form of the mnemonic that fits is the long form of this branch. */
  relaxable: 1 << 6,
  /** Chosen where a memory operand without a width would fit several forms. */
  unsizedDefault: 1 << 7,
  /** FWAIT goes first (9B). */
  fwait: 1 << 8,
  bnd: 1 << 9,
  /** A store that takes XRELEASE without LOCK. */
  xrelease: 1 << 10,
  /** The ModRM field is a byte that stands where an immediate would. */
  suffix: 1 << 11,
  kindShift: 12,
  kindMask: 15 << 12,
  countShift: 16,
  /** VEX and EVEX: the first operand may have a mask, must have one, may be zeroed. */
  mask: 1 << 19,
  maskRequired: 1 << 20,
  zeroing: 1 << 21,
  /** Element of a broadcast as `8 << n` bits; 0: none. Two bits. */
  broadcastShift: 22,
  /** Rounding mode, or suppressed exceptions alone, between registers. */
  rounding: 1 << 24,
  suppressExceptions: 1 << 25,
  /** EVEX disp8*N: N is `1 << n`. Three bits. */
  unitShift: 26,
  /** The next form is this one with source and destination swapped, which may save a byte of the prefix. */
  swap: 1 << 29,
  /** The address must have a SIB byte. */
  sib: 1 << 30,
} as const;

/** Who encodes a form: the core the legacy forms, an extension the others. */
export const EncodingKind = {
  legacy: 0,
  vex: 1,
  evex: 2,
  xop: 3,
  /** Legacy, if the source writes the address-size prefix. */
  addressed: 4,
  /** Legacy, with LOCK for control registers from 8 on. */
  lockedControl: 5,
} as const;
