/** What the builder returns: the kernel as plain data. Its caller writes an ELF file, or copies it to memory. */
import type { HypercallRow, SyscallRow } from "./abi/index.js";

export interface KernelSegment {
  readonly name: "text" | "data";
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly bytes: Uint8Array;
  /** At least `bytes.length`; the rest is zero. */
  readonly memSizeBytes: number;
  readonly flags: { readonly read: true; readonly write: boolean; readonly execute: boolean };
}

export interface KernelSymbol {
  readonly name: string;
  readonly address: bigint;
  /** Bytes up to the next symbol of its section, or to the section's end. */
  readonly sizeBytes: number;
  readonly kind: "function" | "object";
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
