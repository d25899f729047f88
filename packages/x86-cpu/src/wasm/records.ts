/**
 * Records: what the WebAssembly interpreter executes. One is 32 bytes, and does one instruction, or a part of one, or two
 * that were fused. Operands are addresses in the state, so that a handler reads a register in two loads.
 */
import { Arena } from "../layout.js";

export const RECORD_SIZE = 32;

/** Byte offsets in a record. */
export const Field = {
  /** u16: number of the handler. */
  handler: 0,
  /** u16: offset of the instruction in its page. */
  offset: 2,
  /** u16: addresses of destination and source in the state. */
  destination: 4,
  source: 6,
  /** u16: addresses of base and index, those of a zero where absent; u8: the scale as a shift. */
  base: 8,
  index: 10,
  shift: 12,
  /** u8: instructions that the record stands for. */
  count: 13,
  /** u16: instructions of the block from here on. */
  remaining: 14,
  /** i64: displacement; of a branch, the target's distance from the page. */
  displacement: 16,
  /** i64: immediate; of a branch, the u32 pointer to the target's record, or 0. */
  immediate: 24,
} as const;

/** One record in the making. */
export interface MicroOp {
  readonly handler: string;
  readonly destination?: number;
  readonly source?: number;
  readonly base?: number;
  readonly index?: number;
  readonly shift?: number;
  readonly displacement?: bigint;
  readonly immediate?: bigint;
}

/** Beyond this many records a block goes on in another one. */
export const MAX_BLOCK = 64;

export const RECORDS_END = Arena.base + Arena.size;
