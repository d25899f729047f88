import test from "ava";
import { t as type } from "./argument-types.js";
import { VmError } from "./errors.js";
import { definePlugin, isPlugin } from "./plugin.js";

const base = { name: "sample", version: "1.0.0", abi: 1 } as const;
const handle = () => 0;

test("definePlugin: the rows are pure data that can be cloned and written as JSON", (t) => {
  const plugin = definePlugin({
    ...base,
    hypercalls: {
      kv_get: {
        args: {
          key: type.cstring(255),
          value: type.buffer.out(4096),
          found: type.u64.out(),
          mode: type.enum({ FAST: 0, SAFE: 1 }),
        },
        returns: type.i32,
        errors: ["ENOENT"],
        doc: "Looks a key up.",
        handle,
      },
    },
  });
  const expected = [
    {
      name: "kv_get",
      args: {
        key: { kind: "cstring", maxBytes: 255 },
        value: { kind: "buffer", direction: "out", maxBytes: 4096 },
        found: { kind: "struct", name: "u64", direction: "out", fields: { value: "u64" } },
        mode: { kind: "enum", repr: "i32", values: { FAST: 0, SAFE: 1 } },
      },
      returns: { kind: "i32" },
      errors: ["ENOENT"],
      doc: "Looks a key up.",
      nr: undefined,
      isAsync: false,
    },
  ];
  t.deepEqual(structuredClone(plugin.rows) as unknown, expected);
  t.true(isPlugin(plugin));
});

test("definePlugin: a system call gets Linux's number", (t) => {
  const plugin = definePlugin({ ...base, hypercalls: { my_write: { syscall: "write", args: {}, handle } } });
  t.is(plugin.rows[0]!.nr, 1);
});

const wrong: [string, () => unknown, string][] = [
  ["a name with spaces", () => definePlugin({ ...base, name: "My Plugin" }), "ERR_VM_PLUGIN_DEFINITION"],
  ["another ABI", () => definePlugin({ ...base, abi: 2 as 1 }), "ERR_VM_PLUGIN_ABI"],
  ["no version", () => definePlugin({ ...base, version: undefined as never }), "ERR_VM_PLUGIN_DEFINITION"],
  [
    "a hypercall without a handler",
    () => definePlugin({ ...base, hypercalls: { a: { args: {} } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "a hypercall with two handlers",
    () => definePlugin({ ...base, hypercalls: { a: { args: {}, handle, handleAsync: async () => 0 } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "a hypercall whose name is no C identifier",
    () => definePlugin({ ...base, hypercalls: { "a-b": { args: {}, handle } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "seven registers of arguments",
    () => {
      const b = type.buffer.in(1);
      return definePlugin({ ...base, hypercalls: { a: { args: { b, c: b, d: b, e: type.u8 }, handle } } });
    },
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "an enum with two names for one number",
    () => definePlugin({ ...base, hypercalls: { a: { args: { m: type.enum({ A: 1, B: 1 }) }, handle } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "an enum with a number that its register type cannot hold",
    () => definePlugin({ ...base, hypercalls: { a: { args: { m: type.enum({ A: 300 }, "u8") }, handle } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "an enum of addresses",
    () =>
      definePlugin({ ...base, hypercalls: { a: { args: { m: type.enum({ A: 1 }, "pointer") }, handle } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "an enum whose name no C constant can have",
    () => definePlugin({ ...base, hypercalls: { a: { args: { m: type.enum({ "a-b": 1 }) }, handle } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "a struct whose name is no C identifier",
    () =>
      definePlugin({
        ...base,
        hypercalls: { a: { args: { s: type.struct("a b", { x: "u8" }).in() }, handle } },
      }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "a handle whose name is no C identifier",
    () => definePlugin({ ...base, hypercalls: { a: { args: { s: type.handle("*/") }, handle } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "two layouts of one struct",
    () => {
      const one = type.struct("s", { x: "u8" }).in();
      const two = type.struct("s", { x: "u16" }).in();
      return definePlugin({ ...base, hypercalls: { a: { args: { one, two }, handle } } });
    },
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "an unbounded string",
    () => definePlugin({ ...base, hypercalls: { a: { args: { s: type.cstring(2 ** 30) }, handle } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "an errno that does not exist",
    () => definePlugin({ ...base, hypercalls: { a: { args: {}, errors: ["EWRONG" as "EIO"], handle } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "a system call that the kernel serves",
    () => definePlugin({ ...base, hypercalls: { a: { args: {}, syscall: "mmap" as "write", handle } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "a struct as a result",
    () =>
      definePlugin({
        ...base,
        hypercalls: {
          a: { args: {}, returns: type.struct("s", { a: "u8" }).out(), handle: () => undefined as never },
        },
      }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
  [
    "ports that run backwards",
    () => definePlugin({ ...base, ports: { p: { first: 2, last: 1 } } }),
    "ERR_VM_PLUGIN_DEFINITION",
  ],
];

for (const [title, define, code] of wrong) {
  test(`definePlugin: ${title} is refused, naming plugin and field`, (t) => {
    const error = t.throws(define, { instanceOf: VmError, code });
    t.truthy(error.facts["plugin"]);
  });
}
