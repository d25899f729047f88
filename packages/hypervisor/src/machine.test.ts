/** Machines from the first instruction to the result: what each boot protocol gives, and what each failure is. */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import test from "ava";
import { openKvmAccelerator } from "./accelerators/kvm.js";
import { t as type } from "./argument-types.js";
import { VmError } from "./errors.js";
import { errno } from "./host/errno.js";
import { machineTest } from "./internal-testing/accelerators.js";
import {
  endOf,
  flatGuest,
  MIB,
  machine,
  memoryPlugins,
  PROGRAM_START,
  programGuest,
  runSync,
} from "./internal-testing/guests.js";
import { definePlugin } from "./plugin.js";
import { foreignHost } from "./plugins/foreign-host.js";
import type { TraceEvent } from "./trace.js";
import { createVm } from "./vm.js";

const base = { version: "1.0.0", abi: 1 } as const;

machineTest("real mode: the first program of KVM tutorials prints `a` and halts", async (t, accel) => {
  const { plugins, written } = memoryPlugins();
  const source = "mov al, 0x61\nmov dx, 0x217\nout dx, al\nmov al, 10\nout dx, al\nhlt";
  const result = await runSync(t, flatGuest("real", source, { accel, plugins }));
  t.is(endOf(result), "halted");
  t.is(written(), "a\n");
  t.is(result.counts.exits, 3);
});

machineTest("real mode: the stack works from sp = 0, and segments start at 0", async (t, accel) => {
  const source = "push 0x1234\npop ax\nmov [0x500], ax\nmov [0x502], cs\nmov [0x504], sp\nhlt";
  const vm = await machine(t, flatGuest("real", source, { accel, memoryBytes: 65_536 }));
  t.is(endOf(vm.runSync()), "halted");
  t.deepEqual([...vm.memory.read(0x500, 6)], [0x34, 0x12, 0, 0, 0, 0]);
});

machineTest("protected mode: 32-bit code, flat segments, a stack at the top of memory", async (t, accel) => {
  const source = "mov ebx, 0x89abcdef\npush ebx\npop eax\nmov [0x200000], eax\nmov [0x200004], esp\nhlt";
  const vm = await machine(t, flatGuest("protected", source, { accel }));
  t.is(endOf(vm.runSync()), "halted");
  t.is(vm.memory.u64(0x20_0000), 0x0040_0000_89ab_cdefn);
});

machineTest("long mode: the second program of KVM tutorials prints ABCD123", async (t, accel) => {
  const { plugins, written } = memoryPlugins();
  const source = `movabs rax, 0x0a33323144434241
    push 8
    pop rcx
    mov edx, 0x217
  next: out dx, al
    shr rax, 8
    loop next
    hlt`;
  t.is(endOf(await runSync(t, flatGuest("long", source, { accel, plugins }))), "halted");
  t.is(written(), "ABCD123\n");
});

machineTest(
  "long mode: control registers, IA32_EFER and arguments are as the protocol says",
  async (t, accel) => {
    const source = `mov rax, cr0
    mov [0x100000], rax
    mov rax, cr3
    mov [0x100008], rax
    mov rax, cr4
    mov [0x100010], rax
    mov ecx, 0xc0000080
    rdmsr
    mov [0x100018], eax
    mov [0x100020], rdi
    mov [0x100028], rsi
    mov rax, [rsp]
    mov [0x100030], rax
    mov [0x100038], cs
    hlt`;
    const options = flatGuest("long", source, { accel });
    const boot = {
      ...options.boot,
      args: ["/bin/prog", "x"],
      registers: { rsi: 77n },
    } as typeof options.boot;
    const vm = await machine(t, { ...options, boot });
    t.is(endOf(vm.runSync()), "halted");
    const words = Array.from({ length: 7 }, (_, index) => vm.memory.u64(0x10_0000 + index * 8));
    t.deepEqual(words, [0x8005_0033n, 0x1f_7000n, 0x620n, 0x501n, 0x20_0000n, 77n, 2n]);
    t.is(vm.memory.u32(0x10_0038) & 0xffff, 8);
  },
);

