/** The builder: instructions as methods, sections, labels and data. */
import type { Bits } from "./encoder.js";
import { asmError, throwIfAny } from "./errors.js";
import { SymbolReference } from "./expressions.js";
import type { Instructions } from "./generated/instructions.js";
import { coreInstructions, type InstructionSet } from "./instruction-set.js";
import { type Integer, narrow } from "./integers.js";
import type { AsmObject } from "./object.js";
import type { Operand } from "./operands.js";
import { Prefix } from "./prefixes.js";
import { checkAlignment, Program, type SectionOptions, utf8 } from "./program.js";
import type { DialectName } from "./text/dialect.js";
import { TextAssembler, type TextOptions } from "./text/text-assembler.js";

export interface AssemblerOptions {
  /** Mode to start in; 64 if not given. */
  readonly bits?: Bits;
}

/** A datum of `db` to `dq`: a number, a symbol's address, or a string (its UTF-8 bytes, zero-padded to the width). */
export type Datum = Integer | string | SymbolReference | Uint8Array;

/** Methods for mnemonics are added when the first assembler is made: who only assembles text need not wait for them. */
let hasInstructions = false;

/** Everything of `Assembler` that is no instruction. */
export class AssemblerCore {
  private readonly program: Program;
  private prefixes = 0;
  /** Reads the text that is mixed in; the last one made, and all by dialect. */
  private reader: TextAssembler | undefined;
  private readonly readers = new Map<DialectName, TextAssembler>();

  constructor(options: AssemblerOptions = {}, set: InstructionSet = coreInstructions) {
    if (!hasInstructions) {
      addInstructions(AssemblerCore.prototype, coreInstructions.load().mnemonics);
      hasInstructions = true;
    }
    this.program = new Program(set, checkBits(options.bits ?? 64));
  }

  /** Appends the instruction of that number. The generated methods call it. */
  protected emit(mnemonic: number, a?: Operand, b?: Operand, c?: Operand, d?: Operand, e?: Operand): this {
    const { prefixes } = this;
    this.prefixes = 0;
    this.program.encoder.instruction(mnemonic, prefixes, a, b, c, d, e);
    return this;
  }

  /** Appends an instruction by its name. Throws `ERR_ASM_OPERANDS` as the methods do. */
  instruction(mnemonic: string, ...operands: Operand[]): this {
    const id = this.program.encoder.set.ids.get(mnemonic);
    if (id === undefined) throw asmError("ERR_ASM_OPERANDS", `there is no instruction ${mnemonic}`);
    return this.emit(id, ...(operands as [Operand]));
  }

  /** The next instruction is locked: `a.lock.xadd(mem.dword(rdi), eax)`. */
  get lock(): this {
    return this.prefix(Prefix.lock);
  }

  /** The next string instruction is repeated: `a.rep.movsb()`. */
  get rep(): this {
    return this.prefix(Prefix.rep);
  }

  get repe(): this {
    return this.prefix(Prefix.rep);
  }

  get repz(): this {
    return this.prefix(Prefix.rep);
  }

  get repne(): this {
    return this.prefix(Prefix.repne);
  }

  get repnz(): this {
    return this.prefix(Prefix.repne);
  }

  /** The next branch is two bytes long; an error if its target is too far away. */
  get short(): this {
    return this.prefix(Prefix.short);
  }

  /** The next branch has the long form, even where the short one reaches. */
  get near(): this {
    return this.prefix(Prefix.near);
  }

  private prefix(prefix: number): this {
    this.prefixes |= prefix;
    return this;
  }

  /** Instructions from here on are for that mode. */
  bits(bits: Bits): this {
    this.program.encoder.setBits(checkBits(bits));
    return this;
  }

  /**
   * Makes a section, or returns to it. What is not given follows from the name: `.text` is executable, `.rodata`
   * read-only, `.bss` has no bytes, everything else is data.
   */
  section(name: string, options: SectionOptions = {}): this {
    this.program.switchSection(name, options);
    return this;
  }

  /** Defines a label here. Throws `ERR_ASM_SYMBOL` if the name is taken. */
  label(name: string): this {
    this.program.label(name);
    return this;
  }

