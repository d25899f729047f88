import { ERRNO } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { t as type } from "./argument-types.js";
import { errno } from "./host/errno.js";
import { PAGE, TestTables } from "./internal-testing/memory.js";
import { definePlugin, type HypercallCall, type Plugin } from "./plugin.js";
import { type HarnessOptions, PluginHarness } from "./testing/harness.js";
import type { TraceEvent } from "./trace.js";

const base = { name: "sample", version: "1.0.0", abi: 1 } as const;

const harnessOf = (plugin: Plugin, options?: HarnessOptions): PluginHarness =>
  new PluginHarness([{ plugin, grant: "all" }], options);

const POINT = type.struct("point", { x: "i32", y: "u64" });

/** Returns what it got, so that a test sees the decoding. */
function recorder() {
  const seen: Record<string, unknown>[] = [];
  const handle = (_: unknown, args: Record<string, unknown>) => {
    seen.push(args);
  };
  const { u8, u16, u32, u64, i8, i16, i32, i64, bool, f64, pointer } = type;
  const plugin = definePlugin({
    ...base,
    hypercalls: {
      unsigned: { args: { u8, u16, u32, u64, pointer }, handle },
      signed: { args: { i8, i16, i32, i64, bool, f64 }, handle },
      text: { args: { text: type.cstring(4) }, handle },
      names: { args: { mode: type.enum({ OFF: 0, ON: -1 }, "i8") }, handle },
      point: { args: { point: POINT.in() }, handle },
    },
  });
  return { seen, harness: harnessOf(plugin) };
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

test("registry: a scalar is the low bits of its register, whatever the rest holds (psABI, Parameter Passing)", (t) => {
  const { seen, harness } = recorder();
  harness.call("unsigned", ALL_ONES, ALL_ONES, ALL_ONES, ALL_ONES, ALL_ONES);
  t.deepEqual(seen.pop(), { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff, u64: ALL_ONES, pointer: ALL_ONES });
  harness.call("signed", 0xff80n, 0xff_8000n, 0xf_8000_0000n, ALL_ONES, 0x100n, 0x3ff8_0000_0000_0000n);
  t.deepEqual(seen.pop(), { i8: -128, i16: -32768, i32: -(2 ** 31), i64: -1n, bool: false, f64: 1.5 });
});

test("registry: a string may be as long as its cap and no longer", (t) => {
  const { seen, harness } = recorder();
  t.is(harness.call("text", harness.put("four")), 0n);
  t.deepEqual(seen.pop(), { text: "four" });
  t.is(harness.call("text", harness.put("fives")), BigInt(-ERRNO.ENAMETOOLONG));
  t.is(harness.call("text", harness.put("")), 0n);
  t.deepEqual(seen.pop(), { text: "" });
});

test("registry: a string that memory ends in is -EFAULT", (t) => {
  const { harness } = recorder();
  const end = BigInt(harness.memory.sizeBytes);
  harness.memory.write(Number(end) - 2, Uint8Array.of(0x61, 0x62));
  t.is(harness.call("text", end - 2n), BigInt(-ERRNO.EFAULT));
});

test("registry: an enum's handler gets the name, another number is -EINVAL", (t) => {
  const { seen, harness } = recorder();
  harness.call("names", 0xffn);
  t.deepEqual(seen.pop(), { mode: "ON" });
  t.is(harness.call("names", 1), BigInt(-ERRNO.EINVAL));
  t.is(seen.length, 0);
});

test("registry: a struct is copied before the handler, so a later change of memory is not seen", (t) => {
  const { seen, harness } = recorder();
  const at = harness.put(Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0));
  harness.call("point", at);
  harness.memory.setU64(Number(at), 0n);
  t.deepEqual(seen.pop(), { point: { x: -2, y: 7n } });
  t.is(harness.call("point", BigInt(harness.memory.sizeBytes) - 8n), BigInt(-ERRNO.EFAULT));
});

const results: [string, unknown, bigint][] = [
  ["a number", 5, 5n],
  ["a negative number", -50, -50n],
  ["a number above 2^32", 2 ** 40 + 1, 2n ** 40n + 1n],
  ["a negative number below -2^32", -(2 ** 40) - 1, -(2n ** 40n) - 1n],
  ["a bigint", 2n ** 63n - 1n, 2n ** 63n - 1n],
  ["true", true, 1n],
  ["nothing", undefined, 0n],
  ["a fraction", 1.5, BigInt(-ERRNO.EIO)],
  ["NaN", Number.NaN, BigInt(-ERRNO.EIO)],
  ["a string", "5", BigInt(-ERRNO.EIO)],
];

