/**
 * SSE and SSE2. Moves and integers are the host's own 128-bit instructions. Floating point is the host's where MXCSR is plain
 * (`Engine.plainFloat`) and operands and result are normal numbers or exact zeros, so that no exception but the
 * sticky PE could have been raised; everything else is left to the other engine.
 */
import { Engine } from "../../layout.js";
import { type Emitter, type Handlers, L, TOP_TWO } from "../emitter.js";
import type { OpName, SimdName } from "../encoding.js";
import { Field } from "../records.js";

// --- moves ---

/** Pushes an XMM register. */
function xmm(e: Emitter, field: number): Emitter {
  e.field(field).code.v128("v128.load");
  return e;
}

/** `pointer` for 16 bytes that must be aligned: a misaligned operand is a fault. */
function alignedPointer(e: Emitter, writes: boolean): void {
  e.address();
  e.code.get(L.va).op("i32.wrap_i64").i32(15).op("i32.and").brIf(e.exits.bail);
  e.translate(16, writes);
}

const ZERO = new Array<number>(16).fill(0);

function addMoves(handlers: Handlers): void {
  for (const [name, point] of [
    ["movu", (e: Emitter, writes: boolean) => e.pointer(16, writes)],
    ["mova", alignedPointer],
  ] as const) {
    handlers.set(`${name}.rm`, (e) => {
      point(e, false);
      e.field(Field.destination).code.get(L.q).v128("v128.load").v128("v128.store");
      e.next();
    });
    handlers.set(`${name}.mr`, (e) => {
      point(e, true);
      e.code.get(L.q);
      xmm(e, Field.source).code.v128("v128.store");
      e.next();
    });
  }
  handlers.set("movx.rr", (e) => {
    xmm(e.field(Field.destination), Field.source).code.v128("v128.store");
    e.next();
  });
  // Of a general register or memory, zero-extended: MOVD, MOVQ, and loads of MOVSS and MOVSD.
  for (const [bytes, load] of [
    [4, "i64.load32_u"],
    [8, "i64.load"],
  ] as const) {
    const store = (e: Emitter) => {
      e.field(Field.destination).code.get(L.a).mem("i64.store");
      e.field(Field.destination).code.i64(0).mem("i64.store", 8);
      e.next();
    };
    handlers.set(`movzx.${bytes}.xr`, (e) => {
      e.field(Field.source).code.mem(load).set(L.a);
      store(e);
    });
    handlers.set(`movzx.${bytes}.xm`, (e) => {
      e.pointer(bytes).code.get(L.q).mem(load).set(L.a);
      store(e);
    });
    handlers.set(`movs.${bytes}.mx`, (e) => {
      e.pointer(bytes, true).code.get(L.q);
      e.field(Field.source);
      e.code.mem(load).mem(bytes === 4 ? "i64.store32" : "i64.store");
      e.next();
    });
    // One element; the rest of the destination stays.
    handlers.set(`movs.${bytes}.xx`, (e) => {
      e.field(Field.destination).field(Field.source);
      e.code.mem(load).mem(bytes === 4 ? "i64.store32" : "i64.store");
      e.next();
    });
  }
  handlers.set("movd.rx", (e) => {
    e.field(Field.destination).field(Field.source).code.mem("i64.load32_u").mem("i64.store");
    e.next();
  });
  handlers.set("movq.rx", (e) => {
    e.field(Field.destination).field(Field.source).code.mem("i64.load").mem("i64.store");
    e.next();
  });
  // Halves of a register from and to memory: the addresses of the fields already name the half.
  handlers.set("half.xm", (e) => {
    e.pointer(8).field(Field.destination).code.get(L.q).mem("i64.load").mem("i64.store");
    e.next();
  });
  handlers.set("half.xx", (e) => {
    e.field(Field.destination).field(Field.source).code.mem("i64.load").mem("i64.store");
    e.next();
  });
  handlers.set("half.mx", (e) => {
    e.pointer(8, true).code.get(L.q);
    e.field(Field.source).code.mem("i64.load").mem("i64.store");
    e.next();
  });
  for (const [name, mask] of [
    ["movmskps", "i32x4.bitmask"],
    ["movmskpd", "i64x2.bitmask"],
    ["pmovmskb", "i8x16.bitmask"],
  ] as const) {
    handlers.set(name, (e) => {
      xmm(e.field(Field.destination), Field.source).code.simd(mask).op("i64.extend_i32_u").mem("i64.store");
      e.next();
    });
  }
}

