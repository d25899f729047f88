/**
 * From registers to a handler's arguments, and from its result to rax.
 *
 * Each row is compiled once, at registration. Scalars, strings and structs are checked and copied before the handler
 * sees them, so nothing is read twice; buffers become physical extents; `out` values are written after the handler
 * succeeded, and only then.
 */
import type { ArgumentType, ScalarKind, StructField, StructFields } from "@kvmkit/guest-kernel/abi";
import { REG } from "./accelerators/accelerator.js";
import { isPointedScalar } from "./argument-types.js";
import type { HandleTable } from "./handle-table.js";
import { errno } from "./host/errno.js";
import type { GuestSpace } from "./memory/guest-space.js";
import type { HandlerResult } from "./plugin.js";
import { sizeField, structLayout } from "./struct-layout.js";

/** What a call decodes from. */
export interface CallSource {
  readonly registers: BigUint64Array;
  readonly registers32: Uint32Array;
  readonly space: GuestSpace;
  handles(of: string): HandleTable<unknown>;
}

/** What is written when the handler succeeded. Absent for calls that have no such argument. */
export interface CallFrame {
  readonly commits: (() => void)[];
}

type Decoder = (source: CallSource, frame: CallFrame) => unknown;

export interface CompiledArguments {
  decode(source: CallSource, frame: CallFrame): Record<string, unknown>;
  /** Whether a call can leave something in its frame. */
  readonly needsFrame: boolean;
}

/** The registers that carry arguments, in order, as indices of `struct kvm_regs` (guest-kernel's abi/hypercalls.ts). */
export const ARGUMENT_REGISTERS = [REG.rdi, REG.rsi, REG.rdx, REG.r10, REG.r8, REG.r9] as const;

export interface CompileOptions {
  /** A longer buffer is cut, as Linux does for its system calls, instead of refused. */
  readonly cutBuffers: boolean;
}

/** Compiles a row's arguments. */
export function compileArguments(
  args: Readonly<Record<string, ArgumentType>>,
  options: CompileOptions,
): CompiledArguments {
  const decoders: { name: string; decode: Decoder }[] = [];
  let position = 0;
  let needsFrame = false;
  for (const [name, type] of Object.entries(args)) {
    decoders.push({ name, decode: decoderOf(type, position, options) });
    position += type.kind === "buffer" ? 2 : 1;
    needsFrame ||= type.kind === "struct";
  }
  return {
    needsFrame,
    decode(source, frame) {
      const values: Record<string, unknown> = {};
      for (const { name, decode } of decoders) values[name] = decode(source, frame);
      return values;
    },
  };
}

const scratch = new DataView(new ArrayBuffer(8));

const scalarDecoders: Record<ScalarKind, (source: CallSource, register: number) => unknown> = {
  u8: ({ registers32 }, register) => registers32[register * 2]! & 0xff,
  u16: ({ registers32 }, register) => registers32[register * 2]! & 0xffff,
  u32: ({ registers32 }, register) => registers32[register * 2]!,
  i8: ({ registers32 }, register) => (registers32[register * 2]! << 24) >> 24,
  i16: ({ registers32 }, register) => (registers32[register * 2]! << 16) >> 16,
  i32: ({ registers32 }, register) => registers32[register * 2]! | 0,
  // _Bool is the low 8 bits (psABI, "Parameter Passing").
  bool: ({ registers32 }, register) => (registers32[register * 2]! & 0xff) !== 0,
  u64: ({ registers }, register) => registers[register]!,
  i64: ({ registers }, register) => BigInt.asIntN(64, registers[register]!),
  pointer: ({ registers }, register) => registers[register]!,
  f64: ({ registers }, register) => {
    scratch.setBigUint64(0, registers[register]!);
    return scratch.getFloat64(0);
  },
};

function decoderOf(type: ArgumentType, position: number, options: CompileOptions): Decoder {
  const register = ARGUMENT_REGISTERS[position]!;
  switch (type.kind) {
    case "cstring":
      return ({ registers, space }) => space.cstring(registers[register]!, type.maxBytes);
    case "buffer":
      return bufferDecoder(type, register, ARGUMENT_REGISTERS[position + 1]!, options);
    case "enum":
      return enumDecoder(type, register);
    case "handle":
      return (source) => source.handles(type.of).get(source.registers32[register * 2]!);
    case "struct":
      return structDecoder(type, register, options);
    default: {
      const decode = scalarDecoders[type.kind];
      return (source) => decode(source, register);
    }
  }
}

type BufferArgument = Extract<ArgumentType, { kind: "buffer" }>;
type EnumArgument = Extract<ArgumentType, { kind: "enum" }>;

function bufferDecoder(
  type: BufferArgument,
  pointer: number,
  length: number,
  options: CompileOptions,
): Decoder {
  return ({ registers, registers32, space }) => {
    const lengthBytes =
      registers32[length * 2 + 1] === 0 ? registers32[length * 2]! : Number.POSITIVE_INFINITY;
    return space.buffer(registers[pointer]!, boundedLength(type, lengthBytes, options), type.direction);
  };
}

function boundedLength({ maxBytes }: BufferArgument, length: number, { cutBuffers }: CompileOptions): number {
  if (length <= maxBytes) return length;
  if (!cutBuffers) throw errno("EMSGSIZE");
  return maxBytes;
}

