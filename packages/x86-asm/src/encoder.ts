/**
 * Chooses the form of an instruction and writes its bytes: legacy prefixes, REX, opcode, ModR/M, SIB,
 * displacement, immediates (SDM Vol. 2A, "Instruction Format").
 */
import { asmError } from "./errors.js";
import { explainMismatch } from "./explain.js";
import { fitsImmediate, narrow, writeInteger } from "./immediates.js";
import type { InstructionSet } from "./instruction-set.js";
import {
  ANY_MEMORY,
  ANY_REGISTER,
  CHECK_BITS,
  FIXED_BITS,
  FormFlag,
  FormWord,
  MODE_16,
  MODE_32,
  MODE_64,
  ModrmKind,
  OpcodeField,
  OperandBit,
  OperandCheck,
  SLOT_BITS,
  Slot,
  Width,
} from "./operand-bits.js";
import { AddressKind, type FarPointer, type Memory, type Operand, SymbolReference } from "./operands.js";
import { Register, RexNeed } from "./registers.js";
import { FixKind, RESERVE, type SectionBuffer } from "./sections.js";
import { ABSOLUTE_ZERO, type SymbolTable } from "./symbols.js";

export type Bits = 16 | 32 | 64;

/** Prefixes that an instruction may be given. */
export const Prefix = { none: 0, lock: 1, rep: 2, repne: 4, short: 8, near: 16 } as const;

const IMMEDIATE = OperandBit.imm | OperandBit.rel;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const CHECK_MASK = (1 << CHECK_BITS) - 1;
const FIXED_MASK = (1 << FIXED_BITS) - 1;
/** Segment override prefixes by the number of the register. */
const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const MANDATORY_PREFIXES = [0, 0x66, 0xf3, 0xf2];
/** SP or BP as base means SS, all others DS (SDM Vol. 1, "Default Segment Selection Rules"). */
const SS_NUMBER = 2;
const DS_NUMBER = 3;
/** ModRM.rm of 16-bit addressing, by `base << 3 | index` (SDM Vol. 2A, Table 2-1); BX 3, BP 5, SI 6, DI 7. */
const RM_16: Readonly<Record<number, number>> = {
  [(3 << 3) | 6]: 0,
  [(6 << 3) | 3]: 0,
  [(3 << 3) | 7]: 1,
  [(7 << 3) | 3]: 1,
  [(5 << 3) | 6]: 2,
  [(6 << 3) | 5]: 2,
  [(5 << 3) | 7]: 3,
  [(7 << 3) | 5]: 3,
};
const RM_16_SINGLE: Readonly<Record<number, number>> = { 6: 4, 7: 5, 5: 6, 3: 7 };

export type MaybeOperand = Operand | undefined;

function bitsOf(operand: MaybeOperand): number {
  if (typeof operand === "object") return operand.bits;
  return operand === undefined ? OperandBit.absent : IMMEDIATE;
}

/** Encodes into one section at a time, for one mode at a time. */
export class Encoder {
  section: SectionBuffer;
  readonly set: InstructionSet;
  readonly symbols: SymbolTable;
  private bits: Bits;
  private mode: number;

  constructor(set: InstructionSet, symbols: SymbolTable, section: SectionBuffer, bits: Bits) {
    this.set = set;
    this.symbols = symbols;
    this.section = section;
    this.bits = bits;
    this.mode = modeBit(bits);
  }

  setBits(bits: Bits): void {
    this.bits = bits;
    this.mode = modeBit(bits);
  }

  getBits(): Bits {
    return this.bits;
  }

  /** Appends one instruction. Throws `AsmError` and writes nothing if it cannot be encoded. */
  instruction(
    mnemonic: number,
    prefixes: number,
    a?: Operand,
    b?: Operand,
    c?: Operand,
    d?: Operand,
    e?: Operand,
  ): void {
    const form = this.match(mnemonic, prefixes, a, b, c, d, e);
    if (form < 0) throw explainMismatch(this.set, mnemonic, this.bits, [a, b, c, d, e]);
    this.section.reserve(RESERVE);
    const flags = this.set.words[form + FormWord.flags]!;
    if (prefixes !== 0) this.checkPrefixes(mnemonic, form, flags, prefixes, a);
    if ((flags & FormFlag.relaxable) !== 0 && (prefixes & Prefix.short) === 0)
      this.branch(form, prefixes, a!);
    else this.write(form, flags, prefixes, a, b, c, d, e);
  }

