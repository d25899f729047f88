/** SDM Vol. 1, "SSE Instructions" and "SSE2 Instructions": floating point; the integer ones stand in mmx.ts. */
import type { Row } from "../notation.js";
import { opcode } from "./conditions.js";

/** Packed and scalar, single and double: suffix, mandatory prefix, width of a memory source, feature. */
const TYPES: readonly (readonly [suffix: string, prefix: string, width: number, feature: string])[] = [
  ["ps", "NP", 128, "SSE"],
  ["pd", "66", 128, "SSE2"],
  ["ss", "F3", 32, "SSE"],
  ["sd", "F2", 64, "SSE2"],
];

/** Predicates of CMPPS and its kin that have a mnemonic of their own. */
const PREDICATES = ["eq", "lt", "le", "unord", "neq", "nlt", "nle", "ord"];

/** Rows `xmm, xmm/m` for some of `TYPES`. */
function floating(stem: string, code: string, types: readonly string[] = ["ps", "pd", "ss", "sd"]): Row[] {
  return TYPES.filter(([suffix]) => types.includes(suffix)).map(([suffix, prefix, width, feature]) => [
    `${stem}${suffix} xmm, xmm/m${width}`,
    `${prefix} 0F ${code} /r`,
    feature,
  ]);
}

const PACKED = ["ps", "pd"];
const SINGLE = ["ps", "ss"];

function compare(suffix: string, prefix: string, width: number, feature: string): Row[] {
  return [
    ...PREDICATES.map(
      (predicate, i): Row => [
        `cmp${predicate}${suffix} xmm, xmm/m${width}`,
        `${prefix} 0F C2 /r ${opcode(0, i)}`,
        feature,
      ],
    ),
    [`cmp${suffix} xmm, xmm/m${width}, imm8`, `${prefix} 0F C2 /r ib`, feature],
  ];
}

