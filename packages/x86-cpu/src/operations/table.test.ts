import { coreForms } from "@kvmkit/x86-asm/table";
import test from "ava";
import { allForms } from "../forms.js";
import { HIDDEN, PRESENT } from "../generated/forms.js";
import { findSemantics } from "./index.js";

const described = (form: ReturnType<typeof allForms>[number]) =>
  `${form.mnemonic} ${form.operands.map(({ notation }) => notation).join(", ")}`;

test("every form that the decoder knows has semantics", (t) => {
  t.deepEqual(
    allForms()
      .filter((form) => findSemantics(form) === undefined)
      .map(described),
    [],
  );
});

test("every feature of the instruction table is present, or hidden and thereby #UD", (t) => {
  const said = [...PRESENT, ...HIDDEN];
  t.deepEqual(
    [...new Set(coreForms().map(({ feature }) => feature))].filter((f) => !said.includes(f)),
    [],
  );
  t.deepEqual(
    PRESENT.filter((feature) => HIDDEN.includes(feature)),
    [],
  );
});
