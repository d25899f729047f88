/** Conversions: SDM Vol. 1, "AVX Instructions", "F16C", "AVX-512 Instructions", BF16 and AVX-NE-CONVERT. */
import type { Row } from "../../notation.js";

/** To a general register: W0 and W1 are its width. */
function toGeneral(
  mnemonic: string,
  prefix: string,
  code: string,
  source: string,
  features: readonly string[],
): Row[] {
  const [vex, evex, rounding] = features;
  const map = `${prefix}.0F`;
  return [
    ...(vex === ""
      ? []
      : ([
          [`${mnemonic} r32, ${source}`, `VEX.LIG.${map}.W0 ${code} /r`, vex!],
          [`${mnemonic} r64, ${source}`, `VEX.LIG.${map}.W1 ${code} /r`, `${vex} 64`],
        ] satisfies Row[])),
    [`${mnemonic} r32, ${source}${rounding}`, `EVEX.LIG.${map}.W0 ${code} /r`, evex!],
    [`${mnemonic} r64, ${source}${rounding}`, `EVEX.LIG.${map}.W1 ${code} /r`, `${evex} 64`],
  ];
}

/** From a general register or memory; a 32-bit integer is exact as a double, so that it takes no rounding. */
function fromGeneral(mnemonic: string, prefix: string, code: string, vex: string, rounding: string): Row[] {
  const map = `${prefix}.0F`;
  return [
    ...(vex === ""
      ? []
      : ([
          [`${mnemonic} xmm, xmm, r/m32`, `VEX.LIG.${map}.W0 ${code} /r`, `${vex} default`],
          [`${mnemonic} xmm, xmm, r/m64`, `VEX.LIG.${map}.W1 ${code} /r`, `${vex} 64`],
        ] satisfies Row[])),
    [`${mnemonic} xmm, xmm, r/m32${rounding}`, `EVEX.LIG.${map}.W0 ${code} /r`, "AVX512F default"],
    [`${mnemonic} xmm, xmm, r/m64{er}`, `EVEX.LIG.${map}.W1 ${code} /r`, "AVX512F 64"],
  ];
}

/** Vector conversions: operands of the EVEX form, prefix and map, opcode, EVEX.W, feature, feature of the VEX form. */
const VECTORS: readonly (readonly [
  operands: string,
  map: string,
  opcode: string,
  w: string,
  evex: string,
  vex?: string,
])[] = [
  ["vcvtps2pd v{kz}, vh/mh/b32{sae}", "NP.0F", "5A", "W0", "AVX512F", "AVX"],
  ["vcvtpd2ps vh{kz}, v/mv/b64{er}", "66.0F", "5A", "W1", "AVX512F", "AVX"],
  ["vcvtdq2ps v{kz}, v/mv/b32{er}", "NP.0F", "5B", "W0", "AVX512F", "AVX"],
  ["vcvtps2dq v{kz}, v/mv/b32{er}", "66.0F", "5B", "W0", "AVX512F", "AVX"],
  ["vcvttps2dq v{kz}, v/mv/b32{sae}", "F3.0F", "5B", "W0", "AVX512F", "AVX"],
  ["vcvttpd2dq vh{kz}, v/mv/b64{sae}", "66.0F", "E6", "W1", "AVX512F", "AVX"],
  ["vcvtdq2pd v{kz}, vh/mh/b32", "F3.0F", "E6", "W0", "AVX512F", "AVX"],
  ["vcvtpd2dq vh{kz}, v/mv/b64{er}", "F2.0F", "E6", "W1", "AVX512F", "AVX"],
  ["vcvtqq2ps vh{kz}, v/mv/b64{er}", "NP.0F", "5B", "W1", "AVX512DQ"],
  ["vcvtqq2pd v{kz}, v/mv/b64{er}", "F3.0F", "E6", "W1", "AVX512DQ"],
  ["vcvttps2udq v{kz}, v/mv/b32{sae}", "NP.0F", "78", "W0", "AVX512F"],
  ["vcvttpd2udq vh{kz}, v/mv/b64{sae}", "NP.0F", "78", "W1", "AVX512F"],
  ["vcvttps2uqq v{kz}, vh/mh/b32{sae}", "66.0F", "78", "W0", "AVX512DQ"],
  ["vcvttpd2uqq v{kz}, v/mv/b64{sae}", "66.0F", "78", "W1", "AVX512DQ"],
  ["vcvtps2udq v{kz}, v/mv/b32{er}", "NP.0F", "79", "W0", "AVX512F"],
  ["vcvtpd2udq vh{kz}, v/mv/b64{er}", "NP.0F", "79", "W1", "AVX512F"],
  ["vcvtps2uqq v{kz}, vh/mh/b32{er}", "66.0F", "79", "W0", "AVX512DQ"],
  ["vcvtpd2uqq v{kz}, v/mv/b64{er}", "66.0F", "79", "W1", "AVX512DQ"],
  ["vcvtudq2pd v{kz}, vh/mh/b32", "F3.0F", "7A", "W0", "AVX512F"],
  ["vcvtuqq2pd v{kz}, v/mv/b64{er}", "F3.0F", "7A", "W1", "AVX512DQ"],
  ["vcvtudq2ps v{kz}, v/mv/b32{er}", "F2.0F", "7A", "W0", "AVX512F"],
  ["vcvtuqq2ps vh{kz}, v/mv/b64{er}", "F2.0F", "7A", "W1", "AVX512DQ"],
  ["vcvttps2qq v{kz}, vh/mh/b32{sae}", "66.0F", "7A", "W0", "AVX512DQ"],
  ["vcvttpd2qq v{kz}, v/mv/b64{sae}", "66.0F", "7A", "W1", "AVX512DQ"],
  ["vcvtps2qq v{kz}, vh/mh/b32{er}", "66.0F", "7B", "W0", "AVX512DQ"],
  ["vcvtpd2qq v{kz}, v/mv/b64{er}", "66.0F", "7B", "W1", "AVX512DQ"],
  ["vcvtph2ps v{kz}, vh/mh{sae}", "66.0F38", "13", "W0", "AVX512F", "F16C"],
  ["vcvtne2ps2bf16 v{kz}, v, v/mv/b32", "F2.0F38", "72", "W0", "AVX512_BF16"],
  ["vcvtneps2bf16 vh{kz}, v/mv/b32", "F3.0F38", "72", "W0", "AVX512_BF16", "AVX_NE_CONVERT"],
];

