import { kvmTest } from "@kvmkit-internal/test-support";
import { KvmError, type KvmErrorCode } from "./errors.js";
import { GuestMemory } from "./guest-memory.js";
import { handleOf } from "./handled.js";
import { hostIo } from "./host-io.js";
import { ioctls } from "./ioctls.js";
import { Kvm } from "./kvm.js";
import { type NativeHandle, native } from "./load-native.js";
import { StopSource } from "./stop-source.js";
import { code, type Machine, machine } from "./testing/machine.js";

/** What TypeScript would not let through. */
// biome-ignore lint/suspicious/noExplicitAny: the point of these tests
const wrong = (value: unknown) => value as any;

const MIB = 2 ** 20;

interface Case {
  readonly what: string;
  readonly code: KvmErrorCode;
  readonly message?: RegExp;
  call(m: Machine): unknown;
}

const cases: readonly Case[] = [
  // ---- numbers ----
  ...[Number.NaN, -1, 0.5, 2 ** 53, Number.POSITIVE_INFINITY, "4096", undefined, null, {}].flatMap(
    (value): Case[] => [
      {
        what: `GuestMemory.allocate(${String(value)})`,
        code: "ERR_KVM_ARGUMENT",
        call: () => GuestMemory.allocate(wrong(value)),
      },
      {
        what: `createVcpu(${String(value)})`,
        code: "ERR_KVM_ARGUMENT",
        call: ({ vm }) => vm.createVcpu(wrong(value)),
      },
      {
        what: `setUserMemoryRegion({ slot: ${String(value)} })`,
        code: "ERR_KVM_ARGUMENT",
        call: ({ vm, memory }) => vm.setUserMemoryRegion({ slot: wrong(value), guestPhysAddr: 0n, memory }),
      },
      {
        what: `memory.window(${String(value)})`,
        code: "ERR_KVM_RANGE",
        call: ({ memory }) => memory.window(wrong(value)),
      },
    ],
  ),
  {
    what: "an absurd amount of memory",
    code: "ERR_KVM_SYSTEM_CALL",
    message: /^mmap: ENOMEM$/,
    call: () => GuestMemory.allocate(2 ** 47),
  },
  { what: "memory of half a page", code: "ERR_KVM_ARGUMENT", call: () => GuestMemory.allocate(4096 + 2048) },
  {
    what: "a file descriptor that is not open as memory",
    code: "ERR_KVM_SYSTEM_CALL",
    message: /^mmap: EBADF$/,
    call: () => GuestMemory.allocate(4096, { file: { fd: 1_000_000 } }),
  },

  // ---- slots ----
  {
    what: "a slot number out of range",
    code: "ERR_KVM_IOCTL",
    message: /^KVM_SET_USER_MEMORY_REGION: EINVAL$/,
    call: ({ vm, memory }) => vm.setUserMemoryRegion({ slot: 0xffff, guestPhysAddr: 0x8000_0000n, memory }),
  },
  {
    what: "overlapping slots",
    code: "ERR_KVM_IOCTL",
    message: /^KVM_SET_USER_MEMORY_REGION: EEXIST$/,
    call: ({ vm, memory }) =>
      vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0x1000n, memory, sizeBytes: 4096 }),
  },
  {
    what: "a slot beyond its memory",
    code: "ERR_KVM_RANGE",
    call: ({ vm, memory }) =>
      vm.setUserMemoryRegion({
        slot: 1,
        guestPhysAddr: 0x8000_0000n,
        memory,
        offset: 4096,
        sizeBytes: 4 * MIB,
      }),
  },
  {
    what: "a slot with a negative offset",
    code: "ERR_KVM_RANGE",
    call: ({ vm, memory }) => vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0n, memory, offset: -4096 }),
  },
  {
    what: "a slot at an unaligned address",
    code: "ERR_KVM_IOCTL",
    message: /EINVAL/,
    call: ({ vm, memory }) => vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0x8000_0001n, memory }),
  },
  {
    what: "a slot at an address that is no bigint",
    code: "ERR_KVM_ARGUMENT",
    call: ({ vm, memory }) => vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: wrong(0x1000), memory }),
  },
  {
    what: "a slot with memory that is none",
    code: "ERR_KVM_ARGUMENT",
    call: ({ vm, kvm }) => vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0n, memory: wrong(kvm) }),
  },
  {
    what: "a slot with closed memory",
    code: "ERR_KVM_CLOSED",
    call: ({ vm }) => {
      const memory = GuestMemory.allocate(4096);
      memory.close();
      vm.setUserMemoryRegion({ slot: 1, guestPhysAddr: 0x8000_0000n, memory });
    },
  },
  {
    what: "no region at all",
    code: "ERR_KVM_ARGUMENT",
    call: ({ vm }) => vm.setUserMemoryRegion(wrong(undefined)),
  },
  {
    what: "the dirty log of a slot that is not there",
    code: "ERR_KVM_IOCTL",
    message: /^KVM_GET_DIRTY_LOG: ENOENT$/,
    call: ({ vm }) => vm.getDirtyLog(7),
  },

  // ---- memory ----
  { what: "bytes beyond the end", code: "ERR_KVM_RANGE", call: ({ memory }) => memory.bytes(4 * MIB - 1, 2) },
  { what: "bytes at NaN", code: "ERR_KVM_RANGE", call: ({ memory }) => memory.bytes(Number.NaN, 1) },
  { what: "bytes of negative length", code: "ERR_KVM_RANGE", call: ({ memory }) => memory.bytes(0, -1) },
  {
    what: "discarding beyond the end",
    code: "ERR_KVM_RANGE",
    call: ({ memory }) => memory.discard(0, 8 * MIB),
  },
  {
    what: "discarding half a page",
    code: "ERR_KVM_SYSTEM_CALL",
    message: /^madvise: EINVAL$/,
    call: ({ memory }) => memory.discard(1, 4096),
  },

  // ---- structures ----
  {
    what: "a register that is no bigint",
    code: "ERR_KVM_FIELD",
    message: /^kvm_regs\.rip: found 4096, allowed a bigint from 0n to 0xffffffffffffffffn$/,
    call: ({ vcpu }) => vcpu.setRegs({ rip: wrong(4096) }),
  },
  {
    what: "a register of 65 bits",
    code: "ERR_KVM_FIELD",
    call: ({ vcpu }) => vcpu.setRegs({ rip: 1n << 64n }),
  },
  { what: "a negative register", code: "ERR_KVM_FIELD", call: ({ vcpu }) => vcpu.setRegs({ rip: -1n }) },
  {
    what: "a segment selector of 17 bits",
    code: "ERR_KVM_FIELD",
    message: /^kvm_sregs\.cs\.selector: found 65536, allowed an integer from 0 to 65535$/,
    call: ({ vcpu }) => {
      const sregs = vcpu.getSregs();
      vcpu.setSregs({ ...sregs, cs: { ...sregs.cs, selector: 0x10000 } });
    },
  },
  {
    what: "a fifth PDPTE",
    code: "ERR_KVM_FIELD",
    call: ({ vcpu }) => vcpu.setSregs2({ ...vcpu.getSregs2(), pdptrs: [0n, 0n, 0n, 0n, 0n] }),
  },
  { what: "no registers at all", code: "ERR_KVM_FIELD", call: ({ vcpu }) => vcpu.setRegs(wrong(null)) },
  {
    what: "CPUID entries that are no array",
    code: "ERR_KVM_FIELD",
    call: ({ vcpu }) => vcpu.setCpuid2(wrong("x")),
  },
  {
    what: "MSRs that are no array",
    code: "ERR_KVM_ARGUMENT",
    call: ({ vcpu }) => vcpu.getMsrs(wrong(undefined)),
  },
  {
    what: "a short XSAVE area",
    code: "ERR_KVM_BUFFER",
    call: ({ vcpu }) => vcpu.setXsave(new Uint8Array(100)),
  },
  {
    what: "a detached XSAVE area",
    code: "ERR_KVM_BUFFER",
    call: ({ vcpu }) => {
      const area = vcpu.getXsave();
      structuredClone(area.buffer, { transfer: [area.buffer as ArrayBuffer] });
      vcpu.setXsave(area);
    },
  },
  {
    what: "an XSAVE area that is no Uint8Array",
    code: "ERR_KVM_ARGUMENT",
    call: ({ vcpu }) => vcpu.setXsave(wrong(new Float64Array(4096))),
  },
  {
    what: "a dirty bitmap that is too short",
    code: "ERR_KVM_BUFFER",
    call: ({ vm }) => vm.clearDirtyLog(0, 0, 1024, new Uint8Array(8)),
  },
  {
    what: "an MSR filter whose bitmap is none",
    code: "ERR_KVM_ARGUMENT",
    call: ({ vm }) => vm.setMsrFilter([{ flags: 1, base: 0, nmsrs: 64, bitmap: wrong("x") }]),
  },
  {
    what: "an unknown capability",
    code: "ERR_KVM_ARGUMENT",
    call: ({ kvm }) => kvm.checkExtension(wrong("KVM_CAP_COFFEE")),
  },

  // ---- stops and host I/O ----
  { what: "a stop that is none", code: "ERR_KVM_ARGUMENT", call: ({ vcpu }) => vcpu.run(wrong({})) },
  { what: "a limit of NaN", code: "ERR_KVM_ARGUMENT", call: () => new StopSource().armWall(Number.NaN) },
  { what: "a negative limit", code: "ERR_KVM_ARGUMENT", call: () => new StopSource().armCpu(-1) },
  {
    what: "watching SIGKILL",
    code: "ERR_KVM_ARGUMENT",
    call: () => new StopSource().watchSignals(["SIGKILL"]),
  },
  {
    what: "watching an unknown signal",
    code: "ERR_KVM_ARGUMENT",
    call: () => new StopSource().watchSignals([wrong("SIGCOFFEE")]),
  },
  { what: "reading into nothing", code: "ERR_KVM_ARGUMENT", call: () => hostIo.read(0, wrong(undefined)) },
  { what: "reading into numbers", code: "ERR_KVM_ARGUMENT", call: () => hostIo.read(0, [wrong(1)]) },
  { what: "reading from NaN", code: "ERR_KVM_ARGUMENT", call: () => hostIo.read(Number.NaN, []) },
  { what: "sleeping NaN milliseconds", code: "ERR_KVM_ARGUMENT", call: () => hostIo.sleep(Number.NaN) },
];

