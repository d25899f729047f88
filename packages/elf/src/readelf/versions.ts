/** `readelf -W -V`. */
import { SHT, VER_FLG, VERSYM_HIDDEN } from "../constants.js";
import { viewOf } from "../header.js";
import type { ElfSection } from "../places.js";
import type { ElfFile } from "../reader.js";
import { readVersionDefinitions, readVersionNeeds, type SymbolVersions } from "../versions.js";
import { digits, entries, hex, prefixedWide, printable } from "./text.js";

export function* formatVersions(elf: ElfFile): Generator<string, void> {
  let found = false;
  for (const section of elf.sections) {
    const format = FORMATS[section.sh_type];
    if (format === undefined) continue;
    found = true;
    yield* format(elf, section);
  }
  if (!found) yield "\nNo version information found in this file.\n";
}

const FORMATS: Readonly<Record<number, (elf: ElfFile, section: ElfSection) => Generator<string, void>>> = {
  [SHT.SHT_GNU_versym]: formatSymbols,
  [SHT.SHT_GNU_verdef]: formatDefinitions,
  [SHT.SHT_GNU_verneed]: formatNeeds,
};

function title(elf: ElfFile, what: string, section: ElfSection, count: number): string {
  const link = printable(elf.sectionAt(section.sh_link).name);
  return (
    `\nVersion ${what} section '${printable(section.name)}' contains ${entries(count)}:\n` +
    ` Addr: 0x${digits(section.sh_addr, 16)}  Offset: 0x${digits(section.sh_offset, 8)}  ` +
    `Link: ${section.sh_link} (${link})\n`
  );
}

function* formatSymbols(elf: ElfFile, section: ElfSection): Generator<string, void> {
  const versions = elf.versions!;
  const view = viewOf(elf.sectionData(section));
  const raws = Array.from({ length: view.byteLength >> 1 }, (_, i) =>
    view.getUint16(i * 2, elf.encoding.littleEndian),
  );
  yield title(elf, "symbols", section, raws.length);
  for (let start = 0; start < raws.length; start += 4) {
    const cells = raws.slice(start, start + 4).map((raw) => cell(versions, raw));
    yield `  ${digits(start, 3)}:${cells.join("")}\n`;
  }
}

function cell(versions: SymbolVersions, raw: number): string {
  if (raw === 0) return "   0 (*local*)    ";
  if (raw === 1) return "   1 (*global*)   ";
  const hidden = raw & VERSYM_HIDDEN ? "h" : " ";
  const name = versions.nameOf(raw);
  const shown = name === undefined ? "" : `(${printable(name)}${")".padEnd(Math.abs(12 - name.length))}`;
  return `${hex(raw & ~VERSYM_HIDDEN).padStart(4)}${hidden}${shown}`.padEnd(18);
}

function* formatDefinitions(elf: ElfFile, section: ElfSection): Generator<string, void> {
  yield title(elf, "definition", section, section.sh_info);
  for (const { offset, vd_version, vd_flags, vd_ndx, vd_cnt, auxiliaries } of readVersionDefinitions(
    elf,
    section,
  )) {
    const [own, ...parents] = auxiliaries;
    yield `  ${prefixedWide(offset, 6)}: Rev: ${vd_version}  Flags: ${flagNames(vd_flags)}  Index: ${vd_ndx}  ` +
      `Cnt: ${vd_cnt}  Name: ${printable(own?.name ?? "")}\n`;
    for (const [i, parent] of parents.entries()) {
      yield `  ${prefixedWide(parent.offset, 6)}: Parent ${i + 1}: ${printable(parent.name)}\n`;
    }
  }
}

function* formatNeeds(elf: ElfFile, section: ElfSection): Generator<string, void> {
  yield title(elf, "needs", section, section.sh_info);
  for (const { offset, vn_version, vn_cnt, file, versions } of readVersionNeeds(elf, section)) {
    yield `  ${prefixedWide(offset, 6)}: Version: ${vn_version}  File: ${printable(file)}  Cnt: ${vn_cnt}\n`;
    for (const version of versions) {
      yield `  ${prefixedWide(version.offset, 6)}:   Name: ${printable(version.name)}  ` +
        `Flags: ${flagNames(version.vna_flags)}  Version: ${version.vna_other}\n`;
    }
  }
}

const VER_FLG_INFO = 4;

function flagNames(flags: number): string {
  if (flags === 0) return "none";
  const names = [];
  if (flags & VER_FLG.VER_FLG_BASE) names.push("BASE");
  if (flags & VER_FLG.VER_FLG_WEAK) names.push("WEAK");
  if (flags & VER_FLG_INFO) names.push("INFO");
  if (flags & ~7) names.push("<unknown>");
  return names.join(" | ");
}
