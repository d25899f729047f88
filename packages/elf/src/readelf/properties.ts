/** Program properties in words. psABI x86-64, "Program Property". */
import { EM } from "../constants.js";
import { viewOf } from "../header.js";
import { type ElfNote, type GnuProperty, readGnuProperties } from "../notes.js";
import type { ElfFile } from "../reader.js";
import { digits, hex } from "./text.js";

const FEATURES_1 = ["IBT", "SHSTK", "LAM_U48", "LAM_U57"];
const FEATURES_2 = [
  "x86",
  "x87",
  "MMX",
  "XMM",
  "YMM",
  "ZMM",
  "FXSR",
  "XSAVE",
  "XSAVEOPT",
  "XSAVEC",
  "TMM",
  "MASK",
];
const ISA_LEVELS = ["x86-64-baseline", "x86-64-v2", "x86-64-v3", "x86-64-v4"];

/** GNU_PROPERTY_X86_*: bit masks, lowest bit first. */
const X86_PROPERTIES: Readonly<Record<number, readonly [label: string, bits: readonly string[]]>> = {
  [0xc0000002]: ["x86 feature", FEATURES_1],
  [0xc0008001]: ["x86 feature needed", FEATURES_2],
  [0xc0008002]: ["x86 ISA needed", ISA_LEVELS],
  [0xc0010001]: ["x86 feature used", FEATURES_2],
  [0xc0010002]: ["x86 ISA used", ISA_LEVELS],
};
const GNU_PROPERTY_STACK_SIZE = 1;
const GNU_PROPERTY_NO_COPY_ON_PROTECTED = 2;
const GNU_PROPERTY_LOPROC = 0xc0000000;

export function formatProperties(elf: ElfFile, note: ElfNote): string {
  return readGnuProperties(note, elf.encoding)
    .map((property) => formatProperty(elf, property))
    .join(", ");
}

function formatProperty(elf: ElfFile, { pr_type, data }: GnuProperty): string {
  const { littleEndian, is64 } = elf.encoding;
  const x86 = elf.header.e_machine === EM.EM_X86_64 || elf.header.e_machine === EM.EM_386;
  const mask = x86 && data.length === 4 ? X86_PROPERTIES[pr_type] : undefined;
  if (mask !== undefined) return `${mask[0]}: ${bitNames(viewOf(data).getUint32(0, littleEndian), mask[1])}`;
  if (pr_type === GNU_PROPERTY_STACK_SIZE && data.length === (is64 ? 8 : 4)) {
    const size = is64 ? viewOf(data).getBigUint64(0, littleEndian) : viewOf(data).getUint32(0, littleEndian);
    return `stack size: 0x${hex(size)}`;
  }
  if (pr_type === GNU_PROPERTY_NO_COPY_ON_PROTECTED) return "no copy on protected ";
  const kind = pr_type >= GNU_PROPERTY_LOPROC ? "processor-specific" : "unknown";
  return `<${kind} type 0x${hex(pr_type)} data: ${Array.from(data, (byte) => `${digits(byte, 2)} `).join("")}>`;
}

function bitNames(mask: number, names: readonly string[]): string {
  if (mask === 0) return "<None>";
  const found = [];
  for (let bit = 0; bit < 32; bit++) {
    const value = (1 << bit) >>> 0;
    if (mask & value) found.push(names[bit] ?? `<unknown: ${hex(value)}>`);
  }
  return found.join(", ");
}