for (const [title, returned, rax] of results) {
  test(`registry: a handler that returns ${title} answers ${rax}`, (t) => {
    const harness = harnessOf(
      definePlugin({ ...base, hypercalls: { give: { args: {}, handle: () => returned as number } } }),
    );
    t.is(harness.call("give"), rax);
    t.is(harness.diagnostics.length, rax === BigInt(-ERRNO.EIO) ? 1 : 0);
  });
}

test("registry: a result of an enum is its number, of f64 its bits, and no NaN looks like an errno", (t) => {
  let f64 = 1.5;
  const harness = harnessOf(
    definePlugin({
      ...base,
      hypercalls: {
        name: { args: {}, returns: type.enum({ A: 7 }), handle: () => "A" as const },
        real: { args: {}, returns: type.f64, handle: () => f64 },
      },
    }),
  );
  t.is(harness.call("name"), 7n);
  t.is(harness.call("real"), 0x3ff8_0000_0000_0000n);
  f64 = new Float64Array(BigUint64Array.of(ALL_ONES).buffer)[0]!;
  t.is(harness.call("real"), 0x7ff8_0000_0000_0000n);
});

function throwing(thrown: unknown): Plugin {
  return definePlugin({
    ...base,
    hypercalls: {
      fail: {
        args: { out: type.u64.out(), data: type.buffer.out(64) },
        handle(_, { out, data }) {
          out.set(1n);
          data.bytes().fill(0xff);
          throw thrown;
        },
      },
    },
  });
}

test("registry: errno(name) becomes -errno, and out values are not written", (t) => {
  const harness = harnessOf(throwing(errno("EACCES")));
  const at = harness.allocate(64);
  t.is(harness.call("fail", at, at + 8n, 8), BigInt(-ERRNO.EACCES));
  t.is(harness.memory.u64(Number(at)), 0n);
  t.deepEqual(harness.diagnostics, []);
});

const thrownValues: [string, unknown][] = [
  ["an Error", new Error("secret")],
  ["a string", "text"],
  ["undefined", undefined],
  ["null", null],
  ["what cannot be shown", { toString: null }],
];

for (const [title, thrown] of thrownValues) {
  test(`registry: a handler that throws ${title} answers -EIO, is reported, and the run goes on`, (t) => {
    const harness = harnessOf(throwing(thrown));
    const at = harness.allocate(64);
    t.is(harness.call("fail", at, at + 8n, 8), BigInt(-ERRNO.EIO));
    t.is(harness.diagnostics[0]!.code, "ERR_VM_HANDLER");
    t.is(harness.outcome, undefined);
  });
}

test("registry: out values and buffers are checked before the handler runs", (t) => {
  let ran = 0;
  const plugin = definePlugin({
    ...base,
    hypercalls: {
      give: {
        args: { out: type.u64.out(), data: type.buffer.inout(64) },
        handle() {
          ran++;
        },
      },
    },
  });
  const harness = harnessOf(plugin);
  const good = harness.allocate(64);
  const end = BigInt(harness.memory.sizeBytes);
  t.is(harness.call("give", end - 4n, good, 8), BigInt(-ERRNO.EFAULT));
  t.is(harness.call("give", good, end - 4n, 8), BigInt(-ERRNO.EFAULT));
  t.is(harness.call("give", good, good, 65), BigInt(-ERRNO.EMSGSIZE));
  t.is(harness.call("give", good, good, 1n << 32n), BigInt(-ERRNO.EMSGSIZE));
  t.is(ran, 0);
  t.is(harness.call("give", good, ALL_ONES, 0), 0n);
  t.is(ran, 1);
});

test("registry: a buffer expires with its call, also where the handler kept it", (t) => {
  const kept: { bytes(): Uint8Array }[] = [];
  const plugin = definePlugin({
    ...base,
    hypercalls: {
      keep: {
        args: { data: type.buffer.in(64) },
        handle(_, { data }) {
          kept.push(data);
        },
      },
    },
  });
  const harness = harnessOf(plugin);
  harness.call("keep", harness.allocate(8), 8);
  t.throws(() => kept[0]!.bytes(), { code: "ERR_VM_BUFFER_EXPIRED" });
});

test("registry: a handle leads to its object, another number is -EBADF, and state is the machine's own", (t) => {
  const plugin = definePlugin({
    ...base,
    state: () => ({ opened: 0 }),
    hypercalls: {
      open: { args: {}, handle: (ctx) => ctx.handles("thing").add({ id: ++ctx.state.opened }) },
      id: { args: { thing: type.handle<{ id: number }>("thing") }, handle: (_, { thing }) => thing.id },
      close: {
        args: { thing: type.handle<{ id: number }>("thing") },
        handle: (ctx, { thing }) => ctx.handles("thing").release(thing),
      },
    },
  });
  const [one, two] = [harnessOf(plugin), harnessOf(plugin)];
  t.is(one.call("open"), 1n);
  t.is(one.call("open"), 2n);
  t.is(two.call("open"), 1n);
  t.is(one.call("id", 2), 2n);
  t.is(two.call("id", 2), BigInt(-ERRNO.EBADF));
  one.call("close", 2);
  t.is(one.call("id", 2), BigInt(-ERRNO.EBADF));
  t.is(one.call("id", 1), 1n);
});