  /** Offset of the first form that takes the operands, in words; -1 if none does. */
  private match(
    mnemonic: number,
    prefixes: number,
    a: MaybeOperand,
    b: MaybeOperand,
    c: MaybeOperand,
    d: MaybeOperand,
    e: MaybeOperand,
  ): number {
    const { words, first } = this.set;
    const end = first[mnemonic + 1]! * FormWord.stride;
    const bitsA = bitsOf(a);
    const bitsB = bitsOf(b);
    const bitsC = bitsOf(c);
    const bitsD = bitsOf(d);
    const bitsE = bitsOf(e);
    for (let form = first[mnemonic]! * FormWord.stride; form < end; form += FormWord.stride) {
      if (
        (words[form]! & bitsA) === 0 ||
        (words[form + 1]! & bitsB) === 0 ||
        (words[form + 2]! & bitsC) === 0 ||
        (words[form + 3]! & bitsD) === 0 ||
        (words[form + 4]! & bitsE) === 0 ||
        (words[form + FormWord.flags]! & this.mode) === 0
      ) {
        continue;
      }
      const checks = words[form + FormWord.checks]!;
      if (checks !== 0 && !this.passes(checks, words[form + FormWord.fixed]!, a, b, c, d)) continue;
      if ((prefixes & Prefix.near) !== 0 && (words[form + FormWord.flags]! & FormFlag.relaxable) !== 0)
        continue;
      const memory = (bitsA | bitsB | bitsC) & ANY_MEMORY;
      if (memory === ANY_MEMORY) this.refuseAmbiguous(mnemonic, form, end, [a, b, c, d, e]);
      return form;
    }
    return -1;
  }

  private passes(
    checks: number,
    fixed: number,
    a: MaybeOperand,
    b: MaybeOperand,
    c: MaybeOperand,
    d: MaybeOperand,
  ): boolean {
    return (
      passesCheck(a, checks & CHECK_MASK, fixed & FIXED_MASK) &&
      passesCheck(b, (checks >> CHECK_BITS) & CHECK_MASK, (fixed >> FIXED_BITS) & FIXED_MASK) &&
      passesCheck(c, (checks >> (2 * CHECK_BITS)) & CHECK_MASK, (fixed >> (2 * FIXED_BITS)) & FIXED_MASK) &&
      passesCheck(d, (checks >> (3 * CHECK_BITS)) & CHECK_MASK, (fixed >> (3 * FIXED_BITS)) & FIXED_MASK)
    );
  }

  /** A memory operand without a width must leave no choice between widths. */
  private refuseAmbiguous(mnemonic: number, form: number, end: number, operands: MaybeOperand[]): void {
    const { words } = this.set;
    if ((words[form + FormWord.flags]! & FormFlag.unsizedDefault) !== 0) return;
    const position = operands.findIndex((operand) => (bitsOf(operand) & ANY_MEMORY) === ANY_MEMORY);
    let widths = words[form + position]! & ANY_MEMORY;
    if (widths === ANY_MEMORY) return;
    const [a, b, c, d] = operands;
    for (let other = form + FormWord.stride; other < end; other += FormWord.stride) {
      if (operands.some((operand, i) => (words[other + i]! & bitsOf(operand)) === 0)) continue;
      if ((words[other + FormWord.flags]! & this.mode) === 0) continue;
      if (!this.passes(words[other + FormWord.checks]!, words[other + FormWord.fixed]!, a, b, c, d)) continue;
      widths |= words[other + position]! & ANY_MEMORY;
    }
    if ((widths & (widths - 1)) === 0) return;
    const names = MEMORY_WIDTHS.filter(([bit]) => (widths & bit) !== 0).map(([, name]) => name);
    throw asmError(
      "ERR_ASM_AMBIGUOUS",
      `${this.set.mnemonics[mnemonic]}: the width of the memory operand is not given`,
      `write one of ${names.join(", ")}`,
    );
  }

