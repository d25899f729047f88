/**
 * A function of the program as the host calls it: from TypeScript's values to what the psABI puts into registers and
 * memory, and back.
 *
 * Strings, buffers and structs are copied below the guest's stack pointer for the time of the call; what the
 * function wrote to `out` and `inout` ones is copied back into the caller's own array or object.
 * Source: psABI, "3.2.3 Parameter Passing".
 */
import type { ArgumentType, ScalarKind } from "@kvmkit/guest-kernel/abi";
import { type Decoded, isPointedScalar, type OutValue } from "./argument-types.js";
import { VmError } from "./errors.js";
import type { GuestBuffer } from "./guest-buffer.js";
import { structLayout } from "./struct-layout.js";

/** An argument of class MEMORY: the function gets a pointer to a copy of `bytes`. */
export class Copied {
  readonly bytes: Uint8Array;
  /** Takes the bytes as the function left them. */
  readonly takeBack: ((bytes: Uint8Array) => void) | undefined;
  /** Gva of the copy, once it has a place. */
  address = 0n;

  constructor(bytes: Uint8Array, takeBack?: (bytes: Uint8Array) => void) {
    this.bytes = bytes;
    this.takeBack = takeBack;
  }
}

/** An argument as the psABI classifies it: INTEGER, SSE (an f64), or a pointer to a copy. */
export type Passed = bigint | number | Copied;

/** What the function left: rax, and xmm0 where it was asked for. */
export interface Returned {
  readonly rax: bigint;
  readonly xmm0: number;
}

/** A function's signature, of types of `t`. */
export interface GuestSignature<A extends readonly ArgumentType[], R extends ArgumentType | undefined> {
  readonly args: A;
  /** A scalar or an enum. Default: nothing. */
  readonly returns?: R;
}

/** What a caller passes for each argument; a buffer stands for two, its address and its length. */
export type GuestArguments<A extends readonly ArgumentType[]> = { readonly [N in keyof A]: Given<A[N]> };

/** What stands for what a handler of this type would get. */
type Given<A extends ArgumentType> = Passable<Decoded<{ argument: A }>["argument"]>;
type Passable<T> = [T] extends [GuestBuffer]
  ? Uint8Array
  : [T] extends [OutValue<infer V>]
    ? V
    : [T] extends [bigint]
      ? // 64-bit integers may be given as numbers.
        bigint | number
      : T;

export type GuestResult<R> = R extends ArgumentType ? Decoded<{ result: R }>["result"] : undefined;

export type GuestFunction<A extends readonly ArgumentType[], R> = (
  ...args: GuestArguments<A>
) => GuestResult<R>;

/** A signature made ready for calls. */
export interface CompiledSignature {
  pass(values: readonly unknown[]): Passed[];
  /** Whether the result is in xmm0. */
  readonly returnsSse: boolean;
  result(returned: Returned): unknown;
}

type Passer = (value: unknown, into: Passed[]) => void;

const text = new TextEncoder();
const scratch = new DataView(new ArrayBuffer(8));

/** Errors: ERR_VM_CALL_ARGUMENT, also from `pass`. */
export function compileSignature(
  name: string,
  { args, returns }: GuestSignature<readonly ArgumentType[], ArgumentType | undefined>,
): CompiledSignature {
  const passers = args.map((type, index) => passerOf(type, wrongArgument(name, index)));
  return {
    pass(values) {
      if (values.length !== passers.length) {
        throw argumentError(name, "arguments", values.length, `${passers.length} arguments`);
      }
      const passed: Passed[] = [];
      for (let index = 0; index < passers.length; index++) passers[index]!(values[index], passed);
      return passed;
    },
    returnsSse: returns?.kind === "f64",
    result: resultOf(name, returns),
  };
}

/** Arguments without a signature: integers, strings, and bytes, which the function may change. */
export function passUntyped(name: string, values: readonly unknown[]): Passed[] {
  return values.map((value, index) => {
    if (typeof value === "bigint") return value;
    if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
    if (typeof value === "boolean") return value ? 1n : 0n;
    if (typeof value === "string") return cstring(value, wrongArgument(name, index));
    if (value instanceof Uint8Array) return new Copied(value, (bytes) => value.set(bytes));
    throw wrongArgument(name, index)(
      value,
      "an integer, a boolean, a string or a Uint8Array; guestFunction() takes other types",
    );
  });
}

type Wrong = (found: unknown, allowed: string) => VmError;

const argumentError = (symbol: string, argument: string, found: unknown, allowed: string): VmError =>
  new VmError("ERR_VM_CALL_ARGUMENT", { symbol, argument, found: describe(found), allowed });

const wrongArgument =
  (symbol: string, index: number): Wrong =>
  (found, allowed) =>
    argumentError(symbol, `argument ${index + 1}`, found, allowed);

const describe = (value: unknown): string =>
  typeof value === "object" || typeof value === "function" ? `a ${typeof value}` : String(value);

