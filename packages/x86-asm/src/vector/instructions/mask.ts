/** SDM Vol. 1, "Opmask Instructions", and what moves between vectors and opmasks. */
import type { Row } from "../../notation.js";

/** Widths of opmask operations: letter, prefix and W of most, feature. */
const WIDTHS: readonly (readonly [letter: string, prefix: string, w: string, feature: string])[] = [
  ["b", "66", "W0", "AVX512DQ"],
  ["w", "NP", "W0", "AVX512F"],
  ["d", "66", "W1", "AVX512BW"],
  ["q", "NP", "W1", "AVX512BW"],
];

const TERNARY: readonly (readonly [stem: string, opcode: string])[] = [
  ["kand", "41"],
  ["kandn", "42"],
  ["kor", "45"],
  ["kxnor", "46"],
  ["kxor", "47"],
  ["kadd", "4A"],
];

const BINARY: readonly (readonly [stem: string, opcode: string])[] = [
  ["knot", "44"],
  ["kortest", "98"],
  ["ktest", "99"],
];

/** KADDB, KADDW, KTESTB and KTESTW came with AVX512DQ. */
function feature(stem: string, letter: string, usual: string): string {
  return (stem === "kadd" || stem === "ktest") && letter === "w" ? "AVX512DQ" : usual;
}

/** Vector to mask and back: mnemonic, operands, W, opcode, feature. */
const TRANSFERS: readonly (readonly [
  mnemonic: string,
  operands: string,
  w: string,
  opcode: string,
  feature: string,
])[] = [
  ["vpmovm2b", "v, k", "W0", "28", "AVX512BW"],
  ["vpmovm2w", "v, k", "W1", "28", "AVX512BW"],
  ["vpmovm2d", "v, k", "W0", "38", "AVX512DQ"],
  ["vpmovm2q", "v, k", "W1", "38", "AVX512DQ"],
  ["vpmovb2m", "k, v", "W0", "29", "AVX512BW"],
  ["vpmovw2m", "k, v", "W1", "29", "AVX512BW"],
  ["vpmovd2m", "k, v", "W0", "39", "AVX512DQ"],
  ["vpmovq2m", "k, v", "W1", "39", "AVX512DQ"],
];

export const mask: readonly Row[] = [
  ["kmovb k, k/m8", "VEX.L0.66.0F.W0 90 /r", "AVX512DQ"],
  ["kmovw k, k/m16", "VEX.L0.NP.0F.W0 90 /r", "AVX512F"],
  ["kmovd k, k/m32", "VEX.L0.66.0F.W1 90 /r", "AVX512BW"],
  ["kmovq k, k/m64", "VEX.L0.NP.0F.W1 90 /r", "AVX512BW"],
  ["kmovb m8, k", "VEX.L0.66.0F.W0 91 /r", "AVX512DQ"],
  ["kmovw m16, k", "VEX.L0.NP.0F.W0 91 /r", "AVX512F"],
  ["kmovd m32, k", "VEX.L0.66.0F.W1 91 /r", "AVX512BW"],
  ["kmovq m64, k", "VEX.L0.NP.0F.W1 91 /r", "AVX512BW"],
  ["kmovb k, r32", "VEX.L0.66.0F.W0 92 /r", "AVX512DQ"],
  ["kmovw k, r32", "VEX.L0.NP.0F.W0 92 /r", "AVX512F"],
  ["kmovd k, r32", "VEX.L0.F2.0F.W0 92 /r", "AVX512BW"],
  ["kmovq k, r64", "VEX.L0.F2.0F.W1 92 /r", "AVX512BW 64"],
  ["kmovb r32, k", "VEX.L0.66.0F.W0 93 /r", "AVX512DQ"],
  ["kmovw r32, k", "VEX.L0.NP.0F.W0 93 /r", "AVX512F"],
  ["kmovd r32, k", "VEX.L0.F2.0F.W0 93 /r", "AVX512BW"],
  ["kmovq r64, k", "VEX.L0.F2.0F.W1 93 /r", "AVX512BW 64"],
  ...TERNARY.flatMap(([stem, opcode]) =>
    WIDTHS.map(
      ([letter, prefix, w, usual]): Row => [
        `${stem}${letter} k, k, k`,
        `VEX.L1.${prefix}.0F.${w} ${opcode} /r`,
        feature(stem, letter, usual),
      ],
    ),
  ),
  ...BINARY.flatMap(([stem, opcode]) =>
    WIDTHS.map(
      ([letter, prefix, w, usual]): Row => [
        `${stem}${letter} k, k`,
        `VEX.L0.${prefix}.0F.${w} ${opcode} /r`,
        feature(stem, letter, usual),
      ],
    ),
  ),
  ["kunpckbw k, k, k", "VEX.L1.66.0F.W0 4B /r", "AVX512F"],
  ["kunpckwd k, k, k", "VEX.L1.NP.0F.W0 4B /r", "AVX512BW"],
  ["kunpckdq k, k, k", "VEX.L1.NP.0F.W1 4B /r", "AVX512BW"],
  ...(["kshiftr", "kshiftl"] as const).flatMap((stem, i): Row[] => [
    [`${stem}b k, k, imm8`, `VEX.L0.66.0F3A.W0 3${2 * i} /r ib`, "AVX512DQ"],
    [`${stem}w k, k, imm8`, `VEX.L0.66.0F3A.W1 3${2 * i} /r ib`, "AVX512F"],
    [`${stem}d k, k, imm8`, `VEX.L0.66.0F3A.W0 3${2 * i + 1} /r ib`, "AVX512BW"],
    [`${stem}q k, k, imm8`, `VEX.L0.66.0F3A.W1 3${2 * i + 1} /r ib`, "AVX512BW"],
  ]),
  ...TRANSFERS.map(
    ([mnemonic, operands, w, opcode, usual]): Row => [
      `${mnemonic} ${operands}`,
      `EVEX.xyz.F3.0F38.${w} ${opcode} /r`,
      usual,
    ],
  ),
];
