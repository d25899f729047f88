import test from "ava";
import { allForms, type Form } from "../../forms.js";
import type { Execute } from "../../instruction.js";
import { State } from "../../layout.js";
import { plantSemantics, semanticsOf } from "../../operations/index.js";
import { makeBatch, outcome } from "./batch.js";
import { compare } from "./compare.js";
import { choicesFor, DEFAULT_MIX } from "./generate.js";
import { SoftProcessor } from "./processors.js";

/** A family of instructions, some of it, and what goes wrong with it. */
interface Planted {
  readonly family: string;
  readonly forms: RegExp;
  readonly error: (right: Execute) => Execute;
}

/** Changes one bit of the state behind the right execution. */
const flips =
  (offset: number, bit: number) =>
  (right: Execute): Execute =>
  (m, i) => {
    right(m, i);
    m.u8[offset] = m.u8[offset]! ^ bit;
  };

const CF = flips(State.rflags, 1);
const ZF = flips(State.rflags, 0x40);
const RAX = flips(State.gpr, 1);
const nothing = (): Execute => () => {};

const PLANTED: readonly Planted[] = [
  { family: "binary arithmetic, CF", forms: /^(add|adc|sub|cmp)$/, error: CF },
  { family: "logic, ZF", forms: /^(and|or|xor|test)$/, error: ZF },
  { family: "multiplication and division", forms: /^(mul|div)$/, error: RAX },
  { family: "moves that do nothing", forms: /^mov$/, error: nothing },
  { family: "conditional moves that do nothing", forms: /^cmov/, error: nothing },
  { family: "stack", forms: /^(push|pop)$/, error: flips(State.gpr + 4 * 8, 8) },
  { family: "shifts, CF", forms: /^(shl|sar|rol)$/, error: CF },
  { family: "bit tests, CF", forms: /^bts?$/, error: CF },
  { family: "strings", forms: /^(movs|stos|lods)/, error: flips(State.gpr + 7 * 8, 1) },
  { family: "branches that are never taken", forms: /^j(e|ne|l|a)$/, error: nothing },
  { family: "packed integers", forms: /^p(add|cmpeq|unpck)/, error: nothing },
  { family: "SSE moves", forms: /^mov(ap|up|dq)/, error: nothing },
  { family: "SSE arithmetic, PE", forms: /^(add|mul)[sp][sd]$/, error: flips(State.mxcsr, 0x20) },
  { family: "SSE conversions", forms: /^cvt/, error: nothing },
  { family: "x87 arithmetic, C1", forms: /^f(add|mul|sqrt)$/, error: flips(State.fsw + 1, 2) },
  { family: "x87 loads and stores", forms: /^f(ld|stp|ild)$/, error: flips(State.fsw + 1, 8) },
  { family: "x87 comparisons", forms: /^fu?com/, error: nothing },
];

/** Whether a family with an error shows in one batch, compared with the engine that has no part in it. */
function isFound({ forms: pattern, error }: Planted): boolean {
  const only = (form: Form) => pattern.test(form.mnemonic);
  const mix = { ...DEFAULT_MIX, mutated: 0, random: 0, only };
  const batch = makeBatch(1, 0, mix, choicesFor(mix));
  const right = batch.memory.slice();
  new SoftProcessor({ engine: "typescript" }).run(right);
  const wrong = batch.memory.slice();
  const chosen = allForms().filter(only);
  const originals = chosen.map((form) => semanticsOf(form));
  chosen.forEach((form, n) => {
    plantSemantics(form, error(originals[n]!));
  });
  try {
    new SoftProcessor({ engine: "typescript" }).run(wrong);
  } finally {
    for (const form of chosen) plantSemantics(form, undefined);
  }
  return compare(batch, outcome(right), outcome(wrong), "processor").length > 0;
}

for (const planted of PLANTED) {
  test(`the comparison finds a planted error: ${planted.family}`, (t) => {
    t.true(isFound(planted));
  });
}

test("without a planted error there is nothing to find", (t) => {
  t.false(isFound({ family: "none", forms: /^add$/, error: (right) => right }));
});
