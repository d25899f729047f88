/** Bytes to instructions, by the table that the assembler encodes with. */
import type { Bits } from "../encoder.js";
import { coreInstructions, type InstructionSet } from "../instruction-set.js";
import type { Integer } from "../integers.js";
import {
  ANY_MEMORY,
  CHECK_BITS,
  EncodingKind,
  FIXED_BITS,
  FormFlag,
  FormWord,
  MODE_16,
  MODE_32,
  MODE_64,
  ModrmKind,
  OpcodeField,
  OpcodeMap,
  OperandBit,
  OperandCheck,
  SLOT_BITS,
  Slot,
  Width,
} from "../operand-bits.js";
import type { FarPointer, Memory } from "../operands.js";
import { fs, gs, type Register } from "../registers.js";
import { type DecodedAddress, memoryAt, readAddress, stringMemory } from "./decode-memory.js";
import { type FoundPrefixes, MAX_LENGTH, readPrefixes } from "./decode-prefixes.js";
import { TailReader } from "./decode-tail.js";
import { FormIndex } from "./form-index.js";
import { registerOf } from "./register-files.js";

/** What an instruction works on: registers and memory as the builder takes them; branch targets are addresses. */
export type DecodedOperand =
  /** `isFixed`: the opcode implies it. */
  | { readonly kind: "register"; readonly register: Register; readonly isFixed: boolean }
  | {
      readonly kind: "memory";
      readonly memory: Memory;
      /** 0 where none is encoded. */
      readonly displacementBytes: number;
      readonly hasSib: boolean;
      /** It is a bare offset in the instruction, without ModR/M. */
      readonly isOffset: boolean;
      /** It holds a far pointer. */
      readonly isFar: boolean;
    }
  /** `bits`: how wide it is where it is used; negative values are sign-extended. */
  | { readonly kind: "immediate"; readonly value: Integer; readonly bits: number; readonly isFixed: boolean }
  | { readonly kind: "target"; readonly address: bigint }
  | { readonly kind: "far"; readonly pointer: FarPointer };

export interface DecodedInstruction {
  readonly mnemonic: string;
  readonly operands: readonly DecodedOperand[];
  /** Bytes that it takes, prefixes included. */
  readonly length: number;
  /** Where it stands. */
  readonly address: bigint;
  readonly bits: Bits;
  /** Prefixes that are no part of the instruction's own encoding, in the order of GNU as, as it spells them. */
  readonly prefixes: readonly string[];
}

export interface DecodeOptions {
  /** Mode; 64 if not given. */
  readonly bits?: Bits;
  /** Address of the first byte; 0 if not given. Branch targets are computed from it. */
  readonly address?: bigint | number;
  /** Where in the bytes to begin. */
  readonly offset?: number;
}

/** Decodes the instructions of a set. */
export class Decoder {
  private readonly set: InstructionSet;
  private readonly index: FormIndex;

  constructor(set: InstructionSet = coreInstructions) {
    this.set = set;
    this.index = new FormIndex(set);
  }

  /** The instruction at `offset`, or `undefined` where none begins or the bytes end before it does. */
  decode(
    bytes: Uint8Array,
    { bits = 64, address = 0n, offset = 0 }: DecodeOptions = {},
  ): DecodedInstruction | undefined {
    const decoding = new Decoding(this.set, this.index, bytes, offset, bits, BigInt(address));
    return decoding.run();
  }
}

const MODES: Readonly<Record<Bits, number>> = { 16: MODE_16, 32: MODE_32, 64: MODE_64 };
const MANDATORY = [0, 0x66, 0xf3, 0xf2];
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const CHECK_MASK = (1 << CHECK_BITS) - 1;
const FIXED_MASK = (1 << FIXED_BITS) - 1;

