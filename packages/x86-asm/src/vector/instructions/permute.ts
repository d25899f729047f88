/** AVX, AVX2 and AVX-512: broadcasts, inserts and extracts, permutations, blends, compress and expand, gathers. */
import type { Row } from "../../notation.js";
import { binary, dq, ternary } from "./families.js";

/** AVX-512 broadcasts of a group: mnemonic, source, lengths, W, opcode, feature. */
const BROADCASTS: readonly (readonly [
  mnemonic: string,
  source: string,
  lengths: string,
  w: string,
  opcode: string,
  feature: string,
])[] = [
  ["vbroadcastss", "xmm/m32", "xyz", "W0", "18", "AVX512F"],
  ["vbroadcastsd", "xmm/m64", "yz", "W1", "19", "AVX512F"],
  ["vbroadcastf32x2", "xmm/m64", "yz", "W0", "19", "AVX512DQ"],
  ["vbroadcastf32x4", "m128", "yz", "W0", "1A", "AVX512F"],
  ["vbroadcastf64x2", "m128", "yz", "W1", "1A", "AVX512DQ"],
  ["vbroadcastf32x8", "m256", "z", "W0", "1B", "AVX512DQ"],
  ["vbroadcastf64x4", "m256", "z", "W1", "1B", "AVX512F"],
  ["vbroadcasti32x2", "xmm/m64", "xyz", "W0", "59", "AVX512DQ"],
  ["vbroadcasti32x4", "m128", "yz", "W0", "5A", "AVX512F"],
  ["vbroadcasti64x2", "m128", "yz", "W1", "5A", "AVX512DQ"],
  ["vbroadcasti32x8", "m256", "z", "W0", "5B", "AVX512DQ"],
  ["vbroadcasti64x4", "m256", "z", "W1", "5B", "AVX512F"],
  ["vpbroadcastb", "xmm/m8", "xyz", "W0", "78", "AVX512BW"],
  ["vpbroadcastw", "xmm/m16", "xyz", "W0", "79", "AVX512BW"],
  ["vpbroadcastd", "xmm/m32", "xyz", "W0", "58", "AVX512F"],
  ["vpbroadcastq", "xmm/m64", "xyz", "W1", "59", "AVX512F"],
  ["vpbroadcastb", "r32", "xyz", "W0", "7A", "AVX512BW"],
  ["vpbroadcastw", "r32", "xyz", "W0", "7B", "AVX512BW"],
  ["vpbroadcastd", "r32", "xyz", "W0", "7C", "AVX512F"],
  ["vpbroadcastq", "r64", "xyz", "W1", "7C", "AVX512F 64"],
];

/** Inserts and extracts of 128 and 256 bits: suffix, part, lengths, W, opcodes of insert and extract, feature. */
const PARTS: readonly (readonly [
  suffix: string,
  part: string,
  lengths: string,
  w: string,
  insert: string,
  extract: string,
  feature: string,
])[] = [
  ["f32x4", "xmm/m128", "yz", "W0", "18", "19", "AVX512F"],
  ["f64x2", "xmm/m128", "yz", "W1", "18", "19", "AVX512DQ"],
  ["f32x8", "ymm/m256", "z", "W0", "1A", "1B", "AVX512DQ"],
  ["f64x4", "ymm/m256", "z", "W1", "1A", "1B", "AVX512F"],
  ["i32x4", "xmm/m128", "yz", "W0", "38", "39", "AVX512F"],
  ["i64x2", "xmm/m128", "yz", "W1", "38", "39", "AVX512DQ"],
  ["i32x8", "ymm/m256", "z", "W0", "3A", "3B", "AVX512DQ"],
  ["i64x4", "ymm/m256", "z", "W1", "3A", "3B", "AVX512F"],
];

