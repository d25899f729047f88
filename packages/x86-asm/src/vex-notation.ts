/**
 * The part of the notation that VEX, EVEX and XOP rows have for themselves (SDM Vol. 2A, "Instruction Format",
 * "Opcode Column in the Instruction Summary Table (Instructions with VEX/EVEX prefix)").
 *
 * The prefix is one token: `VEX.128.66.0F38.W0`, `EVEX.512.NP.MAP5.W1`, `XOP.128.NP.M8.W0`: vector length (128,
 * 256, 512, LIG, LZ, L0, L1), implied prefix, opcode map, W (W0, W1, WIG). Lengths `xy xyz yz`, one letter each for
 * 128, 256 and 512, stand for a row each; in those rows operands may be written as fractions of the vector:
 * - `v vh vq ve`: a register of the whole length, of half, a quarter, an eighth of it (XMM at least);
 * - `mv mh mq me`: memory of exactly that length;
 * - `vm32v vm64v vm32h vm64h`: memory whose index vector is the whole length, or half, with that width of index.
 * Elements of VSIB memory are as wide as W says.
 *
 * `/is4` stands for a byte with a register in its upper half, and an `imm4` operand in the lower if there is one.
 * Behind operands, in braces: `{k}` may be masked, `{kz}` may be masked and zeroed, `{k!}` must be masked, `{er}`
 * takes a rounding mode, `{sae}` suppresses exceptions; the last two hold for 512 bits and scalars. `b16 b32 b64` is
 * memory broadcast.
 * `11:rrr:000`: a ModR/M byte with a register in its middle field alone.
 * Attributes: `N1` to `N8`: bytes that a displacement byte counts in, where not the width of the memory operand; `swap`: the next row is the same move the other way round; `sib`: the address must have a SIB byte.
 */
import { EncodingKind, OpcodeMap } from "./operand-bits.js";

/** Fields of an encoding that a prefix token sets. */
export interface VexFields {
  kind: number;
  map: number;
  prefix: number;
  noPrefix: boolean;
  rexW: boolean;
  ignoresW: boolean;
  ignoresLength: boolean;
  operandSize: number;
}

const KINDS: Readonly<Record<string, number>> = {
  VEX: EncodingKind.vex,
  EVEX: EncodingKind.evex,
  XOP: EncodingKind.xop,
};
const LENGTHS: Readonly<Record<string, number>> = {
  "128": 0,
  LIG: 0,
  LZ: 0,
  L0: 0,
  "256": 1,
  L1: 1,
  "512": 2,
};
/** As VEX.pp numbers them. */
const PREFIXES: Readonly<Record<string, number>> = { NP: 0, "66": 1, F3: 2, F2: 3 };
const WIDTHS: Readonly<Record<string, boolean>> = { W0: false, W1: true, WIG: false };

/** Whether `token` is a VEX, EVEX or XOP prefix; sets its fields. Throws `RangeError` if a part is unknown. */
export function applyVexPrefix(token: string, fields: VexFields): boolean {
  const [kind, length, prefix, map, width] = token.split(".");
  if (!(kind! in KINDS)) return false;
  fields.kind = KINDS[kind!]!;
  fields.operandSize = find(LENGTHS, length);
  fields.prefix = find(PREFIXES, prefix);
  fields.noPrefix = prefix === "NP";
  fields.map = find(OpcodeMap, map);
  fields.rexW = find(WIDTHS, width);
  fields.ignoresW = width === "WIG";
  fields.ignoresLength = length === "LIG";
  return true;
}

function find<T>(table: Readonly<Record<string, T>>, part: string | undefined): T {
  if (part !== undefined && Object.hasOwn(table, part)) return table[part]!;
  throw new RangeError(`${part} is none of ${Object.keys(table).join(" ")}`);
}

const LENGTH_LETTERS: Readonly<Record<string, number>> = { x: 128, y: 256, z: 512 };
const REGISTERS: Readonly<Record<number, string>> = { 128: "xmm", 256: "ymm", 512: "zmm" };
const FRACTIONS: Readonly<Record<string, number>> = { v: 1, h: 2, q: 4, e: 8 };

/** The vector lengths that a row stands for, in bits; empty if it does not fold lengths. */
export function foldedLengths(encoding: string): number[] {
  const letters = /^E?VEX\.([xyz]+)\.|^XOP\.([xyz]+)\./.exec(encoding);
  return [...(letters?.[1] ?? letters?.[2] ?? "")].map((letter) => LENGTH_LETTERS[letter]!);
}

/** A row's instruction, encoding and attributes at one vector length. */
export function atLength(
  [instruction, encoding, attributes]: readonly [string, string, string],
  length: number,
): readonly [string, string, string] {
  const isEvex = encoding.startsWith("EVEX");
  const blank = instruction.indexOf(" ");
  const operands = instruction.slice(blank).replace(/[^ ,/{}]+|\{er\}|\{sae\}/g, (part) => {
    if (part === "{er}" || part === "{sae}") return length === 512 ? part : "";
    return operandAt(part, length);
  });
  const features = isEvex && length !== 512 ? attributes.replace(/AVX512\w*/, "$&,AVX512VL") : attributes;
  return [instruction.slice(0, blank) + operands, encoding.replace(/\.[xyz]+\./, `.${length}.`), features];
}

function operandAt(part: string, length: number): string {
  const match = /^(v|m)([hqe]?)$|^(mv)$|^vm(32|64)([vh])$/.exec(part);
  if (match === null || part === "m") return part;
  if (match[3] !== undefined) return `m${length}`;
  if (match[4] !== undefined) {
    return `vm${match[4]}${"xyz"[Math.log2(Math.max(length / FRACTIONS[match[5]!]!, 128) / 128)]}`;
  }
  const size = length / FRACTIONS[match[2] || "v"]!;
  return match[1] === "v" ? REGISTERS[Math.max(size, 128)]! : `m${size}`;
}
