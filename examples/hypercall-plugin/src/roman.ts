/** Roman numerals from 1 to 3999, the largest that plain letters can write. */

const DIGITS = [
  [1000, "M"],
  [900, "CM"],
  [500, "D"],
  [400, "CD"],
  [100, "C"],
  [90, "XC"],
  [50, "L"],
  [40, "XL"],
  [10, "X"],
  [9, "IX"],
  [5, "V"],
  [4, "IV"],
  [1, "I"],
] as const;

export const LARGEST = 3999;

/** The numeral of a whole number from 1 to LARGEST. */
export function toRoman(value: number): string {
  let rest = value;
  let numeral = "";
  for (const [worth, letters] of DIGITS) {
    numeral += letters.repeat(Math.floor(rest / worth));
    rest %= worth;
  }
  return numeral;
}
