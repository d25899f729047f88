/** run(): machines in workers, and how they are stopped, from the caller's side. */
import { threadId } from "node:worker_threads";
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { t as type } from "./argument-types.js";
import { errno } from "./host/errno.js";
import { machineTest } from "./internal-testing/accelerators.js";
import { endOf, flatGuest, MIB, machine, memoryPlugins, programGuest } from "./internal-testing/guests.js";
import { prepareWorkers } from "./node/index.js";
import { sleeper } from "./node/testing-plugins.js";
import { definePlugin } from "./plugin.js";
import type { TraceEvent } from "./trace.js";
import type { PluginEntry, VmOptions } from "./vm-options.js";

const base = { version: "1.0.0", abi: 1 } as const;
const LOOP = "again: jmp again";
const PLUGINS_URL = new URL("./node/testing-plugins.js", import.meta.url);
const fromModule = (name: string, options?: unknown): PluginEntry => ({
  module: PLUGINS_URL,
  export: name,
  grant: "all",
  options,
});

/** Calls each number in turn with `edi`, and leaves the results from 0x100000 on. */
function calls(...numbers: readonly (readonly [nr: number, argument: number])[]): string {
  const lines = numbers.map(
    ([nr, argument], index) =>
      `mov eax, ${nr}\nmov edi, ${argument}\nout 0xe4, eax\nmov [${0x10_0000 + index * 8}], rax`,
  );
  return `${lines.join("\n")}\nhlt`;
}

const withPlugins = (accel: VmOptions["accel"], source: string, ...plugins: PluginEntry[]): VmOptions =>
  flatGuest("long", source, { ...(accel && { accel }), plugins });

test.before(() => prepareWorkers(1));

machineTest("run: the result and the memory are there when the promise settles", async (t, accel) => {
  const vm = await machine(t, flatGuest("long", "mov dword ptr [0x100000], 0x1234\nhlt", { accel }));
  const result = await vm.run();
  t.is(endOf(result), "halted");
  t.is(vm.memory.u32(0x10_0000), 0x1234);
  t.deepEqual([...(await vm.readMemory(0x10_0000n, 2))], [0x34, 0x12]);
});

machineTest(
  "run: the caller's event loop turns while the guest loops, and memory can be read",
  async (t, accel) => {
    const vm = await machine(t, flatGuest("long", `mov byte ptr [0x100000], 7\n${LOOP}`, { accel }));
    const stop = new AbortController();
    const running = vm.run({ signal: stop.signal });
    t.throws(() => vm.memory, { code: "ERR_VM_STATE" });
    t.throws(() => vm.close(), { code: "ERR_VM_STATE" });
    for (let seen = 0; seen !== 7; ) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      seen = (await vm.readMemory(0x10_0000n, 1))[0]!;
    }
    stop.abort();
    t.is(endOf(await running), "aborted");
  },
);

const reason = new Error("enough");

machineTest("run: an abort before, during and after the run", async (t, accel) => {
  const before = await (await machine(t, flatGuest("long", LOOP, { accel }))).run({
    signal: AbortSignal.abort(reason),
  });
  t.is(before.kind === "aborted" && before.reason, reason);

  for (const options of [
    flatGuest("long", LOOP, { accel }),
    programGuest(LOOP, { accel, plugins: memoryPlugins().plugins }),
  ]) {
    const stop = new AbortController();
    const running = (await machine(t, options)).run({ signal: stop.signal });
    setTimeout(() => stop.abort(reason), 20);
    const during = await running;
    t.is(during.kind === "aborted" && during.reason, reason);
  }

  const stop = new AbortController();
  const after = await (await machine(t, flatGuest("long", "hlt", { accel }))).run({ signal: stop.signal });
  stop.abort(reason);
  t.is(endOf(after), "halted");
});

machineTest("run: limits hold in a worker", async (t, accel) => {
  const wall = await (await machine(t, flatGuest("long", LOOP, { accel, limits: { wallMs: 20 } }))).run();
  t.deepEqual([wall.kind, wall.kind === "limit" && wall.limit], ["limit", "wall"]);
  const cpu = await (await machine(t, flatGuest("long", LOOP, { accel, limits: { cpuMs: 20 } }))).run();
  t.deepEqual([cpu.kind, cpu.kind === "limit" && cpu.limit], ["limit", "cpu"]);
});