function enumDecoder(type: EnumArgument, register: number): Decoder {
  const nameOf = enumNames(type);
  const decode = scalarDecoders[type.repr];
  return (source) => nameOf(decode(source, register));
}

/** The name of a number. Errors: EINVAL. */
function enumNames(type: EnumArgument): (value: unknown) => string {
  const names = new Map(Object.entries(type.values).map(([name, value]) => [BigInt(value), name]));
  return (value) => {
    const name = names.get(BigInt(value as number | bigint));
    if (name === undefined) throw errno("EINVAL");
    return name;
  };
}

type Fields = Record<string, unknown>;
/** Puts what a handler sees in place of a field's scalars. */
type FieldDecoder = (fields: Fields, source: CallSource) => void;

function fieldDecoders(fields: StructFields, options: CompileOptions): FieldDecoder[] {
  return Object.entries(fields).flatMap(([name, type]): FieldDecoder[] =>
    typeof type === "string" ? [] : [fieldDecoder(name, type, options)],
  );
}

function fieldDecoder(
  name: string,
  type: Exclude<StructField, ScalarKind>,
  options: CompileOptions,
): FieldDecoder {
  switch (type.kind) {
    case "enum": {
      const nameOf = enumNames(type);
      return (fields) => {
        fields[name] = nameOf(fields[name]);
      };
    }
    case "handle":
      return (fields, source) => {
        fields[name] = source.handles(type.of).get(fields[name] as number);
      };
    case "cstring":
      return (fields, { space }) => {
        fields[name] = space.cstring(fields[name] as bigint, type.maxBytes);
      };
    default: {
      const size = sizeField(name);
      return (fields, { space }) => {
        const length = boundedLength(type, Number(fields[size]), options);
        fields[name] = space.buffer(fields[name] as bigint, length, type.direction);
        delete fields[size];
      };
    }
  }
}

/** Numbers in place of the names of enums. Errors: TypeError for what is no name. */
function fieldEncoder(fields: StructFields): (value: Fields) => Fields {
  const enums = Object.entries(fields).flatMap(([name, type]) =>
    typeof type === "object" && type.kind === "enum" ? [{ name, encode: compileResult(type) }] : [],
  );
  if (enums.length === 0) return (value) => value;
  return (value) => ({
    ...value,
    ...Object.fromEntries(enums.map(({ name, encode }) => [name, encode(value[name] as HandlerResult)])),
  });
}

function structDecoder(
  type: Extract<ArgumentType, { kind: "struct" }>,
  register: number,
  options: CompileOptions,
): Decoder {
  const layout = structLayout(type.fields);
  const decoders = fieldDecoders(type.fields, options);
  const numbered = fieldEncoder(type.fields);
  const unwrap = isPointedScalar(type);
  const readFrom = (source: CallSource): unknown => {
    const bytes = source.space.read(source.registers[register]!, layout.sizeBytes);
    const fields: Fields = layout.decode(bytes);
    for (const decode of decoders) decode(fields, source);
    return unwrap ? fields["value"] : fields;
  };
  if (type.direction === "in") return readFrom;
  return (source, { commits }) => {
    const { registers, space } = source;
    const address = registers[register]!;
    // Both before the handler: what cannot be written later is refused now, and nothing is read again.
    space.extents(address, layout.sizeBytes, true);
    const current = type.direction === "inout" ? readFrom(source) : undefined;
    let encoded: Uint8Array | undefined;
    commits.push(() => {
      if (encoded !== undefined) space.write(address, encoded);
    });
    return {
      value: current,
      set(next: unknown) {
        encoded = layout.encode(unwrap ? { value: next } : numbered(next as Fields));
      },
    };
  };
}

/** The value for rax: a number in its low 53 bits, or a bigint. Errors: TypeError for what is neither. */
export type EncodeResult = (result: HandlerResult) => number | bigint;

export function compileResult(type: ArgumentType): EncodeResult {
  if (type.kind === "enum") {
    return (result) => {
      const value = type.values[String(result)];
      if (value === undefined)
        throw new TypeError(`the handler returned ${String(result)}, which is not a name of its enum`);
      return value;
    };
  }
  if (type.kind === "f64") {
    return (result) => {
      // A NaN's sign and payload could look like an errno.
      scratch.setFloat64(0, Number.isNaN(result) ? Number.NaN : Number(result));
      return scratch.getBigUint64(0);
    };
  }
  return encodeInteger;
}

function encodeInteger(result: HandlerResult): number | bigint {
  if (typeof result === "bigint") return result;
  if (typeof result === "number") {
    if (Number.isSafeInteger(result)) return result;
    throw new TypeError(`the handler returned ${result}, which is not an integer`);
  }
  if (result === undefined) return 0;
  if (typeof result === "boolean") return result ? 1 : 0;
  throw new TypeError(`the handler returned a ${typeof result}, not an integer`);
}

/** Puts a result into rax. */
export function writeResult(
  registers: BigUint64Array,
  registers32: Uint32Array,
  result: number | bigint,
): void {
  if (typeof result === "bigint") {
    registers[REG.rax] = result;
  } else {
    registers32[REG.rax * 2] = result;
    registers32[REG.rax * 2 + 1] = Math.floor(result / 2 ** 32);
  }
}
