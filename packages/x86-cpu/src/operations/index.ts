/** The semantics column: what each row of the instruction table does. */
import type { Form } from "../forms.js";
import { stateSaving } from "../fpu/fxsave.js";
import { packedInteger } from "../fpu/packed-integer.js";
import { sseArithmetic } from "../fpu/sse-arithmetic.js";
import { sseCompare } from "../fpu/sse-compare.js";
import { sseConvert } from "../fpu/sse-convert.js";
import { sseMove } from "../fpu/sse-move.js";
import { x87Arithmetic } from "../fpu/x87-arithmetic.js";
import { x87Control } from "../fpu/x87-control.js";
import { x87Memory } from "../fpu/x87-memory.js";
import { x87Transcendental } from "../fpu/x87-transcendental.js";
import type { Execute } from "../instruction.js";
import { arithmetic } from "./arithmetic.js";
import { bits } from "./bits.js";
import { controlFlow } from "./control-flow.js";
import { dataTransfer } from "./data-transfer.js";
import { decimal } from "./decimal.js";
import { io } from "./io.js";
import type { Semantics, SemanticsTable } from "./semantics.js";
import { shifts } from "./shift.js";
import { strings } from "./string.js";
import { system } from "./system.js";

const merge = (): SemanticsTable => ({
  ...dataTransfer,
  ...arithmetic,
  ...bits,
  ...decimal,
  ...shifts,
  ...controlFlow,
  ...strings,
  ...io,
  ...system,
  ...stateSaving,
  ...packedInteger,
  ...sseArithmetic,
  ...sseCompare,
  ...sseConvert,
  ...sseMove,
  ...x87Arithmetic,
  ...x87Control,
  ...x87Memory,
  ...x87Transcendental,
});
let semantics: SemanticsTable | undefined;

/** Register files that MOV has a meaning of its own for. */
const SPECIAL_FILES = ["sreg", "cr", "dr"];

/** What a form does: looked up by mnemonic and operands, then by mnemonic. */
export function findSemantics(form: Form): Semantics | undefined {
  semantics ??= merge();
  const special = form.operands.findIndex(({ notation }) => SPECIAL_FILES.includes(notation));
  if (form.mnemonic === "mov" && special >= 0) {
    return semantics[`mov ${special === 0 ? "to" : "from"} ${form.operands[special]!.notation}`];
  }
  const operands = form.operands.map(({ notation }) => notation).join(", ");
  return semantics[`${form.mnemonic} ${operands}`] ?? semantics[form.mnemonic];
}

const chosen = new Map<Form, Execute>();

/** For tests of tests: replaces what a form does, or with `undefined` restores it. Only what is decoded from now on. */
export function plantSemantics(form: Form, execute: Execute | undefined): void {
  if (execute === undefined) chosen.delete(form);
  else chosen.set(form, execute);
}

/** The same, resolved for the form's widths; once for each form. */
export function semanticsOf(form: Form): Execute {
  let execute = chosen.get(form);
  if (execute === undefined) {
    const found = findSemantics(form)!;
    execute = typeof found === "function" ? found : found.choose(form);
    chosen.set(form, execute);
  }
  return execute;
}
