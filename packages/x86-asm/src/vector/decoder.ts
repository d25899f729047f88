/**
 * The decoder with the vector extensions, published as `@kvmkit/x86-asm/vector/decoder`. It has all that the core's
 * decoder has, under the same names.
 */
import { Decoder as CoreDecoder, type DecoderTables, decoderTables } from "../decoder/decoder.js";
import { allDecoderTable } from "../generated/all-decoder-table.js";
import { allDecoderTraits } from "../generated/all-decoder-traits.js";
import { allTraits } from "../generated/all-traits.js";
import { allInstructions } from "./instruction-set.js";

export {
  type DecodedInstruction,
  type DecodedOperand,
  type DecodeOptions,
  type FormatOptions,
  format,
} from "../decoder/index.js";

let tables: DecoderTables | undefined;

/** Decodes every instruction that the vector entry assembles. Stateless: one serves all. */
export class Decoder extends CoreDecoder {
  constructor() {
    super((tables ??= decoderTables(allInstructions, allTraits, allDecoderTable, allDecoderTraits)));
  }
}
