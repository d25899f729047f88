/**
 * Writes instructions: legacy prefixes, REX, opcode, ModR/M, SIB, displacement, immediates (SDM Vol. 2A,
 * "Instruction Format"). Prefixes stand in the order of GNU as: FWAIT, segment, 67, 66, F2 or F3, F0, REX; those of
 * NASM's dialect in that of NASM.
 */
import {
  type AddressContext,
  addressSize,
  constantOf,
  segmentPrefix,
  stringAddressSize,
  writeAddress,
} from "./addressing.js";
import { asmError } from "./errors.js";
import { explainMismatch, explainRefusal } from "./explain.js";
import type { Expression, SymbolReference } from "./expressions.js";
import type { InstructionSet } from "./instruction-set.js";
import { type Integer, writeInteger } from "./integers.js";
import {
  bitsOf,
  CHECK_MASK,
  findForm,
  isBareOffset,
  type MaybeOperand,
  refuseAmbiguity,
} from "./matching.js";
import {
  ANY_MEMORY,
  CHECK_BITS,
  FormFlag,
  FormWord,
  MandatoryPrefix,
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
import { FarPointer, type Memory } from "./operands.js";
import { checkPrefixes, PREFIX_BYTES, Prefix, REX_MASK, SEGMENT_MASK, SEGMENT_PREFIXES } from "./prefixes.js";
import { Register, RexNeed } from "./registers.js";
import { FixKind, RESERVE, type SectionBuffer, VariableKind } from "./sections.js";
import { ABSOLUTE_ZERO, ABSOLUTE_ZERO_16, ABSOLUTE_ZERO_32, type SymbolTable } from "./symbols.js";

/** A mode of the processor. */
export type Bits = 16 | 32 | 64;

const SLOT_MASK = (1 << SLOT_BITS) - 1;
const MANDATORY_PREFIXES = [0, 0x66, 0xf3, 0xf2];
/** What needs more than a plain write: handled before it. */
const BRANCH_PREFIXES = Prefix.short | Prefix.near;
const REX_W = 8 << Prefix.rexShift;
const REPEATS = Prefix.rep | Prefix.repne;
const MAP_MASK = 15 << OpcodeField.map;
const DIRECTIONS = Prefix.load | Prefix.store;
const ES_GIVEN = 1;
const SS_GIVEN = 3;
const FS_GIVEN = 5 << Prefix.segmentShift;
/** Segment overrides that were branch hints. */
const CS_HINT = 2 << Prefix.segmentShift;
const DS_HINT = 4 << Prefix.segmentShift;

/** Encodes into one section at a time, for one mode at a time. */
export class Encoder implements AddressContext {
  section: SectionBuffer;
  readonly set: InstructionSet;
  readonly symbols: SymbolTable;
  /** Source line of what is being encoded; 0 if it has none. */
  line = 0;
  bits: Bits;
  private mode: number;
  addressBits = 0;
  prefixes = 0;
  after = 0;
  unit = 1;
  needsSib = false;
  /** Prefixes stand as NASM has them: F3, F2, F0, segment, 66, 67. */
  nasmOrder = false;
  /** `Prefix` bits as the source wrote them, in its order: relative branches keep it. */
  written: number[] = [];
  /** The memory operand of the instruction that is being written. */
  private memory: Memory | null = null;
  /** The form written last, as the offset of its words. */
  form = 0;

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

  /** Appends one instruction. Throws `AsmError` and writes nothing if it cannot be encoded. */
  instruction(
    mnemonic: number,
    prefixes: number,
    a?: MaybeOperand,
    b?: MaybeOperand,
    c?: MaybeOperand,
    d?: MaybeOperand,
    e?: MaybeOperand,
  ): void {
    const { words, first, traits } = this.set;
    if (traits[mnemonic] === 0) this.set.unpack(mnemonic);
    const from = first[mnemonic]! * FormWord.stride;
    const end = first[mnemonic + 1]! * FormWord.stride;
    let form = findForm(words, from, end, this.mode, a, b, c, d, e);
    if (form < 0) throw explainMismatch(this.set, mnemonic, this.bits, [a, b, c, d, e]);
    if (((bitsOf(a) | bitsOf(b) | bitsOf(c)) & ANY_MEMORY) === ANY_MEMORY) {
      refuseAmbiguity(this.set, mnemonic, form, this.mode, [a, b, c, d, e]);
    }
    if (prefixes !== 0 && (bitsOf(a) & OperandBit.far) !== 0) {
      this.farBranch(mnemonic, prefixes, a as FarPointer);
      return;
    }
    this.prefixes = prefixes;
    let flags = words[form + FormWord.flags]!;
    if (prefixes !== 0) {
      while (this.asksForLater(form, flags, a, b)) {
        const later = findForm(words, form + FormWord.stride, end, this.mode, a, b, c, d, e);
        if (later < 0) break;
        form = later;
        flags = words[form + FormWord.flags]!;
      }
      checkPrefixes(this.set, mnemonic, form, prefixes, a, b);
    }
    this.form = form;
    this.section.reserve(RESERVE);
    if ((flags & FormFlag.kindMask) !== 0) this.extended(mnemonic, form, end, [a, b, c, d, e]);
    else if ((flags & FormFlag.relaxable) !== 0 && (prefixes & Prefix.short) === 0) this.branch(form, a);
    else this.write(form, a, b, c, d, e);
    if (prefixes !== 0) this.written = [];
  }

  /** A jump or call to a pointer that is written out: the operand size is the offset's; GNU as drops other prefixes. */
  private farBranch(mnemonic: number, prefixes: number, { selector, offset, width }: FarPointer): void {
    if ((prefixes & (Prefix.lock | Prefix.rep | Prefix.repne)) !== 0) {
      throw asmError("ERR_ASM_PREFIX", `${this.set.mnemonics[mnemonic]} does not take lock or rep here`);
    }
    const given = (prefixes & Prefix.data) === 0 ? width : this.bits === 16 ? 32 : 16;
    if (width !== 0 && width !== given) throw twice("the operand size");
    this.instruction(mnemonic, 0, new FarPointer(selector, offset, given));
  }

  /**
   * Whether the source's prefixes ask for a later form than the first that fits: a long branch, the other direction of
   * a move, a store that takes XRELEASE.
   */
  private asksForLater(form: number, flags: number, a: MaybeOperand, b: MaybeOperand): boolean {
    const { prefixes } = this;
    if ((flags & FormFlag.relaxable) !== 0) return (prefixes & (Prefix.near | Prefix.disp32)) !== 0;
    if ((prefixes & Prefix.xrelease) !== 0) return (flags & (FormFlag.lock | FormFlag.xrelease)) === 0;
    if ((prefixes & Prefix.strict) !== 0 && this.hasShortImmediate(form)) return true;
    if ((prefixes & DIRECTIONS) === 0 || !(a instanceof Register && b instanceof Register)) return false;
    const wanted = (prefixes & Prefix.store) !== 0 ? Slot.reg : Slot.rm;
    const slots = this.set.words[form + FormWord.slots]!;
    return (flags & FormFlag.kindMask) === 0 && (slots & SLOT_MASK) === wanted && slots > SLOT_MASK;
  }

  /** Whether a form has an immediate byte that is sign-extended. */
  private hasShortImmediate(form: number): boolean {
    for (let checks = this.set.words[form + FormWord.checks]!; checks !== 0; checks >>>= CHECK_BITS) {
      const check = checks & CHECK_MASK;
      if (check >= OperandCheck.simm8to16 && check <= OperandCheck.simm8to64) return true;
    }
    return false;
  }

  /** A form that is not a legacy one: its encoder may refuse it, and then the next that fits is tried. */
  private extended(mnemonic: number, first: number, end: number, operands: readonly MaybeOperand[]): void {
    const { words, encoders } = this.set;
    const { section } = this;
    const start = section.length;
    const [a, b, c, d, e] = operands;
    try {
      for (let form = first; form >= 0; ) {
        const kind = (words[form + FormWord.flags]! & FormFlag.kindMask) >> FormFlag.kindShift;
        this.form = form;
        if (encoders[kind]?.(this, form, operands)) return;
        form = findForm(words, form + FormWord.stride, end, this.mode, a, b, c, d, e);
      }
    } catch (error) {
      section.length = start;
      throw error;
    }
    throw explainRefusal(this.set, mnemonic, operands);
  }

  /** Appends prefixes that stand alone, as objdump prints them. */
  barePrefixes(prefixes: number): void {
    this.section.reserve(RESERVE);
    this.section.length = this.legacyPrefixes(prefixes, 0, false, false, 0, this.section.length);
    if ((prefixes & REX_MASK) !== 0) {
      this.section.bytes[this.section.length++] = (prefixes & REX_MASK) >> Prefix.rexShift;
    }
  }

  /** The prefixes of a relative branch: none of them changes it, so they stand as the source has them. */
  private branchPrefixes(): void {
    if (this.isOrderKnown()) for (const bits of this.written) this.barePrefixes(bits);
    else this.barePrefixes(this.prefixes);
  }

  /** Whether all prefixes came from the source's text, in an order of their own. */
  private isOrderKnown(): boolean {
    return this.written.reduce((sum, bits) => sum | bits, 0) === (this.prefixes & PREFIX_BYTES);
  }

  /** Whether the operand-size prefix is there and counts: REX.W is stronger. */
  private changesSize(): boolean {
    return (this.prefixes & Prefix.data) !== 0 && (this.prefixes & REX_W) === 0;
  }

  /** JMP or Jcc with an operand-size prefix: the long form with the other width, prefixes in GNU as's order. */
  private resizedBranch(form: number, target: MaybeOperand): void {
    const { section, prefixes } = this;
    const segment = prefixes & SEGMENT_MASK;
    const isHint = segment === CS_HINT || segment === DS_HINT;
    if (this.bits === 64 && segment !== 0 && segment < FS_GIVEN && !isHint) {
      throw asmError("ERR_ASM_PREFIX", "a branch of another width takes no es or ss in 64-bit mode");
    }
    // GNU as drops all others.
    for (const part of [Prefix.data, isHint ? segment : 0, prefixes & Prefix.bnd, prefixes & REX_MASK])
      this.barePrefixes(part);
    const opcode = this.set.words[form + FormWord.opcode]! & 255;
    if (opcode === 0xeb) section.bytes[section.length++] = 0xe9;
    else {
      section.bytes[section.length++] = 0x0f;
      section.bytes[section.length++] = opcode + 0x10;
    }
    if (this.bits === 16) this.field(target, 4, FixKind.pc32);
    else this.field(target, 2, FixKind.pc16);
  }

  /** JMP or Jcc with an 8-bit offset that grows if its target is too far away. */
  private branch(form: number, target: MaybeOperand): void {
    const { section } = this;
    if ((this.prefixes & ~BRANCH_PREFIXES) !== 0) {
      if (this.changesSize()) {
        this.resizedBranch(form, target);
        return;
      }
      this.branchPrefixes();
    }
    const isConstant = typeof target === "number" || typeof target === "bigint";
    const symbol = isConstant ? this.absolute() : this.symbols.idOf(target as SymbolReference);
    const addend = isConstant ? target : addendOf(target);
    section.addVariable(VariableKind.branch, symbol, this.branchKind(), addend, this.line);
    section.bytes[section.length] = this.set.words[form + FormWord.opcode]! & 255;
    section.bytes[section.length + 1] = 0;
    section.length += 2;
  }

  /** The kind of the long form of a branch. */
  private branchKind(): number {
    return this.bits === 16 ? FixKind.pc16 : this.bits === 32 ? FixKind.pc32 : FixKind.branch32;
  }

  /** Writes a legacy form whose operands fit. */
  write(
    form: number,
    a: MaybeOperand,
    b: MaybeOperand,
    c: MaybeOperand,
    d: MaybeOperand,
    e: MaybeOperand,
  ): void {
    const words = this.set.words;
    const opcode = words[form + FormWord.opcode]!;
    const flags = words[form + FormWord.flags]!;
    const slots = words[form + FormWord.slots]!;
    const modrmKind = (opcode >> OpcodeField.modrmKind) & 3;
    let reg = modrmKind === ModrmKind.digit ? (opcode >> OpcodeField.modrm) & 7 : 0;
    let rm: MaybeOperand;
    let memory: Memory | null = null;
    let esMemory: Memory | null = null;
    let low = 0;
    let rexNeed = 0;
    let tailBytes = 0;
    for (let i = 0, rest = slots; rest !== 0; i++, rest >>>= SLOT_BITS) {
      const operand = i === 0 ? a : i === 1 ? b : i === 2 ? c : i === 3 ? d : e;
      switch (rest & SLOT_MASK) {
        case Slot.implicit:
          break;
        case Slot.rm:
          rm = operand;
          break;
        case Slot.reg:
          reg = (operand as Register).number;
          rexNeed |= (operand as Register).rex;
          break;
        case Slot.opcode:
          low = (operand as Register).number;
          rexNeed |= (operand as Register).rex;
          break;
        case Slot.both:
          reg = (operand as Register).number;
          rm = operand;
          break;
        case Slot.moffs:
          memory = operand as Memory;
          tailBytes += 8;
          break;
        case Slot.implicitMemory:
          memory = operand as Memory;
          break;
        case Slot.esMemory:
          esMemory = operand as Memory;
          break;
        default:
          tailBytes += SIZES[rest & SLOT_MASK]!;
      }
    }
    let rex = ((opcode >> OpcodeField.rexW) & 1) !== 0 ? 0x48 : 0;
    if (reg > 7) rex |= 0x44;
    if (low > 7) rex |= 0x41;
    if (rm !== undefined) {
      if (rm instanceof Register) {
        low = rm.number;
        rexNeed |= rm.rex;
        if (low > 7) rex |= 0x41;
      } else {
        memory = rm as Memory;
        if (memory.base !== null && memory.base.number > 7) rex |= 0x41;
        if (memory.index !== null && memory.index.number > 7) rex |= 0x42;
      }
    }
    if ((rexNeed | rex) !== 0 || (this.prefixes & (REX_MASK | Prefix.rexHint)) !== 0) {
      rex = this.completeRex(rex, rexNeed);
    }

    const { section } = this;
    const { bytes } = section;
    const segment = memory === null || memory.segment === null ? 0 : segmentPrefix(memory);
    this.addressBits = this.addressBitsOf(memory);
    if (esMemory !== null) this.addressBits = stringAddressSize(esMemory, memory, this.bits);
    const fixedAddress = (opcode >> OpcodeField.addressSize) & 3;
    if (fixedAddress !== Width.any) {
      if ((this.prefixes & Prefix.address) !== 0 && memory === null) throw twice("the address-size prefix");
      this.fixAddressSize(8 << fixedAddress, memory);
    }
    const operandSize = (opcode >> OpcodeField.operandSize) & 3;
    const needs66 =
      operandSize === Width[16] ? this.bits !== 16 : operandSize === Width[32] && this.bits === 16;
    let at = section.length;
    if ((flags & FormFlag.fwait) !== 0) bytes[at++] = 0x9b;
    const needs67 = this.addressBits !== this.bits;
    if (this.prefixes !== 0 && (words[form]! & OperandBit.rel) !== 0) {
      if (this.changesSize())
        throw asmError("ERR_ASM_PREFIX", "this branch takes no operand-size prefix", "write callw or calld");
      section.length = this.legacyPrefixes(0, 0, needs67, needs66, 0, at);
      this.branchPrefixes();
      at = section.length;
      rex = 0;
    } else if (this.prefixes !== 0 || segment !== 0 || needs67 || needs66) {
      at = this.leadingPrefixes(segment, needs67, needs66, (opcode >> OpcodeField.prefix) & 3, at);
    }
    const mandatory = MANDATORY_PREFIXES[(opcode >> OpcodeField.prefix) & 3]!;
    if (mandatory !== 0) bytes[at++] = mandatory;
    if (rex !== 0) bytes[at++] = rex;
    const map = (opcode >> OpcodeField.map) & 15;
    if (map !== 0) {
      bytes[at++] = 0x0f;
      if (map === 2) bytes[at++] = 0x38;
      else if (map === 3) bytes[at++] = 0x3a;
      else if (map === 15) bytes[at++] = 0x0f;
    }
    const hasSuffix = map === 15 || (flags & FormFlag.suffix) !== 0;
    const plus = ((opcode >> OpcodeField.plusRegister) & 1) !== 0 ? low & 7 : 0;
    if (map !== 15) bytes[at++] = (opcode & 255) + (modrmKind === ModrmKind.fixed ? 0 : plus);
    if (modrmKind === ModrmKind.fixed) bytes[at++] = ((opcode >> OpcodeField.modrm) & 255) + plus;
    else if (modrmKind !== ModrmKind.none) {
      if (memory === null) bytes[at++] = 0xc0 | ((reg & 7) << 3) | (low & 7);
      else {
        this.after = hasSuffix ? tailBytes + 1 : tailBytes;
        at = writeAddress(this, memory, (reg & 7) << 3, at);
      }
    }
    if (hasSuffix) bytes[at++] = map === 15 ? opcode & 255 : (opcode >> OpcodeField.modrm) & 255;
    section.length = at;
    if (tailBytes !== 0) this.tail(slots, words[form + FormWord.checks]!, a, b, c, d, e);
  }

  /** The address size of an operand: the prefix changes that of a bare offset. */
  addressBitsOf(memory: Memory | null): number {
    this.memory = memory;
    if (memory === null) return this.bits;
    const size = addressSize(memory, this.bits);
    if (size < this.bits && this.bits === 64 && this.isBounds) {
      throw asmError("ERR_ASM_ADDRESS", "MPX has 64-bit addresses in 64-bit mode, whatever the prefix");
    }
    if ((this.prefixes & Prefix.address) === 0) return size;
    if (isBareOffset(memory)) return this.bits === 32 ? 16 : 32;
    if (size === this.bits && !this.isBounds) {
      throw asmError(
        "ERR_ASM_ADDRESS",
        `the address registers are ${size} bits wide, the prefix says otherwise`,
      );
    }
    return size;
  }

  /** MPX passes over the address-size prefix in 64-bit mode (SDM Vol. 1, "Intel MPX and Operating Modes"). */
  private get isBounds(): boolean {
    const { words } = this.set;
    return (
      ((words[this.form]! | words[this.form + 1]!) & (OperandBit.bnd | OperandBit.absent)) === OperandBit.bnd
    );
  }

  /** The form has one address size: that of its address register. Throws `ERR_ASM_ADDRESS`. */
  private fixAddressSize(bits: number, memory: Memory | null): void {
    if (memory !== null && !isBareOffset(memory) && this.addressBits !== bits) {
      throw asmError(
        "ERR_ASM_ADDRESS",
        `the address registers are ${this.addressBits} and ${bits} bits wide`,
      );
    }
    this.addressBits = bits;
  }

  /** Writes the prefixes before REX. Throws `ERR_ASM_PREFIX` where one would stand twice. */
  legacyPrefixes(
    prefixes: number,
    segment: number,
    needs67: boolean,
    needs66: boolean,
    mandatory: number,
    at: number,
  ): number {
    const { bytes } = this.section;
    const given = (prefixes & SEGMENT_MASK) >> Prefix.segmentShift;
    if (given !== 0) {
      if (segment !== 0 && segment !== SEGMENT_PREFIXES[given - 1]) throw twice("a segment prefix");
      segment = SEGMENT_PREFIXES[given - 1]!;
    }
    if (this.nasmOrder) at = this.repeats(prefixes, mandatory, at);
    if ((prefixes & Prefix.notrack) !== 0) bytes[at++] = 0x3e;
    if (segment !== 0) bytes[at++] = segment;
    const has67 = needs67 || (prefixes & Prefix.address) !== 0;
    if (has67 && !this.nasmOrder) bytes[at++] = 0x67;
    if (needs66 || (prefixes & Prefix.data) !== 0) bytes[at++] = 0x66;
    if (has67 && this.nasmOrder) bytes[at++] = 0x67;
    return this.nasmOrder ? at : this.repeats(prefixes, mandatory, at);
  }

  /** Writes F3, F2 and F0. */
  private repeats(prefixes: number, mandatory: number, at: number): number {
    const { bytes } = this.section;
    // PadLock's instructions are repeated in any case.
    const isRepeated = mandatory === MandatoryPrefix.F3;
    if ((prefixes & (Prefix.rep | Prefix.xrelease)) !== 0 && !isRepeated) bytes[at++] = 0xf3;
    if ((prefixes & (Prefix.repne | Prefix.bnd | Prefix.xacquire)) !== 0) bytes[at++] = 0xf2;
    if ((prefixes & Prefix.lock) !== 0) bytes[at++] = 0xf0;
    return at;
  }

  /**
   * Writes the prefixes of an instruction before REX. Where there are some that GNU as refuses and objdump prints (a
   * second 66, a segment that 64-bit mode does not have, REP before NOP and PREFETCH), all stand in the source's order.
   */
  leadingPrefixes(
    segment: number,
    needs67: boolean,
    needs66: boolean,
    mandatory: number,
    at: number,
  ): number {
    const given = (this.prefixes & SEGMENT_MASK) >> Prefix.segmentShift;
    const isSecond = (this.prefixes & Prefix.data) !== 0 && (needs66 || mandatory === MandatoryPrefix["66"]);
    const isIgnored = this.bits === 64 && (given === ES_GIVEN || given === SS_GIVEN);
    const isRepeated =
      (this.prefixes & REPEATS) !== 0 &&
      mandatory === 0 &&
      (this.set.words[this.form + FormWord.opcode]! & MAP_MASK) !== 0;
    // GNU as and objdump mean different encodings by ST(0), ST.
    if (isIgnored && (this.set.words[this.form]! & OperandBit.st) !== 0) {
      throw asmError("ERR_ASM_PREFIX", "es and ss do nothing in 64-bit mode");
    }
    const isOther =
      (this.prefixes & Prefix.address) !== 0 && !needs67 && this.memory !== null && this.isBounds;
    if (!(isSecond || isIgnored || isRepeated || isOther) || !this.isOrderKnown()) {
      return this.legacyPrefixes(this.prefixes, segment, needs67, needs66, mandatory, at);
    }
    const { section } = this;
    const { bytes } = section;
    const { memory } = this;
    const isBare = memory === null || isBareOffset(memory);
    // A segment that the address implies would not stand: objdump would print it otherwise.
    const isImplied = memory !== null && !isBare && memory.segment !== null && segment === 0;
    if ((segment !== 0 && given !== 0) || isImplied) throw twice("a segment prefix");
    this.keepZero();
    section.length = at;
    for (const bits of this.written) this.barePrefixes(bits & ~REX_MASK);
    if (segment !== 0) bytes[section.length++] = segment;
    if (needs67 && !(isBare && (this.prefixes & Prefix.address) !== 0)) bytes[section.length++] = 0x67;
    if (needs66) bytes[section.length++] = 0x66;
    return section.length;
  }

  /** A displacement of 0 that the source wrote is one of 8 bits. */
  private keepZero(): void {
    if ((this.prefixes & Prefix.zero) !== 0) this.prefixes |= Prefix.disp8;
  }

  /** Adds what registers and the source ask of the REX prefix. Throws where it cannot stand. */
  private completeRex(rex: number, need: number): number {
    const given = (this.prefixes & REX_MASK) >> Prefix.rexShift;
    if ((given & rex & 15) !== 0 && !this.nasmOrder) throw twice("a bit of the REX prefix");
    let result = rex | given;
    if ((need & RexNeed.required) !== 0 || (this.prefixes & Prefix.rexHint) !== 0) result |= 0x40;
    if (result === 0) return 0;
    if ((need & RexNeed.evex) !== 0) {
      throw asmError("ERR_ASM_REGISTER", "registers 16 to 31 exist only for instructions with an EVEX form");
    }
    if ((need & RexNeed.forbidden) !== 0) {
      throw asmError(
        "ERR_ASM_REGISTER",
        "ah, bh, ch and dh cannot stand in an instruction that needs a REX prefix",
        "use another byte register, or move the byte first",
      );
    }
    if (this.bits === 64) return result;
    throw asmError(
      "ERR_ASM_REGISTER",
      `registers 8 to 15 and spl, bpl, sil, dil exist in 64-bit mode, not in ${this.bits}-bit mode`,
    );
  }

  /** Writes immediates, offsets and far pointers. */
  tail(
    slots: number,
    checks: number,
    a: MaybeOperand,
    b: MaybeOperand,
    c: MaybeOperand,
    d: MaybeOperand,
    e: MaybeOperand,
  ): void {
    for (let i = 0, rest = slots; rest !== 0; i++, rest >>>= SLOT_BITS) {
      const slot = rest & SLOT_MASK;
      if (slot < Slot.ib || slot >= Slot.both) continue;
      const operand = i === 0 ? a : i === 1 ? b : i === 2 ? c : i === 3 ? d : e;
      if (slot === Slot.moffs) this.moffs(operand as Memory);
      else if (slot >= Slot.ptr16) this.farPointer(operand as FarPointer, slot === Slot.ptr16 ? 2 : 4);
      else if (slot === Slot.cd) this.field(operand, 4, this.bits === 64 ? FixKind.branch32 : FixKind.pc32);
      else if (slot >= Slot.cb)
        this.field(operand, SIZES[slot]!, slot === Slot.cb ? FixKind.pc8 : FixKind.pc16);
      else {
        const check = (checks >>> (i * CHECK_BITS)) & CHECK_MASK;
        this.value(operand, SIZES[slot]!, ABSOLUTE_KINDS[check] ?? FixKind.abs8);
      }
    }
  }

  /** Writes a constant, or leaves room for what is not known yet. */
  private value(operand: MaybeOperand, size: number, kind: number): void {
    const { section } = this;
    if (typeof operand === "number" || typeof operand === "bigint") {
      writeInteger(section.bytes, section.length, operand, size);
      section.length += size;
    } else this.field(operand, size, kind);
  }

  /** Leaves room for a value that is not known yet; a number is an absolute address. */
  field(operand: MaybeOperand, size: number, kind: number): void {
    const { section } = this;
    const isConstant = typeof operand === "number" || typeof operand === "bigint";
    const symbol = isConstant ? this.absolute() : this.symbols.idOf(operand as SymbolReference);
    section.addFix(section.length, kind, symbol, size, isConstant ? operand : addendOf(operand), this.line);
    section.bytes.fill(0, section.length, section.length + size);
    section.length += size;
  }

  /** The symbol that absolute targets are offsets to: distances wrap outside 64-bit mode. */
  private absolute(): number {
    return this.bits === 64 ? ABSOLUTE_ZERO : this.bits === 32 ? ABSOLUTE_ZERO_32 : ABSOLUTE_ZERO_16;
  }

  private moffs(memory: Memory): void {
    const { section, addressBits } = this;
    const size = addressBits / 8;
    const value = constantOf(memory);
    if (memory.symbol === null) {
      writeInteger(section.bytes, section.length, value, size);
    } else {
      const kind = size === 8 ? FixKind.abs64 : size === 4 ? FixKind.abs32 : FixKind.abs16;
      section.addFix(section.length, kind, this.symbols.idOf(memory.symbol), 0, value, this.line);
      section.bytes.fill(0, section.length, section.length + size);
    }
    section.length += size;
  }

  private farPointer(pointer: FarPointer, size: number): void {
    this.value(pointer.offset, size, size === 2 ? FixKind.abs16 : FixKind.abs32);
    this.value(pointer.selector, 2, FixKind.abs16);
  }
}

export function modeBit(bits: Bits): number {
  return bits === 64 ? MODE_64 : bits === 32 ? MODE_32 : MODE_16;
}

/** The constant that goes with an operand that is not known yet. */
export function addendOf(operand: MaybeOperand): Integer {
  const reference = operand as SymbolReference | Expression | string;
  return typeof reference === "object" && reference.kind === "symbol" ? reference.addend : 0;
}

function twice(what: string) {
  return asmError("ERR_ASM_PREFIX", `${what} would stand twice`);
}

/** Kind of an immediate field by its check. */
const ABSOLUTE_KINDS: Readonly<Record<number, number>> = {
  [OperandCheck.imm8]: FixKind.abs8,
  [OperandCheck.imm16]: FixKind.abs16,
  [OperandCheck.imm32]: FixKind.abs32,
  [OperandCheck.simm32]: FixKind.abs32s,
  [OperandCheck.imm64]: FixKind.abs64,
};
/** Bytes of an immediate or offset by slot. */
const SIZES: readonly number[] = (() => {
  const sizes = new Array<number>(1 << SLOT_BITS).fill(0);
  sizes[Slot.ib] = sizes[Slot.cb] = sizes[Slot.is4] = 1;
  sizes[Slot.iw] = sizes[Slot.cw] = 2;
  sizes[Slot.id] = sizes[Slot.cd] = 4;
  sizes[Slot.iq] = 8;
  sizes[Slot.ptr16] = 4;
  sizes[Slot.ptr32] = 6;
  return sizes;
})();
