export { type DecodeOptions, Decoder } from "./decoder.js";
export { type FormatOptions, format } from "./format.js";
export type { DecodedInstruction, DecodedOperand } from "./instruction.js";
