import test from "ava";
import { VmError } from "../errors.js";
import { memoryMap } from "./memory-map.js";

const GIB = 2 ** 30;

const layouts: [string, number, { start: number; size: number; offset: number }[]][] = [
  ["4 KiB is one range", 4096, [{ start: 0, size: 4096, offset: 0 }]],
  ["3 GiB end where the hole begins", 3 * GIB, [{ start: 0, size: 3 * GIB, offset: 0 }]],
  [
    "what is above 3 GiB continues at 4 GiB",
    3 * GIB + 4096,
    [
      { start: 0, size: 3 * GIB, offset: 0 },
      { start: 4 * GIB, size: 4096, offset: 3 * GIB },
    ],
  ],
];

for (const [title, size, expected] of layouts) {
  test(`memoryMap: ${title} (guest-kernel abi/memory-layout.ts)`, (t) =>
    t.deepEqual(memoryMap(size), expected));
}

for (const size of [0, -4096, 4095, 4097, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
  test(`memoryMap: ${size} bytes are refused, and the error says what is allowed`, (t) => {
    const error = t.throws(() => memoryMap(size), { instanceOf: VmError, code: "ERR_VM_MEMORY_SIZE" });
    t.regex(error.message, /multiples of 4096/);
  });
}
