/** Reads operands: registers, memory, immediates, far pointers. */
import { asmError } from "../errors.js";
import type { Expression, SymbolReference, Value } from "../expressions.js";
import { add, type Integer, negate } from "../integers.js";
import type { MaybeOperand } from "../matching.js";
import { OperandBit } from "../operand-bits.js";
import { AddressKind, type AddressRegister, FarPointer, type IndexRegister, Memory } from "../operands.js";
import { Prefix } from "../prefixes.js";
import { isNoIndex } from "../pseudo-registers.js";
import type { Register } from "../registers.js";
import { ExpressionReader } from "./expression-reader.js";
import { MEANING_SHIFT, MEANING_VALUE, Meaning } from "./names.js";
import { EIP_VALUE, REGISTERS, RIP_VALUE, registersOf, registerValue, WIDTHS, Word } from "./vocabulary.js";

const CODE = {
  open: 40,
  close: 41,
  star: 42,
  plus: 43,
  comma: 44,
  minus: 45,
  colon: 58,
  openBracket: 91,
  closeBracket: 93,
  openBrace: 123,
} as const;

const MAX_OPERANDS = 5;
/** The registers of the x87 stand in the order of their numbers. */
const FIRST_STACK_REGISTER = registerValue("st(0)");
/** Width of a far pointer by the bits of its offset. */
const FAR_WIDTHS: Readonly<Record<number, number>> = { 0: 0, 16: 3, 32: 4, 64: 6 };

export class OperandReader extends ExpressionReader {
  /** The operands of the instruction being read, and where each starts and ends. */
  readonly operands: MaybeOperand[] = [undefined, undefined, undefined, undefined, undefined];
  readonly starts = new Int32Array(MAX_OPERANDS);
  readonly ends = new Int32Array(MAX_OPERANDS);
  count = 0;
  /** `Prefix` bits that operands imply: SHORT, NEAR, displacement widths. */
  hints = 0;
  /** Width before an operand that is no memory; 0 if none. */
  immediateBits = 0;
  /** An operand was marked FAR. */
  isFar = false;
  /** NASM: addresses without registers are RIP-relative (`default rel`). */
  defaultRelative = false;

  // Parts of the address being read.
  private base: AddressRegister | null = null;
  private index: IndexRegister | null = null;
  private scale = 1;
  private constant: Integer = 0;
  private symbol: SymbolReference | Expression | null = null;
  private segment: Register<"sreg"> | null = null;
  private addressKind: number = AddressKind.registers;
  private addressBits = 0;
  private isAbsolute = false;
  private isSplit = true;
  /** Registers by the value of their meaning; RIP and EIP are none. */
  private readonly registers = registersOf(this.program.encoder.set);

  /** Reads operands up to the end of the statement; `isBranch`: a bare symbol is a target, not memory. */
  readOperands(isBranch: boolean): void {
    const { operands } = this;
    this.hints = 0;
    this.isFar = false;
    this.immediateBits = 0;
    let count = 0;
    if (!this.atEnd()) {
      do {
        if (count === MAX_OPERANDS) {
          throw asmError("ERR_ASM_OPERANDS", `an instruction has at most ${MAX_OPERANDS} operands`);
        }
        this.skipBlanks();
        // A rounding mode may stand by itself, behind the operand that it goes with.
        if (count > 0 && this.peek() === CODE.openBrace) count--;
        else {
          this.starts[count] = this.tokenStart = this.at;
          this.count = count + 1;
          operands[count] = this.readOperand(isBranch);
        }
        if (this.next() === CODE.openBrace)
          operands[count] = this.program.encoder.set.decorate(this, operands[count], false);
        this.ends[count] = this.at;
        count++;
      } while (this.accept(CODE.comma));
    }
    this.count = count;
    for (let i = count; i < MAX_OPERANDS; i++) operands[i] = undefined;
  }

