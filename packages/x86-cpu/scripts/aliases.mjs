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

export const ALIASES = [
  ...SHIFT_ALIASES,
  ["test r/m8, imm8", "F6 /1 ib", "8086"],
  ["test r/mv, immz", "ov F7 /1 iz", "8086"],
  ...GROUP_1.map((name, digit) => [
    `${name} r/m8, imm8`,
    `82 /${digit} ib`,
    name === "cmp" ? "8086 !64" : "8086 !64 lock",
  ]),
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