  /** Marks symbols as visible to other objects; they need not be defined yet. */
  global(...names: string[]): this {
    for (const name of names) this.program.symbols.entry(name).binding = "global";
    return this;
  }

  /** Defines a symbol that is a number. */
  equ(name: string, value: Integer): this {
    this.program.assign(name, checkInteger(value, "the value of a symbol"), false);
    return this;
  }

  db(...data: Datum[]): this {
    return this.data(1, data);
  }

  dw(...data: Datum[]): this {
    return this.data(2, data);
  }

  dd(...data: Datum[]): this {
    return this.data(4, data);
  }

  dq(...data: Datum[]): this {
    return this.data(8, data);
  }

  private data(size: number, data: readonly Datum[]): this {
    for (const datum of data) {
      if (typeof datum === "string") this.program.raw(utf8(datum), size);
      else if (datum instanceof Uint8Array) this.program.raw(datum, size);
      else if (datum instanceof SymbolReference) this.program.datum(datum, size);
      else this.program.datum(checkInteger(datum, "a datum"), size);
    }
    return this;
  }

  /** `count` bytes of zeros, or of `value`. */
  zero(count: number, value = 0): this {
    if (!Number.isInteger(count) || count < 0) throw argument("a count of bytes is an integer from 0", count);
    this.program.zeros(count, value);
    return this;
  }

  /** Pads to a multiple of `align` bytes, a power of two: with NOPs in executable sections, else with zeros. */
  align(align: number): this {
    const { section } = this.program;
    this.program.align(checkAlignment(align), section.flags.execute ? null : Uint8Array.of(0));
    return this;
  }

  /**
   * Assembles source text here: it sees the labels of the builder, and the builder sees its labels. Macros and
   * options hold for later texts of the same dialect. Throws `AsmError` with every complaint about the text.
   */
  text(source: string, options: TextOptions & { readonly file?: string } = {}): this {
    const dialect = options.dialect ?? "gas";
    let reader = this.readers.get(dialect);
    if (reader === undefined) {
      reader = new TextAssembler(this.program, options, this.reader);
      this.readers.set(dialect, reader);
    }
    this.reader = reader;
    reader.assemble(source, options.file ?? "<text>");
    const { errors } = reader;
    reader.complaints = [];
    throwIfAny(errors);
    return this;
  }

  /** The object so far, without sections that have no contents. Throws `AsmError`. */
  assemble(): AsmObject {
    return this.program.finish((line) => this.reader?.statements.positionOf(line) ?? {}).object;
  }
}

function argument(allowed: string, found: unknown) {
  return asmError("ERR_ASM_ARGUMENT", `${allowed}; found ${String(found)}`);
}

function checkBits(bits: unknown): Bits {
  if (bits === 16 || bits === 32 || bits === 64) return bits;
  throw argument("a mode is 16, 32 or 64", bits);
}

function checkInteger(value: unknown, what: string): Integer {
  if (typeof value === "bigint") return narrow(value);
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw argument(`${what} is a safe integer or a bigint`, value);
}

type Emit = (this: { emit(id: number, ...operands: unknown[]): unknown }, ...operands: unknown[]) => unknown;

/**
 * Gives a class one method for each mnemonic from number `from` on, beneath its own methods; their types are
 * generated from the same table. The methods are put into an object that is no prototype yet: engines copy the
 * layout of a prototype for each property that it gains, which for a thousand of them costs 20 ms.
 */
export function addInstructions(prototype: object, mnemonics: readonly string[], from = 0): void {
  const methods: Record<string, Emit> = Object.create(null);
  for (let id = from; id < mnemonics.length; id++) {
    methods[mnemonics[id]!] = function (a, b, c, d, e) {
      return this.emit(id, a, b, c, d, e);
    };
  }
  Object.setPrototypeOf(methods, Object.getPrototypeOf(prototype));
  Object.setPrototypeOf(prototype, methods);
}

/**
 * Assembles by method calls. Each mnemonic is a method with its operands in Intel order; a method throws
 * `AsmError` at once where the operands do not fit, and everything returns the assembler.
 */
export type Assembler = AssemblerCore & Instructions;
export const Assembler = AssemblerCore as unknown as new (options?: AssemblerOptions) => Assembler;
