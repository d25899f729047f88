/** What only decoding asks of a form: one digit each, in the order of an instruction set's forms. */
import type { Form } from "../notation.js";
import { EncodingKind, OperandBit } from "../operand-bits.js";

export const Trait = {
  /** Another spelling of a form: the assembler takes it, the decoder does not give it. */
  alias: 1,
  /** Legacy: 66, F2 and F3 before it make another instruction, or none. */
  noPrefix: 2,
  /** VEX, EVEX, XOP: whatever W is. */
  anyW: 4,
  /** Whatever the vector length is. */
  anyLength: 8,
  /** Between registers whatever ModRM.mod is (SDM Vol. 2B, "MOV—Move to/from Control Registers"). */
  anyMod: 16,
  /** Legacy without a mandatory prefix; GNU as lets 66 stand before it all the same. */
  lax: 32,
} as const;

const CONTROL = OperandBit.cr | OperandBit.dr | OperandBit.tr;
const MEDIA = OperandBit.mm | OperandBit.xmm;
const DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$";

/** The traits of forms as digits of base 64. */
export function packTraits(forms: readonly Form[]): string {
  return forms.map((form) => DIGITS[traits(form)]!).join("");
}

function traits(form: Form): number {
  const accepted = form.operands.reduce((bits, { accepts }) => bits | accepts, 0);
  const isLegacy = form.kind === EncodingKind.legacy || form.kind === EncodingKind.lockedControl;
  return (
    (form.isAlias ? Trait.alias : 0) |
    (form.noPrefix && (accepted & MEDIA) !== 0 ? Trait.noPrefix : 0) |
    (form.noPrefix && (accepted & MEDIA) === 0 ? Trait.lax : 0) |
    (form.ignoresW ? Trait.anyW : 0) |
    (form.ignoresLength ? Trait.anyLength : 0) |
    (isLegacy && (accepted & CONTROL) !== 0 ? Trait.anyMod : 0)
  );
}

/** The traits of each form, by its number. */
export function loadTraits(packed: string): Uint8Array {
  const values = new Map([...DIGITS].map((digit, value) => [digit, value]));
  return Uint8Array.from(packed, (digit) => values.get(digit)!);
}
