/** SDM Vol. 1, "AVX512-FP16 Instructions"; its fused multiply-adds stand in fma.ts. */
import type { Row } from "../../notation.js";
import { compares } from "./float.js";

const FEATURE = "AVX512_FP16";

/** Packed and scalar operations on three operands: opcode in MAP5, rounding. */
const ARITHMETIC: readonly (readonly [stem: string, opcode: string, rounding: string])[] = [
  ["vadd", "58", "{er}"],
  ["vmul", "59", "{er}"],
  ["vsub", "5C", "{er}"],
  ["vmin", "5D", "{sae}"],
  ["vdiv", "5E", "{er}"],
  ["vmax", "5F", "{sae}"],
];

/** Complex multiplication: prefix, opcodes of the packed and the scalar form in MAP6. */
const COMPLEX: readonly (readonly [stem: string, prefix: string, packed: string, scalar: string])[] = [
  ["vfcmaddc", "F2", "56", "57"],
  ["vfmaddc", "F3", "56", "57"],
  ["vfcmulc", "F2", "D6", "D7"],
  ["vfmulc", "F3", "D6", "D7"],
];

/** Packed conversions: operands, prefix and map, W, opcode. */
const CONVERSIONS: readonly (readonly [operands: string, prefix: string, w: string, opcode: string])[] = [
  ["vcvtps2phx vh{kz}, v/mv/b32{er}", "66.MAP5", "W0", "1D"],
  ["vcvtph2pd v{kz}, vq/mq/b16{sae}", "NP.MAP5", "W0", "5A"],
  ["vcvtpd2ph vq{kz}, v/mv/b64{er}", "66.MAP5", "W1", "5A"],
  ["vcvtdq2ph vh{kz}, v/mv/b32{er}", "NP.MAP5", "W0", "5B"],
  ["vcvtqq2ph vq{kz}, v/mv/b64{er}", "NP.MAP5", "W1", "5B"],
  ["vcvtph2dq v{kz}, vh/mh/b16{er}", "66.MAP5", "W0", "5B"],
  ["vcvttph2dq v{kz}, vh/mh/b16{sae}", "F3.MAP5", "W0", "5B"],
  ["vcvttph2udq v{kz}, vh/mh/b16{sae}", "NP.MAP5", "W0", "78"],
  ["vcvttph2uqq v{kz}, vq/mq/b16{sae}", "66.MAP5", "W0", "78"],
  ["vcvtph2udq v{kz}, vh/mh/b16{er}", "NP.MAP5", "W0", "79"],
  ["vcvtph2uqq v{kz}, vq/mq/b16{er}", "66.MAP5", "W0", "79"],
  ["vcvttph2qq v{kz}, vq/mq/b16{sae}", "66.MAP5", "W0", "7A"],
  ["vcvtudq2ph vh{kz}, v/mv/b32{er}", "F2.MAP5", "W0", "7A"],
  ["vcvtuqq2ph vq{kz}, v/mv/b64{er}", "F2.MAP5", "W1", "7A"],
  ["vcvtph2qq v{kz}, vq/mq/b16{er}", "66.MAP5", "W0", "7B"],
  ["vcvttph2uw v{kz}, v/mv/b16{sae}", "NP.MAP5", "W0", "7C"],
  ["vcvttph2w v{kz}, v/mv/b16{sae}", "66.MAP5", "W0", "7C"],
  ["vcvtph2uw v{kz}, v/mv/b16{er}", "NP.MAP5", "W0", "7D"],
  ["vcvtph2w v{kz}, v/mv/b16{er}", "66.MAP5", "W0", "7D"],
  ["vcvtw2ph v{kz}, v/mv/b16{er}", "F3.MAP5", "W0", "7D"],
  ["vcvtuw2ph v{kz}, v/mv/b16{er}", "F2.MAP5", "W0", "7D"],
  ["vcvtph2psx v{kz}, vh/mh/b16{sae}", "66.MAP6", "W0", "13"],
];

/** To and from general registers: operands at the end, opcode. */
const GENERAL: readonly (readonly [mnemonic: string, opcode: string, rounding: string, isSource: boolean])[] =
  [
    ["vcvtsi2sh", "2A", "{er}", true],
    ["vcvtusi2sh", "7B", "{er}", true],
    ["vcvttsh2si", "2C", "{sae}", false],
    ["vcvtsh2si", "2D", "{er}", false],
    ["vcvttsh2usi", "78", "{sae}", false],
    ["vcvtsh2usi", "79", "{er}", false],
  ];

