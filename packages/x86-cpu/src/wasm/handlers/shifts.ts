/** SHL, SHR, SAR, ROL, ROR, SHLD, SHRD, BT and its kin, BSF, BSR, IMUL, MUL, DIV, IDIV. */
import { Gpr } from "../../architecture.js";
import { State } from "../../layout.js";
import { type Emitter, type Handlers, L, type Size, TOP, TOP_TWO } from "../emitter.js";
import { Field } from "../records.js";
import { immediate, loadAtPointer, localsOf, SIZES } from "./alu.js";

const RAX = State.gpr;
const RCX = State.gpr + Gpr.RCX * 8;
const RDX = State.gpr + Gpr.RDX * 8;

/** Pushes an i32 or i64 local as an i64, zero-extended. */
function wide(e: Emitter, size: Size, local: number): void {
  e.code.get(local);
  if (size !== 64) e.code.op("i64.extend_i32_u");
}

/** The count in `y`, 1 to 63, as an i64; the operand in `a`; the result goes to `x`, the flags are set. */
type Shift = (e: Emitter, size: Size) => void;

/** Pushes the count in the type of a width. */
function count(e: Emitter, size: Size): void {
  e.code.get(L.y);
  if (size !== 64) e.code.op("i32.wrap_i64");
}

const shl: Shift = (e, size) => {
  const { a, x, w } = localsOf(size);
  const { code } = e;
  code.get(a);
  count(e, size);
  code.op(`${w}.shl`).set(x);
  e.setResult(size, x);
  // One place less to the left, the bit that falls out and the new sign lie on top.
  wide(e, size, a);
  code.get(L.y).i64(1).op("i64.sub", "i64.shl");
  if (size !== 64) code.i64(64 - size).op("i64.shl");
  code.i64(TOP_TWO).op("i64.and").set(L.c);
  e.note(0);
};

/** Pushes the last bit that a right shift drops, as 0 or 1 of 64 bits. */
function lastDropped(e: Emitter, size: Size, signed: boolean): void {
  const { a } = localsOf(size);
  const { code } = e;
  code.get(a);
  if (size !== 64) code.op(signed ? "i64.extend_i32_s" : "i64.extend_i32_u");
  code
    .get(L.y)
    .i64(1)
    .op("i64.sub", signed ? "i64.shr_s" : "i64.shr_u")
    .i64(1)
    .op("i64.and");
}

const shr: Shift = (e, size) => {
  const { a, x, w } = localsOf(size);
  const { code } = e;
  code.get(a);
  count(e, size);
  code.op(`${w}.shr_u`).set(x);
  e.setResult(size, x);
  // OF is the operand's sign.
  lastDropped(e, size, false);
  code.set(L.b).get(L.b).i64(63).op("i64.shl");
  wide(e, size, a);
  code
    .i64(size - 1)
    .op("i64.shr_u")
    .get(L.b)
    .op("i64.xor")
    .i64(62)
    .op("i64.shl", "i64.or")
    .set(L.c);
  e.note(0);
};

const sar: Shift = (e, size) => {
  const { a, x, w } = localsOf(size);
  const { code } = e;
  if (size === 8) code.get(a).op("i32.extend8_s").set(a);
  if (size === 16) code.get(a).op("i32.extend16_s").set(a);
  code.get(a);
  count(e, size);
  code.op(`${w}.shr_s`).set(x);
  e.setResult(size, x);
  lastDropped(e, size, true);
  code.i64(63).op("i64.shl").i64(1).op("i64.shr_s").set(L.c);
  e.note(0);
};

/** Replaces CF and OF: the top two bits of the value on the stack are the new ones of `c`. */
function replaceTop(e: Emitter): void {
  e.code.i64(TOP_TWO).op("i64.and").get(L.c).i64(~TOP_TWO).op("i64.and", "i64.or").set(L.c);
}

