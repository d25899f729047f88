/**
 * C structs of scalars, laid out as the x86-64 psABI says: each field at a multiple of its size, the whole padded to
 * its largest alignment (psABI, "Data Representation").
 */
import type { ScalarKind, StructFields } from "@kvmkit/guest-kernel/abi";
import type { ScalarValues } from "./argument-types.js";

type Scalar = ScalarValues[ScalarKind];

interface ScalarRow {
  readonly size: number;
  get(view: DataView, at: number): Scalar;
  /** Takes a number or a bigint for any integer; keeps its low bits. */
  set(view: DataView, at: number, value: never): void;
}

const low = (value: number | bigint): number => Number(BigInt.asUintN(32, BigInt(value)));

const SCALARS = {
  u8: { size: 1, get: (v, at) => v.getUint8(at), set: (v, at, x: number) => v.setUint8(at, low(x)) },
  i8: { size: 1, get: (v, at) => v.getInt8(at), set: (v, at, x: number) => v.setUint8(at, low(x)) },
  bool: {
    size: 1,
    get: (v, at) => v.getUint8(at) !== 0,
    set: (v, at, x: boolean) => v.setUint8(at, x ? 1 : 0),
  },
  u16: {
    size: 2,
    get: (v, at) => v.getUint16(at, true),
    set: (v, at, x: number) => v.setUint16(at, low(x), true),
  },
  i16: {
    size: 2,
    get: (v, at) => v.getInt16(at, true),
    set: (v, at, x: number) => v.setUint16(at, low(x), true),
  },
  u32: {
    size: 4,
    get: (v, at) => v.getUint32(at, true),
    set: (v, at, x: number) => v.setUint32(at, low(x), true),
  },
  i32: {
    size: 4,
    get: (v, at) => v.getInt32(at, true),
    set: (v, at, x: number) => v.setUint32(at, low(x), true),
  },
  u64: {
    size: 8,
    get: (v, at) => v.getBigUint64(at, true),
    set: (v, at, x: bigint | number) => v.setBigUint64(at, BigInt(x), true),
  },
  i64: {
    size: 8,
    get: (v, at) => v.getBigInt64(at, true),
    set: (v, at, x: bigint | number) => v.setBigInt64(at, BigInt(x), true),
  },
  pointer: {
    size: 8,
    get: (v, at) => v.getBigUint64(at, true),
    set: (v, at, x: bigint | number) => v.setBigUint64(at, BigInt(x), true),
  },
  f64: {
    size: 8,
    get: (v, at) => v.getFloat64(at, true),
    set: (v, at, x: number) => v.setFloat64(at, x, true),
  },
} as const satisfies Record<ScalarKind, ScalarRow>;

export interface StructLayout {
  readonly sizeBytes: number;
  readonly offsets: Readonly<Record<string, number>>;
  decode(bytes: Uint8Array): Record<string, Scalar>;
  /** Errors: TypeError or SyntaxError for a value that is no number; a field that is missing is 0. */
  encode(value: Readonly<Record<string, unknown>>): Uint8Array;
}

/** The scalars that fields are made of: a string is its address, a buffer its address and its size. */
export function scalarFields(fields: StructFields): Readonly<Record<string, ScalarKind>> {
  const scalars = Object.entries(fields).flatMap(([name, type]): [string, ScalarKind][] => {
    if (typeof type === "string") return [[name, type]];
    if (type.kind === "enum") return [[name, type.repr]];
    if (type.kind === "handle") return [[name, "u32"]];
    return type.kind === "cstring"
      ? [[name, "pointer"]]
      : [
          [name, "pointer"],
          [sizeField(name), "u64"],
        ];
  });
  return Object.fromEntries(scalars);
}

/** The field behind a buffer's address. */
export const sizeField = (name: string): string => `${name}_size`;

/** The layout of the scalars that fields are made of. */
export function structLayout(fields: StructFields): StructLayout {
  const offsets: Record<string, number> = {};
  let size = 0;
  let alignment = 1;
  const scalars = scalarFields(fields);
  for (const [name, kind] of Object.entries(scalars)) {
    const width = SCALARS[kind].size;
    size = Math.ceil(size / width) * width;
    offsets[name] = size;
    size += width;
    alignment = Math.max(alignment, width);
  }
  const sizeBytes = Math.ceil(size / alignment) * alignment;
  const entries = Object.entries(scalars).map(([name, kind]) => ({
    name,
    row: SCALARS[kind] as ScalarRow,
    at: offsets[name]!,
  }));
  return {
    sizeBytes,
    offsets,
    decode(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return Object.fromEntries(entries.map(({ name, row, at }) => [name, row.get(view, at)]));
    },
    encode(value) {
      const bytes = new Uint8Array(sizeBytes);
      const view = new DataView(bytes.buffer);
      for (const { name, row, at } of entries) row.set(view, at, (value[name] ?? 0) as never);
      return bytes;
    },
  };
}
