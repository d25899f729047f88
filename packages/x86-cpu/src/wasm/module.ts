/**
 * The engine's module: `interpret`, one loop over records; `strings`, REP MOVS and STOS in bulk; and `enter`, which packs and
 * unpacks flags around them and fills the TLB through an import. Addresses of the state are constants in it.
 */
import { RFLAGS, STATUS_FLAGS } from "../architecture.js";
import { Arena, Engine, State, Tlb } from "../layout.js";
import { Code, type Label } from "./code.js";
import { Emitter, type Handlers, L, LOCAL_TYPES, Reason } from "./emitter.js";
import { encodeModule, Type } from "./encoding.js";
import { addAlu } from "./handlers/alu.js";
import { addBranches } from "./handlers/branches.js";
import { addMovesAndStack } from "./handlers/moves.js";
import { addShiftsAndProducts } from "./handlers/shifts.js";
import { addSse } from "./handlers/sse.js";
import { Field } from "./records.js";
import { stringsFunction } from "./strings.js";

/** Handlers by name, in the order of their numbers. 0 is the one that leaves the instruction to the other engine. */
export function makeHandlers(): Handlers {
  const handlers: Handlers = new Map();
  handlers.set("bail", (e) => e.code.br(e.exits.bail));
  handlers.set("string", (e) => e.code.br(e.exits.string));
  addMovesAndStack(handlers);
  addAlu(handlers);
  addShiftsAndProducts(handlers);
  addBranches(handlers);
  addSse(handlers);
  return handlers;
}

const INTERPRET = { parameters: [Type.i32, Type.i32], results: [Type.i32] };
const ENTER = { parameters: [Type.i32, Type.i32], results: [Type.i32] };
const STRINGS = { parameters: [Type.i32], results: [Type.i32] };
/** Low and high half of the linear address, whether it is written. Returns whether the TLB has the page now. */
const FILL = { parameters: [Type.i32, Type.i32, Type.i32], results: [Type.i32] };

/** Indices of the functions: imports first. */
const FunctionIndex = { fill: 0, interpret: 1, strings: 2 } as const;

/** The module, for a memory of any size. */
export function buildModule(handlers: Handlers, shared: boolean): Uint8Array {
  return encodeModule({
    shared,
    imports: [{ name: "fill", type: FILL }],
    functions: [
      { name: "interpret", type: INTERPRET, body: interpretFunction(handlers).out },
      { name: "strings", type: STRINGS, body: stringsFunction(FunctionIndex.fill).out },
      { name: "enter", type: ENTER, body: enterFunction().out },
    ],
  });
}

function loadEngine(code: Code, local: number, offset: number, wide: boolean): void {
  code
    .i32(0)
    .mem(wide ? "i64.load" : "i32.load", offset)
    .set(local);
}

function storeEngine(code: Code, local: number, offset: number, wide: boolean): void {
  code
    .i32(0)
    .get(local)
    .mem(wide ? "i64.store" : "i32.store", offset);
}

/** Locals that live in memory between calls. */
const KEPT: readonly (readonly [local: number, offset: number, wide: boolean])[] = [
  [L.r, Engine.result, true],
  [L.c, Engine.carries, true],
  [L.n, Engine.note, false],
];

function interpretFunction(handlers: Handlers): Code {
  const code = new Code().locals(LOCAL_TYPES);
  for (const [local, offset, wide] of KEPT) loadEngine(code, local, offset, wide);
  loadEngine(code, L.tlb, Engine.dataTlb, false);
  const leave = code.block();
  const giveBack = code.block();
  const enter = code.loop();
  takeBudget(code, leave);
  const next = code.loop();
  const bail = code.block();
  const missRead = code.block();
  const missWrite = code.block();
  const string = code.block();
  const link = code.block();
  const transfer = code.block();
  const exits = { next, enter, transfer, link, bail, missRead, missWrite, string };
  dispatch(code, handlers, new Emitter(code, exits));
  // Each tail follows the end of its block.
  code.end();
  transferTail(code, enter, leave);
  code.end();
  code.i32(Reason.link).set(L.reason).br(leave);
  code.end();
  code.i32(Reason.string).set(L.reason).br(giveBack);
  code.end();
  code.i32(Reason.missWrite).set(L.reason).br(giveBack);
  code.end();
  code.i32(Reason.missRead).set(L.reason).br(giveBack);
  code.end();
  code.i32(Reason.bail).set(L.reason).br(giveBack);
  code.end().end().end();
  // This record and what is behind it in its block are not done.
  code.get(L.left).get(L.p).mem("i32.load16_u", Field.remaining).op("i32.add").set(L.left);
  code.end();
  for (const [local, offset, wide] of KEPT) storeEngine(code, local, offset, wide);
  storeEngine(code, L.p, Engine.record, false);
  storeEngine(code, L.left, Engine.left, false);
  storeEngine(code, L.to, Engine.target, true);
  storeEngine(code, L.va, Engine.address, true);
  storeEngine(code, L.last, Engine.lastByte, true);
  return code.get(L.reason);
}

