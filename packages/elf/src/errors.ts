/**
 * Every error of this package: one class, a stable code, the facts as fields, and what to do next.
 *
 * The table is the only source of codes, sentences and remedies; the README's list is tested against it.
 */

export interface ErrorRow {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export const ERROR_TABLE = [
  {
    code: "ERR_ELF_MAGIC",
    message: "not an ELF file",
    remedy: "Give the path of an ELF program or object file.",
  },
  {
    code: "ERR_ELF_CLASS",
    message: "wrong ELF class",
    remedy: "Build the program for 64-bit x86 (gcc -m64).",
  },
  {
    code: "ERR_ELF_DATA",
    message: "wrong byte order",
    remedy: "Build the program for a little-endian machine.",
  },
  {
    code: "ERR_ELF_MACHINE",
    message: "wrong machine",
    remedy: "Build the program for x86-64.",
  },
  {
    code: "ERR_ELF_TYPE",
    message: "not a loadable program",
    remedy: "Link object files first; only ET_EXEC and ET_DYN can be loaded.",
  },
  {
    code: "ERR_ELF_TRUNCATED",
    message: "the file ends before what a header promises",
    remedy: "Copy the file again, or rebuild it.",
  },
  {
    code: "ERR_ELF_ENTRY_SIZE",
    message: "wrong size of a table entry",
    remedy: "Rebuild the file; the gABI fixes this size.",
  },
  {
    code: "ERR_ELF_COUNT",
    message: "too many entries",
    remedy: "Rebuild the file; no tool writes that many.",
  },
  {
    code: "ERR_ELF_INDEX",
    message: "an index points past its table",
    remedy: "Rebuild the file; a header was damaged.",
  },
  {
    code: "ERR_ELF_STRING",
    message: "a string lies outside its table or does not end",
    remedy: "Rebuild the file; a string table was damaged.",
  },
  {
    code: "ERR_ELF_SECTION_TYPE",
    message: "a section of another type was expected",
    remedy: "Look at sh_type and sh_link of the section named here.",
  },
  {
    code: "ERR_ELF_VERSION",
    message: "a list of symbol versions leaves its section",
    remedy: "Relink the file; a version section was damaged.",
  },
  {
    code: "ERR_ELF_NOTE",
    message: "a note does not fit into its section or segment",
    remedy: "Relink the file; a note was damaged.",
  },
  {
    code: "ERR_ELF_NO_SEGMENT",
    message: "nothing to load",
    remedy: "Link the program with at least one PT_LOAD segment.",
  },
  {
    code: "ERR_ELF_SEGMENT_SIZE",
    message: "a segment has more bytes in the file than in memory",
    remedy: "Relink the program; p_filesz must not exceed p_memsz.",
  },
  {
    code: "ERR_ELF_SEGMENT_ALIGN",
    message: "a segment cannot be mapped by pages",
    remedy: "Relink the program; p_offset and p_vaddr must be equal modulo the page size.",
  },
  {
    code: "ERR_ELF_SEGMENT_RANGE",
    message: "a segment leaves the address space",
    remedy: "Relink the program at lower addresses, or choose another load bias.",
  },
  {
    code: "ERR_ELF_SEGMENT_OVERLAP",
    message: "two segments claim the same memory",
    remedy: "Relink the program; PT_LOAD segments must not share bytes.",
  },
  {
    code: "ERR_ELF_INTERP",
    message: "bad program interpreter",
    remedy: "Relink the program; PT_INTERP holds a path and a NUL byte.",
  },
  {
    code: "ERR_ELF_ENTRY",
    message: "the entry point lies outside the address space",
    remedy: "Relink the program; set its entry point.",
  },
  {
    code: "ERR_ELF_LOAD_BIAS",
    message: "bad load bias",
    remedy: "Choose a load bias that is a multiple of the page size.",
  },
  {
    code: "ERR_ELF_SOURCE",
    message: "the source returned something other than the bytes asked for",
    remedy: "read(offset, length) must return a Uint8Array of just that length.",
  },
  {
    code: "ERR_ELF_NOT_LOADED",
    message: "these bytes were not read yet",
    remedy: "With an asynchronous source, do this inside `await elf.load((elf) => …)`.",
  },
  {
    code: "ERR_ELF_MODEL",
    message: "the model cannot be written",
    remedy: "Correct the field named here.",
  },
] as const satisfies readonly ErrorRow[];

export type ElfErrorCode = (typeof ERROR_TABLE)[number]["code"];

const rows: ReadonlyMap<string, ErrorRow> = /* @__PURE__ */ new Map(
  ERROR_TABLE.map((row) => [row.code, row]),
);

/** A value as an error reports it: what was found, or what is allowed. */
export type Fact = bigint | number | string;

export interface ElfErrorFacts {
  /** The field in the specification's name (`p_filesz`), or the path in the model. */
  readonly field: string;
  /** Whose field it is: `segment 2`, `section 5 (.symtab)`. */
  readonly where?: string;
  /** File offset of the field, or of the byte where reading stopped. */
  readonly offset?: bigint | number;
  readonly found?: Fact;
  readonly allowed?: Fact;
  readonly cause?: unknown;
}

/** Thrown for every malformed file, impossible load and impossible model; nothing else is. */
export class ElfError extends Error {
  override readonly name = "ElfError";
  readonly code: ElfErrorCode;
  readonly field: string;
  readonly where: string | undefined;
  readonly offset: bigint | number | undefined;
  readonly found: Fact | undefined;
  readonly allowed: Fact | undefined;
  readonly remedy: string;

  constructor(code: ElfErrorCode, facts: ElfErrorFacts) {
    const row = rows.get(code)!;
    super(sentence(row, facts), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.field = facts.field;
    this.where = facts.where;
    this.offset = facts.offset;
    this.found = facts.found;
    this.allowed = facts.allowed;
    this.remedy = row.remedy;
  }
}

function sentence(row: ErrorRow, { field, where, offset, found, allowed }: ElfErrorFacts): string {
  const place = [where, field, offset === undefined ? undefined : `at file offset ${show(offset)}`];
  let text = `${row.message}: ${place.filter((part) => part !== undefined).join(" ")}`;
  if (found !== undefined) text += ` is ${show(found)}`;
  if (allowed !== undefined) text += `${found === undefined ? "" : ","} allowed ${show(allowed)}`;
  return `${text}. ${row.remedy}`;
}

/** Small numbers read better in decimal, addresses and sizes in hexadecimal. */
function show(fact: Fact): string {
  if (typeof fact === "string") return fact;
  return fact >= -9 && fact <= 9
    ? `${fact}`
    : `${fact < 0 ? "-" : ""}0x${(fact < 0 ? -fact : fact).toString(16)}`;
}