const rol: Shift = (e, size) => {
  const { a, x, w } = localsOf(size);
  const { code } = e;
  code.get(a);
  count(e, size);
  code.op(`${w}.rotl`).set(x);
  wide(e, size, x);
  code.i64(63).op("i64.shl");
  wide(e, size, x);
  code
    .i64(size - 1)
    .op("i64.shr_u")
    .i64(62)
    .op("i64.shl", "i64.or");
  replaceTop(e);
};

const ror: Shift = (e, size) => {
  const { a, x, w } = localsOf(size);
  const { code } = e;
  code.get(a);
  count(e, size);
  code.op(`${w}.rotr`).set(x);
  wide(e, size, x);
  if (size !== 64) code.i64(64 - size).op("i64.shl");
  replaceTop(e);
};

const SHIFTS: Readonly<Record<string, { readonly shift: Shift; readonly sizes: readonly Size[] }>> = {
  shl: { shift: shl, sizes: SIZES },
  shr: { shift: shr, sizes: SIZES },
  sar: { shift: sar, sizes: SIZES },
  rol: { shift: rol, sizes: [32, 64] },
  ror: { shift: ror, sizes: [32, 64] },
};

/** A count of zero leaves flags alone; a 32-bit destination's upper half is cleared all the same. */
function addShift(name: string, shift: Shift, size: Size, handlers: Handlers): void {
  const { a, x } = localsOf(size);
  const mask = size === 64 ? 63 : 31;
  const byImmediate = (e: Emitter) => {
    e.immediate64().code.set(L.y);
    shift(e, size);
  };
  const byCl = (e: Emitter) => {
    const { code } = e;
    code.get(a).set(x);
    code.i32(0).mem("i64.load8_u", RCX).i64(mask).op("i64.and").tee(L.y).op("i64.eqz", "i32.eqz").if();
    shift(e, size);
    code.end();
  };
  for (const [kind, apply] of [
    ["i", byImmediate],
    ["c", byCl],
  ] as const) {
    handlers.set(`${name}.r${kind}.${size}`, (e) => {
      e.load(Field.destination, size).code.set(a);
      apply(e);
      e.store(Field.destination, size, x).next();
    });
    handlers.set(`${name}.m${kind}.${size}`, (e) => {
      e.pointer(size / 8, true);
      loadAtPointer(e, size);
      e.code.set(a);
      apply(e);
      e.storeAtPointer(size, x).next();
    });
  }
}

/** SHLD and SHRD by an immediate that is not zero. */
function addDoubleShifts(handlers: Handlers): void {
  for (const size of [32, 64] as const) {
    const { a, b, x, w } = localsOf(size);
    const rest = (e: Emitter) => {
      const { code } = e;
      if (size === 64) code.i64(64);
      else code.i32(32);
      count(e, size);
      code.op(`${w}.sub`);
    };
    const flags = (e: Emitter, left: boolean) => {
      const { code } = e;
      e.setResult(size, x);
      // CF is the last bit out; OF says that the sign changed.
      if (left) {
        wide(e, size, a);
        code.i64(size).get(L.y).op("i64.sub", "i64.shr_u").i64(1).op("i64.and");
      } else {
        lastDropped(e, size, false);
      }
      code.set(L.va).get(L.va).i64(63).op("i64.shl");
      wide(e, size, a);
      wide(e, size, x);
      code
        .op("i64.xor")
        .i64(size - 1)
        .op("i64.shr_u")
        .get(L.va)
        .op("i64.xor")
        .i64(62)
        .op("i64.shl", "i64.or")
        .set(L.c);
      e.note(0);
    };
    const operands = (e: Emitter) => {
      e.immediate64().code.set(L.y);
      e.load(Field.destination, size).code.set(a);
      e.load(Field.source, size).code.set(b);
    };
    handlers.set(`shld.${size}`, (e) => {
      operands(e);
      e.code.get(a);
      count(e, size);
      e.code.op(`${w}.shl`).get(b);
      rest(e);
      e.code.op(`${w}.shr_u`, `${w}.or`).set(x);
      flags(e, true);
      e.store(Field.destination, size, x).next();
    });
    handlers.set(`shrd.${size}`, (e) => {
      operands(e);
      e.code.get(a);
      count(e, size);
      e.code.op(`${w}.shr_u`).get(b);
      rest(e);
      e.code.op(`${w}.shl`, `${w}.or`).set(x);
      flags(e, false);
      e.store(Field.destination, size, x).next();
    });
  }
}

