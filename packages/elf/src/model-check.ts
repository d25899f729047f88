/** Checks of the writer's input: every value fits its field, or an `ElfError` names the path in the model. */
import { ElfError, type Fact } from "./errors.js";
import type { Integer } from "./model.js";

export function modelError(field: string, found: Fact, allowed: Fact): ElfError {
  return new ElfError("ERR_ELF_MODEL", { field, found, allowed });
}

/** An unsigned integer of `bits` bits. */
export function unsigned(field: string, value: Integer, bits: number): bigint {
  const integer = toBigInt(field, value);
  if (integer >= 0n && integer < 1n << BigInt(bits)) return integer;
  throw modelError(field, integer, `0 to 0x${((1n << BigInt(bits)) - 1n).toString(16)}`);
}

/** A signed integer of `bits` bits; unsigned ones with the highest bit set are taken as what they wrap to. */
export function signed(field: string, value: Integer, bits: number): bigint {
  const integer = toBigInt(field, value);
  const half = 1n << BigInt(bits - 1);
  if (integer >= -half && integer < 2n * half) return BigInt.asIntN(bits, integer);
  throw modelError(field, integer, `${bits} bits`);
}

function toBigInt(field: string, value: Integer): bigint {
  if (typeof value === "bigint") return value;
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw modelError(field, String(value), "a bigint or a safe integer");
}

export function powerOfTwo(field: string, value: Integer, bits: number): bigint {
  const integer = unsigned(field, value, bits);
  if (integer !== 0n && (integer & (integer - 1n)) === 0n) return integer;
  throw modelError(field, integer, "a power of two");
}

/** A number, a name out of a table, or a name's last part in lower case. */
export function enumerated(
  field: string,
  value: number | string,
  table: Readonly<Record<string, number>>,
  limit: number,
): number {
  if (typeof value === "number") return Number(boundedBy(field, value, limit));
  const names = Object.keys(table);
  const name = names.find((known) => known === value || shortName(known) === value);
  if (name === undefined) throw modelError(field, `"${value}"`, names.map(shortName).join(", "));
  return table[name]!;
}

function shortName(name: string): string {
  return name.slice(name.indexOf("_") + 1).toLowerCase();
}

function boundedBy(field: string, value: number, limit: number): bigint {
  const integer = toBigInt(field, value);
  if (integer >= 0n && integer <= limit) return integer;
  throw modelError(field, integer, `0 to ${limit}`);
}

/** Names end at a NUL in the file, so they hold none. */
export function nameText(field: string, name: string): string {
  if (typeof name === "string" && !name.includes("\0")) return name;
  throw modelError(field, typeof name === "string" ? JSON.stringify(name) : typeof name, "text without NUL");
}

export function byteArray(field: string, bytes: Uint8Array): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  throw modelError(field, typeof bytes, "a Uint8Array");
}
