/** Reads what stands in braces behind an operand: `{k1}{z}`, `{1to16}`, `{rn-sae}`. */
import { Decorated, type Decorations } from "../decorations.js";
import { asmError } from "../errors.js";
import type { Decorate, DecorationSource } from "../instruction-set.js";
import type { MaybeOperand } from "../matching.js";
import { OperandBit } from "../operand-bits.js";
import type { Register } from "../registers.js";

const OPEN = 123;
const CLOSE = 125;

/** The words in braces that are no opmask register. */
const WORDS: Readonly<Record<string, Decorations>> = {
  z: { zeroing: true },
  "1to2": { broadcast: true, elements: 2 },
  "1to4": { broadcast: true, elements: 4 },
  "1to8": { broadcast: true, elements: 8 },
  "1to16": { broadcast: true, elements: 16 },
  "1to32": { broadcast: true, elements: 32 },
  "rn-sae": { rounding: 0 },
  "rd-sae": { rounding: 1 },
  "ru-sae": { rounding: 2 },
  "rz-sae": { rounding: 3 },
  sae: { rounding: 4 },
};

/** The operand with all that is written in braces from here on. Throws `ERR_ASM_SYNTAX`. */
export const readDecorations: Decorate = (source, operand, isBroadcast) => {
  let decorated = operand;
  if (isBroadcast && isDecorable(operand)) decorated = new Decorated(operand, { broadcast: true });
  while (source.next() === OPEN) {
    const end = source.text.indexOf("}", source.at);
    const word = source.text
      .slice(source.at + 1, end < 0 ? source.at + 1 : end)
      .trim()
      .toLowerCase();
    const added = Object.hasOwn(WORDS, word) ? WORDS[word]! : maskNamed(source, word);
    if (added === undefined || !isDecorable(decorated)) {
      const hint = "operands take such as {k1}{z}, {1to8}, {rn-sae}";
      throw asmError("ERR_ASM_SYNTAX", `{${word.slice(0, 20)}} cannot stand here`, hint);
    }
    decorated = new Decorated(decorated, added);
    source.at = source.text.indexOf(String.fromCharCode(CLOSE), source.at) + 1;
  }
  return decorated;
};

function maskNamed(source: DecorationSource, word: string): Decorations | undefined {
  const register = source.registerNamed(word);
  if (register === undefined || register.bits !== OperandBit.k || register.number === 0) return undefined;
  return { mask: register as Register<"k"> };
}

type Decorable = ConstructorParameters<typeof Decorated>[0];

function isDecorable(operand: MaybeOperand): operand is Decorable {
  if (typeof operand !== "object") return false;
  return operand.kind === "register" || operand.kind === "memory" || operand.kind === "decorated";
}
