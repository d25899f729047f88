/** SDM Vol. 1, "String Instructions", "I/O Instructions" (INS, OUTS). */
import type { Row } from "../notation.js";

/** Byte opcode, the next one is the wide form; `rep` for those that move, `repe` for those that compare. */
const STRINGS: readonly (readonly [stem: string, code: string, wide: string, prefix: string])[] = [
  ["movs", "A4", "A5", "rep"],
  ["cmps", "A6", "A7", "repe"],
  ["stos", "AA", "AB", "rep"],
  ["lods", "AC", "AD", "rep"],
  ["scas", "AE", "AF", "repe"],
];

/** INS and OUTS have no 64-bit form. */
const PORT_STRINGS: readonly (readonly [stem: string, code: string, wide: string])[] = [
  ["ins", "6C", "6D"],
  ["outs", "6E", "6F"],
];

export const string: readonly Row[] = [
  ...STRINGS.flatMap(([stem, code, wide, prefix]): Row[] => [
    [`${stem}b`, code, `8086 ${prefix}`],
    [`${stem}w`, `o16 ${wide}`, `8086 ${prefix}`],
    [`${stem}d`, `o32 ${wide}`, `386 ${prefix}`],
    [`${stem}q`, `o64 ${wide}`, `X64 ${prefix}`],
  ]),
  ...PORT_STRINGS.flatMap(([stem, code, wide]): Row[] => [
    [`${stem}b`, code, "186 rep"],
    [`${stem}w`, `o16 ${wide}`, "186 rep"],
    [`${stem}d`, `o32 ${wide}`, "386 rep"],
  ]),
];
