/** EVEX encodings: SDM Vol. 2A, "Intel AVX-512 Encoding". */
import { Decorated, Rounding } from "../decorations.js";
import type { Encoder } from "../encoder.js";
import { asmError } from "../errors.js";
import type { MaybeOperand } from "../matching.js";
import {
  ANY_MEMORY,
  ANY_VSIB,
  FormFlag,
  FormWord,
  OpcodeField,
  OperandBit,
  SLOT_BITS,
  Slot,
} from "../operand-bits.js";
import type { Memory } from "../operands.js";
import { Prefix } from "../prefixes.js";
import { beyond64, leadingPrefixes, opcodeAndOperands, placeOperands, type VexOperands } from "../vex.js";

const SLOT_MASK = (1 << SLOT_BITS) - 1;

/** What decorations put into the last prefix byte. */
interface Decoration {
  mask: number;
  zeroing: boolean;
  broadcast: boolean;
  /** `Rounding` */
  rounding: number;
}

const places: VexOperands = { reg: 0, vvvv: 0, rm: 0, memory: null, is4: -1, tailBytes: 0 };
const decoration: Decoration = { mask: 0, zeroing: false, broadcast: false, rounding: Rounding.none };

/** Encodes an EVEX form; `false` where it does not take the operands' decorations. */
export function encodeEvex(encoder: Encoder, form: number, operands: readonly MaybeOperand[]): boolean {
  if ((encoder.prefixes & (Prefix.vex | Prefix.vex3)) !== 0) return false;
  const { words } = encoder.set;
  const flags = words[form + FormWord.flags]!;
  if (!readDecorations(words, form, flags, operands)) return false;
  placeOperands(words, form, operands, places);
  const { reg, vvvv, rm, memory } = places;
  if (decoration.rounding !== Rounding.none && memory !== null) return false;
  if (memory !== null && !fitsElements(memory, flags)) return false;
  if (decoration.zeroing && decoration.mask === 0) {
    throw asmError("ERR_ASM_OPERANDS", "{z} needs a mask, such as {k1}{z}");
  }
  if (encoder.bits !== 64 && (reg | vvvv | rm | (memory?.index?.number ?? 0)) > 7)
    throw beyond64(encoder.bits);
  leadingPrefixes(encoder, memory);
  prefix(encoder, form, memory);
  const unit = decoration.broadcast ? broadcastBytes(flags) : 1 << ((flags >> FormFlag.unitShift) & 7);
  opcodeAndOperands(encoder, form, operands, places, unit);
  return true;
}

/** VSIB memory is as wide as its elements, if its width is given. */
function fitsElements(memory: Memory, flags: number): boolean {
  if ((memory.bits & ANY_VSIB) === 0 || memory.width === 0) return true;
  return memory.width === 8 << ((flags >> FormFlag.unitShift) & 7);
}

function broadcastBytes(flags: number): number {
  return 1 << ((flags >> FormFlag.broadcastShift) & 3);
}

/** Collects what the operands are decorated with; whether the form takes all of it. */
function readDecorations(
  words: Int32Array,
  form: number,
  flags: number,
  operands: readonly MaybeOperand[],
): boolean {
  decoration.mask = 0;
  decoration.zeroing = false;
  decoration.broadcast = false;
  decoration.rounding = Rounding.none;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    if (operand instanceof Decorated && !readDecoration(words, form, flags, operand, i)) return false;
  }
  return decoration.mask !== 0 || (flags & FormFlag.maskRequired) === 0;
}

function readDecoration(
  words: Int32Array,
  form: number,
  flags: number,
  operand: Decorated,
  i: number,
): boolean {
  const { mask, zeroing, broadcast, rounding } = operand;
  const accepted = words[form + i]!;
  if (mask !== null || zeroing) {
    if (i !== 0 || (flags & FormFlag.mask) === 0) return false;
    if (zeroing && (operand.operand.kind === "memory" || (flags & FormFlag.zeroing) === 0)) return false;
    decoration.mask = mask?.number ?? 0;
    decoration.zeroing = zeroing;
  }
  if (broadcast) return readBroadcast(words, form, flags, operand, i);
  if (rounding !== Rounding.none) {
    const flag = rounding === Rounding.sae ? FormFlag.suppressExceptions : FormFlag.rounding;
    if ((flags & flag) === 0 || operand.operand.kind === "memory") return false;
    decoration.rounding = rounding;
  }
  return (accepted & operand.operand.bits) !== 0;
}

/** The element must be as wide as the form's, and the elements must fill what the form reads. */
function readBroadcast(
  words: Int32Array,
  form: number,
  flags: number,
  operand: Decorated,
  i: number,
): boolean {
  const slot = (words[form + FormWord.slots]! >> (i * SLOT_BITS)) & SLOT_MASK;
  const width = (flags >> FormFlag.broadcastShift) & 3;
  if (width === 0 || slot !== Slot.rm || operand.operand.kind !== "memory") return false;
  const elementBits = 8 << width;
  if (operand.operand.width !== 0 && operand.operand.width !== elementBits) return false;
  const whole = words[form + i]! & ANY_MEMORY;
  if (operand.elements !== 0 && whole !== MEMORY_BITS[operand.elements * elementBits]) return false;
  decoration.broadcast = true;
  return true;
}

const MEMORY_BITS: Readonly<Record<number, number>> = {
  32: OperandBit.m32,
  64: OperandBit.m64,
  128: OperandBit.m128,
  256: OperandBit.m256,
  512: OperandBit.m512,
};

/** Writes the four prefix bytes. */
function prefix(encoder: Encoder, form: number, memory: Memory | null): void {
  const opcode = encoder.set.words[form + FormWord.opcode]!;
  const { section } = encoder;
  const { reg, vvvv, rm } = places;
  const base = memory?.base?.number ?? 0;
  const index = memory?.index?.number ?? 0;
  const isVsib = memory !== null && (memory.bits & ANY_VSIB) !== 0;
  const { mask, zeroing, broadcast, rounding } = decoration;
  const hasRounding = rounding !== Rounding.none;
  // With exceptions suppressed alone the length bits mean nothing; GNU as leaves them 0.
  const length = hasRounding ? rounding & 3 : (opcode >> OpcodeField.operandSize) & 3;
  const inverted =
    (reg & 8 ? 0 : 0x80) |
    (memory === null ? (rm & 16 ? 0 : 0x40) : index & 8 ? 0 : 0x40) |
    ((memory === null ? rm : base) & 8 ? 0 : 0x20) |
    (reg & 16 ? 0 : 0x10);
  const { bytes } = section;
  const at = section.length;
  bytes[at] = 0x62;
  bytes[at + 1] = inverted | ((opcode >> OpcodeField.map) & 7);
  bytes[at + 2] =
    (((opcode >> OpcodeField.rexW) & 1) << 7) |
    ((~vvvv & 15) << 3) |
    4 |
    ((opcode >> OpcodeField.prefix) & 3);
  bytes[at + 3] =
    (zeroing ? 0x80 : 0) |
    (length << 5) |
    (broadcast || hasRounding ? 0x10 : 0) |
    ((isVsib ? index : vvvv) & 16 ? 0 : 8) |
    mask;
  section.length = at + 4;
}