export const sse: readonly Row[] = [
  ["movups xmm, xmm/m128", "NP 0F 10 /r", "SSE"],
  ["movups xmm/m128, xmm", "NP 0F 11 /r", "SSE"],
  ["movupd xmm, xmm/m128", "66 0F 10 /r", "SSE2"],
  ["movupd xmm/m128, xmm", "66 0F 11 /r", "SSE2"],
  ["movss xmm, xmm/m32", "F3 0F 10 /r", "SSE"],
  ["movss xmm/m32, xmm", "F3 0F 11 /r", "SSE"],
  ["movsd xmm, xmm/m64", "F2 0F 10 /r", "SSE2"],
  ["movsd xmm/m64, xmm", "F2 0F 11 /r", "SSE2"],
  ["movhlps xmm, xmm", "NP 0F 12 /r", "SSE"],
  ["movlps xmm, m64", "NP 0F 12 /r", "SSE"],
  ["movlps m64, xmm", "NP 0F 13 /r", "SSE"],
  ["movlpd xmm, m64", "66 0F 12 /r", "SSE2"],
  ["movlpd m64, xmm", "66 0F 13 /r", "SSE2"],
  ["movlhps xmm, xmm", "NP 0F 16 /r", "SSE"],
  ["movhps xmm, m64", "NP 0F 16 /r", "SSE"],
  ["movhps m64, xmm", "NP 0F 17 /r", "SSE"],
  ["movhpd xmm, m64", "66 0F 16 /r", "SSE2"],
  ["movhpd m64, xmm", "66 0F 17 /r", "SSE2"],
  ["movaps xmm, xmm/m128", "NP 0F 28 /r", "SSE"],
  ["movaps xmm/m128, xmm", "NP 0F 29 /r", "SSE"],
  ["movapd xmm, xmm/m128", "66 0F 28 /r", "SSE2"],
  ["movapd xmm/m128, xmm", "66 0F 29 /r", "SSE2"],
  ["movntps m128, xmm", "NP 0F 2B /r", "SSE"],
  ["movntpd m128, xmm", "66 0F 2B /r", "SSE2"],
  ["movmskps r32, xmm", "NP 0F 50 /r", "SSE"],
  ["movmskps r64, xmm", "NP 0F 50 /r", "SSE 64"],
  ["movmskpd r32, xmm", "66 0F 50 /r", "SSE2"],
  ["movmskpd r64, xmm", "66 0F 50 /r", "SSE2 64"],
  ...floating("unpckl", "14", PACKED),
  ...floating("unpckh", "15", PACKED),

  ...floating("sqrt", "51"),
  ...floating("rsqrt", "52", SINGLE),
  ...floating("rcp", "53", SINGLE),
  ...floating("and", "54", PACKED),
  ...floating("andn", "55", PACKED),
  ...floating("or", "56", PACKED),
  ...floating("xor", "57", PACKED),
  ...floating("add", "58"),
  ...floating("mul", "59"),
  ...floating("sub", "5C"),
  ...floating("min", "5D"),
  ...floating("div", "5E"),
  ...floating("max", "5F"),
  ["ucomiss xmm, xmm/m32", "NP 0F 2E /r", "SSE"],
  ["ucomisd xmm, xmm/m64", "66 0F 2E /r", "SSE2"],
  ["comiss xmm, xmm/m32", "NP 0F 2F /r", "SSE"],
  ["comisd xmm, xmm/m64", "66 0F 2F /r", "SSE2"],
  ...TYPES.flatMap((type) => compare(...type)),
  ["shufps xmm, xmm/m128, imm8", "NP 0F C6 /r ib", "SSE"],
  ["shufpd xmm, xmm/m128, imm8", "66 0F C6 /r ib", "SSE2"],

  ["cvtpi2ps xmm, mm/m64", "NP 0F 2A /r", "SSE"],
  ["cvtpi2pd xmm, mm/m64", "66 0F 2A /r", "SSE2"],
  ["cvtsi2ss xmm, r/m32", "F3 0F 2A /r", "SSE default"],
  ["cvtsi2ss xmm, r/m64", "F3 o64 0F 2A /r", "SSE"],
  ["cvtsi2sd xmm, r/m32", "F2 0F 2A /r", "SSE2 default"],
  ["cvtsi2sd xmm, r/m64", "F2 o64 0F 2A /r", "SSE2"],
  ["cvttps2pi mm, xmm/m64", "NP 0F 2C /r", "SSE"],
  ["cvttpd2pi mm, xmm/m128", "66 0F 2C /r", "SSE2"],
  ["cvttss2si r32, xmm/m32", "F3 0F 2C /r", "SSE"],
  ["cvttss2si r64, xmm/m32", "F3 o64 0F 2C /r", "SSE"],
  ["cvttsd2si r32, xmm/m64", "F2 0F 2C /r", "SSE2"],
  ["cvttsd2si r64, xmm/m64", "F2 o64 0F 2C /r", "SSE2"],
  ["cvtps2pi mm, xmm/m64", "NP 0F 2D /r", "SSE"],
  ["cvtpd2pi mm, xmm/m128", "66 0F 2D /r", "SSE2"],
  ["cvtss2si r32, xmm/m32", "F3 0F 2D /r", "SSE"],
  ["cvtss2si r64, xmm/m32", "F3 o64 0F 2D /r", "SSE"],
  ["cvtsd2si r32, xmm/m64", "F2 0F 2D /r", "SSE2"],
  ["cvtsd2si r64, xmm/m64", "F2 o64 0F 2D /r", "SSE2"],
  ["cvtps2pd xmm, xmm/m64", "NP 0F 5A /r", "SSE2"],
  ["cvtpd2ps xmm, xmm/m128", "66 0F 5A /r", "SSE2"],
  ["cvtss2sd xmm, xmm/m32", "F3 0F 5A /r", "SSE2"],
  ["cvtsd2ss xmm, xmm/m64", "F2 0F 5A /r", "SSE2"],
  ["cvtdq2ps xmm, xmm/m128", "NP 0F 5B /r", "SSE2"],
  ["cvtps2dq xmm, xmm/m128", "66 0F 5B /r", "SSE2"],
  ["cvttps2dq xmm, xmm/m128", "F3 0F 5B /r", "SSE2"],
  ["cvttpd2dq xmm, xmm/m128", "66 0F E6 /r", "SSE2"],
  ["cvtdq2pd xmm, xmm/m64", "F3 0F E6 /r", "SSE2"],
  ["cvtpd2dq xmm, xmm/m128", "F2 0F E6 /r", "SSE2"],

  ["movdqa xmm, xmm/m128", "66 0F 6F /r", "SSE2"],
  ["movdqa xmm/m128, xmm", "66 0F 7F /r", "SSE2"],
  ["movdqu xmm, xmm/m128", "F3 0F 6F /r", "SSE2"],
  ["movdqu xmm/m128, xmm", "F3 0F 7F /r", "SSE2"],
  ["movdq2q mm, xmm", "F2 0F D6 /r", "SSE2"],
  ["movq2dq xmm, mm", "F3 0F D6 /r", "SSE2"],
  ["movntdq m128, xmm", "66 0F E7 /r", "SSE2"],
  ["maskmovdqu xmm, xmm", "66 0F F7 /r", "SSE2"],
  ["pshufd xmm, xmm/m128, imm8", "66 0F 70 /r ib", "SSE2"],
  ["pshufhw xmm, xmm/m128, imm8", "F3 0F 70 /r ib", "SSE2"],
  ["pshuflw xmm, xmm/m128, imm8", "F2 0F 70 /r ib", "SSE2"],
  ["punpcklqdq xmm, xmm/m128", "66 0F 6C /r", "SSE2"],
  ["punpckhqdq xmm, xmm/m128", "66 0F 6D /r", "SSE2"],
  ["psrldq xmm, imm8", "66 0F 73 /3 ib", "SSE2"],
  ["pslldq xmm, imm8", "66 0F 73 /7 ib", "SSE2"],
];
