/**
 * The numbers of an ELF file, by the names of their specification.
 *
 * gABI chapters 4 and 5; psABI x86-64 chapter 4; LSB Core, "Linux Extensions" for the GNU ones; SunOS's where
 * GNU took them over (symbol versions, DF_1).
 */

/** e_ident[]: indices, then the values that they hold. gABI, "ELF Identification". */
export const EI_NIDENT = 16;
export const EI_CLASS = 4;
export const EI_DATA = 5;
export const EI_VERSION = 6;
export const EI_OSABI = 7;
export const EI_ABIVERSION = 8;
/** 0x7f, "ELF", as a big-endian word. */
export const ELFMAG = 0x7f454c46;

export const ELFCLASS = { ELFCLASSNONE: 0, ELFCLASS32: 1, ELFCLASS64: 2 } as const;
export const ELFDATA = { ELFDATANONE: 0, ELFDATA2LSB: 1, ELFDATA2MSB: 2 } as const;
export const EV_CURRENT = 1;

export const ELFOSABI = {
  ELFOSABI_NONE: 0,
  ELFOSABI_HPUX: 1,
  ELFOSABI_NETBSD: 2,
  ELFOSABI_GNU: 3,
  ELFOSABI_SOLARIS: 6,
  ELFOSABI_AIX: 7,
  ELFOSABI_IRIX: 8,
  ELFOSABI_FREEBSD: 9,
  ELFOSABI_TRU64: 10,
  ELFOSABI_MODESTO: 11,
  ELFOSABI_OPENBSD: 12,
  ELFOSABI_ARM: 97,
  ELFOSABI_STANDALONE: 255,
} as const;

/** e_type: object file type. */
export const ET = { ET_NONE: 0, ET_REL: 1, ET_EXEC: 2, ET_DYN: 3, ET_CORE: 4 } as const;

/** e_machine, the ones met today; the gABI's registry has some 250. */
export const EM = {
  EM_NONE: 0,
  EM_SPARC: 2,
  EM_386: 3,
  EM_68K: 4,
  EM_MIPS: 8,
  EM_PARISC: 15,
  EM_PPC: 20,
  EM_PPC64: 21,
  EM_S390: 22,
  EM_ARM: 40,
  EM_SH: 42,
  EM_SPARCV9: 43,
  EM_IA_64: 50,
  EM_X86_64: 62,
  EM_AVR: 83,
  EM_XTENSA: 94,
  EM_MSP430: 105,
  EM_AARCH64: 183,
  EM_AMDGPU: 224,
  EM_RISCV: 243,
  EM_BPF: 247,
  EM_LOONGARCH: 258,
} as const;

/** e_phnum that means "see sh_info of section 0". gABI, "Program Header". */
export const PN_XNUM = 0xffff;

/** p_type: segment type. */
export const PT = {
  PT_NULL: 0,
  PT_LOAD: 1,
  PT_DYNAMIC: 2,
  PT_INTERP: 3,
  PT_NOTE: 4,
  PT_SHLIB: 5,
  PT_PHDR: 6,
  PT_TLS: 7,
  PT_GNU_EH_FRAME: 0x6474e550,
  PT_GNU_STACK: 0x6474e551,
  PT_GNU_RELRO: 0x6474e552,
  PT_GNU_PROPERTY: 0x6474e553,
  PT_GNU_SFRAME: 0x6474e554,
} as const;

/** p_flags: segment permissions. */
export const PF = { PF_X: 1, PF_W: 2, PF_R: 4 } as const;

/** Special section indices. gABI, "Special Section Indexes". */
export const SHN = {
  SHN_UNDEF: 0,
  SHN_LORESERVE: 0xff00,
  SHN_ABS: 0xfff1,
  SHN_COMMON: 0xfff2,
  SHN_XINDEX: 0xffff,
} as const;

/** sh_type: section type. */
export const SHT = {
  SHT_NULL: 0,
  SHT_PROGBITS: 1,
  SHT_SYMTAB: 2,
  SHT_STRTAB: 3,
  SHT_RELA: 4,
  SHT_HASH: 5,
  SHT_DYNAMIC: 6,
  SHT_NOTE: 7,
  SHT_NOBITS: 8,
  SHT_REL: 9,
  SHT_SHLIB: 10,
  SHT_DYNSYM: 11,
  SHT_INIT_ARRAY: 14,
  SHT_FINI_ARRAY: 15,
  SHT_PREINIT_ARRAY: 16,
  SHT_GROUP: 17,
  SHT_SYMTAB_SHNDX: 18,
  SHT_RELR: 19,
  SHT_GNU_ATTRIBUTES: 0x6ffffff5,
  SHT_GNU_HASH: 0x6ffffff6,
  SHT_GNU_LIBLIST: 0x6ffffff7,
  SHT_GNU_verdef: 0x6ffffffd,
  SHT_GNU_verneed: 0x6ffffffe,
  SHT_GNU_versym: 0x6fffffff,
  SHT_X86_64_UNWIND: 0x70000001,
} as const;

