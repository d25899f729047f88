/** Statements that are repeated, or whose bytes are a pattern. */
import { asmError } from "../errors.js";
import type { TextAssembler } from "./text-assembler.js";

/** Times that something is repeated, at most. */
const MAX_TIMES = 2 ** 28;

/** Repeats the statement that follows, as `times` does. */
export function times(a: TextAssembler): void {
  const count = a.readExpression();
  if (typeof count !== "object" && (count < 0 || count > MAX_TIMES)) {
    throw asmError("ERR_ASM_RANGE", `a count is 0 to 2^28, not ${count}`);
  }
  const start = a.at;
  const pattern = readPlainBytes(a);
  if (pattern !== null) {
    if (typeof count === "object") a.program.fill(count, pattern);
    else a.program.repeat(pattern, Number(count));
    return;
  }
  if (typeof count === "object") {
    throw asmError("ERR_ASM_EXPRESSION", "a count that is not known yet can repeat plain bytes only");
  }
  const text = `${a.text.slice(start, a.at)}\n`;
  let left = Number(count);
  a.openFrame({
    file: a.frame.file,
    firstLine: a.line,
    name: "times",
    text: "",
    next: () => (left-- > 0 ? text : null),
  });
}

/** The bytes of the statement that follows, which are not kept. Throws `ERR_ASM_EXPRESSION` if they are not known. */
export function readPattern(a: TextAssembler): Uint8Array {
  const pattern = readPlainBytes(a);
  if (pattern !== null && pattern.length > 0) return pattern;
  throw asmError("ERR_ASM_EXPRESSION", "this must be bytes that are known here");
}

/** Assembles the statement that follows and takes it back: its bytes, or `null` if they depend on addresses. */
function readPlainBytes(a: TextAssembler): Uint8Array | null {
  const { program, frame } = a;
  const { section } = program;
  const before = { length: section.length, fixes: section.fixes.count, variables: section.variables.count };
  a.skipBlanks();
  a.statement(a.at);
  if (a.frame !== frame || program.section !== section) {
    throw asmError("ERR_ASM_SYNTAX", "this cannot be repeated");
  }
  const isPlain = section.fixes.count === before.fixes && section.variables.count === before.variables;
  const bytes = isPlain ? section.bytes.slice(before.length, section.length) : null;
  section.length = before.length;
  section.fixes.truncate(before.fixes);
  section.variables.truncate(before.variables);
  return bytes;
}