  private readOperand(isBranch: boolean): MaybeOperand {
    const code = this.peek();
    if (code === CODE.openBracket) return this.readMemory(0);
    if (this.startsName(code)) {
      const start = this.at;
      this.readName();
      const meaning = this.names.operand(this.codes, start, this.nameEnd, this.nameHash);
      const value = meaning & MEANING_VALUE;
      switch (meaning >> MEANING_SHIFT) {
        case Meaning.register:
          return this.readRegister(value);
        case Meaning.size:
          return this.readSized(value, isBranch);
        case Meaning.word:
          if (value <= Word.strict && value !== Word.offset) return this.readWord(value, isBranch);
          this.at = start;
          return this.readExpression() as MaybeOperand;
        default:
          this.at = start;
      }
    }
    return this.readValue(isBranch, 0);
  }

  /** A register by its name in lower case. */
  registerNamed(name: string): Register | undefined {
    return this.registers.find((register) => register?.name === name);
  }

  private readRegister(value: number): MaybeOperand {
    const register = this.registers[value];
    if (register === undefined || isNoIndex(register)) {
      throw asmError("ERR_ASM_OPERANDS", "rip, eip, riz and eiz are parts of an address only");
    }
    if (register.bits === OperandBit.sreg && this.accept(CODE.colon)) {
      return this.readInSegment(register as Register<"sreg">, 0);
    }
    if (register.bits === OperandBit.st) return this.readStackRegister(register);
    return register;
  }

  /** `st`, or `st(3)`. */
  private readStackRegister(register: Register): Register {
    if (this.nameEnd - this.nameStart !== 2 || !this.accept(CODE.open)) return register;
    const number = this.readCount("the number of an x87 register", 7);
    this.expect(CODE.close);
    return REGISTERS[FIRST_STACK_REGISTER + number]!;
  }

  /** An operand behind `byte` to `zmmword`, with or without `ptr`. */
  private readSized(width: number, isBranch: boolean): MaybeOperand {
    const start = this.at;
    this.skipBlanks();
    if (this.readName()) {
      const meaning = this.names.operand(this.codes, this.nameStart, this.nameEnd, this.nameHash);
      const value = meaning & MEANING_VALUE;
      switch (meaning >> MEANING_SHIFT) {
        case Meaning.word:
          if (value === Word.ptr) return this.readSized(width, isBranch);
          if (value === Word.far) return this.readFar(width);
          if (value === Word.near || value === Word.short) return this.readWord(value, isBranch);
          break;
        case Meaning.register: {
          const register = this.registers[value];
          if (register?.bits === OperandBit.sreg && this.accept(CODE.colon)) {
            return this.readInSegment(register as Register<"sreg">, width);
          }
          return this.readRegister(value);
        }
        default:
          if (this.nameIs("bcst")) return this.readBroadcast(width, isBranch);
      }
      this.at = start;
    }
    if (this.next() === CODE.openBracket) return this.readMemory(width);
    this.immediateBits = WIDTHS[width]![0];
    // A byte is the shortest anyway.
    if (this.immediateBits === 8) this.hints &= ~Prefix.strict;
    return this.readValue(isBranch, width);
  }

  /** `dword bcst [rax]`: one element of memory, for all. */
  private readBroadcast(width: number, isBranch: boolean): MaybeOperand {
    const memory = this.readSized(width, isBranch);
    if (typeof memory === "object" && memory.kind === "memory") {
      return this.program.encoder.set.decorate(this, memory, true);
    }
    throw asmError("ERR_ASM_SYNTAX", "behind bcst stands a memory operand");
  }

  private readWord(word: number, isBranch: boolean): MaybeOperand {
    if (word === Word.far) return this.readFar(0);
    if (word === Word.short) this.hints |= Prefix.short;
    else if (word === Word.near) this.hints |= Prefix.near;
    else if (word === Word.strict) this.hints |= Prefix.strict;
    else throw asmError("ERR_ASM_SYNTAX", `"${this.name()}" cannot stand here`);
    const start = this.at;
    this.skipBlanks();
    if (this.readName() && this.nameIs("ptr")) this.skipBlanks();
    else {
      this.at = start;
      this.skipBlanks();
    }
    return this.readOperand(isBranch);
  }

