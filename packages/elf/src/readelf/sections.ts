/** `readelf -W -S`. */
import { EI_OSABI, ELFOSABI, EM, nameOf, SHT } from "../constants.js";
import type { ElfSection } from "../places.js";
import type { ElfFile } from "../reader.js";
import { address, digits, hex, printable } from "./text.js";

/** Where readelf does not say what the gABI says. */
const OTHER_NAMES: Readonly<Record<number, string>> = {
  [SHT.SHT_SYMTAB_SHNDX]: "SYMTAB SECTION INDICES",
  [SHT.SHT_GNU_verdef]: "VERDEF",
  [SHT.SHT_GNU_verneed]: "VERNEED",
  [SHT.SHT_GNU_versym]: "VERSYM",
};

const SHT_LOOS = 0x60000000;
const SHT_LOPROC = 0x70000000;
const SHT_LOUSER = 0x80000000;

function typeName({ header }: ElfFile, type: number): string {
  const isForeign = type >= SHT_LOPROC && type < SHT_LOUSER && header.e_machine !== EM.EM_X86_64;
  const known = isForeign ? undefined : (OTHER_NAMES[type] ?? nameOf(SHT, type)?.slice("SHT_".length));
  if (known !== undefined) return known;
  if (type >= SHT_LOUSER) return `LOUSER+0x${hex(type - SHT_LOUSER)}`;
  if (type >= SHT_LOPROC) return `LOPROC+0x${hex(type - SHT_LOPROC)}`;
  if (type >= SHT_LOOS) return `LOOS+0x${hex(type - SHT_LOOS)}`;
  return `${hex(type)}: <unknown>`;
}

/** Letters of sh_flags, lowest bit first. */
const FLAG_LETTERS: readonly (readonly [bit: bigint, letter: string])[] = [
  [0x1n, "W"],
  [0x2n, "A"],
  [0x4n, "X"],
  [0x10n, "M"],
  [0x20n, "S"],
  [0x40n, "I"],
  [0x80n, "L"],
  [0x100n, "O"],
  [0x200n, "G"],
  [0x400n, "T"],
  [0x800n, "C"],
];
const SHF_GNU_RETAIN = 0x200000n;
const SHF_GNU_MBIND = 0x1000000n;
const SHF_X86_64_LARGE = 0x10000000n;
const SHF_EXCLUDE = 0x80000000n;
const SHF_MASKOS = 0x0ff00000n;
const SHF_MASKPROC = 0xf0000000n;

function flagLetters(elf: ElfFile, flags: bigint): string {
  let letters = "";
  let rest = flags;
  const take = (bits: bigint, letter: string): void => {
    if ((rest & bits) === 0n) return;
    letters += letter;
    rest &= ~bits;
  };
  for (const [bit, letter] of FLAG_LETTERS) take(bit, letter);
  const unknownBelow = rest & 0xfffffn;
  for (let bits = unknownBelow; bits !== 0n; bits &= bits - 1n) letters += "x";
  rest &= ~unknownBelow;
  if (elf.header.e_ident[EI_OSABI] === ELFOSABI.ELFOSABI_GNU) {
    take(SHF_GNU_RETAIN, "R");
    take(SHF_GNU_MBIND, "D");
  } else if (elf.header.e_ident[EI_OSABI] === ELFOSABI.ELFOSABI_NONE) {
    take(SHF_GNU_MBIND, "D");
  }
  take(SHF_MASKOS, "o");
  if (elf.header.e_machine === EM.EM_X86_64) take(SHF_X86_64_LARGE, "l");
  if ((rest & SHF_EXCLUDE) !== 0n) {
    rest &= ~SHF_EXCLUDE;
    take(SHF_MASKPROC, "p");
    letters += "E";
  }
  take(SHF_MASKPROC, "p");
  for (let bits = rest; bits !== 0n; bits &= bits - 1n) letters += "x";
  return letters;
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
