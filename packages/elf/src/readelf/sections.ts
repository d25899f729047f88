/** `readelf -W -S`. */
import { EI_OSABI, ELFOSABI, EM, nameOf, SHF, SHT } from "../constants.js";
import type { ElfSection } from "../places.js";
import type { ElfFile } from "../reader.js";
import { address, digits, hex, prefixed, printable } from "./text.js";

/** Where readelf does not say what the gABI says. */
const OTHER_NAMES: Readonly<Record<number, string>> = {
  [SHT.SHT_SYMTAB_SHNDX]: "SYMTAB SECTION INDICES",
  [SHT.SHT_GNU_verdef]: "VERDEF",
  [SHT.SHT_GNU_verneed]: "VERNEED",
  [SHT.SHT_GNU_versym]: "VERSYM",
  [0x7ffffffd]: "AUXILIARY",
  [0x7fffffff]: "FILTER",
};

const SHT_LOOS = 0x60000000;
const SHT_LOPROC = 0x70000000;
const SHT_LOUSER = 0x80000000;

function typeName({ header }: ElfFile, type: number): string {
  const isForeign = type === SHT.SHT_X86_64_UNWIND && header.e_machine !== EM.EM_X86_64;
  const known = isForeign ? undefined : (OTHER_NAMES[type] ?? nameOf(SHT, type)?.slice("SHT_".length));
  if (known !== undefined) return known;
  if (type >= SHT_LOUSER) return `LOUSER+${prefixed(type - SHT_LOUSER)}`;
  if (type >= SHT_LOPROC) return `LOPROC+${prefixed(type - SHT_LOPROC)}`;
  if (type >= SHT_LOOS) return `LOOS+${prefixed(type - SHT_LOOS)}`;
  return `${hex(type)}: <unknown>`;
}

/** Letters of the bits of sh_flags. */
const FLAG_LETTERS: Readonly<Record<number, string>> = {
  [SHF.SHF_WRITE]: "W",
  [SHF.SHF_ALLOC]: "A",
  [SHF.SHF_EXECINSTR]: "X",
  [SHF.SHF_MERGE]: "M",
  [SHF.SHF_STRINGS]: "S",
  [SHF.SHF_INFO_LINK]: "I",
  [SHF.SHF_LINK_ORDER]: "L",
  [SHF.SHF_OS_NONCONFORMING]: "O",
  [SHF.SHF_GROUP]: "G",
  [SHF.SHF_TLS]: "T",
  [SHF.SHF_COMPRESSED]: "C",
  [SHF.SHF_EXCLUDE]: "E",
};
const SHF_GNU_MBIND = 0x1000000;
const SHF_MASKOS = 0x0ff00000n;
const SHF_MASKPROC = 0xf0000000n;
const LOW_WORD = 0xffffffffn;

/** From the lowest bit up; the first unknown bit of the OS's or the processor's stands for all of them. */
function flagLetters(elf: ElfFile, flags: bigint): string {
  let letters = "";
  for (let rest = flags; rest !== 0n; ) {
    const bit = rest & -rest;
    rest &= rest - 1n;
    const letter = FLAG_LETTERS[Number(bit)] ?? ownLetter(elf, Number(bit));
    letters += letter ?? (bit & SHF_MASKOS ? "o" : bit & SHF_MASKPROC ? "p" : "x");
    if (letter === undefined && bit & SHF_MASKOS) rest &= ~SHF_MASKOS;
    if (letter === undefined && bit & SHF_MASKPROC) rest &= LOW_WORD & ~SHF_MASKPROC;
  }
  return letters;
}

/** Letters that depend on the OS ABI or the machine. */
function ownLetter({ header }: ElfFile, bit: number): string | undefined {
  const osabi = header.e_ident[EI_OSABI];
  const isGnu = osabi === ELFOSABI.ELFOSABI_GNU || osabi === ELFOSABI.ELFOSABI_FREEBSD;
  if (bit === SHF.SHF_GNU_RETAIN && isGnu) return "R";
  if (bit === SHF_GNU_MBIND && (isGnu || osabi === ELFOSABI.ELFOSABI_NONE)) return "D";
  if (bit === SHF.SHF_X86_64_LARGE && header.e_machine === EM.EM_X86_64) return "l";
  return undefined;
}

export function* formatSections(elf: ElfFile): Generator<string, void> {
  const { sections, encoding } = elf;
  if (sections.length === 0) {
    yield "\nThere are no sections in this file.\n";
    return;
  }
  yield sections.length > 1 ? "\nSection Headers:\n" : "\nSection Header:\n";
  yield encoding.is64
    ? "  [Nr] Name              Type            Address          Off    Size   ES Flg Lk Inf Al\n"
    : "  [Nr] Name              Type            Addr     Off    Size   ES Flg Lk Inf Al\n";
  for (const section of sections) yield row(elf, section);
  yield flagKey(elf);
}

function row(elf: ElfFile, section: ElfSection): string {
  const { index, name, sh_type, sh_flags, sh_link, sh_info, sh_addralign, sh_entsize } = section;
  return (
    `  [${`${index}`.padStart(2)}] ${printable(name).padEnd(17)} ${typeName(elf, sh_type).padEnd(15)} ` +
    `${address(section.sh_addr, elf.encoding)} ${digits(section.sh_offset, 6)} ${digits(section.sh_size, 6)} ` +
    `${digits(sh_entsize, 2)} ${flagLetters(elf, sh_flags).padStart(3)} ` +
    `${`${sh_link}`.padStart(2)} ${`${sh_info}`.padStart(3)} ${`${sh_addralign}`.padStart(2)}\n`
  );
}

function flagKey(elf: ElfFile): string {
  const osabi = elf.header.e_ident[EI_OSABI];
  const gnu = osabi === ELFOSABI.ELFOSABI_GNU || osabi === ELFOSABI.ELFOSABI_FREEBSD;
  const os = `${gnu ? "R (retain), " : ""}${gnu || osabi === ELFOSABI.ELFOSABI_NONE ? "D (mbind), " : ""}`;
  const machine = { [EM.EM_X86_64]: "l (large), ", [EM.EM_ARM]: "y (purecode), ", [EM.EM_PPC]: "v (VLE), " };
  return (
    "Key to Flags:\n" +
    "  W (write), A (alloc), X (execute), M (merge), S (strings), I (info),\n" +
    "  L (link order), O (extra OS processing required), G (group), T (TLS),\n" +
    "  C (compressed), x (unknown), o (OS specific), E (exclude),\n" +
    `  ${os}${(machine as Record<number, string>)[elf.header.e_machine] ?? ""}p (processor specific)\n`
  );
}
