/** The words that readelf has for numbers of the ELF header. */

export const CLASSES: Readonly<Record<number, string>> = { 0: "none", 1: "ELF32", 2: "ELF64" };

export const DATA_ENCODINGS: Readonly<Record<number, string>> = {
  0: "none",
  1: "2's complement, little endian",
  2: "2's complement, big endian",
};

export const OSABI_NAMES: Readonly<Record<number, string>> = {
  0: "UNIX - System V",
  1: "UNIX - HP-UX",
  2: "UNIX - NetBSD",
  3: "UNIX - GNU",
  6: "UNIX - Solaris",
  7: "UNIX - AIX",
  8: "UNIX - IRIX",
  9: "UNIX - FreeBSD",
  10: "UNIX - TRU64",
  11: "Novell - Modesto",
  12: "UNIX - OpenBSD",
  13: "VMS - OpenVMS",
  14: "HP - Non-Stop Kernel",
  15: "AROS",
  16: "FenixOS",
  17: "Nuxi CloudABI",
  18: "Stratus Technologies OpenVOS",
};

export const FILE_TYPES: Readonly<Record<number, string>> = {
  0: "NONE (None)",
  1: "REL (Relocatable file)",
  2: "EXEC (Executable file)",
  4: "CORE (Core file)",
};

export const MACHINE_NAMES: Readonly<Record<number, string>> = {
  0: "None",
  2: "Sparc",
  3: "Intel 80386",
  4: "MC68000",
  8: "MIPS R3000",
  15: "HPPA",
  20: "PowerPC",
  21: "PowerPC64",
  22: "IBM S/390",
  40: "ARM",
  42: "Renesas / SuperH SH",
  43: "Sparc v9",
  50: "Intel IA-64",
  62: "Advanced Micro Devices X86-64",
  83: "Atmel AVR 8-bit microcontroller",
  94: "Tensilica Xtensa Processor",
  105: "Texas Instruments msp430 microcontroller",
  183: "AArch64",
  224: "AMD GPU",
  243: "RISC-V",
  247: "Linux BPF",
  258: "LoongArch",
};
