/** What an assembly is, as plain data: sections with bytes, symbols, relocations. */
import type { SectionFlags } from "./sections.js";

/** Relocation types (x86-64 psABI, "Relocation Types") that assembled code asks for. */
export type RelocationType =
  | "R_X86_64_8"
  | "R_X86_64_16"
  | "R_X86_64_32"
  | "R_X86_64_32S"
  | "R_X86_64_64"
  | "R_X86_64_PC8"
  | "R_X86_64_PC16"
  | "R_X86_64_PC32"
  | "R_X86_64_PC64"
  | "R_X86_64_PLT32"
  | "R_X86_64_GOTPCREL"
  | "R_X86_64_GOTPCRELX"
  | "R_X86_64_REX_GOTPCRELX"
  | "R_X86_64_GOT32"
  | "R_X86_64_GOT64"
  | "R_X86_64_GOTOFF64"
  | "R_X86_64_GOTPLT64"
  | "R_X86_64_PLTOFF64"
  | "R_X86_64_GOTPC32"
  | "R_X86_64_GOTPC64"
  | "R_X86_64_GOTTPOFF"
  | "R_X86_64_TPOFF32"
  | "R_X86_64_TPOFF64"
  | "R_X86_64_DTPOFF32"
  | "R_X86_64_DTPOFF64"
  | "R_X86_64_TLSGD"
  | "R_X86_64_TLSLD"
  | "R_X86_64_GOTPC32_TLSDESC"
  | "R_X86_64_TLSDESC_CALL"
  | "R_X86_64_SIZE32"
  | "R_X86_64_SIZE64";

/** A place that gets `symbol + addend`, less its own address for the PC types (RELA: the bytes there are 0). */
export interface Relocation {
  /** Offset in the section. */
  readonly offset: number;
  readonly type: RelocationType;
  /** A symbol of this object, one that another object defines, or a section's name; "" is the address 0. */
  readonly symbol: string;
  readonly addend: bigint;
  /** The distance wraps at this many bits, or at the width of the field if that is more than a byte: an absolute target. */
  readonly wraps?: 16 | 32;
}

export interface ObjectSection {
  readonly name: string;
  /** Empty for a section without bytes. */
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  readonly align: number;
  readonly flags: SectionFlags;
  readonly relocations: readonly Relocation[];
}

export interface ObjectSymbol {
  readonly name: string;
  /** Name of its section; `null` for an absolute symbol, `undefined` for one that is defined elsewhere. */
  readonly section: string | null | undefined;
  /** Offset in the section; the value of an absolute symbol; 0 if undefined. */
  readonly value: bigint;
  readonly sizeBytes: bigint;
  readonly binding: "local" | "global" | "weak";
  readonly type: "notype" | "func" | "object" | "tls";
  /** Who sees a global symbol of a shared object (gABI, "Symbol Visibility"). */
  readonly visibility: "default" | "internal" | "hidden" | "protected";
}

export interface AsmObject {
  readonly sections: readonly ObjectSection[];
  readonly symbols: readonly ObjectSymbol[];
}