  private checkPrefixes(
    mnemonic: number,
    form: number,
    flags: number,
    prefixes: number,
    a: MaybeOperand,
  ): void {
    const refuse = (prefix: string) => {
      throw asmError("ERR_ASM_PREFIX", `${this.set.mnemonics[mnemonic]} does not take ${prefix}`);
    };
    if ((prefixes & Prefix.lock) !== 0) {
      const toMemory = (bitsOf(a) & ANY_MEMORY) !== 0 || (this.set.words[form]! & ANY_MEMORY) === 0;
      if ((flags & FormFlag.lock) === 0 || !toMemory) refuse("lock");
    }
    if ((prefixes & Prefix.rep) !== 0 && (flags & (FormFlag.rep | FormFlag.repe)) === 0) refuse("rep");
    if ((prefixes & Prefix.repne) !== 0 && (flags & (FormFlag.repe | FormFlag.rep)) === 0) refuse("repne");
    if ((prefixes & (Prefix.short | Prefix.near)) !== 0 && bitsOf(a) !== IMMEDIATE) refuse("short or near");
  }

  /** JMP or Jcc with an 8-bit offset that grows if its target is too far away. */
  private branch(form: number, _prefixes: number, target: Operand): void {
    const { section } = this;
    const at = section.length;
    section.bytes[at] = this.set.words[form + FormWord.opcode]! & 255;
    section.bytes[at + 1] = 0;
    section.length = at + 2;
    const longWidth = this.bits === 16 ? 2 : 4;
    if (typeof target === "string") section.addFix(at, FixKind.branch, this.symbols.id(target), longWidth, 0);
    else if (target instanceof SymbolReference)
      section.addFix(at, FixKind.branch, this.symbols.id(target.name), longWidth, target.addend);
    else section.addFix(at, FixKind.branch, ABSOLUTE_ZERO, longWidth, target as number | bigint);
  }