function passerOf(type: ArgumentType, wrong: Wrong): Passer {
  switch (type.kind) {
    case "cstring":
      return (value, into) => {
        if (typeof value !== "string") throw wrong(value, "a string");
        const copied = cstring(value, wrong);
        if (copied.bytes.length - 1 > type.maxBytes) {
          throw wrong(`a string of ${copied.bytes.length - 1} bytes`, `at most ${type.maxBytes} bytes`);
        }
        into.push(copied);
      };
    case "buffer":
      return bufferPasser(type, wrong);
    case "struct":
      return structPasser(type, wrong);
    case "enum":
      return (value, into) => {
        const number = type.values[String(value)];
        if (number === undefined) throw wrong(value, Object.keys(type.values).join(", "));
        into.push(BigInt(number));
      };
    case "handle":
      throw wrong("a handle", "scalars, strings, buffers, structs and enums");
    case "f64":
      return (value, into) => {
        if (typeof value !== "number") throw wrong(value, "a number");
        into.push(value);
      };
    case "bool":
      return (value, into) => {
        if (typeof value !== "boolean") throw wrong(value, "a boolean");
        into.push(value ? 1n : 0n);
      };
    default:
      return integerPasser(type.kind, wrong);
  }
}

const BITS = { u8: 8, i8: 8, u16: 16, i16: 16, u32: 32, i32: 32, u64: 64, i64: 64, pointer: 64 } as const;
type IntegerKind = keyof typeof BITS;
const isSigned = (kind: IntegerKind): boolean => kind.startsWith("i");

function integerPasser(kind: IntegerKind, wrong: Wrong): Passer {
  const bits = BigInt(BITS[kind]);
  const low = isSigned(kind) ? -(1n << (bits - 1n)) : 0n;
  const high = (1n << (isSigned(kind) ? bits - 1n : bits)) - 1n;
  return (value, into) => {
    const integer = typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
    if (typeof integer !== "bigint" || integer < low || integer > high) {
      throw wrong(value, `an integer from ${low} to ${high}`);
    }
    into.push(integer);
  };
}

function bufferPasser(type: Extract<ArgumentType, { kind: "buffer" }>, wrong: Wrong): Passer {
  return (value, into) => {
    if (!(value instanceof Uint8Array)) throw wrong(value, "a Uint8Array");
    if (value.length > type.maxBytes) throw wrong(`${value.length} bytes`, `at most ${type.maxBytes} bytes`);
    into.push(
      type.direction === "in" ? new Copied(value) : new Copied(value, (bytes) => value.set(bytes)),
      BigInt(value.length),
    );
  };
}

function structPasser(type: Extract<ArgumentType, { kind: "struct" }>, wrong: Wrong): Passer {
  if (isPointedScalar(type)) throw wrong(`a pointer to ${type.name}`, "a struct with named fields");
  const other = Object.entries(type.fields).find(([, field]) => typeof field === "object");
  if (other !== undefined) throw wrong(`${type.name} with the field ${other[0]}`, "a struct of scalars");
  const layout = structLayout(type.fields);
  return (value, into) => {
    if (typeof value !== "object" || value === null) throw wrong(value, `an object ${type.name}`);
    const fields = value as Record<string, unknown>;
    const missing = Object.keys(type.fields).find((name) => fields[name] === undefined);
    if (missing !== undefined && type.direction !== "out") {
      throw wrong(`${type.name} without ${missing}`, Object.keys(type.fields).join(", "));
    }
    let bytes: Uint8Array;
    try {
      bytes = type.direction === "out" ? new Uint8Array(layout.sizeBytes) : layout.encode(fields);
    } catch (error) {
      throw wrong(`${type.name} (${String(error)})`, "fields of the declared types");
    }
    const takeBack = (left: Uint8Array): void => {
      Object.assign(fields, layout.decode(left));
    };
    into.push(type.direction === "in" ? new Copied(bytes) : new Copied(bytes, takeBack));
  };
}

function cstring(value: string, wrong: Wrong): Copied {
  if (value.includes("\0")) throw wrong(JSON.stringify(value), "a string without NUL");
  return new Copied(text.encode(`${value}\0`));
}

function resultOf(name: string, type: ArgumentType | undefined): (returned: Returned) => unknown {
  if (type === undefined) return () => undefined;
  switch (type.kind) {
    case "f64":
      return ({ xmm0 }) => xmm0;
    case "bool":
      return ({ rax }) => (rax & 0xffn) !== 0n;
    case "enum": {
      const names = new Map(Object.entries(type.values).map(([label, value]) => [value, label]));
      const read = integerResult(name, type.repr);
      return (returned) => {
        const value = Number(read(returned));
        const label = names.get(value);
        if (label === undefined) throw argumentError(name, "result", value, [...names.values()].join(", "));
        return label;
      };
    }
    case "cstring":
    case "buffer":
    case "struct":
    case "handle":
      throw argumentError(name, "result", `a ${type.kind}`, "a scalar or an enum");
    default:
      return integerResult(name, type.kind);
  }
}

function integerResult(name: string, kind: ScalarKind): (returned: Returned) => number | bigint {
  if (!Object.hasOwn(BITS, kind)) throw argumentError(name, "result", kind, "an integer");
  const bits = BITS[kind as IntegerKind];
  const wrap = isSigned(kind as IntegerKind) ? BigInt.asIntN : BigInt.asUintN;
  if (bits === 64) return ({ rax }) => wrap(64, rax);
  return ({ rax }) => Number(wrap(bits, rax));
}

/** The bits of an f64, as they lie in memory. */
export function f64Bits(value: number): bigint {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}
