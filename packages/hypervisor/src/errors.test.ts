import { readFileSync } from "node:fs";
import test from "ava";
import { ERROR_TABLE, reasonOf, VmError } from "./errors.js";

const reference = readFileSync(new URL("../ERRORS.md", import.meta.url), "utf8");

/** A row of ERRORS.md. */
const line = ({ code, message, remedy }: (typeof ERROR_TABLE)[number]): string =>
  `| \`${code}\` | ${message.replaceAll("|", "\\|")} | ${remedy.replaceAll("|", "\\|")} |`;

test("ERROR_TABLE: ERRORS.md lists every code with its message and remedy, in this order, and no other", (t) => {
  const rows = reference.split("\n").filter((text) => text.startsWith("| `ERR_"));
  t.deepEqual(rows, ERROR_TABLE.map(line));
});

for (const { code, message, remedy } of ERROR_TABLE) {
  test(`ERROR_TABLE: ${code} has a sentence that starts small and a remedy that is one`, (t) => {
    t.regex(code, /^ERR_VM_[A-Z0-9_]+$/);
    t.regex(message, /^[a-zK{]/);
    t.regex(remedy, /^[A-Z].*\.$/);
  });
}

test("VmError: facts stand in the sentence, addresses in hexadecimal, and the remedy follows", (t) => {
  const error = new VmError("ERR_VM_MEMORY_RANGE", { length: 16, address: 0x1000n });
  t.is(
    error.message,
    "16 bytes at guest-physical 0x1000 lie outside guest memory. Stay inside vm.memory.ranges.",
  );
  t.deepEqual(error.facts, { length: 16, address: 0x1000n });
});

test("VmError: crosses threads as data, with its facts and the text of its cause", (t) => {
  const error = new VmError("ERR_VM_HOST", { operation: "x", reason: "y" }, { cause: new Error("deep") });
  const copy = VmError.from(structuredClone(error.toJSON()));
  t.true(copy instanceof VmError);
  t.is(copy.message, error.message);
  t.is(copy.stack, error.stack);
  t.regex(String(copy.cause), /Error: deep/);
});

const thrown: [string, unknown, string][] = [
  ["an Error", new Error("text"), "text"],
  ["an Error without a message", new TypeError(), "TypeError"],
  ["a string", "text", "text"],
  ["nothing", undefined, "undefined"],
  ["an object that cannot be shown", { toString: null }, "object"],
  [
    "an object whose string is a trap",
    {
      toString: () => {
        throw new Error("no");
      },
    },
    "object",
  ],
];

for (const [title, value, reason] of thrown) {
  test(`reasonOf: ${title} gives ${reason}, and never throws`, (t) => t.is(reasonOf(value), reason));
}

test("VmError: a message that ends with another error's sentence has one full stop before the remedy", (t) => {
  const { message } = new VmError("ERR_VM_ACCEL_UNAVAILABLE", {
    accel: "kvm",
    reason: "KVM_RUN: EFAULT. Ask.",
  });
  t.false(message.includes(".."), message);
  t.true(message.includes("Ask. "), message);
});
