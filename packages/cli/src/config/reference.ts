/** docs/manifest.md: the manifest's reference, from the schema. */
import { MANIFEST_SCHEMA } from "./schema.js";
import type { KeyRow, KeyRows, TableListType, TableType, ValueType } from "./value-types.js";

export function manifestReference(): string {
  return [
    "# The manifest, `vm.toml`",
    "",
    "One file in [TOML 1.0](https://toml.io/en/v1.0.0) says what runs, in what machine, and what it may touch. What it does not",
    "grant does not exist for the guest. This page is generated from the schema that reads the file",
    "(`packages/cli/src/config/schema.ts`) by `node packages/cli/scripts/docs.mjs`.",
    "",
    "The smallest manifest:",
    "",
    "```toml",
    "[program]",
    'path = "hello"',
    "```",
    "",
    "- **Sizes** have a binary unit: `B`, `KiB`, `MiB`, `GiB`, `TiB`. A bare number or `MB` is an error that prints both readings.",
    "- **Durations** have a unit: `ms`, `s`, `m`, `h`.",
    '- **Addresses** are strings, `"0xffffffff80000000"`: TOML integers are signed and cannot hold them.',
    "- **Host paths** are relative to the manifest, **guest paths** are absolute.",
    "- **Unknown keys** are refused, with the nearest name; `[metadata]` is free for other tools.",
    "- All complaints come at once, with file, line, column and a code that `kvm explain` knows; the exit status is 125.",
    "",
    "An editor that knows JSON Schema (through taplo, for example) checks a manifest while it is written: `kvm schema` prints the",
    "schema, and `@kvmkit/cli/vm.schema.json` is it.",
    "",
    ...Object.entries(MANIFEST_SCHEMA.keys as KeyRows).flatMap(([name, row]) => section(name, row)),
  ].join("\n");
}

function section(name: string, row: KeyRow): string[] {
  const rows = keysOf(row.type);
  const title = isTableList(row.type) ? `## \`[[${name}]]\`` : `## \`[${name}]\``;
  const head = [title, "", row.doc, ""];
  if (rows === undefined) return [...head, `${capital(row.type.allowed)}.`, ""];
  return [
    ...head,
    "| key | value | default | |",
    "| --- | --- | --- | --- |",
    ...Object.entries(rows).map(([key, keyRow]) => tableRow(key, keyRow)),
    "",
  ];
}

function tableRow(key: string, { type, default: standard, required, doc }: KeyRow): string {
  const fallback = required ? "required" : standard === undefined ? "" : `\`${tomlText(standard)}\``;
  return `| \`${key}\` | ${cell(type.allowed)} | ${fallback} | ${cell(doc)} |`;
}

function keysOf(type: ValueType<unknown>): KeyRows | undefined {
  if (isTableList(type)) return type.each.keys;
  return "keys" in type ? (type as TableType<KeyRows>).keys : undefined;
}

function isTableList(type: ValueType<unknown>): type is TableListType<KeyRows> {
  return "each" in type;
}

/** Defaults are strings, lists and empty tables: JSON and TOML write those alike. */
function tomlText(value: unknown): string {
  return JSON.stringify(value);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