/** One instruction being decoded. */
class Decoding {
  private readonly set: InstructionSet;
  private readonly index: FormIndex;
  private readonly bytes: Uint8Array;
  private readonly start: number;
  private readonly bits: Bits;
  private readonly address: bigint;
  private readonly prefixes: FoundPrefixes;
  /** Behind the opcode. */
  private at: number;
  private memory: DecodedAddress | undefined;
  /** LOCK is part of the instruction. */
  private isLockedControl = false;

  constructor(
    set: InstructionSet,
    index: FormIndex,
    bytes: Uint8Array,
    start: number,
    bits: Bits,
    address: bigint,
  ) {
    this.set = set;
    this.index = index;
    this.bytes = bytes;
    this.start = start;
    this.bits = bits;
    this.address = address;
    this.prefixes = readPrefixes(bytes, start, bits);
    this.at = this.prefixes.end;
  }

  run(): DecodedInstruction | undefined {
    const opcode = this.readOpcode();
    if (opcode === undefined) return undefined;
    const best = this.choose(this.index.find(opcode.map, opcode.byte));
    return best === undefined ? undefined : this.build(best, opcode.byte);
  }

  private readOpcode(): { map: number; byte: number } | undefined {
    const { bytes } = this;
    let map: number = OpcodeMap.one;
    let byte = bytes[this.at++];
    if (byte === 0x0f) {
      map = OpcodeMap["0F"];
      byte = bytes[this.at++];
      if (byte === 0x38 || byte === 0x3a) {
        map = byte === 0x38 ? OpcodeMap["0F38"] : OpcodeMap["0F3A"];
        byte = bytes[this.at++];
      }
    }
    return byte === undefined ? undefined : { map, byte };
  }

  /** The form that fits and leaves the fewest prefixes without a meaning; the first of equals. */
  private choose(forms: readonly number[]): number | undefined {
    let best: number | undefined;
    let bestScore = -1;
    for (const form of forms) {
      const score = this.score(form);
      if (score > bestScore) {
        best = form;
        bestScore = score;
      }
    }
    return best;
  }

  /** How many prefixes and fixed bytes a form accounts for, or -1 if it does not fit. */
  private score(form: number): number {
    const { words } = this.set;
    const opcode = words[form + FormWord.opcode]!;
    const flags = words[form + FormWord.flags]!;
    if ((flags & MODES[this.bits]) === 0 || !this.fitsKind(flags)) return -1;
    const mandatory = MANDATORY[(opcode >> OpcodeField.prefix) & 3]!;
    if (mandatory === 0x66 ? !this.prefixes.data : mandatory !== 0 && this.prefixes.repeat !== mandatory)
      return -1;
    if (!this.fitsSizes(opcode, mandatory) || !this.fitsModrm(form, opcode, flags)) return -1;
    if (this.isNop(form, opcode)) return -1;
    let score = mandatory === 0 ? 0 : 4;
    if ((flags & FormFlag.kindMask) !== 0) score += 4;
    const size = (opcode >> OpcodeField.operandSize) & 3;
    const hasSize = size !== Width.any || ((opcode >> OpcodeField.rexW) & 1) !== 0;
    if (hasSize && (this.prefixes.data || (this.prefixes.rex & 8) !== 0)) score += 2;
    if ((flags & FormFlag.rep) !== 0 && this.prefixes.repeat !== 0) score += 1;
    return (flags & FormFlag.suffix) !== 0 ? score + 1 : score;
  }

  /** Whether a form is a legacy one, and the prefix that makes it one is there. */
  private fitsKind(flags: number): boolean {
    const kind = (flags & FormFlag.kindMask) >> FormFlag.kindShift;
    if (kind === EncodingKind.addressed) return this.prefixes.address;
    if (kind === EncodingKind.lockedControl) return this.prefixes.lock;
    return kind === EncodingKind.legacy;
  }

