/** `kvm asm`: one source to a flat image, an object file, a program or a listing. */
import { chmodSync, readFileSync } from "node:fs";
import { extname, relative, resolve } from "node:path";
import type { AsmObject, Assembly } from "@kvmkit/x86-asm";
import { withDebugInfo } from "@kvmkit/x86-asm/debug";
import { assembleSource } from "../build/assemble-source.js";
import { writeFileAtomically } from "../build/atomic-file.js";
import { linkProgram, writeObject } from "../build/link-object.js";
import { dialectOf } from "../build/source-kind.js";
import type { AsmInvocation, FORMATS } from "../commands/asm.js";
import { renderProblem } from "../config/problems.js";
import { CliError, systemErrorText } from "../errors.js";

type Format = (typeof FORMATS)[number];

interface FormatRow {
  readonly ending: string;
  bytes(assembly: Assembly, facts: Facts): Uint8Array;
}

interface Facts {
  readonly file: string;
  readonly origin: bigint | undefined;
  /** The folder that debuggers find the source in; `undefined` without debugging information. */
  readonly debugDir: string | undefined;
}

const FORMAT_ROWS: Readonly<Record<Format, FormatRow>> = {
  flat: {
    ending: ".bin",
    bytes: (assembly, { origin }) => assembly.flat(origin === undefined ? {} : { origin }),
  },
  object: { ending: ".o", bytes: (assembly, facts) => writeObject(objectOf(assembly, facts), facts.file) },
  program: { ending: "", bytes: (assembly, facts) => linkProgram(objectOf(assembly, facts), facts.file) },
  listing: { ending: ".lst", bytes: (assembly) => Buffer.from(`${assembly.listing().trimEnd()}\n`) },
};

function objectOf(assembly: Assembly, { file, debugDir }: Facts): AsmObject {
  return debugDir === undefined ? assembly.object : withDebugInfo(assembly, { file, directory: debugDir });
}

const STDOUT = "-";

export async function assembleFile({ args, options, host }: AsmInvocation): Promise<number> {
  const { userDir, output } = host;
  const path = resolve(userDir, args[0]!);
  const { format = "flat", dialect = dialectOf(path), origin, include } = options;
  const bits = Number(options.bits ?? (dialect === "nasm" ? 16 : 64)) as 16 | 32 | 64;
  const { assembly, warnings } = assembleSource(path, readSource(path, args[0]!), {
    userDir,
    bits,
    dialect,
    includeDirs: include,
  });
  const { ending, bytes } = FORMAT_ROWS[format];
  for (const warning of warnings)
    output.diagnostic(renderProblem(warning, (caret) => output.paint("yellow", caret)));
  const debugDir = options["debug-info"] ? userDir : undefined;
  const content = bytes(assembly, { file: relative(userDir, path), origin, debugDir });
  const target = options.output ?? (format === "listing" ? STDOUT : withEnding(path, ending));
  if (target === STDOUT) {
    output.resultBytes(content);
    return 0;
  }
  const written = resolve(userDir, target);
  if (written === path)
    throw new CliError("ERR_CLI_USAGE", "the output would replace the source; name one with -o");
  writeFileAtomically(written, content);
  if (format === "program") chmodSync(written, 0o755);
  if (output.json) output.resultJson({ path: written, format, sizeBytes: content.length });
  return 0;
}

function withEnding(path: string, ending: string): string {
  return path.slice(0, path.length - extname(path).length) + ending;
}

function readSource(path: string, shown: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CliError("ERR_CLI_IO", `${shown}: ${systemErrorText(error)}`, { cause: error });
  }
}
