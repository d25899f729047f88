import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { CliError } from "../errors.js";
import { assignNumbers, LOCK_FILE, lockHypercalls } from "./lock-file.js";

const dir = mkdtempSync(join(tmpdir(), "kvmkit-lock-"));
test.after.always(() => rmSync(dir, { recursive: true }));
const path = join(dir, LOCK_FILE);

test("numbers start at 0x1000, in the order of the plugins", (t) => {
  t.deepEqual(
    assignNumbers({}, [
      { name: "a", hypercalls: ["x", "y"] },
      { name: "b", hypercalls: ["z"] },
    ]),
    {
      a: { x: 0x1000, y: 0x1001 },
      b: { z: 0x1002 },
    },
  );
});

test("a number stays with its name, and a removed name's number is not given to another", (t) => {
  const recorded = { a: { x: 0x1000, gone: 0x1001 } };
  t.deepEqual(
    assignNumbers(recorded, [
      { name: "b", hypercalls: ["z"] },
      { name: "a", hypercalls: ["new", "x"] },
    ]),
    {
      a: { x: 0x1000, gone: 0x1001, new: 0x1003 },
      b: { z: 0x1002 },
    },
  );
});

test("names that every object has are names like others", (t) => {
  const numbers = assignNumbers({}, [{ name: "constructor", hypercalls: ["toString", "__proto__"] }]);
  t.deepEqual(Object.entries(numbers["constructor"]!), [
    ["toString", 0x1000],
    ["__proto__", 0x1001],
  ]);
});

test("nothing new: the same object, so that nothing is written", (t) => {
  const recorded = { a: { x: 0x1000 } };
  t.is(assignNumbers(recorded, [{ name: "a", hypercalls: ["x"] }]), recorded);
});

test("more than 4096 hypercalls are refused", (t) => {
  const hypercalls = Array.from({ length: 4097 }, (_, i) => `h${i}`);
  t.throws(() => assignNumbers({}, [{ name: "a", hypercalls }]), { code: "ERR_HYPERCALL_NUMBERS" });
});

test.serial("the file is written once, and read from then on", (t) => {
  rmSync(path, { force: true });
  t.deepEqual(lockHypercalls(dir, []), {});
  t.throws(() => statSync(path), { code: "ENOENT" });
  lockHypercalls(dir, [{ name: "a", hypercalls: ["x"] }]);
  t.is(
    readFileSync(path, "utf8"),
    '{\n  "version": 1,\n  "hypercalls": {\n    "a": {\n      "x": 4096\n    }\n  }\n}\n',
  );
  const { ino } = statSync(path);
  t.deepEqual(lockHypercalls(dir, [{ name: "a", hypercalls: ["x"] }]), { a: { x: 4096 } });
  t.is(statSync(path).ino, ino);
});

const damaged: [string, string][] = [
  ["not JSON", "{"],
  ["null", "null"],
  ["another version", '{"version":2,"hypercalls":{}}'],
  ["no table", '{"version":1}'],
  ["a list for a plugin", '{"version":1,"hypercalls":{"a":[]}}'],
  ["a number of Linux's", '{"version":1,"hypercalls":{"a":{"x":1}}}'],
  ["a fraction", '{"version":1,"hypercalls":{"a":{"x":4096.5}}}'],
  ["one number twice", '{"version":1,"hypercalls":{"a":{"x":4096},"b":{"y":4096}}}'],
];

for (const [title, text] of damaged) {
  test.serial(`a damaged file is refused, not repaired: ${title}`, (t) => {
    writeFileSync(path, text);
    t.throws(() => lockHypercalls(dir, []), { instanceOf: CliError, code: "ERR_LOCK_FILE" });
    t.is(readFileSync(path, "utf8"), text);
  });
}
