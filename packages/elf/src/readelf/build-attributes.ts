/**
 * Build attributes: how each range of the code was compiled, noted by gcc's and clang's annobin plugins.
 * Owner names carry the attribute: `GA`, a kind, an attribute number or name, and a value.
 */
import { STB, STT } from "../constants.js";
import { viewOf } from "../header.js";
import type { ElfNote } from "../notes.js";
import type { ElfFile } from "../reader.js";
import type { SymbolTable } from "../symbols.js";
import { hex, prefixed } from "./text.js";

const NT_GNU_BUILD_ATTRIBUTE_OPEN = 0x100;
const NT_GNU_BUILD_ATTRIBUTE_FUNC = 0x101;
/** Columns of a name. */
const NAME_WIDTH = 28;

const ATTRIBUTES: Readonly<Record<number, string>> = {
  1: "<version>",
  2: "<stack prot>",
  3: "<relro>",
  4: "<stack size>",
  5: "<tool>",
  6: "<ABI>",
  7: "<PIC>",
  8: "<short enum>",
};
const STACK_PROT = 2;
const PIC = 7;
const NAMED_VALUES: Readonly<Record<number, readonly string[]>> = {
  [STACK_PROT]: ["off", "on", "all", "strong", "explicit"],
  [PIC]: ["static", "pic", "PIC", "pie", "PIE"],
};

export function isBuildAttribute({ owner, type }: ElfNote): boolean {
  return (
    /^GA[*$!+]/.test(owner) && (type === NT_GNU_BUILD_ATTRIBUTE_OPEN || type === NT_GNU_BUILD_ATTRIBUTE_FUNC)
  );
}

interface Region {
  start: bigint;
  end: bigint;
}

export class BuildAttributes {
  readonly #elf: ElfFile;
  /** A note without a description is about the region of the last one of its type. */
  readonly #regions: Record<number, Region> = {
    [NT_GNU_BUILD_ATTRIBUTE_OPEN]: { start: 0n, end: 0n },
    [NT_GNU_BUILD_ATTRIBUTE_FUNC]: { start: 0n, end: 0n },
  };

  #named: ReadonlyMap<bigint, number[]> | undefined;

  constructor(elf: ElfFile) {
    this.#elf = elf;
  }

  name({ owner, nameBytes }: ElfNote): string {
    const kind = owner[2]!;
    const number = nameBytes[3] ?? 0;
    let text = owner.slice(0, 3);
    let at = 4;
    const attribute = ATTRIBUTES[number];
    if (attribute !== undefined) {
      text += attribute;
    } else {
      const end = nameBytes.indexOf(0, 3);
      at = (end < 0 ? nameBytes.length : end) + 1;
      text += `${String.fromCharCode(...nameBytes.subarray(3, at - 1))}:`;
    }
    return (text + value(kind, number, nameBytes.subarray(at))).padEnd(NAME_WIDTH);
  }

  describe(note: ElfNote): string {
    const region = this.#regions[note.type]!;
    const own = this.#ownRegion(note);
    if (own === undefined)
      return `    Applies to region from ${range(region.start, region.end > region.start ? region.end : 0n)}\n`;
    let { start, end } = own;
    let found = this.#symbolAt(start, note.type);
    if (found === undefined && (found = this.#symbolAt(start + 2n, note.type)) !== undefined) start += 2n;
    if (end === 0n && found !== undefined && found.size > 0n) end = start + found.size;
    region.start = start;
    if (end !== 0n) region.end = end;
    return `    Applies to region from ${range(start, end)}${found === undefined ? "" : ` (${found.name})`}\n`;
  }

  /** One or two addresses of 4 bytes, or two of 8. */
  #ownRegion({ description }: ElfNote): Region | undefined {
    const view = viewOf(description);
    const { littleEndian } = this.#elf.encoding;
    const word = (at: number): bigint => BigInt(view.getUint32(at, littleEndian));
    switch (description.length) {
      case 4:
        return { start: word(0), end: 0n };
      case 8:
        return { start: word(0), end: word(4) };
      case 16:
        return { start: view.getBigUint64(0, littleEndian), end: view.getBigUint64(8, littleEndian) };
      default:
        return undefined;
    }
  }

  #symbolAt(address: bigint, type: number): { readonly name: string; readonly size: bigint } | undefined {
    const table = this.#elf.symbols;
    if (table === undefined) return undefined;
    let chosen: number | undefined;
    this.#named ??= namedSymbols(table);
    for (const i of this.#named.get(address) ?? []) {
      const verdict = type === NT_GNU_BUILD_ATTRIBUTE_OPEN ? judgeOpen(table, i) : judgeFunction(table, i);
      if (verdict === "take" || verdict === "end" || (verdict === "first" && chosen === undefined))
        chosen = i;
      if (verdict === "end") break;
    }
    return chosen === undefined ? undefined : { name: table.name(chosen), size: table.size(chosen) };
  }
}

/** The symbols that have names, by their addresses. */
function namedSymbols(table: SymbolTable): ReadonlyMap<bigint, number[]> {
  const byAddress = new Map<bigint, number[]>();
  for (let i = 0; i < table.length; i++) {
    if (table.nameOffset(i) === 0) continue;
    const address = table.value(i);
    const there = byAddress.get(address);
    if (there === undefined) byAddress.set(address, [i]);
    else there.push(i);
  }
  return byAddress;
}

type Verdict = "take" | "first" | "skip" | "end";

/** Files and objects before others, global ones before local ones, functions never. */
function judgeOpen(table: SymbolTable, index: number): Verdict {
  const info = table.info(index);
  switch (info & 0xf) {
    case STT.STT_OBJECT:
    case STT.STT_FILE:
      return table.size(index) > 0n ? "end" : "take";
    case STT.STT_FUNC:
      return "skip";
    default:
      break;
  }
  const binding = info >> 4;
  return binding === STB.STB_GLOBAL ? "take" : binding === STB.STB_LOCAL ? "first" : "skip";
}

function judgeFunction(table: SymbolTable, index: number): Verdict {
  return (table.info(index) & 0xf) === STT.STT_FUNC ? "first" : "skip";
}

function range(start: bigint, end: bigint): string {
  return end === 0n ? prefixed(start) : `${prefixed(start)} to ${prefixed(end)}`;
}

function value(kind: string, attribute: number, bytes: Uint8Array): string {
  if (kind === "+") return "true";
  if (kind === "!") return "false";
  if (kind === "$") return String.fromCharCode(...bytes.subarray(0, Math.max(bytes.indexOf(0), 0)));
  let number = 0n;
  for (const [i, byte] of bytes.subarray(0, Math.min(bytes.length - 1, 8)).entries())
    number |= BigInt(byte) << BigInt(8 * i);
  return NAMED_VALUES[attribute]?.[Number(number)] ?? `0x${hex(number)}`;
}