// --- packed integers ---

/** Destination and source, lane by lane. */
const LANES: Readonly<Record<string, SimdName>> = {
  paddb: "i8x16.add",
  paddw: "i16x8.add",
  paddd: "i32x4.add",
  paddq: "i64x2.add",
  psubb: "i8x16.sub",
  psubw: "i16x8.sub",
  psubd: "i32x4.sub",
  psubq: "i64x2.sub",
  paddsb: "i8x16.add_sat_s",
  paddsw: "i16x8.add_sat_s",
  paddusb: "i8x16.add_sat_u",
  paddusw: "i16x8.add_sat_u",
  psubsb: "i8x16.sub_sat_s",
  psubsw: "i16x8.sub_sat_s",
  psubusb: "i8x16.sub_sat_u",
  psubusw: "i16x8.sub_sat_u",
  pavgb: "i8x16.avgr_u",
  pavgw: "i16x8.avgr_u",
  pminub: "i8x16.min_u",
  pmaxub: "i8x16.max_u",
  pminsw: "i16x8.min_s",
  pmaxsw: "i16x8.max_s",
  pmullw: "i16x8.mul",
  pmaddwd: "i32x4.dot_i16x8_s",
  pcmpeqb: "i8x16.eq",
  pcmpeqw: "i16x8.eq",
  pcmpeqd: "i32x4.eq",
  pcmpgtb: "i8x16.gt_s",
  pcmpgtw: "i16x8.gt_s",
  pcmpgtd: "i32x4.gt_s",
  pand: "v128.and",
  por: "v128.or",
  pxor: "v128.xor",
  packsswb: "i8x16.narrow_i16x8_s",
  packuswb: "i8x16.narrow_i16x8_u",
  packssdw: "i16x8.narrow_i32x4_s",
};

/** PSLL, PSRL and PSRA by an immediate: lane, its width, and what a count too large gives. */
const LANE_SHIFTS: readonly (readonly [name: string, simd: SimdName, bits: number])[] = [
  ["psllw", "i16x8.shl", 16],
  ["psrlw", "i16x8.shr_u", 16],
  ["psraw", "i16x8.shr_s", 16],
  ["pslld", "i32x4.shl", 32],
  ["psrld", "i32x4.shr_u", 32],
  ["psrad", "i32x4.shr_s", 32],
  ["psllq", "i64x2.shl", 64],
  ["psrlq", "i64x2.shr_u", 64],
];

/** Bytes of both operands in the order of the result: 0 to 15 destination, 16 to 31 source. */
function interleave(bytes: number, high: boolean): number[] {
  const from = high ? 8 : 0;
  return Array.from({ length: 16 }, (_, n) => {
    const element = Math.floor(n / bytes);
    return from + Math.floor(element / 2) * bytes + (n % bytes) + (element & 1 ? 16 : 0);
  });
}

const SHUFFLES: Readonly<Record<string, readonly number[]>> = {
  punpcklbw: interleave(1, false),
  punpcklwd: interleave(2, false),
  punpckldq: interleave(4, false),
  punpcklqdq: interleave(8, false),
  punpckhbw: interleave(1, true),
  punpckhwd: interleave(2, true),
  punpckhdq: interleave(4, true),
  punpckhqdq: interleave(8, true),
};

