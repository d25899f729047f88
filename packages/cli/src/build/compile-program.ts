/** Makes a program of a C source with the host's compiler, and keeps what it included: the cache must notice changes. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { CliError, systemErrorText } from "../errors.js";

export interface CompileOptions {
  /** The compiler and its options. */
  readonly command: readonly string[];
  /** What the program may include, by name. */
  readonly generated: Readonly<Record<string, string>>;
  /** The compiler runs in it, so that its options can name files beside the manifest. */
  readonly dir: string;
  readonly userDir: string;
}

export interface CompiledProgram {
  readonly bytes: Uint8Array;
  /** Included files of the user, by absolute path; a system's headers do not change between builds. */
  readonly inputs: ReadonlyMap<string, Uint8Array>;
  /** What the compiler said though it succeeded. */
  readonly warnings: string;
}

/** Compiles and links `path` (absolute). Errors: CliError ERR_CLI_COMPILER, ERR_CLI_SOURCE, ERR_CLI_IO. */
export function compileProgram(path: string, options: CompileOptions): CompiledProgram {
  const { command, generated, dir, userDir } = options;
  const folder = mkdtempSync(join(tmpdir(), "kvmkit-cc-"));
  try {
    const include = join(folder, "include");
    mkdirSync(include);
    for (const [name, text] of Object.entries(generated)) writeFileSync(join(include, name), text);
    const [output, dependencies] = [join(folder, "program"), join(folder, "dependencies")];
    const source = relative(dir, path);
    const args = ["-I", include, "-MMD", "-MF", dependencies, "-o", output, source];
    const { status, signal, stderr, error } = spawnSync(command[0]!, [...command.slice(1), ...args], {
      cwd: dir,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    if (error !== undefined) throw notRun(command[0]!, error);
    const said = stderr.replaceAll(`${include}/`, "").trimEnd();
    if (status !== 0) {
      const how = signal === null ? `ended with status ${status}` : `was ended by ${signal}`;
      const shown = relative(userDir, path);
      throw new CliError("ERR_CLI_SOURCE", `${shown} does not compile: ${command[0]} ${how}\n${said}\n`);
    }
    const inputs = userInputs(readFileSync(dependencies, "utf8"), { dir, path, include });
    return { bytes: readFileSync(output), inputs, warnings: said };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How the packages of a C compiler are called, by the name of the compiler. */
const PACKAGES: Readonly<Record<string, string>> = { "musl-gcc": "musl-tools", clang: "clang" };

function notRun(compiler: string, error: Error): CliError {
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  const reason = missing ? "is not installed" : `cannot be run: ${systemErrorText(error)}`;
  const debian = PACKAGES[basename(compiler)] ?? "gcc";
  return new CliError("ERR_CLI_COMPILER", `the C compiler ${compiler} ${reason}`, {
    remedy: `Install it (Debian, Ubuntu: apt-get install ${debian}; Fedora: dnf install gcc; Alpine: apk add gcc), or name another in [program] cc.`,
    cause: error,
  });
}

function userInputs(
  rule: string,
  { dir, path, include }: { readonly dir: string; readonly path: string; readonly include: string },
): Map<string, Uint8Array> {
  const files = prerequisites(rule).map((name) => resolve(dir, name));
  const included = files.filter((file) => file !== path && !file.startsWith(`${include}/`));
  return new Map(included.map((file) => [file, readFileSync(file)]));
}

/** The prerequisites of the one rule that -MMD writes (GCC manual, "Preprocessor Options"). */
export function prerequisites(rule: string): string[] {
  const text = rule.replaceAll(/\\\r?\n/g, " ");
  const list = text.slice(text.indexOf(": ") + 2).trim();
  return [...list.matchAll(/(?:\\.|\$\$|[^\s\\])+/g)].map(([name]) =>
    name.replaceAll("$$", "$").replaceAll(/\\([\s#\\:])/g, "$1"),
  );
}
