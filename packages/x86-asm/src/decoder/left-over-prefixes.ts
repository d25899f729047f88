/** Prefixes that the chosen form has no use for, and those that stand before any instruction: how they are spelled. */
import {
  EncodingKind,
  FormFlag,
  FormWord,
  MandatoryPrefix,
  OpcodeField,
  OpcodeMap,
  OperandBit,
  SLOT_BITS,
  Slot,
  Width,
} from "../operand-bits.js";
import { prefixName } from "./decode-prefixes.js";
import type { Decoding } from "./decoding.js";
import type { DecodedOperand } from "./instruction.js";

const SLOT_MASK = (1 << SLOT_BITS) - 1;
const REX_BYTE = 0x40;
/** Files that REX does not extend. */
const UNEXTENDED =
  OperandBit.mm | OperandBit.sreg | OperandBit.st | OperandBit.k | OperandBit.bnd | OperandBit.tmm;

/** In the order of the bytes, as GNU as spells them. */
export function leftOver(decoding: Decoding, form: number, operands: readonly DecodedOperand[]): string[] {
  const { prefixes, bits } = decoding;
  if (prefixes.bytes.length === 0) return [];
  const used = new Set<number>();
  const names = new Map<number, string>();
  const word = decoding.table.set.words[form + FormWord.opcode]!;
  const flags = decoding.table.set.words[form + FormWord.flags]!;
  const kind = (flags & FormFlag.kindMask) >> FormFlag.kindShift;
  const memory = operands.find((operand) => operand.kind === "memory");
  if (decoding.opcode!.kind === EncodingKind.legacy) {
    useMandatory(decoding, word, used);
    if (usesRex(decoding, form, word, operands)) used.add(prefixes.rexAt);
    if (kind === EncodingKind.lockedControl) used.add(prefixes.lock);
    nameRepeats(decoding, flags, operands, names);
  }
  const addressSize =
    decoding.opcode!.kind === EncodingKind.legacy ? (word >> OpcodeField.addressSize) & 3 : 0;
  const isSized = memory === undefined ? addressSize !== Width.any : !isBare(memory, bits);
  if (isSized && kind !== EncodingKind.addressed) used.add(prefixes.address);
  const slots = decoding.table.set.words[form + FormWord.slots]!;
  const isOverridden = operands.some(
    (operand, i) =>
      operand.kind === "memory" &&
      operand.memory.segment === prefixes.segment &&
      ((slots >>> (i * SLOT_BITS)) & SLOT_MASK) !== Slot.esMemory,
  );
  if (isOverridden) used.add(prefixes.segmentAt);
  return prefixes.bytes
    .map((byte, i) => names.get(i) ?? prefixName(byte, bits))
    .filter((_, i) => !used.has(i));
}

/** A bare offset looks the same whatever its width: the prefix is shown. */
function isBare({ memory, isOffset }: Extract<DecodedOperand, { kind: "memory" }>, bits: number): boolean {
  if (memory.base !== null || memory.index !== null) return false;
  return bits === 16 ? memory.addressBits === 32 : bits === 32 && isOffset;
}

/** Marks 66, F2 or F3 where it is part of the opcode, and 66 where it gives the operand size. */
function useMandatory({ prefixes, opcode, operandSize }: Decoding, word: number, used: Set<number>): void {
  const mandatory = (word >> OpcodeField.prefix) & 3;
  // The names of PadLock's instructions leave their REP prefix out.
  const isPadLock = opcode!.map === OpcodeMap["0F"] && (opcode!.byte & 0xfe) === 0xa6;
  if (mandatory === MandatoryPrefix.F3 && !isPadLock) used.add(prefixes.f3);
  if (mandatory === MandatoryPrefix.F2) used.add(prefixes.f2);
  const size = (word >> OpcodeField.operandSize) & 3;
  const isSized = size !== Width.any && operandSize !== Width[64] && opcode!.w === 0;
  if (mandatory === MandatoryPrefix["66"] || isSized) used.add(prefixes.data);
}

/** Whether every bit of REX says something. */
function usesRex(
  { prefixes, table }: Decoding,
  form: number,
  word: number,
  operands: readonly DecodedOperand[],
): boolean {
  const { words } = table.set;
  let useful = ((word >> OpcodeField.rexW) & 1) !== 0 ? 8 : 0;
  let isByte = false;
  const slots = words[form + FormWord.slots]!;
  operands.forEach((operand, i) => {
    const slot = (slots >>> (i * SLOT_BITS)) & SLOT_MASK;
    if (operand.kind === "register") {
      const { register } = operand;
      if (register.file === "r8" && (register.number & 4) !== 0 && !operand.isFixed) isByte = true;
      if ((register.bits & UNEXTENDED) !== 0) return;
      if (slot === Slot.reg || slot === Slot.both) useful |= 4;
      if (slot === Slot.rm || slot === Slot.opcode || slot === Slot.both) useful |= 1;
    } else if (operand.kind === "memory" && slot === Slot.rm) {
      useful |= operand.hasSib ? 3 : 1;
    }
  });
  const found = prefixes.rex & 15;
  return (found & ~useful) === 0 && (found !== 0 || isByte) && prefixes.rex >= REX_BYTE;
}

/** Names that F2, F3 and 3E have before some instructions. */
function nameRepeats(
  { prefixes, opcode, bits }: Decoding,
  flags: number,
  operands: readonly DecodedOperand[],
  names: Map<number, string>,
): void {
  const { f2, f3, lock } = prefixes;
  const first = operands[0];
  if ((flags & FormFlag.rep) !== 0 && STRING_MOVES.has(opcode!.byte & 0xfe)) names.set(f3, "rep");
  if ((flags & FormFlag.bnd) !== 0) names.set(f2, "bnd");
  const isMemory = operands.some((operand) => operand.kind === "memory");
  // HLE: XCHG locks by itself, a store may release without.
  const isXchg = (opcode!.byte & 0xfe) === 0x86 && opcode!.map === 0;
  if (isMemory && (flags & FormFlag.lock) !== 0 && (lock >= 0 || isXchg)) {
    names.set(f2, "xacquire");
    names.set(f3, "xrelease");
  }
  if ((flags & FormFlag.xrelease) !== 0 && first?.kind === "memory") names.set(f3, "xrelease");
  if ((flags & FormFlag.notrack) !== 0 && (bits !== 64 || prefixes.data < 0)) {
    const at = prefixes.bytes.lastIndexOf(0x3e);
    if (at >= 0) names.set(at, "notrack");
  }
}

/** INS, OUTS, MOVS, STOS, LODS without their lowest bit. */
const STRING_MOVES: ReadonlySet<number> = new Set([0x6c, 0x6e, 0xa4, 0xaa, 0xac]);
