/**
 * `t`: the argument types of a hypercall, as data for the registry and as types for the handler.
 *
 * Each value is an `ArgumentType` of guest-kernel's ABI with the handler's TypeScript type attached. In memory
 * structs lie as the psABI lays out a C struct; in registers a scalar takes its low bits, as a C function takes it.
 */
import type {
  ArgumentType,
  Direction,
  ScalarKind,
  StructField,
  StructFields,
} from "@kvmkit/guest-kernel/abi";
import type { GuestBuffer } from "./guest-buffer.js";

/** An argument type whose handler gets `T`. */
export type Argument<T> = ArgumentType & { readonly [value]?: T };
declare const value: unique symbol;

/** What a scalar is in TypeScript: numbers up to 32 bits and f64, bigint for 64 bits. */
export interface ScalarValues {
  u8: number;
  u16: number;
  u32: number;
  u64: bigint;
  i8: number;
  i16: number;
  i32: number;
  i64: bigint;
  bool: boolean;
  f64: number;
  /** A guest-virtual address, not looked at. */
  pointer: bigint;
}

/** A struct of nothing but scalars. */
export type StructShape = Readonly<Record<string, ScalarKind>>;
/** Fields as `t.struct` takes them: scalars by name, and types of `t`; `definePlugin` refuses a struct in a struct. */
export type FieldShape = Readonly<Record<string, ScalarKind | ArgumentType>>;
/** A struct as the handler sees it. */
export type StructValue<F extends FieldShape> = {
  -readonly [N in keyof F]: F[N] extends ScalarKind ? ScalarValues[F[N]] : DecodedArgument<F[N]>;
};

/** An `out` argument: the handler sets it, and the guest's memory is written after the call succeeded. */
export interface OutValue<T> {
  set(value: T): void;
}

/** An `inout` argument. */
export interface InOutValue<T> extends OutValue<T> {
  readonly value: T;
}

/** What the handler gets for a row of arguments. */
export type Decoded<A extends Readonly<Record<string, ArgumentType>>> = {
  readonly [N in keyof A]: DecodedArgument<A[N]>;
};

type DecodedArgument<A> = A extends { readonly [value]?: infer T } & { readonly kind: string }
  ? unknown extends T
    ? DecodedData<A>
    : Exclude<T, undefined>
  : DecodedData<A>;

/** The same from plain data, as the ABI's own rows are written. */
type DecodedData<A> = A extends { readonly kind: infer K extends ScalarKind }
  ? ScalarValues[K]
  : A extends { readonly kind: "cstring" }
    ? string
    : A extends { readonly kind: "buffer" }
      ? GuestBuffer
      : A extends { readonly kind: "enum"; readonly values: infer V }
        ? keyof V
        : A extends {
              readonly kind: "struct";
              readonly direction: infer D;
              readonly fields: infer F extends FieldShape;
            }
          ? Directed<D, StructValue<F>>
          : unknown;

type Directed<D, T> = D extends "in" ? T : D extends "out" ? OutValue<T> : InOutValue<T>;

/** `t.u8` and its like: an argument in a register, and the same behind a pointer. */
export interface ScalarArgument<K extends ScalarKind> {
  readonly kind: K;
  readonly [value]?: ScalarValues[K];
  /** A pointer to one such value, read before the handler. */
  in(): Argument<ScalarValues[K]>;
  /** A pointer to one such value, written after the handler. */
  out(): Argument<OutValue<ScalarValues[K]>>;
  inout(): Argument<InOutValue<ScalarValues[K]>>;
}

function scalar<K extends ScalarKind>(kind: K): ScalarArgument<K> {
  // One value behind a pointer is a struct of one field: the same bytes, the same checks.
  const pointed = (direction: Direction): ArgumentType => ({
    kind: "struct",
    name: kind,
    direction,
    fields: { value: kind },
  });
  return {
    kind,
    in: () => pointed("in") as Argument<ScalarValues[K]>,
    out: () => pointed("out") as Argument<OutValue<ScalarValues[K]>>,
    inout: () => pointed("inout") as Argument<InOutValue<ScalarValues[K]>>,
  };
}

/** Whether a struct stands for one scalar behind a pointer (`t.u64.out()`). */
export const isPointedScalar = (type: { readonly name: string; readonly fields: StructFields }): boolean =>
  type.name === type.fields["value"] && Object.keys(type.fields).length === 1;

/** `t.u8` as a field is "u8". */
function plainField(type: FieldShape[string]): StructField {
  return typeof type === "object" && Object.hasOwn(type, "in")
    ? (type.kind as ScalarKind)
    : (type as StructField);
}

const buffer = (direction: Direction) => (maxBytes: number) =>
  ({ kind: "buffer", direction, maxBytes }) as Argument<GuestBuffer>;

function struct<const F extends FieldShape>(name: string, fields: F) {
  const plain = Object.entries(fields).map(([field, type]) => [field, plainField(type)]);
  const data: StructFields = Object.fromEntries(plain);
  const directed = (direction: Direction): ArgumentType => ({
    kind: "struct",
    name,
    direction,
    fields: data,
  });
  return {
    in: () => directed("in") as Argument<Readonly<StructValue<F>>>,
    out: () => directed("out") as Argument<OutValue<StructValue<F>>>,
    inout: () => directed("inout") as Argument<InOutValue<StructValue<F>>>,
  };
}

export const t = {
  u8: scalar("u8"),
  u16: scalar("u16"),
  u32: scalar("u32"),
  u64: scalar("u64"),
  i8: scalar("i8"),
  i16: scalar("i16"),
  i32: scalar("i32"),
  i64: scalar("i64"),
  bool: scalar("bool"),
  f64: scalar("f64"),
  pointer: scalar("pointer"),
  /** A NUL-terminated string of at most `maxBytes` bytes, the NUL not counted; longer is -ENAMETOOLONG. */
  cstring: (maxBytes: number) => ({ kind: "cstring", maxBytes }) as Argument<string>,
  /** Two registers, a pointer and a length of at most `maxBytes`; longer is -EMSGSIZE. */
  buffer: { in: buffer("in"), out: buffer("out"), inout: buffer("inout") },
  /**
   * A pointer to one record. Fields are scalars and enums; a record that the host only reads may also have strings,
   * buffers (a pointer and a size) and handles.
   */
  struct,
  /** An integer that has names; the handler gets the name, another number is -EINVAL. */
  enum: <const V extends Readonly<Record<string, number>>>(values: V, repr: ScalarKind = "i32") =>
    ({ kind: "enum", repr, values }) as Argument<keyof V & string>,
  /** A number that the plugin gave out with `ctx.handles(of).add(object)`; the handler gets the object, else -EBADF. */
  handle: <T>(of: string) => ({ kind: "handle", of }) as Argument<T>,
} as const;