machineTest(
  "long mode: the ABI of another small KVM host reads a mounted file and exits",
  async (t, accel) => {
    const { plugins, written } = memoryPlugins();
    const call = (n: number) => `mov edx, ${0x8000 + n}\nout dx, eax\nin eax, dx\n`;
    const source = `mov rax, [rsp + 8]
    ${call(0)}
    mov [0x100000], rax
    mov qword ptr [0x100008], 0x110000
    mov qword ptr [0x100010], 64
    mov eax, 0x100000
    ${call(1)}
    mov [0x100010], rax
    mov qword ptr [0x100000], 1
    mov eax, 0x100000
    ${call(2)}
    ${call(5)}`;
    const files = { "/etc/motd": "welcome\n" };
    const granted = plugins.map((entry) =>
      "plugin" in entry && entry.plugin.name === "files" ? { ...entry, options: { files } } : entry,
    );
    const options = flatGuest("long", source, {
      accel,
      plugins: [...granted, { plugin: foreignHost, grant: "all" }],
    });
    const boot = { ...options.boot, args: ["/etc/motd"] } as typeof options.boot;
    const result = await runSync(t, { ...options, boot });
    t.is(written(), "welcome\n");
    t.deepEqual([result.kind, result.kind === "exited" && result.status], ["exited", 8]);
  },
);

machineTest(
  "kvmkit: a program in ring 3 writes, reads its arguments and exits with its status",
  async (t, accel) => {
    const { plugins, written } = memoryPlugins();
    const source = `mov rsi, [rsp + 16]
    mov edi, 1
    mov edx, 3
    mov eax, 1
    syscall
    mov edi, 42
    mov eax, 231
    syscall`;
    const options = programGuest(source, { accel, plugins });
    const program = { ...options.program!, args: ["program", "arg"] };
    const result = await runSync(t, { ...options, program });
    t.deepEqual([result.kind, result.kind === "exited" && result.status], ["exited", 42]);
    t.is(written(), "arg");
  },
);

machineTest("kvmkit: a program that faults is killed, with signal, address and symbol", async (t, accel) => {
  const result = await runSync(
    t,
    programGuest("nop\nmov eax, [0x1234]", { accel, plugins: memoryPlugins().plugins }),
  );
  t.true(result.kind === "killed");
  if (result.kind !== "killed") return;
  t.deepEqual(
    [result.signalName, result.reason, result.vector, result.address],
    ["SIGSEGV", "fault", 14, 0x1234n],
  );
  t.is(result.rip, PROGRAM_START + 1n);
  t.deepEqual(result.symbol, { name: "_start", offset: 1, image: "program" });
});

machineTest(
  "hypercalls: a plugin of the caller's is reached by one out, and answers in rax",
  async (t, accel) => {
    const seen: unknown[] = [];
    const plugin = definePlugin({
      ...base,
      name: "adder",
      hypercalls: {
        add: {
          args: { a: type.u64, b: type.i32, text: type.cstring(10) },
          handle(_, args) {
            seen.push(args);
            return args.a + BigInt(args.b);
          },
        },
      },
    });
    const source = `mov dword ptr [0x100000], 0x636261
    mov eax, 0x1000
    movabs rdi, 0x1122334455667788
    mov esi, -2
    mov edx, 0x100000
    mov ebx, 0x99
    stc
    out 0xe4, eax
    mov [0x100008], rax
    pushfq
    pop qword ptr [0x100010]
    mov [0x100018], rbx
    hlt`;
    const vm = await machine(t, flatGuest("long", source, { accel, plugins: [{ plugin, grant: "all" }] }));
    const result = vm.runSync();
    t.is(endOf(result), "halted");
    t.deepEqual(seen, [{ a: 0x1122_3344_5566_7788n, b: -2, text: "abc" }]);
    t.is(vm.memory.u64(0x10_0008), 0x1122_3344_5566_7786n);
    t.is(vm.memory.u64(0x10_0010) & 1n, 0n);
    t.is(vm.memory.u64(0x10_0018), 0x99n);
    t.deepEqual(result.counts, { exits: 2, hypercalls: 1, populates: 0 });
  },
);

machineTest(
  "ports: string instructions go through element by element, in both directions",
  async (t, accel) => {
    const { plugins, written } = memoryPlugins();
    let next = 1;
    const source = definePlugin({
      ...base,
      name: "source",
      ports: { source: { first: 0x300, onIn: () => next++ } },
    });
    const code = `mov dword ptr [0x100000], 0x64636261
    mov esi, 0x100000
    mov ecx, 4
    mov edx, 0x217
    cld
    rep outsb
    mov edi, 0x100010
    mov ecx, 3
    mov edx, 0x300
    rep insd
    hlt`;
    const options = flatGuest("long", code, {
      accel,
      plugins: [...plugins, { plugin: source, grant: "all" }],
    });
    const vm = await machine(t, options);
    t.is(endOf(vm.runSync()), "halted");
    t.is(written(), "abcd");
    t.deepEqual([vm.memory.u32(0x10_0010), vm.memory.u32(0x10_0014), vm.memory.u32(0x10_0018)], [1, 2, 3]);
  },
);

