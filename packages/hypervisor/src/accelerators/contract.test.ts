/** What every accelerator promises (accelerator.ts), each promise on each of them. */
import { Kvm } from "@kvmkit/kvm-bindings";
import { assembleFlat } from "@kvmkit/x86-asm";
import * as software from "@kvmkit/x86-cpu";
import { kvmTest, type TestBody } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";
import { layOutFlat } from "../boot/flat.js";
import { GuestMemory } from "../memory/guest-memory.js";
import { memoryMap } from "../memory/memory-map.js";
import { setUpVcpu } from "../vcpu-setup.js";
import { type Accelerator, EXIT, REG } from "./accelerator.js";
import { KvmAccelerator } from "./kvm.js";
import { SoftAccelerator } from "./soft.js";

const SIZE = 4 * 2 ** 20;

interface Driver {
  readonly title: string;
  readonly open: () => Accelerator;
  readonly test: (title: string, body: TestBody) => void;
}

const drivers: readonly Driver[] = [
  { title: "kvm", open: () => new KvmAccelerator(Kvm.open(), undefined), test: kvmTest },
  {
    title: "kvm, only general registers in the page",
    open: () => new KvmAccelerator(Kvm.open(), undefined, 1),
    test: kvmTest,
  },
  {
    title: "kvm, no registers in the page",
    open: () => new KvmAccelerator(Kvm.open(), undefined, 0),
    test: kvmTest,
  },
  { title: "soft", open: () => new SoftAccelerator(software), test },
  { title: "soft, without WebAssembly", open: () => new SoftAccelerator(software, "typescript"), test },
];

const BITS = { protected: 32, long: 64 } as const;

function start(t: ExecutionContext, accelerator: Accelerator, source: string, protocol: keyof typeof BITS) {
  const ranges = memoryMap(SIZE);
  const backing = accelerator.allocateMemory(SIZE);
  const memory = new GuestMemory(backing, ranges);
  const plan = layOutFlat(memory, { protocol, image: assembleFlat(source, { bits: BITS[protocol] }) });
  const machine = accelerator.createMachine(backing, ranges);
  const cpu = machine.createCpu(0);
  setUpVcpu(cpu, plan);
  t.teardown(() => {
    machine.close();
    backing.close();
  });
  return { machine, memory, backing, cpu };
}

type Start = (source: string, protocol?: keyof typeof BITS) => ReturnType<typeof start>;

function contract(
  title: string,
  body: (t: ExecutionContext, run: Start, accelerator: Accelerator) => void,
): void {
  for (const driver of drivers) {
    driver.test(`${driver.title}: ${title}`, (t) => {
      const accelerator = driver.open();
      body(t, (source, protocol = "long") => start(t, accelerator, source, protocol), accelerator);
    });
  }
}

contract("registers are the guest's at an exit, and what is changed is the guest's afterwards", (t, run) => {
  const { cpu, memory } = run(`mov rax, 0x1122334455667788
    mov r15, -1
    out 0xe4, eax
    mov [0x100000], rax
    mov [0x100008], r15
    hlt`);
  t.is(cpu.run(undefined), EXIT.KVM_EXIT_IO);
  t.is(cpu.registers[REG.rax], 0x1122_3344_5566_7788n);
  t.is(cpu.registers32[REG.rax * 2 + 1], 0x1122_3344);
  t.is(cpu.registers[REG.r15], 0xffff_ffff_ffff_ffffn);
  cpu.registers[REG.rax] = 42n;
  cpu.registersChanged();
  t.is(cpu.run(undefined), EXIT.KVM_EXIT_HLT);
  t.is(memory.u64(0x10_0000), 42n);
  t.is(memory.u64(0x10_0008), 0xffff_ffff_ffff_ffffn);
});