  private write(
    form: number,
    flags: number,
    prefixes: number,
    a: MaybeOperand,
    b: MaybeOperand,
    c: MaybeOperand,
    d: MaybeOperand,
    e: MaybeOperand,
  ): void {
    const words = this.set.words;
    const opcode = words[form + FormWord.opcode]!;
    const slots = words[form + FormWord.slots]!;
    let reg = 0;
    let rm: MaybeOperand;
    let low = 0;
    let rexNeed = 0;
    let hasTail = false;
    for (let i = 0, rest = slots; rest !== 0; i++, rest >>>= SLOT_BITS) {
      const operand = i === 0 ? a : i === 1 ? b : i === 2 ? c : i === 3 ? d : e;
      const slot = rest & SLOT_MASK;
      if (slot === Slot.rm) rm = operand;
      else if (slot === Slot.reg) {
        reg = (operand as Register).number;
        rexNeed |= (operand as Register).rex;
      } else if (slot === Slot.opcode) {
        low = (operand as Register).number;
        rexNeed |= (operand as Register).rex;
      } else if (slot === Slot.both) {
        reg = (operand as Register).number;
        rm = operand;
      } else if (slot >= Slot.ib) hasTail = true;
    }
    const modrmKind = (opcode >> OpcodeField.modrmKind) & 3;
    if (modrmKind === ModrmKind.digit) reg = (opcode >> OpcodeField.modrm) & 7;

    let rex = (opcode >> OpcodeField.rexW) & 1 ? 0x48 : 0;
    if (reg > 7) rex |= 0x44;
    if (low > 7) rex |= 0x41;
    let memory: Memory | null = null;
    let rmNumber = 0;
    if (rm !== undefined) {
      if (rm instanceof Register) {
        rmNumber = rm.number;
        rexNeed |= rm.rex;
        if (rmNumber > 7) rex |= 0x41;
      } else {
        memory = rm as Memory;
        if (memory.base !== null && memory.base.number > 7) rex |= 0x41;
        if (memory.index !== null && memory.index.number > 7) rex |= 0x42;
      }
    } else if (hasTail) memory = moffsOperand(slots, a, b);
    if (rexNeed !== 0 || rex !== 0) rex = this.checkRex(rex, rexNeed);

    const { section } = this;
    const { bytes } = section;
    let at = section.length;
    if ((flags & FormFlag.fwait) !== 0) bytes[at++] = 0x9b;
    let addressBits: number = this.bits;
    if (memory !== null) {
      if (memory.segment !== null) at = this.segmentPrefix(memory, at);
      addressBits = this.addressBits(memory);
    }
    const fixedAddress = (opcode >> OpcodeField.addressSize) & 3;
    if (fixedAddress !== Width.any) addressBits = 8 << fixedAddress;
    if (addressBits !== this.bits) bytes[at++] = 0x67;
    const operandSize = (opcode >> OpcodeField.operandSize) & 3;
    if (operandSize === Width[16] ? this.bits !== 16 : operandSize === Width[32] && this.bits === 16) {
      bytes[at++] = 0x66;
    }
    if (prefixes !== 0) {
      if ((prefixes & Prefix.rep) !== 0) bytes[at++] = 0xf3;
      if ((prefixes & Prefix.repne) !== 0) bytes[at++] = 0xf2;
      if ((prefixes & Prefix.lock) !== 0) bytes[at++] = 0xf0;
    }
    const mandatory = (opcode >> OpcodeField.prefix) & 3;
    if (mandatory !== 0) bytes[at++] = MANDATORY_PREFIXES[mandatory]!;
    if (rex !== 0) bytes[at++] = rex;
    const map = (opcode >> OpcodeField.map) & 15;
    if (map !== 0) {
      bytes[at++] = 0x0f;
      if (map === 2) bytes[at++] = 0x38;
      else if (map === 3) bytes[at++] = 0x3a;
      else if (map === 15) bytes[at++] = 0x0f;
    }
    const hasSuffix = map === 15 || (flags & FormFlag.suffix) !== 0;
    const plusRegister = (opcode >> OpcodeField.plusRegister) & 1;
    if (map !== 15)
      bytes[at++] = (opcode & 255) | (plusRegister !== 0 && modrmKind !== ModrmKind.fixed ? low & 7 : 0);
    if (modrmKind === ModrmKind.fixed) {
      bytes[at++] = ((opcode >> OpcodeField.modrm) & 255) | (plusRegister !== 0 ? low & 7 : 0);
    } else if (modrmKind !== ModrmKind.none) {
      if (memory === null) bytes[at++] = 0xc0 | ((reg & 7) << 3) | (rmNumber & 7);
      else at = this.address(memory, addressBits, (reg & 7) << 3, at, tailBytes(slots) + (hasSuffix ? 1 : 0));
    }
    if (hasSuffix) bytes[at++] = map === 15 ? opcode & 255 : (opcode >> OpcodeField.modrm) & 255;
    section.length = at;
    if (hasTail) this.tail(slots, words[form + FormWord.checks]!, addressBits, a, b, c, d, e);
  }

  private checkRex(rex: number, need: number): number {
    const result = (need & RexNeed.required) !== 0 ? rex | 0x40 : rex;
    if (result === 0) return 0;
    if ((need & RexNeed.forbidden) !== 0) {
      throw asmError(
        "ERR_ASM_REGISTER",
        "ah, bh, ch and dh cannot stand in an instruction that needs a REX prefix",
        "use a register such as al, or copy the byte first",
      );
    }
    if (this.bits !== 64) {
      throw asmError(
        "ERR_ASM_REGISTER",
        `registers 8 to 15 and spl to dil exist in 64-bit mode only, not in ${this.bits}`,
      );
    }
    return result;
  }

  private segmentPrefix(memory: Memory, at: number): number {
    const segment = memory.segment!.number;
    const base = memory.base?.number;
    const usual = base === 4 || base === 5 ? SS_NUMBER : DS_NUMBER;
    if (segment === usual) return at;
    this.section.bytes[at] = SEGMENT_PREFIXES[segment]!;
    return at + 1;
  }

