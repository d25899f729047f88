import test from "ava";
import { structLayout } from "./struct-layout.js";

test("structLayout: fields stand at multiples of their size, the whole is padded (psABI, Data Representation)", (t) => {
  const layout = structLayout({ a: "u8", b: "u32", c: "u16", d: "u64", e: "bool" });
  t.deepEqual(layout.offsets, { a: 0, b: 4, c: 8, d: 16, e: 24 });
  t.is(layout.sizeBytes, 32);
});

test("structLayout: one byte alone takes one byte", (t) => t.is(structLayout({ a: "i8" }).sizeBytes, 1));

const values = {
  u8: 0xff,
  i8: -1,
  u16: 0xffff,
  i16: -2,
  u32: 0xffff_ffff,
  i32: -3,
  u64: 0xffff_ffff_ffff_ffffn,
  i64: -4n,
  bool: true,
  f64: 1.5,
  pointer: 0x7fff_ffff_f000n,
} as const;

test("structLayout: every scalar comes back from its bytes as it went in", (t) => {
  const layout = structLayout(Object.fromEntries(Object.keys(values).map((kind) => [kind, kind])) as never);
  t.deepEqual(layout.decode(layout.encode(values)), values);
});

test("structLayout: a value that is too wide keeps its low bits, a missing one is 0", (t) => {
  const layout = structLayout({ a: "u8", b: "i32", c: "u64" });
  t.deepEqual(layout.decode(layout.encode({ a: 0x1ff, b: 2 ** 31 })), { a: 0xff, b: -(2 ** 31), c: 0n });
});
