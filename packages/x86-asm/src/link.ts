/** Places the sections of one object at absolute addresses and resolves its relocations. */
import { AsmError, type AsmErrorCode, type Diagnostic } from "./errors.js";
import { writeInteger } from "./integers.js";
import type { AsmObject, ObjectSection, RelocationType } from "./object.js";
import { fitsField } from "./section-writer.js";
import type { SectionFlags } from "./sections.js";

export interface LinkOptions {
  /**
   * Addresses of sections by name. A section that is not named follows the one before it, in the object's
   * order, at its alignment; the first starts at 0.
   */
  readonly origins?: Readonly<Record<string, bigint | number>>;
}

export interface LinkedSection {
  readonly name: string;
  readonly address: bigint;
  /** Empty for a section without bytes. */
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  readonly align: number;
  readonly flags: SectionFlags;
}

export interface LinkedSymbol {
  readonly name: string;
  readonly address: bigint;
  /** Name of its section, `null` if absolute. */
  readonly section: string | null;
  readonly binding: "local" | "global" | "weak";
}

export interface LinkedImage {
  readonly sections: readonly LinkedSection[];
  readonly symbols: ReadonlyMap<string, LinkedSymbol>;
}

interface Field {
  readonly size: number;
  readonly relative: boolean;
  readonly signed: boolean;
}

/** What needs no table that a linker makes. */
const FIELDS: Readonly<Partial<Record<RelocationType, Field>>> = {
  R_X86_64_8: { size: 1, relative: false, signed: false },
  R_X86_64_16: { size: 2, relative: false, signed: false },
  R_X86_64_32: { size: 4, relative: false, signed: false },
  R_X86_64_32S: { size: 4, relative: false, signed: true },
  R_X86_64_64: { size: 8, relative: false, signed: false },
  R_X86_64_PC8: { size: 1, relative: true, signed: true },
  R_X86_64_PC16: { size: 2, relative: true, signed: true },
  R_X86_64_PC32: { size: 4, relative: true, signed: true },
  // Without shared objects there is nothing to go through a table for.
  R_X86_64_PLT32: { size: 4, relative: true, signed: true },
  R_X86_64_PC64: { size: 8, relative: true, signed: true },
};

/** Throws `AsmError` with every undefined symbol, every value that does not fit, every overlap. */
export function link(object: AsmObject, options: LinkOptions = {}): LinkedImage {
  const errors: Diagnostic[] = [];
  const report = (code: AsmErrorCode, message: string, hint?: string) =>
    errors.push(hint === undefined ? { code, message } : { code, message, hint });
  const sections = place(object.sections, options.origins ?? {}, report);
  const addresses = new Map(sections.map((section) => [section.name, section.address]));
  const symbols = new Map<string, LinkedSymbol>();
  for (const { name, address } of sections) {
    symbols.set(name, { name, address, section: name, binding: "local" });
  }
  for (const { name, section, value, binding } of object.symbols) {
    if (section === undefined) continue;
    const address = section === null ? value : addresses.get(section)! + value;
    symbols.set(name, { name, address, section, binding });
  }
  for (const [i, section] of object.sections.entries()) resolve(section, sections[i]!, symbols, report);
  if (errors.length > 0) throw new AsmError(errors as [Diagnostic, ...Diagnostic[]]);
  return { sections, symbols };
}

type Report = (code: AsmErrorCode, message: string, hint?: string) => void;

function place(
  sections: readonly ObjectSection[],
  origins: Readonly<Record<string, bigint | number>>,
  report: Report,
): LinkedSection[] {
  for (const name of Object.keys(origins)) {
    if (!sections.some((section) => section.name === name)) {
      report("ERR_ASM_LINK", `an origin is given for section ${name}, which does not exist`);
    }
  }
  let next = 0n;
  const placed = sections.map(({ name, bytes, sizeBytes, align, flags }) => {
    // What is not in memory has offsets, not addresses.
    const origin = origins[name] ?? (flags.alloc ? undefined : 0n);
    const step = BigInt(align);
    const address = origin === undefined ? ((next + step - 1n) / step) * step : BigInt(origin);
    if (address % step !== 0n) {
      report(
        "ERR_ASM_LINK",
        `section ${name}: origin 0x${address.toString(16)} is no multiple of its alignment ${align}`,
      );
    }
    if (flags.alloc) next = address + BigInt(sizeBytes);
    return { name, address, bytes: bytes.slice(), sizeBytes, align, flags };
  });
  checkOverlaps(placed, report);
  return placed;
}

function checkOverlaps(sections: readonly LinkedSection[], report: Report): void {
  const sorted = sections.filter(({ sizeBytes, flags }) => sizeBytes > 0 && flags.alloc);
  sorted.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  for (let i = 1; i < sorted.length; i++) {
    const before = sorted[i - 1]!;
    const end = before.address + BigInt(before.sizeBytes);
    if (end > sorted[i]!.address) {
      report(
        "ERR_ASM_LINK",
        `section ${before.name} ends at 0x${end.toString(16)}, inside ${sorted[i]!.name}`,
      );
    }
  }
}

function resolve(
  { relocations }: ObjectSection,
  section: LinkedSection,
  symbols: ReadonlyMap<string, LinkedSymbol>,
  report: Report,
): void {
  for (const { offset, type, symbol, addend, wraps } of relocations) {
    const target = symbol === "" ? 0n : symbols.get(symbol)?.address;
    if (target === undefined) {
      report(
        "ERR_ASM_SYMBOL",
        `symbol ${symbol} is not defined, but ${section.name}+0x${offset.toString(16)} refers to it`,
      );
      continue;
    }
    const field = FIELDS[type];
    if (field === undefined) {
      report(
        "ERR_ASM_LINK",
        `${type} at ${section.name}+0x${offset.toString(16)} needs tables that this linker does not make`,
        "write an object file and link it with ld",
      );
      continue;
    }
    const { size, relative, signed } = field;
    const place = section.address + BigInt(offset);
    const full = wrapAddress(target + addend - (relative ? place : 0n), size, signed);
    const bits = size === 1 ? wraps : size * 8;
    const value = bits && (wraps || (relative && size === 2)) ? wrapDistance(full, bits) : full;
    if (!fitsField(value, size, signed)) {
      report(
        "ERR_ASM_RANGE",
        `${type} at ${section.name}+0x${offset.toString(16)}: ${symbol || "the target"} gives ` +
          `0x${BigInt.asUintN(64, value).toString(16)}, which does not fit in ${size * 8} bits`,
      );
    } else writeInteger(section.bytes, offset, value, size);
  }
}

/** A distance that wraps at a width; one that does not come from there is left to be refused. */
function wrapDistance(value: bigint, bits: number): bigint {
  const limit = 1n << BigInt(bits);
  return value > -limit && value < limit ? BigInt.asIntN(bits, value) : value;
}

/** Addresses are 64-bit: the upper half is what a sign-extended field reaches. */
function wrapAddress(value: bigint, size: number, signed: boolean): bigint {
  return signed || size === 8 ? BigInt.asIntN(64, value) : value;
}