  private addressBits(memory: Memory): number {
    const register = memory.base ?? (memory.index as Register | null);
    if (register === null) return this.bits;
    const bits =
      register.file === "r64" ? 64 : register.file === "r32" ? 32 : register.file === "r16" ? 16 : this.bits;
    const other = memory.base === null ? null : memory.index;
    if (
      other !== null &&
      other.file !== register.file &&
      (other.bits & (OperandBit.xmm | OperandBit.ymm | OperandBit.zmm)) === 0
    ) {
      throw asmError("ERR_ASM_ADDRESS", `base ${register} and index ${other} differ in width`);
    }
    if ((bits === 64) !== (this.bits === 64) && bits !== 32) {
      throw asmError("ERR_ASM_ADDRESS", `${bits}-bit addresses cannot be formed in ${this.bits}-bit mode`);
    }
    return bits;
  }

  /** Writes ModR/M, SIB and displacement; `after` bytes of immediates follow. */
  private address(memory: Memory, addressBits: number, reg: number, at: number, after: number): number {
    if (memory.address === AddressKind.ripRelative) return this.ripRelative(memory, reg, at, after);
    if (addressBits === 16) return this.address16(memory, reg, at);
    const { bytes } = this.section;
    let { base } = memory;
    let index = memory.index as Register | null;
    if (base === null && index === null) {
      // In 64-bit mode ModRM.rm = 5 is RIP-relative: an absolute address needs a SIB byte.
      if (this.bits === 64) {
        bytes[at++] = reg | 4;
        bytes[at++] = 0x25;
      } else bytes[at++] = reg | 5;
      return this.displacement(memory, at, 4, addressBits);
    }
    if (index !== null && (index.number & 0x1f) === 4 && index.bits & ANY_REGISTER & ~OperandBit.xmm) {
      if (memory.scale !== 1 || base === null || base.number === 4) {
        throw asmError("ERR_ASM_ADDRESS", `${index} cannot be an index`);
      }
      const swapped = index;
      index = base;
      base = swapped as typeof base;
    }
    const scale = SCALES[memory.scale];
    if (scale === undefined) throw asmError("ERR_ASM_ADDRESS", `scale ${memory.scale} is not 1, 2, 4 or 8`);
    if (base === null) {
      bytes[at++] = reg | 4;
      bytes[at++] = scale | ((index!.number & 7) << 3) | 5;
      return this.displacement(memory, at, 4, addressBits);
    }
    const low = base.number & 7;
    const size = displacementSize(memory, low, addressBits);
    const mod = size === 0 ? 0 : size === 1 ? 0x40 : 0x80;
    if (index !== null) {
      bytes[at++] = mod | reg | 4;
      bytes[at++] = scale | ((index.number & 7) << 3) | low;
    } else {
      bytes[at++] = mod | reg | low;
      if (low === 4) bytes[at++] = 0x24;
    }
    return size === 0 ? at : this.displacement(memory, at, size, addressBits);
  }

  private ripRelative(memory: Memory, reg: number, at: number, after: number): number {
    if (this.bits !== 64)
      throw asmError("ERR_ASM_ADDRESS", "RIP-relative addresses exist in 64-bit mode only");
    const { section } = this;
    section.bytes[at++] = reg | 5;
    const symbol = memory.symbol === null ? ABSOLUTE_ZERO : this.symbols.id(memory.symbol.name);
    section.addFix(at, FixKind.pc32, symbol, 4 + after, constantOf(memory));
    return clear(section.bytes, at, 4);
  }

  private address16(memory: Memory, reg: number, at: number): number {
    const { bytes } = this.section;
    const { base, index } = memory;
    if (base === null && index === null) {
      bytes[at++] = reg | 6;
      return this.displacement(memory, at, 2, 16);
    }
    const single = base ?? (index as Register);
    const rm =
      base !== null && index !== null
        ? RM_16[(base.number << 3) | index.number]
        : RM_16_SINGLE[single.number];
    if (rm === undefined || memory.scale !== 1) {
      const text = [base, index].filter((register) => register !== null).join(" + ");
      throw asmError(
        "ERR_ASM_ADDRESS",
        `[${text}] is no 16-bit address`,
        "16-bit addresses are bx or bp, plus si or di, plus a displacement",
      );
    }
    // BP alone has no form without a displacement.
    const size = displacementSize(memory, rm === 6 ? 5 : 0, 16);
    bytes[at++] = (size === 0 ? 0 : size === 1 ? 0x40 : 0x80) | reg | rm;
    return size === 0 ? at : this.displacement(memory, at, size, 16);
  }

