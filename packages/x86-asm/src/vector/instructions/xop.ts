/** APM Vol. 6, XOP; APM Vol. 3, TBM; AMD publication 43724, LWP. */
import { opcode } from "../../instructions/conditions.js";
import type { Row } from "../../notation.js";

/** Multiply and accumulate: opcode in map 8. */
const ACCUMULATE: readonly (readonly [mnemonic: string, opcode: string])[] = [
  ["vpmacssww", "85"],
  ["vpmacsswd", "86"],
  ["vpmacssdql", "87"],
  ["vpmacssdd", "8E"],
  ["vpmacssdqh", "8F"],
  ["vpmacsww", "95"],
  ["vpmacswd", "96"],
  ["vpmacsdql", "97"],
  ["vpmacsdd", "9E"],
  ["vpmacsdqh", "9F"],
  ["vpmadcsswd", "A6"],
  ["vpmadcswd", "B6"],
];

/** Horizontal additions and subtractions in map 9. */
const HORIZONTAL: readonly (readonly [mnemonic: string, opcode: string])[] = [
  ["vphaddbw", "C1"],
  ["vphaddbd", "C2"],
  ["vphaddbq", "C3"],
  ["vphaddwd", "C6"],
  ["vphaddwq", "C7"],
  ["vphadddq", "CB"],
  ["vphaddubw", "D1"],
  ["vphaddubd", "D2"],
  ["vphaddubq", "D3"],
  ["vphadduwd", "D6"],
  ["vphadduwq", "D7"],
  ["vphaddudq", "DB"],
  ["vphsubbw", "E1"],
  ["vphsubwd", "E2"],
  ["vphsubdq", "E3"],
];

const ELEMENTS = ["b", "w", "d", "q"];
const PREDICATES = ["lt", "le", "gt", "ge", "eq", "neq", "false", "true"];

/** Rotates and shifts with a count for each element: the count or what is shifted may be memory. */
function shift(mnemonic: string, code: string): Row[] {
  return [
    [`${mnemonic} xmm, xmm/m128, xmm`, `XOP.128.NP.M9.W0 ${code} /r`, "XOP"],
    [`${mnemonic} xmm, xmm, xmm/m128`, `XOP.128.NP.M9.W1 ${code} /r`, "XOP RVM"],
  ];
}

function compare(suffix: string, code: string): Row[] {
  const encoding = `XOP.128.NP.M8.W0 ${code} /r`;
  return [
    ...PREDICATES.map(
      (name, i): Row => [`vpcom${name}${suffix} xmm, xmm, xmm/m128`, `${encoding} ${opcode(0, i)}`, "XOP"],
    ),
    [`vpcom${suffix} xmm, xmm, xmm/m128, imm8`, `${encoding} ib`, "XOP"],
  ];
}

/** Memory may be the last source (W1) or the one before it. */
function selecting(mnemonic: string, code: string, lengths: string, operand: string, memory: string): Row[] {
  return [
    [
      `${mnemonic} ${operand}, ${operand}, ${operand}/${memory}, ${operand}`,
      `XOP.${lengths}.NP.M8.W0 ${code} /r /is4`,
      "XOP",
    ],
    [
      `${mnemonic} ${operand}, ${operand}, ${operand}, ${operand}/${memory}`,
      `XOP.${lengths}.NP.M8.W1 ${code} /r /is4`,
      "XOP",
    ],
  ];
}

/** Trailing-bit manipulation: opcode and digit in map 9. */
const TRAILING: readonly (readonly [mnemonic: string, opcode: string, digit: number])[] = [
  ["blcfill", "01", 1],
  ["blsfill", "01", 2],
  ["blcs", "01", 3],
  ["tzmsk", "01", 4],
  ["blcic", "01", 5],
  ["blsic", "01", 6],
  ["t1mskc", "01", 7],
  ["blcmsk", "02", 1],
  ["blci", "02", 6],
];

