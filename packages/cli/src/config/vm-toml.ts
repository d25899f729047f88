/** Reads and checks a manifest: its values, or every complaint about it at once. */
import { readFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { systemErrorText } from "../errors.js";
import { checkTogether } from "./cross-checks.js";
import { ManifestError, type Problem, printable } from "./problems.js";
import { MANIFEST_SCHEMA, type Manifest } from "./schema.js";
import type { Path, Span, TomlDocument } from "./toml-document.js";
import type { Place } from "./value-types.js";

export interface LoadedManifest {
  readonly manifest: Manifest;
  /** Absolute. */
  readonly file: string;
  /** Absolute: what the manifest's paths are relative to. */
  readonly dir: string;
  /** A problem with a value that only a later step can see (a plugin's module, a program's format). */
  problem(path: Path, code: Problem["code"], message: string, about?: "key" | "value"): Problem;
}

const LARGEST_MANIFEST_BYTES = 2 ** 20;

/**
 * Reads the manifest at `file` (absolute).
 * Errors: ManifestError with every problem, in the order of the file.
 */
export async function loadManifest(file: string, options: { relativeTo: string }): Promise<LoadedManifest> {
  const shownFile = relative(options.relativeTo, file) || file;
  const source = readSource(file, shownFile);
  return checkManifest(source, { file, shownFile });
}

/** The same, of a text that was read already. */
export async function checkManifest(
  source: string,
  names: { file: string; shownFile: string },
): Promise<LoadedManifest> {
  const { readToml } = await import("./toml-document.js");
  const reading = readToml(source);
  const lines = source.split(/\r?\n/);
  const at = (position: Span, code: Problem["code"], message: string, key?: string): Problem => ({
    code,
    message,
    file: names.shownFile,
    line: position.line,
    column: position.column,
    length: position.length,
    source: printable(lines[position.line - 1] ?? ""),
    ...(key === undefined ? {} : { key }),
  });
  if (!reading.ok) {
    throw new ManifestError([at(reading.problem.span, "ERR_MANIFEST_SYNTAX", reading.problem.message)]);
  }
  const { document } = reading;
  const dir = dirname(names.file);
  const describe = (path: Path, code: Problem["code"], message: string, about: "key" | "value" = "value") =>
    at(document.locate(path, about), code, `${subject(document, path, about)}${message}`, dotted(path));

  const problems: Problem[] = [];
  const place = (path: Path): Place => ({
    baseDir: dir,
    at: (key) => place([...path, key]),
    problem(code, message, about) {
      problems.push(describe(path, code, message, about));
      return undefined;
    },
  });
  for (const path of document.oversizedIntegers) {
    place(path).problem(
      "ERR_MANIFEST_VALUE",
      'beyond TOML\'s signed 64 bits. An address is written as a string: "0xffffffff80000000"',
    );
  }
  const manifest = MANIFEST_SCHEMA.read(document.values, place([]));
  checkTogether(document.values, place([]));
  if (manifest === undefined || problems.length > 0) throw new ManifestError(inFileOrder(problems));
  return { manifest, file: names.file, dir, problem: describe };
}

function readSource(file: string, shownFile: string): string {
  const refuse = (message: string) =>
    new ManifestError([{ code: "ERR_MANIFEST_NOT_FOUND", file: shownFile, message }]);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw refuse(systemErrorText(error));
  }
  if (bytes.length > LARGEST_MANIFEST_BYTES) throw refuse("larger than 1 MiB; this is not a manifest");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ManifestError([
      { code: "ERR_MANIFEST_SYNTAX", file: shownFile, message: "not UTF-8, which TOML is" },
    ]);
  }
}

/** `memory = "64MB": ` for a value, `memroy: ` for a key, nothing for the whole file. */
function subject(document: TomlDocument, path: Path, about: "key" | "value"): string {
  if (path.length === 0) return "";
  const value = about === "value" ? document.sourceOf(path) : undefined;
  const name = about === "key" || value === undefined ? dotted(path) : leaf(path);
  return value === undefined || value.includes("\n")
    ? `${name}: `
    : `${name} = ${printable(shorten(value))}: `;
}

function leaf(path: Path): string {
  const last = path.at(-1)!;
  return typeof last === "number" ? `${leaf(path.slice(0, -1))}[${last}]` : quoteKey(last);
}

function dotted(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? quoteKey(part) : `${text}.${quoteKey(part)}`;
  }, "");
}

function quoteKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : printable(JSON.stringify(shorten(key)));
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

function inFileOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
