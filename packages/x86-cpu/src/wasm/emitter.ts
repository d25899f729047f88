/**
 * What handlers are made of: locals, register and memory access, flags. One function executes all records, so that
 * program position, budget and lazy flags stay in its locals; it calls nothing, so that they stay in host registers.
 *
 * Lazy flags are three locals, of which every combination that arithmetic gives can be had:
 *
 * - `r`: the result, sign-extended to 64 bits: ZF, SF, and PF by its low byte;
 * - `c`: the carries out of each bit, shifted left until the top one is bit 63: CF is bit 63, OF bit 63 ^ bit 62;
 * - `n`: bits 5:0 how far `c` was shifted, so that AF is bit 3 + n; bit 8: PF is the opposite of what `r` says.
 */
import { Tlb } from "../layout.js";
import type { Code, Label } from "./code.js";
import { Type } from "./encoding.js";
import { Field, RECORD_SIZE } from "./records.js";

/** Locals of the function; the first two are its parameters. */
export const L = {
  /** Pointer to the record. */
  p: 0,
  /** Instructions left behind this block. */
  left: 1,
  reason: 2,
  tlb: 3,
  n: 4,
  /** TLB entry, pointer into memory. */
  e: 5,
  q: 6,
  ia: 7,
  ib: 8,
  ix: 9,
  iy: 10,
  r: 11,
  c: 12,
  va: 13,
  last: 14,
  a: 15,
  b: 16,
  x: 17,
  y: 18,
  to: 19,
  fa: 20,
  fb: 21,
  fx: 22,
  sa: 23,
  sb: 24,
  sx: 25,
  v: 26,
  w: 27,
} as const;

export const LOCAL_TYPES: readonly (readonly [number, number])[] = [
  [9, Type.i32],
  [9, Type.i64],
  [3, Type.f64],
  [3, Type.f32],
  [2, Type.v128],
];

/** Why the function returns. */
export const Reason = {
  /** The next block has more instructions than are left. */
  budget: 0,
  /** `Engine.target` has no block yet, or its page is not known to be executable. */
  lookup: 1,
  /** The record's instruction is for the TypeScript engine. */
  bail: 2,
  /** `Engine.address` is not in the TLB. */
  missRead: 3,
  missWrite: 4,
  /** A string instruction: another function executes it. */
  string: 5,
  /** As `lookup`; the record at `p` wants to point to what is found. */
  link: 6,
} as const;

/** Where handlers end up. */
export interface Exits {
  /** The record at `p`. */
  readonly next: Label;
  /** The block at `p`: its instructions are taken from the budget. */
  readonly enter: Label;
  /** The address in `to`. */
  readonly transfer: Label;
  /** The address in `to`, whose record the one at `p` will point to. */
  readonly link: Label;
  readonly bail: Label;
  readonly missRead: Label;
  readonly missWrite: Label;
  readonly string: Label;
}

export const TOP_TWO = 3n << 62n;
export const TOP = 1n << 63n;
/** In `n`: PF is the opposite of what `r` says. */
export const ODD = 0x100;

export type Size = 8 | 16 | 32 | 64;

export class Emitter {
  readonly code: Code;
  readonly exits: Exits;

  constructor(code: Code, exits: Exits) {
    this.code = code;
    this.exits = exits;
  }

  // --- records ---

  /** Pushes a u16 field. */
  field(offset: number): this {
    this.code.get(L.p).mem("i32.load16_u", offset);
    return this;
  }

  immediate64(): this {
    this.code.get(L.p).mem("i64.load", Field.immediate);
    return this;
  }

  immediate32(): this {
    this.code.get(L.p).mem("i32.load", Field.immediate);
    return this;
  }

  /** Goes on with the next record. */
  next(): void {
    this.code.get(L.p).i32(RECORD_SIZE).op("i32.add").set(L.p).br(this.exits.next);
  }

  // --- registers: values of 8 and 16 bits are zero-extended to i32 ---

  load(field: number, size: Size): this {
    this.field(field).code.mem(LOADS[size]);
    return this;
  }

  /** Stores the value in a local to the register that a field names. 32 bits clear the upper half. */
  store(field: number, size: Size, local: number): this {
    this.field(field).code.get(local);
    if (size === 32) this.code.op("i64.extend_i32_u").mem("i64.store");
    else this.code.mem(STORES[size]);
    return this;
  }

  // --- memory ---

  /** Puts the linear address of the operand into `va`. */
  address(): this {
    this.field(Field.base).code.mem("i64.load");
    this.field(Field.index).code.mem("i64.load");
    this.code.get(L.p).mem("i64.load8_u", Field.shift).op("i64.shl", "i64.add");
    this.code.get(L.p).mem("i64.load", Field.displacement).op("i64.add").set(L.va);
    return this;
  }