/** BT, BTS, BTR and BTC of registers. CF is the bit; OF and AF become clear, the others stay. */
function addBitTests(handlers: Handlers): void {
  for (const size of [32, 64] as const) {
    const { a, x, w } = localsOf(size);
    const index = (e: Emitter, byImmediate: boolean) => {
      if (byImmediate) e.immediate64();
      else e.load(Field.source, 64);
      e.code
        .i64(size - 1)
        .op("i64.and")
        .set(L.y);
    };
    const test = (e: Emitter) => {
      e.load(Field.destination, size).code.set(a);
      wide(e, size, a);
      e.code.get(L.y).op("i64.shr_u").i64(63).op("i64.shl").i64(1).op("i64.shr_s").set(L.c);
    };
    const bit = (e: Emitter) => {
      const { code } = e;
      if (size === 64) code.i64(1);
      else code.i32(1);
      count(e, size);
      code.op(`${w}.shl`);
    };
    const ones = (e: Emitter) => (size === 64 ? e.code.i64(-1) : e.code.i32(-1));
    const changes: Readonly<Record<string, (e: Emitter) => void>> = {
      bts: (e) => e.code.op(`${w}.or`),
      btr: (e) => {
        ones(e);
        e.code.op(`${w}.xor`, `${w}.and`);
      },
      btc: (e) => e.code.op(`${w}.xor`),
    };
    for (const [kind, byImmediate] of [
      ["i", true],
      ["r", false],
    ] as const) {
      handlers.set(`bt.r${kind}.${size}`, (e) => {
        index(e, byImmediate);
        test(e);
        e.next();
      });
      for (const [name, change] of Object.entries(changes)) {
        handlers.set(`${name}.r${kind}.${size}`, (e) => {
          index(e, byImmediate);
          test(e);
          e.code.get(a);
          bit(e);
          change(e);
          e.code.set(x);
          e.store(Field.destination, size, x).next();
        });
      }
    }
  }
}

/** BSF and BSR: flags as of the source; a source of zero leaves the destination alone. */
function addBitScans(handlers: Handlers): void {
  for (const size of [32, 64] as const) {
    const { a, x, w } = localsOf(size);
    for (const name of ["bsf", "bsr"] as const) {
      handlers.set(`${name}.${size}`, (e) => {
        const { code } = e;
        e.load(Field.source, size).code.set(a);
        e.setResult(size, a).clearCarries();
        code.get(a).op(`${w}.eqz`, "i32.eqz").if();
        if (name === "bsr") {
          if (size === 64) code.i64(63);
          else code.i32(31);
        }
        code.get(a).op(name === "bsf" ? `${w}.ctz` : `${w}.clz`);
        if (name === "bsr") code.op(`${w}.sub`);
        code.set(x);
        e.store(Field.destination, size, x).code.end();
        e.next();
      });
    }
  }
}

/** Pushes the high half of the product of `a` and `b`, unsigned, from 32-bit parts (there is no such instruction). */
export function highProduct(e: Emitter): void {
  const { code } = e;
  const low = (local: number) => code.get(local).i64(0xffffffff).op("i64.and");
  const high = (local: number) => code.get(local).i64(32).op("i64.shr_u");
  // y = middle sum with the carry of the lowest product
  low(L.a);
  low(L.b).op("i64.mul").i64(32).op("i64.shr_u");
  high(L.a);
  low(L.b).op("i64.mul", "i64.add").set(L.y);
  // va = the other middle product with the low half of that
  low(L.a);
  high(L.b).op("i64.mul");
  low(L.y).op("i64.add").set(L.va);
  high(L.a);
  high(L.b).op("i64.mul");
  high(L.y).op("i64.add");
  high(L.va).op("i64.add");
}