export const xop: readonly Row[] = [
  ["vfrczps v, v/mv", "XOP.xy.NP.M9.W0 80 /r", "XOP"],
  ["vfrczpd v, v/mv", "XOP.xy.NP.M9.W0 81 /r", "XOP"],
  ["vfrczss xmm, xmm/m32", "XOP.LZ.NP.M9.W0 82 /r", "XOP"],
  ["vfrczsd xmm, xmm/m64", "XOP.LZ.NP.M9.W0 83 /r", "XOP"],
  ...selecting("vpcmov", "A2", "xy", "v", "mv"),
  ...selecting("vpperm", "A3", "128", "xmm", "m128"),
  ...ACCUMULATE.map(
    ([mnemonic, code]): Row => [
      `${mnemonic} xmm, xmm, xmm/m128, xmm`,
      `XOP.128.NP.M8.W0 ${code} /r /is4`,
      "XOP",
    ],
  ),
  ...HORIZONTAL.map(
    ([mnemonic, code]): Row => [`${mnemonic} xmm, xmm/m128`, `XOP.128.NP.M9.W0 ${code} /r`, "XOP"],
  ),
  ...ELEMENTS.flatMap((element, i): Row[] => [
    ...shift(`vprot${element}`, opcode(0x90, i)),
    [`vprot${element} xmm, xmm/m128, imm8`, `XOP.128.NP.M8.W0 ${opcode(0xc0, i)} /r ib`, "XOP"],
    ...shift(`vpshl${element}`, opcode(0x94, i)),
    ...shift(`vpsha${element}`, opcode(0x98, i)),
    ...compare(element, opcode(0xcc, i)),
    ...compare(`u${element}`, opcode(0xec, i)),
  ]),
  ["vpermil2ps v, v, v/mv, v, imm4", "VEX.xy.66.0F3A.W0 48 /r /is4", "XOP"],
  ["vpermil2ps v, v, v, v/mv, imm4", "VEX.xy.66.0F3A.W1 48 /r /is4", "XOP"],
  ["vpermil2pd v, v, v/mv, v, imm4", "VEX.xy.66.0F3A.W0 49 /r /is4", "XOP"],
  ["vpermil2pd v, v, v, v/mv, imm4", "VEX.xy.66.0F3A.W1 49 /r /is4", "XOP"],

  ...TRAILING.flatMap(([mnemonic, code, digit]): Row[] => [
    [`${mnemonic} r32, r/m32`, `XOP.LZ.NP.M9.W0 ${code} /${digit}`, "TBM"],
    [`${mnemonic} r64, r/m64`, `XOP.LZ.NP.M9.W1 ${code} /${digit}`, "TBM 64"],
  ]),
  ["bextr r32, r/m32, imm32", "XOP.LZ.NP.MA.W0 10 /r id", "TBM"],
  ["bextr r64, r/m64, imm32", "XOP.LZ.NP.MA.W1 10 /r id", "TBM 64"],

  ["llwpcb r32", "XOP.LZ.NP.M9.W0 12 /0", "LWP M"],
  ["llwpcb r64", "XOP.LZ.NP.M9.W1 12 /0", "LWP 64 M"],
  ["slwpcb r32", "XOP.LZ.NP.M9.W0 12 /1", "LWP M"],
  ["slwpcb r64", "XOP.LZ.NP.M9.W1 12 /1", "LWP 64 M"],
  ["lwpins r32, r/m32, imm32", "XOP.LZ.NP.MA.W0 12 /0 id", "LWP"],
  ["lwpins r64, r/m32, imm32", "XOP.LZ.NP.MA.W1 12 /0 id", "LWP 64"],
  ["lwpval r32, r/m32, imm32", "XOP.LZ.NP.MA.W0 12 /1 id", "LWP"],
  ["lwpval r64, r/m32, imm32", "XOP.LZ.NP.MA.W1 12 /1 id", "LWP 64"],
];
