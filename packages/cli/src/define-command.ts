/**
 * A command is data: what it does, its arguments and options, examples, and a function. The parser, the help and
 * its tests read the same object.
 *
 * Options are read by node:util's parseArgs: commander's import alone takes 15 ms of a start.
 */
import { parseArgs } from "node:util";
import { nearestName } from "./config/nearest-name.js";
import type { Place, ValueType } from "./config/value-types.js";
import { CliError } from "./errors.js";
import type { Output } from "./output.js";

export interface OptionRow<T = unknown> {
  readonly doc: string;
  /** Absent: a switch. */
  readonly value?: { readonly name: string; readonly type: ValueType<T> };
  readonly short?: string;
  /** The option may be repeated; its value is a list. */
  readonly repeated?: true;
  /** For the help: what an absent option means. */
  readonly default?: string;
}

export type OptionRows = Readonly<Record<string, OptionRow>>;

export interface ArgumentRow {
  readonly name: string;
  readonly doc: string;
  readonly optional?: true;
  readonly repeated?: true;
}

export interface CommandExample {
  readonly command: string;
  readonly doc: string;
}

export type OptionValues<Rows> = {
  readonly [K in keyof Rows]: Rows[K] extends { readonly value: { readonly type: ValueType<infer T> } }
    ? Rows[K] extends { readonly repeated: true }
      ? readonly T[]
      : T | undefined
    : boolean;
};

export interface Invocation<Rows> {
  readonly options: OptionValues<Rows>;
  readonly args: readonly string[];
  /** What stands behind `--`, unread. */
  readonly rest: readonly string[];
  readonly host: CommandHost;
}

/** What a command has of the world. */
export interface CommandHost {
  readonly output: Output;
  /** The folder that the user stands in; through npm or pnpm that is not the process's. */
  readonly userDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Command<Rows extends OptionRows = OptionRows> {
  readonly name: string;
  readonly summary: string;
  /** Paragraphs for the command's own help. */
  readonly about?: readonly string[];
  readonly args: readonly ArgumentRow[];
  /** What may stand behind `--`. */
  readonly rest?: string;
  readonly options: Rows;
  readonly examples: readonly CommandExample[];
  /** Runs it; the result is the exit status. */
  run(invocation: Invocation<Rows & typeof COMMON_OPTIONS>): Promise<number>;
}

/** Options of every command. */
export const COMMON_OPTIONS = {
  help: { short: "h", doc: "Print this help." },
  version: { short: "V", doc: "Print the version." },
  json: { doc: "Print results and errors as JSON, for machines." },
  quiet: { short: "q", doc: "Print errors only." },
  debug: { doc: "Print stack traces of errors." },
} as const satisfies OptionRows;

export function defineCommand<const Rows extends OptionRows>(command: Command<Rows>): Command {
  return command as unknown as Command;
}

export interface ParsedCommandLine {
  readonly options: Readonly<Record<string, unknown>>;
  readonly args: readonly string[];
  readonly rest: readonly string[];
}

/** What `argv` says to a command. Errors: CliError ERR_CLI_USAGE. */
export function parseInvocation(
  command: Command,
  argv: readonly string[],
  baseDir: string,
): ParsedCommandLine {
  const rows: OptionRows = { ...command.options, ...COMMON_OPTIONS };
  const { values, tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, parserOption(row)])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const terminator = tokens.find((token) => token.kind === "option-terminator")?.index ?? argv.length;
  for (const token of tokens) if (token.kind === "option") checkOption(command, rows, token);
  const positionals = tokens.filter((token) => token.kind === "positional");
  const args = positionals.filter((token) => token.index < terminator).map((token) => token.value);
  const rest = argv.slice(terminator + 1);
  if (rest.length > 0 && command.rest === undefined) throw usage(command, `nothing may follow "--"`);
  checkArguments(command, args);
  const options = Object.entries(rows).map(([name, row]) => {
    return [name, readOption(command, name, row, values[name], baseDir)];
  });
  return { options: Object.fromEntries(options), args, rest };
}

export function usage(command: Command | undefined, message: string): CliError {
  const name = command === undefined ? "kvm" : `kvm ${command.name}`;
  return new CliError("ERR_CLI_USAGE", message, { remedy: `See \`${name} --help\`.` });
}

function parserOption(row: OptionRow) {
  return {
    type: row.value === undefined ? ("boolean" as const) : ("string" as const),
    ...(row.short === undefined ? {} : { short: row.short }),
    multiple: row.repeated === true,
  };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
}

function checkOption(command: Command, rows: OptionRows, { name, rawName, value }: OptionToken): void {
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
  if (row === undefined) {
    const near = nearestName(name, Object.keys(rows));
    const hint = near === undefined ? "" : ` Did you mean --${near}?`;
    const behind = command.rest === undefined ? "" : ` What is meant for the program stands behind "--".`;
    throw usage(command, `unknown option ${rawName}.${hint}${behind}`);
  }
  if (row.value === undefined && value !== undefined) throw usage(command, `${rawName} takes no value`);
  if (row.value !== undefined && value === undefined) {
    throw usage(command, `${rawName} needs a value: ${row.value.type.allowed}`);
  }
}

function checkArguments(command: Command, args: readonly string[]): void {
  const missing = command.args.slice(args.length).find((row) => row.optional === undefined);
  if (missing !== undefined) throw usage(command, `<${missing.name}> is missing: ${missing.doc}`);
  const unlimited = command.args.at(-1)?.repeated === true;
  const extra = unlimited ? undefined : args[command.args.length];
  if (extra !== undefined) throw usage(command, `there is no place for ${JSON.stringify(extra)}`);
}

function readOption(
  command: Command,
  name: string,
  row: OptionRow,
  given: unknown,
  baseDir: string,
): unknown {
  const type = row.value?.type;
  if (type === undefined) return given === true;
  const read = (text: unknown) => type.read(text, optionPlace(command, name, text, baseDir));
  if (row.repeated) return ((given ?? []) as unknown[]).map(read);
  return given === undefined ? undefined : read(given);
}

function optionPlace(command: Command, name: string, given: unknown, baseDir: string): Place {
  const place: Place = {
    baseDir,
    at: () => place,
    problem(_code, message) {
      throw usage(command, `--${name} ${String(given)}: ${message}`);
    },
  };
  return place;
}
