/**
 * What the writer takes: plain data, so that an assembler's output can be handed over as it is.
 *
 * Enumerated fields are a number, the specification's name (`"STT_FUNC"`) or its last part in lower case
 * (`"func"`).
 */
import type { STB, STT, STV } from "./constants.js";
import type { FileLayout } from "./layout.js";

/** An address, offset or size; numbers must be safe integers. */
export type Integer = bigint | number;

/** `"STT_FUNC" | "func" | …` */
export type NameOf<Table> = Table extends object
  ? {
      [K in keyof Table & string]: K | (K extends `${string}_${infer Rest}` ? Lowercase<Rest> : never);
    }[keyof Table & string]
  : never;

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
  readonly sizeBytes?: Integer;
  readonly type?: number | NameOf<typeof STT>;
  /** Default STB_GLOBAL. */
  readonly binding?: number | NameOf<typeof STB>;
  readonly visibility?: number | NameOf<typeof STV>;
  /**
   * Name of its section, or `"*ABS*"`, `"*UND*"`, `"*COM*"`; `null` is `"*ABS*"`. Without one, a symbol of an
   * executable belongs to the segment that holds its address, and a symbol of an object file is undefined.
   */
  readonly section?: string | null | undefined;
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
  readonly sections: readonly ObjectSectionModel[];
  /** Name of the source file (STT_FILE). */
  readonly file?: string;
}

export interface SectionModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The length of `bytes`, which is the default; without bytes the size of an SHT_NOBITS section. */
  readonly sizeBytes?: Integer;
  /** A power of two. Default 1. */
  readonly align?: Integer;
  /** SHF_*, or the rights that stand for them. Default 0. */
  readonly flags?: number | SectionRights;
  /** sh_type. Default by the name and by whether there are bytes. */
  readonly type?: number;
  readonly entrySizeBytes?: Integer;
}

/** SHF_ALLOC, SHF_WRITE and SHF_EXECINSTR in words. */
export interface SectionRights {
  readonly alloc: boolean;
  readonly write: boolean;
  readonly execute: boolean;
  /** SHT_NOBITS: memory without bytes in the file. */
  readonly nobits?: boolean;
}

export interface ObjectSectionModel extends SectionModel {
  readonly relocations?: readonly RelocationModel[];
}

export interface RelocationModel {
  /** Where in the section. */
  readonly offset: Integer;
  /** A number or a name such as `"R_X86_64_PC32"`. */
  readonly type: number | string;
  /** Name of a symbol, or of a section to stand for its start; `""` is address 0. */
  readonly symbol: string;
  readonly addend?: Integer;
}

export type ElfModel = ExecutableModel | ObjectModel | FileLayout;
