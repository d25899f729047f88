/**
 * Near branches. Inside a page a branch keeps a pointer to its target's record; between pages, and for targets from
 * registers and memory, `transfer` looks the target up. A fused comparison and branch is one record of two instructions.
 */
import { Gpr } from "../../architecture.js";
import { Engine, State } from "../../layout.js";
import { type Emitter, type Handlers, L, type Size } from "../emitter.js";
import { Field } from "../records.js";
import { localsOf } from "./alu.js";
import { commitStack, pushSlot } from "./moves.js";

const RSP = State.gpr + Gpr.RSP * 8;

/** `to` becomes the branch's target. */
function target(e: Emitter): void {
  e.code
    .i32(0)
    .mem("i64.load", Engine.ripPage)
    .get(L.p)
    .mem("i64.load", Field.displacement)
    .op("i64.add")
    .set(L.to);
}

/** Gives back what of the block is not executed, behind a branch that is taken in its middle. */
function refund(e: Emitter): void {
  const { code } = e;
  code.get(L.left).get(L.p).mem("i32.load16_u", Field.remaining).op("i32.add");
  code.get(L.p).mem("i32.load8_u", Field.count).op("i32.sub").set(L.left);
}

/** Goes to the target in the same page; the first time, asks for its record. */
function follow(e: Emitter): void {
  const { code } = e;
  code.get(L.p).mem("i32.load", Field.immediate).tee(L.q).op("i32.eqz");
  code.if();
  target(e);
  code.br(e.exits.link).end();
  code.get(L.q).set(L.p).br(e.exits.enter);
}

/** Leaves a branch to a non-canonical address, which faults, to the other engine. */
function requireCanonical(e: Emitter): void {
  const { code } = e;
  code.get(L.to).get(L.to).i64(16).op("i64.shl").i64(16).op("i64.shr_s", "i64.ne").brIf(e.exits.bail);
}

/** Goes to the target wherever it is. */
function leavePage(e: Emitter): void {
  e.code.br(e.exits.transfer);
}

/** Takes the branch if the value on the stack is not zero, else goes on with the next record. */
function conditional(e: Emitter, near: boolean): void {
  const { code } = e;
  code.if();
  if (!near) {
    target(e);
    requireCanonical(e);
  }
  refund(e);
  if (near) follow(e);
  else leavePage(e);
  code.end();
  e.next();
}

/** Condition numbers that make sense behind CMP and behind TEST, and how they read from the operands. */
const COMPARISONS: Readonly<Record<number, string>> = {
  2: "lt_u",
  3: "ge_u",
  4: "eq",
  5: "ne",
  6: "le_u",
  7: "gt_u",
  12: "lt_s",
  13: "ge_s",
  14: "le_s",
  15: "gt_s",
};
const SIGN = [8, 9];

/** CMP or TEST with a branch behind it. */
function fused(e: Emitter, name: "cmp" | "test", size: Size, number: number, register: boolean): void {
  const { a, b, x, w } = localsOf(size);
  const { code } = e;
  e.load(Field.destination, size).code.set(a);
  if (register) e.load(Field.source, size);
  else code.get(L.p).mem("i32.load", Field.base);
  if (!register && size === 64) code.op("i64.extend_i32_s");
  if (!register && size === 8) code.i32(0xff).op("i32.and");
  code.set(b);
  code
    .get(a)
    .get(b)
    .op(`${w}.${name === "cmp" ? "sub" : "and"}`)
    .set(x);
  e.setResult(size, x);
  if (name === "cmp") e.carries(size, true, a, b, x).setCarries(size);
  else e.clearCarries();
  if (name === "cmp" && number in COMPARISONS) compareDirectly(e, size, number);
  else e.condition(number);
  conditional(e, true);
}

function compareDirectly(e: Emitter, size: Size, number: number): void {
  const { a, b, w } = localsOf(size);
  const { code } = e;
  const comparison = COMPARISONS[number]!;
  const signed = comparison.endsWith("_s");
  for (const local of [a, b]) {
    code.get(local);
    if (signed && size === 8) code.op("i32.extend8_s");
    if (signed && size === 16) code.op("i32.extend16_s");
  }
  code.op(`${w}.${comparison}` as "i32.eq");
}

/** Conditions that a comparison can be fused with. */
export const FUSIBLE: readonly number[] = [...Object.keys(COMPARISONS).map(Number), ...SIGN];
export const FUSED_SIZES: readonly Size[] = [8, 32, 64];

function addFused(handlers: Handlers): void {
  for (const name of ["cmp", "test"] as const) {
    for (const size of FUSED_SIZES) {
      for (const number of FUSIBLE) {
        handlers.set(`${name}.rr.${size}.j${number}`, (e) => fused(e, name, size, number, true));
        handlers.set(`${name}.ri.${size}.j${number}`, (e) => fused(e, name, size, number, false));
      }
    }
  }
}

/** Pushes the return address, which is `at` bytes from the start of the page. */
function pushReturn(e: Emitter): void {
  const { code } = e;
  pushSlot(e);
  code
    .get(L.q)
    .i32(0)
    .mem("i64.load", Engine.ripPage)
    .get(L.p)
    .mem("i64.load32_u", Field.immediate + 4);
  code.op("i64.add").mem("i64.store");
  commitStack(e);
}

export function addBranches(handlers: Handlers): void {
  for (let number = 0; number < 16; number++) {
    for (const near of [true, false]) {
      handlers.set(`j${number}.${near ? "near" : "far"}`, (e) => {
        e.condition(number);
        conditional(e, near);
      });
    }
  }
  addFused(handlers);
  handlers.set("jmp.near", follow);
  handlers.set("jmp.far", (e) => {
    target(e);
    requireCanonical(e);
    leavePage(e);
  });
  handlers.set("call.near", (e) => {
    pushReturn(e);
    follow(e);
  });
  handlers.set("call.far", (e) => {
    target(e);
    requireCanonical(e);
    pushReturn(e);
    leavePage(e);
  });
  handlers.set("jmp.r", (e) => {
    e.load(Field.source, 64).code.set(L.to);
    requireCanonical(e);
    leavePage(e);
  });
  handlers.set("call.r", (e) => {
    e.load(Field.source, 64).code.set(L.to);
    requireCanonical(e);
    pushReturn(e);
    leavePage(e);
  });
  handlers.set("ret", (e) => {
    const { code } = e;
    code.i32(0).mem("i64.load", RSP).set(L.va);
    e.translate(8, false);
    code.get(L.q).mem("i64.load").set(L.to);
    requireCanonical(e);
    code.i32(0).get(L.va).i64(8).op("i64.add");
    e.immediate64().code.op("i64.add").mem("i64.store", RSP);
    leavePage(e);
  });
}
