/** One instruction being decoded: which form its bytes are, and what its operands are. */
import type { Decorations } from "../decorations.js";
import type { Bits } from "../encoder.js";
import {
  ANY_MEMORY,
  ANY_REGISTER,
  ANY_VSIB,
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
import { ds, type Register } from "../registers.js";
import {
  type DecodedAddress,
  type MemoryContext,
  memoryAt,
  readAddress,
  stringMemory,
  widthOf,
} from "./decode-memory.js";
import {
  type FoundPrefixes,
  MAX_LENGTH,
  type Opcode,
  prefixName,
  readOpcode,
  readPrefixes,
} from "./decode-prefixes.js";
import { TailReader } from "./decode-tail.js";
import type { DecoderTable } from "./decoder.js";
import { hintOf } from "./hints.js";
import type { DecodedInstruction, DecodedOperand } from "./instruction.js";
import { leftOver } from "./left-over-prefixes.js";
import { Trait } from "./traits.js";

const MODES: Readonly<Record<Bits, number>> = { 16: MODE_16, 32: MODE_32, 64: MODE_64 };
const NO_PREFIX = 0;
const FWAIT = 0x9b;
const SLOT_MASK = (1 << SLOT_BITS) - 1;
const CHECK_MASK = (1 << CHECK_BITS) - 1;
const FIXED_MASK = (1 << FIXED_BITS) - 1;
/** EVEX.L'L of 512 bits, and where it is a rounding mode. */
const LENGTH_512 = 2;
const SUPPRESS_EXCEPTIONS = 4;

/** Whether two forms accept some of the same in a place: of memory, if both do, the same width. */
function sharesKind(first: number, second: number): boolean {
  const both = first & second & ~OperandBit.decorated;
  return (
    (first & second & ANY_MEMORY) !== 0 ||
    (((first & ANY_MEMORY) === 0 || (second & ANY_MEMORY) === 0) && both !== 0)
  );
}

export class Decoding implements MemoryContext {
  readonly table: DecoderTable;
  readonly files: DecoderTable["files"];
  readonly bits: Bits;
  prefixes: FoundPrefixes;
  opcode: Opcode | undefined;
  private readonly bytes: Uint8Array;
  private readonly start: number;
  private readonly address: bigint;
  /** FWAIT goes first, as part of the instruction. */
  private waits = false;
  private addressRead: DecodedAddress | undefined;
  /** DS before an indirect branch overrides nothing. */
  private isNotrack = false;

  constructor(table: DecoderTable, bytes: Uint8Array, start: number, bits: Bits, address: bigint) {
    this.table = table;
    this.files = table.files;
    this.bytes = bytes;
    this.start = start;
    this.bits = bits;
    this.address = address;
    this.prefixes = readPrefixes(bytes, start, bits);
  }

  run(): DecodedInstruction | undefined {
    if (this.prefixes.isRexAlone) return this.prefixesAlone();
    if (this.prefixes.rexAt >= 0 && this.bytes[this.prefixes.end] === FWAIT) return this.prefixesAlone();
    return this.waiting() ?? this.instruction(this.prefixes.end);
  }

  /** An x87 instruction whose name includes the FWAIT before it (FSTCW); else FWAIT is one of its own. */
  private waiting(): DecodedInstruction | undefined {
    if (this.prefixes.end !== this.start || this.bytes[this.start] !== FWAIT) return undefined;
    const own = this.prefixes;
    this.prefixes = readPrefixes(this.bytes, this.start + 1, this.bits);
    this.waits = true;
    const { end } = this.prefixes;
    const found = ((this.bytes[end] ?? 0) & 0xf8) === 0xd8 ? this.instruction(end) : undefined;
    this.waits = false;
    this.prefixes = own;
    this.addressRead = undefined;
    return found;
  }

  /** REX before another prefix: no instruction, so that what stands behind it can be one. */
  private prefixesAlone(): DecodedInstruction {
    const { bytes } = this.prefixes;
    const prefixes = bytes.map((byte) => prefixName(byte, this.bits));
    const { address, bits } = this;
    return { mnemonic: "", operands: [], length: bytes.length, address, bits, prefixes, hint: "" };
  }

  private instruction(at: number): DecodedInstruction | undefined {
    this.opcode = readOpcode(this.bytes, at, this.bits, this.prefixes.rex);
    if (this.opcode === undefined) return undefined;
    const { kind, map, byte } = this.opcode;
    const form = this.choose(this.table.index.find(kind, map, byte));
    return form === undefined ? undefined : this.build(form, this.opcode);
  }

  /** The form that fits and leaves the fewest prefixes without a meaning; the first of equals. */
  private choose(forms: readonly number[]): number | undefined {
    let best: number | undefined;
    let bestScore = -1;
    for (const form of forms) {
      const score = this.score(form, this.opcode!);
      if (score > bestScore) {
        best = form;
        bestScore = score;
      }
    }
    return best;
  }

  /** How much of what is there a form accounts for, or -1 if it does not fit. */
  private score(form: number, opcode: Opcode): number {
    const { words } = this.table.set;
    const flags = words[form + FormWord.flags]!;
    if ((flags & MODES[this.bits]) === 0) return -1;
    if (((flags & FormFlag.fwait) !== 0) !== this.waits) return -1;
    const word = words[form + FormWord.opcode]!;
    const own =
      opcode.kind === EncodingKind.legacy
        ? this.scoreLegacy(form, word, flags)
        : this.scoreVex(form, word, flags, opcode);
    if (own < 0 || !this.fitsModrm(form, word, flags, opcode)) return -1;
    return (flags & FormFlag.suffix) !== 0 ? own + 1 : own;
  }

  private scoreLegacy(form: number, word: number, flags: number): number {
    const kind = (flags & FormFlag.kindMask) >> FormFlag.kindShift;
    if (kind === EncodingKind.addressed && this.prefixes.address < 0) return -1;
    if (kind === EncodingKind.lockedControl && this.prefixes.lock < 0) return -1;
    const mandatory = (word >> OpcodeField.prefix) & 3;
    const found = this.mandatory;
    if (mandatory !== NO_PREFIX && mandatory !== found) return -1;
    const traits = this.table.traits[form / FormWord.stride]!;
    if ((traits & Trait.noPrefix) !== 0 && found !== NO_PREFIX) return -1;
    if (!this.fitsSizes(word, mandatory) || this.isNop(form, word)) return -1;
    if ((traits & Trait.lax) !== 0 && found > 1) return -1;
    let score = mandatory !== NO_PREFIX ? 8 : 0;
    if (kind !== EncodingKind.legacy) score += 8;
    const size = (word >> OpcodeField.operandSize) & 3;
    const hasSize = size === this.operandSize || ((word >> OpcodeField.rexW) & 1) !== 0;
    if (hasSize && (this.prefixes.data >= 0 || this.opcode!.w !== 0)) score += 4;
    if ((flags & FormFlag.rep) !== 0 && Math.max(this.prefixes.f2, this.prefixes.f3) >= 0) score += 2;
    return size === Width.any && this.hasUsualWidth(form, word) ? score + 1 : score;
  }

  /** Whether a form that no operand size changes has a register of that size: MOV ES, EAX rather than MOV ES, AX. */
  private hasUsualWidth(form: number, word: number): boolean {
    const { words } = this.table.set;
    if (((word >> OpcodeField.modrmKind) & 3) !== ModrmKind.register) return false;
    return (
      (this.bytes[this.opcode!.end] ?? 0) >= 0xc0 &&
      ((words[form]! | words[form + 1]!) & (OperandBit.r8 << this.operandSize)) !== 0
    );
  }

  /** The mandatory prefix as VEX.pp numbers it: the later of F2 and F3, else 66. */
  get mandatory(): number {
    const { f2, f3, data } = this.prefixes;
    if (f2 >= 0 || f3 >= 0) return f3 > f2 ? 2 : 3;
    return data >= 0 ? 1 : NO_PREFIX;
  }

  private scoreVex(form: number, word: number, flags: number, opcode: Opcode): number {
    const traits = this.table.traits[form / FormWord.stride]!;
    if (((word >> OpcodeField.prefix) & 3) !== opcode.pp) return -1;
    if ((traits & Trait.anyW) === 0 && ((word >> OpcodeField.rexW) & 1) !== opcode.w) return -1;
    const length = (word >> OpcodeField.operandSize) & 3;
    const isAnyLength = (traits & Trait.anyLength) !== 0;
    const isRegister = (this.bytes[opcode.end] ?? 0) >= 0xc0;
    const isRounded = opcode.b && isRegister;
    // Between registers L'L is the rounding mode.
    const expected = isRounded ? LENGTH_512 : opcode.length;
    if (!isAnyLength && length !== expected) return -1;
    if (isRounded && (flags & (FormFlag.rounding | FormFlag.suppressExceptions)) === 0) return -1;
    if (!isRounded && opcode.length > LENGTH_512) return -1;
    if (opcode.b && !isRegister && ((flags >> FormFlag.broadcastShift) & 3) === 0) return -1;
    if (opcode.mask !== 0 ? (flags & FormFlag.mask) === 0 : (flags & FormFlag.maskRequired) !== 0) return -1;
    if (opcode.zeroing && (flags & FormFlag.zeroing) === 0) return -1;
    if (!this.usesVvvv(form) && opcode.vvvv !== (this.isVsib(form) ? opcode.indexHigh : 0)) return -1;
    // VMOVMSKPS takes W for the width of its register.
    return (traits & Trait.anyW) !== 0 && opcode.w !== 0 && this.table.set.words[form] === OperandBit.r64
      ? 1
      : 0;
  }

  private usesVvvv(form: number): boolean {
    for (let slots = this.table.set.words[form + FormWord.slots]!; slots !== 0; slots >>>= SLOT_BITS) {
      if ((slots & SLOT_MASK) === Slot.vvvv) return true;
    }
    return false;
  }

  private isVsib(form: number): boolean {
    const { words } = this.table.set;
    return ((words[form]! | words[form + 1]!) & ANY_VSIB) !== 0 && words[form] !== OperandBit.absent;
  }

  /** Whether a form would exchange EAX with itself: that opcode does nothing in 64-bit mode, not even clear bits. */
  private isNop(form: number, word: number): boolean {
    const isXchg = (word & 255) === 0x90 && ((word >> OpcodeField.map) & 15) === OpcodeMap.one;
    if (!isXchg || this.table.set.words[form] === OperandBit.absent) return false;
    // XCHG RAX, RAX, without a register in the opcode, is another name of NOP.
    if (((word >> OpcodeField.plusRegister) & 1) === 0) return true;
    if (this.opcode!.byte !== 0x90) return false;
    return this.prefixes.data < 0 && this.opcode!.base === 0;
  }

  /** `Width` */
  get operandSize(): number {
    if (this.opcode?.kind === EncodingKind.legacy && this.opcode.w !== 0) return Width[64];
    return this.prefixes.data >= 0 !== (this.bits === 16) ? Width[16] : Width[32];
  }

  get addressBits(): number {
    if (this.bits === 64) return this.prefixes.address >= 0 ? 32 : 64;
    return this.prefixes.address >= 0 !== (this.bits === 16) ? 16 : 32;
  }

  get segment(): Register<"sreg"> | null {
    return this.isNotrack ? null : this.prefixes.segment;
  }

  private fitsSizes(word: number, mandatory: number): boolean {
    const size = (word >> OpcodeField.operandSize) & 3;
    const rexW = ((word >> OpcodeField.rexW) & 1) !== 0;
    if (rexW && this.opcode!.w === 0) return false;
    // Where there is no form of 64 bits, REX.W says nothing: IN, OUT.
    const isSize = size === this.operandSize || (size === Width[32] && this.opcode!.w !== 0);
    if (size !== Width.any && !isSize && mandatory !== 1) return false;
    const addressSize = (word >> OpcodeField.addressSize) & 3;
    return addressSize === Width.any || 8 << addressSize === this.addressBits;
  }

  private fitsModrm(form: number, word: number, flags: number, { end }: Opcode): boolean {
    const kind = (word >> OpcodeField.modrmKind) & 3;
    const modrm = this.bytes[end];
    const value = (word >> OpcodeField.modrm) & 255;
    if (kind === ModrmKind.none) return true;
    if (modrm === undefined) return false;
    if (kind === ModrmKind.fixed) {
      const isPlus = ((word >> OpcodeField.plusRegister) & 1) !== 0;
      return isPlus ? (modrm & 0xf8) === value : modrm === value;
    }
    if (kind === ModrmKind.digit && ((modrm >> 3) & 7) !== (value & 7)) return false;
    const isAnyMod = (this.table.traits[form / FormWord.stride]! & Trait.anyMod) !== 0;
    if (!isAnyMod && !this.fitsRm(form, modrm, flags)) return false;
    const is3dNow = ((word >> OpcodeField.map) & 15) === OpcodeMap["3DNow"];
    return (!is3dNow && (flags & FormFlag.suffix) === 0) || this.suffix() === (is3dNow ? word & 255 : value);
  }

  /** Whether ModRM.rm is a register or memory as the form's operand is. */
  private fitsRm(form: number, modrm: number, flags: number): boolean {
    const { words } = this.table.set;
    const isRegister = modrm >= 0xc0;
    for (let i = 0, slots = words[form + FormWord.slots]!; slots !== 0; i++, slots >>>= SLOT_BITS) {
      const slot = slots & SLOT_MASK;
      if (slot === Slot.both) return isRegister && ((modrm >> 3) & 7) === (modrm & 7);
      if (slot !== Slot.rm) continue;
      const accepts = words[form + i]!;
      if (isRegister) return (accepts & ANY_REGISTER) !== 0;
      return (accepts & (ANY_MEMORY | ANY_VSIB)) !== 0 && ((flags & FormFlag.sib) === 0 || (modrm & 7) === 4);
    }
    // A register in the middle field alone.
    return isRegister && (modrm & 7) === 0;
  }

  /** The byte behind ModR/M and displacement. */
  private suffix(): number | undefined {
    const { end } = this.opcode!;
    if (this.bytes[end]! >= 0xc0) return this.bytes[end + 1];
    const address = this.readAddress();
    return address === undefined ? undefined : this.bytes[address.end];
  }

  readAddress(): DecodedAddress | undefined {
    this.addressRead ??= readAddress(this.bytes, this.opcode!.end, this.opcode!, this.addressBits, this.bits);
    return this.addressRead;
  }

  private build(form: number, opcode: Opcode): DecodedInstruction | undefined {
    const { words, mnemonics } = this.table.set;
    const word = words[form + FormWord.opcode]!;
    const kind = (word >> OpcodeField.modrmKind) & 3;
    this.isNotrack = (words[form + FormWord.flags]! & FormFlag.notrack) !== 0 && this.prefixes.segment === ds;
    const modrm = this.bytes[opcode.end] ?? 0;
    let tail = opcode.end;
    if (kind === ModrmKind.fixed) tail++;
    else if (kind !== ModrmKind.none) {
      const isMemory = modrm < 0xc0 && (this.table.traits[form / FormWord.stride]! & Trait.anyMod) === 0;
      const address = isMemory ? this.readAddress() : undefined;
      if (isMemory && address === undefined) return undefined;
      tail = address?.end ?? tail + 1;
    }
    const isSuffixed =
      (words[form + FormWord.flags]! & FormFlag.suffix) !== 0 ||
      ((word >> OpcodeField.map) & 15) === OpcodeMap["3DNow"];
    const reader = new TailReader(this.bytes, isSuffixed ? tail + 1 : tail);
    const operands = this.operands(
      form,
      modrm,
      kind === ModrmKind.fixed ? modrm & 7 : opcode.byte & 7,
      reader,
    );
    const length = reader.at - this.start;
    if (operands === undefined || reader.isShort || length > MAX_LENGTH) return undefined;
    const id = this.mnemonicOf(form);
    return {
      mnemonic: mnemonics[id]!,
      operands: operands.map((operand) => this.resolve(operand, length)),
      length,
      address: this.address,
      bits: this.bits,
      prefixes: leftOver(this, form, operands),
      hint: hintOf(this.table.set, id, form, MODES[this.bits], opcode, operands),
    };
  }

  private operands(form: number, modrm: number, low: number, tail: TailReader): DecodedOperand[] | undefined {
    const { words } = this.table.set;
    const operands: DecodedOperand[] = [];
    const slots = words[form + FormWord.slots]!;
    const checks = words[form + FormWord.checks]!;
    const flags = words[form + FormWord.flags]!;
    const count = (flags >> FormFlag.countShift) & 7;
    /** Lower half of the byte whose upper half is a register. */
    let nibble = 0;
    for (let i = 0; i < count && words[form + i] !== OperandBit.absent; i++) {
      const accepts = words[form + i]!;
      const slot = (slots >>> (i * SLOT_BITS)) & SLOT_MASK;
      const check = (checks >>> (i * CHECK_BITS)) & CHECK_MASK;
      let operand: DecodedOperand | undefined;
      if (slot === Slot.is4) {
        const byte = tail.byte();
        nibble = byte & 15;
        operand = this.register(accepts, (byte >> 4) & (this.bits === 64 ? 15 : 7));
      } else if (check === OperandCheck.imm4) {
        operand = { kind: "immediate", value: nibble, bits: 8, isFixed: false };
      } else operand = this.operand(form, i, modrm, low, tail);
      if (operand === undefined) return undefined;
      operands.push(i === 0 ? this.masked(operand) : operand);
    }
    return this.rounded(operands, modrm, flags);
  }

  private operand(
    form: number,
    i: number,
    modrm: number,
    low: number,
    tail: TailReader,
  ): DecodedOperand | undefined {
    const { words } = this.table.set;
    const accepts = words[form + i]!;
    const slot = (words[form + FormWord.slots]! >>> (i * SLOT_BITS)) & SLOT_MASK;
    const check = (words[form + FormWord.checks]! >>> (i * CHECK_BITS)) & CHECK_MASK;
    const fixed = (words[form + FormWord.fixed]! >>> (i * FIXED_BITS)) & FIXED_MASK;
    const flags = words[form + FormWord.flags]!;
    const { reg, rm, base, vvvv } = this.opcode!;
    switch (slot) {
      case Slot.reg:
      case Slot.both: {
        const isLocked = (flags & FormFlag.kindMask) >> FormFlag.kindShift === EncodingKind.lockedControl;
        const high = isLocked && (accepts & OperandBit.cr) !== 0 ? 8 : reg;
        return this.register(accepts, ((modrm >> 3) & 7) | high);
      }
      case Slot.opcode:
        return this.register(accepts, low | base);
      case Slot.vvvv:
        return this.register(accepts, vvvv);
      case Slot.rm:
        if (modrm >= 0xc0 || (accepts & (ANY_MEMORY | ANY_VSIB)) === 0)
          return this.register(accepts, (modrm & 7) | rm);
        return this.memory(form, accepts, modrm, flags);
      case Slot.implicit:
        if (check === OperandCheck.one) return { kind: "immediate", value: 1, bits: 8, isFixed: true };
        if (check === OperandCheck.three) return { kind: "immediate", value: 3, bits: 8, isFixed: true };
        return this.register(accepts, fixed, true);
      case Slot.implicitMemory:
      case Slot.esMemory:
        return stringMemory(accepts, fixed, slot === Slot.esMemory, this);
      case Slot.moffs:
        return tail.moffs(accepts, this);
      case Slot.ptr16:
      case Slot.ptr32:
        return tail.pointer(slot === Slot.ptr16 ? 2 : 4);
      case Slot.cw:
      case Slot.cd:
        // Relative offsets are as wide as the operand size; the table has the width of each mode.
        return tail.field(this.operandSize === Width[16] ? Slot.cw : Slot.cd, check);
      default:
        return tail.field(slot, check);
    }
  }

  private memory(form: number, accepts: number, modrm: number, flags: number): DecodedOperand | undefined {
    const { b, w, kind, indexHigh } = this.opcode!;
    const element = b ? 8 << ((flags >> FormFlag.broadcastShift) & 3) : 0;
    const isVector = (accepts & ANY_VSIB) !== 0;
    if (isVector && this.addressBits === 16) return undefined;
    const isEvex = kind === EncodingKind.evex;
    const unit = b ? element >> 3 : 1 << ((flags >> FormFlag.unitShift) & 7);
    return memoryAt(this.readAddress()!, this, {
      accepts,
      width: isVector ? (w !== 0 ? 64 : 32) : element,
      unit: isEvex ? unit : 1,
      indexHigh: isVector ? indexHigh : 0,
      isFar: this.isFar(modrm),
      decorations: b ? { broadcast: true, elements: widthOf(accepts & ANY_MEMORY) / element } : null,
      countsElements: b && this.differsInMemory(form, false),
      needsWidth: this.differsInMemory(form, true),
    });
  }

  /**
   * Whether another form of the mnemonic takes the same registers, so that the width of the memory or the number of its
   * elements tells them apart; `inMode`: in this mode, with the operands in whatever place of the encoding.
   */
  private differsInMemory(form: number, inMode: boolean): boolean {
    const { first, words } = this.table.set;
    const id = this.mnemonicOf(form);
    for (
      let other = first[id]! * FormWord.stride;
      other < first[id + 1]! * FormWord.stride;
      other += FormWord.stride
    ) {
      if (!inMode && words[other + FormWord.slots] !== words[form + FormWord.slots]) continue;
      if (inMode && (words[other + FormWord.flags]! & MODES[this.bits]) === 0) continue;
      const differing = [0, 1, 2, 3, 4].filter((i) => !sharesKind(words[form + i]!, words[other + i]!));
      if (differing.length === 1 && (words[form + differing[0]!]! & ANY_MEMORY) !== 0) return true;
    }
    return false;
  }

  /** Whether FF /3 or FF /5: CALL and JMP through a far pointer. */
  private isFar(modrm: number): boolean {
    const { kind, map, byte } = this.opcode!;
    const digit = (modrm >> 3) & 7;
    return (
      kind === EncodingKind.legacy && map === OpcodeMap.one && byte === 0xff && (digit === 3 || digit === 5)
    );
  }

  private register(accepts: number, number: number, isFixed = false): DecodedOperand | undefined {
    const register = this.files.find(accepts, number, this.prefixes.rex !== 0, this.bits);
    return register === undefined ? undefined : { kind: "register", register, isFixed, decorations: null };
  }

  /** The first operand with the mask of EVEX. */
  private masked(operand: DecodedOperand): DecodedOperand {
    const { mask, zeroing } = this.opcode!;
    if (mask === 0 || (operand.kind !== "register" && operand.kind !== "memory")) return operand;
    if (zeroing && operand.kind === "memory") return operand;
    const register = this.files.find(OperandBit.k, mask, false, this.bits) as Register<"k">;
    return { ...operand, decorations: { ...operand.decorations, mask: register, zeroing } };
  }

  /** Operands with EVEX's rounding mode on the last register. */
  private rounded(operands: DecodedOperand[], modrm: number, flags: number): DecodedOperand[] {
    const { b, length } = this.opcode!;
    if (!b || modrm < 0xc0) return operands;
    const rounding = (flags & FormFlag.rounding) !== 0 ? length : SUPPRESS_EXCEPTIONS;
    const at = operands.findLastIndex(({ kind }) => kind === "register");
    const operand = operands[at];
    if (operand?.kind !== "register") return operands;
    const decorations: Decorations = { ...operand.decorations, rounding };
    return operands.with(at, { ...operand, decorations });
  }

  /** Relative offsets become addresses, in the width of the instruction pointer. */
  private resolve(operand: DecodedOperand, length: number): DecodedOperand {
    if (operand.kind !== "target") return operand;
    const next = this.address + BigInt(length);
    const width = this.operandSize === Width[16] ? 16 : this.bits === 64 ? 64 : 32;
    return { kind: "target", address: BigInt.asUintN(width, next + operand.address) };
  }

  /** The mnemonic whose forms the form is among. */
  private mnemonicOf(form: number): number {
    const { first } = this.table.set;
    const number = form / FormWord.stride;
    let [low, high] = [0, first.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (first[middle]! <= number) low = middle;
      else high = middle;
    }
    return low;
  }
}
