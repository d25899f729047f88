import test from "ava";
import { t } from "./argument-types.js";
import { VmError } from "./errors.js";
import { definePlugin, type Plugin } from "./plugin.js";
import { type PluginGrant, resolvePlugins } from "./plugin-set.js";

const handle = () => 0;
const call = { args: {}, handle };

const plugin = (name: string, more: object = {}): Plugin =>
  definePlugin({ name, version: "1.0.0", abi: 1, ...more } as never);
const grant = (granted: Plugin, more: Partial<PluginGrant> = {}): PluginGrant => ({
  plugin: granted,
  grant: "all",
  ...more,
});

test("resolvePlugins: dependencies come first, otherwise the order is the caller's", (t) => {
  const grants = [
    grant(plugin("c", { dependsOn: ["b"] })),
    grant(plugin("a")),
    grant(plugin("b", { dependsOn: ["a"] })),
  ];
  t.deepEqual(
    resolvePlugins(grants).map((resolved) => resolved.plugin.name),
    ["a", "b", "c"],
  );
});

test("resolvePlugins: numbers of the lock file are kept, the rest is numbered in order around them", (t) => {
  const a = plugin("a", { hypercalls: { one: call, two: call, three: call } });
  const [resolved] = resolvePlugins([grant(a, { numbers: { one: 0x1001 } })]);
  t.deepEqual(
    resolved!.calls.map(({ row, nr }) => [row.name, nr]),
    [
      ["one", 0x1001],
      ["two", 0x1000],
      ["three", 0x1002],
    ],
  );
});

test("resolvePlugins: what is not granted is not there", (t) => {
  const a = plugin("a", {
    hypercalls: { one: call, two: call },
    ports: { p: { first: 1 }, q: { first: 2 } },
  });
  const [resolved] = resolvePlugins([grant(a, { grant: ["two", "q"] })]);
  t.deepEqual(
    resolved!.calls.map(({ row }) => row.name),
    ["two"],
  );
  t.deepEqual(
    resolved!.ports.map(({ name }) => name),
    ["q"],
  );
});

const refused: [string, PluginGrant[], string, RegExp][] = [
  [
    "two plugins of one name",
    [grant(plugin("a")), grant(plugin("a"))],
    "ERR_VM_PLUGIN_CLASH",
    /a 1\.0\.0 and a 1\.0\.0/,
  ],
  [
    "one hypercall name in two plugins",
    [grant(plugin("a", { hypercalls: { x: call } })), grant(plugin("b", { hypercalls: { x: call } }))],
    "ERR_VM_PLUGIN_CLASH",
    /plugins a and b both claim the hypercall name x/,
  ],
  [
    "one system call in two plugins",
    [
      grant(plugin("a", { hypercalls: { x: { ...call, syscall: "write" } } })),
      grant(plugin("b", { hypercalls: { y: { ...call, syscall: "write" } } })),
    ],
    "ERR_VM_PLUGIN_CLASH",
    /a\.x and b\.y both claim hypercall number 1/,
  ],
  [
    "one number in two plugins' lock files",
    [
      grant(plugin("a", { hypercalls: { x: call } }), { numbers: { x: 0x1000 } }),
      grant(plugin("b", { hypercalls: { y: call } }), { numbers: { y: 0x1000 } }),
    ],
    "ERR_VM_PLUGIN_CLASH",
    /a\.x and b\.y both claim hypercall number 4096/,
  ],
  [
    "two layouts of one struct, which a program could not both include",
    [
      grant(plugin("a", { hypercalls: { x: { args: { s: t.struct("s", { n: "u8" }).in() }, handle } } })),
      grant(plugin("b", { hypercalls: { y: { args: { s: t.struct("s", { n: "i8" }).in() }, handle } } })),
    ],
    "ERR_VM_PLUGIN_CLASH",
    /plugins a and b both claim the struct name s/,
  ],
  [
    "overlapping ports",
    [
      grant(plugin("a", { ports: { p: { first: 0x10, last: 0x1f } } })),
      grant(plugin("b", { ports: { q: { first: 0x1f } } })),
    ],
    "ERR_VM_PLUGIN_CLASH",
    /plugins a and b both claim I\/O port 0x1f/,
  ],
  [
    "a missing dependency",
    [grant(plugin("a", { dependsOn: ["b"] }))],
    "ERR_VM_PLUGIN_DEPENDENCY",
    /a depends on b/,
  ],
  [
    "a cycle of dependencies",
    [grant(plugin("a", { dependsOn: ["b"] })), grant(plugin("b", { dependsOn: ["a"] }))],
    "ERR_VM_PLUGIN_DEPENDENCY",
    /a -> b -> a/,
  ],
  [
    "a grant of what does not exist",
    [grant(plugin("a", { hypercalls: { x: call } }), { grant: ["z"] })],
    "ERR_VM_PLUGIN_GRANT",
    /named z; it has: x/,
  ],
  [
    "a number outside the plugins' range",
    [grant(plugin("a", { hypercalls: { x: call } }), { numbers: { x: 5 } })],
    "ERR_VM_PLUGIN_NUMBER",
    /number 5 for x/,
  ],
  [
    "a number for a system call",
    [grant(plugin("a", { hypercalls: { x: { ...call, syscall: "write" } } }), { numbers: { x: 0x1000 } })],
    "ERR_VM_PLUGIN_NUMBER",
    /Linux's, 1/,
  ],
  [
    "options for a plugin that takes none",
    [grant(plugin("a"), { options: { colour: 1 } })],
    "ERR_VM_PLUGIN_OPTIONS",
    /takes no options, found colour/,
  ],
];

for (const [title, grants, code, message] of refused) {
  test(`resolvePlugins: ${title} is refused, naming both sides`, (t) => {
    t.throws(() => resolvePlugins(grants), { instanceOf: VmError, code, message });
  });
}

test("resolvePlugins: options go through the plugin's function, and what it throws names the plugin", (t) => {
  const options = (value: unknown) => {
    if (typeof value !== "number") throw new TypeError("a number, please");
    return value * 2;
  };
  t.is(resolvePlugins([grant(plugin("a", { options }), { options: 21 })])[0]!.options, 42);
  t.throws(() => resolvePlugins([grant(plugin("a", { options }), { options: "x" })]), {
    code: "ERR_VM_PLUGIN_OPTIONS",
    message: /plugin a: a number, please/,
  });
});

test("resolvePlugins: options go through a Standard Schema, and its issues are shown with their paths", (t) => {
  const schema = (result: unknown) => ({
    "~standard": { version: 1, vendor: "test", validate: () => result },
  });
  const good = plugin("a", { options: schema({ value: "checked" }) });
  t.is(resolvePlugins([grant(good)])[0]!.options, "checked");
  const issues = [{ message: "too long", path: ["limits", { key: "wall" }] }, { message: "also wrong" }];
  t.throws(() => resolvePlugins([grant(plugin("a", { options: schema({ issues }) }))]), {
    code: "ERR_VM_PLUGIN_OPTIONS",
    message: /options\.limits\.wall: too long; also wrong/,
  });
});
