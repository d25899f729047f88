/** Operands of the builder: memory, symbols and far pointers. Numbers are immediates, strings are symbols. */
import { asmError } from "./errors.js";
import { ANY_MEMORY, OperandBit } from "./operand-bits.js";
import { cs, ds, es, fs, gs, Register, type RegisterFile, ss } from "./registers.js";

/** A symbol, plus a constant. */
export class SymbolReference {
  readonly kind = "symbol";
  /** It can stand where an immediate or a branch target stands. */
  readonly bits: number = OperandBit.imm | OperandBit.rel;
  readonly name: string;
  readonly addend: bigint | number;

  constructor(name: string, addend: bigint | number = 0) {
    this.name = name;
    this.addend = addend;
  }

  /** The same symbol, `offset` bytes further. */
  plus(offset: bigint | number): SymbolReference {
    return new SymbolReference(this.name, addOffsets(this.addend, offset));
  }

  minus(offset: bigint | number): SymbolReference {
    return this.plus(-offset);
  }

  toString(): string {
    return this.addend === 0 ? this.name : `${this.name}+${this.addend}`;
  }
}

/** A symbol by name: `sym("cpu0").plus(8)`. */
export function sym(name: string, addend: bigint | number = 0): SymbolReference {
  return new SymbolReference(name, addend);
}

function addOffsets(a: bigint | number, b: bigint | number): bigint | number {
  if (typeof a === "number" && typeof b === "number" && Number.isSafeInteger(a + b)) return a + b;
  return BigInt(a) + BigInt(b);
}

export type AddressRegister = Register<"r16"> | Register<"r32"> | Register<"r64">;
export type SegmentRegister = Register<"sreg">;
export type Displacement = number | bigint | SymbolReference;

/** How an address is formed. */
export const AddressKind = { registers: 0, ripRelative: 1 } as const;

/**
 * A memory operand. Immutable. `Bits` is its width in bits; 0 where it has none and the instruction decides.
 */
export class Memory<Bits extends number = number> {
  readonly kind = "memory";
  /** Width in bits, 0 if none was given. */
  readonly width: Bits;
  /** `OperandBit`s of its width. */
  readonly bits: number;
  readonly base: AddressRegister | null;
  readonly index: AddressRegister | Register<"xmm" | "ymm" | "zmm"> | null;
  readonly scale: number;
  /** Constant part of the displacement. */
  readonly displacement: number | bigint;
  /** Symbol that the displacement adds, if any. */
  readonly symbol: SymbolReference | null;
  readonly segment: SegmentRegister | null;
  /** `AddressKind` */
  readonly address: number;

  constructor(
    width: Bits,
    bits: number,
    base: AddressRegister | null,
    index: AddressRegister | null,
    scale: number,
    displacement: number | bigint,
    symbol: SymbolReference | null,
    segment: SegmentRegister | null,
    address: number,
  ) {
    this.width = width;
    this.bits = bits;
    this.base = base;
    this.index = index;
    this.scale = scale;
    this.displacement = displacement;
    this.symbol = symbol;
    this.segment = segment;
    this.address = address;
  }

  /** The same operand in another segment. */
  seg(segment: SegmentRegister | SegmentName): Memory<Bits> {
    return new Memory(
      this.width,
      this.bits,
      this.base,
      this.index as AddressRegister | null,
      this.scale,
      this.displacement,
      this.symbol,
      toSegment(segment),
      this.address,
    );
  }
}

export type SegmentName = "es" | "cs" | "ss" | "ds" | "fs" | "gs";

const SEGMENTS: Readonly<Record<SegmentName, SegmentRegister>> = { es, cs, ss, ds, fs, gs };

function toSegment(segment: SegmentRegister | SegmentName): SegmentRegister {
  return typeof segment === "string" ? SEGMENTS[segment] : segment;
}

/** `seg:offset` written out, the operand of a far jump or call. */
export class FarPointer {
  readonly kind = "far";
  readonly bits: number = OperandBit.far;
  readonly selector: number | SymbolReference;
  readonly offset: Displacement;

  constructor(selector: number | SymbolReference, offset: Displacement) {
    this.selector = selector;
    this.offset = offset;
  }
}

/** A far pointer: `a.jmp(far(0x08, sym("entry")))`. */
export function far(selector: number | SymbolReference, offset: Displacement | string): FarPointer {
  return new FarPointer(selector, typeof offset === "string" ? sym(offset) : offset);
}

/**
 * Makes a memory operand: `(base, index, scale, displacement)`, `(base, index, displacement)`-less short forms
 * `(base, displacement)`, `(symbol, index, scale)`, `(displacement)`.
 */
