/** The condition codes of Jcc, SETcc and CMOVcc, by encoding (SDM Vol. 1, Appendix B, "EFLAGS Condition Codes"). */
export const CONDITIONS: readonly (readonly string[])[] = [
  ["o"],
  ["no"],
  ["b", "c", "nae"],
  ["ae", "nb", "nc"],
  ["e", "z"],
  ["ne", "nz"],
  ["be", "na"],
  ["a", "nbe"],
  ["s"],
  ["ns"],
  ["p", "pe"],
  ["np", "po"],
  ["l", "nge"],
  ["ge", "nl"],
  ["le", "ng"],
  ["g", "nle"],
];

/** Two hexadecimal digits of `base + index`, as the opcode column writes them. */
export function opcode(base: number, index: number): string {
  return (base + index).toString(16).toUpperCase().padStart(2, "0");
}
