/** Text in: an object, flat bytes, a listing, a source map out. */
import type { Bits } from "./encoder.js";
import { AsmError, type Diagnostic, throwIfAny } from "./errors.js";
import { coreInstructions, type InstructionSet } from "./instruction-set.js";
import type { SectionLayout } from "./layout.js";
import { type LinkedImage, link } from "./link.js";
import type { AsmObject } from "./object.js";
import { Program } from "./program.js";
import { StatementWord } from "./text/statements.js";
import { TextAssembler, type TextOptions } from "./text/text-assembler.js";

export interface AssembleOptions extends TextOptions {
  /** Mode at the start: 64 if not given; in NASM's dialect 16, as its flat format has it. */
  readonly bits?: Bits;
  /** What instructions there are: those of the core entry if not given. */
  readonly instructions?: InstructionSet;
  /** Name of the source in messages. */
  readonly file?: string;
}

/** A source statement and the bytes that it became. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly section: string;
  /** Offset in the section. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** Depth of macros and includes around it. */
  readonly depth: number;
}

/** What a source was assembled to. */
export interface Assembly {
  readonly object: AsmObject;
  /** Statements that became bytes, in the order of the source. */
  readonly lines: readonly SourceLine[];
  /** Where NASM's `org` wants flat code to run. */
  readonly origin: bigint;
  /** All sections with bytes, one behind the other from `origin`. Throws `AsmError` for undefined symbols. */
  flat(options?: { origin?: bigint | number }): Uint8Array;
  /** Offsets, bytes and source, line by line. */
  listing(): string;
}

/** Assembles a source text. Throws `AsmError` with every complaint about it. */
export function assemble(source: string, options: AssembleOptions = {}): Assembly {
  const program = new Program(
    options.instructions ?? coreInstructions,
    options.bits ?? (options.dialect === "nasm" ? 16 : 64),
  );
  const text = new TextAssembler(program, options);
  text.assemble(source, options.file ?? "<source>");
  throwIfAny(text.errors);
  const { object, layouts } = program.finish((line) => text.statements.positionOf(line));
  let lines: SourceLine[] | undefined;
  const file = options.file ?? "<source>";
  return {
    object,
    get lines() {
      lines ??= sourceLines(text, layouts);
      return lines;
    },
    origin: text.origin,
    flat: (flatOptions) => flatten(object, BigInt(flatOptions?.origin ?? text.origin)),
    listing() {
      return listing(source, file, this.lines, object);
    },
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

function flatten(object: AsmObject, origin: bigint): Uint8Array {
  const sections = [
    ...object.sections.filter(({ flags }) => flags.alloc && !flags.nobits),
    ...object.sections.filter(({ flags }) => flags.nobits),
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

function sourceLines(text: TextAssembler, layouts: readonly SectionLayout[]): SourceLine[] {
  const { words, count } = text.statements;
  const lines: SourceLine[] = [];
  const ends = new Map<number, number>();
  for (let i = count - 1; i >= 0; i--) {
    const at = i * StatementWord.stride;
    const section = words[at + StatementWord.section]!;
    const layout = layouts[section]!;
    const offset = words[at + StatementWord.offset]! + layout.growth[words[at + StatementWord.variables]!]!;
    const end = ends.get(section) ?? layout.sizeBytes;
    ends.set(section, offset);
    if (end <= offset) continue;
    const frame = text.statements.frameOf(i + 1);
    const start = words[at + StatementWord.start]!;
    lines.push({
      file: frame.file,
      line: words[at + StatementWord.line]!,
      column: start - frame.text.lastIndexOf("\n", start - 1),
      section: layout.section.name,
      offset,
      sizeBytes: end - offset,
      depth: frame.depth,
    });
  }
  return lines.reverse();
}

const LISTING_BYTES = 8;

function listing(source: string, file: string, lines: readonly SourceLine[], object: AsmObject): string {
  const sections = new Map(object.sections.map((section) => [section.name, section]));
  const byLine = new Map<number, SourceLine[]>();
  for (const line of lines) {
    if (line.file !== file) continue;
    const group = byLine.get(line.line);
    if (group) group.push(line);
    else byLine.set(line.line, [line]);
  }
  return source
    .split("\n")
    .flatMap((text, i) => {
      const number = String(i + 1).padStart(6);
      const rows = (byLine.get(i + 1) ?? []).flatMap((line) =>
        hexRows(line, sections.get(line.section)?.bytes),
      );
      const first = rows[0] ?? " ".repeat(9 + 2 * LISTING_BYTES);
      return [
        `${number} ${first}  ${text}`.trimEnd(),
        ...rows.slice(1).map((row) => `${number} ${row}`.trimEnd()),
      ];
    })
    .join("\n");
}

function hexRows({ offset, sizeBytes }: SourceLine, bytes: Uint8Array | undefined): string[] {
  const rows: string[] = [];
  for (let at = 0; at < sizeBytes; at += LISTING_BYTES) {
    const count = Math.min(LISTING_BYTES, sizeBytes - at);
    const part = bytes?.subarray(offset + at, offset + at + count) ?? [];
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    rows.push(`${(offset + at).toString(16).padStart(8, "0")} ${hex.padEnd(2 * LISTING_BYTES)}`);
  }
  return rows;
}