/** The high half of the signed product. */
function signedHighProduct(e: Emitter): void {
  const { code } = e;
  highProduct(e);
  code.get(L.a).i64(63).op("i64.shr_s").get(L.b).op("i64.and", "i64.sub");
  code.get(L.b).i64(63).op("i64.shr_s").get(L.a).op("i64.and", "i64.sub");
}

/** Flags of a product: CF and OF from the i32 on the stack, the others from the low half in `x`. */
function productFlags(e: Emitter, size: Size): void {
  const { x } = localsOf(size);
  e.code.op("i64.extend_i32_u").i64(63).op("i64.shl").set(L.c);
  e.setResult(size, x).note(0);
}

/** IMUL with a register destination; the factors are in `a` and `b`. */
function multiply(e: Emitter, size: 32 | 64): void {
  const { code } = e;
  if (size === 64) {
    code.get(L.a).get(L.b).op("i64.mul").set(L.x);
    signedHighProduct(e);
    code.get(L.x).i64(63).op("i64.shr_s", "i64.ne");
  } else {
    code.get(L.ia).op("i64.extend_i32_s").get(L.ib).op("i64.extend_i32_s", "i64.mul").set(L.y);
    code.get(L.y).op("i32.wrap_i64").set(L.ix);
    code.get(L.y).get(L.ix).op("i64.extend_i32_s", "i64.ne");
  }
  productFlags(e, size);
  e.store(Field.destination, size, size === 64 ? L.x : L.ix).next();
}

function addProducts(handlers: Handlers): void {
  for (const size of [32, 64] as const) {
    const { a, b } = localsOf(size);
    const factors = (first: (e: Emitter) => void, second: (e: Emitter) => void) => (e: Emitter) => {
      first(e);
      e.code.set(b);
      second(e);
      e.code.set(a);
      multiply(e, size);
    };
    const destination = (e: Emitter) => e.load(Field.destination, size);
    const source = (e: Emitter) => e.load(Field.source, size);
    const memory = (e: Emitter) => {
      e.pointer(size / 8);
      loadAtPointer(e, size);
    };
    const constant = (e: Emitter) => immediate(e, size);
    handlers.set(`imul.rr.${size}`, factors(source, destination));
    handlers.set(`imul.rm.${size}`, factors(memory, destination));
    handlers.set(`imul.rri.${size}`, factors(source, constant));
    handlers.set(`imul.rmi.${size}`, factors(memory, constant));
  }
  handlers.set("mul.64", (e) => accumulatorProduct(e, highProduct, (code) => code.i64(0)));
  handlers.set("imul.64", (e) =>
    accumulatorProduct(e, signedHighProduct, (code) => code.get(L.x).i64(63).op("i64.shr_s")),
  );
  for (const [name, extend] of [
    ["mul.32", "i64.extend_i32_u"],
    ["imul.32", "i64.extend_i32_s"],
  ] as const) {
    handlers.set(name, (e) => {
      const { code } = e;
      e.load(Field.source, 32).code.op(extend);
      code.i32(0).mem("i32.load", RAX).op(extend, "i64.mul").set(L.y);
      code.i32(0).get(L.y).i64(0xffffffff).op("i64.and").mem("i64.store", RAX);
      code.i32(0).get(L.y).i64(32).op("i64.shr_u").mem("i64.store", RDX);
      code.get(L.y).op("i32.wrap_i64").set(L.ix);
      code.get(L.y).get(L.ix).op(extend, "i64.ne");
      productFlags(e, 32);
      e.next();
    });
  }
}

