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
  readonly member: string | undefined;
  /** The field of the structure that begins at `base`. */
  read(view: DataView, base: number): T;
  /** `owner` and `name` say where the field stands, for the error. */
  write(view: DataView, base: number, value: T, owner: string, name: string): void;
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
  /** Writes the given fields; absent ones are left as they are. `path` stands for the structure in errors. */
  write(view: DataView, value: Partial<T>, base?: number, path?: string): void;
  /** A new buffer with the given fields, zeros elsewhere. */
  encode(value: Partial<T>): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** The type that a structure reads as: `StructValue<typeof kvm_regs>`. */
export type StructValue<S> = S extends Struct<infer T> ? T : never;

function misfit(owner: string, name: string, value: unknown, allowed: string): KvmError {
  return new KvmError("ERR_KVM_FIELD", { field: `${owner}${name}`, value, allowed });
}

function checkInteger(value: number, min: number, max: number, owner: string, name: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw misfit(owner, name, value, `an integer from ${min} to ${max}`);
}

// One arrow function per width, with the DataView method spelled out: V8 compiles those calls to loads and stores,
// and a call through a computed name to a lookup. A vCPU's system registers have 130 fields.

export function u8(offset: number, member?: string): Field<number> {
  return {
    offset,
    size: 1,
    type: "u8",
    member,
    read: (view, base) => view.getUint8(base + offset),
    write: (view, base, value, owner, name) =>
      view.setUint8(base + offset, checkInteger(value, 0, 0xff, owner, name)),
  };
}

export function u16(offset: number, member?: string): Field<number> {
  return {
    offset,
    size: 2,
    type: "u16",
    member,
    read: (view, base) => view.getUint16(base + offset, true),
    write: (view, base, value, owner, name) =>
      view.setUint16(base + offset, checkInteger(value, 0, 0xffff, owner, name), true),
  };
}

export function u32(offset: number, member?: string): Field<number> {
  return {
    offset,
    size: 4,
    type: "u32",
    member,
    read: (view, base) => view.getUint32(base + offset, true),
    write: (view, base, value, owner, name) =>
      view.setUint32(base + offset, checkInteger(value, 0, 0xffff_ffff, owner, name), true),
  };
}

export function s16(offset: number, member?: string): Field<number> {
  return {
    offset,
    size: 2,
    type: "s16",
    member,
    read: (view, base) => view.getInt16(base + offset, true),
    write: (view, base, value, owner, name) =>
      view.setInt16(base + offset, checkInteger(value, -0x8000, 0x7fff, owner, name), true),
  };
}

export function s32(offset: number, member?: string): Field<number> {
  return {
    offset,
    size: 4,
    type: "s32",
    member,
    read: (view, base) => view.getInt32(base + offset, true),
    write: (view, base, value, owner, name) =>
      view.setInt32(base + offset, checkInteger(value, -0x8000_0000, 0x7fff_ffff, owner, name), true),
  };
}

const U64_MAX = 0xffff_ffff_ffff_ffffn;

export function u64(offset: number, member?: string): Field<bigint> {
  return {
    offset,
    size: 8,
    type: "u64",
    member,
    read: (view, base) => view.getBigUint64(base + offset, true),
    write(view, base, value, owner, name) {
      if (typeof value !== "bigint" || value < 0n || value > U64_MAX)
        throw misfit(owner, name, value, "a bigint from 0n to 0xffffffffffffffffn");
      view.setBigUint64(base + offset, value, true);
    },
  };
}

export function s64(offset: number, member?: string): Field<bigint> {
  return {
    offset,
    size: 8,
    type: "s64",
    member,
    read: (view, base) => view.getBigInt64(base + offset, true),
    write(view, base, value, owner, name) {
      if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value)
        throw misfit(owner, name, value, "a bigint of 64 bits, signed");
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
    member,
    read: (view, base) => new Uint8Array(view.buffer, view.byteOffset + base + offset, size).slice(),
    write(view, base, value, owner, name) {
      if (!(value instanceof Uint8Array) || value.length > size)
        throw misfit(owner, name, value, `a Uint8Array of at most ${size} bytes`);
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
    member,
    read: (view, base) => struct.read(view, base + offset),
    write: (view, base, value, owner, name) => struct.write(view, value, base + offset, `${owner}${name}`),
  };
}

/** `count` elements, each like `element`, whose own offset is the array's. */
export function array<T>(count: number, element: Field<T>): Field<T[]> {
  const { offset, size, type, member } = element;
  return {
    offset,
    size: size * count,
    type: `${type}[${count}]`,
    member,
    read(view, base) {
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(element.read(view, base + i * size));
      return values;
    },
    write(view, base, value, owner, name) {
      if (!Array.isArray(value) || value.length > count)
        throw misfit(owner, name, value, `an array of at most ${count} elements`);
      for (let i = 0; i < value.length; i++)
        element.write(view, base + i * size, value[i] as T, `${owner}${name}`, `[${i}]`);
    },
  };
}

/** Declares a structure; a field that leaves `size` is refused when the table is loaded. */
export function struct<F extends Fields>(name: string, size: number, fields: F): Struct<ValueOf<F>> {
  type T = ValueOf<F>;
  const names = Object.keys(fields);
  const layouts = Object.values(fields);
  for (const [i, { offset, size: width }] of layouts.entries())
    if (offset < 0 || offset + width > size) throw new RangeError(`${name}.${names[i]} leaves the structure`);
  const labels = names.map((field) => `.${field}`);
  /** A copy of it has its final shape before the first field is stored, which is several times faster. */
  const blank = Object.fromEntries(names.map((field) => [field, undefined]));
  return {
    name,
    size,
    fields,
    read(view, base = 0) {
      const value: Record<string, unknown> = { ...blank };
      for (let i = 0; i < layouts.length; i++) value[names[i]!] = layouts[i]!.read(view, base);
      return value as T;
    },
    write(view, value, base = 0, path = name) {
      if (typeof value !== "object" || value === null) throw misfit(path, "", value, `a ${name}`);
      const given = value as Record<string, unknown>;
      for (let i = 0; i < layouts.length; i++) {
        const item = given[names[i]!];
        if (item !== undefined) layouts[i]!.write(view, base, item, path, labels[i]!);
      }
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
      counter.write(viewOf(encoded), 0, capacity, name, `.${count}`);
      return encoded;
    },
    encodeAll(elements, values = {}) {
      if (!Array.isArray(elements)) throw misfit(name, "", elements, `an array of ${element.name}`);
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
