/**
 * Type tests: `tsc -b` is what runs them. A type that is not exactly the one here, and a wrong use that begins to compile,
 * are errors of the build (TypeScript handbook, "@ts-expect-error": an unused one is an error).
 */
import type { ArgumentType } from "@kvmkit/guest-kernel/abi";
import { type Decoded, type InOutValue, type OutValue, t } from "../argument-types.js";
import type { GuestBuffer } from "../guest-buffer.js";
import { errno } from "../host/errno.js";
import { definePlugin } from "../plugin.js";

/** Whether two types are the same, also in optional, readonly and any. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Got<A extends ArgumentType> = Decoded<{ readonly argument: A }>["argument"];

/** Compiles where every row is true. */
type All<Rows extends Readonly<Record<string, true>>> = Rows;

const point = t.struct("point", { x: "i32", y: "u64", seen: "bool", weight: "f64", next: "pointer" });
interface Point {
  x: number;
  y: bigint;
  seen: boolean;
  weight: number;
  next: bigint;
}
interface Box {
  readonly lid: boolean;
}
const mode = t.enum({ FAST: 0, SAFE: 1 });
const rich = t.struct("rich", {
  mode,
  name: t.cstring(8),
  data: t.buffer.in(8),
  box: t.handle<Box>("box"),
  wide: t.u64,
});
const box = t.handle<Box>("box");

/** What a handler gets for each type of argument. */
export type Arguments = All<{
  u8: Same<Got<typeof t.u8>, number>;
  u16: Same<Got<typeof t.u16>, number>;
  u32: Same<Got<typeof t.u32>, number>;
  u64: Same<Got<typeof t.u64>, bigint>;
  i8: Same<Got<typeof t.i8>, number>;
  i16: Same<Got<typeof t.i16>, number>;
  i32: Same<Got<typeof t.i32>, number>;
  i64: Same<Got<typeof t.i64>, bigint>;
  bool: Same<Got<typeof t.bool>, boolean>;
  f64: Same<Got<typeof t.f64>, number>;
  pointer: Same<Got<typeof t.pointer>, bigint>;
  cstring: Same<Got<ReturnType<typeof t.cstring>>, string>;
  bufferIn: Same<Got<ReturnType<typeof t.buffer.in>>, GuestBuffer>;
  bufferOut: Same<Got<ReturnType<typeof t.buffer.out>>, GuestBuffer>;
  bufferInOut: Same<Got<ReturnType<typeof t.buffer.inout>>, GuestBuffer>;
  structIn: Same<Got<ReturnType<typeof point.in>>, Readonly<Point>>;
  structOut: Same<Got<ReturnType<typeof point.out>>, OutValue<Point>>;
  structInOut: Same<Got<ReturnType<typeof point.inout>>, InOutValue<Point>>;
  richStruct: Same<
    Got<ReturnType<typeof rich.in>>,
    Readonly<{ mode: "FAST" | "SAFE"; name: string; data: GuestBuffer; box: Box; wide: bigint }>
  >;
  pointedIn: Same<Got<ReturnType<typeof t.u16.in>>, number>;
  pointedOut: Same<Got<ReturnType<typeof t.u64.out>>, OutValue<bigint>>;
  pointedInOut: Same<Got<ReturnType<typeof t.bool.inout>>, InOutValue<boolean>>;
  enum: Same<Got<typeof mode>, "FAST" | "SAFE">;
  handle: Same<Got<typeof box>, Box>;
}>;

const base = { name: "types", version: "1.0.0", abi: 1 } as const;

/** Wrong uses of each. Never called. */
export function wrongParameters(): void {
  definePlugin({
    ...base,
    state: () => ({ count: 0 }),
    options: (given: unknown) => given as { readonly limit: number },
    hypercalls: {
      numbers: {
        args: { small: t.u8, wide: t.u64, signed: t.i64, flag: t.bool, ratio: t.f64, address: t.pointer },
        handle(_ctx, { small, wide, signed, flag, ratio, address }) {
          // @ts-expect-error: a u8 is a number
          const a: bigint = small;
          // @ts-expect-error: a u64 does not fit into a number
          const b: number = wide;
          // @ts-expect-error: nor does an i64
          const c: number = signed;
          // @ts-expect-error: a bool is no number
          const d: number = flag;
          // @ts-expect-error: an f64 is a number
          const e: bigint = ratio;
          // @ts-expect-error: an address is a bigint
          const f: number = address;
          // @ts-expect-error: numbers and bigints do not mix
          const g = small + wide;
          return [a, b, c, d, e, f, g].length;
        },
      },
      texts: {
        args: { text: t.cstring(8), input: t.buffer.in(8), output: t.buffer.out(8) },
        handle(_ctx, { text, input, output }) {
          // @ts-expect-error: a string is not bytes
          const a: Uint8Array = text;
          // @ts-expect-error: a buffer is not its bytes
          const b: Uint8Array = input;
          // @ts-expect-error: bytes are written, not text
          output.write("text");
          // @ts-expect-error: arguments are not changed in place
          input.length = 0;
          return a.length + b.length;
        },
      },
      structs: {
        args: { from: point.in(), to: point.out(), both: point.inout(), count: t.u64.out() },
        handle(_ctx, { from, to, both, count }) {
          // @ts-expect-error: what was read is a copy, and stays as it was read
          from.x = 1;
          // @ts-expect-error: there is no such field
          const a = from.z;
          // @ts-expect-error: an out value has nothing to read
          const b = to.value;
          // @ts-expect-error: a field is missing
          to.set({ x: 1, y: 1n, seen: true, weight: 1 });
          // @ts-expect-error: y is a u64
          to.set({ x: 1, y: 1, seen: true, weight: 1, next: 0n });
          // @ts-expect-error: there is no field z
          both.set({ ...both.value, z: 1 });
          // @ts-expect-error: a u64 takes a bigint
          count.set(1);
          return [a, b].length;
        },
      },
      names: {
        args: { mode, box },
        handle(_ctx, { mode, box }) {
          // @ts-expect-error: an enum is its names, not its numbers
          const a: number = mode;
          // @ts-expect-error: there is no such name
          const b = mode === "SLOW";
          // @ts-expect-error: a handle is the object
          const c: number = box;
          // @ts-expect-error: there is no such property
          const d = box.size;
          return [a, b, c, d].length;
        },
      },
      context: {
        args: { value: t.u8 },
        handle({ state, options, vm, user }, args) {
          const isFine: number = state.count + options.limit;
          // @ts-expect-error: the state has no such thing
          const a = state.counter;
          // @ts-expect-error: the options neither
          const b = options.limits;
          // @ts-expect-error: there is no such argument
          const c = args.values;
          // @ts-expect-error: there is no such signal
          vm.kill("SIGNOTHING");
          // @ts-expect-error: addresses are bigints
          user.read(0, 8);
          return [isFine, a, b, c].length;
        },
      },
    },
  });
}

