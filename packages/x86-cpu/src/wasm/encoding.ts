/**
 * Writes WebAssembly: the binary format of functions and modules, as much of it as the engine's module needs.
 * WebAssembly Core Specification 2.0, "Binary Format".
 */

export const Type = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b, none: 0x40 } as const;

/** Plain instructions, by their names in the text format. */
export const Op = {
  unreachable: 0x00,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  "i32.eqz": 0x45,
  "i32.eq": 0x46,
  "i32.ne": 0x47,
  "i32.lt_s": 0x48,
  "i32.lt_u": 0x49,
  "i32.gt_s": 0x4a,
  "i32.gt_u": 0x4b,
  "i32.le_s": 0x4c,
  "i32.le_u": 0x4d,
  "i32.ge_s": 0x4e,
  "i32.ge_u": 0x4f,
  "i64.eqz": 0x50,
  "i64.eq": 0x51,
  "i64.ne": 0x52,
  "i64.lt_s": 0x53,
  "i64.lt_u": 0x54,
  "i64.gt_s": 0x55,
  "i64.gt_u": 0x56,
  "i64.le_s": 0x57,
  "i64.le_u": 0x58,
  "i64.ge_s": 0x59,
  "i64.ge_u": 0x5a,
  "f32.eq": 0x5b,
  "f32.lt": 0x5d,
  "f32.gt": 0x5e,
  "f64.eq": 0x61,
  "f64.lt": 0x63,
  "f64.gt": 0x64,
  "i32.clz": 0x67,
  "i32.ctz": 0x68,
  "i32.popcnt": 0x69,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.mul": 0x6c,
  "i32.div_s": 0x6d,
  "i32.div_u": 0x6e,
  "i32.rem_s": 0x6f,
  "i32.rem_u": 0x70,
  "i32.and": 0x71,
  "i32.or": 0x72,
  "i32.xor": 0x73,
  "i32.shl": 0x74,
  "i32.shr_s": 0x75,
  "i32.shr_u": 0x76,
  "i32.rotl": 0x77,
  "i32.rotr": 0x78,
  "i64.clz": 0x79,
  "i64.ctz": 0x7a,
  "i64.add": 0x7c,
  "i64.sub": 0x7d,
  "i64.mul": 0x7e,
  "i64.div_s": 0x7f,
  "i64.div_u": 0x80,
  "i64.rem_s": 0x81,
  "i64.rem_u": 0x82,
  "i64.and": 0x83,
  "i64.or": 0x84,
  "i64.xor": 0x85,
  "i64.shl": 0x86,
  "i64.shr_s": 0x87,
  "i64.shr_u": 0x88,
  "i64.rotl": 0x89,
  "i64.rotr": 0x8a,
  "f32.abs": 0x8b,
  "f32.sqrt": 0x91,
  "f32.add": 0x92,
  "f32.sub": 0x93,
  "f32.mul": 0x94,
  "f32.div": 0x95,
  "f64.abs": 0x99,
  "f64.sqrt": 0x9f,
  "f64.add": 0xa0,
  "f64.sub": 0xa1,
  "f64.mul": 0xa2,
  "f64.div": 0xa3,
  "i32.wrap_i64": 0xa7,
  "i32.trunc_f32_s": 0xa8,
  "i32.trunc_f64_s": 0xaa,
  "i64.extend_i32_s": 0xac,
  "i64.extend_i32_u": 0xad,
  "i64.trunc_f32_s": 0xae,
  "i64.trunc_f64_s": 0xb0,
  "f32.convert_i32_s": 0xb2,
  "f32.convert_i64_s": 0xb4,
  "f32.demote_f64": 0xb6,
  "f64.convert_i32_s": 0xb7,
  "f64.convert_i64_s": 0xb9,
  "f64.promote_f32": 0xbb,
  "i32.reinterpret_f32": 0xbc,
  "i64.reinterpret_f64": 0xbd,
  "f32.reinterpret_i32": 0xbe,
  "f64.reinterpret_i64": 0xbf,
  "i32.extend8_s": 0xc0,
  "i32.extend16_s": 0xc1,
  "i64.extend8_s": 0xc2,
  "i64.extend16_s": 0xc3,
  "i64.extend32_s": 0xc4,
} as const;

export type OpName = keyof typeof Op;

/** Loads and stores: opcode, and log2 of the natural alignment. */
export const Memory = {
  "i32.load": [0x28, 2],
  "i64.load": [0x29, 3],
  "f32.load": [0x2a, 2],
  "f64.load": [0x2b, 3],
  "i32.load8_s": [0x2c, 0],
  "i32.load8_u": [0x2d, 0],
  "i32.load16_s": [0x2e, 1],
  "i32.load16_u": [0x2f, 1],
  "i64.load8_s": [0x30, 0],
  "i64.load8_u": [0x31, 0],
  "i64.load16_s": [0x32, 1],
  "i64.load16_u": [0x33, 1],
  "i64.load32_s": [0x34, 2],
  "i64.load32_u": [0x35, 2],
  "i32.store": [0x36, 2],
  "i64.store": [0x37, 3],
  "f32.store": [0x38, 2],
  "f64.store": [0x39, 3],
  "i32.store8": [0x3a, 0],
  "i32.store16": [0x3b, 1],
  "i64.store8": [0x3c, 0],
  "i64.store16": [0x3d, 1],
  "i64.store32": [0x3e, 2],
} as const;

export type MemoryName = keyof typeof Memory;

