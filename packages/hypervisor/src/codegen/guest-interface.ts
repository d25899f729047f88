/**
 * What the generators of the guest's side read: plugins with the numbers of their granted hypercalls, as pure data.
 *
 * `resolvePlugins()` returns it, and so does `kvm build` from a manifest and its lock file. Hypercalls that serve a
 * system call of Linux are left out: programs reach those through their C library.
 */
import type { ArgumentType, ScalarKind, StructField, StructFields } from "@kvmkit/guest-kernel/abi";
import { isPointedScalar } from "../argument-types.js";
import type { Plugin, PluginRow } from "../plugin.js";

export interface NumberedCall {
  readonly nr: number;
  readonly row: PluginRow;
}

export interface NumberedCalls {
  readonly plugin: Pick<Plugin, "name" | "version" | "doc"> & {
    readonly definition: Pick<Plugin["definition"], "guest">;
  };
  /** Only what is granted: what is not does not exist for the guest, so its programs cannot name it. */
  readonly calls: readonly NumberedCall[];
}

export type GuestInterface = readonly NumberedCalls[];

export type StructType = Extract<ArgumentType, { readonly kind: "struct" }>;
export type EnumType = Extract<ArgumentType, { readonly kind: "enum" }>;

/** One plugin's part of a generated file, with what its hypercalls name. */
export interface PluginSection {
  readonly plugin: NumberedCalls["plugin"];
  readonly calls: readonly NumberedCall[];
  /** Structs that no earlier section had, by name; a scalar behind a pointer is none. */
  readonly structs: ReadonlyMap<string, StructFields>;
  /** Kinds of handles that no earlier section had. */
  readonly handles: readonly string[];
}

/** Sections in the order of the plugins; a plugin of which nothing is granted has none. */
export function sectionsOf(plugins: GuestInterface): PluginSection[] {
  const structs = new Set<string>();
  const handles = new Set<string>();
  const fieldsOf = (type: ArgumentType): ArgumentType[] =>
    type.kind === "struct" ? Object.values(type.fields).map(argumentOf) : [];
  const firstTime = (seen: Set<string>, name: string): boolean => !seen.has(name) && !!seen.add(name);
  return plugins.flatMap(({ plugin, calls: all }) => {
    const calls = all.filter(({ row }) => row.nr === undefined);
    if (calls.length === 0) return [];
    const types = calls.flatMap(({ row }) => Object.values(row.args));
    return {
      plugin,
      calls,
      structs: new Map(
        types.flatMap((type) =>
          type.kind === "struct" && !isPointedScalar(type) && firstTime(structs, type.name)
            ? [[type.name, type.fields] as const]
            : [],
        ),
      ),
      handles: types
        .flatMap((type) => [type, ...fieldsOf(type)])
        .flatMap((type) => (type.kind === "handle" && firstTime(handles, type.of) ? [type.of] : [])),
    };
  });
}

/** Where an enum stands in a row, and what its constants begin with: `KV_SCAN_ORDER`. */
export interface NamedEnum {
  readonly type: EnumType;
  readonly prefix: string;
}

/** The enums of a hypercall: those of its arguments, and that of its result. */
export function enumsOf({ name, args, returns }: PluginRow): NamedEnum[] {
  const named = [...Object.entries(args), ["result", returns] as const];
  return named.flatMap(([argument, type]) =>
    type.kind === "enum" ? [{ type, prefix: enumPrefix(name, argument) }] : [],
  );
}

/** The enums among the fields of a struct. */
export function enumsOfStruct(name: string, fields: StructFields): NamedEnum[] {
  return Object.entries(fields).flatMap(([field, type]) =>
    typeof type === "object" && type.kind === "enum" ? [{ type, prefix: enumPrefix(name, field) }] : [],
  );
}

/** A field's type as an argument's. */
export const argumentOf = (field: StructField): ArgumentType =>
  typeof field === "string" ? { kind: field } : field;

export const enumPrefix = (hypercall: string, argument: string): string =>
  `${hypercall}_${argument}`.toUpperCase();

/** A type in the words of the reference page and of comments. */
export function describeType(type: ArgumentType): string {
  switch (type.kind) {
    case "cstring":
      return `NUL-terminated string of at most ${type.maxBytes} bytes`;
    case "buffer":
      return `${BUFFER_WORDS[type.direction]} of at most ${type.maxBytes} bytes`;
    case "enum":
      return `one of ${Object.entries(type.values)
        .map(([name, value]) => `${name} (${value})`)
        .join(", ")}`;
    case "handle":
      return `handle of a ${type.of}`;
    case "struct":
      return `${isPointedScalar(type) ? type.name : `struct ${type.name}`} ${POINTER_WORDS[type.direction]}`;
    default:
      return SCALAR_WORDS[type.kind] ?? type.kind;
  }
}

const BUFFER_WORDS = {
  in: "bytes that the host reads,",
  out: "room for bytes that the host writes,",
  inout: "bytes that the host reads and writes,",
} as const;
const POINTER_WORDS = {
  in: "that the host reads",
  out: "that the host writes",
  inout: "that the host reads and writes",
} as const;
const SCALAR_WORDS: { readonly [K in ScalarKind]?: string } = {
  bool: "true or false",
  pointer: "address in the program, which the host does not check",
};

/** Errors that a hypercall gives beside those of its row, because of the types of its arguments. */
export function impliedErrors({ args, errors, isAsync }: PluginRow): string[] {
  const implied = Object.values(args).flatMap(({ kind }) => ERRORS_OF_KIND[kind] ?? []);
  const all = new Set([...implied, ...(isAsync ? ["ETIMEDOUT", "EINTR"] : []), "EIO"]);
  return [...all].filter((name) => !(errors as readonly string[]).includes(name)).sort();
}

const ERRORS_OF_KIND: { readonly [K in ArgumentType["kind"]]?: readonly string[] } = {
  cstring: ["EFAULT", "ENAMETOOLONG"],
  buffer: ["EFAULT", "EMSGSIZE"],
  struct: ["EFAULT"],
  enum: ["EINVAL"],
  handle: ["EBADF"],
};

/** Text as the lines of a comment, which nothing in it can end. */
export function commentLines(text: string): string[] {
  return text
    .replaceAll("*/", "* /")
    .split(/\r\n|[\r\n\u2028\u2029]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The first line of every generated file. */
export function madeFrom(sections: readonly PluginSection[]): string {
  const plugins = sections.map(({ plugin: { name, version } }) => `${name} ${version}`);
  const [text = ""] = commentLines(plugins.join(", ").replaceAll(/[\r\n]/g, " "));
  return `Made by kvm build${text === "" ? "" : ` from ${text}`}; edits are lost.`;
}

/** `name`, or with underscores behind it until `taken` does not have it, which then does. */
export function uniqueName(name: string, taken: Set<string>): string {
  let unique = name;
  while (taken.has(unique)) unique += "_";
  taken.add(unique);
  return unique;
}

export const hex = (nr: number): string => `0x${nr.toString(16)}`;
