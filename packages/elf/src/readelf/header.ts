/** `readelf -h`. */
import {
  DT,
  EI_ABIVERSION,
  EI_CLASS,
  EI_DATA,
  EI_OSABI,
  EI_VERSION,
  ET,
  EV_CURRENT,
  PN_XNUM,
  PT,
  SHN,
} from "../constants.js";
import type { ElfFile } from "../reader.js";
import { CLASSES, DATA_ENCODINGS, FILE_TYPES, MACHINE_NAMES, OSABI_NAMES } from "./names.js";
import { digits, hex } from "./text.js";

const DF_1_PIE = 0x08000000n;

export function* formatHeader(elf: ElfFile): Generator<string, void> {
  const { header } = elf;
  const { e_ident } = header;
  const rows: readonly (readonly [label: string, value: string])[] = [
    ["Class:", word(CLASSES, e_ident[EI_CLASS]!)],
    ["Data:", word(DATA_ENCODINGS, e_ident[EI_DATA]!)],
    ["Version:", `${e_ident[EI_VERSION]}${version(e_ident[EI_VERSION]!)}`],
    ["OS/ABI:", word(OSABI_NAMES, e_ident[EI_OSABI]!)],
    ["ABI Version:", `${e_ident[EI_ABIVERSION]}`],
    ["Type:", fileType(elf)],
    ["Machine:", MACHINE_NAMES[header.e_machine] ?? `<unknown>: 0x${hex(header.e_machine)}`],
    ["Version:", `0x${hex(header.e_version)}`],
    ["Entry point address:", `0x${hex(header.e_entry)}`],
    ["Start of program headers:", `${header.e_phoff} (bytes into file)`],
    ["Start of section headers:", `${header.e_shoff} (bytes into file)`],
    ["Flags:", `0x${hex(header.e_flags)}`],
    ["Size of this header:", `${header.e_ehsize} (bytes)`],
    ["Size of program headers:", `${header.e_phentsize} (bytes)`],
    ["Number of program headers:", withReal(header.e_phnum, PN_XNUM, () => elf.sections[0]?.sh_info ?? 0)],
    ["Size of section headers:", `${header.e_shentsize} (bytes)`],
    ["Number of section headers:", withReal(header.e_shnum, 0, () => elf.sections.length)],
    [
      "Section header string table index:",
      header.e_shstrndx === SHN.SHN_XINDEX
        ? `${header.e_shstrndx} (${elf.sections[0]?.sh_link ?? 0})`
        : `${header.e_shstrndx}`,
    ],
  ];
  yield "ELF Header:\n";
  yield `  Magic:   ${Array.from(e_ident, (byte) => digits(byte, 2)).join(" ")} \n`;
  for (const [label, value] of rows) yield `  ${label.padEnd(34)} ${value}\n`;
}

function word(words: Readonly<Record<number, string>>, value: number): string {
  return words[value] ?? `<unknown: ${hex(value)}>`;
}

function version(value: number): string {
  return value === EV_CURRENT ? " (current)" : value === 0 ? "" : " <unknown>";
}

/** A count that did not fit into the header is followed by the real one. */
function withReal(value: number, marker: number, real: () => number): string {
  if (value !== marker) return `${value}`;
  const count = real();
  return count === 0 ? `${value}` : `${value} (${count})`;
}

function fileType(elf: ElfFile): string {
  const { e_type } = elf.header;
  if (e_type === ET.ET_DYN) {
    const hasSegment = elf.segments.some(({ p_type }) => p_type === PT.PT_DYNAMIC);
    const isPie = hasSegment && ((elf.dynamic?.get(DT.DT_FLAGS_1) ?? 0n) & DF_1_PIE) !== 0n;
    return isPie ? "DYN (Position-Independent Executable file)" : "DYN (Shared object file)";
  }
  if (e_type >= 0xff00) return `Processor Specific: (${hex(e_type)})`;
  if (e_type >= 0xfe00) return `OS Specific: (${hex(e_type)})`;
  return FILE_TYPES[e_type] ?? `<unknown>: ${hex(e_type)}`;
}