function part(
  suffix: string,
  source: string,
  lengths: string,
  w: string,
  insert: string,
  extract: string,
  feature: string,
): Row[] {
  const [register, memory] = source.split("/");
  const prefix = `EVEX.${lengths}.66.0F3A.${w}`;
  return [
    [`vinsert${suffix} v{kz}, v, ${source}, imm8`, `${prefix} ${insert} /r ib`, feature],
    [`vextract${suffix} ${register}{kz}, v, imm8`, `${prefix} ${extract} /r ib`, `${feature} MRI`],
    [`vextract${suffix} ${memory}{k}, v, imm8`, `${prefix} ${extract} /r ib`, feature],
  ];
}

/** Elements moved together by a mask; the displacement counts elements. */
function compressing(
  suffix: string,
  prefix: string,
  expand: string,
  compress: string,
  size: number,
  feature: string,
) {
  const [stem, letter] = suffix.split(" ");
  const code = `EVEX.xyz.66.0F38.${prefix}`;
  const attributes = `${feature} N${size}`;
  return [
    [`${stem}expand${letter} v{kz}, v/mv`, `${code} ${expand} /r`, attributes],
    [`${stem}compress${letter} v{kz}, v`, `${code} ${compress} /r`, `${attributes} MR`],
    [`${stem}compress${letter} mv{k}, v`, `${code} ${compress} /r`, attributes],
  ] satisfies Row[];
}

/** Gathers and scatters: suffix, index, register, W, opcode of the gather (the scatter's is 10 higher). */
const GATHERS: readonly (readonly [
  suffix: string,
  index: string,
  register: string,
  w: string,
  gather: string,
  scatter: string,
])[] = [
  ["pXdd", "vm32v", "v", "W0", "90", "A0"],
  ["pXdq", "vm32h", "v", "W1", "90", "A0"],
  ["pXqd", "vm64v", "vh", "W0", "91", "A1"],
  ["pXqq", "vm64v", "v", "W1", "91", "A1"],
  ["Xdps", "vm32v", "v", "W0", "92", "A2"],
  ["Xdpd", "vm32h", "v", "W1", "92", "A2"],
  ["Xqps", "vm64v", "vh", "W0", "93", "A3"],
  ["Xqpd", "vm64v", "v", "W1", "93", "A3"],
];

function gathering(
  name: string,
  index: string,
  register: string,
  w: string,
  gather: string,
  scatter: string,
): Row[] {
  const mnemonic = (verb: string) => `v${name.replace("X", verb)}`;
  return [
    [`${mnemonic("gather")} ${register}, ${index}, ${register}`, `VEX.xy.66.0F38.${w} ${gather} /r`, "AVX2"],
    [`${mnemonic("gather")} ${register}{k!}, ${index}`, `EVEX.xyz.66.0F38.${w} ${gather} /r`, "AVX512F"],
    [`${mnemonic("scatter")} ${index}{k!}, ${register}`, `EVEX.xyz.66.0F38.${w} ${scatter} /r`, "AVX512F"],
  ];
}

/** Prefetches of gathers and scatters: element, W, index, opcode. */
const PREFETCHES: readonly (readonly [suffix: string, w: string, index: string, opcode: string])[] = [
  ["dps", "W0", "vm32z", "C6"],
  ["dpd", "W1", "vm32y", "C6"],
  ["qps", "W0", "vm64z", "C7"],
  ["qpd", "W1", "vm64z", "C7"],
];

function prefetching(suffix: string, w: string, index: string, opcode: string): Row[] {
  const prefix = `EVEX.512.66.0F38.${w} ${opcode}`;
  return [
    [`vgatherpf0${suffix} ${index}{k!}`, `${prefix} /1`, "AVX512PF"],
    [`vgatherpf1${suffix} ${index}{k!}`, `${prefix} /2`, "AVX512PF"],
    [`vscatterpf0${suffix} ${index}{k!}`, `${prefix} /5`, "AVX512PF"],
    [`vscatterpf1${suffix} ${index}{k!}`, `${prefix} /6`, "AVX512PF"],
  ];
}

/** Permutations of both kinds of index operand, at 256 bits and more. */
function wide(mnemonic: string, w: string, element: number, opcode: string, vexW: string): Row[] {
  return [
    [`${mnemonic} ymm, ymm, ymm/m256`, `VEX.256.66.0F38.${vexW} ${opcode} /r`, "AVX2"],
    [`${mnemonic} v{kz}, v, v/mv/b${element}`, `EVEX.yz.66.0F38.${w} ${opcode} /r`, "AVX512F"],
  ];
}