  /** Whether a form would exchange EAX with itself: that opcode does nothing in 64-bit mode, not even clear bits. */
  private isNop(form: number, opcode: number): boolean {
    const isXchg = (opcode & 255) === 0x90 && ((opcode >> OpcodeField.map) & 15) === OpcodeMap.one;
    if (!isXchg || this.set.words[form] === OperandBit.absent) return false;
    // XCHG RAX, RAX, without a register in the opcode, is another name of NOP.
    if (((opcode >> OpcodeField.plusRegister) & 1) === 0) return true;
    if (this.bytes[this.at - 1] !== 0x90) return false;
    return !this.prefixes.data && (this.prefixes.rex & 9) === 0;
  }

  private get operandSize(): number {
    if ((this.prefixes.rex & 8) !== 0) return Width[64];
    return this.prefixes.data !== (this.bits === 16) ? Width[16] : Width[32];
  }

  private get addressBits(): number {
    if (this.bits === 64) return this.prefixes.address ? 32 : 64;
    return this.prefixes.address !== (this.bits === 16) ? 16 : 32;
  }

  private fitsSizes(opcode: number, mandatory: number): boolean {
    const operandSize = (opcode >> OpcodeField.operandSize) & 3;
    const rexW = ((opcode >> OpcodeField.rexW) & 1) !== 0;
    if (rexW && (this.prefixes.rex & 8) === 0) return false;
    if (operandSize !== Width.any && operandSize !== this.operandSize && mandatory !== 0x66) return false;
    const addressSize = (opcode >> OpcodeField.addressSize) & 3;
    return addressSize === Width.any || 8 << addressSize === this.addressBits;
  }

  private fitsModrm(form: number, opcode: number, flags: number): boolean {
    const kind = (opcode >> OpcodeField.modrmKind) & 3;
    const modrm = this.bytes[this.at];
    const value = (opcode >> OpcodeField.modrm) & 255;
    if (kind === ModrmKind.none) return true;
    if (modrm === undefined) return false;
    if (kind === ModrmKind.fixed) {
      const isPlus = ((opcode >> OpcodeField.plusRegister) & 1) !== 0;
      return isPlus ? (modrm & 0xf8) === value : modrm === value;
    }
    if (kind === ModrmKind.digit && ((modrm >> 3) & 7) !== (value & 7)) return false;
    if (!this.fitsRm(form, modrm)) return false;
    const isSuffixed =
      (flags & FormFlag.suffix) !== 0 || ((opcode >> OpcodeField.map) & 15) === OpcodeMap["3DNow"];
    return (
      !isSuffixed ||
      this.suffix() === (((opcode >> OpcodeField.map) & 15) === OpcodeMap["3DNow"] ? opcode & 255 : value)
    );
  }

  /** Whether ModRM.rm is a register or memory as the form's operand is. */
  private fitsRm(form: number, modrm: number): boolean {
    const { words } = this.set;
    const isRegister = modrm >= 0xc0;
    for (let i = 0, slots = words[form + FormWord.slots]!; slots !== 0; i++, slots >>>= SLOT_BITS) {
      const slot = slots & SLOT_MASK;
      if (slot === Slot.both) return isRegister && ((modrm >> 3) & 7) === (modrm & 7);
      if (slot !== Slot.rm) continue;
      const accepts = words[form + i]!;
      return isRegister ? (accepts & ~ANY_MEMORY) !== 0 : (accepts & ANY_MEMORY) !== 0;
    }
    return true;
  }

  /** The byte behind ModR/M and displacement. */
  private suffix(): number | undefined {
    const modrm = this.bytes[this.at]!;
    if (modrm >= 0xc0) return this.bytes[this.at + 1];
    const memory = this.readAddress();
    return memory === undefined ? undefined : this.bytes[memory.end];
  }

  private readAddress(): DecodedAddress | undefined {
    const { addressBits, bits, segment } = this;
    const { rex } = this.prefixes;
    this.memory ??= readAddress(this.bytes, this.at, { addressBits, bits, rex, segment });
    return this.memory;
  }