test("registry: a number that is not granted is -ENOSYS and reported, one of no kernel ends the run", (t) => {
  const harness = harnessOf(definePlugin({ ...base, hypercalls: { one: { args: {}, handle: () => 1 } } }));
  t.is(harness.call(0x1fff), BigInt(-ERRNO.ENOSYS));
  t.is(harness.diagnostics[0]!.code, "ERR_VM_NOT_GRANTED");
  harness.call(0x2abc);
  const { outcome } = harness;
  t.is(outcome?.kind === "error" && outcome.error.code, "ERR_VM_UNKNOWN_HYPERCALL");
});

test("registry: middleware sees, changes, answers and denies, in the order of the plugins", (t) => {
  const log: string[] = [];
  const layer = (
    name: string,
    handle: (call: HypercallCall, next: (args?: object) => unknown) => unknown,
  ): Plugin =>
    definePlugin({
      name,
      version: "1",
      abi: 1,
      middleware: [
        {
          on: ["add"],
          handle(_ctx, call, next) {
            log.push(`${name} ${call.name} ${JSON.stringify(call.args)}`);
            return handle(call, next as never) as number;
          },
        },
      ],
    });
  const grants = [
    layer("outer", (call, next) => {
      if (call.args["a"] === 13) throw errno("EPERM");
      if (call.args["a"] === 99) return 4711;
      return Number(next()) + 1000;
    }),
    layer("inner", ({ args }, next) => next({ ...args, a: Number(args["a"]) * 10 })),
    definePlugin({
      ...base,
      hypercalls: {
        add: { args: { a: type.u32, b: type.u32 }, handle: (_, { a, b }) => a + b },
        other: { args: {}, handle: () => 1 },
      },
    }),
  ].map((plugin) => ({ plugin, grant: "all" as const }));
  const harness = new PluginHarness(grants);
  t.is(harness.call("add", 2, 3), 1023n);
  t.deepEqual(log, ['outer add {"a":2,"b":3}', 'inner add {"a":2,"b":3}']);
  t.is(harness.call("add", 13, 3), BigInt(-ERRNO.EPERM));
  t.is(harness.call("add", 99, 3), 4711n);
  t.is(harness.call("other"), 1n);
  t.is(log.length, 4);
});

test("registry: an asynchronous handler's promise is awaited, and its errors are a handler's", async (t) => {
  const plugin = definePlugin({
    ...base,
    hypercalls: {
      later: { args: { a: type.u32 }, handleAsync: async (_, { a }) => a + 1 },
      refuse: {
        args: {},
        handleAsync: async () => {
          throw errno("EPERM");
        },
      },
      crash: {
        args: {},
        handleAsync: async () => {
          throw new Error("x");
        },
      },
    },
  });
  const harness = harnessOf(plugin);
  t.is(await harness.callAsync("later", 41), 42n);
  t.is(await harness.callAsync("refuse"), BigInt(-ERRNO.EPERM));
  t.is(await harness.callAsync("crash"), BigInt(-ERRNO.EIO));
  t.throws(() => harness.call("later"), { code: "ERR_VM_PLUGIN_ASYNC" });
});

test("registry: an asynchronous handler ends at its deadline with -ETIMEDOUT, and its signal fires", async (t) => {
  let signal: AbortSignal | undefined;
  const plugin = definePlugin({
    ...base,
    hypercalls: {
      never: {
        args: {},
        deadlineMs: 1,
        handleAsync(ctx) {
          signal = ctx.signal;
          return new Promise<number>(() => {});
        },
      },
    },
  });
  t.is(await harnessOf(plugin).callAsync("never"), BigInt(-ERRNO.ETIMEDOUT));
  t.true(signal?.aborted);
});

test("registry: an asynchronous handler ends with the run, with -EINTR", async (t) => {
  const plugin = definePlugin({
    ...base,
    hypercalls: { never: { args: {}, handleAsync: () => new Promise<number>(() => {}) } },
  });
  const harness = harnessOf(plugin);
  const pending = harness.callAsync("never");
  harness.abort();
  t.is(await pending, BigInt(-ERRNO.EINTR));
  t.is(await harness.callAsync("never"), BigInt(-ERRNO.EINTR));
});

