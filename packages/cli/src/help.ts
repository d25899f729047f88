/** The help of `kvm` and of each command, from their definitions. */
import { type ArgumentRow, COMMON_OPTIONS, type Command, type OptionRows } from "./define-command.js";

const WIDTH = 100;

/** `kvm --help`. */
export function overview(commands: readonly Command[]): string {
  return lines(
    "kvm: run a Linux program in a virtual machine of its own",
    "",
    "Usage: kvm <command> [options]",
    "       kvm <program> [options] [-- args...]   the same as kvm exec",
    "",
    "Commands:",
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    "",
    "Options:",
    ...columns(optionRows({ help: COMMON_OPTIONS.help, version: COMMON_OPTIONS.version })),
    "",
    "Exit status: the guest's own; 0 halted; 124 a time limit; 125 an error of kvmkit, a manifest or the",
    "machine; 126 the program was refused; 127 it was not found; 128 + N signal N; 130 Ctrl-C; 137 out of memory.",
  );
}

/** `kvm COMMAND --help`. */
export function commandHelp(command: Command): string {
  const { name, summary, about = [], args, rest, options, examples } = command;
  const usage = [
    `kvm ${name}`,
    "[options]",
    ...args.map(argumentUsage),
    ...(rest === undefined ? [] : ["[-- args...]"]),
  ];
  const argumentRows = args.map((row): [string, string] => [`<${row.name}>`, row.doc]);
  if (rest !== undefined) argumentRows.push(["-- args...", rest]);
  return lines(
    summary,
    "",
    `Usage: ${usage.join(" ")}`,
    ...about.flatMap((paragraph) => ["", ...wrap(paragraph, WIDTH)]),
    ...section("Arguments:", columns(argumentRows)),
    ...section("Options:", columns(optionRows({ ...options, ...COMMON_OPTIONS }))),
    ...section(
      "Examples:",
      examples.flatMap((example) => [`  ${example.command}`, `      ${example.doc}`]),
    ),
  );
}

function argumentUsage({ name, optional, repeated }: ArgumentRow): string {
  const text = `<${name}>${repeated ? "..." : ""}`;
  return optional ? `[${text}]` : text;
}

function optionRows(rows: OptionRows): [string, string][] {
  return Object.entries(rows).map(([name, row]) => {
    const short = row.short === undefined ? "    " : `-${row.short}, `;
    const value = row.value === undefined ? "" : ` ${row.value.name}`;
    const repeated = row.repeated ? " May be repeated." : "";
    const standard = row.default === undefined ? "" : ` Default: ${row.default}.`;
    return [`${short}--${name}${value}`, `${row.doc}${repeated}${standard}`];
  });
}

function section(title: string, body: readonly string[]): string[] {
  return body.length === 0 ? [] : ["", title, ...body];
}

/** Two columns; the second is wrapped under itself. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const first = Math.max(0, ...rows.map(([left]) => left.length)) + 4;
  return rows.flatMap(([left, right]) => {
    const [head = "", ...more] = wrap(right, WIDTH - first);
    return [`  ${left}`.padEnd(first) + head, ...more.map((line) => " ".repeat(first) + line)];
  });
}

function wrap(text: string, width: number): string[] {
  const result: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      result.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return line === "" ? result : [...result, line];
}

function lines(...all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