  /** Writes a displacement of `size` bytes. */
  private displacement(memory: Memory, at: number, size: number, addressBits: number): number {
    const { section } = this;
    const value = constantOf(memory);
    if (memory.symbol === null) {
      const wrapped = displacementValue(value, addressBits);
      if (wrapped === undefined) {
        throw asmError(
          "ERR_ASM_RANGE",
          `displacement ${value} does not fit in ${addressBits === 16 ? 16 : 32} bits`,
        );
      }
      writeInteger(section.bytes, at, wrapped, size);
      return at + size;
    }
    const kind = size === 2 ? FixKind.abs16 : addressBits === 64 ? FixKind.abs32s : FixKind.abs32;
    section.addFix(at, kind, this.symbols.id(memory.symbol.name), 0, value);
    return clear(section.bytes, at, size);
  }

  /** Writes immediates, offsets and far pointers. */
  private tail(
    slots: number,
    checks: number,
    addressBits: number,
    a: MaybeOperand,
    b: MaybeOperand,
    c: MaybeOperand,
    d: MaybeOperand,
    e: MaybeOperand,
  ): void {
    for (let i = 0, rest = slots; rest !== 0; i++, rest >>>= SLOT_BITS) {
      const slot = rest & SLOT_MASK;
      if (slot < Slot.ib || slot === Slot.both) continue;
      const operand = i === 0 ? a : i === 1 ? b : i === 2 ? c : i === 3 ? d : e;
      if (slot === Slot.moffs) this.moffs(operand as Memory, addressBits);
      else if (slot >= Slot.ptr16) this.farPointer(operand as FarPointer, slot === Slot.ptr16 ? 2 : 4);
      else if (slot >= Slot.cb) this.relative(operand, RELATIVE_KINDS[slot - Slot.cb]!, SIZES[slot]!);
      else {
        const sign = ((checks >> (i * CHECK_BITS)) & CHECK_MASK) === OperandCheck.simm32;
        this.value(operand, SIZES[slot]!, sign ? FixKind.abs32s : ABSOLUTE_KINDS[slot - Slot.ib]!);
      }
    }
  }

  /** Writes a number, or leaves room for a symbol. */
  private value(operand: MaybeOperand, size: number, kind: number): void {
    const { section } = this;
    const at = section.length;
    if (typeof operand === "number" || typeof operand === "bigint")
      writeInteger(section.bytes, at, operand, size);
    else {
      const symbol = typeof operand === "string" ? operand : (operand as SymbolReference).name;
      const addend = typeof operand === "string" ? 0 : (operand as SymbolReference).addend;
      section.addFix(at, kind, this.symbols.id(symbol), 0, addend);
      clear(section.bytes, at, size);
    }
    section.length = at + size;
  }

  private relative(operand: MaybeOperand, kind: number, size: number): void {
    const { section } = this;
    const at = section.length;
    if (typeof operand === "number" || typeof operand === "bigint") {
      section.addFix(at, kind, ABSOLUTE_ZERO, size, operand);
    } else {
      const symbol = typeof operand === "string" ? operand : (operand as SymbolReference).name;
      const addend = typeof operand === "string" ? 0 : (operand as SymbolReference).addend;
      section.addFix(at, kind, this.symbols.id(symbol), size, addend);
    }
    section.length = clear(section.bytes, at, size);
  }

  private moffs(memory: Memory, addressBits: number): void {
    const { section } = this;
    const size = addressBits / 8;
    const at = section.length;
    const kind = size === 8 ? FixKind.abs64 : size === 4 ? FixKind.abs32 : FixKind.abs16;
    const value = constantOf(memory);
    if (memory.symbol !== null) {
      section.addFix(at, kind, this.symbols.id(memory.symbol.name), 0, value);
      clear(section.bytes, at, size);
    } else writeInteger(section.bytes, at, value, size);
    section.length = at + size;
  }

