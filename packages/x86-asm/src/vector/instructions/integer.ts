/** SDM Vol. 1, "AVX2 Instructions", "AVX-512 Instructions": packed integers. */
import type { Row } from "../../notation.js";
import { binary, dq, rows, ternary } from "./families.js";

/** Bytes and words, saturated or not: `v, v, v/mv`, no broadcast; opcode and map. */
const BYTES_AND_WORDS: readonly (readonly [mnemonic: string, opcode: string, map?: string])[] = [
  ["vpunpcklbw", "60"],
  ["vpunpcklwd", "61"],
  ["vpacksswb", "63"],
  ["vpackuswb", "67"],
  ["vpunpckhbw", "68"],
  ["vpunpckhwd", "69"],
  ["vpmullw", "D5"],
  ["vpsubusb", "D8"],
  ["vpsubusw", "D9"],
  ["vpminub", "DA"],
  ["vpaddusb", "DC"],
  ["vpaddusw", "DD"],
  ["vpmaxub", "DE"],
  ["vpavgb", "E0"],
  ["vpavgw", "E3"],
  ["vpmulhuw", "E4"],
  ["vpmulhw", "E5"],
  ["vpsubsb", "E8"],
  ["vpsubsw", "E9"],
  ["vpminsw", "EA"],
  ["vpaddsb", "EC"],
  ["vpaddsw", "ED"],
  ["vpmaxsw", "EE"],
  ["vpmaddwd", "F5"],
  ["vpsubb", "F8"],
  ["vpsubw", "F9"],
  ["vpaddb", "FC"],
  ["vpaddw", "FD"],
  ["vpshufb", "00", "66.0F38"],
  ["vpmaddubsw", "04", "66.0F38"],
  ["vpmulhrsw", "0B", "66.0F38"],
  ["vpminsb", "38", "66.0F38"],
  ["vpminuw", "3A", "66.0F38"],
  ["vpmaxsb", "3C", "66.0F38"],
  ["vpmaxuw", "3E", "66.0F38"],
];

/** Doublewords and quadwords with a broadcast. */
const WIDE: readonly (readonly [
  mnemonic: string,
  opcode: string,
  element: 32 | 64,
  map?: string,
  evex?: string,
])[] = [
  ["vpunpckldq", "62", 32],
  ["vpunpckhdq", "6A", 32],
  ["vpackssdw", "6B", 32, "66.0F", "AVX512BW"],
  ["vpunpcklqdq", "6C", 64],
  ["vpunpckhqdq", "6D", 64],
  ["vpaddq", "D4", 64],
  ["vpmuludq", "F4", 64],
  ["vpsubd", "FA", 32],
  ["vpsubq", "FB", 64],
  ["vpaddd", "FE", 32],
  ["vpmuldq", "28", 64, "66.0F38"],
  ["vpackusdw", "2B", 32, "66.0F38", "AVX512BW"],
  ["vpminsd", "39", 32, "66.0F38"],
  ["vpminud", "3B", 32, "66.0F38"],
  ["vpmaxsd", "3D", 32, "66.0F38"],
  ["vpmaxud", "3F", 32, "66.0F38"],
  ["vpmulld", "40", 32, "66.0F38"],
];

/** Quadword operations that AVX-512 added under the opcodes of doubleword ones. */
const QUADWORDS_38: readonly (readonly [mnemonic: string, opcode: string, evex: string])[] = [
  ["vpminsq", "39", "AVX512F"],
  ["vpminuq", "3B", "AVX512F"],
  ["vpmaxsq", "3D", "AVX512F"],
  ["vpmaxuq", "3F", "AVX512F"],
  ["vpmullq", "40", "AVX512DQ"],
  ["vpsravq", "46", "AVX512F"],
];

