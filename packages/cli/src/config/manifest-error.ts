/** What is wrong with a manifest: all of it at once, each with its position and the line it stands on. */
import type { CliErrorCode } from "../errors.js";

export interface Problem {
  readonly code: CliErrorCode;
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
}

export class ManifestError extends Error {
  override readonly name = "ManifestError";
  /** The first problem's code. */
  readonly code: CliErrorCode;
  readonly problems: readonly Problem[];
  readonly status = 125;

  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => renderProblem(problem)).join("\n"));
    this.code = problems[0]!.code;
    this.problems = problems;
  }
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
  const place =
    problem.line === undefined ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  const head = `${place}  ${problem.message}  ${problem.code}`;
  if (problem.source === undefined || problem.source.length > LONGEST_SOURCE_LINE) return head;
  const number = String(problem.line).padStart(5);
  const before = problem.source.slice(0, problem.column! - 1).replace(/[^\t]/g, " ");
  const shown = Math.max(1, Math.min(problem.length ?? 1, problem.source.length - problem.column! + 1));
  return [
    head,
    `${number} | ${problem.source}`,
    `${" ".repeat(5)} | ${before}${paint("^".repeat(shown))}`,
  ].join("\n");
}
