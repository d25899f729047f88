/** Text in: an object, flat bytes, a listing, a source map out. */
import type { Bits } from "./encoder.js";
import { AsmError, type Diagnostic, throwIfAny, type Warning } from "./errors.js";
import { coreInstructions, type InstructionSet } from "./instruction-set.js";
import type { SectionLayout } from "./layout.js";
import { type LinkedImage, link } from "./link.js";
import { type LineRange, listing, type SourceLine, sourceLines } from "./listing.js";
import type { AsmObject } from "./object.js";
import { Program } from "./program.js";
import { leastAlignment } from "./text/nasm-directives.js";
import { TextAssembler, type TextOptions } from "./text/text-assembler.js";

export interface AssembleOptions extends TextOptions {
  /** Mode at the start: 64 if not given; in NASM's dialect 16, as its flat format has it. */
  readonly bits?: Bits;
  /** What instructions there are: those of the core entry if not given. */
  readonly instructions?: InstructionSet;
  /** Name of the source in messages. */
  readonly file?: string;
}

/** What a source was assembled to. */
export interface Assembly {
  readonly object: AsmObject;
  /** Statements that became bytes, in the order of the source. */
  readonly lines: readonly SourceLine[];
  /** What the source warns of with `.warning` or `%warning`. */
  readonly warnings: readonly Warning[];
  /** Where NASM's `org` wants flat code to run. */
  readonly origin: bigint;
  /** All sections with bytes, one behind the other from `origin`. Throws `AsmError` for undefined symbols. */
  flat(options?: { origin?: bigint | number }): Uint8Array;
  /** Offsets, bytes and source, line by line; of a long source perhaps a part. */
  listing(range?: LineRange): string;
}

/** Assembles a source text. Throws `AsmError` with every complaint about it. */
export function assemble(source: string, options: AssembleOptions = {}): Assembly {
  const text = readerFor(options);
  text.assemble(source, options.file ?? DEFAULT_FILE);
  return finish(text, options.file ?? DEFAULT_FILE, () => source.split("\n"));
}

export const DEFAULT_FILE = "<source>";

/** An empty program, and what reads text into it. */
export function readerFor(options: AssembleOptions): TextAssembler {
  const isNasm = options.dialect === "nasm";
  const program = new Program(options.instructions ?? coreInstructions, options.bits ?? (isNasm ? 16 : 64));
  if (isNasm) program.section.least = leastAlignment(program.section.name);
  return new TextAssembler(program, options);
}

/** Lays out what was read. Throws `AsmError` with every complaint about it. */
export function finish(text: TextAssembler, file: string, source: () => readonly string[]): Assembly {
  throwIfAny(text.errors);
  const { statements, origin } = text;
  const { object, layouts } = text.program.finish((line) => statements.positionOf(line));
  const linesIn = (range?: LineRange) => sourceLines(statements, layouts, range);
  let lines: SourceLine[] | undefined;
  return {
    object,
    warnings: text.warnings,
    origin,
    get lines() {
      return (lines ??= linesIn());
    },
    flat: (flatOptions) => flatten(object, layouts, BigInt(flatOptions?.origin ?? origin)),
    listing: (range) => listing(source(), file, linesIn(range), object, range),
  };
}

/** The complaints about a source, none if it assembles. */
export function check(source: string, options: AssembleOptions = {}): readonly Diagnostic[] {
  try {
    assemble(source, options);
    return [];
  } catch (error) {
    if (error instanceof AsmError) return error.errors;
    throw error;
  }
}

/** Assembles a source to flat bytes. Throws `AsmError`. */
export function assembleFlat(
  source: string,
  options: AssembleOptions & { origin?: bigint | number } = {},
): Uint8Array {
  const assembly = assemble(source, options);
  return assembly.flat(options.origin === undefined ? {} : { origin: options.origin });
}

function flatten(object: AsmObject, layouts: readonly SectionLayout[], origin: bigint): Uint8Array {
  const alignments = new Map(
    layouts.map(({ section }) => [section.name, Math.max(section.align, section.least.flat)]),
  );
  const all = object.sections.map((section) => ({ ...section, align: alignments.get(section.name)! }));
  const sections = [
    ...all.filter(({ flags }) => flags.alloc && !flags.nobits),
    ...all.filter(({ flags }) => flags.nobits),
  ];
  const first = sections[0];
  if (first === undefined) return new Uint8Array(0);
  // A flat image need not start at an aligned address.
  const [head, ...rest] = sections;
  const image: LinkedImage = link(
    { ...object, sections: [{ ...head!, align: 1 }, ...rest] },
    { origins: { [first.name]: origin } },
  );
  const placed = image.sections.filter(({ flags }) => !flags.nobits);
  const last = placed.at(-1);
  if (last === undefined) return new Uint8Array(0);
  const bytes = new Uint8Array(Number(last.address - origin) + last.sizeBytes);
  for (const section of placed) bytes.set(section.bytes, Number(section.address - origin));
  return bytes;
}