export interface MemoryFactory<Bits extends number> {
  (): Memory<Bits>;
  (base: AddressRegister, displacement?: Displacement): Memory<Bits>;
  (base: AddressRegister, index: AddressRegister, scale?: number, displacement?: Displacement): Memory<Bits>;
  (
    displacement: Displacement | string,
    index?: AddressRegister | number,
    scale?: number,
    addend?: number | bigint,
  ): Memory<Bits>;
  /** RIP-relative: the address of `target` plus `addend`. */
  rip(target: string | SymbolReference | number | bigint, addend?: number | bigint): Memory<Bits>;
}

function factory<Bits extends number>(
  width: Bits,
  bits: number,
  segment: SegmentRegister | null,
): MemoryFactory<Bits> {
  const make = (
    first?: AddressRegister | Displacement | string,
    second?: AddressRegister | Displacement,
    scale?: number,
    displacement?: Displacement,
  ): Memory<Bits> => {
    let base: AddressRegister | null = null;
    let index: AddressRegister | null = null;
    let offset: number | bigint = 0;
    let symbol: SymbolReference | null = null;
    if (first instanceof Register) base = first;
    else if (typeof first === "string") symbol = new SymbolReference(first);
    else if (first instanceof SymbolReference) symbol = first;
    else if (first !== undefined) offset = checkOffset(first);
    if (second instanceof Register) index = second;
    else if (second instanceof SymbolReference) symbol = onlySymbol(symbol, second);
    else if (second !== undefined) offset = addOffsets(offset, checkOffset(second));
    if (displacement instanceof SymbolReference) symbol = onlySymbol(symbol, displacement);
    else if (displacement !== undefined) offset = addOffsets(offset, checkOffset(displacement));
    return new Memory(width, bits, base, index, scale ?? 1, offset, symbol, segment, AddressKind.registers);
  };
  const rip = (target: string | SymbolReference | number | bigint, addend: number | bigint = 0) => {
    const symbol =
      typeof target === "string"
        ? new SymbolReference(target)
        : target instanceof SymbolReference
          ? target
          : null;
    const offset = symbol === null ? addOffsets(target as number | bigint, addend) : addend;
    return new Memory(width, bits, null, null, 1, offset, symbol, segment, AddressKind.ripRelative);
  };
  return Object.assign(make, { rip });
}

function onlySymbol(first: SymbolReference | null, second: SymbolReference): SymbolReference {
  if (first === null) return second;
  throw asmError("ERR_ASM_ADDRESS", `a memory operand takes one symbol; found ${first} and ${second}`);
}

function checkOffset(value: unknown): number | bigint {
  if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value))) return value;
  throw asmError(
    "ERR_ASM_ARGUMENT",
    `a displacement is an integer, a bigint or a symbol; found ${String(value)}`,
  );
}

/** Factories by width, all in one segment. */
export interface SizedMemory {
  byte: MemoryFactory<8>;
  word: MemoryFactory<16>;
  dword: MemoryFactory<32>;
  /** 6 bytes: a 16:32 far pointer. */
  fword: MemoryFactory<48>;
  qword: MemoryFactory<64>;
  /** 10 bytes: an x87 extended real, a 16:64 far pointer. */
  tbyte: MemoryFactory<80>;
  xmmword: MemoryFactory<128>;
  ymmword: MemoryFactory<256>;
  zmmword: MemoryFactory<512>;
}

function sized(segment: SegmentRegister | null): SizedMemory {
  return {
    byte: factory(8, OperandBit.m8, segment),
    word: factory(16, OperandBit.m16, segment),
    dword: factory(32, OperandBit.m32, segment),
    fword: factory(48, OperandBit.m48, segment),
    qword: factory(64, OperandBit.m64, segment),
    tbyte: factory(80, OperandBit.m80, segment),
    xmmword: factory(128, OperandBit.m128, segment),
    ymmword: factory(256, OperandBit.m256, segment),
    zmmword: factory(512, OperandBit.m512, segment),
  };
}

export type UnsizedMemory = MemoryFactory<0> & SizedMemory;

function unsized(segment: SegmentRegister | null): UnsizedMemory {
  return Object.assign(factory(0 as const, ANY_MEMORY, segment), sized(segment));
}

/**
 * Memory operands: `mem.qword(rbx, rcx, 4, -8)` is `qword ptr [rbx + rcx*4 - 8]`; `mem(rax)` has no width;
 * `mem.rip("x")` is RIP-relative; `mem.seg("gs").qword(0x10)` has a segment override.
 */
export const mem: UnsizedMemory & { seg(segment: SegmentRegister | SegmentName): UnsizedMemory } =
  Object.assign(unsized(null), {
    seg: (segment: SegmentRegister | SegmentName) => unsized(toSegment(segment)),
  });

export type Operand =
  | Register<RegisterFile>
  | Memory
  | number
  | bigint
  | string
  | SymbolReference
  | FarPointer;