contract(
  "a port access says port, direction, width and value, and an in takes what it is given",
  (t, run) => {
    const { cpu, memory } = run(
      "mov edx, 0x1234\nmov ax, 0xbeef\nout dx, ax\nin eax, dx\nmov [0x100000], eax\nhlt",
    );
    t.is(cpu.run(undefined), EXIT.KVM_EXIT_IO);
    const { portAccess } = cpu;
    t.deepEqual(
      [portAccess.port, portAccess.isOut, portAccess.sizeBytes, portAccess.count, portAccess.value(0)],
      [0x1234, true, 2, 1, 0xbeef],
    );
    t.is(cpu.run(undefined), EXIT.KVM_EXIT_IO);
    t.deepEqual([portAccess.isOut, portAccess.sizeBytes], [false, 4]);
    portAccess.setValue(0, 0xfeed_f00d);
    t.is(cpu.run(undefined), EXIT.KVM_EXIT_HLT);
    t.is(memory.u32(0x10_0000), 0xfeed_f00d);
  },
);

contract("the address space follows CR3, from one exit to the next", (t, run) => {
  const { cpu } = run(`out 0xe4, eax
    mov rax, cr3
    lea rdi, [rax + 0x3000]
    mov rcx, [rax]
    mov [rdi], rcx
    mov cr3, rdi
    out 0xe4, eax
    out 0xe4, eax
    hlt`);
  cpu.run(undefined);
  const first = cpu.addressSpace();
  cpu.run(undefined);
  const second = cpu.addressSpace();
  t.deepEqual(first, { paging: "long", root: 0x1f_7000 });
  t.deepEqual(second, { paging: "long", root: 0x1f_a000 });
  cpu.run(undefined);
  t.deepEqual(cpu.addressSpace(), second);
});

contract("system registers come back as they were set", (t, run) => {
  const { cpu } = run("hlt");
  const before = cpu.getSystemRegisters();
  cpu.setSystemRegisters({ ...before, gdt: { base: 0x1000n, limit: 0x3f }, cr2: 0x1234n });
  const after = cpu.getSystemRegisters();
  t.deepEqual([after.gdt.base, after.gdt.limit, after.cr2], [0x1000n, 0x3f, 0x1234n]);
  t.deepEqual([after.cs, after.cr0, after.cr3], [before.cs, before.cr0, before.cr3]);
});

contract("the machine goes on after its shadow was flushed", (t, run) => {
  const { cpu, machine, memory } = run("out 0xe4, eax\nmov dword ptr [0x100000], 5\nhlt");
  cpu.run(undefined);
  machine.flushShadow();
  t.is(cpu.run(undefined), EXIT.KVM_EXIT_HLT);
  t.is(memory.u32(0x10_0000), 5);
});

contract("exits that are off the hot path say what they are about", (t, run) => {
  const { cpu: shutdown } = run("ud2");
  t.is(shutdown.run(undefined), EXIT.KVM_EXIT_SHUTDOWN);
  t.deepEqual(shutdown.exitDetails(), { exit: "KVM_EXIT_SHUTDOWN" });
  const { cpu: mmio } = run("mov [0xd0000000], cx", "protected");
  t.is(mmio.run(undefined), EXIT.KVM_EXIT_MMIO);
  const access = { address: 0xd000_0000n, sizeBytes: 2, isWrite: true };
  t.deepEqual(mmio.exitDetails(), { exit: "KVM_EXIT_MMIO", ...access });
});

contract(
  "memory is shared by its token, and closing one view of it leaves the other",
  (t, run, accelerator) => {
    const { memory, backing } = run("hlt");
    const other = accelerator.attachMemory(backing.token);
    memory.setU64(0x1000, 7n);
    const view = other.bytes(0x1000, 8);
    t.is(view[0], 7);
    view[0] = 8;
    t.is(memory.u64(0x1000), 8n);
    other.close();
    if (accelerator.name === "kvm") t.is(view.length, 0);
    t.is(memory.u64(0x1000), 8n);
  },
);

contract(
  "whether ring 0 is emulated is what an instruction shows that an emulator lacks",
  (t, run, accelerator) => {
    const { cpu } = run("movq xmm0, rax\nhlt");
    const expected = accelerator.traits.ring0Emulated ? EXIT.KVM_EXIT_INTERNAL_ERROR : EXIT.KVM_EXIT_HLT;
    t.is(cpu.run(undefined), expected);
  },
);
