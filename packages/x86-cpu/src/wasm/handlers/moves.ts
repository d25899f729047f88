/** MOV, MOVZX, MOVSX, LEA, PUSH, POP, XCHG, BSWAP, CMOVcc, SETcc, and the sign extensions of the accumulator. */
import { Gpr } from "../../architecture.js";
import { Engine, State } from "../../layout.js";
import { type Emitter, type Handlers, L } from "../emitter.js";
import type { MemoryName } from "../encoding.js";
import { Field } from "../records.js";
import { immediate, loadAtPointer, localsOf, SIZES } from "./alu.js";

const RSP = State.gpr + Gpr.RSP * 8;

function addMoves(handlers: Handlers): void {
  for (const size of SIZES) {
    const { a } = localsOf(size);
    handlers.set(`mov.rr.${size}`, (e) => {
      e.load(Field.source, size).code.set(a);
      e.store(Field.destination, size, a).next();
    });
    handlers.set(`mov.ri.${size}`, (e) => {
      immediate(e, size);
      e.code.set(a);
      e.store(Field.destination, size, a).next();
    });
    handlers.set(`mov.rm.${size}`, (e) => {
      e.pointer(size / 8);
      loadAtPointer(e, size);
      e.code.set(a);
      e.store(Field.destination, size, a).next();
    });
    handlers.set(`mov.mr.${size}`, (e) => {
      e.pointer(size / 8, true)
        .load(Field.source, size)
        .code.set(a);
      e.storeAtPointer(size, a).next();
    });
    handlers.set(`mov.mi.${size}`, (e) => {
      e.pointer(size / 8, true);
      immediate(e, size);
      e.code.set(a);
      e.storeAtPointer(size, a).next();
    });
  }
}

/** Extending loads to 64 bits: from, signed, to. A zero-extension to 32 bits is one to 64. */
const EXTENSIONS: readonly (readonly [name: string, bytes: number, load: MemoryName, to: 32 | 64])[] = [
  ["movzx.8", 1, "i64.load8_u", 64],
  ["movzx.16", 2, "i64.load16_u", 64],
  ["movsx.8.64", 1, "i64.load8_s", 64],
  ["movsx.16.64", 2, "i64.load16_s", 64],
  ["movsx.32.64", 4, "i64.load32_s", 64],
  ["movsx.8.32", 1, "i64.load8_s", 32],
  ["movsx.16.32", 2, "i64.load16_s", 32],
];

function addExtensions(handlers: Handlers): void {
  for (const [name, bytes, load, to] of EXTENSIONS) {
    const finish = (e: Emitter) => {
      e.code.mem(load);
      if (to === 32) e.code.i64(0xffffffff).op("i64.and");
      e.code.set(L.a);
      e.store(Field.destination, 64, L.a).next();
    };
    handlers.set(`${name}.r`, (e) => {
      e.field(Field.source);
      finish(e);
    });
    handlers.set(`${name}.m`, (e) => {
      e.pointer(bytes).code.get(L.q);
      finish(e);
    });
  }
}

function addAddresses(handlers: Handlers): void {
  handlers.set("lea.64", (e) => e.address().store(Field.destination, 64, L.va).next());
  handlers.set("lea.32", (e) => {
    e.address().code.get(L.va).i64(0xffffffff).op("i64.and").set(L.va);
    e.store(Field.destination, 64, L.va).next();
  });
  // For the record behind: an address of 32 bits, or one with base, index and segment.
  handlers.set("address.64", (e) => {
    e.address().code.i32(Engine.address).get(L.va).mem("i64.store");
    e.next();
  });
  handlers.set("address.32", (e) => {
    e.address().code.i32(Engine.address).get(L.va).i64(0xffffffff).op("i64.and").mem("i64.store");
    e.next();
  });
  // An operand from memory, for the record behind, which takes it as a register.
  for (const size of SIZES) {
    handlers.set(`operand.${size}`, (e) => {
      e.pointer(size / 8).code.i32(Engine.operand);
      loadAtPointer(e, size);
      e.code.mem(({ 8: "i32.store8", 16: "i32.store16", 32: "i32.store", 64: "i64.store" } as const)[size]);
      e.next();
    });
  }
  handlers.set("operand.128", (e) => {
    e.pointer(16).code.i32(Engine.operand).get(L.q).v128("v128.load").v128("v128.store");
    e.next();
  });
}

/** Makes room on the stack for 8 bytes: `va` is the new top, `q` points to it. RSP is not moved yet. */
export function pushSlot(e: Emitter): void {
  e.code.i32(0).mem("i64.load", RSP).i64(8).op("i64.sub").set(L.va);
  e.translate(8, true);
}

/** RSP becomes `va`. */
export function commitStack(e: Emitter): void {
  e.code.i32(0).get(L.va).mem("i64.store", RSP);
}

