/** Operands: memory and far pointers. Registers, numbers (immediates), symbols and strings (labels) are the others. */
import type { Decorated } from "./decorations.js";
import { asmError } from "./errors.js";
import { Expression, SymbolReference } from "./expressions.js";
import { add, type Integer } from "./integers.js";
import { ANY_MEMORY, ANY_VECTOR, OperandBit } from "./operand-bits.js";
import { cs, ds, es, fs, gs, Register, type RegisterFile, ss } from "./registers.js";

export type AddressRegister = Register<"r16"> | Register<"r32"> | Register<"r64">;
export type IndexRegister = AddressRegister | Register<"xmm"> | Register<"ymm"> | Register<"zmm">;
export type SegmentRegister = Register<"sreg">;
/** What is added to registers in an address; a string is a symbol's name. */
export type Displacement = Integer | SymbolReference | Expression;

/** How an address is formed. */
export const AddressKind = {
  /** Base, index and displacement, or a displacement alone. */
  registers: 0,
  /** RIP plus a displacement, which leads to the symbol if there is one. */
  ripRelative: 1,
  /** RIP-relative as well, but the displacement is the absolute address to reach. */
  ripTarget: 2,
} as const;

/** A memory operand. Immutable. `Bits` is its width in bits; 0 where the instruction decides. */
export class Memory<Bits extends number = number> {
  readonly kind = "memory";
  /** Width in bits, 0 if none was given. */
  readonly width: Bits;
  /** `OperandBit`s of its width. */
  readonly bits: number;
  readonly base: AddressRegister | null;
  readonly index: IndexRegister | null;
  readonly scale: number;
  /** Constant part of the displacement. */
  readonly displacement: Integer;
  /** What else the displacement adds, if anything. */
  readonly symbol: SymbolReference | Expression | null;
  readonly segment: SegmentRegister | null;
  /** `AddressKind` */
  readonly address: number;
  /** Address size where no register gives it; 0 for that of the mode. */
  readonly addressBits: number;

  constructor(
    width: Bits,
    bits: number,
    base: AddressRegister | null,
    index: IndexRegister | null,
    scale: number,
    displacement: Integer,
    symbol: SymbolReference | Expression | null,
    segment: SegmentRegister | null,
    address: number,
    addressBits: number,
  ) {
    this.width = width;
    this.bits = index === null ? bits : vsibBits(index) || bits;
    this.base = base;
    this.index = index;
    this.scale = scale;
    this.displacement = displacement;
    this.symbol = symbol;
    this.segment = segment;
    this.address = address;
    this.addressBits = addressBits;
  }

  /** The same operand in another segment. */
  seg(segment: SegmentRegister | SegmentName): Memory<Bits> {
    return new Memory(
      this.width,
      this.bits,
      this.base,
      this.index,
      this.scale,
      this.displacement,
      this.symbol,
      toSegment(segment),
      this.address,
      this.addressBits,
    );
  }
}

/** `OperandBit` of memory with an index vector; 0 for another index. */
function vsibBits(index: IndexRegister): number {
  return (index.bits & ANY_VECTOR) << VSIB_SHIFT;
}

/** From `OperandBit.xmm` to `OperandBit.vmx`. */
const VSIB_SHIFT = 18;

export type SegmentName = "es" | "cs" | "ss" | "ds" | "fs" | "gs";

const SEGMENTS: Readonly<Record<SegmentName, SegmentRegister>> = { es, cs, ss, ds, fs, gs };

function toSegment(segment: SegmentRegister | SegmentName): SegmentRegister {
  const register = typeof segment === "string" ? SEGMENTS[segment] : segment;
  if (register instanceof Register && register.bits === OperandBit.sreg) return register;
  throw asmError("ERR_ASM_ARGUMENT", `a segment is one of es, cs, ss, ds, fs, gs; found ${String(segment)}`);
}

/** `selector:offset` written out, the operand of a far jump or call. */
export class FarPointer {
  readonly kind = "far";
  readonly bits: number = OperandBit.far;
  readonly selector: Displacement;
  readonly offset: Displacement;
  /** Bits of the offset; 0 where the mode decides. */
  readonly width: number;

  constructor(selector: Displacement, offset: Displacement, width = 0) {
    this.selector = selector;
    this.offset = offset;
    this.width = width;
  }
}

/** A far pointer: `a.jmp(far(0x08, "entry"))`. */
export function far(selector: Displacement, offset: Displacement | string): FarPointer {
  return new FarPointer(selector, typeof offset === "string" ? new SymbolReference(offset) : offset);
}

/**
 * Makes a memory operand: base and index registers, scale and displacement as in `[base + index*scale + disp]`;
 * what is 0 or absent may be left out.
 */
