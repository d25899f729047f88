/** SDM Vol. 1, "AVX Instructions", "AVX-512 Instructions": floating point, and moves of it. */
import { opcode } from "../../instructions/conditions.js";
import type { Row } from "../../notation.js";
import { binary, type Pair, scalar, ternary } from "./families.js";

/** The four types of SSE and AVX: suffix, prefix, width of an element, whether packed. */
const TYPES: readonly (readonly [suffix: string, prefix: string, width: 32 | 64, isPacked: boolean])[] = [
  ["ps", "NP", 32, true],
  ["pd", "66", 64, true],
  ["ss", "F3", 32, false],
  ["sd", "F2", 64, false],
];

type Options = Pick<Pair, "rounding"> & { evex?: string | undefined; immediate?: string };

function packed(stem: string, code: string, build: typeof ternary, options: Options = {}): Row[] {
  const { evex, rounding = "", immediate = "" } = { evex: "AVX512F", ...options };
  return TYPES.slice(0, 2).flatMap(([suffix, prefix, width]) =>
    build(
      {
        mnemonic: `v${stem}${suffix}`,
        map: `${prefix}.0F`,
        opcode: code,
        w: width === 64 ? "W1" : "W0",
        element: width,
        vex: "AVX",
        rounding,
        ...(evex === undefined ? {} : { evex }),
      },
      immediate,
    ),
  );
}

function scalars(stem: string, code: string, options: Options = {}): Row[] {
  const { evex, rounding = "" } = { evex: "AVX512F", ...options };
  return TYPES.slice(2).flatMap(([suffix, prefix, width]) =>
    scalar(`v${stem}${suffix}`, `${prefix}.0F`, code, width, {
      vex: "AVX",
      rounding,
      ...(evex === undefined ? {} : { evex }),
    }),
  );
}

/** All four types. */
function arithmetic(stem: string, code: string, rounding: string): Row[] {
  return [...packed(stem, code, ternary, { rounding }), ...scalars(stem, code, { rounding })];
}

/** Moves between registers and memory, in both directions. */
function moves(mnemonic: string, prefix: string, load: string, store: string, w: string): Row[] {
  return [
    [`${mnemonic} v, v/mv`, `VEX.xy.${prefix}.0F.WIG ${load} /r`, "AVX swap"],
    [`${mnemonic} v/mv, v`, `VEX.xy.${prefix}.0F.WIG ${store} /r`, "AVX"],
    [`${mnemonic} v{kz}, v/mv`, `EVEX.xyz.${prefix}.0F.${w} ${load} /r`, "AVX512F"],
    [`${mnemonic} mv{k}, v`, `EVEX.xyz.${prefix}.0F.${w} ${store} /r`, "AVX512F"],
  ];
}

function scalarMoves(mnemonic: string, prefix: string, width: number, w: string): Row[] {
  return [
    [`${mnemonic} xmm, m${width}`, `VEX.LIG.${prefix}.0F.WIG 10 /r`, "AVX"],
    [`${mnemonic} m${width}, xmm`, `VEX.LIG.${prefix}.0F.WIG 11 /r`, "AVX"],
    [`${mnemonic} xmm, xmm, xmm`, `VEX.LIG.${prefix}.0F.WIG 10 /r`, "AVX swap"],
    [`${mnemonic} xmm, xmm, xmm`, `VEX.LIG.${prefix}.0F.WIG 11 /r`, "AVX MVR"],
    [`${mnemonic} xmm{kz}, m${width}`, `EVEX.LIG.${prefix}.0F.${w} 10 /r`, "AVX512F"],
    [`${mnemonic} m${width}{k}, xmm`, `EVEX.LIG.${prefix}.0F.${w} 11 /r`, "AVX512F"],
    [`${mnemonic} xmm{kz}, xmm, xmm`, `EVEX.LIG.${prefix}.0F.${w} 10 /r`, "AVX512F"],
  ];
}

