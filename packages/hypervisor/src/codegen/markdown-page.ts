/** A reference page in Markdown: what a program can call, with what, and what comes back. */
import type { StructFields } from "@kvmkit/guest-kernel/abi";
import { isPointedScalar } from "../argument-types.js";
import { sizeField, structLayout } from "../struct-layout.js";
import {
  argumentOf,
  commentLines,
  describeType,
  type GuestInterface,
  hex,
  impliedErrors,
  madeFrom,
  type NumberedCall,
  type PluginSection,
  sectionsOf,
  uniqueName,
} from "./guest-interface.js";

/** `hypercalls.md`. */
export function markdownPage(plugins: GuestInterface): string {
  const sections = sectionsOf(plugins);
  const text = sections.length === 0 ? "No hypercall is granted.\n" : sections.map(sectionText).join("\n");
  return `<!-- ${madeFrom(sections).replaceAll("--", "- -")} -->\n\n# Hypercalls\n\n${text}`;
}

function sectionText({ plugin, calls, structs }: PluginSection): string {
  return [
    `## ${plainText(`${plugin.name} ${plugin.version}`)}\n`,
    ...(plugin.doc === "" ? [] : [`${plainText(plugin.doc)}\n`]),
    ...calls.map(callText),
    ...[...structs].map(([name, fields]) => structText(name, fields)),
  ].join("\n");
}

function callText({ nr, row }: NumberedCall): string {
  const args = Object.entries(row.args);
  const taken = new Set(Object.keys(row.args));
  const signature = args.flatMap(([name, type]) =>
    type.kind === "buffer" ? [name, uniqueName(`${name}_size`, taken)] : [name],
  );
  const table = args.map(
    ([name, type]) => `| \`${name}\` | ${typeName(type)} | ${plainText(describeType(type))} |`,
  );
  return [
    `### \`${row.name}(${signature.join(", ")})\`\n`,
    `Number ${hex(nr)}.${row.isAsync ? " The host answers later; the program waits." : ""}\n`,
    ...(row.doc === "" ? [] : [`${plainText(row.doc)}\n`]),
    ...(table.length === 0
      ? []
      : [["| argument | type | what it is |", "| --- | --- | --- |", ...table, ""].join("\n")]),
    `Result: ${plainText(describeType(row.returns))}, or a negative error number.\n`,
    ...(row.errors.length === 0 ? [] : [`Errors of its own: ${row.errors.join(", ")}.\n`]),
    `Errors of any such call: ${impliedErrors(row).join(", ")}.\n`,
  ].join("\n");
}

function structText(name: string, fields: StructFields): string {
  const { offsets, sizeBytes } = structLayout(fields);
  const rows = Object.entries(fields).flatMap(([field, type]) => {
    const argument = argumentOf(type);
    const row = `| ${offsets[field]} | \`${field}\` | ${typeName(argument)} | ${plainText(describeType(argument))} |`;
    const size = sizeField(field);
    return argument.kind === "buffer"
      ? [row, `| ${offsets[size]} | \`${size}\` | u64 | bytes at ${field} |`]
      : [row];
  });
  const table = ["| offset | field | type | what it is |", "| --- | --- | --- | --- |", ...rows, ""];
  return [`### \`struct ${name}\`\n`, `${sizeBytes} bytes.\n`, ...table].join("\n");
}

function typeName(type: NumberedCall["row"]["returns"]): string {
  switch (type.kind) {
    case "enum":
      return `enum, ${type.repr}`;
    case "struct":
      return `\`${isPointedScalar(type) ? type.name : `struct ${type.name}`} *\``;
    default:
      return type.kind;
  }
}

/** One line in which nothing begins a table cell or a tag. */
const plainText = (text: string): string =>
  commentLines(text).join(" ").replaceAll("|", "\\|").replaceAll("<", "&lt;");
