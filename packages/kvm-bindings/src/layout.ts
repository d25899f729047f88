/**
 * C structures as data: a field has an offset and a width, a structure has fields, and both read and write
 * themselves. The layouts in structs.ts and exit-reasons.ts are written with this notation.
 *
 * 64-bit fields are `bigint`, narrower ones `number`. What is written is checked: a value that does not fit its
 * field is a KvmError that names structure, field, value and range, never a truncation.
 */
import { KvmError } from "./errors.js";

/** One field of a structure; `T` is its JavaScript type. */
export interface Field<T> {
  /** Bytes from the start of the structure. */
  readonly offset: number;
  /** Bytes that the field takes. */
  readonly size: number;
  /** For documentation and for native/abi_asserts.c: `u32`, `u64[4]`, `kvm_segment`. */
  readonly type: string;
  /** The member's path in C, where it is not the field's name. */
  readonly member?: string;
  read(view: DataView, base: number): T;
  write(view: DataView, base: number, value: T, path: string): void;
}

// biome-ignore lint/suspicious/noExplicitAny: a record of fields of any type; each keeps its own
type Fields = Readonly<Record<string, Field<any>>>;

/** What a structure with these fields reads as. */
export type ValueOf<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** What a C structure looks like, whatever it reads as. */
export interface StructShape {
  readonly name: string;
  /** `sizeof`, without a flexible array at the end. */
  readonly size: number;
  readonly fields: Fields;
}

/** A C structure that reads as `T`. */
export interface Struct<T> extends StructShape {
  /** The structure at `base`; throws RangeError beyond the view's end. */
  read(view: DataView, base?: number): T;
  /** Writes the given fields; absent ones are left as they are. */
  write(view: DataView, value: Partial<T>, base?: number): void;
  /** A new buffer with the given fields, zeros elsewhere. */
  encode(value: Partial<T>): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** The type that a structure reads as: `StructValue<typeof kvm_regs>`. */
export type StructValue<S> = S extends Struct<infer T> ? T : never;

function misfit(path: string, value: unknown, allowed: string): KvmError {
  return new KvmError("ERR_KVM_FIELD", { field: path, value, allowed });
}

function integer(type: string, size: number, min: number, max: number) {
  const get = `get${type}` as "getUint8" | "getUint16" | "getUint32" | "getInt16" | "getInt32";
  const set = `set${type}` as "setUint8" | "setUint16" | "setUint32" | "setInt16" | "setInt32";
  return (offset: number, member?: string): Field<number> => ({
    offset,
    size,
    type: `${min < 0 ? "s" : "u"}${size * 8}`,
    ...(member === undefined ? {} : { member }),
    read: (view, base) => view[get](base + offset, true),
    write(view, base, value, path) {
      if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
        throw misfit(path, value, `an integer from ${min} to ${max}`);
      view[set](base + offset, value, true);
    },
  });
}

export const u8 = integer("Uint8", 1, 0, 0xff);
export const u16 = integer("Uint16", 2, 0, 0xffff);
export const u32 = integer("Uint32", 4, 0, 0xffff_ffff);
export const s16 = integer("Int16", 2, -0x8000, 0x7fff);
export const s32 = integer("Int32", 4, -0x8000_0000, 0x7fff_ffff);

const U64_MAX = 0xffff_ffff_ffff_ffffn;

export function u64(offset: number, member?: string): Field<bigint> {
  return {
    offset,
    size: 8,
    type: "u64",
    ...(member === undefined ? {} : { member }),
    read: (view, base) => view.getBigUint64(base + offset, true),
    write(view, base, value, path) {
      if (typeof value !== "bigint" || value < 0n || value > U64_MAX)
        throw misfit(path, value, "a bigint from 0n to 0xffffffffffffffffn");
      view.setBigUint64(base + offset, value, true);
    },
  };
}

export function s64(offset: number, member?: string): Field<bigint> {
  return {
    offset,
    size: 8,
    type: "s64",
    ...(member === undefined ? {} : { member }),
    read: (view, base) => view.getBigInt64(base + offset, true),
    write(view, base, value, path) {
      if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value)
        throw misfit(path, value, "a bigint of 64 bits, signed");
      view.setBigInt64(base + offset, value, true);
    },
  };
}

/** Raw bytes: read as a copy, written from at most `size` bytes. */
export function bytes(offset: number, size: number, member?: string): Field<Uint8Array> {
  return {
    offset,
    size,
    type: `u8[${size}]`,
    ...(member === undefined ? {} : { member }),
    read: (view, base) => new Uint8Array(view.buffer, view.byteOffset + base + offset, size).slice(),
    write(view, base, value, path) {
      if (!(value instanceof Uint8Array) || value.length > size)
        throw misfit(path, value, `a Uint8Array of at most ${size} bytes`);
      new Uint8Array(view.buffer, view.byteOffset + base + offset, size).set(value);
    },
  };
}