function addPackedIntegers(handlers: Handlers): void {
  for (const [name, simd] of Object.entries(LANES)) {
    handlers.set(name, (e) => {
      e.field(Field.destination);
      xmm(xmm(e, Field.destination), Field.source).code.simd(simd).v128("v128.store");
      e.next();
    });
  }
  handlers.set("pandn", (e) => {
    // ANDNOT complements its second operand, PANDN its first.
    e.field(Field.destination);
    xmm(xmm(e, Field.source), Field.destination).code.simd("v128.andnot").v128("v128.store");
    e.next();
  });
  for (const [name, bytes] of Object.entries(SHUFFLES)) {
    handlers.set(name, (e) => {
      e.field(Field.destination);
      xmm(xmm(e, Field.destination), Field.source)
        .code.simd("i8x16.shuffle", ...bytes)
        .v128("v128.store");
      e.next();
    });
  }
  for (const [name, simd] of LANE_SHIFTS) {
    handlers.set(name, (e) => {
      e.field(Field.destination);
      xmm(e, Field.destination).immediate32().code.simd(simd).v128("v128.store");
      e.next();
    });
  }
  handlers.set("clear.x", (e) => {
    e.field(Field.destination).code.v128const(ZERO).v128("v128.store");
    e.next();
  });
  handlers.set("pshufd", (e) => {
    // Four loads of what the immediate selects: its two-bit fields, already turned into offsets.
    const { code } = e;
    const word = (n: number) => {
      e.field(Field.source)
        .code.get(L.p)
        .mem("i32.load8_u", Field.immediate + n)
        .op("i32.add")
        .mem("i64.load32_u");
    };
    word(0);
    word(1);
    code.i64(32).op("i64.shl", "i64.or").set(L.a);
    word(2);
    word(3);
    code.i64(32).op("i64.shl", "i64.or").set(L.b);
    e.field(Field.destination).code.get(L.a).mem("i64.store");
    e.field(Field.destination).code.get(L.b).mem("i64.store", 8);
    e.next();
  });
  handlers.set("shufps", (e) => {
    const { code } = e;
    const word = (n: number, field: number) => {
      e.field(field)
        .code.get(L.p)
        .mem("i32.load8_u", Field.immediate + n)
        .op("i32.add")
        .mem("i64.load32_u");
    };
    word(0, Field.destination);
    word(1, Field.destination);
    code.i64(32).op("i64.shl", "i64.or").set(L.a);
    word(2, Field.source);
    word(3, Field.source);
    code.i64(32).op("i64.shl", "i64.or").set(L.b);
    e.field(Field.destination).code.get(L.a).mem("i64.store");
    e.field(Field.destination).code.get(L.b).mem("i64.store", 8);
    e.next();
  });
}

// --- floating point ---

/** Leaves for the other engine unless MXCSR is plain. */
function requirePlain(e: Emitter): void {
  e.code.i32(0).mem("i32.load", Engine.plainFloat).op("i32.eqz").brIf(e.exits.bail);
}

/** A scalar format: locals, instruction prefix, and the constants of its bits. */
interface Scalar {
  readonly a: number;
  readonly b: number;
  readonly x: number;
  readonly f: "f32" | "f64";
  readonly i: "i32" | "i64";
  readonly load: "f32.load" | "f64.load";
  readonly store: "f32.store" | "f64.store";
  readonly bits: OpName;
  /** Bits without the sign; the smallest normal number; how far the exponent is shifted, its mask, its largest finite value. */
  readonly magnitude: bigint;
  readonly normal: bigint;
  readonly exponent: number;
  readonly largest: number;
}

const DOUBLE: Scalar = {
  a: L.fa,
  b: L.fb,
  x: L.fx,
  f: "f64",
  i: "i64",
  load: "f64.load",
  store: "f64.store",
  bits: "i64.reinterpret_f64",
  magnitude: 0x7fffffffffffffffn,
  normal: 0x0010000000000000n,
  exponent: 52,
  largest: 0x7fe,
};

const SINGLE: Scalar = {
  a: L.sa,
  b: L.sb,
  x: L.sx,
  f: "f32",
  i: "i32",
  load: "f32.load",
  store: "f32.store",
  bits: "i32.reinterpret_f32",
  magnitude: 0x7fffffffn,
  normal: 0x00800000n,
  exponent: 23,
  largest: 0xfe,
};

function constant(e: Emitter, { i }: Scalar, value: bigint): void {
  if (i === "i64") e.code.i64(value);
  else e.code.i32(Number(BigInt.asIntN(32, value)));
}

/** Pushes whether a local is denormal: its magnitude, less one, is below the smallest normal number less one. */
function isDenormal(e: Emitter, s: Scalar, local: number): void {
  const { code } = e;
  code.get(local).op(s.bits);
  constant(e, s, s.magnitude);
  code.op(`${s.i}.and`);
  constant(e, s, 1n);
  code.op(`${s.i}.sub`);
  constant(e, s, s.normal - 1n);
  code.op(`${s.i}.lt_u`);
}

/** Pushes whether a local is neither normal nor a zero: denormal, infinite, or no number. */
function isUnusual(e: Emitter, s: Scalar, local: number): void {
  const { code } = e;
  code.get(local).op(s.bits);
  constant(e, s, s.magnitude);
  code.op(`${s.i}.and`);
  constant(e, s, s.normal);
  code.op(`${s.i}.sub`);
  constant(e, s, BigInt(s.largest) << BigInt(s.exponent));
  code.op(`${s.i}.ge_u`);
  code.get(local).op(s.bits);
  constant(e, s, s.magnitude);
  code.op(`${s.i}.and`);
  constant(e, s, 0n);
  code.op(`${s.i}.ne`, "i32.and");
}

