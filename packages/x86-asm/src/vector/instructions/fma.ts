/** SDM Vol. 1, "FMA Instructions", also in AVX-512; APM Vol. 6, FMA4. */
import { opcode } from "../../instructions/conditions.js";
import type { Row } from "../../notation.js";

/** Order of the operands, and what it adds to the opcode. */
const ORDERS: readonly (readonly [order: string, offset: number])[] = [
  ["132", 0x00],
  ["213", 0x10],
  ["231", 0x20],
];
/** Opcode of the 132 form; the scalar one is 1 higher, if there is one. */
const STEMS: readonly (readonly [stem: string, opcode: number, hasScalar: boolean])[] = [
  ["fmaddsub", 0x96, false],
  ["fmsubadd", 0x97, false],
  ["fmadd", 0x98, true],
  ["fmsub", 0x9a, true],
  ["fnmadd", 0x9c, true],
  ["fnmsub", 0x9e, true],
];

function fma(stem: string, base: number, hasScalar: boolean): Row[] {
  return ORDERS.flatMap(([order, offset]): Row[] => {
    const name = `v${stem}${order}`;
    const packed = opcode(base, offset);
    const scalar = opcode(base, offset + 1);
    const rows: Row[] = [
      [`${name}ps v, v, v/mv`, `VEX.xy.66.0F38.W0 ${packed} /r`, "FMA"],
      [`${name}pd v, v, v/mv`, `VEX.xy.66.0F38.W1 ${packed} /r`, "FMA"],
      [`${name}ps v{kz}, v, v/mv/b32{er}`, `EVEX.xyz.66.0F38.W0 ${packed} /r`, "AVX512F"],
      [`${name}pd v{kz}, v, v/mv/b64{er}`, `EVEX.xyz.66.0F38.W1 ${packed} /r`, "AVX512F"],
      [`${name}ph v{kz}, v, v/mv/b16{er}`, `EVEX.xyz.66.MAP6.W0 ${packed} /r`, "AVX512_FP16"],
    ];
    if (!hasScalar) return rows;
    return [
      ...rows,
      [`${name}ss xmm, xmm, xmm/m32`, `VEX.LIG.66.0F38.W0 ${scalar} /r`, "FMA"],
      [`${name}sd xmm, xmm, xmm/m64`, `VEX.LIG.66.0F38.W1 ${scalar} /r`, "FMA"],
      [`${name}ss xmm{kz}, xmm, xmm/m32{er}`, `EVEX.LIG.66.0F38.W0 ${scalar} /r`, "AVX512F"],
      [`${name}sd xmm{kz}, xmm, xmm/m64{er}`, `EVEX.LIG.66.0F38.W1 ${scalar} /r`, "AVX512F"],
      [`${name}sh xmm{kz}, xmm, xmm/m16{er}`, `EVEX.LIG.66.MAP6.W0 ${scalar} /r`, "AVX512_FP16"],
    ];
  });
}

/** FMA4: the opcode of the PS form; PD, SS and SD follow. */
const FMA4: readonly (readonly [stem: string, opcode: number, hasScalar: boolean])[] = [
  ["vfmaddsub", 0x5c, false],
  ["vfmsubadd", 0x5e, false],
  ["vfmadd", 0x68, true],
  ["vfmsub", 0x6c, true],
  ["vfnmadd", 0x78, true],
  ["vfnmsub", 0x7c, true],
];

/** Memory may be the last source (W1) or the one before it. */
function fma4(mnemonic: string, code: string, length: string, register: string, memory: string): Row[] {
  return [
    [
      `${mnemonic} ${register}, ${register}, ${register}, ${register}/${memory}`,
      `VEX.${length}.66.0F3A.W1 ${code} /r /is4`,
      "FMA4",
    ],
    [
      `${mnemonic} ${register}, ${register}, ${register}/${memory}, ${register}`,
      `VEX.${length}.66.0F3A.W0 ${code} /r /is4`,
      "FMA4",
    ],
  ];
}

export const fusedMultiplyAdd: readonly Row[] = [
  ...STEMS.flatMap((row) => fma(...row)),
  ...FMA4.flatMap(([stem, base, hasScalar]): Row[] => [
    ...fma4(`${stem}ps`, opcode(base, 0), "xy", "v", "mv"),
    ...fma4(`${stem}pd`, opcode(base, 1), "xy", "v", "mv"),
    ...(hasScalar ? fma4(`${stem}ss`, opcode(base, 2), "LIG", "xmm", "m32") : []),
    ...(hasScalar ? fma4(`${stem}sd`, opcode(base, 3), "LIG", "xmm", "m64") : []),
  ]),
];
