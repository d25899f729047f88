/**
 * Every error code of the command line, once: what it means and what to do about it.
 *
 * docs/errors.md and `kvm explain CODE` come from this table and from the tables of the packages below.
 */

export interface ErrorRow {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export const ERROR_TABLE = [
  {
    code: "ERR_CLI_USAGE",
    message: "The command line cannot be understood.",
    remedy: "Compare it with `kvm --help` or `kvm COMMAND --help`.",
  },
  {
    code: "ERR_CLI_IO",
    message: "A file of the host could not be read or written.",
    remedy: "The message names the file and the reason; check its path and permissions.",
  },
  {
    code: "ERR_CLI_EXISTS",
    message: "Something new would be written over what is there already.",
    remedy: "Choose another name, or move away what is there.",
  },
  {
    code: "ERR_CLI_SOURCE",
    message: "A source does not make what was asked for.",
    remedy: "A program defines `_start`; the ending .s is for GNU as Intel syntax, .asm for NASM, .c for C.",
  },
  {
    code: "ERR_CLI_COMPILER",
    message: "A program is a C source, and the compiler for it cannot be run.",
    remedy:
      "Install gcc or clang (Debian, Ubuntu: apt-get install gcc), or name another compiler in [program] cc.",
  },
  {
    code: "ERR_PROGRAM_NOT_FOUND",
    message: "The program to run does not exist (exit status 127).",
    remedy:
      "Check the path; it is relative to the folder the command was started in, and no PATH is searched.",
  },
  {
    code: "ERR_PROGRAM_REFUSED",
    message: "The program exists but is not something that can be run here (exit status 126).",
    remedy: "It must be a static x86-64 ELF executable, ET_EXEC or static-pie ET_DYN, that can be read.",
  },
  {
    code: "ERR_MANIFEST_NOT_FOUND",
    message: "There is no manifest at this path, or it cannot be read.",
    remedy: "Name one: `kvm run path/to/vm.toml`. Without a name, ./vm.toml is read.",
  },
  {
    code: "ERR_MANIFEST_SYNTAX",
    message: "The manifest is not TOML 1.0.",
    remedy: "The position is where the reader gave up; look there and just before it.",
  },
  {
    code: "ERR_MANIFEST_UNKNOWN_KEY",
    message:
      "The manifest has a key that kvmkit does not know. A misspelt limit would be no limit, so it is refused.",
    remedy: "Correct the name, or move what other tools read into [metadata].",
  },
  {
    code: "ERR_MANIFEST_TYPE",
    message: "A key has a value of the wrong TOML type.",
    remedy: "The message says what is allowed; docs/manifest.md lists every key.",
  },
  {
    code: "ERR_MANIFEST_VALUE",
    message: "A key's value has the right type, but lies outside of what is allowed.",
    remedy: "The message says what is allowed; docs/manifest.md lists every key.",
  },
  {
    code: "ERR_MANIFEST_UNIT",
    message: "A size or a duration has no unit, or one that is not known.",
    remedy: 'Sizes are binary and explicit ("64MiB"), durations too ("10s").',
  },
  {
    code: "ERR_MANIFEST_MISSING",
    message: "A key that this manifest needs is absent.",
    remedy: "Add it; the message says where.",
  },
  {
    code: "ERR_MANIFEST_CONFLICT",
    message: "Two keys do not go together.",
    remedy: "Remove one of them; the message says why they exclude each other.",
  },
  {
    code: "ERR_MANIFEST_PATH",
    message: "A path in the manifest does not lead to what is needed there.",
    remedy: "Paths in a manifest are relative to the manifest, not to the current folder.",
  },
  {
    code: "ERR_MANIFEST_PLUGIN",
    message: "A plugin cannot be loaded, or does not offer what the manifest grants.",
    remedy: "The message names the module and what it offers. Build it first if it is TypeScript.",
  },
  {
    code: "ERR_LOCK_FILE",
    message: "kvm.lock.json beside the manifest cannot be used.",
    remedy:
      "It records the numbers of plugin hypercalls. Restore it from version control, or delete it and rebuild.",
  },
  {
    code: "ERR_HYPERCALL_NUMBERS",
    message: "The plugins of a manifest need more hypercall numbers than there are (0x1000 to 0x1fff).",
    remedy: "Delete rows of plugins that are no longer used from kvm.lock.json.",
  },
  {
    code: "ERR_INTERNAL",
    message: "kvmkit broke one of its own promises.",
    remedy: "Run again with --debug and report what it prints.",
  },
] as const satisfies readonly ErrorRow[];

export type CliErrorCode = (typeof ERROR_TABLE)[number]["code"];

/** An error of the command line itself; `status` is the exit status it leads to. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: CliErrorCode;
  readonly status: number;
  /** What to do next, where the message alone does not say it. */
  readonly remedy: string | undefined;

  constructor(
    code: CliErrorCode,
    message: string,
    options: { status?: number; remedy?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.status = options.status ?? 125;
    this.remedy = options.remedy;
  }
}

/** A system error as people read it: `No such file or directory` rather than `ENOENT: …, open '…'`. */
export function systemErrorText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: Readonly<Record<string, string>> = {
    ENOENT: "no such file",
    EACCES: "permission denied",
    EPERM: "operation not permitted",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of the path is not a folder",
    ELOOP: "too many symbolic links",
    EROFS: "the file system is read-only",
    ENOSPC: "no space is left",
  };
  return (
    (code !== undefined && Object.hasOwn(known, code) ? known[code] : undefined) ?? message ?? String(error)
  );
}
