/** The builder with the vector extensions: `a.vaddps(masked(zmm[1]!, k[2]!), zmm[3]!, broadcast(mem.dword(rax)))`. */
import {
  AssemblerCore,
  type AssemblerOptions,
  addInstructions,
  type Assembler as CoreAssembler,
} from "../assembler.js";
import { Decorated, Rounding } from "../decorations.js";
import type { VectorInstructions } from "../generated/vector-instructions.js";
import { coreInstructions } from "../instruction-set.js";
import type { Memory } from "../operands.js";
import type { Register } from "../registers.js";
import { allInstructions } from "./instruction-set.js";

let hasInstructions = false;

class VectorAssemblerCore extends AssemblerCore {
  constructor(options: AssemblerOptions = {}) {
    super(options, allInstructions);
    if (hasInstructions) return;
    const { length } = coreInstructions.load().mnemonics;
    addInstructions(VectorAssemblerCore.prototype, allInstructions.mnemonics, length);
    hasInstructions = true;
  }
}

/** Assembles by method calls, as the core entry's does, with a method for each vector instruction as well. */
export type Assembler = CoreAssembler & VectorInstructions;
export const Assembler = VectorAssemblerCore as unknown as new (options?: AssemblerOptions) => Assembler;

/** An operand of which only the elements that `mask` names are written: `{k1}`. */
export function masked<Of extends Register | Memory>(operand: Of, mask: Register<"k">): Decorated<Of> {
  return new Decorated(operand, { mask });
}

/** The same, the other elements becoming 0: `{k1}{z}`. */
export function zeroed<Of extends Register>(operand: Of, mask: Register<"k">): Decorated<Of> {
  return new Decorated(operand, { mask, zeroing: true });
}

/** One element in memory, for all: `{1to8}`; `elements` where the instruction leaves a choice. */
export function broadcast<Of extends Memory>(memory: Of, elements = 0): Decorated<Of> {
  return new Decorated(memory, { broadcast: true, elements });
}

/** The last register operand with a rounding mode of its own: `{rn-sae}` and so on; `sae` suppresses exceptions alone. */
export function rounded<Of extends Register>(
  register: Of,
  mode: Exclude<keyof typeof Rounding, "none">,
): Decorated<Of> {
  return new Decorated(register, { rounding: Rounding[mode] });
}
