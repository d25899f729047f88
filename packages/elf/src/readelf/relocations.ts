/** `readelf -W -r`. */
import { DT, SHN, SHT, STT } from "../constants.js";
import type { ElfSection } from "../places.js";
import type { ElfFile } from "../reader.js";
import { relocationTypes } from "../relocation-types.js";
import { type RelocationTable, relrOffsets } from "../relocations.js";
import type { SymbolTable } from "../symbols.js";
import { address, entries, hex, printable } from "./text.js";

const RELOCATION_SECTIONS: ReadonlySet<number> = /* @__PURE__ */ new Set([
  SHT.SHT_RELA,
  SHT.SHT_REL,
  SHT.SHT_RELR,
]);

export function* formatRelocations(elf: ElfFile): Generator<string, void> {
  const sections = elf.sections.filter(
    ({ sh_type, sh_size }) => RELOCATION_SECTIONS.has(sh_type) && sh_size !== 0n,
  );
  if (sections.length === 0) yield noRelocations(elf);
  for (const section of sections) {
    yield section.sh_type === SHT.SHT_RELR ? formatRelr(elf, section) : "";
    if (section.sh_type !== SHT.SHT_RELR) yield* formatTable(elf, elf.relocationTable(section));
  }
}

const RELOCATION_SIZES = [DT.DT_RELASZ, DT.DT_RELSZ, DT.DT_PLTRELSZ, DT.DT_RELRSZ];

function noRelocations({ dynamic }: ElfFile): string {
  if (!RELOCATION_SIZES.some((tag) => (dynamic?.get(tag) ?? 0n) !== 0n)) {
    return "\nThere are no relocations in this file.\n";
  }
  return (
    "\nThere are no static relocations in this file." +
    "\nTo see the dynamic relocations add --use-dynamic to the command line.\n"
  );
}

function title(section: ElfSection, count: number): string {
  return `\nRelocation section '${printable(section.name)}' at offset 0x${hex(section.sh_offset)} contains ${entries(count)}:\n`;
}

function formatRelr(elf: ElfFile, section: ElfSection): string {
  const offsets = [...relrOffsets(elf, section)];
  const words = Number(section.sh_size) / (elf.encoding.is64 ? 8 : 4);
  const lines = offsets.map((offset) => `${address(offset, elf.encoding)}\n`);
  return `${title(section, words)}  ${offsets.length} offset${offsets.length === 1 ? "" : "s"}\n${lines.join("")}`;
}

function* formatTable(elf: ElfFile, table: RelocationTable): Generator<string, void> {
  yield title(table.section, table.length);
  const head = elf.encoding.is64
    ? "    Offset             Info             Type               Symbol's Value  Symbol's Name"
    : " Offset     Info    Type                Sym. Value  Symbol's Name";
  yield `${head}${table.hasAddends ? " + Addend" : ""}\n`;
  const types = relocationTypes(elf.header.e_machine);
  for (let i = 0; i < table.length; i++) {
    const type = table.type(i);
    const typeName = types.get(type)?.padEnd(22) ?? `unrecognized: ${hex(type).padEnd(7)}`;
    const place = `${address(table.offset(i), elf.encoding)}  ${address(table.info(i), elf.encoding)}`;
    yield `${place} ${typeName}${target(elf, table, i)}\n`;
  }
}

function target(elf: ElfFile, table: RelocationTable, index: number): string {
  const symbol = table.symbol(index);
  const { symbols } = table;
  if (symbol !== 0 && symbols !== undefined) {
    return ` ${value(elf, symbols, symbol)}${name(elf, symbols, symbol)}${table.hasAddends ? sum(table.addend(index)) : ""}`;
  }
  if (!table.hasAddends) return "";
  const addend = table.addend(index);
  return `${" ".repeat(elf.encoding.is64 ? 20 : 12)}${addend < 0n ? `-${hex(-addend)}` : hex(addend)}`;
}

function sum(addend: bigint): string {
  return addend < 0n ? ` - ${hex(-addend)}` : ` + ${hex(addend)}`;
}

/** The value of an IFUNC symbol is what its function returns, so its name stands there, with (). */
function value(elf: ElfFile, symbols: SymbolTable, index: number): string {
  const { is64 } = elf.encoding;
  if ((symbols.info(index) & 0xf) !== STT.STT_GNU_IFUNC) {
    return `${address(symbols.value(index), elf.encoding)}${is64 ? " " : "   "}`;
  }
  const width = is64 ? 14 : 8;
  const plain = symbols.nameOffset(index) === 0 ? "??" : printable(symbols.name(index));
  const padding = Math.max(width + 1 - plain.length, 1);
  return `${plain}${version(symbols, index)}()${" ".repeat(padding)}`;
}

function name(elf: ElfFile, symbols: SymbolTable, index: number): string {
  if (symbols.nameOffset(index) !== 0) return printable(symbols.name(index)) + version(symbols, index);
  if ((symbols.info(index) & 0xf) !== STT.STT_SECTION) return "<null>";
  const shndx = symbols.sectionIndex(index);
  if (shndx === SHN.SHN_ABS) return "ABS";
  if (shndx === SHN.SHN_COMMON) return "COMMON";
  return printable(elf.sections[shndx]?.name ?? `<section 0x${hex(shndx)}>`);
}

function version(symbols: SymbolTable, index: number): string {
  const found = symbols.version(index);
  return found === undefined ? "" : `${found.isDefault ? "@@" : "@"}${printable(found.name)}`;
}
