/**
 * The instruction table, for those who generate from it: all rows, and the forms that they stand for.
 * Published as `@kvmkit/x86-asm/table`; the assembler itself loads a packed copy.
 */
import { coreRows } from "./instructions/index.js";
import { type Form, parseRow, type Row } from "./notation.js";
import { vectorRows } from "./vector/instructions/index.js";

export { coreRows, families } from "./instructions/index.js";
export { type Form, type FormOperand, parseRow, type Row, RowError } from "./notation.js";
export * from "./operand-bits.js";
export { vectorFamilies, vectorRows } from "./vector/instructions/index.js";

/** Every form of `rows` in the order of their rows. Throws `RowError` for a row that breaks the notation. */
export function parseRows(rows: readonly Row[]): Form[] {
  return rows.flatMap((row) => parseRow(row));
}

/** The forms of the core entry. */
export function coreForms(): Form[] {
  return parseRows(coreRows);
}

/** The forms that the vector entry adds. */
export function vectorForms(): Form[] {
  return parseRows(vectorRows);
}
