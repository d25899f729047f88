/** An include file for assembly sources: numbers, the constants of enums, and the offsets and sizes of structs. */
import { structLayout } from "../struct-layout.js";
import {
  commentLines,
  enumsOf,
  enumsOfStruct,
  type GuestInterface,
  hex,
  madeFrom,
  type NamedEnum,
  sectionsOf,
} from "./guest-interface.js";

/** How a dialect writes `name = value`, and a comment. */
const DIALECTS = {
  gas: { define: (name: string, value: string) => `${name} = ${value}`, comment: "#" },
  nasm: { define: (name: string, value: string) => `${name} equ ${value}`, comment: ";" },
} as const;

export type AssemblerDialect = keyof typeof DIALECTS;

/** `hypercalls.inc`: SYS_<hypercall>, <HYPERCALL>_<ARGUMENT>_<NAME>, <struct>_<field> and SIZEOF_<struct>. */
export function assemblerInclude(plugins: GuestInterface, dialect: AssemblerDialect = "gas"): string {
  const { define, comment } = DIALECTS[dialect];
  const sections = sectionsOf(plugins);
  const lines = sections.flatMap(({ plugin, calls, structs }) => [
    "",
    ...commentLines(`${plugin.name} ${plugin.version}`).map((line) => `${comment} ${line}`),
    ...calls.flatMap(({ nr, row }) => [
      define(`SYS_${row.name}`, hex(nr)),
      ...constants(enumsOf(row), define),
    ]),
    ...[...structs].flatMap(([name, fields]) => {
      const { offsets, sizeBytes } = structLayout(fields);
      return [
        ...Object.entries(offsets).map(([field, offset]) => define(`${name}_${field}`, `${offset}`)),
        define(`SIZEOF_${name}`, `${sizeBytes}`),
        ...constants(enumsOfStruct(name, fields), define),
      ];
    }),
    ...(plugin.definition.guest?.asm === undefined || dialect !== "gas"
      ? []
      : [plugin.definition.guest.asm.trimEnd()]),
  ]);
  return `${comment} ${madeFrom(sections)}\n${lines.join("\n")}\n`;
}

function constants(enums: readonly NamedEnum[], define: (name: string, value: string) => string): string[] {
  return enums.flatMap(({ type, prefix }) =>
    Object.entries(type.values).map(([name, value]) => define(`${prefix}_${name.toUpperCase()}`, `${value}`)),
  );
}
