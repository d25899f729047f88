/** How rows get their meaning: an `Execute`, or a choice of one by the widths and kinds of a row's operands. */
import type { Form } from "../forms.js";
import type { Execute } from "../instruction.js";

/** Chooses by form, once for each form. */
export interface Choice {
  readonly choose: (form: Form) => Execute;
}

export type Semantics = Execute | Choice;

/** Mnemonic, or mnemonic and operands where one mnemonic has several meanings, to what it does. */
export type SemanticsTable = Readonly<Record<string, Semantics>>;

/** Width in bytes of an operand of a form. */
export function operandBytes(form: Form, n = 0): number {
  const operand = form.operands[n];
  return operand === undefined ? 0 : operand.registerSize || operand.memorySize;
}

/** One meaning for operands of up to 32 bits, another for 64. */
export function byWidth(narrow: Execute, wide: Execute): Choice {
  return { choose: (form) => (operandBytes(form) === 8 ? wide : narrow) };
}