const LOOP = "again: jmp again";

machineTest("limits: wall time ends a loop in ring 0, and in ring 3", async (t, accel) => {
  const limits = { wallMs: 20 };
  const ring0 = await runSync(t, flatGuest("long", LOOP, { accel, limits }));
  t.deepEqual([ring0.kind, ring0.kind === "limit" && ring0.limit], ["limit", "wall"]);
  const ring3 = await runSync(t, programGuest(LOOP, { accel, limits, plugins: memoryPlugins().plugins }));
  t.deepEqual([ring3.kind, ring3.kind === "limit" && ring3.limit], ["limit", "wall"]);
});

machineTest("limits: processor time ends a loop", async (t, accel) => {
  const result = await runSync(t, flatGuest("long", LOOP, { accel, limits: { cpuMs: 20 } }));
  t.deepEqual([result.kind, result.kind === "limit" && result.limit], ["limit", "cpu"]);
});

machineTest("limits: exits end a guest that does nothing else", async (t, accel) => {
  const { plugins } = memoryPlugins();
  const source = "mov edx, 0x217\nagain: out dx, al\njmp again";
  const result = await runSync(t, flatGuest("long", source, { accel, plugins, limits: { exits: 100 } }));
  t.deepEqual([result.kind, result.kind === "limit" && result.limit], ["limit", "exits"]);
  t.is(result.counts.exits, 100);
});

const failures: [string, "long" | "protected", string, string, RegExp][] = [
  ["an exception without descriptor tables", "long", "ud2", "ERR_VM_TRIPLE_FAULT", /at rip 0x0\./],
  [
    "a read where there is no memory",
    "protected",
    "mov eax, [0xd0000000]",
    "ERR_VM_UNMAPPED_MEMORY",
    /read 4 bytes at guest-physical 0xd0000000/,
  ],
  [
    "a write where there is no memory",
    "protected",
    "mov byte ptr [0xd0000010], 1",
    "ERR_VM_UNMAPPED_MEMORY",
    /wrote 1 bytes at guest-physical 0xd0000010/,
  ],
  [
    "an out to an unknown port",
    "long",
    "mov edx, 0x1234\nout dx, ax",
    "ERR_VM_UNKNOWN_PORT",
    /port 0x1234 \(out, 2 bytes\)/,
  ],
  ["an in from an unknown port", "long", "in al, 0x71", "ERR_VM_UNKNOWN_PORT", /port 0x71 \(in, 1 bytes\)/],
  ["a hypercall of a machine that has none", "long", "out 0xe4, eax", "ERR_VM_UNKNOWN_PORT", /port 0xe4/],
];

for (const [title, protocol, source, code, message] of failures) {
  machineTest(`failures: ${title} ends the run with ${code}, and the host goes on`, async (t, accel) => {
    const result = await runSync(t, flatGuest(protocol, source, { accel }));
    t.is(endOf(result), code);
    if (result.kind === "error") t.regex(result.error.message, message);
  });
}

machineTest(
  "failures: a hypercall number that no kernel makes ends the run, one not granted is -ENOSYS",
  async (t, accel) => {
    const { plugins } = memoryPlugins();
    const source =
      "mov eax, 0x1abc\nout 0xe4, eax\nmov [0x100000], rax\nmov eax, 0x7fffffff\nout 0xe4, eax\nhlt";
    const vm = await machine(t, flatGuest("long", source, { accel, plugins }));
    const result = vm.runSync();
    t.is(endOf(result), "ERR_VM_UNKNOWN_HYPERCALL");
    t.is(BigInt.asIntN(64, vm.memory.u64(0x10_0000)), BigInt(-ERRNO.ENOSYS));
    t.is(result.diagnostics[0]!.code, "ERR_VM_NOT_GRANTED");
  },
);

machineTest(
  "failures: an instruction that ring 0 cannot have there is named by its bytes",
  async (t, accel) => {
    const result = await runSync(t, flatGuest("long", "movq xmm0, rax\nhlt", { accel }));
    const emulated = accel === "kvm" && openKvmAccelerator().traits.ring0Emulated;
    t.is(endOf(result), emulated ? "ERR_VM_NOT_EMULATED" : "halted");
    if (result.kind === "error") t.regex(result.error.message, /rip 0x0: 66 48 0f 6e c0/);
  },
);

