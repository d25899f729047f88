export {
  type AssembleOptions,
  type Assembly,
  assemble,
  assembleFlat,
  check,
} from "./assemble.js";
export { Assembler, type AssemblerOptions, type Datum } from "./assembler.js";
export type { Bits } from "./encoder.js";
export { ASM_ERRORS, AsmError, type AsmErrorCode, type Diagnostic, type Warning } from "./errors.js";
export { type Expression, SymbolReference, sym } from "./expressions.js";
export {
  type LinkedImage,
  type LinkedSection,
  type LinkedSymbol,
  type LinkOptions,
  link,
} from "./link.js";
export type { LineRange, SourceLine } from "./listing.js";
export type { AsmObject, ObjectSection, ObjectSymbol, Relocation, RelocationType } from "./object.js";
export {
  type AddressRegister,
  type Displacement,
  FarPointer,
  far,
  Memory,
  mem,
  type Operand,
  type SegmentName,
  type SegmentRegister,
} from "./operands.js";
export type { SectionOptions } from "./program.js";
export * from "./registers.js";
export type { SectionFlags } from "./sections.js";
export type { DialectName } from "./text/dialect.js";
export type { FileResolver } from "./text/files.js";
export type { TextOptions } from "./text/text-assembler.js";
