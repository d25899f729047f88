/** Memory operands out of ModR/M, SIB and displacement (SDM Vol. 2A, Tables 2-1 to 2-3). */
import type { Decorations } from "../decorations.js";
import type { Integer } from "../integers.js";
import { ANY_MEMORY, ANY_VSIB, OperandBit } from "../operand-bits.js";
import { AddressKind, type AddressRegister, type IndexRegister, Memory } from "../operands.js";
import { es, type Register } from "../registers.js";
import type { Opcode } from "./decode-prefixes.js";
import type { DecodedOperand } from "./instruction.js";
import type { RegisterFiles } from "./register-files.js";

type Segment = Register<"sreg"> | null;
type MemoryOperand = Extract<DecodedOperand, { kind: "memory" }>;

/** An address, whatever the width of what stands there. */
export interface DecodedAddress {
  /** Offset of what follows the displacement. */
  readonly end: number;
  /** Register numbers; -1: none. The index is one whatever its number: 4 means none unless it is a vector. */
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  /** As it stands there: EVEX counts a byte in units that the form gives. */
  readonly displacement: number;
  readonly displacementBytes: number;
  readonly hasSib: boolean;
  /** `AddressKind` */
  readonly kind: number;
}

const ADDRESS_FILES: Readonly<Record<number, number>> = {
  16: OperandBit.r16,
  32: OperandBit.r32,
  64: OperandBit.r64,
};
/** Base and index of 16-bit addresses by ModRM.rm. */
const PAIRS_16: readonly (readonly [base: number, index: number])[] = [
  [3, 6],
  [3, 7],
  [5, 6],
  [5, 7],
  [6, -1],
  [7, -1],
  [5, -1],
  [3, -1],
];
/** SIB.index of no index, and ModRM.rm of a SIB byte. */
const NO_INDEX = 4;

/** The address whose ModR/M byte stands at `at`; `undefined` if the bytes end before it does. */
export function readAddress(
  bytes: Uint8Array,
  at: number,
  opcode: Opcode,
  addressBits: number,
  bits: number,
): DecodedAddress | undefined {
  const address = addressBits === 16 ? address16(bytes, at) : address32(bytes, at, opcode, bits);
  return address.end > bytes.length ? undefined : address;
}

function address16(bytes: Uint8Array, at: number): DecodedAddress {
  const modrm = bytes[at]!;
  const mod = modrm >> 6;
  const isAbsolute = mod === 0 && (modrm & 7) === 6;
  const [base, index] = PAIRS_16[modrm & 7]!;
  const displacementBytes = isAbsolute ? 2 : mod;
  return {
    end: at + 1 + displacementBytes,
    base: isAbsolute ? -1 : base,
    index: isAbsolute ? -1 : index,
    scale: 1,
    displacement: signed(bytes, at + 1, displacementBytes),
    displacementBytes,
    hasSib: false,
    kind: AddressKind.registers,
  };
}

function address32(bytes: Uint8Array, at: number, opcode: Opcode, bits: number): DecodedAddress {
  const modrm = bytes[at]!;
  const mod = modrm >> 6;
  const hasSib = (modrm & 7) === NO_INDEX;
  const sib = hasSib ? (bytes[at + 1] ?? 0) : 0;
  const low = hasSib ? sib & 7 : modrm & 7;
  // Without a base, or RIP-relative in its place.
  const isBare = mod === 0 && low === 5;
  const displacementBytes = mod === 2 || isBare ? 4 : mod;
  const behind = at + (hasSib ? 2 : 1);
  return {
    end: behind + displacementBytes,
    base: isBare ? -1 : low | opcode.base,
    index: hasSib ? ((sib >> 3) & 7) | opcode.index : -1,
    scale: hasSib ? 1 << (sib >> 6) : 1,
    displacement: signed(bytes, behind, displacementBytes),
    displacementBytes,
    hasSib,
    kind: isBare && !hasSib && bits === 64 ? AddressKind.ripRelative : AddressKind.registers,
  };
}

function signed(bytes: Uint8Array, at: number, size: number): number {
  if (size === 0) return 0;
  let value = 0;
  for (let i = 0; i < size; i++) value |= (bytes[at + i] ?? 0) << (8 * i);
  const unused = 32 - 8 * size;
  return (value << unused) >> unused;
}

