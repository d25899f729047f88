/** Legacy forms that depend on more than operands: the encoders of `EncodingKind.addressed` and `lockedControl`. */
import type { Encoder } from "./encoder.js";
import type { FormEncoder } from "./instruction-set.js";
import type { MaybeOperand } from "./matching.js";
import { OperandBit } from "./operand-bits.js";
import { Prefix } from "./prefixes.js";
import { Register } from "./registers.js";

/** A form that is one only where the source wrote the address-size prefix: MOV with a 32-bit offset in 64-bit mode. */
export const encodeAddressed: FormEncoder = (encoder, form, operands) => {
  if ((encoder.prefixes & Prefix.address) === 0) return false;
  return encodeLegacy(encoder, form, operands);
};

/** Outside 64-bit mode AMD's processors reach CR8 with a LOCK prefix (APM Vol. 3, "MOV CRn"). */
export const encodeLockedControl: FormEncoder = (encoder, form, operands) => {
  const control = operands.find((operand) => isControl(operand)) as Register;
  if (control.number < 8) return false;
  const low = new Register("cr", control.name, control.number - 8);
  encoder.section.bytes[encoder.section.length++] = 0xf0;
  return encodeLegacy(
    encoder,
    form,
    operands.map((operand) => (operand === control ? low : operand)),
  );
};

function isControl(operand: MaybeOperand): boolean {
  return operand instanceof Register && operand.bits === OperandBit.cr;
}

/** Writes a form as the core writes all legacy ones. */
export function encodeLegacy(encoder: Encoder, form: number, operands: readonly MaybeOperand[]): boolean {
  const [a, b, c, d, e] = operands;
  encoder.write(form, a, b, c, d, e);
  return true;
}