function addStack(handlers: Handlers): void {
  handlers.set("push.r", (e) => {
    pushSlot(e);
    e.code.get(L.q);
    e.load(Field.source, 64).code.mem("i64.store");
    commitStack(e);
    e.next();
  });
  handlers.set("push.i", (e) => {
    pushSlot(e);
    e.code.get(L.q);
    e.immediate64().code.mem("i64.store");
    commitStack(e);
    e.next();
  });
  handlers.set("pop.r", (e) => {
    const { code } = e;
    code.i32(0).mem("i64.load", RSP).set(L.va);
    e.translate(8, false);
    code.get(L.q).mem("i64.load").set(L.a);
    // POP RSP: what was popped wins.
    code.i32(0).get(L.va).i64(8).op("i64.add").mem("i64.store", RSP);
    e.store(Field.destination, 64, L.a).next();
  });
  handlers.set("leave", (e) => {
    const { code } = e;
    code
      .i32(0)
      .mem("i64.load", State.gpr + Gpr.RBP * 8)
      .set(L.va);
    e.translate(8, false);
    code
      .i32(0)
      .get(L.q)
      .mem("i64.load")
      .mem("i64.store", State.gpr + Gpr.RBP * 8);
    code.i32(0).get(L.va).i64(8).op("i64.add").mem("i64.store", RSP);
    e.next();
  });
}

function addConditional(handlers: Handlers): void {
  for (let number = 0; number < 16; number++) {
    handlers.set(`set.${number}`, (e) => {
      e.field(Field.destination).condition(number).code.mem("i32.store8");
      e.next();
    });
    handlers.set(`cmov.${number}.64`, (e) => {
      e.field(Field.destination).load(Field.source, 64).load(Field.destination, 64);
      e.condition(number).code.op("select").mem("i64.store");
      e.next();
    });
    handlers.set(`cmov.${number}.32`, (e) => {
      e.field(Field.destination).load(Field.source, 32).load(Field.destination, 32);
      e.condition(number).code.op("select", "i64.extend_i32_u").mem("i64.store");
      e.next();
    });
  }
}

const RAX = State.gpr;
const RDX = State.gpr + Gpr.RDX * 8;

function addAccumulator(handlers: Handlers): void {
  handlers.set("cdqe", (e) => {
    e.code.i32(0).i32(0).mem("i64.load32_s", RAX).mem("i64.store", RAX);
    e.next();
  });
  handlers.set("cwde", (e) => {
    e.code.i32(0).i32(0).mem("i32.load16_s", RAX).op("i64.extend_i32_u").mem("i64.store", RAX);
    e.next();
  });
  handlers.set("cqo", (e) => {
    e.code.i32(0).i32(0).mem("i64.load", RAX).i64(63).op("i64.shr_s").mem("i64.store", RDX);
    e.next();
  });
  handlers.set("cdq", (e) => {
    e.code
      .i32(0)
      .i32(0)
      .mem("i32.load", RAX)
      .i32(31)
      .op("i32.shr_s", "i64.extend_i32_u")
      .mem("i64.store", RDX);
    e.next();
  });
}

function addExchanges(handlers: Handlers): void {
  for (const size of [32, 64] as const) {
    const { a, b } = localsOf(size);
    handlers.set(`xchg.rr.${size}`, (e) => {
      e.load(Field.source, size).code.set(a);
      e.load(Field.destination, size).code.set(b);
      e.store(Field.destination, size, a).store(Field.source, size, b).next();
    });
    handlers.set(`xchg.mr.${size}`, (e) => {
      e.pointer(size / 8, true);
      loadAtPointer(e, size);
      e.code.set(b);
      e.load(Field.source, size).code.set(a);
      e.storeAtPointer(size, a).store(Field.source, size, b).next();
    });
  }
  handlers.set("bswap.32", (e) => {
    const { code } = e;
    e.load(Field.destination, 32).code.set(L.ia);
    code.get(L.ia).i32(8).op("i32.rotl").i32(0x00ff00ff).op("i32.and");
    code
      .get(L.ia)
      .i32(8)
      .op("i32.rotr")
      .i32(0xff00ff00 | 0)
      .op("i32.and", "i32.or")
      .set(L.ix);
    e.store(Field.destination, 32, L.ix).next();
  });
  handlers.set("bswap.64", (e) => {
    const { code } = e;
    e.load(Field.destination, 64).code.set(L.a);
    const half = (shift: number) => {
      code.get(L.a).i64(shift).op("i64.shr_u", "i32.wrap_i64").set(L.ia);
      code.get(L.ia).i32(8).op("i32.rotl").i32(0x00ff00ff).op("i32.and");
      code
        .get(L.ia)
        .i32(8)
        .op("i32.rotr")
        .i32(0xff00ff00 | 0)
        .op("i32.and", "i32.or", "i64.extend_i32_u");
    };
    half(0);
    code.i64(32).op("i64.shl");
    half(32);
    code.op("i64.or").set(L.x);
    e.store(Field.destination, 64, L.x).next();
  });
}

export function addMovesAndStack(handlers: Handlers): void {
  handlers.set("nop", (e) => e.next());
  addMoves(handlers);
  addExtensions(handlers);
  addAddresses(handlers);
  addStack(handlers);
  addConditional(handlers);
  addAccumulator(handlers);
  addExchanges(handlers);
}
