/**
 * What the builder returns: the kernel as plain data. Its caller makes an ELF file of it; the shapes of segments and
 * symbols are those that elf's writer takes.
 */
import type { HypercallRow, SyscallRow } from "./abi/index.js";

export interface KernelSegment {
  readonly name: string;
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly bytes: Uint8Array;
  /** At least `bytes.length`; the rest is zero. */
  readonly memSizeBytes: number;
  /** SEGMENT_FLAGS. */
  readonly flags: number;
}

/** PF_X, PF_W, PF_R (gABI, "Program Header"). */
export const SEGMENT_FLAGS = { EXECUTE: 1, WRITE: 2, READ: 4 } as const;

export interface KernelSymbol {
  readonly name: string;
  /** Gva. */
  readonly value: bigint;
  /** Bytes up to the next symbol of its section, or to the section's end. */
  readonly sizeBytes: number;
  readonly type: "func" | "object";
}

export interface KernelImage {
  readonly segments: readonly KernelSegment[];
  /** Gva of the first instruction. */
  readonly entry: bigint;
  /** Functions and variables, ascending by address. Labels inside functions are not among them. */
  readonly symbols: readonly KernelSymbol[];
  /** The system calls that are wired, and the plugins' hypercalls. */
  readonly syscalls: readonly SyscallRow[];
  readonly hypercalls: readonly HypercallRow[];
  /** All that the image depends on besides this package's own code, as one text: for a cache's key. */
  readonly inputs: string;
}