for (const { what, code: expected, message, call } of cases)
  kvmTest(`${what} is ${expected}`, (t) => {
    using m = machine(code.exits);
    const error = t.throws(() => call(m), { instanceOf: KvmError, code: expected });
    if (message !== undefined) t.regex(error.message, message);
    t.true(error.remedy.length > 0);
    t.is(m.vcpu.run(), 2, "the machine is unharmed");
  });

/** Not for users, or not about being open. */
const inner = new Set([
  ...["constructor", "close", "closed", "forget"],
  ...["call", "callWith", "checked", "explain", "extension"],
]);

/** Every method of a class, with arguments that would be valid while it was open. */
function callEverything(target: object): unknown[] {
  const results: unknown[] = [];
  for (
    let proto = Object.getPrototypeOf(target);
    proto !== Object.prototype;
    proto = Object.getPrototypeOf(proto)
  )
    for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
      if (inner.has(name)) continue;
      try {
        results.push(get === undefined ? value.call(target, 1, 0n, 0n) : get.call(target));
      } catch (error) {
        results.push(error);
      }
    }
  return results;
}

kvmTest("after close() every method of every class is a KvmError, and close() again does nothing", (t) => {
  const { kvm, vm, vcpu, memory } = machine(code.exits);
  const stop = new StopSource();
  const closed = [vcpu, vm, memory, stop, kvm];
  for (const object of closed) {
    object.close();
    object.close();
    t.true(object.closed);
  }
  for (const object of closed)
    for (const result of callEverything(object)) t.true(result instanceof KvmError, `${String(result)}`);
});

