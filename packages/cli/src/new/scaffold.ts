/** `kvm new`: checks the name, makes the folder, writes the template, and says what to do next. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { nearestName } from "../config/nearest-name.js";
import { type COMMON_OPTIONS, type Command, type Invocation, usage } from "../define-command.js";
import { CliError, systemErrorText } from "../errors.js";
import { BUILT_IN_PLUGINS } from "../run/machine-plugins.js";
import { version } from "../version.js";
import { pluginTemplate } from "./plugin-template.js";
import { vmTemplate } from "./vm-template.js";

export interface TemplateFacts {
  readonly name: string;
  /** A range of versions of our packages. */
  readonly version: string;
}

/** Path in the new folder -> content. */
export type Template = (facts: TemplateFacts) => Readonly<Record<string, string>>;

const TEMPLATES: Readonly<Record<string, Template>> = { plugin: pluginTemplate, vm: vmTemplate };
/** What `definePlugin` takes and npm does, so that one name serves folder, package and plugin. */
const NAME = /^[a-z][a-z0-9-]{0,99}$/;
const NEXT_STEPS = ["npm install", "npm test", "npm start"];

export function makeProject(
  { args: [kind = "", name = ""], host }: Invocation<typeof COMMON_OPTIONS>,
  command: Command,
): number {
  const template = Object.hasOwn(TEMPLATES, kind) ? TEMPLATES[kind] : undefined;
  if (template === undefined) throw unknownKind(kind, command);
  if (!NAME.test(name)) {
    const allowed = "a name has small letters, digits and -, and begins with a letter";
    throw usage(command, `${JSON.stringify(name)} cannot be a name: ${allowed}`);
  }
  if (BUILT_IN_PLUGINS.some((plugin) => plugin.name === name)) {
    throw usage(command, `${name} is a built-in plugin, which a plugin of this name would replace`);
  }
  const { output, userDir } = host;
  const folder = join(userDir, name);
  const files = template({ name, version: `^${version()}` });
  checkRoom(folder, relative(userDir, folder));
  for (const [file, text] of Object.entries(files)) writeNew(join(folder, file), text);
  const next = [`cd ${name}`, ...NEXT_STEPS];
  if (output.json) output.resultJson({ folder, files: Object.keys(files), next });
  else output.result(described(name, Object.keys(files), next));
  return 0;
}

function unknownKind(kind: string, command: Command): CliError {
  const near = nearestName(kind, Object.keys(TEMPLATES));
  const hint =
    near === undefined ? `There are ${Object.keys(TEMPLATES).join(" and ")}` : `Did you mean ${near}?`;
  return usage(command, `there is no template ${JSON.stringify(kind)}. ${hint}`);
}

function described(name: string, files: readonly string[], next: readonly string[]): string {
  return [
    `Made ${name}:`,
    ...files.map((file) => `  ${file}`),
    "",
    "Next:",
    ...next.map((step) => `  ${step}`),
  ].join("\n");
}

/** A folder that is there must be empty. Errors: CliError ERR_CLI_EXISTS, ERR_CLI_IO. */
function checkRoom(folder: string, shown: string): void {
  let entries: readonly string[];
  try {
    entries = readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    if (code !== "ENOTDIR") {
      throw new CliError("ERR_CLI_IO", `${shown} cannot be read: ${systemErrorText(error)}`, {
        cause: error,
      });
    }
    throw new CliError("ERR_CLI_EXISTS", `${shown} is a file`);
  }
  if (entries.length > 0) throw new CliError("ERR_CLI_EXISTS", `the folder ${shown} is there, and not empty`);
}

function writeNew(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    throw new CliError("ERR_CLI_IO", `${path} cannot be written: ${systemErrorText(error)}`, {
      cause: error,
    });
  }
}