/** The operands of the VEX form: without decorations and broadcast. */
function plain(operands: string): string {
  return operands.replace(/\{\w+\}|\/b\d\d/g, "");
}

function vector(
  operands: string,
  map: string,
  code: string,
  w: string,
  evex: string,
  vex?: string,
): { vex: Row[]; evex: Row } {
  const vexW = map.endsWith("0F38") ? "W0" : "WIG";
  return {
    vex: vex === undefined ? [] : [[plain(operands), `VEX.xy.${map}.${vexW} ${code} /r`, vex]],
    evex: [operands, `EVEX.xyz.${map}.${w} ${code} /r`, evex],
  };
}

export const convert: readonly Row[] = [
  ...VECTORS.flatMap((row): Row[] => {
    const forms = vector(...row);
    // GNU as takes the VEX form of what AVX-512 had first only where {vex} asks for it.
    return row[5] === "AVX_NE_CONVERT" ? [forms.evex, ...forms.vex] : [...forms.vex, forms.evex];
  }),
  ["vcvtps2ph vh/mh, v, imm8", "VEX.xy.66.0F3A.W0 1D /r ib", "F16C MRI"],
  ["vcvtps2ph vh{kz}, v{sae}, imm8", "EVEX.xyz.66.0F3A.W0 1D /r ib", "AVX512F MRI"],
  ["vcvtps2ph mh{k}, v, imm8", "EVEX.xyz.66.0F3A.W0 1D /r ib", "AVX512F MRI"],
  ["vcvtss2sd xmm, xmm, xmm/m32", "VEX.LIG.F3.0F.WIG 5A /r", "AVX"],
  ["vcvtss2sd xmm{kz}, xmm, xmm/m32{sae}", "EVEX.LIG.F3.0F.W0 5A /r", "AVX512F"],
  ["vcvtsd2ss xmm, xmm, xmm/m64", "VEX.LIG.F2.0F.WIG 5A /r", "AVX"],
  ["vcvtsd2ss xmm{kz}, xmm, xmm/m64{er}", "EVEX.LIG.F2.0F.W1 5A /r", "AVX512F"],

  ...toGeneral("vcvttss2si", "F3", "2C", "xmm/m32", ["AVX", "AVX512F", "{sae}"]),
  ...toGeneral("vcvttsd2si", "F2", "2C", "xmm/m64", ["AVX", "AVX512F", "{sae}"]),
  ...toGeneral("vcvtss2si", "F3", "2D", "xmm/m32", ["AVX", "AVX512F", "{er}"]),
  ...toGeneral("vcvtsd2si", "F2", "2D", "xmm/m64", ["AVX", "AVX512F", "{er}"]),
  ...toGeneral("vcvttss2usi", "F3", "78", "xmm/m32", ["", "AVX512F", "{sae}"]),
  ...toGeneral("vcvttsd2usi", "F2", "78", "xmm/m64", ["", "AVX512F", "{sae}"]),
  ...toGeneral("vcvtss2usi", "F3", "79", "xmm/m32", ["", "AVX512F", "{er}"]),
  ...toGeneral("vcvtsd2usi", "F2", "79", "xmm/m64", ["", "AVX512F", "{er}"]),
  ...fromGeneral("vcvtsi2ss", "F3", "2A", "AVX", "{er}"),
  ...fromGeneral("vcvtsi2sd", "F2", "2A", "AVX", ""),
  ...fromGeneral("vcvtusi2ss", "F3", "7B", "", "{er}"),
  ...fromGeneral("vcvtusi2sd", "F2", "7B", "", ""),

  ["vbcstnebf162ps v, m16", "VEX.xy.F3.0F38.W0 B1 /r", "AVX_NE_CONVERT"],
  ["vbcstnesh2ps v, m16", "VEX.xy.66.0F38.W0 B1 /r", "AVX_NE_CONVERT"],
  ["vcvtneebf162ps v, mv", "VEX.xy.F3.0F38.W0 B0 /r", "AVX_NE_CONVERT"],
  ["vcvtneeph2ps v, mv", "VEX.xy.66.0F38.W0 B0 /r", "AVX_NE_CONVERT"],
  ["vcvtneobf162ps v, mv", "VEX.xy.F2.0F38.W0 B0 /r", "AVX_NE_CONVERT"],
  ["vcvtneoph2ps v, mv", "VEX.xy.NP.0F38.W0 B0 /r", "AVX_NE_CONVERT"],
];
