/** `readelf -W -n`. */
import { ET, PT, SHT } from "../constants.js";
import { viewOf } from "../header.js";
import { type ElfNote, NT_GNU } from "../notes.js";
import type { ElfFile } from "../reader.js";
import { BuildAttributes, isBuildAttribute } from "./build-attributes.js";
import { formatProperties } from "./properties.js";
import { address, digits, printable } from "./text.js";

export function* formatNotes(elf: ElfFile): Generator<string, void> {
  const attributes = new BuildAttributes(elf);
  if (elf.sections.length > 0) {
    for (const section of elf.sections) {
      if (section.sh_type !== SHT.SHT_NOTE || section.sh_size === 0n) continue;
      yield `\nDisplaying notes found in: ${printable(section.name)}\n${HEAD}`;
      for (const note of elf.notesIn(section)) yield row(elf, note, attributes);
    }
    return;
  }
  for (const segment of elf.segments) {
    if (segment.p_type !== PT.PT_NOTE || segment.p_filesz === 0n) continue;
    const place = `offset 0x${digits(segment.p_offset, 8)} with length 0x${digits(segment.p_filesz, 8)}`;
    yield `\nDisplaying notes found at file ${place}:\n${HEAD}`;
    for (const note of elf.notesIn(segment)) yield row(elf, note, attributes);
  }
}

const HEAD = `  ${"Owner".padEnd(20)} ${"Data size".padEnd(10)}\tDescription\n`;

const NT_FDO_PACKAGING_METADATA = 0xcafe1a7e;
const NT_X86_XSTATE = 0x202;
const NT_FILE = 0x46494c45;
const NT_SIGINFO = 0x53494749;

/** How the notes of one owner are named and described. */
interface Owner {
  readonly types: Readonly<Record<number, string>>;
  readonly describe: (elf: ElfFile, note: ElfNote) => string;
}

const OWNERS: readonly (readonly [prefix: string, owner: Owner])[] = [
  [
    "GNU",
    {
      types: {
        1: "NT_GNU_ABI_TAG (ABI version tag)",
        2: "NT_GNU_HWCAP (DSO-supplied software HWCAP info)",
        3: "NT_GNU_BUILD_ID (unique build ID bitstring)",
        4: "NT_GNU_GOLD_VERSION (gold version)",
        5: "NT_GNU_PROPERTY_TYPE_0",
        256: "NT_GNU_BUILD_ATTRIBUTE_OPEN",
        257: "NT_GNU_BUILD_ATTRIBUTE_FUNC",
      },
      describe: describeGnu,
    },
  ],
  ["FDO", { types: { [NT_FDO_PACKAGING_METADATA]: "FDO_PACKAGING_METADATA" }, describe: describePackage }],
  [
    "Go",
    { types: { 1: "GO PKGLIST", 2: "GO ABIHASH", 3: "GO DEPS", 4: "GO BUILDID" }, describe: describeData },
  ],
  ["stapsdt", { types: { 3: "NT_STAPSDT (SystemTap probe descriptors)" }, describe: describeProbe }],
];

const PLAIN_TYPES: Readonly<Record<number, string>> = {
  1: "NT_VERSION (version)",
  2: "NT_ARCH (architecture)",
  256: "OPEN",
  257: "func",
};

const CORE_TYPES: Readonly<Record<number, string>> = {
  1: "NT_PRSTATUS (prstatus structure)",
  2: "NT_FPREGSET (floating point registers)",
  3: "NT_PRPSINFO (prpsinfo structure)",
  4: "NT_TASKSTRUCT (task structure)",
  6: "NT_AUXV (auxiliary vector)",
  [NT_X86_XSTATE]: "NT_X86_XSTATE (x86 XSAVE extended state)",
  [NT_FILE]: "NT_FILE (mapped files)",
  [NT_SIGINFO]: "NT_SIGINFO (siginfo_t data)",
};

function row(elf: ElfFile, note: ElfNote, attributes: BuildAttributes): string {
  const owner = OWNERS.find(([prefix]) => note.owner.startsWith(prefix))?.[1];
  const types = owner?.types ?? (elf.header.e_type === ET.ET_CORE ? CORE_TYPES : PLAIN_TYPES);
  const type = types[note.type] ?? `Unknown note type: (0x${digits(note.type, 8)})`;
  const size = `0x${digits(note.description.length, 8)}`;
  if (isBuildAttribute(note))
    return `  ${attributes.name(note)} ${size}\t${type}\t${attributes.describe(note)}`;
  const name = (note.nameBytes.length === 0 ? "(NONE)" : printable(note.owner)).padEnd(20);
  return `  ${name} ${size}\t${type}\t${(owner?.describe ?? describeData)(elf, note)}`;
}

function describeData(_: ElfFile, { description }: ElfNote): string {
  return description.length === 0 ? "\n" : `   description data: ${bytes(description)}\n`;
}

function bytes(data: Uint8Array): string {
  return Array.from(data, (byte) => `${digits(byte, 2)} `).join("");
}

const OS_NAMES = ["Linux", "Hurd", "Solaris", "FreeBSD", "NetBSD", "Syllable", "NaCl"];

function describeGnu(elf: ElfFile, note: ElfNote): string {
  const { description } = note;
  const { littleEndian } = elf.encoding;
  switch (note.type) {
    case NT_GNU.NT_GNU_BUILD_ID:
      return `    Build ID: ${Array.from(description, (byte) => digits(byte, 2)).join("")}\n`;
    case NT_GNU.NT_GNU_ABI_TAG: {
      if (description.length < 16) return "    <corrupt GNU_ABI_TAG>\n";
      const view = viewOf(description);
      const [os, ...abi] = [0, 4, 8, 12].map((at) => view.getUint32(at, littleEndian));
      return `    OS: ${OS_NAMES[os!] ?? "Unknown"}, ABI: ${abi.join(".")}\n`;
    }
    case NT_GNU.NT_GNU_GOLD_VERSION:
      return `    Version: ${printable(textIn(description, 0).text)}\n`;
    case NT_GNU.NT_GNU_PROPERTY_TYPE_0:
      return `      Properties: ${formatProperties(elf, note)}\n`;
    default:
      return `    Description data: ${bytes(description)}\n`;
  }
}

function describePackage(_: ElfFile, { description }: ElfNote): string {
  return `    Packaging Metadata: ${textIn(description, 0).text}\n`;
}

/** SystemTap: the addresses of the probe, of `.stapsdt.base` and of the semaphore, then three strings. */
function describeProbe(elf: ElfFile, { description }: ElfNote): string {
  const { is64, littleEndian } = elf.encoding;
  const wordBytes = is64 ? 8 : 4;
  if (description.length < 3 * wordBytes) return "    <corrupt - note is too small>\n";
  const view = viewOf(description);
  const word = (i: number): string =>
    `0x${address(is64 ? view.getBigUint64(i * 8, littleEndian) : view.getUint32(i * 4, littleEndian), elf.encoding)}`;
  const provider = textIn(description, 3 * wordBytes);
  const probe = textIn(description, provider.next);
  const args = textIn(description, probe.next);
  return (
    `    Provider: ${provider.text}\n    Name: ${probe.text}\n` +
    `    Location: ${word(0)}, Base: ${word(1)}, Semaphore: ${word(2)}\n    Arguments: ${args.text}\n`
  );
}

function textIn(data: Uint8Array, start: number): { text: string; next: number } {
  const found = data.indexOf(0, start);
  const end = found < 0 ? data.length : found;
  return { text: new TextDecoder().decode(data.subarray(start, end)), next: end + 1 };
}