/** Moves of half an XMM register. */
function halves(stem: string, load: string, store: string): Row[] {
  return ["ps", "pd"].flatMap((suffix): Row[] => {
    const prefix = suffix === "ps" ? "NP" : "66";
    const w = suffix === "ps" ? "W0" : "W1";
    return [
      [`v${stem}${suffix} xmm, xmm, m64`, `VEX.128.${prefix}.0F.WIG ${load} /r`, "AVX"],
      [`v${stem}${suffix} m64, xmm`, `VEX.128.${prefix}.0F.WIG ${store} /r`, "AVX"],
      [`v${stem}${suffix} xmm, xmm, m64`, `EVEX.128.${prefix}.0F.${w} ${load} /r`, "AVX512F"],
      [`v${stem}${suffix} m64, xmm`, `EVEX.128.${prefix}.0F.${w} ${store} /r`, "AVX512F"],
    ];
  });
}

/** Predicates of VCMPPS and its kin, by immediate. */
export const PREDICATES: readonly string[] = [
  ..."eq lt le unord neq nlt nle ord eq_uq nge ngt false neq_oq ge gt true eq_os lt_oq le_oq unord_s".split(
    " ",
  ),
  ..."neq_us nlt_uq nle_uq ord_s eq_us nge_uq ngt_uq false_os neq_os ge_oq gt_oq true_us".split(" "),
];
/** Other names for some of them. */
const PREDICATE_ALIASES: readonly (readonly [name: string, immediate: number])[] = [
  ["eq_oq", 0x00],
  ["lt_os", 0x01],
  ["le_os", 0x02],
  ["unord_q", 0x03],
  ["neq_uq", 0x04],
  ["nlt_us", 0x05],
  ["nle_us", 0x06],
  ["ord_q", 0x07],
  ["nge_us", 0x09],
  ["ngt_us", 0x0a],
  ["false_oq", 0x0b],
  ["ge_os", 0x0d],
  ["gt_os", 0x0e],
  ["true_uq", 0x0f],
];

/** The compare with an immediate and the mnemonics that have one built in. */
export function compares(stem: string, suffix: string, shapes: readonly Row[]): Row[] {
  const predicates = [...PREDICATES.map((name, i) => [name, i] as const), ...PREDICATE_ALIASES];
  return [
    ...predicates.flatMap(([name, i]) =>
      shapes.map(
        ([operands, encoding, attributes]): Row => [
          `${stem}${name}${suffix} ${operands}`,
          `${encoding} ${opcode(0, i)}`,
          attributes,
        ],
      ),
    ),
    ...shapes.map(
      ([operands, encoding, attributes]): Row => [
        `${stem}${suffix} ${operands}, imm8`,
        `${encoding} ib`,
        attributes,
      ],
    ),
  ];
}

function compare(suffix: string, prefix: string, width: number, isPacked: boolean): Row[] {
  const w = width === 64 ? "W1" : "W0";
  const shapes: Row[] = isPacked
    ? [
        ["v, v, v/mv", `VEX.xy.${prefix}.0F.WIG C2 /r`, "AVX"],
        [`k{k}, v, v/mv/b${width}{sae}`, `EVEX.xyz.${prefix}.0F.${w} C2 /r`, "AVX512F"],
      ]
    : [
        [`xmm, xmm, xmm/m${width}`, `VEX.LIG.${prefix}.0F.WIG C2 /r`, "AVX"],
        [`k{k}, xmm, xmm/m${width}{sae}`, `EVEX.LIG.${prefix}.0F.${w} C2 /r`, "AVX512F"],
      ];
  return compares("vcmp", suffix, shapes);
}

/** Ordered and unordered compares that set EFLAGS. */
function flagCompares(stem: string, code: string): Row[] {
  return [
    [`${stem}ss xmm, xmm/m32`, `VEX.LIG.NP.0F.WIG ${code} /r`, "AVX"],
    [`${stem}ss xmm, xmm/m32{sae}`, `EVEX.LIG.NP.0F.W0 ${code} /r`, "AVX512F"],
    [`${stem}sd xmm, xmm/m64`, `VEX.LIG.66.0F.WIG ${code} /r`, "AVX"],
    [`${stem}sd xmm, xmm/m64{sae}`, `EVEX.LIG.66.0F.W1 ${code} /r`, "AVX512F"],
  ];
}