/** What AVX and AVX2 have and AVX-512 does not. */
const VEX_ONLY: readonly (readonly [mnemonic: string, opcode: string, map?: string])[] = [
  ["vpand", "DB"],
  ["vpandn", "DF"],
  ["vpor", "EB"],
  ["vpxor", "EF"],
  ["vphaddw", "01", "66.0F38"],
  ["vphaddd", "02", "66.0F38"],
  ["vphaddsw", "03", "66.0F38"],
  ["vphsubw", "05", "66.0F38"],
  ["vphsubd", "06", "66.0F38"],
  ["vphsubsw", "07", "66.0F38"],
  ["vpsignb", "08", "66.0F38"],
  ["vpsignw", "09", "66.0F38"],
  ["vpsignd", "0A", "66.0F38"],
];

/** The AVX-512 names of the logical operations. */
const LOGICAL: readonly (readonly [stem: string, opcode: string])[] = [
  ["vpand", "DB"],
  ["vpandn", "DF"],
  ["vpor", "EB"],
  ["vpxor", "EF"],
];

/** Compares into a vector (VEX) or a mask (EVEX): EVEX.W and the broadcast element. */
const COMPARES: readonly (readonly [
  mnemonic: string,
  map: string,
  opcode: string,
  w: string,
  element: string,
])[] = [
  ["vpcmpgtb", "66.0F", "64", "WIG", ""],
  ["vpcmpgtw", "66.0F", "65", "WIG", ""],
  ["vpcmpgtd", "66.0F", "66", "W0", "/b32"],
  ["vpcmpgtq", "66.0F38", "37", "W1", "/b64"],
  ["vpcmpeqb", "66.0F", "74", "WIG", ""],
  ["vpcmpeqw", "66.0F", "75", "WIG", ""],
  ["vpcmpeqd", "66.0F", "76", "W0", "/b32"],
  ["vpcmpeqq", "66.0F38", "29", "W1", "/b64"],
];

/** Shifts: opcode with a count in an XMM register, group and digit with an immediate, EVEX.W, broadcast element. */
const SHIFTS: readonly (readonly [
  mnemonic: string,
  opcode: string,
  group: string,
  digit: number,
  w: string,
  element: string,
])[] = [
  ["vpsrlw", "D1", "71", 2, "WIG", ""],
  ["vpsraw", "E1", "71", 4, "WIG", ""],
  ["vpsllw", "F1", "71", 6, "WIG", ""],
  ["vpsrld", "D2", "72", 2, "W0", "/b32"],
  ["vpsrad", "E2", "72", 4, "W0", "/b32"],
  ["vpslld", "F2", "72", 6, "W0", "/b32"],
  ["vpsrlq", "D3", "73", 2, "W1", "/b64"],
  ["vpsllq", "F3", "73", 6, "W1", "/b64"],
];

/** Widening moves: opcode, the fraction of the vector that is read. */
const EXTENSIONS: readonly (readonly [
  suffix: string,
  opcode: number,
  fraction: string,
  evex: string,
  w: string,
])[] = [
  ["bw", 0x20, "h", "AVX512BW", "WIG"],
  ["bd", 0x21, "q", "AVX512F", "WIG"],
  ["bq", 0x22, "e", "AVX512F", "WIG"],
  ["wd", 0x23, "h", "AVX512F", "WIG"],
  ["wq", 0x24, "q", "AVX512F", "WIG"],
  ["dq", 0x25, "h", "AVX512F", "W0"],
];

/** Narrowing moves, truncating, with signed and with unsigned saturation. */
const NARROWING: readonly (readonly [suffix: string, low: number, fraction: string, feature: string])[] = [
  ["wb", 0, "h", "AVX512BW"],
  ["db", 1, "q", "AVX512F"],
  ["qb", 2, "e", "AVX512F"],
  ["dw", 3, "h", "AVX512F"],
  ["qw", 4, "q", "AVX512F"],
  ["qd", 5, "h", "AVX512F"],
];

function extension(suffix: string, code: number, fraction: string, evex: string, w: string): Row[] {
  return (["vpmovsx", "vpmovzx"] as const).flatMap((stem, i) => {
    const opcode = (code + 16 * i).toString(16);
    const operands = `v${fraction}/m${fraction}`;
    return rows(
      { vex: "AVX", evex },
      `${stem}${suffix} v, ${operands}`,
      `${stem}${suffix} v{kz}, ${operands}`,
      {
        map: "66.0F38",
        code: `${opcode} /r`,
        w,
      },
    );
  });
}

