/** SDM Vol. 1, "BMI1 and BMI2 Instructions"; CMPccXADD. Those without VEX (TZCNT, LZCNT, POPCNT) stand in shift.ts. */
import type { Row } from "../notation.js";
import { CONDITIONS, opcode } from "./conditions.js";

/** Mnemonic, operands with `R` for the width, prefix and map, opcode, feature. */
const GENERAL: readonly (readonly [operands: string, prefix: string, opcode: string, feature: string])[] = [
  ["andn R, R, r/M", "NP.0F38", "F2 /r", "BMI1"],
  ["bextr R, r/M, R", "NP.0F38", "F7 /r", "BMI1"],
  ["blsr R, r/M", "NP.0F38", "F3 /1", "BMI1"],
  ["blsmsk R, r/M", "NP.0F38", "F3 /2", "BMI1"],
  ["blsi R, r/M", "NP.0F38", "F3 /3", "BMI1"],
  ["bzhi R, r/M, R", "NP.0F38", "F5 /r", "BMI2"],
  ["pext R, R, r/M", "F3.0F38", "F5 /r", "BMI2"],
  ["pdep R, R, r/M", "F2.0F38", "F5 /r", "BMI2"],
  ["mulx R, R, r/M", "F2.0F38", "F6 /r", "BMI2"],
  ["shlx R, r/M, R", "66.0F38", "F7 /r", "BMI2"],
  ["sarx R, r/M, R", "F3.0F38", "F7 /r", "BMI2"],
  ["shrx R, r/M, R", "F2.0F38", "F7 /r", "BMI2"],
  ["rorx R, r/M, imm8", "F2.0F3A", "F0 /r ib", "BMI2"],
];

function atWidth(operands: string, width: number): string {
  return operands.replaceAll("R", `r${width}`).replace("M", `m${width}`);
}

/** The SDM names these after the flag or the negation where it has both: CMPNBEXADD, CMPZXADD. */
function usualName(names: readonly string[]): string {
  return names.find((name) => /^(nbe?|nle?|nz|z)$/.test(name)) ?? names[0]!;
}

export const bmi: readonly Row[] = [
  ...GENERAL.flatMap(([operands, prefix, code, feature]): Row[] => [
    [atWidth(operands, 32), `VEX.LZ.${prefix}.W0 ${code}`, feature],
    [atWidth(operands, 64), `VEX.LZ.${prefix}.W1 ${code}`, `${feature} 64`],
  ]),
  ...CONDITIONS.flatMap((names, code): Row[] =>
    names.flatMap((name): Row[] => {
      const attributes = `CMPCCXADD 64 MRV${name === usualName(names) ? "" : " alias"}`;
      return [
        [`cmp${name}xadd m32, r32, r32`, `VEX.128.66.0F38.W0 ${opcode(0xe0, code)} /r`, attributes],
        [`cmp${name}xadd m64, r64, r64`, `VEX.128.66.0F38.W1 ${opcode(0xe0, code)} /r`, attributes],
      ];
    }),
  ),
];