/** RDX:RAX = RAX · source; CF and OF where the upper half is not what `insignificant` pushes. */
function accumulatorProduct(
  e: Emitter,
  high: (e: Emitter) => void,
  insignificant: (code: Emitter["code"]) => void,
): void {
  const { code } = e;
  e.load(Field.source, 64).code.set(L.b);
  code.i32(0).mem("i64.load", RAX).set(L.a);
  code.get(L.a).get(L.b).op("i64.mul").set(L.x);
  high(e);
  code.set(L.to);
  code.i32(0).get(L.x).mem("i64.store", RAX);
  code.i32(0).get(L.to).mem("i64.store", RDX);
  code.get(L.to);
  insignificant(code);
  code.op("i64.ne");
  productFlags(e, 64);
  e.next();
}

/** Divisions that the host's instruction does: what overflows, and what needs 128 bits, is left to the other engine. */
function addQuotients(handlers: Handlers): void {
  handlers.set("div.32", (e) => divideNarrow(e, false));
  handlers.set("idiv.32", (e) => divideNarrow(e, true));
  handlers.set("div.64", (e) => divideWide(e, false));
  handlers.set("idiv.64", (e) => divideWide(e, true));
}

/** EDX:EAX by 32 bits: a 64-bit division, whose quotient has to fit. */
function divideNarrow(e: Emitter, signed: boolean): void {
  const { code, exits } = e;
  const extend = signed ? "i64.extend_i32_s" : "i64.extend_i32_u";
  const sign = signed ? "s" : "u";
  e.load(Field.source, 32).code.op(extend).tee(L.b).op("i64.eqz").brIf(exits.bail);
  code.i32(0).mem("i64.load32_u", RAX).i32(0).mem("i64.load", RDX).i64(32).op("i64.shl", "i64.or").set(L.a);
  // -2^63 / -1 would trap; it overflows anyway.
  if (signed) code.get(L.a).i64(TOP).op("i64.eq").brIf(exits.bail);
  code.get(L.a).get(L.b).op(`i64.div_${sign}`).tee(L.x);
  code.get(L.x).op("i32.wrap_i64", extend, "i64.ne").brIf(exits.bail);
  code.i32(0).get(L.x).i64(0xffffffff).op("i64.and").mem("i64.store", RAX);
  code.i32(0).get(L.a).get(L.b).op(`i64.rem_${sign}`).i64(0xffffffff).op("i64.and").mem("i64.store", RDX);
  e.next();
}

/** RDX:RAX by 64 bits, where RDX only extends RAX. */
function divideWide(e: Emitter, signed: boolean): void {
  const { code, exits } = e;
  const sign = signed ? "s" : "u";
  e.load(Field.source, 64).code.tee(L.b).op("i64.eqz").brIf(exits.bail);
  code.i32(0).mem("i64.load", RAX).set(L.a);
  code.i32(0).mem("i64.load", RDX);
  if (signed) code.get(L.a).i64(63).op("i64.shr_s");
  else code.i64(0);
  code.op("i64.ne").brIf(exits.bail);
  if (signed) code.get(L.a).i64(TOP).op("i64.eq").brIf(exits.bail);
  code.i32(0).get(L.a).get(L.b).op(`i64.div_${sign}`).mem("i64.store", RAX);
  code.i32(0).get(L.a).get(L.b).op(`i64.rem_${sign}`).mem("i64.store", RDX);
  e.next();
}

export function addShiftsAndProducts(handlers: Handlers): void {
  for (const [name, { shift, sizes }] of Object.entries(SHIFTS)) {
    for (const size of sizes) addShift(name, shift, size, handlers);
  }
  addDoubleShifts(handlers);
  addBitTests(handlers);
  addBitScans(handlers);
  addProducts(handlers);
  addQuotients(handlers);
}
