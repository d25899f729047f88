/** `readelf -W -s`. */
import { EI_OSABI, ELFOSABI, EM, SHN, SHT, STB, STT } from "../constants.js";
import type { ElfFile } from "../reader.js";
import type { SymbolTable } from "../symbols.js";
import { address, digits, entries, hex, printable } from "./text.js";

const TYPES = ["NOTYPE", "OBJECT", "FUNC", "SECTION", "FILE", "COMMON", "TLS"];
const BINDINGS = ["LOCAL", "GLOBAL", "WEAK"];
const VISIBILITIES = ["DEFAULT", "INTERNAL", "HIDDEN", "PROTECTED"];
const SHN_X86_64_LCOMMON = 0xff02;
/** Sizes above are printed in hexadecimal. */
const MAX_DECIMAL_SIZE = 99999n;

export function* formatSymbols(elf: ElfFile): Generator<string, void> {
  if (elf.sections.length === 0) {
    yield "\nDynamic symbol information is not available for displaying symbols.\n";
    return;
  }
  for (const section of elf.sections) {
    if (section.sh_type !== SHT.SHT_SYMTAB && section.sh_type !== SHT.SHT_DYNSYM) continue;
    const table = elf.symbolTable(section);
    yield `\nSymbol table '${printable(section.name)}' contains ${entries(table.length)}:\n`;
    yield elf.encoding.is64
      ? "   Num:    Value          Size Type    Bind   Vis      Ndx Name\n"
      : "   Num:    Value  Size Type    Bind   Vis      Ndx Name\n";
    for (let i = 0; i < table.length; i++) yield row(elf, table, i);
  }
}

function row(elf: ElfFile, table: SymbolTable, index: number): string {
  const info = table.info(index);
  const other = table.other(index);
  const size = table.size(index);
  const rest = other & ~3;
  return (
    `${`${index}`.padStart(6)}: ${address(table.value(index), elf.encoding)} ` +
    `${size <= MAX_DECIMAL_SIZE ? `${size}`.padStart(5) : `0x${hex(size)}`} ` +
    `${typeName(elf, info & 0xf).padEnd(7)} ${bindingName(elf, info >> 4).padEnd(6)} ` +
    `${VISIBILITIES[other & 3]!.padEnd(7)}${rest === 0 ? "" : ` ${`[<other>: ${hex(rest)}]`.padEnd(10)} `} ` +
    `${sectionColumn(elf, table, index).padStart(4)} ${symbolName(elf, table, index)}${versionSuffix(table, index)}\n`
  );
}

function typeName(elf: ElfFile, type: number): string {
  const known = TYPES[type];
  if (known !== undefined) return known;
  if (type >= 13) return `<processor specific>: ${type}`;
  if (type < 10) return `<unknown>: ${type}`;
  const osabi = elf.header.e_ident[EI_OSABI];
  const gnu = osabi === ELFOSABI.ELFOSABI_GNU || osabi === ELFOSABI.ELFOSABI_FREEBSD;
  return type === STT.STT_GNU_IFUNC && gnu ? "IFUNC" : `<OS specific>: ${type}`;
}

function bindingName(elf: ElfFile, binding: number): string {
  const known = BINDINGS[binding];
  if (known !== undefined) return known;
  if (binding >= 13) return `<processor specific>: ${binding}`;
  if (binding < 10) return `<unknown>: ${binding}`;
  const gnu = elf.header.e_ident[EI_OSABI] === ELFOSABI.ELFOSABI_GNU;
  return binding === STB.STB_GNU_UNIQUE && gnu ? "UNIQUE" : `<OS specific>: ${binding}`;
}

function sectionColumn(elf: ElfFile, table: SymbolTable, index: number): string {
  const shndx = table.shndx(index);
  switch (shndx) {
    case SHN.SHN_UNDEF:
      return "UND";
    case SHN.SHN_ABS:
      return "ABS";
    case SHN.SHN_COMMON:
      return "COM";
    case SHN.SHN_XINDEX:
      if (!table.hasSectionIndices) break;
      return `${table.sectionIndex(index)}`.padStart(3);
    default:
      break;
  }
  if (shndx === SHN_X86_64_LCOMMON && elf.header.e_machine === EM.EM_X86_64) return "LARGE_COM";
  if (shndx >= 0xff00 && shndx <= 0xff1f) return `PRC[0x${digits(shndx, 4)}]`;
  if (shndx >= 0xff20 && shndx <= 0xff3f) return `OS [0x${digits(shndx, 4)}]`;
  if (shndx >= SHN.SHN_LORESERVE) return `RSV[0x${digits(shndx, 4)}]`;
  if (shndx >= elf.sections.length) return `bad section index[${`${shndx}`.padStart(3)}]`;
  return `${shndx}`.padStart(3);
}

/** A section symbol without a name goes by its section's. */
export function symbolName(elf: ElfFile, table: SymbolTable, index: number): string {
  if ((table.info(index) & 0xf) === STT.STT_SECTION && table.nameOffset(index) === 0) {
    return printable(elf.sections[table.sectionIndex(index)]?.name ?? "");
  }
  return printable(table.name(index));
}

/** `@@V` (the default), `@V`, and for needed versions `@V (index)`. */
function versionSuffix(table: SymbolTable, index: number): string {
  const version = table.version(index);
  if (version === undefined) return "";
  if (version.file !== undefined) return `@${printable(version.name)} (${version.index})`;
  return `${version.isDefault ? "@@" : "@"}${printable(version.name)}`;
}
