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
  /** The operand that it is about, from 0. */
  readonly operand?: number;
  /** Where the macros, repetitions and includes around it were called, innermost first. */
  readonly stack?: readonly CallSite[];
}

/** What a source says about itself that is no error: `.warning`. */
export type Warning = Omit<Diagnostic, "code" | "hint" | "operand">;

export interface CallSite {
  readonly file: string;
  readonly line: number;
  /** Name of the macro, or of the directive that repeats or includes. */
  readonly name: string;
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
  ERR_ASM_EXPRESSION: "an expression cannot be evaluated, or not yet",
  ERR_ASM_SYNTAX: "the text is not what the dialect allows here",
  ERR_ASM_DIRECTIVE: "a directive is unknown, misplaced, or has arguments that it does not take",
  ERR_ASM_MACRO: "a macro, a repetition or a condition is malformed or never ends",
  ERR_ASM_FILE: "an included file cannot be had",
  ERR_ASM_LIMIT: "the source asks for more than the limits allow",
  ERR_ASM_LAYOUT: "sizes depend on each other and do not settle",
  ERR_ASM_ARGUMENT: "an argument of the builder is not what its method takes",
  ERR_ASM_LINK: "sections cannot be placed as asked",
} as const;

export type AsmErrorCode = keyof typeof ASM_ERRORS;

/** Complaints that the message shows; `errors` has them all. */
const SHOWN = 20;

/** Everything that was wrong in one run; `code` and `message` are the first complaint's. */
export class AsmError extends Error {
  override readonly name = "AsmError";
  readonly code: AsmErrorCode;
  readonly errors: readonly Diagnostic[];

  constructor(errors: readonly [Diagnostic, ...Diagnostic[]]) {
    const more = errors.length > SHOWN ? [`and ${errors.length - SHOWN} more`] : [];
    super([...errors.slice(0, SHOWN).map(describe), ...more].join("\n"));
    this.code = errors[0].code;
    this.errors = errors;
  }
}

function describe({ file, line, column, message, hint, stack }: Diagnostic): string {
  const position = line === undefined ? "" : `${file ?? "<source>"}:${line}:${column ?? 1}: `;
  const calls = (stack ?? []).map((call) => `in ${call.name}, from ${call.file}:${call.line}`);
  return [position + message, ...(hint === undefined ? [] : [hint]), ...calls].join("\n  ");
}

/** An error with one complaint; `operand` counts from 0. */
export function asmError(code: AsmErrorCode, message: string, hint?: string, operand?: number): AsmError {
  return new AsmError([
    {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(operand === undefined ? {} : { operand }),
    },
  ]);
}

/** Throws if there is anything to complain about. */
export function throwIfAny(errors: readonly Diagnostic[]): void {
  if (errors.length > 0) throw new AsmError(errors as [Diagnostic, ...Diagnostic[]]);
}
