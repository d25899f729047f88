/** SDM Vol. 1, "Shift and Rotate Instructions", "Bit and Byte Instructions". */
import type { Row } from "../notation.js";

/** The digit in C0, C1, D0 to D3; SAL is SHL. */
const SHIFTS: readonly (readonly [mnemonic: string, digit: number])[] = [
  ["rol", 0],
  ["ror", 1],
  ["rcl", 2],
  ["rcr", 3],
  ["shl", 4],
  ["sal", 4],
  ["shr", 5],
  ["sar", 7],
];

/** The digit in 0F BA, and the opcode with a register. */
const BIT_TESTS: readonly (readonly [mnemonic: string, digit: number, opcode: string, attributes: string])[] =
  [
    ["bt", 4, "A3", "386"],
    ["bts", 5, "AB", "386 lock"],
    ["btr", 6, "B3", "386 lock"],
    ["btc", 7, "BB", "386 lock"],
  ];

export const shift: readonly Row[] = [
  ...SHIFTS.flatMap(([mnemonic, digit]): Row[] => [
    [`${mnemonic} r/m8, <1>`, `D0 /${digit}`, "8086"],
    [`${mnemonic} r/mv, <1>`, `ov D1 /${digit}`, "8086"],
    [`${mnemonic} r/m8, imm8`, `C0 /${digit} ib`, "186"],
    [`${mnemonic} r/mv, imm8`, `ov C1 /${digit} ib`, "186"],
    [`${mnemonic} r/m8, cl`, `D2 /${digit}`, "8086"],
    [`${mnemonic} r/mv, cl`, `ov D3 /${digit}`, "8086"],
  ]),
  ["shld r/mv, rv, imm8", "ov 0F A4 /r ib", "386"],
  ["shld r/mv, rv, <cl>", "ov 0F A5 /r", "386"],
  ["shrd r/mv, rv, imm8", "ov 0F AC /r ib", "386"],
  ["shrd r/mv, rv, <cl>", "ov 0F AD /r", "386"],

  ["test r/m8, r8", "84 /r", "8086"],
  ["test r/mv, rv", "ov 85 /r", "8086"],
  ["test r8, r/m8", "84 /r", "8086 alias"],
  ["test rv, r/mv", "ov 85 /r", "8086 alias"],
  ["test al, imm8", "A8 ib", "8086"],
  ["test rAX, immz", "ov A9 iz", "8086"],
  ["test r/m8, imm8", "F6 /0 ib", "8086"],
  ["test r/mv, immz", "ov F7 /0 iz", "8086"],
  ...BIT_TESTS.flatMap(([mnemonic, digit, code, attributes]): Row[] => [
    [`${mnemonic} r/mv, rv`, `ov 0F ${code} /r`, attributes],
    [`${mnemonic} r/mv, imm8`, `ov 0F BA /${digit} ib`, attributes],
  ]),
  ["bsf rv, r/mv", "ov 0F BC /r", "386"],
  ["bsr rv, r/mv", "ov 0F BD /r", "386"],
  ["popcnt rv, r/mv", "F3 ov 0F B8 /r", "POPCNT"],
  ["tzcnt rv, r/mv", "F3 ov 0F BC /r", "BMI1"],
  ["lzcnt rv, r/mv", "F3 ov 0F BD /r", "LZCNT"],
  ["crc32 r32, r/m8", "F2 0F 38 F0 /r", "SSE4.2"],
  ["crc32 r32, r/m16", "F2 o16 0F 38 F1 /r", "SSE4.2"],
  ["crc32 r32, r/m32", "F2 o32 0F 38 F1 /r", "SSE4.2"],
  ["crc32 r64, r/m8", "F2 REX.W 0F 38 F0 /r", "SSE4.2"],
  ["crc32 r64, r/m64", "F2 o64 0F 38 F1 /r", "SSE4.2"],
];
