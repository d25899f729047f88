/** From an assembled object to a file: a static executable, or an object file. */
import { type ExecutableModel, PF, type SegmentModel, type SymbolModel, writeElf } from "@kvmkit/elf";
import {
  type AsmObject,
  type LinkedImage,
  type LinkedSection,
  link,
  type ObjectSection,
} from "@kvmkit/x86-asm";
import { CliError } from "../errors.js";

/** Where GNU ld puts the first page of an ET_EXEC on x86-64. */
const PROGRAM_BASE = 0x400000n;
const PAGE = 0x1000n;

/** Sections that share rights share pages; code first, so that the base address is the first instruction's. */
const SEGMENTS = [
  { flags: PF.PF_R | PF.PF_X, holds: ({ flags }: ObjectSection) => flags.execute && !flags.write },
  { flags: PF.PF_R, holds: ({ flags }: ObjectSection) => !flags.execute && !flags.write },
  { flags: PF.PF_R | PF.PF_W, holds: ({ flags }: ObjectSection) => flags.write && !flags.execute },
  { flags: PF.PF_R | PF.PF_W | PF.PF_X, holds: ({ flags }: ObjectSection) => flags.write && flags.execute },
] as const;

interface SegmentPlan {
  readonly flags: number;
  readonly names: readonly string[];
}

/**
 * A static ELF executable with symbols, entered at `_start`.
 * Errors: CliError ERR_CLI_SOURCE without that symbol; AsmError for what cannot be linked.
 */
export function linkProgram(object: AsmObject, file: string): Uint8Array {
  const plans = planSegments(object.sections);
  const image = link(object, { origins: placeSegments(object.sections, plans) });
  const start = image.symbols.get("_start");
  if (start === undefined) {
    throw new CliError("ERR_CLI_SOURCE", `${file}: the symbol _start is not defined`, {
      remedy: "Define it where the program begins, with `.globl _start` and `_start:`.",
    });
  }
  return writeElf({
    kind: "executable",
    entry: start.address,
    segments: plans.map((plan) => segment(plan, image)),
    symbols: symbolsOf(image),
    sections: image.sections.filter(({ flags }) => !flags.alloc),
  } satisfies ExecutableModel);
}

/** A relocatable object file. The assembler's object is the writer's model as it stands; the types pin that. */
export function writeObject(object: AsmObject, file: string): Uint8Array {
  return writeElf({ kind: "object", file, ...object });
}

function planSegments(sections: readonly ObjectSection[]): SegmentPlan[] {
  return SEGMENTS.map(({ flags, holds }) => {
    const held = sections.filter((section) => section.sizeBytes > 0 && section.flags.alloc && holds(section));
    // What occupies no bytes in the file comes last.
    const ordered = [...held.filter((s) => !s.flags.nobits), ...held.filter((s) => s.flags.nobits)];
    return { flags, names: ordered.map(({ name }) => name) };
  }).filter(({ names }) => names.length > 0);
}

function placeSegments(
  sections: readonly ObjectSection[],
  plans: readonly SegmentPlan[],
): Record<string, bigint> {
  const byName = new Map(sections.map((section) => [section.name, section]));
  const origins: Record<string, bigint> = {};
  let next = PROGRAM_BASE;
  for (const { names } of plans) {
    next = roundUp(next, PAGE);
    for (const name of names) {
      const { align, sizeBytes } = byName.get(name)!;
      origins[name] = roundUp(next, BigInt(align));
      next = origins[name] + BigInt(sizeBytes);
    }
  }
  return origins;
}

function segment({ flags, names }: SegmentPlan, image: LinkedImage): SegmentModel {
  const sections = names.map((name) => image.sections.find((section) => section.name === name)!);
  const vaddr = sections[0]!.address;
  const last = sections.at(-1)!;
  return {
    vaddr,
    bytes: join(sections, vaddr),
    memSizeBytes: last.address + BigInt(last.sizeBytes) - vaddr,
    flags,
    align: PAGE,
  };
}

/** The bytes of linked sections from `start` on, zeros between them; sections without bytes are left out. */
function join(sections: readonly LinkedSection[], start: bigint): Uint8Array {
  const filled = sections.filter(({ bytes }) => bytes.length > 0);
  const end = filled.reduce((furthest, { address, bytes }) => {
    const behind = Number(address - start) + bytes.length;
    return Math.max(furthest, behind);
  }, 0);
  const joined = new Uint8Array(end);
  for (const { address, bytes } of filled) joined.set(bytes, Number(address - start));
  return joined;
}

function symbolsOf(image: LinkedImage): SymbolModel[] {
  return [...image.symbols.values()].map(({ name, address, section, binding }) => ({
    name,
    value: address,
    binding: binding === "global" ? "STB_GLOBAL" : "STB_LOCAL",
    ...(section === null ? { section: "*ABS*" } : {}),
  }));
}

function roundUp(value: bigint, step: bigint): bigint {
  return ((value + step - 1n) / step) * step;
}
