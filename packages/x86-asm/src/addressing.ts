/**
 * Memory operands in the encoding: ModR/M, SIB and displacement (SDM Vol. 2A, "Addressing-Mode Encoding of
 * ModR/M and SIB Bytes").
 */
import { asmError } from "./errors.js";
import { add, type Integer, writeInteger } from "./integers.js";
import { relaxableKind } from "./modifiers.js";
import { ANY_GENERAL, ANY_VECTOR } from "./operand-bits.js";
import { AddressKind, type AddressRegister, type Memory } from "./operands.js";
import { Prefix, SEGMENT_PREFIXES } from "./prefixes.js";
import { isNoIndex } from "./pseudo-registers.js";
import type { Register } from "./registers.js";
import { FixKind, type SectionBuffer } from "./sections.js";
import { ABSOLUTE_ZERO, SymbolPlace, type SymbolTable } from "./symbols.js";

/** SP or BP as base means SS, all others DS (SDM Vol. 1, "Default Segment Selection Rules"). */
const SS_NUMBER = 2;
const DS_NUMBER = 3;
const SP_NUMBER = 4;
const BP_NUMBER = 5;

/** ModRM.rm of 16-bit addressing by `base << 3 | index`, and of one register alone (SDM Vol. 2A, Table 2-1). */
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

const SCALES: Readonly<Record<number, number>> = { 1: 0, 2: 0x40, 4: 0x80, 8: 0xc0 };

/** What an address is written with: where to, and in which mode. */
export interface AddressContext {
  readonly section: SectionBuffer;
  readonly symbols: SymbolTable;
  readonly line: number;
  /** Mode: 16, 32 or 64. */
  readonly bits: number;
  /** Address size of this operand. */
  readonly addressBits: number;
  /** `Prefix` bits: hints about the displacement. */
  readonly prefixes: number;
  /** Bytes that follow the displacement. */
  readonly after: number;
  /** A displacement byte counts in units of this many bytes (EVEX disp8*N). */
  readonly unit: number;
  /** The address must have a SIB byte (AMX tile loads and stores). */
  readonly needsSib: boolean;
}

/** The prefix that an operand's segment needs, or 0 if it is the one that the address implies. */
export function segmentPrefix(memory: Memory): number {
  const segment = memory.segment!.number;
  const base = memory.base;
  const usesStack = base !== null && (base.number === SP_NUMBER || base.number === BP_NUMBER);
  return segment === (usesStack ? SS_NUMBER : DS_NUMBER) ? 0 : SEGMENT_PREFIXES[segment]!;
}

/** The address size of a memory operand in a mode. Throws `ERR_ASM_ADDRESS` if it is not possible there. */
export function addressSize(memory: Memory, bits: number): number {
  const index = memory.index !== null && (memory.index.bits & ANY_VECTOR) === 0 ? memory.index : null;
  const register = memory.base ?? (index as AddressRegister | null);
  if (register === null) return memory.addressBits === 0 ? bits : checkMode(memory.addressBits, bits);
  if (index !== null && index.file !== register.file) {
    throw asmError("ERR_ASM_ADDRESS", `base ${register} and index ${index} differ in width`);
  }
  return checkMode(register.file === "r64" ? 64 : register.file === "r32" ? 32 : 16, bits);
}

/** The address size of a string instruction, whose destination is always in ES. */
export function stringAddressSize(destination: Memory, source: Memory | null, bits: number): number {
  if (destination.segment !== null && destination.segment.name !== "es") {
    throw asmError(
      "ERR_ASM_ADDRESS",
      `${destination.base} is used with es here, not with ${destination.segment}`,
    );
  }
  const size = addressSize(destination, bits);
  if (source !== null && addressSize(source, bits) !== size) {
    throw asmError("ERR_ASM_ADDRESS", `${destination.base} and ${source.base} differ in width`);
  }
  return size;
}

function checkMode(addressBits: number, bits: number): number {
  if (addressBits === bits || addressBits === 32 || (addressBits === 16 && bits === 32)) return addressBits;
  throw asmError("ERR_ASM_ADDRESS", `${addressBits}-bit addresses cannot be formed in ${bits}-bit mode`);
}

/** Writes ModR/M (with `reg` in bits 5:3), SIB and displacement at `at`; returns the offset behind them. */
export function writeAddress(context: AddressContext, memory: Memory, reg: number, at: number): number {
  if (memory.address !== AddressKind.registers) return ripRelative(context, memory, reg, at);
  if (context.addressBits === 16) return address16(context, memory, reg, at);
  const { bytes } = context.section;
  let { base } = memory;
  let index = memory.index as Register | null;
  if (base === null && index === null) {
    if (context.bits === 64) {
      // ModRM.rm = 5 is RIP-relative there, so an absolute address needs a SIB byte.
      bytes[at++] = reg | 4;
      bytes[at++] = 0x25;
    } else bytes[at++] = reg | 5;
    return displacement(context, memory, at, 4);
  }
  if (index !== null && index.number === SP_NUMBER && (index.bits & ANY_GENERAL) !== 0 && !isNoIndex(index)) {
    if (memory.scale !== 1 || base === null || base.number === SP_NUMBER) {
      throw asmError("ERR_ASM_ADDRESS", `${index} cannot be an index`);
    }
    [base, index] = [index as AddressRegister, base];
  }
  const scale = SCALES[memory.scale];
  if (scale === undefined) throw asmError("ERR_ASM_ADDRESS", `a scale is 1, 2, 4 or 8, not ${memory.scale}`);
  if (base === null) {
    bytes[at++] = reg | 4;
    bytes[at++] = scale | ((index!.number & 7) << 3) | 5;
    return displacement(context, memory, at, 4);
  }
  const low = base.number & 7;
  const size = displacementSize(context, memory, low);
  const mod = size === 0 ? 0 : size === 1 ? 0x40 : 0x80;
  if (index !== null) {
    bytes[at++] = mod | reg | 4;
    bytes[at++] = scale | ((index.number & 7) << 3) | low;
  } else if (low === SP_NUMBER || context.needsSib) {
    bytes[at++] = mod | reg | 4;
    bytes[at++] = 0x20 | low;
  } else bytes[at++] = mod | reg | low;
  return size === 0 ? at : displacement(context, memory, at, size);
}

