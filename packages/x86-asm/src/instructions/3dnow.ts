/** AMD 3DNow! Technology Manual (publication 21928) and its Athlon extensions; the suffix stands where an immediate would. */
import type { Row } from "../notation.js";

const SUFFIXES: readonly (readonly [mnemonic: string, suffix: string, feature?: string])[] = [
  ["pi2fw", "0C", "3DNOWEXT"],
  ["pi2fd", "0D"],
  ["pf2iw", "1C", "3DNOWEXT"],
  ["pf2id", "1D"],
  ["pfnacc", "8A", "3DNOWEXT"],
  ["pfpnacc", "8E", "3DNOWEXT"],
  ["pfcmpge", "90"],
  ["pfmin", "94"],
  ["pfrcp", "96"],
  ["pfrsqrt", "97"],
  ["pfsub", "9A"],
  ["pfadd", "9E"],
  ["pfcmpgt", "A0"],
  ["pfmax", "A4"],
  ["pfrcpit1", "A6"],
  ["pfrsqit1", "A7"],
  ["pfsubr", "AA"],
  ["pfacc", "AE"],
  ["pfcmpeq", "B0"],
  ["pfmul", "B4"],
  ["pfrcpit2", "B6"],
  ["pmulhrw", "B7"],
  ["pswapd", "BB", "3DNOWEXT"],
  ["pavgusb", "BF"],
];

export const amd3dnow: readonly Row[] = [
  ["femms", "0F 0E", "3DNOW"],
  ...SUFFIXES.map(
    ([mnemonic, suffix, feature]): Row => [
      `${mnemonic} mm, mm/m64`,
      `0F 0F /r ${suffix}`,
      feature ?? "3DNOW",
    ],
  ),
];
