/**
 * The types a manifest's values have, and a command line's options: each reads what was found, says what is
 * allowed, and describes itself as JSON Schema. A schema made of them is the manifest's only description.
 *
 * Not zod: its bundled import costs 15 to 20 ms of every run, and units, positions and suggestions would still
 * be ours to write.
 */
import { existsSync, statSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import type { CliErrorCode } from "../errors.js";
import { nearestName } from "./nearest-name.js";
import { formatSize, parseAddress, parseDuration, parseSize } from "./units.js";

export type JsonSchema = { readonly [key: string]: unknown };

/** Where a value stands, and where to complain about it. */
export interface Place {
  /** What relative host paths are relative to. */
  readonly baseDir: string;
  /** Reports a problem here. Returns undefined, which is what a value that could not be read is. */
  problem(code: CliErrorCode, message: string, about?: "key" | "value"): undefined;
  at(key: string | number): Place;
}

export interface ValueType<T> {
  /** What is allowed, as a noun phrase: `a size such as "64MiB"`. */
  readonly allowed: string;
  readonly jsonSchema: JsonSchema;
  read(found: unknown, place: Place): T | undefined;
}

export type ValueOf<Type> = Type extends ValueType<infer T> ? T : never;

/** A size with a binary unit, in bytes. */
export function size(range: { min?: number; max?: number; multipleOf?: number } = {}): ValueType<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER, multipleOf = 1 } = range;
  const allowed = `a size such as "64MiB"`;
  return {
    allowed,
    jsonSchema: { type: "string", pattern: "^[0-9][0-9_]*(\\.[0-9]+)?(B|KiB|MiB|GiB|TiB)$" },
    read(found, place) {
      // A bare number is a missing unit rather than a wrong type: both readings are printed.
      const text = typeof found === "number" && Number.isInteger(found) && found >= 0 ? String(found) : found;
      if (typeof text !== "string") return wrongType(found, allowed, place);
      const reading = parseSize(text);
      if (!reading.ok) return place.problem(reading.code, reading.message);
      if (reading.value < min || reading.value > max) {
        return place.problem("ERR_MANIFEST_VALUE", `not between ${formatSize(min)} and ${formatSize(max)}`);
      }
      if (reading.value % multipleOf !== 0) {
        return place.problem("ERR_MANIFEST_VALUE", `not a multiple of ${formatSize(multipleOf)}`);
      }
      return reading.value;
    },
  };
}

/** A duration with a unit, in milliseconds. */
export function duration(): ValueType<number> {
  const allowed = `a duration such as "10s" or "500ms"`;
  return {
    allowed,
    jsonSchema: { type: "string", pattern: "^[0-9][0-9_]*(\\.[0-9]+)?(ms|s|m|h)$" },
    read(found, place) {
      const text = typeof found === "number" && Number.isInteger(found) && found >= 0 ? String(found) : found;
      if (typeof text !== "string") return wrongType(found, allowed, place);
      const reading = parseDuration(text);
      return reading.ok ? reading.value : place.problem(reading.code, reading.message);
    },
  };
}

/** A 64-bit address, as a string: TOML integers are signed, and 0xffffffff80000000 does not fit into them. */
export function address(max = 0xffff_ffff_ffff_ffffn): ValueType<bigint> {
  const allowed = `an address such as "0x7c00"`;
  return {
    allowed,
    jsonSchema: { type: "string", pattern: "^0x[0-9a-fA-F][0-9a-fA-F_]*$" },
    read(found, place) {
      if (typeof found === "number" || typeof found === "bigint") {
        const hint = found < 0 ? "An address is not negative" : "An address is written as a string";
        const example =
          found < 0 ? "0xffffffff80000000" : `0x${BigInt(Math.trunc(Number(found))).toString(16)}`;
        return place.problem("ERR_MANIFEST_TYPE", `a number. ${hint}: "${example}"`);
      }
      if (typeof found !== "string") return wrongType(found, allowed, place);
      const value = parseAddress(found);
      if (value === undefined) {
        return place.problem("ERR_MANIFEST_VALUE", `not ${allowed}: 0x and up to 16 hexadecimal digits`);
      }
      return value <= max ? value : place.problem("ERR_MANIFEST_VALUE", `above 0x${max.toString(16)}`);
    },
  };
}

export function integer(min: number, max: number): ValueType<number> {
  const allowed = `a whole number from ${min} to ${max}`;
  return {
    allowed,
    jsonSchema: { type: "integer", minimum: min, maximum: max },
    read(found, place) {
      if (typeof found === "bigint") return place.problem("ERR_MANIFEST_VALUE", `not ${allowed}`);
      if (typeof found !== "number") return wrongType(found, allowed, place);
      const fits = Number.isInteger(found) && found >= min && found <= max;
      return fits ? found : place.problem("ERR_MANIFEST_VALUE", `not ${allowed}`);
    },
  };
}

