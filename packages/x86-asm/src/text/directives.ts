/** The directives of a dialect, by name. */
import type { DialectName } from "./dialect.js";
import { gasDirectives } from "./gas-directives.js";
import { nasmDirectives } from "./nasm-directives.js";
import type { TextAssembler } from "./text-assembler.js";

/** Reads its arguments, which follow, and does what it says. */
export type Directive = (a: TextAssembler) => void;

export function directivesOf(dialect: DialectName): ReadonlyMap<string, Directive> {
  return dialect === "gas" ? gasDirectives : nasmDirectives;
}