machineTest("handlers: what they throw does not escape, and the run goes on", async (t, accel) => {
  const plugin = definePlugin({
    ...base,
    name: "thrower",
    hypercalls: {
      crash: {
        args: {},
        handle() {
          throw new Error("inside");
        },
      },
      refuse: {
        args: {},
        handle() {
          throw errno("EPERM");
        },
      },
    },
    ports: {
      broken: {
        first: 0x300,
        onOut() {
          throw new Error("port");
        },
      },
    },
  });
  const source = `mov eax, 0x1000
    out 0xe4, eax
    mov [0x100000], rax
    mov eax, 0x1001
    out 0xe4, eax
    mov [0x100008], rax
    mov edx, 0x300
    out dx, al
    hlt`;
  const vm = await machine(t, flatGuest("long", source, { accel, plugins: [{ plugin, grant: "all" }] }));
  const result = vm.runSync();
  t.is(endOf(result), "halted");
  t.is(BigInt.asIntN(64, vm.memory.u64(0x10_0000)), BigInt(-ERRNO.EIO));
  t.is(BigInt.asIntN(64, vm.memory.u64(0x10_0008)), BigInt(-ERRNO.EPERM));
  t.deepEqual(
    result.diagnostics.map(({ message }) => /failed: (\w+)/.exec(message)?.[1]),
    ["inside", "port"],
  );
});

machineTest("hooks: start, exit and close run once, dependencies first and last", async (t, accel) => {
  const log: string[] = [];
  const plugin = (name: string, dependsOn: string[]) =>
    definePlugin({
      ...base,
      name,
      dependsOn,
      state: () => log.push(`${name} state`),
      hooks: {
        start: () => void log.push(`${name} start`),
        exit: (_, { kind }) => void log.push(`${name} exit ${kind}`),
        close: () => void log.push(`${name} close`),
      },
    });
  const plugins = [
    { plugin: plugin("b", ["a"]), grant: "all" as const },
    { plugin: plugin("a", []), grant: "all" as const },
  ];
  const vm = await createVm(flatGuest("long", "hlt", { accel, plugins }));
  vm.runSync();
  vm.close();
  vm.close();
  t.deepEqual(log, [
    "a state",
    "b state",
    "a start",
    "b start",
    "b exit halted",
    "a exit halted",
    "b close",
    "a close",
  ]);
});

for (const hook of ["start", "exit", "close"] as const) {
  machineTest(`hooks: a ${hook} hook that throws does not escape`, async (t, accel) => {
    const throws = () => {
      throw new Error("hook");
    };
    const plugin = definePlugin({ ...base, name: "hooked", hooks: { [hook]: throws } });
    const vm = await machine(t, flatGuest("long", "hlt", { accel, plugins: [{ plugin, grant: "all" }] }));
    t.is(endOf(vm.runSync()), hook === "start" ? "ERR_VM_PLUGIN_HOOK" : "halted");
  });
}

machineTest(
  "signals: one that is watched ends the run, and is no longer watched after it",
  async (t, accel) => {
    const plugin = definePlugin({
      ...base,
      name: "interrupter",
      hypercalls: { interrupt: { args: {}, handle: () => void process.kill(process.pid, "SIGINT") } },
    });
    const source = `mov eax, 0x1000\nout 0xe4, eax\n${LOOP}`;
    const vm = await machine(t, flatGuest("long", source, { accel, plugins: [{ plugin, grant: "all" }] }));
    const result = vm.runSync({ signals: ["SIGINT"] });
    t.deepEqual([result.kind, result.kind === "aborted" && result.reason], ["aborted", "SIGINT"]);
  },
);

machineTest("states: a machine runs once, and what comes too late or too early says so", async (t, accel) => {
  const vm = await createVm(flatGuest("long", "hlt", { accel }));
  vm.runSync();
  t.throws(() => vm.runSync(), { instanceOf: VmError, code: "ERR_VM_STATE" });
  await t.throwsAsync(vm.run(), { code: "ERR_VM_STATE" });
  vm.close();
  t.throws(() => vm.memory, { code: "ERR_VM_STATE" });
  await t.throwsAsync(vm.readMemory(0n, 1), { code: "ERR_VM_STATE" });
});

machineTest("states: views of a closed machine's memory are not dangling", async (t, accel) => {
  const vm = await createVm(flatGuest("long", "hlt", { accel }));
  vm.runSync();
  const view = vm.memory.view(0, 4096);
  vm.close();
  // A mapping is taken away from its views; WebAssembly's memory lives as long as they do.
  t.is(view.length, accel === "kvm" ? 0 : 4096);
  t.notThrows(() => view[0]);
});