/** `type`, or a word that stands for what it cannot say: "none", "all". */
export function orWord<const Word extends string, T>(word: Word, type: ValueType<T>): ValueType<T | Word> {
  return {
    allowed: `${type.allowed}, or "${word}"`,
    jsonSchema: { anyOf: [type.jsonSchema, { const: word }] },
    read: (found, place) => (found === word ? word : type.read(found, place)),
  };
}

export function oneOf<const Names extends readonly string[]>(names: Names): ValueType<Names[number]> {
  const allowed = names.map((name) => `"${name}"`).join(", ");
  return {
    allowed,
    jsonSchema: { enum: names },
    read(found, place) {
      if (typeof found !== "string") return wrongType(found, `one of ${allowed}`, place);
      if (names.includes(found)) return found;
      const near = nearestName(found, names);
      const hint = near === undefined ? "" : `. Did you mean "${near}"?`;
      return place.problem("ERR_MANIFEST_VALUE", `not one of ${allowed}${hint}`);
    },
  };
}

/** Text that can cross into a C program: no NUL inside, at most what execve(2) takes of one string. */
export function text(allowed = "a string"): ValueType<string> {
  return {
    allowed,
    jsonSchema: { type: "string" },
    read(found, place) {
      if (typeof found !== "string") return wrongType(found, allowed, place);
      if (found.includes("\0")) return place.problem("ERR_MANIFEST_VALUE", "contains a NUL character");
      if (Buffer.byteLength(found) >= MAX_ARG_STRLEN) {
        return place.problem("ERR_MANIFEST_VALUE", `longer than ${MAX_ARG_STRLEN - 1} bytes`);
      }
      return found;
    },
  };
}

/** execve(2): the longest argument or environment string, its NUL counted. */
const MAX_ARG_STRLEN = 128 * 1024;

/** An absolute path as the guest sees it. */
export function guestPath(): ValueType<string> {
  const type = text(`an absolute path of the guest such as "/data"`);
  return {
    ...type,
    jsonSchema: { type: "string", pattern: "^/" },
    read(found, place) {
      const path = type.read(found, place);
      if (path === undefined) return undefined;
      if (!path.startsWith("/")) {
        return place.problem("ERR_MANIFEST_VALUE", `not absolute. Write "/${path.replace(/^(\.?\/)+/, "")}"`);
      }
      if (path.split("/").includes("..")) return place.problem("ERR_MANIFEST_VALUE", `contains ".."`);
      return path.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
    },
  };
}

/** A file or folder of the host, made absolute; it must exist. */
export function hostPath(kind: "file" | "file or folder"): ValueType<string> {
  const type = text(`the path of a ${kind}`);
  return {
    ...type,
    read(found, place) {
      const given = type.read(found, place);
      if (given === undefined) return undefined;
      if (given === "") return place.problem("ERR_MANIFEST_VALUE", `empty, where ${type.allowed} is needed`);
      const path = resolve(place.baseDir, given);
      const resolved = isAbsolute(given) ? "" : ` (${path})`;
      if (!existsSync(path)) return place.problem("ERR_MANIFEST_PATH", `does not exist${resolved}`);
      if (kind === "file" && statSync(path).isDirectory()) {
        return place.problem("ERR_MANIFEST_PATH", `a folder, where a file is needed${resolved}`);
      }
      return path;
    },
  };
}

export function listOf<T>(type: ValueType<T>, allowed: string): ValueType<T[]> {
  return {
    allowed,
    jsonSchema: { type: "array", items: type.jsonSchema },
    read(found, place) {
      if (!Array.isArray(found)) return wrongType(found, allowed, place);
      return found.map((element, index) => type.read(element, place.at(index)) as T);
    },
  };
}

/** A table whose keys are the user's own. */
export function mapOf<T>(
  type: ValueType<T>,
  keys: { readonly pattern: RegExp; readonly allowed: string; readonly plural: string },
): ValueType<Record<string, T>> {
  const allowed = `a table of ${keys.plural}, each ${type.allowed}`;
  return {
    allowed,
    jsonSchema: {
      type: "object",
      propertyNames: { pattern: keys.pattern.source },
      additionalProperties: type.jsonSchema,
    },
    read(found, place) {
      if (!isTable(found)) return wrongType(found, allowed, place);
      const entries = Object.entries(found).map(([key, value]) => {
        if (!keys.pattern.test(key)) {
          place.at(key).problem("ERR_MANIFEST_UNKNOWN_KEY", `not ${keys.allowed}`, "key");
        }
        return [key, type.read(value, place.at(key)) as T] as const;
      });
      // Object.fromEntries defines keys, so that "__proto__" stays an ordinary one.
      return Object.fromEntries(entries);
    },
  };
}