function narrowing(suffix: string, low: number, fraction: string, feature: string): Row[] {
  return [
    ["vpmovus", 1],
    ["vpmovs", 2],
    ["vpmov", 3],
  ].flatMap(([stem, high]): Row[] => {
    const code = `EVEX.xyz.F3.0F38.W0 ${high}${low} /r`;
    return [
      [`${stem}${suffix} v${fraction}{kz}, v`, code, `${feature} MR`],
      [`${stem}${suffix} m${fraction}{k}, v`, code, feature],
    ];
  });
}

function shift(
  mnemonic: string,
  code: string,
  group: string,
  digit: number,
  w: string,
  element: string,
): Row[] {
  const evex = w === "WIG" ? "AVX512BW" : "AVX512F";
  return [
    [`${mnemonic} v, v, xmm/m128`, `VEX.xy.66.0F.WIG ${code} /r`, "AVX"],
    [`${mnemonic} v, v, imm8`, `VEX.xy.66.0F.WIG ${group} /${digit} ib`, "AVX"],
    [`${mnemonic} v{kz}, v, xmm/m128`, `EVEX.xyz.66.0F.${w} ${code} /r`, evex],
    [`${mnemonic} v{kz}, v/mv${element}, imm8`, `EVEX.xyz.66.0F.${w} ${group} /${digit} ib`, evex],
  ];
}

/** Moves between the low element and a general register or memory. */
const ELEMENTS: readonly Row[] = [
  ["vmovd xmm, r/m32", "VEX.128.66.0F.W0 6E /r", "AVX"],
  ["vmovd r/m32, xmm", "VEX.128.66.0F.W0 7E /r", "AVX"],
  ["vmovd xmm, r64", "VEX.128.66.0F.W1 6E /r", "AVX 64 alias"],
  ["vmovd r64, xmm", "VEX.128.66.0F.W1 7E /r", "AVX 64 MR alias"],
  ["vmovd xmm, r/m32", "EVEX.128.66.0F.W0 6E /r", "AVX512F"],
  ["vmovd r/m32, xmm", "EVEX.128.66.0F.W0 7E /r", "AVX512F"],
  ["vmovq xmm, xmm/m64", "VEX.128.F3.0F.WIG 7E /r", "AVX swap"],
  ["vmovq xmm/m64, xmm", "VEX.128.66.0F.WIG D6 /r", "AVX"],
  ["vmovq xmm, r64", "VEX.128.66.0F.W1 6E /r", "AVX 64"],
  ["vmovq r64, xmm", "VEX.128.66.0F.W1 7E /r", "AVX 64 MR"],
  ["vmovq xmm, r/m64", "EVEX.128.66.0F.W1 6E /r", "AVX512F 64"],
  ["vmovq r/m64, xmm", "EVEX.128.66.0F.W1 7E /r", "AVX512F 64"],
  ["vmovq xmm, xmm/m64", "EVEX.128.F3.0F.W1 7E /r", "AVX512F"],
  ["vmovq m64, xmm", "EVEX.128.66.0F.W1 D6 /r", "AVX512F"],
  ["vpinsrb xmm, xmm, r32/m8, imm8", "VEX.128.66.0F3A.WIG 20 /r ib", "AVX"],
  ["vpinsrb xmm, xmm, r32/m8, imm8", "EVEX.128.66.0F3A.WIG 20 /r ib", "AVX512BW"],
  ["vpinsrw xmm, xmm, r32/m16, imm8", "VEX.128.66.0F.WIG C4 /r ib", "AVX"],
  ["vpinsrw xmm, xmm, r32/m16, imm8", "EVEX.128.66.0F.WIG C4 /r ib", "AVX512BW"],
  ["vpinsrd xmm, xmm, r/m32, imm8", "VEX.128.66.0F3A.W0 22 /r ib", "AVX"],
  ["vpinsrd xmm, xmm, r/m32, imm8", "EVEX.128.66.0F3A.W0 22 /r ib", "AVX512DQ"],
  ["vpinsrq xmm, xmm, r/m64, imm8", "VEX.128.66.0F3A.W1 22 /r ib", "AVX 64"],
  ["vpinsrq xmm, xmm, r/m64, imm8", "EVEX.128.66.0F3A.W1 22 /r ib", "AVX512DQ 64"],
  ["vpextrb r32/m8, xmm, imm8", "VEX.128.66.0F3A.WIG 14 /r ib", "AVX MRI"],
  ["vpextrb r32/m8, xmm, imm8", "EVEX.128.66.0F3A.WIG 14 /r ib", "AVX512BW MRI"],
  ["vpextrw r32, xmm, imm8", "VEX.128.66.0F.WIG C5 /r ib", "AVX"],
  ["vpextrw m16, xmm, imm8", "VEX.128.66.0F3A.WIG 15 /r ib", "AVX"],
  ["vpextrw r32, xmm, imm8", "EVEX.128.66.0F.WIG C5 /r ib", "AVX512BW"],
  ["vpextrw m16, xmm, imm8", "EVEX.128.66.0F3A.WIG 15 /r ib", "AVX512BW"],
  ["vpextrd r/m32, xmm, imm8", "VEX.128.66.0F3A.W0 16 /r ib", "AVX MRI"],
  ["vpextrd r/m32, xmm, imm8", "EVEX.128.66.0F3A.W0 16 /r ib", "AVX512DQ MRI"],
  ["vpextrq r/m64, xmm, imm8", "VEX.128.66.0F3A.W1 16 /r ib", "AVX 64 MRI"],
  ["vpextrq r/m64, xmm, imm8", "EVEX.128.66.0F3A.W1 16 /r ib", "AVX512DQ 64 MRI"],
  ["vpmovmskb r32, v", "VEX.xy.66.0F.WIG D7 /r", "AVX"],
  ["vpmovmskb r64, v", "VEX.xy.66.0F.WIG D7 /r", "AVX 64"],
];