/** Pushes whether a local is not normal: zero too. */
function isNotNormal(e: Emitter, s: Scalar, local: number): void {
  const { code } = e;
  code.get(local).op(s.bits);
  constant(e, s, s.magnitude);
  code.op(`${s.i}.and`);
  constant(e, s, s.normal);
  code.op(`${s.i}.sub`);
  constant(e, s, BigInt(s.largest) << BigInt(s.exponent));
  code.op(`${s.i}.ge_u`);
}

/** Loads `a` from the destination and `b` from the source register or memory. */
function scalarOperands(e: Emitter, s: Scalar, memory: boolean): void {
  if (memory) e.pointer(s.f === "f64" ? 8 : 4).code.get(L.q);
  else e.field(Field.source);
  e.code.mem(s.load).set(s.b);
  e.field(Field.destination).code.mem(s.load).set(s.a);
}

/** Leaves unless `x` is normal, or an exact zero; infinities and NaNs among the operands show in it. */
function checkResult(e: Emitter, s: Scalar, zeroIsExact: boolean): void {
  const { code, exits } = e;
  isNotNormal(e, s, s.x);
  code.if();
  if (zeroIsExact) {
    isUnusual(e, s, s.x);
    code.brIf(exits.bail);
    isUnusual(e, s, s.a);
    code.brIf(exits.bail);
  } else {
    // Zero times or over something: exact if an operand is zero.
    code.get(s.x).op(s.bits);
    constant(e, s, s.magnitude);
    code.op(`${s.i}.and`);
    constant(e, s, 0n);
    code.op(`${s.i}.ne`).brIf(exits.bail);
    isUnusual(e, s, s.a);
    isUnusual(e, s, s.b);
    code.op("i32.or").brIf(exits.bail);
    isNotNormal(e, s, s.a);
    isNotNormal(e, s, s.b);
    code.op("i32.or", "i32.eqz").brIf(exits.bail);
  }
  code.end();
  isDenormal(e, s, s.a);
  isDenormal(e, s, s.b);
  code.op("i32.or").brIf(exits.bail);
}

function storeScalar(e: Emitter, s: Scalar): void {
  e.field(Field.destination).code.get(s.x).mem(s.store);
  e.next();
}

const ARITHMETIC = [
  ["add", true],
  ["sub", true],
  ["mul", false],
  ["div", false],
] as const;

function addScalars(handlers: Handlers): void {
  for (const [suffix, s] of [
    ["sd", DOUBLE],
    ["ss", SINGLE],
  ] as const) {
    for (const memory of [false, true]) {
      const kind = memory ? "xm" : "xx";
      for (const [name, zeroIsExact] of ARITHMETIC) {
        handlers.set(`${name}${suffix}.${kind}`, (e) => {
          requirePlain(e);
          scalarOperands(e, s, memory);
          e.code.get(s.a).get(s.b).op(`${s.f}.${name}`).set(s.x);
          checkResult(e, s, zeroIsExact);
          storeScalar(e, s);
        });
      }
      handlers.set(`sqrt${suffix}.${kind}`, (e) => {
        requirePlain(e);
        scalarOperands(e, s, memory);
        e.code.get(s.b).op(`${s.f}.sqrt`).set(s.x);
        isNotNormal(e, s, s.x);
        isDenormal(e, s, s.b);
        e.code.op("i32.or").brIf(e.exits.bail);
        storeScalar(e, s);
      });
      for (const [name, comparison] of [
        ["min", "lt"],
        ["max", "gt"],
      ] as const) {
        handlers.set(`${name}${suffix}.${kind}`, (e) => {
          requireUsual(e, s, memory);
          e.code.get(s.a).get(s.b).get(s.a).get(s.b).op(`${s.f}.${comparison}`, "select").set(s.x);
          storeScalar(e, s);
        });
      }
      handlers.set(`comis${suffix[1]}.${kind}`, (e) => {
        requireUsual(e, s, memory);
        compareFlags(e, s);
        e.next();
      });
    }
  }
}

/** Operands that raise nothing when they are compared: normal numbers and zeros. */
function requireUsual(e: Emitter, s: Scalar, memory: boolean): void {
  scalarOperands(e, s, memory);
  isUnusual(e, s, s.a);
  isUnusual(e, s, s.b);
  e.code.op("i32.or").brIf(e.exits.bail);
}

