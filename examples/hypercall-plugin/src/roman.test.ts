import test from "ava";
import { LARGEST, toRoman } from "./roman.js";

const rows: [number, string][] = [
  [1, "I"],
  [4, "IV"],
  [9, "IX"],
  [14, "XIV"],
  [1987, "MCMLXXXVII"],
  [2026, "MMXXVI"],
  [3888, "MMMDCCCLXXXVIII"],
  [LARGEST, "MMMCMXCIX"],
];

for (const [value, numeral] of rows) {
  test(`${value} is ${numeral}`, (t) => t.is(toRoman(value), numeral));
}
