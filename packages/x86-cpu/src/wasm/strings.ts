/**
 * REP MOVS and REP STOS, upwards, a page at a time. Each iteration counts as an instruction, and takes the same care as one:
 * registers are right behind every piece, so that a fault or the end of the budget comes between two iterations.
 */
import { Gpr, RFLAGS } from "../architecture.js";
import { Engine, State, Tlb } from "../layout.js";
import { Code, type Label } from "./code.js";
import { Reason } from "./emitter.js";
import { type MemoryName, Type } from "./encoding.js";
import { Field, RECORD_SIZE } from "./records.js";

/** The parameter and locals. */
const S = {
  left: 0,
  p: 1,
  size: 2,
  shift: 3,
  from: 4,
  to: 5,
  items: 6,
  copies: 7,
  end: 8,
  e: 9,
  rcx: 10,
  rsi: 11,
  rdi: 12,
} as const;

const RAX = State.gpr;
const RCX = State.gpr + Gpr.RCX * 8;
const RSI = State.gpr + Gpr.RSI * 8;
const RDI = State.gpr + Gpr.RDI * 8;

/**
 * What a record says: destination: 1 for MOVS, 0 for STOS; immediate: log2 of the item's bytes.
 * Returns `Reason.string` to go on with the next record, or another reason. `fill`: the function that fills the TLB.
 */
export function stringsFunction(fill: number): Code {
  const code = new Code().locals([
    [9, Type.i32],
    [3, Type.i64],
  ]);
  begin(code);
  const loop = code.loop();
  code.i32(0).mem("i64.load", RCX).tee(S.rcx).op("i64.eqz").if();
  finish(code);
  code.end();
  budget(code);
  const onPage = (pointer: number) => {
    code
      .i64(0x1000)
      .get(pointer)
      .i64(0xfff)
      .op("i64.and", "i64.sub")
      .get(S.shift)
      .op("i64.extend_i32_u", "i64.shr_u");
    code.op("i32.wrap_i64");
  };
  // The items that budget, count and both pages allow.
  code.get(S.left).set(S.items);
  atMost(code, () =>
    code.get(S.rcx).i64(0x1000).get(S.rcx).i64(0x1000).op("i64.lt_u", "select", "i32.wrap_i64"),
  );
  // The source first: if it faults, the destination must not have become dirty.
  code.get(S.copies).if();
  code.i32(0).mem("i64.load", RSI).set(S.rsi);
  atMost(code, () => onPage(S.rsi));
  translate(code, S.rsi, S.from, false, fill);
  code.end();
  code.i32(0).mem("i64.load", RDI).set(S.rdi);
  atMost(code, () => onPage(S.rdi));
  translate(code, S.rdi, S.to, true, fill);
  // An item that crosses a page end.
  code.get(S.items).op("i32.eqz").if();
  leave(code, Reason.bail);
  code.end();
  code.get(S.to).get(S.items).get(S.shift).op("i32.shl", "i32.add").set(S.end);
  advance(code);
  move(code);
  code.br(loop);
  return code.end().op("unreachable");
}

/** Only plain cases: DF clear. */
function begin(code: Code): void {
  code.i32(0).mem("i32.load", Engine.record).set(S.p);
  code.get(S.p).mem("i32.load", Field.immediate).set(S.shift);
  code.get(S.p).mem("i32.load16_u", Field.destination).set(S.copies);
  code.i32(1).get(S.shift).op("i32.shl").set(S.size);
  code.i32(0).mem("i32.load", State.rflags).i32(RFLAGS.DF).op("i32.and").if();
  leave(code, Reason.bail);
  code.end();
  // A count of zero is one instruction, too.
  code.i32(0).mem("i64.load", RCX).op("i64.eqz").if();
  code.get(S.left).op("i32.eqz").if();
  leave(code, Reason.budget);
  code.end();
  code.get(S.left).i32(1).op("i32.sub").set(S.left).end();
}

/** Returns, with the budget in front of this record. */
function leave(code: Code, reason: number): void {
  code.i32(0).get(S.left).mem("i32.store", Engine.left).i32(reason).op("return");
}

/** Goes on behind this record. */
function finish(code: Code): void {
  code.i32(0).get(S.p).i32(RECORD_SIZE).op("i32.add").mem("i32.store", Engine.record);
  leave(code, Reason.string);
}

function budget(code: Code): void {
  code.get(S.left).op("i32.eqz").if();
  leave(code, Reason.budget);
  code.end();
}

