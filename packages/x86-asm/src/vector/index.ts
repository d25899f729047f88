/**
 * The assembler with the vector extensions beyond SSE: AVX, AVX2, FMA, F16C, AVX-512, AMX, XOP, FMA4, TBM, LWP.
 * Published as `@kvmkit/x86-asm/vector`, so that who does not use them does not load them. It has all that the core
 * entry has, under the same names.
 */
import {
  type AssembleOptions,
  type Assembly,
  assemble as coreAssemble,
  assembleFlat as coreAssembleFlat,
  check as coreCheck,
} from "../assemble.js";
import type { Diagnostic } from "../errors.js";
import { allInstructions } from "./instruction-set.js";

export { Decorated, Rounding } from "../decorations.js";
export * from "../index.js";
export { Assembler, broadcast, masked, rounded, zeroed } from "./assembler.js";
export { allInstructions } from "./instruction-set.js";
export { highXmm, k, tmm, vectorRegisters, ymm, zmm } from "./registers.js";

/** Assembles a source text. Throws `AsmError` with every complaint about it. */
export function assemble(source: string, options: AssembleOptions = {}): Assembly {
  return coreAssemble(source, { instructions: allInstructions, ...options });
}

/** The complaints about a source, none if it assembles. */
export function check(source: string, options: AssembleOptions = {}): readonly Diagnostic[] {
  return coreCheck(source, { instructions: allInstructions, ...options });
}

/** Assembles a source to flat bytes. Throws `AsmError`. */
export function assembleFlat(
  source: string,
  options: AssembleOptions & { origin?: bigint | number } = {},
): Uint8Array {
  return coreAssembleFlat(source, { instructions: allInstructions, ...options });
}