export const permute: readonly Row[] = [
  ["vbroadcastss v, xmm/m32", "VEX.xy.66.0F38.W0 18 /r", "AVX"],
  ["vbroadcastsd ymm, xmm/m64", "VEX.256.66.0F38.W0 19 /r", "AVX"],
  ["vbroadcastf128 ymm, m128", "VEX.256.66.0F38.W0 1A /r", "AVX"],
  ["vbroadcasti128 ymm, m128", "VEX.256.66.0F38.W0 5A /r", "AVX2"],
  ["vpbroadcastb v, xmm/m8", "VEX.xy.66.0F38.W0 78 /r", "AVX2"],
  ["vpbroadcastw v, xmm/m16", "VEX.xy.66.0F38.W0 79 /r", "AVX2"],
  ["vpbroadcastd v, xmm/m32", "VEX.xy.66.0F38.W0 58 /r", "AVX2"],
  ["vpbroadcastq v, xmm/m64", "VEX.xy.66.0F38.W0 59 /r", "AVX2"],
  ...BROADCASTS.map(
    ([mnemonic, source, lengths, w, opcode, feature]): Row => [
      `${mnemonic} v{kz}, ${source}`,
      `EVEX.${lengths}.66.0F38.${w} ${opcode} /r`,
      feature,
    ],
  ),
  ["vpbroadcastmb2q v, k", "EVEX.xyz.F3.0F38.W1 2A /r", "AVX512CD"],
  ["vpbroadcastmw2d v, k", "EVEX.xyz.F3.0F38.W0 3A /r", "AVX512CD"],

  ["vinsertf128 ymm, ymm, xmm/m128, imm8", "VEX.256.66.0F3A.W0 18 /r ib", "AVX"],
  ["vextractf128 xmm/m128, ymm, imm8", "VEX.256.66.0F3A.W0 19 /r ib", "AVX MRI"],
  ["vinserti128 ymm, ymm, xmm/m128, imm8", "VEX.256.66.0F3A.W0 38 /r ib", "AVX2"],
  ["vextracti128 xmm/m128, ymm, imm8", "VEX.256.66.0F3A.W0 39 /r ib", "AVX2 MRI"],
  ...PARTS.flatMap((row) => part(...row)),

  ["vperm2f128 ymm, ymm, ymm/m256, imm8", "VEX.256.66.0F3A.W0 06 /r ib", "AVX"],
  ["vperm2i128 ymm, ymm, ymm/m256, imm8", "VEX.256.66.0F3A.W0 46 /r ib", "AVX2"],
  ...ternary({
    mnemonic: "vpermilps",
    map: "66.0F38",
    opcode: "0C",
    w: "W0",
    element: 32,
    vex: "AVX",
    vexW: "W0",
    evex: "AVX512F",
  }),
  ...ternary({
    mnemonic: "vpermilpd",
    map: "66.0F38",
    opcode: "0D",
    w: "W1",
    element: 64,
    vex: "AVX",
    vexW: "W0",
    evex: "AVX512F",
  }),
  ...binary(
    {
      mnemonic: "vpermilps",
      map: "66.0F3A",
      opcode: "04",
      w: "W0",
      element: 32,
      vex: "AVX",
      vexW: "W0",
      evex: "AVX512F",
    },
    " ib",
  ),
  ...binary(
    {
      mnemonic: "vpermilpd",
      map: "66.0F3A",
      opcode: "05",
      w: "W1",
      element: 64,
      vex: "AVX",
      vexW: "W0",
      evex: "AVX512F",
    },
    " ib",
  ),
  ...wide("vpermd", "W0", 32, "36", "W0"),
  ...wide("vpermps", "W0", 32, "16", "W0"),
  ["vpermq ymm, ymm/m256, imm8", "VEX.256.66.0F3A.W1 00 /r ib", "AVX2"],
  ["vpermpd ymm, ymm/m256, imm8", "VEX.256.66.0F3A.W1 01 /r ib", "AVX2"],
  ["vpermq v{kz}, v/mv/b64, imm8", "EVEX.yz.66.0F3A.W1 00 /r ib", "AVX512F"],
  ["vpermpd v{kz}, v/mv/b64, imm8", "EVEX.yz.66.0F3A.W1 01 /r ib", "AVX512F"],
  ["vpermq v{kz}, v, v/mv/b64", "EVEX.yz.66.0F38.W1 36 /r", "AVX512F"],
  ["vpermpd v{kz}, v, v/mv/b64", "EVEX.yz.66.0F38.W1 16 /r", "AVX512F"],
  ...ternary({ mnemonic: "vpermb", map: "66.0F38", opcode: "8D", w: "W0", evex: "AVX512_VBMI" }),
  ...ternary({ mnemonic: "vpermw", map: "66.0F38", opcode: "8D", w: "W1", evex: "AVX512BW" }),
  ...ternary({ mnemonic: "vpermi2b", map: "66.0F38", opcode: "75", w: "W0", evex: "AVX512_VBMI" }),
  ...ternary({ mnemonic: "vpermi2w", map: "66.0F38", opcode: "75", w: "W1", evex: "AVX512BW" }),
  ...dq(["vpermi2d", "vpermi2q"], "66.0F38", "76", "AVX512F"),
  ...dq(["vpermi2ps", "vpermi2pd"], "66.0F38", "77", "AVX512F"),
  ...ternary({ mnemonic: "vpermt2b", map: "66.0F38", opcode: "7D", w: "W0", evex: "AVX512_VBMI" }),
  ...ternary({ mnemonic: "vpermt2w", map: "66.0F38", opcode: "7D", w: "W1", evex: "AVX512BW" }),
  ...dq(["vpermt2d", "vpermt2q"], "66.0F38", "7E", "AVX512F"),
  ...dq(["vpermt2ps", "vpermt2pd"], "66.0F38", "7F", "AVX512F"),
  ["vshuff32x4 v{kz}, v, v/mv/b32, imm8", "EVEX.yz.66.0F3A.W0 23 /r ib", "AVX512F"],
  ["vshuff64x2 v{kz}, v, v/mv/b64, imm8", "EVEX.yz.66.0F3A.W1 23 /r ib", "AVX512F"],
  ["vshufi32x4 v{kz}, v, v/mv/b32, imm8", "EVEX.yz.66.0F3A.W0 43 /r ib", "AVX512F"],
  ["vshufi64x2 v{kz}, v, v/mv/b64, imm8", "EVEX.yz.66.0F3A.W1 43 /r ib", "AVX512F"],
  ...dq(["valignd", "valignq"], "66.0F3A", "03", "AVX512F", undefined, "", " ib"),
  ...dq(["vpblendmd", "vpblendmq"], "66.0F38", "64", "AVX512F"),
  ...dq(["vblendmps", "vblendmpd"], "66.0F38", "65", "AVX512F"),
  ...ternary({ mnemonic: "vpblendmb", map: "66.0F38", opcode: "66", w: "W0", evex: "AVX512BW" }),
  ...ternary({ mnemonic: "vpblendmw", map: "66.0F38", opcode: "66", w: "W1", evex: "AVX512BW" }),

  ...compressing("vp b", "W0", "62", "63", 1, "AVX512_VBMI2"),
  ...compressing("vp w", "W1", "62", "63", 2, "AVX512_VBMI2"),
  ...compressing("vp d", "W0", "89", "8B", 4, "AVX512F"),
  ...compressing("vp q", "W1", "89", "8B", 8, "AVX512F"),
  ...compressing("v ps", "W0", "88", "8A", 4, "AVX512F"),
  ...compressing("v pd", "W1", "88", "8A", 8, "AVX512F"),

  ...GATHERS.flatMap((row) => gathering(...row)),
  ...PREFETCHES.flatMap((row) => prefetching(...row)),
];
