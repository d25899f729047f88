/** AVX-512 subsets that have no counterpart before them: SDM Vol. 1, "Intel AVX-512 Instructions"; Xeon Phi's ER and 4FMAPS. */
import { opcode } from "../../instructions/conditions.js";
import type { Row } from "../../notation.js";
import { binary, dq, scalar, ternary } from "./families.js";

/** Two rows, for 32-bit and for 64-bit elements. */
function binaryPair(
  names: readonly [string, string],
  map: string,
  code: string,
  evex: string,
  rounding = "",
  immediate = "",
): Row[] {
  return [
    ...binary({ mnemonic: names[0], map, opcode: code, w: "W0", element: 32, evex, rounding }, immediate),
    ...binary({ mnemonic: names[1], map, opcode: code, w: "W1", element: 64, evex, rounding }, immediate),
  ];
}

function scalarPair(
  stem: string,
  map: string,
  code: string,
  evex: string,
  rounding = "",
  immediate = "",
): Row[] {
  return [
    ...scalar(`${stem}ss`, map, code, 32, { evex, rounding, immediate }),
    ...scalar(`${stem}sd`, map, code, 64, { evex, rounding, immediate }),
  ];
}

/** Compares of integers with a predicate as immediate: suffix, W, opcode, broadcast, feature. */
const COMPARES: readonly (readonly [
  suffix: string,
  w: string,
  opcode: string,
  element: string,
  feature: string,
])[] = [
  ["b", "W0", "3F", "", "AVX512BW"],
  ["ub", "W0", "3E", "", "AVX512BW"],
  ["w", "W1", "3F", "", "AVX512BW"],
  ["uw", "W1", "3E", "", "AVX512BW"],
  ["d", "W0", "1F", "/b32", "AVX512F"],
  ["ud", "W0", "1E", "/b32", "AVX512F"],
  ["q", "W1", "1F", "/b64", "AVX512F"],
  ["uq", "W1", "1E", "/b64", "AVX512F"],
];
/** Predicates by immediate, with other names for some. */
const PREDICATES: readonly (readonly [name: string, immediate: number])[] = [
  ["eq", 0],
  ["lt", 1],
  ["le", 2],
  ["neq", 4],
  ["nlt", 5],
  ["nle", 6],
];

function compare(suffix: string, w: string, code: string, element: string, feature: string): Row[] {
  const operands = `k{k}, v, v/mv${element}`;
  const prefix = `EVEX.xyz.66.0F3A.${w} ${code} /r`;
  // VPCMPEQB and its signed kin have a shorter encoding, which stands in integer.ts.
  const predicates = PREDICATES.filter(([name]) => suffix.startsWith("u") || name !== "eq");
  return [
    ...predicates.map(
      ([name, i]): Row => [`vpcmp${name}${suffix} ${operands}`, `${prefix} ${opcode(0, i)}`, feature],
    ),
    [`vpcmp${suffix} ${operands}, imm8`, `${prefix} ib`, feature],
  ];
}

