/** docs/errors.md: every error code of every package with its remedy, from the packages' own tables. */
import { ERROR_TABLES } from "./error-tables.js";

export function errorReference(): string {
  return [
    "# Error codes",
    "",
    "Every error of kvmkit has a stable code. `kvm explain CODE` prints these rows. This page is generated from the packages'",
    "tables by `node packages/cli/scripts/docs.mjs`.",
    "",
    ...Object.entries(ERROR_TABLES).flatMap(([name, rows]) => [
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