  /** What a far jump or call reads from memory: `far [x]`, `far word [x]`, `fword ptr`-sized in GNU as. */
  private readFar(width: number): MaybeOperand {
    this.isFar = true;
    let bits = WIDTHS[width]![0];
    for (let start = this.at; ; start = this.at) {
      this.skipBlanks();
      const meaning = this.readName()
        ? this.names.operand(this.codes, this.nameStart, this.nameEnd, this.nameHash)
        : 0;
      if (meaning >> MEANING_SHIFT === Meaning.size) bits = WIDTHS[meaning & MEANING_VALUE]![0];
      else if (meaning !== ((Meaning.word << MEANING_SHIFT) | Word.ptr)) {
        this.at = start;
        break;
      }
    }
    if (bits === 0 && this.dialect.name === "nasm" && this.program.encoder.bits === 64) bits = 64;
    const pointer = FAR_WIDTHS[bits];
    if (pointer === undefined)
      throw asmError("ERR_ASM_OPERANDS", `no far pointer has an offset of ${bits} bits`);
    const operand = this.readSized(pointer, false);
    if (operand instanceof Memory) return operand;
    throw asmError(
      "ERR_ASM_OPERANDS",
      "far goes with memory",
      "a pointer that is written out is selector:offset",
    );
  }

  /** An operand that begins with an expression: an immediate, a target, `label[rax]`, `8:label`, or memory. */
  private readValue(isBranch: boolean, width: number): MaybeOperand {
    const value = this.readExpression();
    const code = this.next();
    if (code === CODE.openBracket) {
      this.startAddress();
      this.addTerm(value, false);
      return this.readBrackets(width);
    }
    if (code === CODE.colon) {
      this.at++;
      return new FarPointer(value, this.readExpression(), WIDTHS[width]![0]);
    }
    if (this.dialect.name === "nasm" || isBranch || typeof value !== "object") return value;
    // GNU as: a bare symbol is what stands at its address.
    this.startAddress();
    this.addTerm(value, false);
    return this.finishAddress(width);
  }

  private readInSegment(segment: Register<"sreg">, width: number): Memory {
    this.startAddress();
    this.segment = segment;
    if (this.next() !== CODE.openBracket) {
      this.addTerm(this.readExpression(), false);
      if (this.next() !== CODE.openBracket) return this.finishAddress(width);
    }
    return this.readBrackets(width);
  }

  private readMemory(width: number): Memory {
    this.startAddress();
    return this.readBrackets(width);
  }

  private startAddress(): void {
    this.base = null;
    this.index = null;
    this.scale = 1;
    this.constant = 0;
    this.symbol = null;
    this.segment = null;
    this.addressKind = AddressKind.registers;
    this.addressBits = 0;
    this.isAbsolute = false;
    this.isSplit = true;
  }

  /** `[…]`, and what GNU as lets stand behind: `[rax][rbx*4]+8`. */
  private readBrackets(width: number): Memory {
    for (;;) {
      const code = this.next();
      if (code === CODE.openBracket) {
        this.at++;
        this.readBracket();
      } else if (code === CODE.plus || code === CODE.minus) {
        this.at++;
        this.addTerm(this.readExpression(this.dialect.additive + 1), code === CODE.minus);
      } else return this.finishAddress(width);
    }
  }

  /** What stands between brackets: a sum with registers, or any expression without. */
  private readBracket(): void {
    const start = this.at;
    const { constant, symbol } = this;
    this.readSum();
    if (this.next() !== CODE.closeBracket && this.base === null && this.index === null) {
      this.at = start;
      this.constant = constant;
      this.symbol = symbol;
      this.addTerm(this.readExpression(), false);
    }
    this.expect(CODE.closeBracket);
  }

