/**
 * VEX and XOP encodings (SDM Vol. 2A, "The VEX Prefix"; APM Vol. 6, "XOP Prefix"), and what EVEX shares with them:
 * finding out which operand goes where.
 */
import { segmentPrefix, writeAddress } from "./addressing.js";
import type { Decorated } from "./decorations.js";
import type { Encoder } from "./encoder.js";
import { asmError } from "./errors.js";
import type { MaybeOperand } from "./matching.js";
import {
  ANY_VSIB,
  EncodingKind,
  FormFlag,
  FormWord,
  MAX_OPERANDS,
  ModrmKind,
  OpcodeField,
  OpcodeMap,
  SLOT_BITS,
  Slot,
} from "./operand-bits.js";
import type { Memory } from "./operands.js";
import { Prefix } from "./prefixes.js";
import type { Register } from "./registers.js";

const SLOT_MASK = (1 << SLOT_BITS) - 1;
/** All that may stand before a VEX, EVEX or XOP prefix is a segment and an address size. */
const ALLOWED_PREFIXES =
  Prefix.address |
  (7 << Prefix.segmentShift) |
  Prefix.vex |
  Prefix.vex3 |
  Prefix.evex |
  Prefix.disp8 |
  Prefix.disp32 |
  Prefix.load |
  Prefix.store |
  Prefix.strict |
  Prefix.zero;

/** Where the operands of a form go. */
export interface VexOperands {
  reg: number;
  vvvv: number;
  /** Number of the register in ModRM.rm; 0 if memory is there, or nothing. */
  rm: number;
  memory: Memory | null;
  /** The last byte, if it holds a register. */
  is4: number;
  /** Bytes of immediates. */
  tailBytes: number;
}

const IMMEDIATE_BYTES: Readonly<Record<number, number>> = {
  [Slot.ib]: 1,
  [Slot.iw]: 2,
  [Slot.id]: 4,
};

/** Sorts operands into `out`. Decorations are passed over: EVEX reads them. */
export function placeOperands(
  words: Int32Array,
  form: number,
  operands: readonly MaybeOperand[],
  out: VexOperands,
): void {
  const opcode = words[form + FormWord.opcode]!;
  const isDigit = ((opcode >> OpcodeField.modrmKind) & 3) === ModrmKind.digit;
  out.reg = isDigit ? (opcode >> OpcodeField.modrm) & 7 : 0;
  out.vvvv = 0;
  out.rm = 0;
  out.memory = null;
  out.is4 = -1;
  out.tailBytes = 0;
  for (let i = 0, rest = words[form + FormWord.slots]!; rest !== 0; i++, rest >>>= SLOT_BITS) {
    const slot = rest & SLOT_MASK;
    const operand = operands[i] as Register | Memory | Decorated;
    const plain = operand?.kind === "decorated" ? operand.operand : operand;
    if (slot === Slot.rm) {
      if (plain.kind === "memory") out.memory = plain;
      else out.rm = plain.number;
    } else if (slot === Slot.reg) out.reg = (plain as Register).number;
    else if (slot === Slot.vvvv) out.vvvv = (plain as Register).number;
    else if (slot === Slot.is4) {
      const low = operands[MAX_OPERANDS - 1];
      out.is4 = ((plain as Register).number << 4) | (typeof low === "number" ? low & 15 : 0);
      out.tailBytes++;
    } else out.tailBytes += IMMEDIATE_BYTES[slot] ?? 0;
  }
}

/** Writes the prefixes that stand before VEX, EVEX and XOP, and sets the address size of what follows. */
export function leadingPrefixes(encoder: Encoder, memory: Memory | null): void {
  if ((encoder.prefixes & ~ALLOWED_PREFIXES) !== 0) {
    throw asmError("ERR_ASM_PREFIX", "a VEX, EVEX or XOP instruction takes no other prefix than a segment's");
  }
  const { bits } = encoder;
  encoder.addressBits = encoder.addressBitsOf(memory);
  if (memory !== null && (memory.bits & ANY_VSIB) !== 0 && encoder.addressBits === 16) {
    // There is no SIB byte in 16-bit addressing; an index vector alone fixes no address size.
    if (memory.base !== null)
      throw asmError("ERR_ASM_ADDRESS", "an index vector needs 32-bit or 64-bit addressing");
    encoder.addressBits = 32;
  }
  const segment = memory === null || memory.segment === null ? 0 : segmentPrefix(memory);
  const { section } = encoder;
  section.length = encoder.leadingPrefixes(segment, encoder.addressBits !== bits, false, 0, section.length);
}

