/** The fuzzer against plugins with planted mistakes: it must find each of them. */
import test from "ava";
import { t as type } from "../argument-types.js";
import { definePlugin, type Plugin } from "../plugin.js";
import { fuzzHypercalls } from "./fuzz.js";

const base = { name: "planted", version: "1.0.0", abi: 1 } as const;
const fuzz = (plugin: Plugin, more: object = {}) =>
  fuzzHypercalls([{ plugin, grant: "all" }], { calls: 2000, seed: 7, ...more });

test("fuzz: the same seed makes the same calls", async (t) => {
  const seen: unknown[][] = [[], []];
  for (const log of seen) {
    const handle = (_ctx: unknown, args: object) => void log.push(args);
    await fuzz(
      definePlugin({ ...base, hypercalls: { a: { args: { x: type.u64, s: type.cstring(99) }, handle } } }),
    );
  }
  t.true(seen[0]!.length > 100);
  t.deepEqual(seen[0], seen[1]);
});

test("fuzz: a check that is missing is a failure of the handler, by its message", async (t) => {
  const names: Record<string, string> = { name: "found" };
  const plugin = definePlugin({
    ...base,
    hypercalls: { look: { args: { s: type.cstring(64) }, handle: (_ctx, { s }) => names[s]!.length } },
  });
  const { handlerFailures, escapes } = await fuzz(plugin);
  t.regex([...handlerFailures.keys()].join(), /look of plugin planted failed: .*undefined/);
  t.deepEqual(escapes, []);
});

test("fuzz: a write outside of guest memory is an escape", async (t) => {
  const plugin = definePlugin({
    ...base,
    hypercalls: {
      // The classic: a view's buffer without its byteOffset.
      fill: {
        args: { b: type.buffer.out(64) },
        handle: (_ctx, { b }) => void new Uint8Array(b.bytes().buffer).fill(1),
      },
    },
  });
  const { escapes } = await fuzz(plugin);
  t.regex(escapes[0]!.reason, /outside of guest memory/);
});

test("fuzz: a secret in guest memory is an escape", async (t) => {
  const plugin = definePlugin({
    ...base,
    hypercalls: {
      open: {
        args: { path: type.cstring(64), b: type.buffer.out(64) },
        handle: (_ctx, { path, b }) =>
          path === "/secret" ? b.write(new TextEncoder().encode("sesame-open")) : 0,
      },
    },
  });
  t.deepEqual((await fuzz(plugin, { secrets: ["sesame-open"] })).escapes, []);
  const { escapes } = await fuzz(plugin, { secrets: ["sesame-open"], texts: ["/secret"] });
  t.regex(escapes[0]!.reason, /secret/);
});

test("fuzz: ports are called too, and what ends a run comes back as an outcome", async (t) => {
  const seen = { in: 0, out: 0 };
  const plugin = definePlugin({
    ...base,
    ports: {
      p: { first: 0x10, last: 0x1f, onIn: () => ++seen.in, onOut: () => void seen.out++ },
    },
    hypercalls: { stop: { args: {}, handle: ({ vm }) => vm.exit(1) } },
  });
  const report = await fuzz(plugin);
  t.true(seen.in > 20 && seen.out > 20 && report.outcomes > 20);
  t.is(report.ports, seen.in + seen.out);
});