/** Instructions with the FD prefix that the engine uses. */
export const Simd = {
  "v128.load": 0,
  "v128.store": 11,
  "v128.const": 12,
  "i8x16.shuffle": 13,
  "i8x16.eq": 35,
  "i8x16.gt_s": 39,
  "i16x8.eq": 45,
  "i16x8.gt_s": 49,
  "i32x4.eq": 55,
  "i32x4.gt_s": 59,
  "i32x4.lt_u": 58,
  "v128.not": 77,
  "v128.and": 78,
  "v128.andnot": 79,
  "v128.or": 80,
  "v128.xor": 81,
  "v128.any_true": 83,
  "i8x16.bitmask": 100,
  "i8x16.narrow_i16x8_s": 101,
  "i8x16.narrow_i16x8_u": 102,
  "i8x16.add": 110,
  "i8x16.add_sat_s": 111,
  "i8x16.add_sat_u": 112,
  "i8x16.sub": 113,
  "i8x16.sub_sat_s": 114,
  "i8x16.sub_sat_u": 115,
  "i8x16.min_u": 119,
  "i8x16.max_u": 121,
  "i8x16.avgr_u": 123,
  "i16x8.narrow_i32x4_s": 133,
  "i16x8.shl": 139,
  "i16x8.shr_s": 140,
  "i16x8.shr_u": 141,
  "i16x8.add": 142,
  "i16x8.add_sat_s": 143,
  "i16x8.add_sat_u": 144,
  "i16x8.sub": 145,
  "i16x8.sub_sat_s": 146,
  "i16x8.sub_sat_u": 147,
  "i16x8.mul": 149,
  "i16x8.min_s": 150,
  "i16x8.max_s": 152,
  "i16x8.avgr_u": 155,
  "i32x4.bitmask": 164,
  "i32x4.shl": 171,
  "i32x4.shr_s": 172,
  "i32x4.shr_u": 173,
  "i32x4.add": 174,
  "i32x4.sub": 177,
  "i32x4.dot_i16x8_s": 186,
  "i64x2.bitmask": 196,
  "i64x2.shl": 203,
  "i64x2.shr_u": 205,
  "i64x2.add": 206,
  "i64x2.sub": 209,
} as const;

export type SimdName = keyof typeof Simd;

/** A buffer that grows, with the format's integers. */
export class ByteWriter {
  private buffer = new Uint8Array(1024);
  length = 0;

  byte(value: number): this {
    if (this.length === this.buffer.length) this.grow(1);
    this.buffer[this.length++] = value;
    return this;
  }

  private grow(atLeast: number): void {
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + atLeast));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }

  bytes(values: Uint8Array | readonly number[]): this {
    if (this.length + values.length > this.buffer.length) this.grow(values.length);
    this.buffer.set(values, this.length);
    this.length += values.length;
    return this;
  }

  /** LEB128, unsigned. */
  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    return this.byte(rest);
  }

  /** LEB128, signed. */
  s32(value: number): this {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    return this.byte(rest & 0x7f);
  }

  s64(value: bigint): this {
    let rest = BigInt.asIntN(64, value);
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    return this.byte(Number(rest & 0x7fn));
  }

  /** A vector of bytes with its length in front. */
  sized(content: ByteWriter): this {
    return this.u32(content.length).bytes(content.result());
  }

  name(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.u32(bytes.length).bytes(bytes);
  }

  result(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}

/** A function of the module, or one that it imports. */
export interface FunctionType {
  readonly parameters: readonly number[];
  readonly results: readonly number[];
}

export interface ModuleDescription {
  /** Of the imported memory, as it was made; it may have any size. */
  readonly shared: boolean;
  /** Functions that come from outside, `env.name`. They have the first indices. */
  readonly imports: readonly { readonly name: string; readonly type: FunctionType }[];
  readonly functions: readonly {
    readonly name: string;
    readonly type: FunctionType;
    /** Locals and body, without the closing `end`. */
    readonly body: ByteWriter;
  }[];
}

/** What a 32-bit memory can have. */
const MAX_PAGES = 65536;
const MAGIC = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const Section = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const;

function section(out: ByteWriter, id: number, count: number, write: (content: ByteWriter) => void): void {
  const content = new ByteWriter().u32(count);
  write(content);
  out.byte(id).sized(content);
}

/** Bytes of a module that imports `env.memory` and exports all its functions. */
export function encodeModule({ shared, imports, functions }: ModuleDescription): Uint8Array {
  const out = new ByteWriter().bytes(MAGIC);
  const all = [...imports, ...functions];
  section(out, Section.type, all.length, (content) => {
    for (const { type } of all) {
      content.byte(0x60).u32(type.parameters.length).bytes(type.parameters);
      content.u32(type.results.length).bytes(type.results);
    }
  });
  section(out, Section.import, imports.length + 1, (content) => {
    imports.forEach(({ name }, index) => {
      content.name("env").name(name).byte(0).u32(index);
    });
    content.name("env").name("memory").byte(2);
    content
      .byte(shared ? 3 : 1)
      .u32(1)
      .u32(MAX_PAGES);
  });
  section(out, Section.function, functions.length, (content) => {
    functions.forEach((_, index) => {
      content.u32(imports.length + index);
    });
  });
  section(out, Section.export, functions.length, (content) => {
    functions.forEach(({ name }, index) => {
      content
        .name(name)
        .byte(0)
        .u32(imports.length + index);
    });
  });
  section(out, Section.code, functions.length, (content) => {
    for (const { body } of functions) {
      body.byte(0x0b);
      content.sized(body);
    }
  });
  return out.result();
}
