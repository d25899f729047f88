/** REFERENCE.md: the tables as a page. */
import { capabilities } from "../capabilities.js";
import { errors } from "../errors.js";
import { exitReasons } from "../exit-reasons.js";
import { type IoctlRow, ioctls, requestOf } from "../ioctls.js";
import type { StructShape } from "../layout.js";
import { structs } from "../structs.js";

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function ioctlRow(row: IoctlRow): readonly string[] {
  const takes = row.struct?.name ?? (row.argument === "VALUE" ? "a number" : "");
  return [
    `\`${row.name}\``,
    `0x${requestOf(row).toString(16).padStart(8, "0")}`,
    row.fds.join(", "),
    takes === "" ? "" : `\`${takes}\``,
    row.capability === undefined ? "" : `\`${row.capability}\``,
    row.section,
  ];
}

function structSection({ name, size, fields }: StructShape): string {
  const rows = Object.entries(fields).map(([field, { offset, type }]) => [
    `\`${field}\``,
    `${offset}`,
    `\`${type}\``,
  ]);
  return `### ${name}\n\n${size} bytes.\n\n${table(["field", "offset", "type"], rows)}`;
}

function exitRow([name, { nr, payload }]: [string, { nr: number; payload: StructShape }]): readonly string[] {
  const fields = Object.entries(payload.fields).map(
    ([field, { offset, type }]) => `\`${field}\` ${type} @${offset}`,
  );
  return [`\`${name}\``, `${nr}`, fields.join(", ")];
}

export function reference(): string {
  return `# Reference

Generated from the tables in \`src/\` by \`npm run generate\`; a test keeps it so. Sections are those of the kernel's
Documentation/virt/kvm/api.rst.

## ioctls

${table(["ioctl", "request", "descriptor", "argument", "capability", "section"], ioctls.map(ioctlRow))}

## Exits

\`Vcpu.run()\` returns the number, \`Vcpu.decodeExit()\` the payload. Offsets count from the start of the kvm_run page.

${table(["exit", "number", "payload"], Object.entries(exitReasons).map(exitRow))}

## Errors

Every error is a \`KvmError\` with \`code\`, \`message\`, \`remedy\` and \`facts\`; in braces, the facts that a message names.

${table(
  ["code", "message", "remedy"],
  Object.entries(errors).map(([code, { message, remedy }]) => [`\`${code}\``, message, remedy]),
)}

## Structures

Types are unsigned (\`u\`) or signed (\`s\`) with their width in bits; 64-bit fields are \`bigint\`.

${structs.map(structSection).join("\n\n")}

## Capabilities

What \`checkExtension()\` takes.

${table(
  ["capability", "number"],
  Object.entries(capabilities).map(([name, number]) => [`\`${name}\``, `${number}`]),
)}
`;
}
