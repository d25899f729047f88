/** Memory operands out of ModR/M, SIB and displacement (SDM Vol. 2A, Tables 2-1 to 2-3). */
import type { Integer } from "../integers.js";
import { ANY_MEMORY, OperandBit } from "../operand-bits.js";
import { AddressKind, type AddressRegister, Memory } from "../operands.js";
import { es, type Register } from "../registers.js";
import type { DecodedOperand } from "./decoder.js";
import { registerOf } from "./register-files.js";

type Segment = Register<"sreg"> | null;
type MemoryOperand = Extract<DecodedOperand, { kind: "memory" }>;

/** An address, whatever the width of what stands there. */
export interface DecodedAddress {
  /** Offset of what follows the displacement. */
  readonly end: number;
  readonly base: AddressRegister | null;
  readonly index: AddressRegister | null;
  readonly scale: number;
  readonly displacement: number;
  readonly displacementBytes: number;
  readonly hasSib: boolean;
  /** `AddressKind` */
  readonly kind: number;
  readonly addressBits: number;
  readonly segment: Segment;
}

const ADDRESS_FILES: Readonly<Record<number, number>> = {
  16: OperandBit.r16,
  32: OperandBit.r32,
  64: OperandBit.r64,
};
/** Base and index of 16-bit addresses by ModRM.rm. */
const PAIRS_16: readonly (readonly [base: number, index: number | null])[] = [
  [3, 6],
  [3, 7],
  [5, 6],
  [5, 7],
  [6, null],
  [7, null],
  [5, null],
  [3, null],
];

/** What reading an address depends on. */
export interface AddressMode {
  readonly addressBits: number;
  readonly bits: number;
  readonly rex: number;
  readonly segment: Segment;
}

/** The address whose ModR/M byte stands at `at`; `undefined` if the bytes end before it does. */
export function readAddress(bytes: Uint8Array, at: number, mode: AddressMode): DecodedAddress | undefined {
  const address = mode.addressBits === 16 ? address16(bytes, at, mode) : address32(bytes, at, mode);
  return address.end > bytes.length ? undefined : address;
}

function general(number: number, addressBits: number): AddressRegister {
  return registerOf(ADDRESS_FILES[addressBits]!, number, true) as AddressRegister;
}

function address16(bytes: Uint8Array, at: number, { segment }: AddressMode): DecodedAddress {
  const modrm = bytes[at]!;
  const mod = modrm >> 6;
  const isAbsolute = mod === 0 && (modrm & 7) === 6;
  const [base, index] = PAIRS_16[modrm & 7]!;
  const displacementBytes = isAbsolute ? 2 : mod;
  return {
    end: at + 1 + displacementBytes,
    base: isAbsolute ? null : general(base, 16),
    index: isAbsolute || index === null ? null : general(index, 16),
    scale: 1,
    displacement: signed(bytes, at + 1, displacementBytes),
    displacementBytes,
    hasSib: false,
    kind: AddressKind.registers,
    addressBits: 16,
    segment,
  };
}

function address32(bytes: Uint8Array, at: number, mode: AddressMode): DecodedAddress {
  const { addressBits, rex, segment } = mode;
  const modrm = bytes[at]!;
  const mod = modrm >> 6;
  const hasSib = (modrm & 7) === 4;
  const sib = hasSib ? (bytes[at + 1] ?? 0) : 0;
  const low = hasSib ? sib & 7 : modrm & 7;
  // Without a base, or RIP-relative in its place.
  const isBare = mod === 0 && low === 5;
  const displacementBytes = mod === 2 || isBare ? 4 : mod;
  const behind = at + (hasSib ? 2 : 1);
  const index = ((sib >> 3) & 7) | ((rex & 2) << 2);
  return {
    end: behind + displacementBytes,
    base: isBare ? null : general(low | ((rex & 1) << 3), addressBits),
    index: hasSib && index !== 4 ? general(index, addressBits) : null,
    scale: hasSib ? 1 << (sib >> 6) : 1,
    displacement: signed(bytes, behind, displacementBytes),
    displacementBytes,
    hasSib,
    kind: isBare && !hasSib && mode.bits === 64 ? AddressKind.ripRelative : AddressKind.registers,
    addressBits,
    segment,
  };
}

function signed(bytes: Uint8Array, at: number, size: number): number {
  if (size === 0) return 0;
  let value = 0;
  for (let i = 0; i < size; i++) value |= (bytes[at + i] ?? 0) << (8 * i);
  const unused = 32 - 8 * size;
  return (value << unused) >> unused;
}

/** The operand of that width at an address. */
export function memoryAt(accepts: number, address: DecodedAddress, isFar: boolean): MemoryOperand {
  const { base, index, scale, displacement, segment, kind, addressBits } = address;
  const bits = accepts & ANY_MEMORY;
  const hasRegister = base !== null || index !== null;
  const memory = new Memory(
    widthOf(bits),
    bits,
    base,
    index,
    scale,
    displacement,
    null,
    segment,
    kind,
    hasRegister ? 0 : addressBits,
  );
  return {
    kind: "memory",
    memory,
    displacementBytes: address.displacementBytes,
    hasSib: address.hasSib,
    isOffset: false,
    isFar,
  };
}

/** What a string instruction works on: memory at RSI, RDI or RBX, the destination in ES. */
export function stringMemory(
  accepts: number,
  number: number,
  addressBits: number,
  isDestination: boolean,
  segment: Segment,
): MemoryOperand {
  const bits = accepts & ANY_MEMORY;
  const base = general(number, addressBits);
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
  return { kind: "memory", memory, displacementBytes: 0, hasSib: false, isOffset: false, isFar: false };
}

/** Memory at a bare offset (MOV AL, moffs8). */
export function absoluteMemory(
  accepts: number,
  offset: Integer,
  addressBits: number,
  segment: Segment,
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
  return {
    kind: "memory",
    memory,
    displacementBytes: addressBits / 8,
    hasSib: false,
    isOffset: true,
    isFar: false,
  };
}

const WIDTHS = [8, 16, 32, 48, 64, 80, 128, 256, 512];

function widthOf(bits: number): number {
  const index = WIDTHS.findIndex((_, i) => bits === OperandBit.m8 << i);
  return index < 0 ? 0 : WIDTHS[index]!;
}
