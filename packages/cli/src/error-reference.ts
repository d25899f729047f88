/** docs/errors.md: every error code of every package with its remedy, from the packages' own tables. */
import type { ErrorRow } from "./errors.js";

/** Package name -> its rows. */
export type ErrorTables = Readonly<Record<string, readonly ErrorRow[]>>;

export function errorReference(tables: ErrorTables): string {
  return [
    "# Error codes",
    "",
    "Every error of kvmkit has a stable code. `kvm explain CODE` prints these rows. This page is generated from the packages'",
    "tables by `node packages/cli/scripts/docs.mjs`. A name in braces stands for a fact of the error.",
    "",
    ...Object.entries(tables).flatMap(([name, rows]) => [
      `## ${name}`,
      "",
      "| code | meaning | what to do |",
      "| --- | --- | --- |",
      ...rows.map(({ code, message, remedy }) => `| \`${code}\` | ${cell(message)} | ${cell(remedy)} |`),
      "",
    ]),
  ].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
