/** TypeScript signatures of the builder's methods, from the forms of the instruction table. */
import type { Form, FormOperand } from "./notation.js";
import { ANY_MEMORY, ANY_VSIB, FormFlag, OperandBit, OperandCheck, Slot } from "./operand-bits.js";

const REGISTER_TYPES = [
  "r8",
  "r16",
  "r32",
  "r64",
  "sreg",
  "cr",
  "dr",
  "st",
  "mm",
  "xmm",
  "ymm",
  "zmm",
  "k",
  "bnd",
  "tmm",
];
const MEMORY_WIDTHS = [8, 16, 32, 48, 64, 80, 128, 256, 512];

/** A module that exports an interface with one method for each mnemonic. */
export function instructionTypes(name: string, forms: readonly Form[]): string {
  const byMnemonic = new Map<string, Set<string>>();
  for (const form of forms) {
    const signatures = byMnemonic.get(form.mnemonic) ?? new Set();
    byMnemonic.set(form.mnemonic, signatures.add(signature(form)));
  }
  const methods = [...byMnemonic].flatMap(([name, signatures]) =>
    [...signatures].map((parameters) => `  ${propertyName(name)}(${parameters}): this;`),
  );
  const decoration = methods.some((method) => method.includes("Decorated"))
    ? 'import type { Decorated } from "../decorations.js";\n'
    : "";
  return `${decoration}import type { Expression, SymbolReference } from "../expressions.js";
import type { FarPointer, Memory } from "../operands.js";
import type { Register } from "../registers.js";

type Immediate = number | bigint | SymbolReference | Expression;
/** A branch target: a label, or an absolute address. */
type Target = string | SymbolReference | Expression | number | bigint;

/** One method for each mnemonic, one overload for each shape of operands. */
export interface ${name} {
${methods.join("\n")}
}
`;
}

/** Some mnemonics are no identifiers: `xstore-rng`. */
function propertyName(mnemonic: string): string {
  return /^[a-z]\w*$/.test(mnemonic) ? mnemonic : JSON.stringify(mnemonic);
}

function signature(form: Form): string {
  return form.operands
    .map((operand, i) => `${"abcde"[i]}${operand.optional ? "?" : ""}: ${operandType(operand, form)}`)
    .join(", ");
}

function operandType({ accepts, check, notation, slot }: FormOperand, form: Form): string {
  if (check === OperandCheck.fixedRegister) {
    const file = REGISTER_TYPES.find((_, bit) => accepts === 1 << bit);
    return `Register<"${file}", "${notation}">`;
  }
  if (check === OperandCheck.one) return "1";
  if (check === OperandCheck.three) return "3";
  if (notation === "tr") return 'Register<"tr">';
  if ((accepts & OperandBit.imm) !== 0) return "Immediate";
  if ((accepts & OperandBit.rel) !== 0) return "Target";
  if ((accepts & OperandBit.far) !== 0) return "FarPointer";
  const types = REGISTER_TYPES.filter((_, bit) => (accepts & (1 << bit)) !== 0).map(
    (file) => `Register<"${file}">`,
  );
  if ((accepts & ANY_MEMORY) === ANY_MEMORY) types.push("Memory");
  else types.push(...memoryTypes(accepts));
  if ((accepts & ANY_VSIB) !== 0) types.push("Memory");
  if ((accepts & OperandBit.decorated) !== 0) {
    const element = (form.flags >> FormFlag.broadcastShift) & 3;
    if (element !== 0 && slot === Slot.rm)
      return [...types, decorated([...types, `Memory<${8 << element} | 0>`])].join(" | ");
    return [...types, decorated(types)].join(" | ");
  }
  return types.join(" | ");
}

/** An operand of one of these types with a mask, a broadcast or a rounding mode. */
function decorated(types: readonly string[]): string {
  return `Decorated<${types.join(" | ")}>`;
}

function memoryTypes(accepts: number): string[] {
  const widths = MEMORY_WIDTHS.filter((_, i) => (accepts & (OperandBit.m8 << i)) !== 0);
  return widths.length === 0 ? [] : [`Memory<${[...widths, 0].join(" | ")}>`];
}