/** Whole-register moves. */
const MOVES: readonly Row[] = [
  ["vmovdqa v, v/mv", "VEX.xy.66.0F.WIG 6F /r", "AVX swap"],
  ["vmovdqa v/mv, v", "VEX.xy.66.0F.WIG 7F /r", "AVX"],
  ["vmovdqu v, v/mv", "VEX.xy.F3.0F.WIG 6F /r", "AVX swap"],
  ["vmovdqu v/mv, v", "VEX.xy.F3.0F.WIG 7F /r", "AVX"],
  ...(
    [
      ["vmovdqa32", "66", "W0", "AVX512F"],
      ["vmovdqa64", "66", "W1", "AVX512F"],
      ["vmovdqu8", "F2", "W0", "AVX512BW"],
      ["vmovdqu16", "F2", "W1", "AVX512BW"],
      ["vmovdqu32", "F3", "W0", "AVX512F"],
      ["vmovdqu64", "F3", "W1", "AVX512F"],
    ] as const
  ).flatMap(([mnemonic, prefix, w, feature]): Row[] => [
    [`${mnemonic} v{kz}, v/mv`, `EVEX.xyz.${prefix}.0F.${w} 6F /r`, feature],
    [`${mnemonic} mv{k}, v`, `EVEX.xyz.${prefix}.0F.${w} 7F /r`, feature],
  ]),
  ["vmovntdq mv, v", "VEX.xy.66.0F.WIG E7 /r", "AVX"],
  ["vmovntdq mv, v", "EVEX.xyz.66.0F.W0 E7 /r", "AVX512F"],
  ["vmovntdqa v, mv", "VEX.xy.66.0F38.WIG 2A /r", "AVX"],
  ["vmovntdqa v, mv", "EVEX.xyz.66.0F38.W0 2A /r", "AVX512F"],
  ["vlddqu v, mv", "VEX.xy.F2.0F.WIG F0 /r", "AVX"],
  ["vmaskmovdqu xmm, xmm", "VEX.128.66.0F.WIG F7 /r", "AVX"],
];

