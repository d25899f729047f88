/** What is wrong with a text that the user wrote: all of it at once, each with its position and its line. */
export interface Problem {
  /** Of this package, or of the one that refused the value. */
  readonly code: string;
  readonly message: string;
  readonly file: string;
  /** Both count from 1; a problem of the whole file has neither. */
  readonly line?: number;
  readonly column?: number;
  /** How many characters the caret underlines. */
  readonly length?: number;
  /** The text of the line. */
  readonly source?: string;
  /** The key, dotted, as `limits.wall`. */
  readonly key?: string;
  /** Lines below the source line: a hint, or where a macro was called. */
  readonly notes?: readonly string[];
}

/** Several complaints in one error: of a manifest, or of an assembly source. */
abstract class ProblemsError extends Error {
  /** The first problem's code. */
  readonly code: string;
  readonly problems: readonly Problem[];
  readonly status = 125;

  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => renderProblem(problem)).join("\n"));
    this.code = problems[0]!.code;
    this.problems = problems;
  }
}

export class ManifestError extends ProblemsError {
  override readonly name = "ManifestError";
}

/** What the assembler refuses of a source. */
export class SourceError extends ProblemsError {
  override readonly name = "SourceError";
}

/** The problems of an error that has any. By its fields: the bundle has this class more than once. */
export function problemsOf(error: unknown): readonly Problem[] | undefined {
  const problems = error instanceof Error ? (error as Partial<ProblemsError>).problems : undefined;
  return Array.isArray(problems) ? problems : undefined;
}

const LONGEST_SOURCE_LINE = 160;

/**
 * One problem in one line that editors and people can follow, then the line of the file with a caret:
 *
 *     vm.toml:7:10  memory = "64MB": unit MB is not known. …  ERR_MANIFEST_UNIT
 *         7 | memory = "64MB"
 *           |          ^^^^^^
 */
export function renderProblem(problem: Problem, paint: (text: string) => string = (text) => text): string {
  const { file, line, column, message, code, notes = [] } = problem;
  const place = line === undefined ? file : `${file}:${line}:${column}`;
  return [
    `${place}  ${message}  ${code}`,
    ...sourceLines(problem, paint),
    ...notes.map((note) => `${MARGIN} = ${note}`),
  ].join("\n");
}

const MARGIN = " ".repeat(5);

function sourceLines(
  { line, column = 1, length = 1, source }: Problem,
  paint: (text: string) => string,
): string[] {
  if (source === undefined || source.length > LONGEST_SOURCE_LINE) return [];
  const before = source.slice(0, column - 1).replace(/[^\t]/g, " ");
  const shown = Math.max(1, Math.min(length, source.length - column + 1));
  return [`${String(line).padStart(5)} | ${source}`, `${MARGIN} | ${before}${paint("^".repeat(shown))}`];
}

/** A terminal must not obey what a file contains. Each character stays one column wide. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that are replaced
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}