machineTest("run: a plugin by module lives in the worker, with its options", async (t, accel) => {
  const vm = await machine(
    t,
    withPlugins(accel, calls([0x1000, 0], [0x1001, 0]), fromModule("whereabouts", { value: 77 })),
  );
  t.is(endOf(await vm.run()), "halted");
  t.not(vm.memory.u64(0x10_0000), BigInt(threadId));
  t.is(vm.memory.u64(0x10_0008), 77n);
});

machineTest(
  "run: a closure is called on the caller's thread, with strings, structs and buffers",
  async (t, accel) => {
    const seen: unknown[] = [];
    const plugin = definePlugin({
      ...base,
      name: "closure",
      hypercalls: {
        fill: {
          args: { text: type.cstring(8), out: type.u64.out(), data: type.buffer.inout(64) },
          handle(_, { text, out, data }) {
            seen.push([threadId, text, [...data.bytes()]]);
            out.set(0x1234_5678_9abcn);
            data.bytes().fill(0x5a);
            return -7;
          },
        },
      },
      ports: {
        echo: {
          first: 0x300,
          onOut: (_, port, size, value) => seen.push([port, size, value]),
          onIn: () => 9,
        },
      },
    });
    const source = `mov dword ptr [0x100000], 0x6968
    mov dword ptr [0x100010], 0x03020100
    mov eax, 0x1000
    mov edi, 0x100000
    mov esi, 0x100008
    mov edx, 0x100010
    mov r10d, 4
    out 0xe4, eax
    mov [0x100020], rax
    mov edx, 0x300
    mov al, 5
    out dx, al
    in al, dx
    mov [0x100028], al
    hlt`;
    const vm = await machine(t, withPlugins(accel, source, { plugin, grant: "all" }));
    const result = await vm.run();
    t.is(endOf(result), "halted");
    t.deepEqual(seen, [
      [threadId, "hi", [0, 1, 2, 3]],
      [0x300, 1, 5],
    ]);
    t.is(vm.memory.u64(0x10_0008), 0x1234_5678_9abcn);
    t.is(vm.memory.u32(0x10_0010), 0x5a5a_5a5a);
    t.is(BigInt.asIntN(64, vm.memory.u64(0x10_0020)), -7n);
    t.is(vm.memory.u32(0x10_0028) & 0xff, 9);
    t.is(result.counts.hypercalls, 1);
  },
);

machineTest("run: a closure may be asynchronous, throw, refuse, and end the run", async (t, accel) => {
  const plugin = definePlugin({
    ...base,
    name: "closure",
    hypercalls: {
      later: {
        args: { value: type.u32 },
        handleAsync: async (_, { value }) => {
          await new Promise((resolve) => setImmediate(resolve));
          return value + 1;
        },
      },
      refuse: {
        args: {},
        handle() {
          throw errno("EPERM");
        },
      },
      crash: {
        args: {},
        handle() {
          throw new Error("secret");
        },
      },
      finish: { args: { status: type.i32 }, handle: ({ vm }, { status }) => vm.exit(status) },
    },
  });
  const source = calls([0x1000, 41], [0x1001, 0], [0x1002, 0], [0x1003, 5]);
  const vm = await machine(t, withPlugins(accel, source, { plugin, grant: "all" }));
  const result = await vm.run();
  t.deepEqual([result.kind, result.kind === "exited" && result.status], ["exited", 5]);
  const words = [0, 8, 16].map((at) => BigInt.asIntN(64, vm.memory.u64(0x10_0000 + at)));
  t.deepEqual(words, [42n, BigInt(-ERRNO.EPERM), BigInt(-ERRNO.EIO)]);
  t.is(result.diagnostics[0]!.code, "ERR_VM_HANDLER");
});

machineTest(
  "run: what depends on a closure, or it on, comes to the caller's thread with it",
  async (t, accel) => {
    const { plugins, written } = memoryPlugins();
    const source = `mov edi, 1
    mov esi, 0x400000
    mov edx, 3
    mov eax, 1
    syscall
    mov edi, eax
    mov eax, 231
    syscall`;
    const result = await (await machine(t, programGuest(source, { accel, plugins }))).run();
    t.deepEqual([result.kind, result.kind === "exited" && result.status], ["exited", 3]);
    t.is(written().length, 3);
  },
);

