import test from "ava";
import fc from "fast-check";
import { KvmError } from "./errors.js";
import { array, bytes, nested, s16, s32, s64, struct, u8, u16, u32, u64 } from "./layout.js";
import { kvm_cpuid2, kvm_msrs, kvm_run, kvm_sregs, structs } from "./structs.js";

const inner = struct("inner", 4, { a: u16(0), b: s16(2) });
const outer = struct("outer", 48, {
  byte: u8(0),
  word: u32(4),
  signed: s32(8),
  wide: s64(16),
  raw: bytes(24, 4),
  pair: nested(28, inner),
  list: array(2, nested(32, inner)),
  last: u64(40),
});

const value = {
  byte: 0xff,
  word: 0x1234_5678,
  signed: -1,
  wide: -2n,
  raw: Uint8Array.of(1, 2, 3, 4),
  pair: { a: 0xbeef, b: -0x8000 },
  list: [
    { a: 1, b: 2 },
    { a: 3, b: 4 },
  ],
  last: 0xffff_ffff_ffff_ffffn,
};

test("a structure is little-endian at its offsets, with zeros between", (t) => {
  const hex = Buffer.from(outer.encode(value)).toString("hex");
  t.is(
    hex,
    "ff000000" + // byte, padding
      "78563412" + // word
      "ffffffff00000000" + // signed, padding
      "feffffffffffffff" + // wide
      "01020304" + // raw
      "efbe0080" + // pair
      "0100020003000400" + // list
      "ffffffffffffffff",
  );
});

test("a structure reads back what was written", (t) => {
  t.deepEqual(outer.decode(outer.encode(value)), value);
});

test("write: absent fields are left as they are", (t) => {
  const view = new DataView(outer.encode(value).buffer);
  outer.write(view, { byte: 1, pair: { ...inner.read(view, 28), a: 2 } });
  t.deepEqual(outer.read(view), { ...value, byte: 1, pair: { a: 2, b: -0x8000 } });
});

test("a value that does not fit names structure, field, value and range", (t) => {
  const wrong: readonly [object, string][] = [
    [{ byte: 256 }, "outer.byte: found 256, allowed an integer from 0 to 255"],
    [{ word: -1 }, "outer.word: found -1, allowed an integer from 0 to 4294967295"],
    [{ word: 1n }, "outer.word: found 1n, allowed an integer from 0 to 4294967295"],
    [{ last: 1 }, "outer.last: found 1, allowed a bigint from 0n to 0xffffffffffffffffn"],
    [{ wide: 1n << 63n }, "outer.wide: found 9223372036854775808n, allowed a bigint of 64 bits, signed"],
    [{ raw: new Uint8Array(5) }, "outer.raw: found Uint8Array, allowed a Uint8Array of at most 4 bytes"],
    [{ list: [{}, {}, {}] }, "outer.list: found Array, allowed an array of at most 2 elements"],
    [{ list: [{}, { b: 0x8000 }] }, "outer.list[1].b: found 32768, allowed an integer from -32768 to 32767"],
    [{ pair: 7 }, "outer.pair: found 7, allowed a inner"],
    [{ pair: { a: "x" } }, 'outer.pair.a: found "x", allowed an integer from 0 to 65535'],
  ];
  for (const [given, message] of wrong)
    t.throws(() => outer.encode(given as never), { instanceOf: KvmError, code: "ERR_KVM_FIELD", message });
});

test("a field that leaves its structure is refused when the table is loaded", (t) => {
  t.throws(() => struct("broken", 4, { late: u32(1) }), { instanceOf: RangeError });
});

test("a flexible array is its header and as many elements as the header counts", (t) => {
  const encoded = kvm_msrs.encodeAll([{ index: 0x10, data: 1n }, { index: 0x11 }]);
  t.is(encoded.length, 8 + 2 * 16);
  t.deepEqual(kvm_msrs.decodeAll(encoded), [
    { index: 0x10, data: 1n },
    { index: 0x11, data: 0n },
  ]);
  t.is(kvm_cpuid2.room(3).length, 8 + 3 * 40);
});

test("a header that counts more elements than there are bytes yields those that are there", (t) => {
  const encoded = kvm_msrs.encodeAll([{ index: 1 }]);
  new DataView(encoded.buffer).setUint32(0, 0xffff_ffff, true);
  t.is(kvm_msrs.decodeAll(encoded).length, 1);
});

test("no two fields of a structure overlap, but in unions", (t) => {
  for (const { name, fields } of structs) {
    const ends = Object.values(fields).toSorted((a, b) => a.offset - b.offset);
    for (const [i, field] of ends.entries())
      if (i > 0)
        t.true(field.offset >= ends[i - 1]!.offset + ends[i - 1]!.size, `${name} at ${field.offset}`);
  }
});

test("any bytes read as system registers write back to the same bytes, padding aside", (t) => {
  const covered = new Uint8Array(kvm_sregs.size).fill(0xff);
  const kept = kvm_sregs.encode(kvm_sregs.decode(covered));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: kvm_sregs.size, maxLength: kvm_sregs.size }), (random) => {
      const expected = random.map((byte, i) => byte & kept[i]!);
      t.deepEqual(kvm_sregs.encode(kvm_sregs.decode(random)), expected);
    }),
  );
});

test("the registers in kvm_run are where KVM_CAP_SYNC_REGS has them", (t) => {
  const { regs, sregs, events } = kvm_run.fields;
  t.deepEqual([regs!.offset, sregs!.offset, events!.offset], [304, 448, 760]);
});