/** Takes the instructions of the block at `p` from the budget, or leaves. */
function takeBudget(code: Code, leave: Label): void {
  const remaining = () => code.get(L.p).mem("i32.load16_u", Field.remaining);
  code.get(L.left);
  remaining().op("i32.sub").tee(L.left).i32(0).op("i32.lt_s").if();
  code.get(L.left);
  remaining().op("i32.add").set(L.left);
  code.i32(Reason.budget).set(L.reason).br(leave);
  code.end();
}

/** One branch table; the code of each handler follows the end of its block. */
function dispatch(code: Code, handlers: Handlers, emitter: Emitter): void {
  const list = [...handlers.values()];
  const labels = list.map(() => code.block()).reverse();
  code.get(L.p).mem("i32.load16_u", Field.handler).brTable(labels, labels[0]!);
  for (const emit of list) {
    code.end();
    emit(emitter);
  }
}

/**
 * Finds the record for the address in `to`. Within the page the physical address is known; another page has to be in the
 * fetch TLB, and found unchanged in this run (its `write` field says so).
 */
function transferTail(code: Code, enter: Label, leave: Label): void {
  code
    .get(L.to)
    .i32(0)
    .mem("i64.load", Engine.ripPage)
    .op("i64.xor")
    .i64(-4096)
    .op("i64.and", "i64.eqz", "i32.eqz")
    .if();
  code
    .get(L.to)
    .i64(7)
    .op("i64.shr_u", "i32.wrap_i64")
    .i32((Tlb.entries - 1) * Tlb.stride)
    .op("i32.and");
  code.i32(0).mem("i32.load", Engine.fetchTlb).op("i32.add").tee(L.e).mem("i64.load", Tlb.write);
  code.get(L.to).i64(-4096).op("i64.and").tee(L.a).op("i64.ne").if();
  code.i32(Reason.lookup).set(L.reason).br(leave).end();
  code.i32(0).get(L.a).mem("i64.store", Engine.ripPage);
  code.i32(0).get(L.e).mem("i32.load", Tlb.page).i32(12).op("i32.shl").mem("i32.store", Engine.physicalPage);
  code.end();
  code
    .i32(0)
    .mem("i32.load", Engine.physicalPage)
    .get(L.to)
    .op("i32.wrap_i64")
    .i32(0xfff)
    .op("i32.and", "i32.or")
    .tee(L.ia);
  blockEntry(code);
  code.get(L.q).mem("i32.load", Arena.blocks).op("i32.eq").if();
  code
    .get(L.q)
    .mem("i32.load", Arena.blocks + 4)
    .set(L.p)
    .br(enter)
    .end();
  code.i32(Reason.lookup).set(L.reason).br(leave);
}

/** Leaves `ia` on the stack, and in `q` the offset of its entry in the cache of blocks. */
function blockEntry(code: Code): void {
  code.get(L.ia).get(L.ia).i32(12).op("i32.shr_u").i32(5).op("i32.mul", "i32.xor");
  code
    .i32(Arena.blockEntries - 1)
    .op("i32.and")
    .i32(3)
    .op("i32.shl")
    .set(L.q);
}

/** The same for the side that fills the cache. */
export function blockCacheEntry(physical: number): number {
  return Arena.blocks + (((physical ^ Math.imul(physical >>> 12, 5)) & (Arena.blockEntries - 1)) << 3);
}

/** Locals of `enter`: its parameters, then these. */
const E = { p: 0, left: 1, reason: 2, flags: 3, r: 4, c: 5 } as const;

/** Runs until something needs TypeScript; RFLAGS, RIP, `Engine.left` and `Engine.record` are then right. */
function enterFunction(): Code {
  const code = new Code().locals([
    [2, Type.i32],
    [2, Type.i64],
  ]);
  unpackFlags(code);
  const done = code.block();
  const again = code.loop();
  code.get(E.p).get(E.left).call(FunctionIndex.interpret).set(E.reason);
  code.i32(0).mem("i32.load", Engine.record).set(E.p);
  code.i32(0).mem("i32.load", Engine.left).set(E.left);
  refill(code, again);
  code.get(E.reason).i32(Reason.string).op("i32.eq").if();
  code.get(E.left).call(FunctionIndex.strings).set(E.reason);
  code.i32(0).mem("i32.load", Engine.record).set(E.p);
  code.i32(0).mem("i32.load", Engine.left).set(E.left);
  code.get(E.reason).i32(Reason.string).op("i32.eq").brIf(again);
  code.end();
  code.br(done);
  code.end().end();
  packFlags(code);
  return storePosition(code).get(E.reason);
}

