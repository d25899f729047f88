/** ADD to CMP, TEST, INC, DEC, NEG, NOT: register, immediate and memory forms of all widths. */
import { type Emitter, type Handlers, L, type Size, TOP, TOP_TWO } from "../emitter.js";
import { Field } from "../records.js";

export const SIZES: readonly Size[] = [8, 16, 32, 64];

/** The locals that a width works in. */
export function localsOf(size: Size): { a: number; b: number; x: number; w: "i32" | "i64" } {
  return size === 64 ? { a: L.a, b: L.b, x: L.x, w: "i64" } : { a: L.ia, b: L.ib, x: L.ix, w: "i32" };
}

/** Computes `x` from `a` and `b` and sets the flags. */
type Operation = (e: Emitter, size: Size) => void;

function sum(subtracts: boolean, withCarry: boolean): Operation {
  return (e, size) => {
    const { a, b, x, w } = localsOf(size);
    const operator = subtracts ? "sub" : "add";
    e.code.get(a).get(b).op(`${w}.${operator}`);
    if (withCarry) e.carry(size).code.op(`${w}.${operator}`);
    e.code.set(x);
    e.setResult(size, x).carries(size, subtracts, a, b, x).setCarries(size);
  };
}

function logic(operator: "and" | "or" | "xor"): Operation {
  return (e, size) => {
    const { a, b, x, w } = localsOf(size);
    e.code.get(a).get(b).op(`${w}.${operator}`).set(x);
    e.setResult(size, x).clearCarries();
  };
}

interface Arithmetic {
  readonly operation: Operation;
  /** The result is stored. */
  readonly writes: boolean;
}

const BINARY: Readonly<Record<string, Arithmetic>> = {
  add: { operation: sum(false, false), writes: true },
  or: { operation: logic("or"), writes: true },
  adc: { operation: sum(false, true), writes: true },
  sbb: { operation: sum(true, true), writes: true },
  and: { operation: logic("and"), writes: true },
  sub: { operation: sum(true, false), writes: true },
  xor: { operation: logic("xor"), writes: true },
  cmp: { operation: sum(true, false), writes: false },
  test: { operation: logic("and"), writes: false },
};

/** Pushes the immediate in the type of a width. */
export function immediate(e: Emitter, size: Size): void {
  if (size === 64) e.immediate64();
  else e.immediate32();
}

/** Loads what `q` points to. */
export function loadAtPointer(e: Emitter, size: Size): void {
  const name = { 8: "i32.load8_u", 16: "i32.load16_u", 32: "i32.load", 64: "i64.load" } as const;
  e.code.get(L.q).mem(name[size]);
}

/** Destination, then source: `r` register, `i` immediate, `m` memory. */
function binary(name: string, { operation, writes }: Arithmetic, size: Size, handlers: Handlers): void {
  const { a, b, x } = localsOf(size);
  const toRegister = (source: (e: Emitter) => void) => (e: Emitter) => {
    source(e);
    e.code.set(b);
    e.load(Field.destination, size).code.set(a);
    operation(e, size);
    if (writes) e.store(Field.destination, size, x);
    e.next();
  };
  const toMemory = (source: (e: Emitter) => void) => (e: Emitter) => {
    e.pointer(size / 8, writes);
    loadAtPointer(e, size);
    e.code.set(a);
    source(e);
    e.code.set(b);
    operation(e, size);
    if (writes) e.storeAtPointer(size, x);
    e.next();
  };
  const fromMemory = (e: Emitter) => {
    e.pointer(size / 8);
    loadAtPointer(e, size);
  };
  const register = (e: Emitter) => e.load(Field.source, size);
  const constant = (e: Emitter) => immediate(e, size);
  handlers.set(`${name}.rr.${size}`, toRegister(register));
  handlers.set(`${name}.ri.${size}`, toRegister(constant));
  handlers.set(`${name}.rm.${size}`, toRegister(fromMemory));
  handlers.set(`${name}.mr.${size}`, toMemory(register));
  handlers.set(`${name}.mi.${size}`, toMemory(constant));
}

/** INC and DEC keep CF: bit 63 of `c` stays, and bit 62 makes up the new OF with it. */
function step(subtracts: boolean): Operation {
  return (e, size) => {
    const { a, b, x, w } = localsOf(size);
    const { code } = e;
    if (size === 64) code.i64(1);
    else code.i32(1);
    code
      .set(b)
      .get(a)
      .get(b)
      .op(`${w}.${subtracts ? "sub" : "add"}`)
      .set(x);
    e.setResult(size, x).carries(size, subtracts, a, b, x);
    if (size !== 64)
      code
        .op("i64.extend_i32_u")
        .i64(64 - size)
        .op("i64.shl");
    code.set(L.y);
    code.get(L.c).get(L.y).get(L.y).i64(1).op("i64.shl", "i64.xor", "i64.xor");
    code.i64(63).op("i64.shr_u").i64(62).op("i64.shl");
    code.get(L.y).i64(~TOP_TWO).op("i64.and", "i64.or");
    code.get(L.c).i64(TOP).op("i64.and", "i64.or").set(L.c);
    e.note(64 - size);
  };
}

const negate: Operation = (e, size) => {
  const { a, b, x, w } = localsOf(size);
  const { code } = e;
  // 0 - a: the operand is what is subtracted.
  code.get(a).set(b);
  if (size === 64) code.i64(0);
  else code.i32(0);
  code.tee(a).get(b).op(`${w}.sub`).set(x);
  e.setResult(size, x).carries(size, true, a, b, x).setCarries(size);
};

const complement: Operation = (e, size) => {
  const { a, x, w } = localsOf(size);
  e.code.get(a);
  if (size === 64) e.code.i64(-1);
  else e.code.i32(-1);
  e.code.op(`${w}.xor`).set(x);
};

const UNARY: Readonly<Record<string, Operation>> = {
  inc: step(false),
  dec: step(true),
  neg: negate,
  not: complement,
};

function unary(name: string, operation: Operation, size: Size, handlers: Handlers): void {
  const { a, x } = localsOf(size);
  handlers.set(`${name}.r.${size}`, (e) => {
    e.load(Field.destination, size).code.set(a);
    operation(e, size);
    e.store(Field.destination, size, x).next();
  });
  handlers.set(`${name}.m.${size}`, (e) => {
    e.pointer(size / 8, true);
    loadAtPointer(e, size);
    e.code.set(a);
    operation(e, size);
    e.storeAtPointer(size, x).next();
  });
}

export function addAlu(handlers: Handlers): void {
  for (const size of SIZES) {
    for (const [name, arithmetic] of Object.entries(BINARY)) binary(name, arithmetic, size, handlers);
    for (const [name, operation] of Object.entries(UNARY)) unary(name, operation, size, handlers);
  }
}