machineTest("run: a handler in the worker may be asynchronous", async (t, accel) => {
  const entry = { plugin: sleeper, grant: "all" as const };
  const vm = await machine(t, withPlugins(accel, calls([0x1000, 21], [0x1000, 4]), entry));
  t.is(endOf(await vm.run()), "halted");
  t.deepEqual([vm.memory.u64(0x10_0000), vm.memory.u64(0x10_0008)], [42n, 8n]);
});

machineTest("runSync: an asynchronous handler is refused before the run", async (t, accel) => {
  const vm = await machine(t, withPlugins(accel, "hlt", { plugin: sleeper, grant: "all" }));
  t.throws(() => vm.runSync(), { code: "ERR_VM_PLUGIN_ASYNC", message: /double of plugin sleeper/ });
  t.is(endOf(await vm.run()), "halted");
});

const waiting: [string, PluginEntry][] = [
  ["in the worker", { plugin: sleeper, grant: "all" }],
  [
    "on the caller's thread",
    {
      plugin: definePlugin({
        ...base,
        name: "closure",
        hypercalls: {
          unused: { args: {}, handle: () => 0 },
          forever: { args: {}, handleAsync: () => new Promise<number>(() => {}) },
        },
      }),
      grant: "all",
    },
  ],
];

for (const [where, entry] of waiting) {
  machineTest(
    `run: a handler ${where} that never answers is ended by an abort and by a limit`,
    async (t, accel) => {
      const source = calls([0x1001, 0]);
      const stop = new AbortController();
      const running = (await machine(t, withPlugins(accel, source, entry))).run({ signal: stop.signal });
      setTimeout(() => stop.abort(reason), 20);
      const aborted = await running;
      t.is(aborted.kind === "aborted" && aborted.reason, reason);
      const limited = await machine(t, { ...withPlugins(accel, source, entry), limits: { wallMs: 30 } });
      const result = await limited.run();
      t.deepEqual([result.kind, result.kind === "limit" && result.limit], ["limit", "wall"]);
    },
  );
}

machineTest(
  "run: a plugin that ends its thread is a result, and the next run has a thread",
  async (t, accel) => {
    const lost = await (
      await machine(t, withPlugins(accel, calls([0x1000, 0]), fromModule("quitter")))
    ).run();
    t.is(endOf(lost), "ERR_VM_WORKER");
    t.is(endOf(await (await machine(t, flatGuest("long", "hlt", { accel }))).run()), "halted");
  },
);

machineTest("run: events of a worker's machine reach the caller's trace in order", async (t, accel) => {
  const events: TraceEvent["kind"][] = [];
  const options = withPlugins(accel, calls([0x1001, 0], [0x1001, 0]), fromModule("whereabouts"));
  await (await machine(t, { ...options, trace: ({ kind }) => events.push(kind) })).run();
  t.deepEqual(events, ["hypercall", "hypercall", "end"]);
});

machineTest("run: several machines at once", async (t, accel) => {
  const machines = await Promise.all(
    Array.from({ length: 4 }, (_, index) =>
      machine(t, withPlugins(accel, calls([0x1001, 0]), fromModule("whereabouts", { value: index }))),
    ),
  );
  await Promise.all(machines.map((vm) => vm.run()));
  t.deepEqual(
    machines.map((vm) => vm.memory.u64(0x10_0000)),
    [0n, 1n, 2n, 3n],
  );
});

const badModules: [string, PluginEntry, RegExp][] = [
  ["a module that is not there", { module: "/no/such.js", grant: "all" }, /Cannot find module/],
  ["an export that is no plugin", fromModule("notPlugin"), /its plugins: quitter, sleeper, whereabouts/],
  ["a relative path", { module: "./plugin.js", grant: "all" }, /a relative path/],
];

for (const [title, entry, message] of badModules) {
  test(`createVm: ${title} is refused, naming the module`, async (t) => {
    const options = { memoryBytes: 4 * MIB, boot: { protocol: "long", image: Uint8Array.of(0xf4) } } as const;
    await t.throwsAsync(machine(t, { ...options, plugins: [entry] }), {
      code: "ERR_VM_PLUGIN_MODULE",
      message,
    });
  });
}
