import test from "ava";
import { ElfError } from "./errors.js";
import { StringTable } from "./strings.js";

const table = (text: string) => new StringTable(new TextEncoder().encode(text), 0x100, "section 3 (.strtab)");

test("a name is the bytes up to the next NUL, and may be the tail of another (gABI, String Table)", (t) => {
  const strings = table("\0printf\0f\0");
  t.deepEqual(
    [0, 1, 6, 7, 8].map((index) => strings.get(index)),
    ["", "printf", "f", "", "f"],
  );
});

test("names in UTF-8 are decoded, and a byte order mark is kept", (t) => {
  const strings = table("\0größe\0\ufeffx\0a\0");
  t.is(strings.get(1), "größe");
  t.is(strings.get(9), "\ufeffx");
  t.is(strings.get(14), "a");
});

test("bytes that are no UTF-8 do not shift the names behind them", (t) => {
  const strings = new StringTable(Uint8Array.of(0, 0xff, 0, 0x61, 0), 0, "");
  t.is(strings.get(1), "\ufffd");
  t.is(strings.get(3), "a");
});

test("names longer than the search block are found", (t) => {
  const long = "x".repeat(20_000);
  const strings = table(`\0${long}\0y\0`);
  t.is(strings.get(1), long);
  t.is(strings.get(9_000), long.slice(8_999));
  t.is(strings.get(20_002), "y");
});

test("a table without bytes has the empty name and no other", (t) => {
  t.is(table("").get(0), "");
  t.throws(() => table("").get(1), { instanceOf: ElfError, code: "ERR_ELF_STRING" });
});

test("a name outside the table: ERR_ELF_STRING with the end of the table", (t) => {
  const error = t.throws(() => table("\0a\0").get(3), { instanceOf: ElfError, code: "ERR_ELF_STRING" });
  t.is(error?.offset, 0x103);
  t.is(error?.allowed, "below 3");
  t.is(error?.where, "section 3 (.strtab)");
});

test("a name without NUL: ERR_ELF_STRING with its start, short or long", (t) => {
  const short = t.throws(() => table("\0abc").get(1), { instanceOf: ElfError, code: "ERR_ELF_STRING" });
  t.is(short?.offset, 0x101);
  t.throws(() => table(`\0${"x".repeat(10_000)}`).get(5), { instanceOf: ElfError, code: "ERR_ELF_STRING" });
});

test("a long ASCII name is read beside names in UTF-8", (t) => {
  const long = "x".repeat(70_000);
  const strings = table(`\0ä\0${long}\0ö\0`);
  t.is(strings.get(4), long);
  t.deepEqual([strings.get(1), strings.get(70_005)], ["ä", "ö"]);
});

test("long names that are not ASCII are refused: many could end in one and be decoded again and again", (t) => {
  t.throws(() => table(`\0ä${"x".repeat(70_000)}\0`).get(1), {
    instanceOf: ElfError,
    code: "ERR_ELF_STRING",
  });
});
