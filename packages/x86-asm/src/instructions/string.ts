/** SDM Vol. 1, "String Instructions", "I/O Instructions" (INS, OUTS), and XLAT. */
import type { Row } from "../notation.js";

/**
 * Stem, byte opcode, wide opcode, operands of the explicit form: `W` is the width, `A` the accumulator of that
 * width. The mnemonic with a width letter has no operands.
 */
const STRINGS: readonly (readonly [stem: string, byte: string, wide: string, operands: string])[] = [
  ["movs", "A4", "A5", "mW(di), mW(si)"],
  ["cmps", "A6", "A7", "mW(si), mW(di)"],
  ["stos", "AA", "AB", "mW(di), A"],
  ["lods", "AC", "AD", "A, mW(si)"],
  ["scas", "AE", "AF", "A, mW(di)"],
];

/** INS and OUTS have no 64-bit form. */
const PORT_STRINGS: readonly (readonly [stem: string, byte: string, wide: string, operands: string])[] = [
  ["ins", "6C", "6D", "mW(di), dx"],
  ["outs", "6E", "6F", "dx, mW(si)"],
];

const WIDTHS: readonly (readonly [letter: string, bits: string, accumulator: string, prefix: string])[] = [
  ["b", "8", "al", ""],
  ["w", "16", "ax", "o16 "],
  ["d", "32", "eax", "o32 "],
  ["q", "64", "rax", "o64 "],
];

function rows(
  [stem, byte, wide, operands]: readonly [string, string, string, string],
  widths: typeof WIDTHS,
  feature: string,
): Row[] {
  return widths.flatMap(([letter, bits, accumulator, prefix]): Row[] => {
    const encoding = `${prefix}${letter === "b" ? byte : wide}`;
    const explicit = operands.replaceAll("W", bits).replace("A", accumulator);
    return [
      [`${stem}${letter}`, encoding, `${feature} rep alias`],
      [`${stem}${letter} ${explicit}`, encoding, `${feature} rep alias`],
      [`${stem} ${explicit}`, encoding, `${feature} rep`],
    ];
  });
}

export const string: readonly Row[] = [
  ...STRINGS.flatMap((entry) => rows(entry, WIDTHS, "8086")),
  ...PORT_STRINGS.flatMap((entry) => rows(entry, WIDTHS.slice(0, 3), "186")),
  ["xlat", "D7", "8086 =xlatb alias"],
  ["xlat m8(bx)", "D7", "8086 =xlatb"],
  ["xlatb", "D7", "8086 alias"],
  ["xlatb m8(bx)", "D7", "8086 alias"],
];