/** What a handler may return. Never called. */
export function results(): void {
  definePlugin({
    ...base,
    hypercalls: {
      nothing: { args: {}, handle() {} },
      anyInteger: { args: {}, handle: (ctx) => (ctx.signal.aborted ? 1 : 1n) },
      u8: { args: {}, returns: t.u8, handle: () => 1 },
      u64: { args: {}, returns: t.u64, handle: () => 1n },
      bool: { args: {}, returns: t.bool, handle: () => true },
      f64: { args: {}, returns: t.f64, handle: () => 0.5 },
      mode: { args: {}, returns: mode, handle: () => "FAST" as const },
      later: { args: {}, returns: t.i32, handleAsync: async () => 1 },
      // @ts-expect-error: a u8 is a number
      wrongU8: { args: {}, returns: t.u8, handle: () => 1n },
      // @ts-expect-error: an i32 is a number
      wrongI32: { args: {}, returns: t.i32, handle: () => true },
      // @ts-expect-error: a u64 is a bigint
      wrongU64: { args: {}, returns: t.u64, handle: () => 1 },
      // @ts-expect-error: an i64 is a bigint
      wrongI64: { args: {}, returns: t.i64, handle: () => 1 },
      // @ts-expect-error: a pointer is a bigint
      wrongPointer: { args: {}, returns: t.pointer, handle: () => 1 },
      // @ts-expect-error: a bool is a boolean
      wrongBool: { args: {}, returns: t.bool, handle: () => 1 },
      // @ts-expect-error: an f64 is a number
      wrongF64: { args: {}, returns: t.f64, handle: () => 1n },
      // @ts-expect-error: a name of the enum
      wrongMode: { args: {}, returns: mode, handle: () => "SLOW" as const },
      // @ts-expect-error: its number is not its name
      wrongModeNumber: { args: {}, returns: mode, handle: () => 0 },
      // @ts-expect-error: nothing is no number
      wrongNothing: { args: {}, returns: t.u32, handle() {} },
      // @ts-expect-error: text is no result
      wrongText: { args: {}, handle: () => "text" },
      // @ts-expect-error: an object neither
      wrongObject: { args: {}, handle: () => ({}) },
      // @ts-expect-error: a promise is for handleAsync
      wrongPromise: { args: {}, handle: async () => 1 },
      // @ts-expect-error: of the right type, too
      wrongLater: { args: {}, returns: t.u32, handleAsync: async () => 1n },
      // @ts-expect-error: handleAsync gives a promise
      wrongAsync: { args: {}, returns: t.u32, handleAsync: () => 1 },
      // @ts-expect-error: no such error
      wrongError: { args: {}, errors: ["ENOTHING"], handle: () => 0 },
      // @ts-expect-error: no system call that a host serves
      wrongSyscall: { args: {}, syscall: "nosuchcall", handle: () => 0 },
    },
  });
  // @ts-expect-error: no such error to throw
  errno("ENOTHING");
}

/** What a definition may say beside its hypercalls. Never called. */
export function definitions(): void {
  const clock = definePlugin({
    ...base,
    name: "clock",
    state: () => 1,
    service: (state) => ({ now: state }),
  });
  definePlugin({
    ...base,
    state: (ctx) => {
      const isFine: number = ctx.service(clock).now;
      // @ts-expect-error: the service has no such thing
      return isFine + ctx.service(clock).then;
    },
  });
  // @ts-expect-error: another ABI is another package
  definePlugin({ ...base, abi: 2 });
  // @ts-expect-error: a name is needed
  definePlugin({ version: "1.0.0", abi: 1 });
  // @ts-expect-error: no such hook
  definePlugin({ ...base, hooks: { stop() {} } });
  // @ts-expect-error: middleware answers as a handler does
  definePlugin({ ...base, middleware: [{ on: "*", handle: () => "text" }] });
  // @ts-expect-error: a struct's fields are scalars
  t.struct("s", { inner: "struct" });
}