  /** Turns `va` into a pointer in `q`, for an access of `bytes`; leaves where the TLB does not say so. */
  translate(bytes: number, writes: boolean): this {
    const { code, exits } = this;
    code.get(L.va).i64(7).op("i64.shr_u", "i32.wrap_i64");
    code
      .i32((Tlb.entries - 1) * Tlb.stride)
      .op("i32.and")
      .get(L.tlb)
      .op("i32.add")
      .tee(L.e);
    code.mem("i64.load", writes ? Tlb.write : Tlb.read);
    code.get(L.va);
    if (bytes > 1) code.i64(bytes - 1).op("i64.add");
    code
      .tee(L.last)
      .i64(-4096)
      .op("i64.and", "i64.ne")
      .brIf(writes ? exits.missWrite : exits.missRead);
    code.get(L.va).op("i32.wrap_i64").get(L.e).mem("i32.load", Tlb.addend).op("i32.add").set(L.q);
    return this;
  }

  /** `address` and `translate`. */
  pointer(bytes: number, writes = false): this {
    return this.address().translate(bytes, writes);
  }

  /** Stores a local at `q`. */
  storeAtPointer(size: Size, local: number): this {
    this.code.get(L.q).get(local).mem(STORES[size]);
    return this;
  }

  // --- flags ---

  /** `r` from the result in an i32 or i64 local. */
  setResult(size: Size, local: number): this {
    const { code } = this;
    code.get(local);
    if (size === 8) code.op("i32.extend8_s");
    if (size === 16) code.op("i32.extend16_s");
    if (size !== 64) code.op("i64.extend_i32_s");
    code.set(L.r);
    return this;
  }

  /** `c` and `n` from the carries of `size` bits on the stack. */
  setCarries(size: Size): this {
    const { code } = this;
    if (size !== 64)
      code
        .op("i64.extend_i32_u")
        .i64(64 - size)
        .op("i64.shl");
    code.set(L.c);
    return this.note(64 - size);
  }

  note(value: number): this {
    this.code.i32(value).set(L.n);
    return this;
  }

  /** Neither carry nor overflow nor AF. */
  clearCarries(): this {
    this.code.i64(0).set(L.c);
    return this.note(0);
  }

  /** The word of carries of a sum (of a difference) of two locals and the result in a third. */
  carries(size: Size, subtracts: boolean, a: number, b: number, x: number): this {
    const { code } = this;
    const w = size === 64 ? "i64" : "i32";
    const ones = () => (size === 64 ? code.i64(-1) : code.i32(-1));
    const left = () => {
      code.get(a);
      if (subtracts) {
        ones();
        code.op(`${w}.xor`);
      }
    };
    left();
    code.get(b).op(`${w}.and`);
    left();
    code.get(b).op(`${w}.or`).get(x);
    if (!subtracts) {
      ones();
      code.op(`${w}.xor`);
    }
    code.op(`${w}.and`, `${w}.or`);
    return this;
  }

  /** Pushes CF as 0 or 1 of the width. */
  carry(size: Size): this {
    this.code.get(L.c).i64(63).op("i64.shr_u");
    if (size !== 64) this.code.op("i32.wrap_i64");
    return this;
  }

  /** Pushes whether a condition holds: numbers as in Jcc. */
  condition(number: number): this {
    const { code } = this;
    CONDITIONS[number >> 1]!(code);
    if (number & 1) code.op("i32.eqz");
    return this;
  }
}

export const LOADS = { 8: "i32.load8_u", 16: "i32.load16_u", 32: "i32.load", 64: "i64.load" } as const;
export const STORES = { 8: "i32.store8", 16: "i32.store16", 32: "i32.store", 64: "i64.store" } as const;

/** Pushes a value of which the sign bit is OF. */
function overflowSign(code: Code): Code {
  return code.get(L.c).get(L.c).i64(1).op("i64.shl", "i64.xor");
}

function negative(code: Code): void {
  code.i64(0).op("i64.lt_s");
}

/** O, B, E, BE, S, P, L, LE. */
const CONDITIONS: readonly ((code: Code) => void)[] = [
  (code) => negative(overflowSign(code)),
  (code) => negative(code.get(L.c)),
  (code) => code.get(L.r).op("i64.eqz"),
  (code) => {
    negative(code.get(L.c));
    code.get(L.r).op("i64.eqz", "i32.or");
  },
  (code) => negative(code.get(L.r)),
  (code) => {
    code.get(L.r).op("i32.wrap_i64").i32(0xff).op("i32.and", "i32.popcnt");
    code.get(L.n).i32(8).op("i32.shr_u", "i32.xor").i32(1).op("i32.and", "i32.eqz");
  },
  (code) => negative(overflowSign(code).get(L.r).op("i64.xor")),
  (code) => {
    negative(overflowSign(code).get(L.r).op("i64.xor"));
    code.get(L.r).op("i64.eqz", "i32.or");
  },
];

/** What a handler does: ends with one of the exits. */
export type Emit = (e: Emitter) => void;

/** Handlers by name; their order is their number. */
export type Handlers = Map<string, Emit>;