/** Writes opcode, ModR/M, address and immediates. `unit` is N of disp8*N. */
export function opcodeAndOperands(
  encoder: Encoder,
  form: number,
  operands: readonly MaybeOperand[],
  { reg, rm, memory, is4, tailBytes }: VexOperands,
  unit: number,
): void {
  const { words } = encoder.set;
  const { section } = encoder;
  const opcode = words[form + FormWord.opcode]!;
  const flags = words[form + FormWord.flags]!;
  const hasSuffix = (flags & FormFlag.suffix) !== 0;
  const kind = (opcode >> OpcodeField.modrmKind) & 3;
  let at = section.length;
  section.bytes[at++] = opcode & 255;
  if (kind === ModrmKind.fixed) section.bytes[at++] = (opcode >> OpcodeField.modrm) & 255;
  else if (memory !== null) {
    encoder.after = tailBytes + Number(hasSuffix);
    encoder.unit = unit;
    encoder.needsSib = (flags & FormFlag.sib) !== 0;
    at = writeAddress(encoder, memory, (reg & 7) << 3, at);
    encoder.unit = 1;
    encoder.needsSib = false;
  } else if (kind !== ModrmKind.none) section.bytes[at++] = 0xc0 | ((reg & 7) << 3) | (rm & 7);
  if (hasSuffix) section.bytes[at++] = (opcode >> OpcodeField.modrm) & 255;
  if (is4 >= 0) section.bytes[at++] = is4;
  section.length = at;
  if (is4 >= 0 || tailBytes === 0) return;
  const [a, b, c, d, e] = operands;
  encoder.tail(words[form + FormWord.slots]!, words[form + FormWord.checks]!, a, b, c, d, e);
}

const places: VexOperands = { reg: 0, vvvv: 0, rm: 0, memory: null, is4: -1, tailBytes: 0 };

/** Encodes a VEX or XOP form; `false` where its operands need EVEX, or where the next form is shorter. */
export function encodeVex(encoder: Encoder, form: number, operands: readonly MaybeOperand[]): boolean {
  const { prefixes, section } = encoder;
  if ((prefixes & Prefix.evex) !== 0) return false;
  const { words } = encoder.set;
  placeOperands(words, form, operands, places);
  const { reg, vvvv, rm, memory } = places;
  const base = memory?.base?.number ?? 0;
  const index = memory?.index?.number ?? 0;
  if ((reg | vvvv | rm | index) > 15) return false;
  const opcode = words[form + FormWord.opcode]!;
  const flags = words[form + FormWord.flags]!;
  const isXop = ((flags >> FormFlag.kindShift) & 15) === EncodingKind.xop;
  const map = (opcode >> OpcodeField.map) & 15;
  const w = (opcode >> OpcodeField.rexW) & 1;
  const low = (((vvvv ^ 15) & 15) << 3) | (((opcode >> OpcodeField.operandSize) & 3) << 2);
  const third = low | ((opcode >> OpcodeField.prefix) & 3);
  const extension = (reg > 7 ? 0 : 0x80) | (index > 7 ? 0 : 0x40) | (rm > 7 || base > 7 ? 0 : 0x20);
  const isLong =
    (prefixes & Prefix.vex3) !== 0 || w !== 0 || map !== OpcodeMap["0F"] || (extension & 0x60) !== 0x60;
  if ((flags & FormFlag.swap) !== 0 && memory === null && prefersSwapped(prefixes, reg, rm)) return false;
  if (encoder.bits !== 64 && (extension !== 0xe0 || vvvv > 7)) throw beyond64(encoder.bits);
  leadingPrefixes(encoder, memory);
  let at = section.length;
  if (isXop || isLong) {
    section.bytes[at++] = isXop ? 0x8f : 0xc4;
    section.bytes[at++] = extension | map;
    section.bytes[at++] = (w << 7) | third;
  } else {
    section.bytes[at++] = 0xc5;
    section.bytes[at++] = (extension & 0x80) | third;
  }
  section.length = at;
  opcodeAndOperands(encoder, form, operands, places, 1);
  return true;
}

/** Only VEX.R exists in the two-byte prefix: the register above 7 should be in ModRM.reg. */
function prefersSwapped(prefixes: number, reg: number, rm: number): boolean {
  if ((prefixes & (Prefix.load | Prefix.store)) !== 0) return (prefixes & Prefix.store) !== 0;
  return (prefixes & Prefix.vex3) === 0 && rm > 7 && reg < 8;
}

export function beyond64(bits: number) {
  return asmError("ERR_ASM_REGISTER", `registers from 8 on exist in 64-bit mode, not in ${bits}-bit mode`);
}
