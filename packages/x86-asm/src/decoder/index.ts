export {
  type DecodedInstruction,
  type DecodedOperand,
  type DecodeOptions,
  Decoder,
} from "./decoder.js";
export { type FormatOptions, format } from "./format.js";
