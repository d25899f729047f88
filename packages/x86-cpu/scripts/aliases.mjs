/**
 * Encodings that processors execute and assemblers never choose, so that the assembler's table lacks them; in its
 * notation. SDM Vol. 2D, appendix A, "Opcode Map" (the shaded and the reserved-NOP cells) and AMD APM Vol. 3,
 * "Opcode and Operand Encodings".
 */
const SHIFT_ALIASES = ["8", "v"].flatMap((width) => {
  const [size, code] = width === "8" ? ["", "0"] : ["ov ", "1"];
  return [
    [`shl r/m${width}, <1>`, `${size}D${code} /6`, "8086"],
    [`shl r/m${width}, imm8`, `${size}C${code} /6 ib`, "186"],
    [`shl r/m${width}, cl`, `${size}D${code === "0" ? "2" : "3"} /6`, "8086"],
  ];
});

const GROUP_1 = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"];

/** ModRM.reg of SETcc means nothing. */
const SETCC = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"].map(
  (name, n) => [`set${name} r/m8`, `0F ${(0x90 + n).toString(16).toUpperCase()} /r`, "386"],
);

/** Second encodings of register forms (AMD APM Vol. 5, "x87 Opcodes", footnotes). */
const X87 = [
  ["fcom st(i)", "DC D0+i", "8087"],
  ["fcomp st(i)", "DC D8+i", "8087"],
  ["fcomp st(i)", "DE D0+i", "8087"],
  ["fxch st(i)", "DD C8+i", "8087"],
  ["fxch st(i)", "DF C8+i", "8087"],
  ["fstp st(i)", "D9 D8+i", "8087"],
  ["fstp st(i)", "DF D0+i", "8087"],
  ["fstp st(i)", "DF D8+i", "8087"],
];

export const ALIASES = [
  ...SETCC,
  ...X87,
  ...SHIFT_ALIASES,
  ["test r/m8, imm8", "F6 /1 ib", "8086"],
  ["test r/mv, immz", "ov F7 /1 iz", "8086"],
  ...GROUP_1.map((name, digit) => [
    `${name} r/m8, imm8`,
    `82 /${digit} ib`,
    name === "cmp" ? "8086 !64" : "8086 !64 lock",
  ]),
  ["movzx r16, r/m16", "o16 0F B7 /r", "386"],
  ["movsx r16, r/m16", "o16 0F BF /r", "386"],
  ["bswap r16", "o16 0F C8+r", "486"],
  // The low half is all that is read (SDM Vol. 2B, "PUNPCKLBW").
  ["punpcklbw mm, mm/m32", "NP 0F 60 /r", "MMX"],
  ["punpcklwd mm, mm/m32", "NP 0F 61 /r", "MMX"],
  ["punpckldq mm, mm/m32", "NP 0F 62 /r", "MMX"],
  ["push imm16", "o16 68 iw", "186"],
  ...[
    ["lss", "B2"],
    ["lfs", "B4"],
    ["lgs", "B5"],
  ].flatMap(([name, code]) => [
    [`${name} r16, m16:16`, `o16 0F ${code} /r`, "386"],
    [`${name} r32, m16:32`, `o32 0F ${code} /r`, "386"],
    [`${name} r64, m16:64`, `o64 0F ${code} /r`, "X64"],
  ]),
  ...[
    ["les", "C4"],
    ["lds", "C5"],
  ].flatMap(([name, code]) => [
    [`${name} r16, m16:16`, `o16 ${code} /r`, "8086 !64"],
    [`${name} r32, m16:32`, `o32 ${code} /r`, "386 !64"],
  ]),
  ["jmp m16:16", "o16 FF /5", "8086"],
  ["call m16:16", "o16 FF /3", "8086"],
  ["salc", "D6", "8086 !64"],
  // With REX.W, MOVD is MOVQ for memory as well (SDM Vol. 2B, "MOVD/MOVQ").
  ...["mm", "xmm"].flatMap((file) => {
    const prefix = file === "mm" ? "NP" : "66";
    return [
      [`movq ${file}, r/m64`, `${prefix} o64 0F 6E /r`, "SSE2"],
      [`movq r/m64, ${file}`, `${prefix} o64 0F 7E /r`, "SSE2"],
    ];
  }),
  // Reserved NOPs; PREFETCHh, ENDBR and the rows of hidden features are exceptions among them.
  ...["0D", "18", "19", "1A", "1B", "1C", "1D", "1E", "1F"].map((code) => [
    "nop r/mv",
    `ov 0F ${code} /r`,
    "686",
  ]),
];