export const avx512: readonly Row[] = [
  ...COMPARES.flatMap((row) => compare(...row)),
  ["vptestmb k{k}, v, v/mv", "EVEX.xyz.66.0F38.W0 26 /r", "AVX512BW"],
  ["vptestmw k{k}, v, v/mv", "EVEX.xyz.66.0F38.W1 26 /r", "AVX512BW"],
  ["vptestmd k{k}, v, v/mv/b32", "EVEX.xyz.66.0F38.W0 27 /r", "AVX512F"],
  ["vptestmq k{k}, v, v/mv/b64", "EVEX.xyz.66.0F38.W1 27 /r", "AVX512F"],
  ["vptestnmb k{k}, v, v/mv", "EVEX.xyz.F3.0F38.W0 26 /r", "AVX512BW"],
  ["vptestnmw k{k}, v, v/mv", "EVEX.xyz.F3.0F38.W1 26 /r", "AVX512BW"],
  ["vptestnmd k{k}, v, v/mv/b32", "EVEX.xyz.F3.0F38.W0 27 /r", "AVX512F"],
  ["vptestnmq k{k}, v, v/mv/b64", "EVEX.xyz.F3.0F38.W1 27 /r", "AVX512F"],
  ["vpshufbitqmb k{k}, v, v/mv", "EVEX.xyz.66.0F38.W0 8F /r", "AVX512_BITALG"],
  ["vp2intersectd k, v, v/mv/b32", "EVEX.xyz.F2.0F38.W0 68 /r", "AVX512_VP2INTERSECT"],
  ["vp2intersectq k, v, v/mv/b64", "EVEX.xyz.F2.0F38.W1 68 /r", "AVX512_VP2INTERSECT"],

  ...dq(["vpternlogd", "vpternlogq"], "66.0F3A", "25", "AVX512F", undefined, "", " ib"),
  ...binaryPair(["vplzcntd", "vplzcntq"], "66.0F38", "44", "AVX512CD"),
  ...binaryPair(["vpconflictd", "vpconflictq"], "66.0F38", "C4", "AVX512CD"),
  ...binary({ mnemonic: "vpopcntb", map: "66.0F38", opcode: "54", w: "W0", evex: "AVX512_BITALG" }),
  ...binary({ mnemonic: "vpopcntw", map: "66.0F38", opcode: "54", w: "W1", evex: "AVX512_BITALG" }),
  ...binaryPair(["vpopcntd", "vpopcntq"], "66.0F38", "55", "AVX512_VPOPCNTDQ"),
  ...ternary({
    mnemonic: "vpmultishiftqb",
    map: "66.0F38",
    opcode: "83",
    w: "W1",
    element: 64,
    evex: "AVX512_VBMI",
  }),
  ...ternary({ mnemonic: "vpshldw", map: "66.0F3A", opcode: "70", w: "W1", evex: "AVX512_VBMI2" }, " ib"),
  ...dq(["vpshldd", "vpshldq"], "66.0F3A", "71", "AVX512_VBMI2", undefined, "", " ib"),
  ...ternary({ mnemonic: "vpshrdw", map: "66.0F3A", opcode: "72", w: "W1", evex: "AVX512_VBMI2" }, " ib"),
  ...dq(["vpshrdd", "vpshrdq"], "66.0F3A", "73", "AVX512_VBMI2", undefined, "", " ib"),
  ...ternary({ mnemonic: "vpshldvw", map: "66.0F38", opcode: "70", w: "W1", evex: "AVX512_VBMI2" }),
  ...dq(["vpshldvd", "vpshldvq"], "66.0F38", "71", "AVX512_VBMI2"),
  ...ternary({ mnemonic: "vpshrdvw", map: "66.0F38", opcode: "72", w: "W1", evex: "AVX512_VBMI2" }),
  ...dq(["vpshrdvd", "vpshrdvq"], "66.0F38", "73", "AVX512_VBMI2"),
  ...ternary({ mnemonic: "vdbpsadbw", map: "66.0F3A", opcode: "42", w: "W0", evex: "AVX512BW" }, " ib"),

  // The EVEX forms came first: GNU as takes the VEX ones only where {vex} asks for them.
  ...(
    [
      ["vpdpbusd", "50"],
      ["vpdpbusds", "51"],
      ["vpdpwssd", "52"],
      ["vpdpwssds", "53"],
    ] as const
  ).flatMap(([mnemonic, code]): Row[] => [
    ...ternary({ mnemonic, map: "66.0F38", opcode: code, w: "W0", element: 32, evex: "AVX512_VNNI" }),
    [`${mnemonic} v, v, v/mv`, `VEX.xy.66.0F38.W0 ${code} /r`, "AVX_VNNI"],
  ]),
  ...(
    [
      ["vpmadd52luq", "B4"],
      ["vpmadd52huq", "B5"],
    ] as const
  ).flatMap(([mnemonic, code]): Row[] => [
    ...ternary({ mnemonic, map: "66.0F38", opcode: code, w: "W1", element: 64, evex: "AVX512_IFMA" }),
    [`${mnemonic} v, v, v/mv`, `VEX.xy.66.0F38.W1 ${code} /r`, "AVX_IFMA"],
  ]),
  ["vpdpbssd v, v, v/mv", "VEX.xy.F2.0F38.W0 50 /r", "AVX_VNNI_INT8"],
  ["vpdpbssds v, v, v/mv", "VEX.xy.F2.0F38.W0 51 /r", "AVX_VNNI_INT8"],
  ["vpdpbsud v, v, v/mv", "VEX.xy.F3.0F38.W0 50 /r", "AVX_VNNI_INT8"],
  ["vpdpbsuds v, v, v/mv", "VEX.xy.F3.0F38.W0 51 /r", "AVX_VNNI_INT8"],
  ["vpdpbuud v, v, v/mv", "VEX.xy.NP.0F38.W0 50 /r", "AVX_VNNI_INT8"],
  ["vpdpbuuds v, v, v/mv", "VEX.xy.NP.0F38.W0 51 /r", "AVX_VNNI_INT8"],
  ...ternary({
    mnemonic: "vdpbf16ps",
    map: "F3.0F38",
    opcode: "52",
    w: "W0",
    element: 32,
    evex: "AVX512_BF16",
  }),

  ...dq(["vscalefps", "vscalefpd"], "66.0F38", "2C", "AVX512F", undefined, "{er}"),
  ...scalarPair("vscalef", "66.0F38", "2D", "AVX512F", "{er}"),
  ...binaryPair(["vgetexpps", "vgetexppd"], "66.0F38", "42", "AVX512F", "{sae}"),
  ...scalarPair("vgetexp", "66.0F38", "43", "AVX512F", "{sae}"),
  ...binaryPair(["vgetmantps", "vgetmantpd"], "66.0F3A", "26", "AVX512F", "{sae}", " ib"),
  ...scalarPair("vgetmant", "66.0F3A", "27", "AVX512F", "{sae}", " ib"),
  ...binaryPair(["vrcp14ps", "vrcp14pd"], "66.0F38", "4C", "AVX512F"),
  ...scalarPair("vrcp14", "66.0F38", "4D", "AVX512F"),
  ...binaryPair(["vrsqrt14ps", "vrsqrt14pd"], "66.0F38", "4E", "AVX512F"),
  ...scalarPair("vrsqrt14", "66.0F38", "4F", "AVX512F"),
  ...binary(
    {
      mnemonic: "vrndscaleps",
      map: "66.0F3A",
      opcode: "08",
      w: "W0",
      element: 32,
      evex: "AVX512F",
      rounding: "{sae}",
    },
    " ib",
  ),
  ...binary(
    {
      mnemonic: "vrndscalepd",
      map: "66.0F3A",
      opcode: "09",
      w: "W1",
      element: 64,
      evex: "AVX512F",
      rounding: "{sae}",
    },
    " ib",
  ),
  ...scalar("vrndscaless", "66.0F3A", "0A", 32, { evex: "AVX512F", rounding: "{sae}", immediate: " ib" }),
  ...scalar("vrndscalesd", "66.0F3A", "0B", 64, { evex: "AVX512F", rounding: "{sae}", immediate: " ib" }),
  ...dq(["vrangeps", "vrangepd"], "66.0F3A", "50", "AVX512DQ", undefined, "{sae}", " ib"),
  ...scalarPair("vrange", "66.0F3A", "51", "AVX512DQ", "{sae}", " ib"),
  ...dq(["vfixupimmps", "vfixupimmpd"], "66.0F3A", "54", "AVX512F", undefined, "{sae}", " ib"),
  ...scalarPair("vfixupimm", "66.0F3A", "55", "AVX512F", "{sae}", " ib"),
  ...binaryPair(["vreduceps", "vreducepd"], "66.0F3A", "56", "AVX512DQ", "{sae}", " ib"),
  ...scalarPair("vreduce", "66.0F3A", "57", "AVX512DQ", "{sae}", " ib"),
  ["vfpclassps k{k}, v/mv/b32, imm8", "EVEX.xyz.66.0F3A.W0 66 /r ib", "AVX512DQ"],
  ["vfpclasspd k{k}, v/mv/b64, imm8", "EVEX.xyz.66.0F3A.W1 66 /r ib", "AVX512DQ"],
  ["vfpclassss k{k}, xmm/m32, imm8", "EVEX.LIG.66.0F3A.W0 67 /r ib", "AVX512DQ"],
  ["vfpclasssd k{k}, xmm/m64, imm8", "EVEX.LIG.66.0F3A.W1 67 /r ib", "AVX512DQ"],

  ["vexp2ps zmm{kz}, zmm/m512/b32{sae}", "EVEX.512.66.0F38.W0 C8 /r", "AVX512ER"],
  ["vexp2pd zmm{kz}, zmm/m512/b64{sae}", "EVEX.512.66.0F38.W1 C8 /r", "AVX512ER"],
  ["vrcp28ps zmm{kz}, zmm/m512/b32{sae}", "EVEX.512.66.0F38.W0 CA /r", "AVX512ER"],
  ["vrcp28pd zmm{kz}, zmm/m512/b64{sae}", "EVEX.512.66.0F38.W1 CA /r", "AVX512ER"],
  ...scalarPair("vrcp28", "66.0F38", "CB", "AVX512ER", "{sae}"),
  ["vrsqrt28ps zmm{kz}, zmm/m512/b32{sae}", "EVEX.512.66.0F38.W0 CC /r", "AVX512ER"],
  ["vrsqrt28pd zmm{kz}, zmm/m512/b64{sae}", "EVEX.512.66.0F38.W1 CC /r", "AVX512ER"],
  ...scalarPair("vrsqrt28", "66.0F38", "CD", "AVX512ER", "{sae}"),
  ["v4fmaddps zmm{kz}, zmm, m128", "EVEX.512.F2.0F38.W0 9A /r", "AVX512_4FMAPS"],
  ["v4fmaddss xmm{kz}, xmm, m128", "EVEX.LIG.F2.0F38.W0 9B /r", "AVX512_4FMAPS"],
  ["v4fnmaddps zmm{kz}, zmm, m128", "EVEX.512.F2.0F38.W0 AA /r", "AVX512_4FMAPS"],
  ["v4fnmaddss xmm{kz}, xmm, m128", "EVEX.LIG.F2.0F38.W0 AB /r", "AVX512_4FMAPS"],
  ["vp4dpwssd zmm{kz}, zmm, m128", "EVEX.512.F2.0F38.W0 52 /r", "AVX512_4VNNIW"],
  ["vp4dpwssds zmm{kz}, zmm, m128", "EVEX.512.F2.0F38.W0 53 /r", "AVX512_4VNNIW"],
];