function ripRelative(context: AddressContext, memory: Memory, reg: number, at: number): number {
  if (context.bits !== 64) {
    throw asmError(
      "ERR_ASM_ADDRESS",
      `RIP-relative addresses exist in 64-bit mode, not in ${context.bits}-bit mode`,
    );
  }
  if (context.needsSib) {
    throw asmError("ERR_ASM_ADDRESS", "this instruction has no RIP-relative form");
  }
  const { section } = context;
  section.bytes[at++] = reg | 5;
  if (memory.symbol === null && memory.address === AddressKind.ripRelative) {
    writeInteger(section.bytes, at, signedDisplacement(memory.displacement, 64), 4);
    return at + 4;
  }
  const symbol = memory.symbol === null ? ABSOLUTE_ZERO : context.symbols.idOf(memory.symbol);
  const isMade = context.symbols.entries[symbol]!.place === SymbolPlace.made;
  const kind = isMade ? relaxableKind(section.bytes, section.length, at) : FixKind.pc32;
  section.addFix(at, kind, symbol, 4 + context.after, constantOf(memory), context.line);
  return clear(section.bytes, at, 4);
}

function address16(context: AddressContext, memory: Memory, reg: number, at: number): number {
  const { bytes } = context.section;
  const { base, index } = memory;
  if (base === null && index === null) {
    bytes[at++] = reg | 6;
    return displacement(context, memory, at, 2);
  }
  const single = base ?? (index as Register);
  const rm =
    base !== null && index !== null ? RM_16[(base.number << 3) | index.number] : RM_16_SINGLE[single.number];
  if (rm === undefined || memory.scale !== 1) {
    const text = [base, index].filter((register) => register !== null).join(" + ");
    throw asmError(
      "ERR_ASM_ADDRESS",
      `[${text}${memory.scale === 1 ? "" : `*${memory.scale}`}] is no 16-bit address`,
      "a 16-bit address is bx or bp, plus si or di, plus a displacement",
    );
  }
  // BP alone has no form without a displacement.
  const size = displacementSize(context, memory, base !== null && index !== null ? 0 : single.number);
  bytes[at++] = (size === 0 ? 0 : size === 1 ? 0x40 : 0x80) | reg | rm;
  return size === 0 ? at : displacement(context, memory, at, size);
}

/** 0, 1 or the full width; `low` 5 (BP, R13) has no form without a displacement. */
function displacementSize(context: AddressContext, memory: Memory, low: number): number {
  const full = context.addressBits === 16 ? 2 : 4;
  if ((context.prefixes & Prefix.disp32) !== 0) return full;
  if (memory.symbol !== null) return (context.prefixes & Prefix.disp8) !== 0 ? 1 : full;
  const value = signedDisplacement(memory.displacement, context.addressBits);
  if (value === 0 && low !== BP_NUMBER && (context.prefixes & Prefix.disp8) === 0) return 0;
  const units = value / context.unit;
  return Number.isInteger(units) && units >= -128 && units <= 127 ? 1 : full;
}

/** Writes a displacement of `size` bytes. */
function displacement(context: AddressContext, memory: Memory, at: number, size: number): number {
  const { section, addressBits } = context;
  if (memory.symbol === null) {
    const value = signedDisplacement(memory.displacement, addressBits);
    writeInteger(section.bytes, at, size === 1 ? value / context.unit : value, size);
    return at + size;
  }
  const kind =
    size === 1
      ? FixKind.abs8s
      : size === 2
        ? FixKind.abs16
        : addressBits === 64
          ? FixKind.abs32s
          : FixKind.abs32;
  section.addFix(at, kind, context.symbols.idOf(memory.symbol), 0, constantOf(memory), context.line);
  return clear(section.bytes, at, size);
}

/** The constant part of an address: the displacement, plus what the symbol carries. */
export function constantOf(memory: Memory): Integer {
  const { symbol } = memory;
  if (symbol === null || symbol.kind !== "symbol" || symbol.addend === 0) return memory.displacement;
  return add(memory.displacement, symbol.addend);
}

/** A displacement as the processor sign-extends it. Throws `ERR_ASM_RANGE` if it does not fit. */
function signedDisplacement(value: Integer, addressBits: number): number {
  if (typeof value === "number") {
    if (addressBits === 64) {
      if (value >= -0x80000000 && value <= 0x7fffffff) return value;
    } else if (addressBits === 32) {
      if (value >= -0x80000000 && value <= 0xffffffff) return value | 0;
    } else if (value >= -0x8000 && value <= 0xffff) return (value << 16) >> 16;
  } else if (addressBits === 64 && value < 2n ** 64n && value >= 2n ** 64n - 0x80000000n) {
    return Number(BigInt.asIntN(64, value));
  }
  const bits = addressBits === 16 ? 16 : 32;
  throw asmError(
    "ERR_ASM_RANGE",
    `displacement ${value} does not fit in ${bits} bits${addressBits === 64 ? ", sign-extended" : ""}`,
  );
}

function clear(bytes: Uint8Array, at: number, size: number): number {
  for (let i = 0; i < size; i++) bytes[at + i] = 0;
  return at + size;
}
