import test from "ava";
import { EXCEPTIONS, interruptGate } from "./idt.js";

test('interruptGate: offset in three pieces, selector 0x10, type 0xe (SDM Vol. 3A, "64-Bit Mode IDT")', (t) => {
  const offset = 0xffff_ffff_8010_2340n;
  t.deepEqual(interruptGate({ offset, dpl: 0, ist: 0 }), [0x8010_8e00_0010_2340n, 0xffff_ffffn]);
  t.deepEqual(interruptGate({ offset, dpl: 3, ist: 0 }), [0x8010_ee00_0010_2340n, 0xffff_ffffn]);
  t.deepEqual(interruptGate({ offset, dpl: 0, ist: 2 }), [0x8010_8e02_0010_2340n, 0xffff_ffffn]);
});

test("EXCEPTIONS: one row for each of the vectors 0 to 31, in order", (t) => {
  t.deepEqual(
    EXCEPTIONS.map(({ vector }) => vector),
    Array.from({ length: 32 }, (_, vector) => vector),
  );
});

test('EXCEPTIONS: error codes where the processor pushes them (SDM Vol. 3A, "Exception and Interrupt Reference")', (t) => {
  const withErrorCode = EXCEPTIONS.filter(({ errorCode }) => errorCode).map(({ vector }) => vector);
  t.deepEqual(withErrorCode, [8, 10, 11, 12, 13, 14, 17, 21, 29, 30]);
});

test("EXCEPTIONS: ring 3 may use gates 3 and 4 only; double fault, NMI and machine check have own stacks", (t) => {
  t.deepEqual(
    EXCEPTIONS.filter(({ dpl }) => dpl === 3).map(({ vector }) => vector),
    [3, 4],
  );
  const stacks = EXCEPTIONS.filter(({ ist }) => ist !== 0);
  t.deepEqual(
    stacks.map(({ vector }) => vector),
    [2, 8, 18],
  );
  t.is(new Set(stacks.map(({ ist }) => ist)).size, 3);
});