  /** Sums registers and expressions up to the closing bracket. */
  private readSum(): void {
    let isNegative = false;
    for (;;) {
      this.readTerm(isNegative);
      const code = this.next();
      if (code === CODE.plus || code === CODE.minus) {
        this.at++;
        isNegative = code === CODE.minus;
      } else return;
    }
  }

  private readTerm(isNegative: boolean): void {
    const code = this.next();
    const start = (this.tokenStart = this.at);
    if (this.startsName(code)) {
      this.readName();
      const meaning = this.names.operand(this.codes, start, this.nameEnd, this.nameHash);
      if (meaning !== 0 && this.readReservedTerm(meaning, isNegative)) return;
      this.at = start;
    } else if (this.isDigit(code)) {
      const number = this.readPlainNumber();
      if (number !== undefined && !isNegative && this.readScaled(number)) return;
      this.at = start;
    }
    this.addTerm(this.readExpression(this.dialect.additive + 1), isNegative);
  }

  /** A register, or a word such as `rel`, in an address; whether it was one. */
  private readReservedTerm(meaning: number, isNegative: boolean): boolean {
    const value = meaning & MEANING_VALUE;
    const kind = meaning >> MEANING_SHIFT;
    if (kind === Meaning.register) {
      if (isNegative) throw asmError("ERR_ASM_ADDRESS", "a register cannot be subtracted in an address");
      this.addRegister(value);
    } else if (kind === Meaning.size) this.addDisplacementWidth(value);
    else if (value === Word.rel || value === Word.abs || value === Word.nosplit) this.addWord(value);
    else return false;
    return true;
  }

  /** A number if it is a plain one. */
  private readPlainNumber(): Integer | undefined {
    const code = this.codes[this.at + 1]!;
    if (this.isNamePart(code) && !this.isDigit(code) && (code | 32) !== 120) return undefined;
    return this.readNumber();
  }

  /** `4*rcx`, the number being read already. */
  private readScaled(number: Integer): boolean {
    if (!this.accept(CODE.star)) return false;
    this.skipBlanks();
    if (!this.readName()) return false;
    const meaning = this.names.operand(this.codes, this.nameStart, this.nameEnd, this.nameHash);
    if (meaning >> MEANING_SHIFT !== Meaning.register) return false;
    this.addIndex(this.addressRegister(meaning & MEANING_VALUE), Number(number));
    return true;
  }

  private addressRegister(value: number): Register {
    const register = this.registers[value];
    if (register !== undefined && (register.bits & ADDRESS_REGISTERS) !== 0) return register;
    throw asmError("ERR_ASM_ADDRESS", `${register ?? "rip"} cannot be used like that in an address`);
  }

  private addRegister(value: number): void {
    if (value === RIP_VALUE || value === EIP_VALUE) {
      this.addressKind = AddressKind.ripRelative;
      if (value === EIP_VALUE) this.addressBits = 32;
      return;
    }
    const segment = this.registers[value]!;
    if (segment.bits === OperandBit.sreg && this.accept(CODE.colon)) {
      this.segment = segment as Register<"sreg">;
      this.readTerm(false);
      return;
    }
    const register = this.addressRegister(value);
    if (this.accept(CODE.star)) {
      const scale = this.readExpression(this.dialect.additive + 2);
      if (typeof scale === "object")
        throw asmError("ERR_ASM_ADDRESS", `a scale is 1, 2, 4 or 8, not ${scale}`);
      this.addIndex(register, Number(scale));
    } else if (this.base === null && (register.bits & GENERAL_REGISTERS) !== 0 && !isNoIndex(register)) {
      this.base = register as AddressRegister;
    } else this.addIndex(register, 1);
  }