/** What a memory operand is made with. */
export interface MemoryContext {
  readonly files: RegisterFiles;
  readonly addressBits: number;
  readonly segment: Segment;
}

/** How a form reads what stands at an address. */
export interface MemoryShape {
  /** The form's operand bits. */
  readonly accepts: number;
  /** Width in bits where the form's bits do not say it; 0 else. */
  readonly width: number;
  /** What a displacement byte counts in. */
  readonly unit: number;
  /** Number of the index vector's upper half, where the index is one. */
  readonly indexHigh: number;
  readonly isFar: boolean;
  readonly decorations: Decorations | null;
  readonly countsElements: boolean;
  readonly needsWidth: boolean;
}

/** The operand of that shape at an address; `undefined` where the address has no index for an index vector. */
export function memoryAt(
  address: DecodedAddress,
  { files, addressBits, segment }: MemoryContext,
  shape: MemoryShape,
): MemoryOperand | undefined {
  const { displacementBytes, hasSib, kind, scale } = address;
  const bits = shape.accepts & ANY_MEMORY;
  const file = ADDRESS_FILES[addressBits]!;
  const vector = (shape.accepts & ANY_VSIB) >> VSIB_SHIFT;
  if (vector !== 0 && !hasSib) return undefined;
  const general = (number: number) => files.find(file, number, true, 64) as AddressRegister;
  const base = address.base < 0 ? null : general(address.base);
  let index: IndexRegister | null = null;
  if (vector !== 0) {
    index = files.find(vector, address.index | shape.indexHigh, true, 64) as IndexRegister;
  } else if (address.index >= 0 && !(hasSib && address.index === NO_INDEX)) index = general(address.index);
  const hasRegister = base !== null || index !== null;
  const memory = new Memory(
    shape.width || widthOf(bits),
    bits,
    base,
    index,
    scale,
    address.displacement * (displacementBytes === 1 ? shape.unit : 1),
    null,
    segment,
    kind,
    hasRegister ? 0 : addressBits,
  );
  const { isFar, decorations, countsElements, needsWidth } = shape;
  return {
    kind: "memory",
    memory,
    displacementBytes,
    hasSib,
    isOffset: false,
    isFar,
    decorations,
    countsElements,
    needsWidth,
  };
}

/** From `OperandBit.vmx` to `OperandBit.xmm`. */
const VSIB_SHIFT = 18;

/** What a string instruction works on: memory at RSI, RDI or RBX, the destination in ES. */
export function stringMemory(
  accepts: number,
  number: number,
  isDestination: boolean,
  { files, addressBits, segment }: MemoryContext,
): MemoryOperand {
  const bits = accepts & ANY_MEMORY;
  const base = files.find(ADDRESS_FILES[addressBits]!, number, true, 64) as AddressRegister;
  const memory = new Memory(
    widthOf(bits),
    bits,
    base,
    null,
    1,
    0,
    null,
    isDestination ? es : segment,
    AddressKind.registers,
    0,
  );
  return { ...PLAIN, memory, displacementBytes: 0, isOffset: false };
}

/** Memory at a bare offset (MOV AL, moffs8). */
export function absoluteMemory(
  accepts: number,
  offset: Integer,
  { addressBits, segment }: MemoryContext,
): MemoryOperand {
  const bits = accepts & ANY_MEMORY;
  const memory = new Memory(
    widthOf(bits),
    bits,
    null,
    null,
    1,
    offset,
    null,
    segment,
    AddressKind.registers,
    addressBits,
  );
  return { ...PLAIN, memory, displacementBytes: addressBits / 8, isOffset: true };
}

const PLAIN = {
  kind: "memory",
  hasSib: false,
  isFar: false,
  decorations: null,
  countsElements: false,
  needsWidth: false,
} as const;

const WIDTHS = [8, 16, 32, 48, 64, 80, 128, 256, 512];

/** The width in bits that an `OperandBit` of memory stands for; 0 if it is more than one. */
export function widthOf(bits: number): number {
  const index = WIDTHS.findIndex((_, i) => bits === OperandBit.m8 << i);
  return index < 0 ? 0 : WIDTHS[index]!;
}
