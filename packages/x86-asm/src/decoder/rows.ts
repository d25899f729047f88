/**
 * Encodings that processors execute and objdump names, but that no assembler writes: fields that mean nothing are not 0,
 * or a shorter form exists. In the notation of the instruction table; only decoders load them.
 */
import { CONDITIONS, opcode } from "../instructions/conditions.js";
import type { Row } from "../notation.js";

export const decoderRows: readonly Row[] = [
  ...CONDITIONS.map(([name], code): Row => [`set${name} r/m8`, `0F ${opcode(0x90, code)} /r`, "386"]),
  // Group 3 and the shifts have each a digit twice.
  ["test r/m8, imm8", "F6 /1 ib", "8086"],
  ["test r/mv, immz", "ov F7 /1 iz", "8086"],
  ["shl r/m8, 1", "D0 /6", "8086"],
  ["shl r/mv, 1", "ov D1 /6", "8086"],
  ["shl r/m8, imm8", "C0 /6 ib", "186"],
  ["shl r/mv, imm8", "ov C1 /6 ib", "186"],
  ["shl r/m8, cl", "D2 /6", "8086"],
  ["shl r/mv, cl", "ov D3 /6", "8086"],
  ["bswap r16", "o16 0F C8+r", "486"],
  // SDM Vol. 2B, "NOP": the reserved ones, hints where later processors know them.
  ...["18", "19", "1A", "1B", "1C", "1D", "1E", "1F"].map(
    (code): Row => ["nop r/mv", `ov 0F ${code} /r`, "686 M"],
  ),
  ["prefetch m8", "0F 0D /r", "3DNOW M"],
];

/** The same for the vector entry. */
export const vectorDecoderRows: readonly Row[] = [
  ["vmovq xmm, r/m64", "VEX.128.66.0F.W1 6E /r", "AVX 64"],
  ["vmovq r/m64, xmm", "VEX.128.66.0F.W1 7E /r", "AVX 64 MR"],
  ["vpextrw r32, xmm, imm8", "VEX.128.66.0F3A.W0 15 /r ib", "AVX MRI"],
  ["vpextrw r32, xmm, imm8", "EVEX.128.66.0F3A.WIG 15 /r ib", "AVX512BW MRI"],
];
