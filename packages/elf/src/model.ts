/**
 * What the writer takes: plain data, so that an assembler's output can be handed over as it is.
 *
 * Enumerated fields are a number or the specification's name (`"STT_FUNC"`, `"R_X86_64_PC32"`).
 */
import type { STB, STT, STV } from "./constants.js";

/** An address, offset or size; numbers must be safe integers. */
export type Integer = bigint | number;

interface ModelBase {
  /** ELFCLASS64 unless `false`. */
  readonly is64?: boolean;
  /** ELFDATA2LSB unless `false`. */
  readonly littleEndian?: boolean;
  /** e_machine. Default EM_X86_64, EM_386 for ELFCLASS32. */
  readonly machine?: number;
  readonly flags?: number;
  /** EI_OSABI, EI_ABIVERSION. Default 0. */
  readonly osabi?: number;
  readonly abiVersion?: number;
  readonly symbols?: readonly SymbolModel[];
}

export interface SymbolModel {
  readonly name: string;
  /** The address; in an object file the offset in the section. */
  readonly value: Integer;
  readonly size?: Integer;
  readonly type?: number | keyof typeof STT;
  /** Default STB_GLOBAL. */
  readonly binding?: number | keyof typeof STB;
  readonly visibility?: number | keyof typeof STV;
  /**
   * Name of its section, or `"*ABS*"`, `"*UND*"`, `"*COM*"`. Without one, a symbol of an executable belongs to
   * the segment that holds its address, and a symbol of an object file is undefined.
   */
  readonly section?: string;
}

/** A linked program, kernel or core file. */
export interface ExecutableModel extends ModelBase {
  readonly kind: "executable";
  /** e_type. Default ET_EXEC. */
  readonly type?: number;
  readonly entry: Integer;
  readonly segments: readonly SegmentModel[];
  /** Further sections that are not part of memory, such as `.debug_line`. */
  readonly sections?: readonly SectionModel[];
  /** What PT_GNU_STACK says. Default `false`. */
  readonly executableStack?: boolean;
}

export interface SegmentModel {
  /** p_type. Default PT_LOAD. */
  readonly type?: number;
  readonly vaddr: Integer;
  /** Default `vaddr`. */
  readonly paddr?: Integer;
  readonly bytes: Uint8Array;
  /** Default the length of `bytes`; what is more is zero. */
  readonly memSizeBytes?: Integer;
  /** PF_R | PF_W | PF_X. */
  readonly flags: number;
  /** A power of two. Default 4096 for PT_LOAD, else 1. */
  readonly align?: Integer;
  /** Name of the section that describes it. Default by its flags: `.text`, `.rodata`, `.data`, `.bss`. */
  readonly name?: string;
}

/** A relocatable object file. */
export interface ObjectModel extends ModelBase {
  readonly kind: "object";
  readonly sections: readonly SectionModel[];
  readonly relocations?: readonly RelocationModel[];
  /** Name of the source file (STT_FILE). */
  readonly file?: string;
}

export interface SectionModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Default the length of `bytes`; without bytes the section is SHT_NOBITS, else zeros follow. */
  readonly sizeBytes?: Integer;
  /** A power of two. Default 1. */
  readonly align?: Integer;
  /** SHF_*. Default 0. */
  readonly flags?: number;
  /** sh_type. Default by the name and by whether there are bytes. */
  readonly type?: number;
  readonly entrySizeBytes?: Integer;
}

export interface RelocationModel {
  /** Name of the section that is patched. */
  readonly section: string;
  /** Where in it. */
  readonly offset: Integer;
  readonly type: number | string;
  /** Name of a symbol, or of a section to stand for its start. */
  readonly symbol: string;
  readonly addend?: Integer;
}

export type ElfModel = ExecutableModel | ObjectModel;