/** A structure inside another. */
export function nested<T>(offset: number, struct: Struct<T>, member?: string): Field<T> {
  return {
    offset,
    size: struct.size,
    type: struct.name,
    ...(member === undefined ? {} : { member }),
    read: (view, base) => struct.read(view, base + offset),
    write(view, base, value, path) {
      if (typeof value !== "object" || value === null) throw misfit(path, value, `a ${struct.name}`);
      writeFields(struct.fields, view, base + offset, value, path);
    },
  };
}

/** `count` elements, each like `element`, whose own offset is the array's. */
export function array<T>(count: number, element: Field<T>): Field<T[]> {
  const { offset, size, type, member } = element;
  return {
    offset,
    size: size * count,
    type: `${type}[${count}]`,
    ...(member === undefined ? {} : { member }),
    read: (view, base) => Array.from({ length: count }, (_, i) => element.read(view, base + i * size)),
    write(view, base, value, path) {
      if (!Array.isArray(value) || value.length > count)
        throw misfit(path, value, `an array of at most ${count} elements`);
      for (const [i, item] of value.entries()) element.write(view, base + i * size, item, `${path}[${i}]`);
    },
  };
}

function writeFields(fields: Fields, view: DataView, base: number, value: object, path: string): void {
  for (const name in fields) {
    const item = (value as Record<string, unknown>)[name];
    if (item !== undefined) fields[name]!.write(view, base, item, `${path}.${name}`);
  }
}

/** Declares a structure; a field that leaves `size` is refused when the table is loaded. */
export function struct<F extends Fields>(name: string, size: number, fields: F): Struct<ValueOf<F>> {
  type T = ValueOf<F>;
  const list = Object.entries(fields);
  for (const [field, { offset, size: width }] of list)
    if (offset < 0 || offset + width > size) throw new RangeError(`${name}.${field} leaves the structure`);
  return {
    name,
    size,
    fields,
    read(view, base = 0) {
      const value: Record<string, unknown> = {};
      for (const [field, layout] of list) value[field] = layout.read(view, base);
      return value as T;
    },
    write(view, value, base = 0) {
      if (typeof value !== "object" || value === null) throw misfit(name, value, `a ${name}`);
      writeFields(fields, view, base, value, name);
    },
    encode(value) {
      const encoded = new Uint8Array(size);
      this.write(viewOf(encoded), value);
      return encoded;
    },
    decode(encoded) {
      return this.read(viewOf(encoded));
    },
  };
}

export function viewOf(buffer: Uint8Array): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** A structure that ends in a flexible array: a header with the number of elements, then the elements. */
export interface ArrayShape extends StructShape {
  /** The header's field that counts the elements. */
  readonly count: string;
  readonly element: StructShape;
}

export interface ArrayStruct<H, E> extends Struct<H>, ArrayShape {
  readonly element: Struct<E>;
  encodeAll(elements: readonly Partial<E>[], header?: Partial<H>): Uint8Array;
  /** Room for `capacity` elements, with the count field set to it. */
  room(capacity: number): Uint8Array;
  /** The elements that the header counts; no more than fit. */
  decodeAll(encoded: Uint8Array): E[];
}

export function arrayStruct<F extends Fields, E>(
  name: string,
  size: number,
  fields: F,
  count: keyof F & string,
  element: Struct<E>,
): ArrayStruct<ValueOf<F>, E> {
  const header = struct(name, size, fields);
  const counter = fields[count] as Field<number>;
  return {
    ...header,
    count,
    element,
    room(capacity) {
      const encoded = new Uint8Array(size + capacity * element.size);
      counter.write(viewOf(encoded), 0, capacity, `${name}.${count}`);
      return encoded;
    },
    encodeAll(elements, values = {}) {
      if (!Array.isArray(elements)) throw misfit(name, elements, `an array of ${element.name}`);
      const encoded = this.room(elements.length);
      const view = viewOf(encoded);
      header.write(view, values);
      for (const [i, item] of elements.entries()) element.write(view, item, size + i * element.size);
      return encoded;
    },
    decodeAll(encoded) {
      const view = viewOf(encoded);
      const fitting = Math.floor((encoded.length - size) / element.size);
      const length = Math.min(counter.read(view, 0), fitting);
      return Array.from({ length }, (_, i) => element.read(view, size + i * element.size));
    },
  };
}