export const fp16: readonly Row[] = [
  ["vmovsh xmm{kz}, m16", "EVEX.LIG.F3.MAP5.W0 10 /r", FEATURE],
  ["vmovsh m16{k}, xmm", "EVEX.LIG.F3.MAP5.W0 11 /r", FEATURE],
  ["vmovsh xmm{kz}, xmm, xmm", "EVEX.LIG.F3.MAP5.W0 10 /r", FEATURE],
  ["vmovw xmm, r32/m16", "EVEX.128.66.MAP5.WIG 6E /r", FEATURE],
  ["vmovw r32/m16, xmm", "EVEX.128.66.MAP5.WIG 7E /r", FEATURE],
  ...ARITHMETIC.flatMap(([stem, opcode, rounding]): Row[] => [
    [`${stem}ph v{kz}, v, v/mv/b16${rounding}`, `EVEX.xyz.NP.MAP5.W0 ${opcode} /r`, FEATURE],
    [`${stem}sh xmm{kz}, xmm, xmm/m16${rounding}`, `EVEX.LIG.F3.MAP5.W0 ${opcode} /r`, FEATURE],
  ]),
  ["vsqrtph v{kz}, v/mv/b16{er}", "EVEX.xyz.NP.MAP5.W0 51 /r", FEATURE],
  ["vsqrtsh xmm{kz}, xmm, xmm/m16{er}", "EVEX.LIG.F3.MAP5.W0 51 /r", FEATURE],
  ["vrcpph v{kz}, v/mv/b16", "EVEX.xyz.66.MAP6.W0 4C /r", FEATURE],
  ["vrcpsh xmm{kz}, xmm, xmm/m16", "EVEX.LIG.66.MAP6.W0 4D /r", FEATURE],
  ["vrsqrtph v{kz}, v/mv/b16", "EVEX.xyz.66.MAP6.W0 4E /r", FEATURE],
  ["vrsqrtsh xmm{kz}, xmm, xmm/m16", "EVEX.LIG.66.MAP6.W0 4F /r", FEATURE],
  ["vscalefph v{kz}, v, v/mv/b16{er}", "EVEX.xyz.66.MAP6.W0 2C /r", FEATURE],
  ["vscalefsh xmm{kz}, xmm, xmm/m16{er}", "EVEX.LIG.66.MAP6.W0 2D /r", FEATURE],
  ["vgetexpph v{kz}, v/mv/b16{sae}", "EVEX.xyz.66.MAP6.W0 42 /r", FEATURE],
  ["vgetexpsh xmm{kz}, xmm, xmm/m16{sae}", "EVEX.LIG.66.MAP6.W0 43 /r", FEATURE],
  ["vgetmantph v{kz}, v/mv/b16{sae}, imm8", "EVEX.xyz.NP.0F3A.W0 26 /r ib", FEATURE],
  ["vgetmantsh xmm{kz}, xmm, xmm/m16{sae}, imm8", "EVEX.LIG.NP.0F3A.W0 27 /r ib", FEATURE],
  ["vrndscaleph v{kz}, v/mv/b16{sae}, imm8", "EVEX.xyz.NP.0F3A.W0 08 /r ib", FEATURE],
  ["vrndscalesh xmm{kz}, xmm, xmm/m16{sae}, imm8", "EVEX.LIG.NP.0F3A.W0 0A /r ib", FEATURE],
  ["vreduceph v{kz}, v/mv/b16{sae}, imm8", "EVEX.xyz.NP.0F3A.W0 56 /r ib", FEATURE],
  ["vreducesh xmm{kz}, xmm, xmm/m16{sae}, imm8", "EVEX.LIG.NP.0F3A.W0 57 /r ib", FEATURE],
  ["vfpclassph k{k}, v/mv/b16, imm8", "EVEX.xyz.NP.0F3A.W0 66 /r ib", FEATURE],
  ["vfpclasssh k{k}, xmm/m16, imm8", "EVEX.LIG.NP.0F3A.W0 67 /r ib", FEATURE],
  ["vucomish xmm, xmm/m16{sae}", "EVEX.LIG.NP.MAP5.W0 2E /r", FEATURE],
  ["vcomish xmm, xmm/m16{sae}", "EVEX.LIG.NP.MAP5.W0 2F /r", FEATURE],
  ...compares("vcmp", "ph", [["k{k}, v, v/mv/b16{sae}", "EVEX.xyz.NP.0F3A.W0 C2 /r", FEATURE]]),
  ...compares("vcmp", "sh", [["k{k}, xmm, xmm/m16{sae}", "EVEX.LIG.F3.0F3A.W0 C2 /r", FEATURE]]),

  ...COMPLEX.flatMap(([stem, prefix, packed, scalar]): Row[] => [
    [`${stem}ph v{kz}, v, v/mv/b32{er}`, `EVEX.xyz.${prefix}.MAP6.W0 ${packed} /r`, FEATURE],
    [`${stem}sh xmm{kz}, xmm, xmm/m32{er}`, `EVEX.LIG.${prefix}.MAP6.W0 ${scalar} /r`, FEATURE],
  ]),
  ...CONVERSIONS.map(
    ([operands, prefix, w, opcode]): Row => [operands, `EVEX.xyz.${prefix}.${w} ${opcode} /r`, FEATURE],
  ),
  ["vcvtss2sh xmm{kz}, xmm, xmm/m32{er}", "EVEX.LIG.NP.MAP5.W0 1D /r", FEATURE],
  ["vcvtsh2ss xmm{kz}, xmm, xmm/m16{sae}", "EVEX.LIG.NP.MAP6.W0 13 /r", FEATURE],
  ["vcvtsd2sh xmm{kz}, xmm, xmm/m64{er}", "EVEX.LIG.F2.MAP5.W1 5A /r", FEATURE],
  ["vcvtsh2sd xmm{kz}, xmm, xmm/m16{sae}", "EVEX.LIG.F3.MAP5.W0 5A /r", FEATURE],
  ...GENERAL.flatMap(([mnemonic, opcode, rounding, isSource]): Row[] =>
    [32, 64].map((width) => [
      isSource ? `${mnemonic} xmm, xmm, r/m${width}${rounding}` : `${mnemonic} r${width}, xmm/m16${rounding}`,
      `EVEX.LIG.F3.MAP5.${width === 64 ? "W1" : "W0"} ${opcode} /r`,
      width === 64 ? `${FEATURE} 64` : `${FEATURE} default`,
    ]),
  ),
];