/** After a TLB miss: goes on at the same record if the page can be accessed; else the other engine takes over. */
function refill(code: Code, again: Label): void {
  code
    .get(E.reason)
    .i32(Reason.missRead)
    .op("i32.eq")
    .get(E.reason)
    .i32(Reason.missWrite)
    .op("i32.eq", "i32.or")
    .if();
  // An access that crosses a page end misses with both pages present.
  code.i32(0).mem("i64.load", Engine.address).i32(0).mem("i64.load", Engine.lastByte).op("i64.xor");
  code.i64(-4096).op("i64.and", "i64.eqz").if();
  code
    .i32(0)
    .mem("i32.load", Engine.address)
    .i32(0)
    .mem("i32.load", Engine.address + 4);
  code.get(E.reason).i32(Reason.missWrite).op("i32.eq").call(FunctionIndex.fill).brIf(again).end();
  code.i32(Reason.bail).set(E.reason).end();
}

/** RFLAGS to `r`, `c` and `n`; ZF and SF are not both set. */
function unpackFlags(code: Code): void {
  const flag = (mask: number) => code.get(E.flags).i32(mask).op("i32.and");
  code.i32(0).mem("i32.load", State.rflags).set(E.flags);
  code.i32(0);
  code
    .i64(0)
    .i64(1n << 63n)
    .i64(0x100);
  flag(RFLAGS.SF).op("select");
  flag(RFLAGS.ZF).op("select").mem("i64.store", Engine.result);
  code.i32(0);
  code.i64(1n << 63n).i64(0);
  flag(RFLAGS.CF).op("select");
  code.i64(1n << 62n).i64(0);
  flag(RFLAGS.OF).i32(0).op("i32.ne");
  flag(RFLAGS.CF).i32(0).op("i32.ne", "i32.ne", "select", "i64.or");
  code.i64(8).i64(0);
  flag(RFLAGS.AF).op("select", "i64.or").mem("i64.store", Engine.carries);
  // Both values of `r` have an even low byte.
  code.i32(0);
  code.i32(0).i32(0x100);
  flag(RFLAGS.PF).op("select").mem("i32.store", Engine.note);
}

function packFlags(code: Code): void {
  const carries = () => code.get(E.c);
  code.i32(0).mem("i64.load", Engine.result).set(E.r);
  code.i32(0).mem("i64.load", Engine.carries).set(E.c);
  code.i32(0);
  code.i32(0).mem("i32.load", State.rflags).i32(~STATUS_FLAGS).op("i32.and");
  carries().i64(63).op("i64.shr_u", "i32.wrap_i64", "i32.or");
  carries()
    .get(E.c)
    .i64(1)
    .op("i64.shl", "i64.xor")
    .i64(63)
    .op("i64.shr_u", "i32.wrap_i64")
    .i32(11)
    .op("i32.shl", "i32.or");
  carries()
    .i32(0)
    .mem("i32.load", Engine.note)
    .i32(0x3f)
    .op("i32.and")
    .i32(3)
    .op("i32.add", "i64.extend_i32_u", "i64.shr_u");
  code.op("i32.wrap_i64").i32(1).op("i32.and").i32(4).op("i32.shl", "i32.or");
  code.get(E.r).op("i64.eqz").i32(6).op("i32.shl", "i32.or");
  code.get(E.r).i64(63).op("i64.shr_u", "i32.wrap_i64").i32(7).op("i32.shl", "i32.or");
  code.get(E.r).op("i32.wrap_i64").i32(0xff).op("i32.and", "i32.popcnt");
  code.i32(0).mem("i32.load", Engine.note).i32(8).op("i32.shr_u", "i32.xor").i32(1).op("i32.and", "i32.eqz");
  code.i32(2).op("i32.shl", "i32.or").mem("i32.store", State.rflags);
}

/** RIP: where a lookup wants to go, or the record's instruction. */
function storePosition(code: Code): Code {
  code
    .get(E.reason)
    .i32(Reason.lookup)
    .op("i32.eq")
    .get(E.reason)
    .i32(Reason.link)
    .op("i32.eq", "i32.or")
    .if();
  code.i32(0).i32(0).mem("i64.load", Engine.target).mem("i64.store", State.rip);
  code.else();
  code.i32(0).i32(0).mem("i64.load", Engine.ripPage).get(E.p).mem("i64.load16_u", Field.offset).op("i64.add");
  code.mem("i64.store", State.rip);
  return code.end();
}
