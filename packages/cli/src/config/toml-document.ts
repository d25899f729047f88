/**
 * A TOML text with its values and their positions.
 *
 * Values come from @iarna/toml, which is strict TOML 1.0 but keeps no positions; positions come from
 * toml-eslint-parser, by key path. The second also gives integers exactly: the first wraps those beyond 64 bits
 * (0xffffffff80000000 is read as -2147483648n).
 */
import parseString from "@iarna/toml/parse-string.js";
import { type AST, parseTOML } from "toml-eslint-parser";

export type Path = readonly (string | number)[];

export interface Span {
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export interface SyntaxProblem {
  readonly span: Span;
  readonly message: string;
}

export type TomlReading =
  | { readonly ok: true; readonly document: TomlDocument }
  | { readonly ok: false; readonly problem: SyntaxProblem };

export interface TomlDocument {
  readonly values: Record<string, unknown>;
  /** Where a key or its value stands; a key that is absent is where its nearest parent is. */
  locate(path: Path, about: "key" | "value"): Span;
  /** The text of a value as it stands in the file. */
  sourceOf(path: Path): string | undefined;
  /** Integers that TOML's signed 64 bits cannot hold. */
  readonly oversizedIntegers: readonly Path[];
}

/** Reads a whole text; it never throws, whatever the text. */
export function readToml(source: string): TomlReading {
  try {
    const values = parseString(source);
    return { ok: true, document: new Document(source, values, parseTOML(source, { tomlVersion: "1.0" })) };
  } catch (error) {
    return { ok: false, problem: syntaxProblem(source, error) };
  }
}

interface Entry {
  readonly key: AST.TOMLNode | undefined;
  readonly value: AST.TOMLNode | undefined;
}

class Document implements TomlDocument {
  readonly values: Record<string, unknown>;
  readonly oversizedIntegers: Path[] = [];
  readonly #source: string;
  readonly #entries = new Map<string, Entry>();

  constructor(source: string, values: Record<string, unknown>, program: AST.TOMLProgram) {
    this.#source = source;
    this.values = values;
    for (const node of program.body[0].body) {
      if (node.type === "TOMLTable") this.#addTable(node);
      else this.#addKeyValue(node, []);
    }
  }

  locate(path: Path, about: "key" | "value"): Span {
    for (let depth = path.length; depth > 0; depth--) {
      const entry = this.#entries.get(JSON.stringify(path.slice(0, depth)));
      if (entry === undefined) continue;
      const node = depth < path.length || about === "key" ? (entry.key ?? entry.value) : entry.value;
      if (node !== undefined) return span(node.loc);
      if (entry.key !== undefined) return span(entry.key.loc);
    }
    return { line: 1, column: 1, length: 1 };
  }

  sourceOf(path: Path): string | undefined {
    const node = this.#entries.get(JSON.stringify(path))?.value;
    return node === undefined ? undefined : this.#source.slice(node.range[0], node.range[1]);
  }

  #addTable(node: AST.TOMLTable): void {
    const path = node.resolvedKey;
    const names = node.key.keys;
    this.#add(path, { key: names.at(-1), value: undefined });
    // In [a.b] the table a has no line of its own; its name in the header stands for it.
    const named = path.filter((part) => typeof part === "string").length;
    if (named === names.length) this.#addParents(path, names);
    for (const child of node.body) this.#addKeyValue(child, path);
  }

  #addKeyValue(node: AST.TOMLKeyValue, parent: Path): void {
    const names = node.key.keys;
    const path = [...parent, ...names.map(keyName)];
    this.#addParents(path, names);
    this.#addValue(path, names.at(-1), node.value);
  }

  #addParents(path: Path, names: readonly AST.TOMLNode[]): void {
    let index = names.length - 1;
    for (let depth = path.length; depth > 0 && index >= 0; depth--) {
      if (typeof path[depth - 1] === "number") continue;
      this.#add(path.slice(0, depth), { key: names[index], value: undefined });
      index--;
    }
  }

  #addValue(path: Path, key: AST.TOMLNode | undefined, value: AST.TOMLContentNode): void {
    this.#entries.set(JSON.stringify(path), { key, value });
    if (value.type === "TOMLArray") {
      value.elements.forEach((element, index) => {
        this.#addValue([...path, index], undefined, element);
      });
    } else if (value.type === "TOMLInlineTable") {
      for (const child of value.body) this.#addKeyValue(child, path);
    } else if (value.kind === "integer" && BigInt.asIntN(64, value.bigint) !== value.bigint) {
      this.oversizedIntegers.push(path);
    }
  }

  #add(path: Path, entry: Entry): void {
    const key = JSON.stringify(path);
    if (!this.#entries.has(key)) this.#entries.set(key, entry);
  }
}

function keyName(node: AST.TOMLBare | AST.TOMLQuoted): string {
  return node.type === "TOMLBare" ? node.name : node.value;
}

function span(location: AST.SourceLocation): Span {
  const { start, end } = location;
  const length = end.line === start.line ? end.column - start.column : Number.MAX_SAFE_INTEGER;
  return { line: start.line, column: start.column + 1, length: Math.max(1, length) };
}

/** Where the text stops being TOML. @iarna/toml counts from 0 and past the end, so its position is held inside. */
function syntaxProblem(source: string, error: unknown): SyntaxProblem {
  const lines = source.split("\n");
  const found = error as {
    message?: string;
    line?: number;
    col?: number;
    lineNumber?: number;
    column?: number;
  };
  const line = Math.min(found.line ?? (found.lineNumber ?? 1) - 1, lines.length - 1);
  const column = Math.min(found.col ?? found.column ?? 0, lines[line]?.length ?? 0);
  const message = (found.message ?? String(error))
    .split("\n")[0]!
    .replace(/ at row \d+, col \d+, pos \d+:$/, "");
  return { span: { line: line + 1, column: column + 1, length: 1 }, message };
}