machineTest("trace: a plugin adds its own events, from its hooks and its handlers", async (t, accel) => {
  const speaker = definePlugin({
    ...base,
    name: "speaker",
    hypercalls: {
      speak: { args: { what: type.u8 }, handle: ({ trace }, { what }) => trace(`said ${what}`) },
    },
    hooks: { start: ({ plugin, trace }) => trace(`${plugin} starts`) },
  });
  const events: TraceEvent[] = [];
  const options = { plugins: [{ plugin: speaker, grant: "all" as const }], accel };
  const source = "mov eax, 0x1000\nmov edi, 7\nout 0xe4, eax\nhlt";
  await runSync(t, flatGuest("long", source, { ...options, trace: (event) => events.push(event) }));
  const texts = events.flatMap((event) => (event.kind === "plugin" ? [[event.plugin, event.text]] : []));
  t.deepEqual(texts, [
    ["speaker", "speaker starts"],
    ["speaker", "said 7"],
  ]);
  // Where nobody traces, speaking is allowed.
  await runSync(t, flatGuest("long", source, options));
});

machineTest("trace: a run is told as events", async (t, accel) => {
  const events: TraceEvent[] = [];
  const { plugins } = memoryPlugins();
  const source =
    "mov edx, 0x217\nmov al, 0x41\nout dx, al\nmov eax, 39\nmov edi, 7\nmov eax, 60\nout 0xe4, eax";
  const trace = (event: TraceEvent) => events.push(event);
  await runSync(t, flatGuest("long", source, { accel, plugins, trace }));
  const shown = events.map(({ atMs, ...event }) => ({ ...event, atMs: typeof atMs, hostMs: undefined }));
  t.deepEqual(shown as unknown, [
    {
      kind: "port",
      direction: "out",
      port: 0x217,
      sizeBytes: 1,
      value: 0x41,
      atMs: "number",
      hostMs: undefined,
    },
    {
      kind: "hypercall",
      nr: 60,
      name: "exit",
      plugin: "process",
      args: { status: 7 },
      result: 0n,
      atMs: "number",
      hostMs: undefined,
    },
    { kind: "end", outcome: "exited", atMs: "number", hostMs: undefined },
  ]);
});

machineTest(
  "isolation: two machines of one process share neither memory nor a plugin's state",
  async (t, accel) => {
    const plugin = definePlugin({
      ...base,
      name: "counter",
      state: () => ({ calls: 0 }),
      hypercalls: { count: { args: {}, handle: ({ state }) => ++state.calls } },
    });
    const source = "mov eax, 0x1000\nout 0xe4, eax\nadd [0x100000], rax\nhlt";
    const options = flatGuest("long", source, { accel, plugins: [{ plugin, grant: "all" }] });
    const [one, two] = [await machine(t, options), await machine(t, options)];
    one.memory.setU64(0x10_0000, 100n);
    one.runSync();
    two.runSync();
    t.deepEqual([one.memory.u64(0x10_0000), two.memory.u64(0x10_0000)], [101n, 1n]);
  },
);

machineTest("memory: a machine of more than 3 GiB has its rest above 4 GiB", async (t, accel) => {
  const options = programGuest("mov edi, 0\nmov eax, 231\nsyscall", {
    accel,
    plugins: memoryPlugins().plugins,
  });
  const vm = await machine(t, { ...options, memoryBytes: 3 * 1024 * MIB + 64 * MIB });
  const result = vm.runSync();
  t.deepEqual([result.kind, result.kind === "exited" && result.status], ["exited", 0]);
  t.deepEqual(
    vm.memory.ranges.map(({ start, size }) => [start, size]),
    [
      [0, 3 * 2 ** 30],
      [2 ** 32, 64 * MIB],
    ],
  );
});

const badOptions: [string, object, string][] = [
  ["accel", { accel: "xen" }, "accel is xen"],
  ["boot", { boot: { protocol: "efi" } }, "boot.protocol is efi"],
  ["boot.image", { boot: { protocol: "long", image: "hlt" } }, "boot.image is string"],
  ["boot.registers", { boot: { protocol: "long", image: Uint8Array.of(1), registers: { eax: 1n } } }, "eax"],
  ["limits", { limits: { wallMs: -1 } }, "limits.wallMs is -1"],
  ["program", { program: { image: Uint8Array.of(1), path: "/x" } }, "only with protocol kvmkit"],
  ["random", { random: new Uint8Array(3) }, "random is 3 bytes"],
];

for (const [title, more, message] of badOptions) {
  test(`createVm: a wrong ${title} is refused with what was found and what is allowed`, async (t) => {
    const options = { memoryBytes: 4 * MIB, boot: { protocol: "long", image: Uint8Array.of(0xf4) }, ...more };
    const error = await t.throwsAsync(createVm(options as never), {
      instanceOf: VmError,
      code: "ERR_VM_OPTION",
    });
    t.true(error?.message.includes(message), error?.message);
  });
}
