/** Assembles a source file, and keeps what it included: the cache must notice when that changes. */
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { AsmError, type Assembly, assemble, type Bits, type Diagnostic } from "@kvmkit/x86-asm";
import { type Problem, printable, SourceError } from "../config/problems.js";
import { CliError, systemErrorText } from "../errors.js";
import { dialectOf } from "./source-kind.js";

export interface SourceOptions {
  /** What file names in messages are relative to. */
  readonly userDir: string;
  readonly bits: Bits;
  readonly dialect?: "gas" | "nasm" | undefined;
  /** Files that exist for the source only, by name. */
  readonly generated?: Readonly<Record<string, string>>;
  /** Absolute; looked into behind the including file's own folder. */
  readonly includeDirs?: readonly string[];
}

export interface AssembledSource {
  readonly assembly: Assembly;
  /** What the source warns of. */
  readonly warnings: readonly Problem[];
  /** What was included, by absolute path. */
  readonly inputs: ReadonlyMap<string, Uint8Array>;
}

/**
 * Assembles `source`, the content of the file at `path` (absolute).
 * Errors: SourceError with every complaint; CliError ERR_CLI_SOURCE, ERR_CLI_IO.
 */
export function assembleSource(path: string, source: Uint8Array, options: SourceOptions): AssembledSource {
  const { userDir, bits, dialect = dialectOf(path) } = options;
  const file = relative(userDir, path);
  const files = new Includes(options);
  const text = decode(source, file);
  try {
    const resolver = (name: string, from: string) => files.find(name, from);
    const assembly = assemble(text, { bits, dialect, file, resolve: resolver });
    const texts = assembly.warnings.length === 0 ? new Map() : textsOf(file, text, files, userDir);
    const warnings = assembly.warnings.map((warning) =>
      problemOf({ ...warning, code: "warning" }, file, texts),
    );
    return { assembly, warnings, inputs: files.read };
  } catch (error) {
    if (!(error instanceof AsmError)) throw error;
    const texts = textsOf(file, text, files, userDir);
    throw new SourceError(error.errors.map((diagnostic) => problemOf(diagnostic, file, texts)));
  }
}

/** The texts of a source and what it included, by the names that messages have for them. */
function textsOf(file: string, text: string, files: Includes, userDir: string): Map<string, string> {
  const included = [...files.read].map(
    ([path, content]) => [relative(userDir, path), content.toString()] as const,
  );
  return new Map([[file, text], ...included]);
}

/** Included files: beside the file that includes them, then in the folders of -I. */
class Includes {
  readonly read = new Map<string, Buffer>();
  readonly #options: SourceOptions;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  find(name: string, from: string): Uint8Array | string | undefined {
    const { userDir, generated = {}, includeDirs = [] } = this.#options;
    if (Object.hasOwn(generated, name)) return generated[name];
    for (const folder of [dirname(resolve(userDir, from)), ...includeDirs]) {
      const path = resolve(folder, name);
      const content = this.read.get(path) ?? readIfThere(path);
      if (content === undefined) continue;
      this.read.set(path, content);
      return content;
    }
    return undefined;
  }
}

type Remark = Omit<Diagnostic, "code"> & { readonly code: string };

function problemOf(diagnostic: Remark, main: string, texts: ReadonlyMap<string, string>): Problem {
  const { code, message, hint, file = main, line, column = 1, length = 1, stack = [] } = diagnostic;
  const source = line === undefined ? undefined : texts.get(file)?.split(/\r?\n/)[line - 1];
  const calls = stack.map((call) => `in ${call.name}, called at ${call.file}:${call.line}`);
  return {
    code,
    message: printable(message),
    file,
    ...(line === undefined ? {} : { line, column, length }),
    ...(source === undefined ? {} : { source: printable(source) }),
    notes: [...(hint === undefined ? [] : [hint]), ...calls].map(printable),
  };
}

function decode(source: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch {
    throw new CliError("ERR_CLI_SOURCE", `${file} is not UTF-8 text`);
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw new CliError("ERR_CLI_IO", `${path} cannot be read: ${systemErrorText(error)}`, { cause: error });
  }
}