test("registry: ports get each element of a string instruction, and answer reads", (t) => {
  const written: number[][] = [];
  const plugin = definePlugin({
    ...base,
    ports: {
      data: {
        first: 0x300,
        last: 0x301,
        onOut: (_, port, size, value) => written.push([port, size, value]),
        onIn: (_, port) => port,
      },
      broken: {
        first: 0x400,
        onOut() {
          throw new Error("x");
        },
        onIn() {
          throw errno("ENODEV");
        },
      },
    },
  });
  const harness = harnessOf(plugin);
  t.true(harness.out(0x301, 2, 1, 2, 3));
  t.deepEqual(written, [
    [0x301, 2, 1],
    [0x301, 2, 2],
    [0x301, 2, 3],
  ]);
  t.is(harness.in(0x300, 4), 0x300);
  t.is(harness.in(0x300, 1), 0);
  t.false(harness.out(0x302, 1, 0));
  t.is(harness.in(0x302, 1), undefined);
  t.true(harness.out(0x400, 1, 0));
  t.is(harness.diagnostics[0]!.code, "ERR_VM_HANDLER");
  t.is(harness.in(0x400, 4), 2 ** 32 - ERRNO.ENODEV);
});

test("registry: the trace has a call's name, arguments and result", (t) => {
  const events: TraceEvent[] = [];
  const plugin = definePlugin({
    ...base,
    hypercalls: { greet: { args: { who: type.cstring(10), data: type.buffer.in(10) }, handle: () => -1 } },
  });
  const harness = harnessOf(plugin, { trace: (event) => events.push(event) });
  harness.call("greet", harness.put("bob"), harness.put("xyz"), 3);
  const [event] = events;
  t.true(event?.kind === "hypercall");
  if (event?.kind !== "hypercall") return;
  t.deepEqual([event.name, event.args, event.result], ["greet", { who: "bob", data: 3 }, -1n]);
});

const USER = { user: true, canPopulate: true };
const BASE = 0x40_0000n;

/** A harness whose addresses go through page tables with the page at BASE and nothing else. */
function paged(plugin: Plugin, frame = 0x8_0000) {
  const harness = harnessOf(plugin, { policy: USER, space: { paging: "long", root: 0x1000 } });
  const tables = new TestTables(harness.memory);
  tables.map(BASE, frame);
  return { harness, tables };
}

const fill = definePlugin({
  ...base,
  hypercalls: {
    fill: {
      args: { data: type.buffer.out(4 * PAGE) },
      handle(_, { data }) {
        data.bytes().fill(0x41);
        return data.length;
      },
    },
  },
});

test("registry: where a page is absent the kernel is asked for what is missing, and the call comes again", (t) => {
  const { harness, tables } = paged(fill);
  t.is(harness.call("fill", BASE + 0x10n, 2 * PAGE), undefined);
  t.deepEqual(harness.needed, { address: BASE + 0x1000n, length: PAGE + 0x10, write: true });
  t.is(harness.counts.populates, 1);
  t.is(harness.memory.read(0x8_0000, 1)[0], 0);
  tables.map(BASE + 0x1000n, 0x9_0000);
  tables.map(BASE + 0x2000n, 0xa_0000);
  t.is(harness.call("fill", BASE + 0x10n, 2 * PAGE), BigInt(2 * PAGE));
  t.deepEqual([...harness.memory.read(0x8_000f, 2)], [0, 0x41]);
  t.deepEqual([...harness.memory.read(0xa_000f, 2)], [0x41, 0]);
});

test("registry: a kernel that never makes the page present gets -EFAULT in the end", (t) => {
  const { harness } = paged(fill);
  const answers = Array.from({ length: 20 }, () => harness.call("fill", BASE, 2 * PAGE));
  t.deepEqual(
    answers.filter((answer) => answer !== undefined),
    [BigInt(-ERRNO.EFAULT)],
  );
});

const hostile: [string, bigint][] = [
  ["the kernel's half", 0xffff_8880_0000_0000n],
  ["a non-canonical address", 0x8000_0000_0000n],
  ["the last page below the hole", 0x7fff_ffff_f000n],
  ["an address that wraps", 0xffff_ffff_ffff_fff0n],
];

for (const [title, address] of hostile) {
  test(`registry: ${title} is -EFAULT for a user's pointer, and the kernel is not asked`, (t) => {
    const { harness } = paged(fill);
    t.is(harness.call("fill", address, 32), BigInt(-ERRNO.EFAULT));
    t.is(harness.needed, undefined);
  });
}

test("GuestSpace.buffer: a partial buffer is what is present, at least one byte", (t) => {
  const plugin = definePlugin({
    ...base,
    hypercalls: {
      some: {
        args: { at: type.pointer, length: type.u32 },
        handle: (ctx, { at, length }) => ctx.user.buffer(at, length, "out", { partial: true }).length,
      },
    },
  });
  const { harness } = paged(plugin);
  t.is(harness.call("some", BASE + 0x800n, 2 * PAGE), 0x800n);
  t.is(harness.call("some", BASE + 0x1000n, 1), undefined);
});