export const float: readonly Row[] = [
  ...moves("vmovups", "NP", "10", "11", "W0"),
  ...moves("vmovupd", "66", "10", "11", "W1"),
  ...moves("vmovaps", "NP", "28", "29", "W0"),
  ...moves("vmovapd", "66", "28", "29", "W1"),
  ...scalarMoves("vmovss", "F3", 32, "W0"),
  ...scalarMoves("vmovsd", "F2", 64, "W1"),
  ["vmovhlps xmm, xmm, xmm", "VEX.128.NP.0F.WIG 12 /r", "AVX"],
  ["vmovhlps xmm, xmm, xmm", "EVEX.128.NP.0F.W0 12 /r", "AVX512F"],
  ["vmovlhps xmm, xmm, xmm", "VEX.128.NP.0F.WIG 16 /r", "AVX"],
  ["vmovlhps xmm, xmm, xmm", "EVEX.128.NP.0F.W0 16 /r", "AVX512F"],
  ...halves("movl", "12", "13"),
  ...halves("movh", "16", "17"),
  ["vmovddup xmm, xmm/m64", "VEX.128.F2.0F.WIG 12 /r", "AVX"],
  ["vmovddup ymm, ymm/m256", "VEX.256.F2.0F.WIG 12 /r", "AVX"],
  ["vmovddup xmm{kz}, xmm/m64", "EVEX.128.F2.0F.W1 12 /r", "AVX512F,AVX512VL"],
  ["vmovddup v{kz}, v/mv", "EVEX.yz.F2.0F.W1 12 /r", "AVX512F"],
  ...binary({ mnemonic: "vmovsldup", map: "F3.0F", opcode: "12", w: "W0", vex: "AVX", evex: "AVX512F" }),
  ...binary({ mnemonic: "vmovshdup", map: "F3.0F", opcode: "16", w: "W0", vex: "AVX", evex: "AVX512F" }),
  ["vmovntps mv, v", "VEX.xy.NP.0F.WIG 2B /r", "AVX"],
  ["vmovntps mv, v", "EVEX.xyz.NP.0F.W0 2B /r", "AVX512F"],
  ["vmovntpd mv, v", "VEX.xy.66.0F.WIG 2B /r", "AVX"],
  ["vmovntpd mv, v", "EVEX.xyz.66.0F.W1 2B /r", "AVX512F"],
  ["vmovmskps r32, v", "VEX.xy.NP.0F.WIG 50 /r", "AVX"],
  ["vmovmskps r64, v", "VEX.xy.NP.0F.WIG 50 /r", "AVX 64"],
  ["vmovmskpd r32, v", "VEX.xy.66.0F.WIG 50 /r", "AVX"],
  ["vmovmskpd r64, v", "VEX.xy.66.0F.WIG 50 /r", "AVX 64"],
  ...packed("unpckl", "14", ternary),
  ...packed("unpckh", "15", ternary),
  ...packed("shuf", "C6", ternary, { immediate: " ib" }),

  ...arithmetic("add", "58", "{er}"),
  ...arithmetic("mul", "59", "{er}"),
  ...arithmetic("sub", "5C", "{er}"),
  ...arithmetic("min", "5D", "{sae}"),
  ...arithmetic("div", "5E", "{er}"),
  ...arithmetic("max", "5F", "{sae}"),
  ...packed("sqrt", "51", binary, { rounding: "{er}" }),
  ...scalars("sqrt", "51", { rounding: "{er}" }),
  ["vrsqrtps v, v/mv", "VEX.xy.NP.0F.WIG 52 /r", "AVX"],
  ["vrsqrtss xmm, xmm, xmm/m32", "VEX.LIG.F3.0F.WIG 52 /r", "AVX"],
  ["vrcpps v, v/mv", "VEX.xy.NP.0F.WIG 53 /r", "AVX"],
  ["vrcpss xmm, xmm, xmm/m32", "VEX.LIG.F3.0F.WIG 53 /r", "AVX"],
  ...packed("and", "54", ternary, { evex: "AVX512DQ" }),
  ...packed("andn", "55", ternary, { evex: "AVX512DQ" }),
  ...packed("or", "56", ternary, { evex: "AVX512DQ" }),
  ...packed("xor", "57", ternary, { evex: "AVX512DQ" }),
  ["vaddsubpd v, v, v/mv", "VEX.xy.66.0F.WIG D0 /r", "AVX"],
  ["vaddsubps v, v, v/mv", "VEX.xy.F2.0F.WIG D0 /r", "AVX"],
  ["vhaddpd v, v, v/mv", "VEX.xy.66.0F.WIG 7C /r", "AVX"],
  ["vhaddps v, v, v/mv", "VEX.xy.F2.0F.WIG 7C /r", "AVX"],
  ["vhsubpd v, v, v/mv", "VEX.xy.66.0F.WIG 7D /r", "AVX"],
  ["vhsubps v, v, v/mv", "VEX.xy.F2.0F.WIG 7D /r", "AVX"],
  ...flagCompares("vucomi", "2E"),
  ...flagCompares("vcomi", "2F"),
  ...TYPES.flatMap((type) => compare(...type)),

  ["vtestps v, v/mv", "VEX.xy.66.0F38.W0 0E /r", "AVX"],
  ["vtestpd v, v/mv", "VEX.xy.66.0F38.W0 0F /r", "AVX"],
  ["vroundps v, v/mv, imm8", "VEX.xy.66.0F3A.WIG 08 /r ib", "AVX"],
  ["vroundpd v, v/mv, imm8", "VEX.xy.66.0F3A.WIG 09 /r ib", "AVX"],
  ["vroundss xmm, xmm, xmm/m32, imm8", "VEX.LIG.66.0F3A.WIG 0A /r ib", "AVX"],
  ["vroundsd xmm, xmm, xmm/m64, imm8", "VEX.LIG.66.0F3A.WIG 0B /r ib", "AVX"],
  ["vblendps v, v, v/mv, imm8", "VEX.xy.66.0F3A.WIG 0C /r ib", "AVX"],
  ["vblendpd v, v, v/mv, imm8", "VEX.xy.66.0F3A.WIG 0D /r ib", "AVX"],
  ["vblendvps v, v, v/mv, v", "VEX.xy.66.0F3A.W0 4A /r /is4", "AVX"],
  ["vblendvpd v, v, v/mv, v", "VEX.xy.66.0F3A.W0 4B /r /is4", "AVX"],
  ["vdpps v, v, v/mv, imm8", "VEX.xy.66.0F3A.WIG 40 /r ib", "AVX"],
  ["vdppd xmm, xmm, xmm/m128, imm8", "VEX.128.66.0F3A.WIG 41 /r ib", "AVX"],
  ["vmaskmovps v, v, mv", "VEX.xy.66.0F38.W0 2C /r", "AVX"],
  ["vmaskmovpd v, v, mv", "VEX.xy.66.0F38.W0 2D /r", "AVX"],
  ["vmaskmovps mv, v, v", "VEX.xy.66.0F38.W0 2E /r", "AVX MVR"],
  ["vmaskmovpd mv, v, v", "VEX.xy.66.0F38.W0 2F /r", "AVX MVR"],
  ["vextractps r/m32, xmm, imm8", "VEX.128.66.0F3A.WIG 17 /r ib", "AVX"],
  ["vextractps r/m32, xmm, imm8", "EVEX.128.66.0F3A.WIG 17 /r ib", "AVX512F"],
  ["vinsertps xmm, xmm, xmm/m32, imm8", "VEX.128.66.0F3A.WIG 21 /r ib", "AVX"],
  ["vinsertps xmm, xmm, xmm/m32, imm8", "EVEX.128.66.0F3A.W0 21 /r ib", "AVX512F"],
  ["vldmxcsr m32", "VEX.LZ.NP.0F.WIG AE /2", "AVX"],
  ["vstmxcsr m32", "VEX.LZ.NP.0F.WIG AE /3", "AVX"],
  ["vzeroupper", "VEX.128.NP.0F.WIG 77", "AVX"],
  ["vzeroall", "VEX.256.NP.0F.WIG 77", "AVX"],
];