export interface MemoryFactory<Bits extends number> {
  (base: AddressRegister, displacement?: Displacement): Memory<Bits>;
  (base: AddressRegister, index: IndexRegister, scale?: number, displacement?: Displacement): Memory<Bits>;
  (
    displacement: Displacement | string,
    index?: IndexRegister,
    scale?: number,
    addend?: Displacement,
  ): Memory<Bits>;
  /** RIP-relative: the address of a symbol plus `addend`; for a number, RIP plus that number. */
  rip(target: string | Displacement, addend?: Integer): Memory<Bits>;
}

type Part = AddressRegister | IndexRegister | Displacement | string | undefined;

function factory<Bits extends number>(
  width: Bits,
  bits: number,
  segment: SegmentRegister | null,
): MemoryFactory<Bits> {
  const make = (first: Part, second?: Part, scale?: number, last?: Part): Memory<Bits> => {
    let base: AddressRegister | null = null;
    let index: IndexRegister | null = null;
    let offset: Integer = 0;
    let symbol: SymbolReference | Expression | null = null;
    if (first instanceof Register) base = first as AddressRegister;
    else if (typeof first === "number") offset = first;
    else symbol = symbolOf(first);
    if (symbol === null && base === null) offset = checkOffset(first);
    if (second instanceof Register) index = second as IndexRegister;
    else if (second !== undefined) {
      const other = symbolOf(second);
      if (other === null) offset = add(offset, checkOffset(second));
      else symbol = onlySymbol(symbol, other);
    }
    if (last !== undefined) {
      const other = symbolOf(last);
      if (other === null) offset = add(offset, checkOffset(last));
      else symbol = onlySymbol(symbol, other);
    }
    return new Memory(
      width,
      bits,
      base,
      index,
      scale ?? 1,
      offset,
      symbol,
      segment,
      AddressKind.registers,
      0,
    );
  };
  const rip = (target: string | Displacement, addend: Integer = 0) => {
    const symbol = symbolOf(target);
    const offset = symbol === null ? add(checkOffset(target), addend) : addend;
    return new Memory(width, bits, null, null, 1, offset, symbol, segment, AddressKind.ripRelative, 0);
  };
  return Object.assign(make, { rip });
}

function symbolOf(part: Part): SymbolReference | Expression | null {
  if (typeof part === "string") return new SymbolReference(part);
  return part instanceof SymbolReference || part instanceof Expression ? part : null;
}

function onlySymbol(
  first: SymbolReference | Expression | null,
  second: SymbolReference | Expression,
): SymbolReference | Expression {
  if (first === null) return second;
  throw asmError("ERR_ASM_ADDRESS", `a memory operand takes one symbol; found ${first} and ${second}`);
}

function checkOffset(value: unknown): Integer {
  if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) return value;
  throw asmError(
    "ERR_ASM_ARGUMENT",
    `a part of an address is a register, an integer, a bigint or a symbol; found ${String(value)}`,
  );
}

/** Factories by width, all in one segment. */
export interface SizedMemory {
  readonly byte: MemoryFactory<8>;
  readonly word: MemoryFactory<16>;
  readonly dword: MemoryFactory<32>;
  /** 6 bytes: a 16:32 far pointer. */
  readonly fword: MemoryFactory<48>;
  readonly qword: MemoryFactory<64>;
  /** 10 bytes: an x87 extended real, a 16:64 far pointer. */
  readonly tbyte: MemoryFactory<80>;
  readonly xmmword: MemoryFactory<128>;
  readonly ymmword: MemoryFactory<256>;
  readonly zmmword: MemoryFactory<512>;
}

export type UnsizedMemory = MemoryFactory<0> & SizedMemory;

function factories(segment: SegmentRegister | null): UnsizedMemory {
  return Object.assign(factory(0 as const, ANY_MEMORY, segment), {
    byte: factory(8, OperandBit.m8, segment),
    word: factory(16, OperandBit.m16, segment),
    dword: factory(32, OperandBit.m32, segment),
    fword: factory(48, OperandBit.m48, segment),
    qword: factory(64, OperandBit.m64, segment),
    tbyte: factory(80, OperandBit.m80, segment),
    xmmword: factory(128, OperandBit.m128, segment),
    ymmword: factory(256, OperandBit.m256, segment),
    zmmword: factory(512, OperandBit.m512, segment),
  });
}

const inSegment = new Map<SegmentRegister, UnsizedMemory>();

/**
 * Memory operands: `mem.qword(rbx, rcx, 4, -8)` is `qword ptr [rbx + rcx*4 - 8]`; `mem(rax)` has no width;
 * `mem.rip("x")` is RIP-relative; `mem.seg("gs").qword(0x10)` has a segment override.
 */
export const mem: UnsizedMemory & { seg(segment: SegmentRegister | SegmentName): UnsizedMemory } =
  Object.assign(factories(null), {
    seg(segment: SegmentRegister | SegmentName): UnsizedMemory {
      const register = toSegment(segment);
      let made = inSegment.get(register);
      if (made === undefined) inSegment.set(register, (made = factories(register)));
      return made;
    },
  });

/** Anything that an instruction takes. */
export type Operand = Register<RegisterFile> | Memory | Decorated | FarPointer | Displacement | string;
