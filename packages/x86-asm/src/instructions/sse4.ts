/** SDM Vol. 1, "SSE3 Instructions", "SSE4.1 Instructions", "SSE4.2 Instructions"; APM Vol. 4, SSE4A. SSSE3 stands in mmx.ts. */
import type { Row } from "../notation.js";

/** `xmm, xmm/m128` under 66 0F 38. */
const PACKED_38: readonly (readonly [mnemonic: string, opcode: string])[] = [
  ["ptest", "17"],
  ["pmuldq", "28"],
  ["pcmpeqq", "29"],
  ["packusdw", "2B"],
  ["pminsb", "38"],
  ["pminsd", "39"],
  ["pminuw", "3A"],
  ["pminud", "3B"],
  ["pmaxsb", "3C"],
  ["pmaxsd", "3D"],
  ["pmaxuw", "3E"],
  ["pmaxud", "3F"],
  ["pmulld", "40"],
  ["phminposuw", "41"],
];

/** Widening moves: opcode and the width of a memory source. */
const EXTENSIONS: readonly (readonly [suffix: string, opcode: number, width: number])[] = [
  ["bw", 0x20, 64],
  ["bd", 0x21, 32],
  ["bq", 0x22, 16],
  ["wd", 0x23, 64],
  ["wq", 0x24, 32],
  ["dq", 0x25, 64],
];

export const sse4: readonly Row[] = [
  ["addsubpd xmm, xmm/m128", "66 0F D0 /r", "SSE3"],
  ["addsubps xmm, xmm/m128", "F2 0F D0 /r", "SSE3"],
  ["haddpd xmm, xmm/m128", "66 0F 7C /r", "SSE3"],
  ["haddps xmm, xmm/m128", "F2 0F 7C /r", "SSE3"],
  ["hsubpd xmm, xmm/m128", "66 0F 7D /r", "SSE3"],
  ["hsubps xmm, xmm/m128", "F2 0F 7D /r", "SSE3"],
  ["lddqu xmm, m128", "F2 0F F0 /r", "SSE3"],
  ["movddup xmm, xmm/m64", "F2 0F 12 /r", "SSE3"],
  ["movshdup xmm, xmm/m128", "F3 0F 16 /r", "SSE3"],
  ["movsldup xmm, xmm/m128", "F3 0F 12 /r", "SSE3"],

  ...PACKED_38.map(([mnemonic, code]): Row => [`${mnemonic} xmm, xmm/m128`, `66 0F 38 ${code} /r`, "SSE4.1"]),
  ...EXTENSIONS.flatMap(([suffix, code, width]): Row[] => [
    [`pmovsx${suffix} xmm, xmm/m${width}`, `66 0F 38 ${code.toString(16)} /r`, "SSE4.1"],
    [`pmovzx${suffix} xmm, xmm/m${width}`, `66 0F 38 ${(code + 0x10).toString(16)} /r`, "SSE4.1"],
  ]),
  ["pblendvb xmm, xmm/m128, <xmm0>", "66 0F 38 10 /r", "SSE4.1"],
  ["blendvps xmm, xmm/m128, <xmm0>", "66 0F 38 14 /r", "SSE4.1"],
  ["blendvpd xmm, xmm/m128, <xmm0>", "66 0F 38 15 /r", "SSE4.1"],
  ["movntdqa xmm, m128", "66 0F 38 2A /r", "SSE4.1"],
  ["roundps xmm, xmm/m128, imm8", "66 0F 3A 08 /r ib", "SSE4.1"],
  ["roundpd xmm, xmm/m128, imm8", "66 0F 3A 09 /r ib", "SSE4.1"],
  ["roundss xmm, xmm/m32, imm8", "66 0F 3A 0A /r ib", "SSE4.1"],
  ["roundsd xmm, xmm/m64, imm8", "66 0F 3A 0B /r ib", "SSE4.1"],
  ["blendps xmm, xmm/m128, imm8", "66 0F 3A 0C /r ib", "SSE4.1"],
  ["blendpd xmm, xmm/m128, imm8", "66 0F 3A 0D /r ib", "SSE4.1"],
  ["pblendw xmm, xmm/m128, imm8", "66 0F 3A 0E /r ib", "SSE4.1"],
  ["pextrb r32/m8, xmm, imm8", "66 0F 3A 14 /r ib", "SSE4.1 MRI"],
  ["pextrd r/m32, xmm, imm8", "66 0F 3A 16 /r ib", "SSE4.1 MRI"],
  ["pextrq r/m64, xmm, imm8", "66 o64 0F 3A 16 /r ib", "SSE4.1 MRI"],
  ["extractps r/m32, xmm, imm8", "66 0F 3A 17 /r ib", "SSE4.1 MRI"],
  ["pinsrb xmm, r32/m8, imm8", "66 0F 3A 20 /r ib", "SSE4.1"],
  ["insertps xmm, xmm/m32, imm8", "66 0F 3A 21 /r ib", "SSE4.1"],
  ["pinsrd xmm, r/m32, imm8", "66 0F 3A 22 /r ib", "SSE4.1"],
  ["pinsrq xmm, r/m64, imm8", "66 o64 0F 3A 22 /r ib", "SSE4.1"],
  ["dpps xmm, xmm/m128, imm8", "66 0F 3A 40 /r ib", "SSE4.1"],
  ["dppd xmm, xmm/m128, imm8", "66 0F 3A 41 /r ib", "SSE4.1"],
  ["mpsadbw xmm, xmm/m128, imm8", "66 0F 3A 42 /r ib", "SSE4.1"],

  ["pcmpgtq xmm, xmm/m128", "66 0F 38 37 /r", "SSE4.2"],
  ["pcmpestrm xmm, xmm/m128, imm8", "66 0F 3A 60 /r ib", "SSE4.2"],
  ["pcmpestri xmm, xmm/m128, imm8", "66 0F 3A 61 /r ib", "SSE4.2"],
  ["pcmpestrmq xmm, xmm/m128, imm8", "66 o64 0F 3A 60 /r ib", "SSE4.2"],
  ["pcmpestriq xmm, xmm/m128, imm8", "66 o64 0F 3A 61 /r ib", "SSE4.2"],
  ["pcmpistrm xmm, xmm/m128, imm8", "66 0F 3A 62 /r ib", "SSE4.2"],
  ["pcmpistri xmm, xmm/m128, imm8", "66 0F 3A 63 /r ib", "SSE4.2"],

  ["extrq xmm, imm8, imm8", "66 0F 78 /0 ib ib", "SSE4A"],
  ["extrq xmm, xmm", "66 0F 79 /r", "SSE4A"],
  ["insertq xmm, xmm, imm8, imm8", "F2 0F 78 /r ib ib", "SSE4A"],
  ["insertq xmm, xmm", "F2 0F 79 /r", "SSE4A"],
  ["movntss m32, xmm", "F3 0F 2B /r", "SSE4A"],
  ["movntsd m64, xmm", "F2 0F 2B /r", "SSE4A"],
];