export const integer: readonly Row[] = [
  ...MOVES,
  ...ELEMENTS,
  ...BYTES_AND_WORDS.flatMap(([mnemonic, opcode, map = "66.0F"]) =>
    ternary({ mnemonic, map, opcode, w: "WIG", vex: "AVX", evex: "AVX512BW" }),
  ),
  ...WIDE.flatMap(([mnemonic, opcode, element, map = "66.0F", evex = "AVX512F"]) =>
    ternary({ mnemonic, map, opcode, w: element === 64 ? "W1" : "W0", element, vex: "AVX", evex }),
  ),
  ...VEX_ONLY.flatMap(([mnemonic, opcode, map = "66.0F"]) =>
    ternary({ mnemonic, map, opcode, w: "WIG", vex: "AVX" }),
  ),
  ...LOGICAL.flatMap(([stem, opcode]) => dq([`${stem}d`, `${stem}q`], "66.0F", opcode, "AVX512F")),
  ...QUADWORDS_38.flatMap(([mnemonic, opcode, evex]) =>
    ternary({ mnemonic, map: "66.0F38", opcode, w: "W1", element: 64, evex }),
  ),
  ...COMPARES.flatMap(([mnemonic, map, opcode, w, element]): Row[] => [
    [`${mnemonic} v, v, v/mv`, `VEX.xy.${map}.WIG ${opcode} /r`, "AVX"],
    [
      `${mnemonic} k{k}, v, v/mv${element}`,
      `EVEX.xyz.${map}.${w} ${opcode} /r`,
      w === "WIG" ? "AVX512BW" : "AVX512F",
    ],
  ]),
  ...SHIFTS.flatMap((row) => shift(...row)),
  ["vpsraq v{kz}, v, xmm/m128", "EVEX.xyz.66.0F.W1 E2 /r", "AVX512F"],
  ["vpsraq v{kz}, v/mv/b64, imm8", "EVEX.xyz.66.0F.W1 72 /4 ib", "AVX512F"],
  ["vprord v{kz}, v/mv/b32, imm8", "EVEX.xyz.66.0F.W0 72 /0 ib", "AVX512F"],
  ["vprorq v{kz}, v/mv/b64, imm8", "EVEX.xyz.66.0F.W1 72 /0 ib", "AVX512F"],
  ["vprold v{kz}, v/mv/b32, imm8", "EVEX.xyz.66.0F.W0 72 /1 ib", "AVX512F"],
  ["vprolq v{kz}, v/mv/b64, imm8", "EVEX.xyz.66.0F.W1 72 /1 ib", "AVX512F"],
  ["vpsrldq v, v, imm8", "VEX.xy.66.0F.WIG 73 /3 ib", "AVX"],
  ["vpslldq v, v, imm8", "VEX.xy.66.0F.WIG 73 /7 ib", "AVX"],
  ["vpsrldq v, v/mv, imm8", "EVEX.xyz.66.0F.WIG 73 /3 ib", "AVX512BW"],
  ["vpslldq v, v/mv, imm8", "EVEX.xyz.66.0F.WIG 73 /7 ib", "AVX512BW"],
  ...dq(["vpsrlvd", "vpsrlvq"], "66.0F38", "45", "AVX512F", "AVX2"),
  ...ternary({
    mnemonic: "vpsravd",
    map: "66.0F38",
    opcode: "46",
    w: "W0",
    element: 32,
    vex: "AVX2",
    vexW: "W0",
    evex: "AVX512F",
  }),
  ...dq(["vpsllvd", "vpsllvq"], "66.0F38", "47", "AVX512F", "AVX2"),
  ...dq(["vprorvd", "vprorvq"], "66.0F38", "14", "AVX512F"),
  ...dq(["vprolvd", "vprolvq"], "66.0F38", "15", "AVX512F"),
  ...ternary({ mnemonic: "vpsrlvw", map: "66.0F38", opcode: "10", w: "W1", evex: "AVX512BW" }),
  ...ternary({ mnemonic: "vpsravw", map: "66.0F38", opcode: "11", w: "W1", evex: "AVX512BW" }),
  ...ternary({ mnemonic: "vpsllvw", map: "66.0F38", opcode: "12", w: "W1", evex: "AVX512BW" }),

  ...rows({ vex: "AVX", evex: "AVX512BW" }, "vpsadbw v, v, v/mv", "vpsadbw v, v, v/mv", {
    map: "66.0F",
    code: "F6 /r",
    w: "WIG",
  }),
  ...binary({ mnemonic: "vpabsb", map: "66.0F38", opcode: "1C", w: "WIG", vex: "AVX", evex: "AVX512BW" }),
  ...binary({ mnemonic: "vpabsw", map: "66.0F38", opcode: "1D", w: "WIG", vex: "AVX", evex: "AVX512BW" }),
  ...binary({
    mnemonic: "vpabsd",
    map: "66.0F38",
    opcode: "1E",
    w: "W0",
    element: 32,
    vex: "AVX",
    evex: "AVX512F",
  }),
  ...binary({ mnemonic: "vpabsq", map: "66.0F38", opcode: "1F", w: "W1", element: 64, evex: "AVX512F" }),
  ["vptest v, v/mv", "VEX.xy.66.0F38.WIG 17 /r", "AVX"],
  ["vphminposuw xmm, xmm/m128", "VEX.128.66.0F38.WIG 41 /r", "AVX"],
  ...binary(
    { mnemonic: "vpshufd", map: "66.0F", opcode: "70", w: "W0", element: 32, vex: "AVX", evex: "AVX512F" },
    " ib",
  ),
  ...binary(
    { mnemonic: "vpshufhw", map: "F3.0F", opcode: "70", w: "WIG", vex: "AVX", evex: "AVX512BW" },
    " ib",
  ),
  ...binary(
    { mnemonic: "vpshuflw", map: "F2.0F", opcode: "70", w: "WIG", vex: "AVX", evex: "AVX512BW" },
    " ib",
  ),
  ...ternary(
    { mnemonic: "vpalignr", map: "66.0F3A", opcode: "0F", w: "WIG", vex: "AVX", evex: "AVX512BW" },
    " ib",
  ),
  ["vpblendw v, v, v/mv, imm8", "VEX.xy.66.0F3A.WIG 0E /r ib", "AVX"],
  ["vpblendd v, v, v/mv, imm8", "VEX.xy.66.0F3A.W0 02 /r ib", "AVX2"],
  ["vpblendvb v, v, v/mv, v", "VEX.xy.66.0F3A.W0 4C /r /is4", "AVX"],
  ["vmpsadbw v, v, v/mv, imm8", "VEX.xy.66.0F3A.WIG 42 /r ib", "AVX"],
  ...EXTENSIONS.flatMap((row) => extension(...row)),
  ...NARROWING.flatMap((row) => narrowing(...row)),

  ["vpmaskmovd v, v, mv", "VEX.xy.66.0F38.W0 8C /r", "AVX2"],
  ["vpmaskmovq v, v, mv", "VEX.xy.66.0F38.W1 8C /r", "AVX2"],
  ["vpmaskmovd mv, v, v", "VEX.xy.66.0F38.W0 8E /r", "AVX2 MVR"],
  ["vpmaskmovq mv, v, v", "VEX.xy.66.0F38.W1 8E /r", "AVX2 MVR"],
  ["vpcmpestrm xmm, xmm/m128, imm8", "VEX.128.66.0F3A.W0 60 /r ib", "AVX"],
  ["vpcmpestrmq xmm, xmm/m128, imm8", "VEX.128.66.0F3A.W1 60 /r ib", "AVX 64"],
  ["vpcmpestri xmm, xmm/m128, imm8", "VEX.128.66.0F3A.W0 61 /r ib", "AVX"],
  ["vpcmpestriq xmm, xmm/m128, imm8", "VEX.128.66.0F3A.W1 61 /r ib", "AVX 64"],
  ["vpcmpistrm xmm, xmm/m128, imm8", "VEX.128.66.0F3A.WIG 62 /r ib", "AVX"],
  ["vpcmpistri xmm, xmm/m128, imm8", "VEX.128.66.0F3A.WIG 63 /r ib", "AVX"],
];