  private addIndex(register: Register, scale: number): void {
    if (this.index !== null) {
      if (this.base !== null || this.scale !== 1) {
        throw asmError("ERR_ASM_ADDRESS", "an address has at most two registers, one of them scaled");
      }
      this.base = this.index as AddressRegister;
    }
    this.index = register as IndexRegister;
    this.scale = scale;
  }

  private addWord(word: number): void {
    if (word === Word.rel) this.addressKind = AddressKind.ripTarget;
    else if (word === Word.abs) this.isAbsolute = true;
    else this.isSplit = false;
    this.readTerm(false);
  }

  /** NASM: `[byte rax+1]` and `[dword 0x1000]` fix the width of the displacement or of the address. */
  private addDisplacementWidth(width: number): void {
    const bits = WIDTHS[width]![0];
    if (bits === 8) this.hints |= Prefix.disp8;
    else this.hints |= Prefix.disp32;
    this.readTerm(false);
    const isAddress = bits === 16 || bits === 64 || (bits === 32 && this.program.encoder.bits !== 64);
    if (this.base === null && this.index === null && isAddress) {
      this.addressBits = bits;
    }
  }

  /** Adds an expression to the displacement. */
  private addTerm(value: Value, isNegative: boolean): void {
    if (typeof value !== "object") {
      if (value === 0) this.hints |= Prefix.zero;
      this.constant = add(this.constant, isNegative ? negate(value) : value);
      return;
    }
    const sum =
      this.symbol === null && !isNegative
        ? value
        : this.combine(isNegative ? "-" : "+", this.symbol ?? 0, value);
    if (typeof sum === "object") this.symbol = sum;
    else {
      this.constant = add(this.constant, sum);
      this.symbol = null;
    }
  }

  private finishAddress(width: number): Memory {
    const [bits, accepts] = WIDTHS[width]!;
    const { base, index, symbol, segment } = this;
    let kind = this.addressKind;
    if (base !== null || index !== null) {
      if (kind === AddressKind.ripRelative)
        throw asmError("ERR_ASM_ADDRESS", "rip takes no other register beside it");
      kind = AddressKind.registers;
      if (this.dialect.name === "nasm" && base === null) this.split();
    } else {
      if (this.isRelativeByDefault(kind)) kind = AddressKind.ripTarget;
      // NASM: an absolute address is not relative to anything, nor is there RIP outside 64-bit mode.
      const isAbsolute = symbol === null || this.program.encoder.bits !== 64;
      if (this.dialect.name === "nasm" && kind === AddressKind.ripTarget && isAbsolute)
        kind = AddressKind.registers;
    }
    return new Memory(
      bits,
      accepts,
      this.base,
      this.index,
      this.scale,
      this.constant,
      symbol,
      segment,
      kind,
      this.addressBits,
    );
  }

  /** NASM makes `[rax*2]` `[rax+rax]` and `[rax*5]` `[rax+rax*4]`: the encoding is shorter. */
  private split(): void {
    const { index, scale } = this;
    if (index === null || (index.bits & GENERAL_REGISTERS) === 0 || !this.isSplit) return;
    if (scale === 1) {
      this.base = index as AddressRegister;
      this.index = null;
    } else if (scale === 2 || scale === 3 || scale === 5 || scale === 9) {
      this.base = index as AddressRegister;
      this.scale = scale - 1;
    }
  }

  private isRelativeByDefault(kind: number): boolean {
    if (!this.defaultRelative || kind !== AddressKind.registers || this.isAbsolute) return false;
    const name = this.segment?.name;
    return this.program.encoder.bits === 64 && name !== "fs" && name !== "gs" && this.addressBits === 0;
  }
}

const GENERAL_REGISTERS = OperandBit.r16 | OperandBit.r32 | OperandBit.r64;
const ADDRESS_REGISTERS = GENERAL_REGISTERS | OperandBit.xmm | OperandBit.ymm | OperandBit.zmm;