  /** The segment that memory operands are in: in 64-bit mode only FS and GS count. */
  private get segment(): Register<"sreg"> | null {
    const { segment } = this.prefixes;
    return this.bits === 64 && segment !== fs && segment !== gs ? null : segment;
  }

  private build(form: number, byte: number): DecodedInstruction | undefined {
    const { words } = this.set;
    const opcode = words[form + FormWord.opcode]!;
    const encoding = (words[form + FormWord.flags]! & FormFlag.kindMask) >> FormFlag.kindShift;
    this.isLockedControl = encoding === EncodingKind.lockedControl;
    const kind = (opcode >> OpcodeField.modrmKind) & 3;
    const modrm = this.bytes[this.at] ?? 0;
    let tail = this.at;
    if (kind === ModrmKind.fixed) tail++;
    else if (kind !== ModrmKind.none) {
      const memory = modrm < 0xc0 ? this.readAddress() : undefined;
      if (modrm < 0xc0 && memory === undefined) return undefined;
      tail = memory?.end ?? this.at + 1;
    }
    const isSuffixed =
      (words[form + FormWord.flags]! & FormFlag.suffix) !== 0 ||
      ((opcode >> OpcodeField.map) & 15) === OpcodeMap["3DNow"];
    const low = kind === ModrmKind.fixed ? modrm & 7 : byte & 7;
    const reader = new TailReader(this.bytes, isSuffixed ? tail + 1 : tail);
    const operands = this.operands(form, modrm, low, reader);
    const length = reader.at - this.start;
    if (operands === undefined || reader.isShort || length > MAX_LENGTH) return undefined;
    const mnemonic = this.set.mnemonics[this.mnemonicOf(form)]!;
    const resolved = operands.map((operand) => this.resolve(operand, length));
    const prefixes = this.remaining(form, operands);
    return { mnemonic, operands: resolved, length, address: this.address, bits: this.bits, prefixes };
  }

  private operands(form: number, modrm: number, low: number, tail: TailReader): DecodedOperand[] | undefined {
    const { words } = this.set;
    const operands: DecodedOperand[] = [];
    const slots = words[form + FormWord.slots]!;
    const checks = words[form + FormWord.checks]!;
    const fixed = words[form + FormWord.fixed]!;
    const count = (words[form + FormWord.flags]! >> FormFlag.countShift) & 7;
    for (let i = 0; i < count && words[form + i] !== OperandBit.absent; i++) {
      const slot = (slots >>> (i * SLOT_BITS)) & SLOT_MASK;
      const check = (checks >>> (i * CHECK_BITS)) & CHECK_MASK;
      const number = (fixed >>> (i * FIXED_BITS)) & FIXED_MASK;
      const operand = this.operand(words[form + i]!, slot, check, number, modrm, low, tail);
      if (operand === undefined) return undefined;
      operands.push(operand);
    }
    return operands;
  }

  private operand(
    accepts: number,
    slot: number,
    check: number,
    fixed: number,
    modrm: number,
    low: number,
    tail: TailReader,
  ): DecodedOperand | undefined {
    const { rex } = this.prefixes;
    switch (slot) {
      case Slot.reg:
      case Slot.both:
        if (this.isLockedControl && (accepts & OperandBit.cr) !== 0)
          return this.register(accepts, 8 | ((modrm >> 3) & 7));
        return this.register(accepts, ((modrm >> 3) & 7) | ((rex & 4) << 1));
      case Slot.opcode:
        return this.register(accepts, low | ((rex & 1) << 3));
      case Slot.rm:
        if (modrm >= 0xc0) return this.register(accepts, (modrm & 7) | ((rex & 1) << 3));
        return memoryAt(accepts, this.readAddress()!, this.isFar(modrm));
      case Slot.implicit:
        if (check === OperandCheck.one) return { kind: "immediate", value: 1, bits: 8, isFixed: true };
        if (check === OperandCheck.three) return { kind: "immediate", value: 3, bits: 8, isFixed: true };
        return this.register(accepts, fixed, true);
      case Slot.implicitMemory:
      case Slot.esMemory:
        return this.stringMemory(accepts, slot === Slot.esMemory, fixed);
      case Slot.moffs:
        return tail.moffs(accepts, this.addressBits, this.segment);
      case Slot.ptr16:
      case Slot.ptr32:
        return tail.pointer(slot === Slot.ptr16 ? 2 : 4);
      default:
        return tail.field(slot, check);
    }
  }