/** ZF for equal and CF for less; PF, SF, OF and AF are clear. */
function compareFlags(e: Emitter, s: Scalar): void {
  const { code } = e;
  code.get(s.a).get(s.b).op(`${s.f}.eq`).set(L.ia);
  // Not equal: 1, which has neither sign nor even parity. Equal: 0, of which PF is inverted.
  code.get(L.ia).op("i32.eqz", "i64.extend_i32_u").set(L.r);
  code.get(L.ia).i32(8).op("i32.shl").set(L.n);
  code.i64(TOP_TWO).i64(0).get(s.a).get(s.b).op(`${s.f}.lt`, "select").set(L.c);
}

function addConversions(handlers: Handlers): void {
  for (const memory of [false, true]) {
    const kind = memory ? "m" : "r";
    const integer = (e: Emitter, size: 32 | 64) => {
      if (memory) e.pointer(size / 8).code.get(L.q);
      else e.field(Field.source);
      e.code.mem(size === 32 ? "i32.load" : "i64.load");
    };
    handlers.set(`cvtsi2sd.32.x${kind}`, (e) => {
      integer(e, 32);
      e.code.op("f64.convert_i32_s").set(L.fx);
      storeScalar(e, DOUBLE);
    });
    for (const [name, size, op, s] of [
      ["cvtsi2sd.64", 64, "f64.convert_i64_s", DOUBLE],
      ["cvtsi2ss.32", 32, "f32.convert_i32_s", SINGLE],
      ["cvtsi2ss.64", 64, "f32.convert_i64_s", SINGLE],
    ] as const) {
      handlers.set(`${name}.x${kind}`, (e) => {
        requirePlain(e);
        integer(e, size);
        e.code.op(op).set(s.x);
        storeScalar(e, s);
      });
    }
  }
  addTruncations(handlers);
  for (const memory of [false, true]) {
    const kind = memory ? "xm" : "xx";
    handlers.set(`cvtss2sd.${kind}`, (e) => {
      if (memory) e.pointer(4).code.get(L.q);
      else e.field(Field.source);
      e.code.mem("f32.load").set(L.sb);
      isUnusual(e, SINGLE, L.sb);
      e.code.brIf(e.exits.bail).get(L.sb).op("f64.promote_f32").set(L.fx);
      storeScalar(e, DOUBLE);
    });
    handlers.set(`cvtsd2ss.${kind}`, (e) => {
      requirePlain(e);
      if (memory) e.pointer(8).code.get(L.q);
      else e.field(Field.source);
      e.code.mem("f64.load").tee(L.fb).op("f32.demote_f64").set(L.sx);
      isNotNormal(e, SINGLE, L.sx);
      e.code.if();
      // Only zero gives zero without an exception.
      e.code
        .get(L.fb)
        .op("i64.reinterpret_f64")
        .i64(1)
        .op("i64.shl", "i64.eqz", "i32.eqz")
        .brIf(e.exits.bail)
        .end();
      storeScalar(e, SINGLE);
    });
  }
}

/** CVTTSD2SI and CVTTSS2SI of what fits: the rest gives the indefinite integer, and exceptions. */
function addTruncations(handlers: Handlers): void {
  for (const [suffix, s] of [
    ["sd", DOUBLE],
    ["ss", SINGLE],
  ] as const) {
    for (const memory of [false, true]) {
      for (const size of [32, 64] as const) {
        handlers.set(`cvtt${suffix}2si.${size}.${memory ? "rm" : "rx"}`, (e) => {
          const { code } = e;
          requirePlain(e);
          if (memory) e.pointer(s.f === "f64" ? 8 : 4).code.get(L.q);
          else e.field(Field.source);
          code.mem(s.load).set(s.b);
          // The exponent says whether it fits; the most negative number itself is left out.
          code.get(s.b).op(s.bits);
          constant(e, s, s.magnitude);
          code.op(`${s.i}.and`);
          constant(e, s, BigInt((s.f === "f64" ? 1023 : 127) + size - 1) << BigInt(s.exponent));
          code.op(`${s.i}.ge_u`).brIf(e.exits.bail);
          code.get(s.b).op(`i${size}.trunc_${s.f}_s` as OpName);
          if (size === 32) code.op("i64.extend_i32_u");
          code.set(L.x);
          e.store(Field.destination, 64, L.x).next();
        });
      }
    }
  }
}

export function addSse(handlers: Handlers): void {
  addMoves(handlers);
  addPackedIntegers(handlers);
  addScalars(handlers);
  addConversions(handlers);
}
