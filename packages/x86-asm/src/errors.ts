/** What the assembler refuses, and how it says so. */

/** One complaint. Position fields are there where the input was text. */
export interface Diagnostic {
  /** Stable: `ERR_ASM_…`. */
  readonly code: AsmErrorCode;
  /** What is wrong, with what was found and what is allowed. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  /** From 1, in UTF-16 code units. */
  readonly column?: number;
  readonly length?: number;
}

/** Every code, and what it means. */
export const ASM_ERRORS = {
  ERR_ASM_OPERANDS: "no form of the instruction takes these operands",
  ERR_ASM_AMBIGUOUS: "the width of a memory operand is not given, and several would fit",
  ERR_ASM_MODE: "the instruction exists, but not in this mode",
  ERR_ASM_ADDRESS: "no addressing mode can express this memory operand",
  ERR_ASM_RANGE: "a value does not fit where it goes",
  ERR_ASM_PREFIX: "the instruction does not take this prefix",
  ERR_ASM_REGISTER: "a register cannot be encoded here",
  ERR_ASM_SYMBOL: "a symbol is undefined, defined twice, or not what is needed here",
  ERR_ASM_SECTION: "a section cannot hold this, or was given conflicting properties",
  ERR_ASM_ARGUMENT: "an argument of the builder is not what its method takes",
  ERR_ASM_LINK: "sections cannot be placed as asked",
} as const;

export type AsmErrorCode = keyof typeof ASM_ERRORS;

/** Everything that was wrong in one run; `code` and `message` are the first complaint's. */
export class AsmError extends Error {
  override readonly name = "AsmError";
  readonly code: AsmErrorCode;
  readonly errors: readonly Diagnostic[];

  constructor(errors: readonly [Diagnostic, ...Diagnostic[]]) {
    super(errors.map(describe).join("\n"));
    this.code = errors[0].code;
    this.errors = errors;
  }
}

function describe({ file, line, column, message, hint }: Diagnostic): string {
  const position = line === undefined ? "" : `${file ?? "<source>"}:${line}:${column ?? 1}: `;
  return `${position}${message}${hint === undefined ? "" : `\n  ${hint}`}`;
}

export function asmError(code: AsmErrorCode, message: string, hint?: string): AsmError {
  return new AsmError([hint === undefined ? { code, message } : { code, message, hint }]);
}