function atMost(code: Code, limit: () => void): void {
  limit();
  code.set(S.e).get(S.e).get(S.items).get(S.e).get(S.items).op("i32.lt_u", "select").set(S.items);
}

/**
 * A pointer for a linear address, or out. A miss is filled here: left to the caller, which begins anew, the two pages would
 * drive each other out for ever where they share an entry.
 */
function translate(code: Code, address: number, pointer: number, writes: boolean, fill: number): void {
  code
    .get(address)
    .i64(7)
    .op("i64.shr_u", "i32.wrap_i64")
    .i32((Tlb.entries - 1) * Tlb.stride)
    .op("i32.and");
  code
    .i32(0)
    .mem("i32.load", Engine.dataTlb)
    .op("i32.add")
    .tee(S.e)
    .mem("i64.load", writes ? Tlb.write : Tlb.read);
  code.get(address).i64(-4096).op("i64.and", "i64.ne").if();
  code.get(address).op("i32.wrap_i64").get(address).i64(32).op("i64.shr_u", "i32.wrap_i64");
  code
    .i32(writes ? 1 : 0)
    .call(fill)
    .op("i32.eqz")
    .if();
  leave(code, Reason.bail);
  code.end().end();
  code.get(address).op("i32.wrap_i64").get(S.e).mem("i32.load", Tlb.addend).op("i32.add").set(pointer);
}

/** Registers and budget behind the items; nothing can fault any more. */
function advance(code: Code): void {
  const bytes = () => code.get(S.items).get(S.shift).op("i32.shl", "i64.extend_i32_u");
  code.i32(0).get(S.rcx).get(S.items).op("i64.extend_i32_u", "i64.sub").mem("i64.store", RCX);
  code.i32(0).get(S.rdi);
  bytes().op("i64.add").mem("i64.store", RDI);
  code.get(S.copies).if();
  code.i32(0).get(S.rsi);
  bytes().op("i64.add").mem("i64.store", RSI);
  code.end();
  code.get(S.left).get(S.items).op("i32.sub").set(S.left);
}

const WIDTHS: readonly (readonly [shift: number, load: MemoryName, store: MemoryName])[] = [
  [0, "i64.load8_u", "i64.store8"],
  [1, "i64.load16_u", "i64.store16"],
  [2, "i64.load32_u", "i64.store32"],
  [3, "i64.load", "i64.store"],
];

/** Item by item, because source and destination may overlap; what does not is copied 8 bytes at a time. */
function move(code: Code): void {
  const done = code.block();
  code.get(S.copies).if();
  // Apart by 8 bytes or more: whole words give the same as single items.
  code.get(S.to).get(S.from).op("i32.sub").i32(8).op("i32.ge_u").if();
  words(code, () => code.get(S.from).mem("i64.load"), true);
  code.end();
  for (const [shift, load, store] of WIDTHS) {
    code.get(S.shift).i32(shift).op("i32.eq").if();
    items(code, 1 << shift, () => code.get(S.from).mem(load), store, true, done);
    code.end();
  }
  code.end();
  for (const [shift, , store] of WIDTHS) {
    code.get(S.shift).i32(shift).op("i32.eq").if();
    items(code, 1 << shift, () => code.i32(0).mem("i64.load", RAX), store, false, done);
    code.end();
  }
  code.end();
}

/** Moves 8 bytes at a time while as many are left. */
function words(code: Code, value: () => void, copies: boolean): void {
  const done = code.block();
  const loop = code.loop();
  code.get(S.end).get(S.to).op("i32.sub").i32(8).op("i32.lt_u").brIf(done);
  code.get(S.to);
  value();
  code.mem("i64.store");
  step(code, 8, copies);
  code.br(loop);
  code.end().end();
}

function step(code: Code, bytes: number, copies: boolean): void {
  code.get(S.to).i32(bytes).op("i32.add").set(S.to);
  if (copies) code.get(S.from).i32(bytes).op("i32.add").set(S.from);
}

function items(
  code: Code,
  bytes: number,
  value: () => void,
  store: MemoryName,
  copies: boolean,
  done: Label,
): void {
  const loop = code.loop();
  code.get(S.to).get(S.end).op("i32.eq").brIf(done);
  code.get(S.to);
  value();
  code.mem(store);
  step(code, bytes, copies);
  code.br(loop);
  code.end();
}
