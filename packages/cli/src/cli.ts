/** From an argument vector to an exit status: finds the command, runs it, and makes every error a message. */
import { commands } from "./commands/index.js";
import { nearestName } from "./config/nearest-name.js";
import { type Command, type CommandHost, parseInvocation, usage } from "./define-command.js";
import type { CliError } from "./errors.js";
import { commandHelp, overview } from "./help.js";
import { Output, type Stream } from "./output.js";
import { reportError, statusOfError } from "./report-error.js";
import { userDirOf } from "./user-dir.js";
import { version } from "./version.js";

export interface World {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Runs one command line. Never throws; the result is the exit status. */
export async function runCli(argv: readonly string[], world: World): Promise<number> {
  const ours = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  const output = new Output(world, {
    json: ours.includes("--json"),
    quiet: ours.includes("--quiet") || ours.includes("-q"),
    env: world.env,
  });
  const userDir = userDirOf(world.env, world.cwd);
  try {
    return await dispatch(argv, { output, userDir, env: world.env });
  } catch (error) {
    output.clearProgress();
    reportError(error, output, { debug: ours.includes("--debug") });
    return statusOfError(error);
  }
}

async function dispatch(argv: readonly string[], host: CommandHost): Promise<number> {
  const [first, ...others] = argv;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") {
    return help(others[0], host.output);
  }
  if (first === "--version" || first === "-V") {
    host.output.result(version());
    return 0;
  }
  const command = commands.find(({ name }) => name === first);
  if (command !== undefined) return runCommand(command, others, host);
  if (first.includes("/")) return runCommand(findCommand("exec"), argv, host);
  throw unknownCommand(first);
}

async function runCommand(command: Command, argv: readonly string[], host: CommandHost): Promise<number> {
  const before = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  if (before.includes("--help") || before.includes("-h")) return help(command.name, host.output);
  if (before.includes("--version") || before.includes("-V")) {
    host.output.result(version());
    return 0;
  }
  const invocation = parseInvocation(command, argv, host.userDir);
  return command.run({ ...invocation, host } as Parameters<Command["run"]>[0]);
}

function help(name: string | undefined, output: Output): number {
  output.result(
    name === undefined || name.startsWith("-") ? overview(commands) : commandHelp(findCommand(name)),
  );
  return 0;
}

function findCommand(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) throw unknownCommand(name);
  return command;
}

function unknownCommand(name: string): CliError {
  if (name.startsWith("-"))
    return usage(undefined, `unknown option ${name}, or it stands before the command`);
  const near = nearestName(
    name,
    commands.map((command) => command.name),
  );
  const hint = near === undefined ? "" : ` Did you mean ${near}?`;
  return usage(undefined, `there is no command ${name}.${hint} A program is named by a path: ./${name}`);
}
