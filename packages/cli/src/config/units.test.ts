import test from "ava";
import { formatDuration, formatSize, parseAddress, parseDuration, parseSize } from "./units.js";

const sizes: [string, number][] = [
  ["1B", 1],
  ["4KiB", 4096],
  ["64MiB", 67_108_864],
  ["64 MiB", 67_108_864],
  ["1.5GiB", 1_610_612_736],
  ["1_024KiB", 1_048_576],
  ["1TiB", 2 ** 40],
];

for (const [text, value] of sizes) {
  test(`size: "${text}" is ${value} bytes`, (t) => t.deepEqual(parseSize(text), { ok: true, value }));
}

const refusedSizes: [string, string, string][] = [
  [
    "64MB",
    "ERR_MANIFEST_UNIT",
    'unit MB is not known. Write "64MiB" (67,108,864 bytes), or "64000000B" (64,000,000 bytes)',
  ],
  [
    "2g",
    "ERR_MANIFEST_UNIT",
    'unit g is not known. Write "2GiB" (2,147,483,648 bytes), or "2000000000B" (2,000,000,000 bytes)',
  ],
  ["64", "ERR_MANIFEST_UNIT", 'no unit. Write "64MiB" (67,108,864 bytes), or "64B" (64 bytes)'],
  ["64mib", "ERR_MANIFEST_UNIT", 'unit mib is not known. Write "64MiB" (67,108,864 bytes)'],
  ["64pages", "ERR_MANIFEST_UNIT", "unit pages is not known. Units are B, KiB, MiB, GiB, TiB"],
  ["1constructor", "ERR_MANIFEST_UNIT", "unit constructor is not known. Units are B, KiB, MiB, GiB, TiB"],
  ["", "ERR_MANIFEST_VALUE", 'not a size. Write for example "64MiB"'],
  ["-1MiB", "ERR_MANIFEST_VALUE", 'not a size. Write for example "64MiB"'],
  ["1e3MiB", "ERR_MANIFEST_VALUE", 'not a size. Write for example "64MiB"'],
  ["0.3B", "ERR_MANIFEST_VALUE", "not a whole number of bytes below 2^53"],
  ["99999999TiB", "ERR_MANIFEST_VALUE", "not a whole number of bytes below 2^53"],
];

for (const [text, code, message] of refusedSizes) {
  test(`size: "${text}" is refused with ${code}`, (t) =>
    t.deepEqual(parseSize(text) as object, { ok: false, code, message }));
}

test("duration: units are ms, s, m and h, and fractions are allowed", (t) => {
  t.deepEqual(
    ["500ms", "10s", "1.5m", "2h"].map((text) => parseDuration(text)),
    [500, 10_000, 90_000, 7_200_000].map((value) => ({ ok: true, value })),
  );
});

const refusedDurations: [string, string, string][] = [
  ["10", "ERR_MANIFEST_UNIT", 'no unit. Units are ms, s, m, h: write for example "10s"'],
  ["10sec", "ERR_MANIFEST_UNIT", 'unit sec is not known. Units are ms, s, m, h: write for example "10s"'],
  ["0s", "ERR_MANIFEST_VALUE", 'shorter than "1ms"'],
  ["99999h", "ERR_MANIFEST_VALUE", 'longer than a year; write "none" for no limit'],
  ["soon", "ERR_MANIFEST_VALUE", 'not a duration. Write for example "10s"'],
];

for (const [text, code, message] of refusedDurations) {
  test(`duration: "${text}" is refused with ${code}`, (t) =>
    t.deepEqual(parseDuration(text) as object, { ok: false, code, message }));
}

test("address: 64 unsigned bits in hexadecimal, digits may be grouped", (t) => {
  t.is(parseAddress("0xffffffff80000000"), 0xffff_ffff_8000_0000n);
  t.is(parseAddress("0xffff_ffff_8000_0000"), 0xffff_ffff_8000_0000n);
  t.is(parseAddress("0x0"), 0n);
  t.is(parseAddress(`0x${"0".repeat(40)}7c00`), 0x7c00n);
});

test("address: anything else is refused", (t) => {
  for (const text of ["7c00", "-0x1", "0x", "0x_1", "0x1_", "0xg", "0x10000000000000000", " 0x1"]) {
    t.is(parseAddress(text), undefined, text);
  }
});

test("sizes and durations are printed as they are written", (t) => {
  t.deepEqual([67_108_864, 4096, 4097, 0].map(formatSize), ["64MiB", "4KiB", "4097B", "0B"]);
  t.deepEqual([1500, 60_000, 10_000, 3_600_000].map(formatDuration), ["1500ms", "1m", "10s", "1h"]);
});