/** sh_flags: section attributes. */
export const SHF = {
  SHF_WRITE: 0x1,
  SHF_ALLOC: 0x2,
  SHF_EXECINSTR: 0x4,
  SHF_MERGE: 0x10,
  SHF_STRINGS: 0x20,
  SHF_INFO_LINK: 0x40,
  SHF_LINK_ORDER: 0x80,
  SHF_OS_NONCONFORMING: 0x100,
  SHF_GROUP: 0x200,
  SHF_TLS: 0x400,
  SHF_COMPRESSED: 0x800,
  SHF_GNU_RETAIN: 0x200000,
  SHF_X86_64_LARGE: 0x10000000,
  SHF_EXCLUDE: 0x80000000,
} as const;

/** High four bits of st_info: symbol binding. */
export const STB = { STB_LOCAL: 0, STB_GLOBAL: 1, STB_WEAK: 2, STB_GNU_UNIQUE: 10 } as const;

/** Low four bits of st_info: symbol type. */
export const STT = {
  STT_NOTYPE: 0,
  STT_OBJECT: 1,
  STT_FUNC: 2,
  STT_SECTION: 3,
  STT_FILE: 4,
  STT_COMMON: 5,
  STT_TLS: 6,
  STT_GNU_IFUNC: 10,
} as const;

/** Low two bits of st_other: symbol visibility. */
export const STV = { STV_DEFAULT: 0, STV_INTERNAL: 1, STV_HIDDEN: 2, STV_PROTECTED: 3 } as const;

/** d_tag: dynamic section entries. */
export const DT = {
  DT_NULL: 0,
  DT_NEEDED: 1,
  DT_PLTRELSZ: 2,
  DT_PLTGOT: 3,
  DT_HASH: 4,
  DT_STRTAB: 5,
  DT_SYMTAB: 6,
  DT_RELA: 7,
  DT_RELASZ: 8,
  DT_RELAENT: 9,
  DT_STRSZ: 10,
  DT_SYMENT: 11,
  DT_INIT: 12,
  DT_FINI: 13,
  DT_SONAME: 14,
  DT_RPATH: 15,
  DT_SYMBOLIC: 16,
  DT_REL: 17,
  DT_RELSZ: 18,
  DT_RELENT: 19,
  DT_PLTREL: 20,
  DT_DEBUG: 21,
  DT_TEXTREL: 22,
  DT_JMPREL: 23,
  DT_BIND_NOW: 24,
  DT_INIT_ARRAY: 25,
  DT_FINI_ARRAY: 26,
  DT_INIT_ARRAYSZ: 27,
  DT_FINI_ARRAYSZ: 28,
  DT_RUNPATH: 29,
  DT_FLAGS: 30,
  DT_PREINIT_ARRAY: 32,
  DT_PREINIT_ARRAYSZ: 33,
  DT_SYMTAB_SHNDX: 34,
  DT_RELRSZ: 35,
  DT_RELR: 36,
  DT_RELRENT: 37,
  DT_GNU_HASH: 0x6ffffef5,
  DT_TLSDESC_PLT: 0x6ffffef6,
  DT_TLSDESC_GOT: 0x6ffffef7,
  DT_VERSYM: 0x6ffffff0,
  DT_RELACOUNT: 0x6ffffff9,
  DT_RELCOUNT: 0x6ffffffa,
  DT_FLAGS_1: 0x6ffffffb,
  DT_VERDEF: 0x6ffffffc,
  DT_VERDEFNUM: 0x6ffffffd,
  DT_VERNEED: 0x6ffffffe,
  DT_VERNEEDNUM: 0x6fffffff,
  DT_AUXILIARY: 0x7ffffffd,
  DT_FILTER: 0x7fffffff,
} as const;

/** Symbol versions. LSB Core, "Symbol Versioning". */
export const VER_FLG = { VER_FLG_BASE: 1, VER_FLG_WEAK: 2 } as const;
export const VER_NDX = { VER_NDX_LOCAL: 0, VER_NDX_GLOBAL: 1 } as const;
/** In a versym entry: not the default version (`foo@V`, not `foo@@V`). */
export const VERSYM_HIDDEN = 0x8000;

/** Memory protection as mmap(2) has it; a load plan speaks of pages, not of segments. */
export const PROT = { PROT_READ: 1, PROT_WRITE: 2, PROT_EXEC: 4 } as const;

/** The specification's name of a number: `nameOf(PT, 1)` is `"PT_LOAD"`. */
export function nameOf(table: Readonly<Record<string, number>>, value: number | bigint): string | undefined {
  let names = namesByTable.get(table);
  if (names === undefined) {
    names = new Map(Object.entries(table).map(([name, number]) => [number, name]));
    namesByTable.set(table, names);
  }
  return names.get(Number(value));
}

const namesByTable = /* @__PURE__ */ new WeakMap<object, ReadonlyMap<number, string>>();