  private farPointer(pointer: FarPointer, size: number): void {
    this.value(pointer.offset, size, size === 2 ? FixKind.abs16 : FixKind.abs32);
    this.value(pointer.selector, 2, FixKind.abs16);
  }
}

function modeBit(bits: Bits): number {
  return bits === 64 ? MODE_64 : bits === 32 ? MODE_32 : MODE_16;
}

const SCALES: Readonly<Record<number, number>> = { 1: 0, 2: 0x40, 4: 0x80, 8: 0xc0 };
const ABSOLUTE_KINDS = [FixKind.abs8, FixKind.abs16, FixKind.abs32, FixKind.abs64];
const RELATIVE_KINDS = [FixKind.pc8, FixKind.pc16, FixKind.pc32];
/** Bytes of an immediate or offset by slot. */
const SIZES: Readonly<Record<number, number>> = {
  [Slot.ib]: 1,
  [Slot.iw]: 2,
  [Slot.id]: 4,
  [Slot.iq]: 8,
  [Slot.cb]: 1,
  [Slot.cw]: 2,
  [Slot.cd]: 4,
};

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

function passesCheck(operand: MaybeOperand, check: number, fixed: number): boolean {
  if (check === OperandCheck.none) return true;
  if (check === OperandCheck.fixedRegister)
    return (operand as Register).number === fixed && (operand as Register).rex !== RexNeed.forbidden;
  if (check === OperandCheck.moffs) {
    const memory = operand as Memory;
    return memory.base === null && memory.index === null && memory.address === AddressKind.registers;
  }
  if (typeof operand === "number") return Number.isSafeInteger(operand) && fitsImmediate(operand, check);
  if (typeof operand === "bigint") return fitsImmediate(narrow(operand), check);
  // The value of a symbol is not known yet: the short forms are out of reach.
  return check !== OperandCheck.one && (check < OperandCheck.simm8to16 || check > OperandCheck.simm8to64);
}

/** The memory operand of a form that has a bare offset. */
function moffsOperand(slots: number, a: MaybeOperand, b: MaybeOperand): Memory | null {
  if ((slots & SLOT_MASK) === Slot.moffs) return a as Memory;
  return ((slots >> SLOT_BITS) & SLOT_MASK) === Slot.moffs ? (b as Memory) : null;
}

function tailBytes(slots: number): number {
  let bytes = 0;
  for (let rest = slots; rest !== 0; rest >>>= SLOT_BITS) bytes += SIZES[rest & SLOT_MASK] ?? 0;
  return bytes;
}

/** The constant part of an address: the displacement, plus what the symbol carries. */
function constantOf(memory: Memory): number | bigint {
  if (memory.symbol === null || memory.symbol.addend === 0) return memory.displacement;
  if (memory.displacement === 0) return memory.symbol.addend;
  return narrow(BigInt(memory.displacement) + BigInt(memory.symbol.addend));
}

/** 0, 1 or the full width; `low` 5 (BP, R13) has no form without a displacement. */
function displacementSize(memory: Memory, low: number, addressBits: number): number {
  const full = addressBits === 16 ? 2 : 4;
  if (memory.symbol !== null) return full;
  const value = displacementValue(memory.displacement, addressBits);
  if (value === 0 && low !== 5) return 0;
  return value !== undefined && value >= -128 && value <= 127 ? 1 : full;
}

/** A displacement as the processor will sign-extend it, or `undefined` where it does not fit. */
function displacementValue(value: number | bigint, addressBits: number): number | undefined {
  if (typeof value === "bigint") {
    const signed = BigInt.asIntN(64, value);
    if (addressBits !== 64 || signed < -0x80000000n || signed > 0x7fffffffn || value >= 2n ** 64n)
      return undefined;
    return Number(signed);
  }
  if (addressBits === 64) return value >= -0x80000000 && value <= 0x7fffffff ? value : undefined;
  if (addressBits === 32) return value >= -0x80000000 && value <= 0xffffffff ? value | 0 : undefined;
  return value >= -0x8000 && value <= 0xffff ? (value << 16) >> 16 : undefined;
}

function clear(bytes: Uint8Array, at: number, size: number): number {
  bytes.fill(0, at, at + size);
  return at + size;
}