kvmTest("closing the virtual machine before its vCPU closes both", (t) => {
  const { kvm, vm, vcpu, memory } = machine(code.exits);
  const { bytes } = vcpu.runPage;
  vm.close();
  t.true(vcpu.closed);
  t.is(bytes.length, 0, "the run page is detached");
  t.throws(() => vcpu.run(), { code: "ERR_KVM_CLOSED" });
  memory.close();
  kvm.close();
});

kvmTest("closing everything below leaves a vCPU that still runs", (t) => {
  const { kvm, vm, vcpu, memory } = machine(code.exits);
  kvm.close();
  memory.close();
  t.is(vcpu.run(), 2);
  vm.close();
});

/** Deterministic, so that a failure can be run again (Numerical Recipes' constants). */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

kvmTest("the native methods survive arguments of any kind (20,000 random calls)", (t) => {
  using m = machine(code.exits);
  using stop = new StopSource();
  const detached = new Uint8Array(4096);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const handles = [handleOf(m.kvm), handleOf(m.vm), handleOf(m.vcpu), handleOf(m.memory), handleOf(stop)];
  const anything: readonly unknown[] = [
    ...[0, 1, 2, 4096, -1, 0.5, Number.NaN, 2 ** 31, 2 ** 32, 2 ** 53, Number.NEGATIVE_INFINITY],
    ...[0n, 1n, 1n << 64n, -1n, "", "KVM", true, null, undefined, Symbol("s"), {}, [], () => 1],
    ...[new Uint8Array(), new Uint8Array(8), new Uint8Array(65536), new Float64Array(8), detached],
    ...[new ArrayBuffer(8), new SharedArrayBuffer(8), new Uint8Array(new SharedArrayBuffer(4096))],
    ...handles,
    ...ioctls.map((_, row) => row),
  ];
  // Signals and closing are the process's and the other cases' business; a run of this guest comes back.
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(handleOf(m.vm))).filter(
    (name) => !["constructor", "close", "watchSignals"].includes(name),
  ) as (keyof NativeHandle)[];
  const pick = random(1);
  const outcomes = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    const handle = handles[pick(handles.length)]!;
    const method = methods[pick(methods.length)]!;
    const args = Array.from({ length: pick(9) }, () => anything[pick(anything.length)]);
    const result = (handle[method] as (...args: unknown[]) => unknown).apply(handle, args);
    outcomes.add(typeof result);
    // What a lucky call made is closed again.
    if (typeof result === "object" && result !== null && "close" in result) (result as NativeHandle).close();
  }
  t.true(outcomes.has("number"));
  t.is(Kvm.open().apiVersion, 12, "the process is unharmed");
});

kvmTest(
  "a native method on an object that is no handle is a TypeError or an error number, never a crash",
  (t) => {
    using m = machine(code.exits);
    const { ioctl, close } = Object.getPrototypeOf(handleOf(m.vm)) as NativeHandle;
    for (const self of [{}, [], new Uint8Array(8), Object.create(handleOf(m.vm)), undefined, 1])
      t.throws(() => ioctl.call(self as NativeHandle, 0, 0), { any: true });
    const forged = new (handleOf(m.vm).constructor as new (...args: unknown[]) => NativeHandle)({}, 1);
    t.true(forged.ioctl(0, 0) < 0);
    t.is(forged.close(), undefined);
    t.is(close.call(forged), undefined);
    t.is(native().detach(wrong({})), -10003);
  },
);
