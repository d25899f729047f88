/**
 * Checks the types of a definition's arguments and results, and copies them: rows are data, and nothing but data.
 * Errors of all: ERR_VM_PLUGIN_DEFINITION.
 */
import type {
  ArgumentType,
  Direction,
  ScalarKind,
  StructField,
  StructFields,
} from "@kvmkit/guest-kernel/abi";
import { VmError } from "./errors.js";
import { sizeField } from "./struct-layout.js";

/** A C identifier, because programs call it by this name. */
export const IDENTIFIER = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const checkedName = (plugin: string, where: string, name: string): string => {
  if (!IDENTIFIER.test(name)) throw wrong(plugin, where, name, "a C identifier");
  return name;
};

const SCALARS: ReadonlySet<string> = new Set<ScalarKind>([
  "u8",
  "u16",
  "u32",
  "u64",
  "i8",
  "i16",
  "i32",
  "i64",
  "bool",
  "f64",
  "pointer",
]);
const DIRECTIONS: ReadonlySet<string> = new Set(["in", "out", "inout"]);
/** Largest struct and string: both are copied for each call. */
const MAX_COPIED_BYTES = 65_536;
/** Largest buffer: what one read(2) moves at most. */
const MAX_BUFFER_BYTES = 0x7fff_f000;

/** A copy of `type` with nothing but data in it. */
export function pureType(plugin: string, where: string, type: ArgumentType): ArgumentType {
  const bounded = (bytes: number, limit: number): number => {
    if (Number.isSafeInteger(bytes) && bytes >= 0 && bytes <= limit) return bytes;
    throw wrong(plugin, where, `${bytes} bytes`, `0 to ${limit} bytes`);
  };
  const directed = <D extends string>(direction: D): D => {
    if (DIRECTIONS.has(direction)) return direction;
    throw wrong(plugin, where, direction, "in, out or inout");
  };
  switch (type.kind) {
    case "cstring":
      return { kind: type.kind, maxBytes: bounded(type.maxBytes, MAX_COPIED_BYTES) };
    case "buffer":
      return {
        kind: type.kind,
        direction: directed(type.direction),
        maxBytes: bounded(type.maxBytes, MAX_BUFFER_BYTES),
      };
    case "enum":
      return {
        kind: type.kind,
        repr: integerKind(plugin, where, type.repr),
        values: enumValues(plugin, where, type),
      };
    case "handle":
      return { kind: type.kind, of: checkedName(plugin, where, type.of) };
    case "struct":
      return {
        kind: type.kind,
        name: checkedName(plugin, where, type.name),
        direction: directed(type.direction),
        fields: structFields(plugin, where, type),
      };
    default:
      return { kind: scalarKind(plugin, where, type.kind) };
  }
}

function scalarKind(plugin: string, where: string, kind: string): ScalarKind {
  if (SCALARS.has(kind)) return kind as ScalarKind;
  throw wrong(plugin, where, String(kind), "a type of t");
}

const INTEGER = /^[ui](8|16|32|64)$/;

function integerKind(plugin: string, where: string, kind: string): ScalarKind {
  if (INTEGER.test(kind)) return kind as ScalarKind;
  throw wrong(plugin, where, String(kind), "u8 to u64 or i8 to i64");
}

function enumValues(
  plugin: string,
  where: string,
  { repr, values }: Extract<ArgumentType, { kind: "enum" }>,
): Record<string, number> {
  const wrap = repr.startsWith("u") ? BigInt.asUintN : BigInt.asIntN;
  const fits = (value: number): boolean =>
    Number.isSafeInteger(value) && BigInt(value) === wrap(Number(repr.slice(1)), BigInt(value));
  const numbers = Object.values(values);
  if (numbers.length === 0 || new Set(numbers).size !== numbers.length || !numbers.every(fits)) {
    throw wrong(plugin, where, JSON.stringify(values), `names of different integers of ${repr}`);
  }
  for (const name of Object.keys(values)) checkedName(plugin, where, name);
  return { ...values };
}

function structFields(
  plugin: string,
  where: string,
  { fields, direction }: Extract<ArgumentType, { kind: "struct" }>,
): StructFields {
  const entries = Object.entries(fields);
  if (entries.length === 0 || entries.length > MAX_COPIED_BYTES / 16) {
    throw wrong(plugin, where, `${entries.length} fields`, `1 to ${MAX_COPIED_BYTES / 16} fields`);
  }
  for (const [name, type] of entries) {
    const size = sizeField(name);
    if (typeof type === "object" && type.kind === "buffer" && Object.hasOwn(fields, size)) {
      throw wrong(plugin, where, `the field ${size} twice`, `one, which the buffer ${name} brings`);
    }
  }
  return Object.fromEntries(
    entries.map(([name, type]) => [
      checkedName(plugin, where, name),
      structField(plugin, `${where}.${name}`, direction, type),
    ]),
  );
}

/** What the host writes is plain data: an address or an object of its own would mean nothing to the program. */
function structField(plugin: string, where: string, direction: Direction, type: StructField): StructField {
  if (typeof type !== "object") return scalarKind(plugin, where, type);
  const pure = pureType(plugin, where, type);
  const isAllowed =
    pure.kind === "enum" || (direction === "in" && ["cstring", "buffer", "handle"].includes(pure.kind));
  if (isAllowed) return pure as StructField;
  const allowed = direction === "in" ? "a scalar, enum, cstring, buffer or handle" : "a scalar or an enum";
  throw wrong(plugin, where, pure.kind, allowed);
}

export function returnType(
  plugin: string,
  where: string,
  type: ArgumentType = { kind: "i64" },
): ArgumentType {
  if (type.kind !== "enum" && !SCALARS.has(type.kind)) {
    throw wrong(plugin, `${where}.returns`, type.kind, "a scalar or an enum");
  }
  return pureType(plugin, `${where}.returns`, type);
}

export function wrong(plugin: string, field: string, found: string, allowed: string): VmError {
  return new VmError("ERR_VM_PLUGIN_DEFINITION", { plugin, field, found, allowed });
}