  /** Whether FF /3 or FF /5: CALL and JMP through a far pointer. */
  private isFar(modrm: number): boolean {
    const digit = (modrm >> 3) & 7;
    return (
      this.bytes[this.at - 1] === 0xff && this.at - 1 === this.prefixes.end && (digit === 3 || digit === 5)
    );
  }

  private register(accepts: number, number: number, isFixed = false): DecodedOperand | undefined {
    const register = registerOf(accepts, number, this.prefixes.rex !== 0);
    return register === undefined ? undefined : { kind: "register", register, isFixed };
  }

  private stringMemory(accepts: number, isDestination: boolean, number: number): DecodedOperand {
    return stringMemory(accepts, number, this.addressBits, isDestination, this.segment);
  }

  /** Relative offsets become addresses, in the width of the instruction pointer. */
  private resolve(operand: DecodedOperand, length: number): DecodedOperand {
    if (operand.kind !== "target") return operand;
    const next = this.address + BigInt(length);
    const width = this.bits === 64 ? 64 : this.operandSize === Width[16] ? 16 : 32;
    return { kind: "target", address: BigInt.asUintN(width, next + operand.address) };
  }

  private mnemonicOf(form: number): number {
    const { first } = this.set;
    const number = form / FormWord.stride;
    let [low, high] = [0, first.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (first[middle]! <= number) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Prefixes that the chosen form has no use for, and those that belong to any instruction. */
  private remaining(form: number, operands: readonly DecodedOperand[]): string[] {
    const { words } = this.set;
    const opcode = words[form + FormWord.opcode]!;
    const flags = words[form + FormWord.flags]!;
    const mandatory = MANDATORY[(opcode >> OpcodeField.prefix) & 3]!;
    const hasSize = ((opcode >> OpcodeField.operandSize) & 3) !== Width.any;
    const isString = (words[form + FormWord.flags]! & FormFlag.rep) !== 0;
    const usesAddress =
      operands.some(({ kind }) => kind === "memory") || ((opcode >> OpcodeField.addressSize) & 3) !== 0;
    const { repeat, lock, data, address, segment } = this.prefixes;
    const names: string[] = [];
    const usesSegment = operands.some(
      (operand) => operand.kind === "memory" && operand.memory.segment === segment,
    );
    if (segment !== null && !usesSegment) names.push(segment.name);
    const isAddressed = (flags & FormFlag.kindMask) >> FormFlag.kindShift === EncodingKind.addressed;
    if (address && (!usesAddress || isAddressed)) names.push(this.bits === 32 ? "addr16" : "addr32");
    if (data && !hasSize && mandatory !== 0x66) names.push(this.bits === 16 ? "data32" : "data16");
    if (repeat !== 0 && repeat !== mandatory)
      names.push(repeatName(repeat, isString, flags, this.set.mnemonics[this.mnemonicOf(form)]!));
    if (lock && !this.isLockedControl) names.push("lock");
    return names;
  }
}

/** REP before what moves, REPZ before what compares; F2 before a branch is BND. */
function repeatName(repeat: number, isString: boolean, flags: number, mnemonic: string): string {
  if (repeat === 0xf2) return (flags & FormFlag.bnd) !== 0 ? "bnd" : "repnz";
  return isString && !/^(cmps|scas|ret)/.test(mnemonic) ? "rep" : "repz";
}