/** A table that someone else reads: a plugin, or another tool. */
export function anyTable(): ValueType<Record<string, unknown>> {
  const allowed = "a table";
  return {
    allowed,
    jsonSchema: { type: "object" },
    read: (found, place) => (isTable(found) ? found : wrongType(found, allowed, place)),
  };
}

export interface KeyRow<T = unknown> {
  readonly type: ValueType<T>;
  readonly doc: string;
  /** What an absent key means, as it would be written. */
  readonly default?: unknown;
  readonly required?: true;
}

export type KeyRows = Readonly<Record<string, KeyRow>>;

type IsGiven<Row> = Row extends { readonly required: true }
  ? true
  : Row extends { readonly default: unknown }
    ? true
    : false;

export type TableValue<Rows> = {
  readonly [K in keyof Rows]: Rows[K] extends KeyRow<infer T>
    ? IsGiven<Rows[K]> extends true
      ? T
      : T | undefined
    : never;
};

export interface TableType<Rows extends KeyRows> extends ValueType<TableValue<Rows>> {
  readonly keys: Rows;
}

/** A table with known keys; any other is refused, with the nearest name. */
export function table<const Rows extends KeyRows>(keys: Rows): TableType<Rows> {
  const known = Object.keys(keys);
  return {
    keys,
    allowed: "a table",
    jsonSchema: {
      type: "object",
      additionalProperties: false,
      required: known.filter((key) => keys[key]!.required),
      properties: Object.fromEntries(Object.entries(keys).map(([key, row]) => [key, keySchema(row)])),
    },
    read(found, place) {
      if (!isTable(found)) return wrongType(found, "a table", place);
      for (const key of Object.keys(found)) {
        if (!Object.hasOwn(keys, key)) unknownKey(key, known, place.at(key));
      }
      const entries = Object.entries(keys).map(([key, row]) => [key, readKey(found, key, row, place)]);
      return Object.fromEntries(entries) as TableValue<Rows>;
    },
  };
}

export interface TableListType<Rows extends KeyRows> extends ValueType<TableValue<Rows>[]> {
  readonly each: TableType<Rows>;
}

/** `[[name]]`: any number of the same table. */
export function tables<const Rows extends KeyRows>(keys: Rows): TableListType<Rows> {
  const each = table(keys);
  const list = listOf(each, "any number of tables");
  return {
    ...list,
    each,
    read(found, place) {
      if (!isTable(found)) return list.read(found, place);
      return place.problem("ERR_MANIFEST_TYPE", "one table of a list has its name in double brackets", "key");
    },
  };
}

function readKey(found: Record<string, unknown>, key: string, row: KeyRow, place: Place): unknown {
  if (Object.hasOwn(found, key)) return row.type.read(found[key], place.at(key));
  if (row.default !== undefined) return row.type.read(row.default, place.at(key));
  if (row.required) {
    place.problem("ERR_MANIFEST_MISSING", `the key ${key} is missing: ${row.type.allowed}`, "key");
  }
  return undefined;
}

function unknownKey(key: string, known: readonly string[], place: Place): void {
  const near = nearestName(key, known);
  const hint = near === undefined ? `Keys here are ${[...known].sort().join(", ")}` : `Did you mean ${near}?`;
  place.problem("ERR_MANIFEST_UNKNOWN_KEY", `unknown key. ${hint}`, "key");
}

function keySchema(row: KeyRow): JsonSchema {
  const described = { ...row.type.jsonSchema, description: row.doc };
  return row.default === undefined ? described : { ...described, default: row.default };
}

function wrongType(found: unknown, allowed: string, place: Place): undefined {
  return place.problem("ERR_MANIFEST_TYPE", `${typeName(found)}, where ${allowed} is needed`);
}

/** A value's TOML type. */
function typeName(found: unknown): string {
  if (Array.isArray(found)) return "a list";
  if (found instanceof Date) return "a date or time";
  const names: Readonly<Record<string, string>> = {
    string: "a string",
    number: "a number",
    bigint: "a number",
    boolean: "a boolean",
    object: "a table",
  };
  return names[typeof found] ?? typeof found;
}

export function isTable(found: unknown): found is Record<string, unknown> {
  return typeof found === "object" && found !== null && !Array.isArray(found) && !(found instanceof Date);
}
