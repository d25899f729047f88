import test from "ava";
import { Cpu } from "./cpu.js";
import { CpuError } from "./errors.js";
import { CpuMemory, KVM_MEM_READONLY } from "./memory.js";
import { ENGINES, SoftBox } from "./scripts/guest/box.js";
import { At, Guest, Page, USED } from "./scripts/guest/guest.js";

const codeOf = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    return error instanceof CpuError ? error.code : error;
  }
  return "nothing";
};

test("memory is a multiple of 4 KiB up to 3.5 GiB, else ERR_CPU_MEMORY_SIZE", (t) => {
  for (const sizeBytes of [0, 4095, 4097, -4096, 1.5, Number.NaN, 0xe0001000]) {
    t.is(
      codeOf(() => CpuMemory.create({ sizeBytes })),
      "ERR_CPU_MEMORY_SIZE",
    );
  }
  t.is(CpuMemory.create({ sizeBytes: 4096 }).ram.length, 4096);
});

test("a memory that create() did not make is refused with ERR_CPU_MEMORY_LAYOUT", (t) => {
  for (const bytes of [16, 0x1000000]) {
    t.is(
      codeOf(() => CpuMemory.adopt({ buffer: new ArrayBuffer(bytes) })),
      "ERR_CPU_MEMORY_LAYOUT",
    );
  }
});

for (const engine of ENGINES) {
  test(`${engine}: a shared memory can be adopted, and both processors see it`, (t) => {
    const memory = CpuMemory.create({ sizeBytes: 0x10000, shared: true });
    t.true(memory.wasm.buffer instanceof SharedArrayBuffer);
    const cpu = new Cpu({ memory: CpuMemory.adopt(memory.wasm), engine });
    t.is(cpu.engine, engine);
    memory.ram.set([0xfe, 0x06, 0x00, 0x20, 0xf4], 0x1000); // inc byte ptr [0x2000]; hlt
    const sregs = cpu.getSregs();
    Object.assign(sregs.cs, { base: 0n, selector: 0 });
    cpu.setSregs(sregs);
    cpu.setRegs({ ...cpu.getRegs(), rip: 0x1000n });
    t.is(cpu.run().reason, "KVM_EXIT_HLT");
    t.is(memory.ram[0x2000], 1);
  });

  test(`${engine}: a slot that is refused changes nothing; one that is removed becomes MMIO (KVM api.rst, KVM_SET_USER_MEMORY_REGION)`, (t) => {
    const guest = new Guest(new SoftBox(engine));
    const { cpu } = guest.box as SoftBox;
    const slot = { slot: 1, flags: 0, guest_phys_addr: 0x10000000, memory_size: 0x1000, offset: 0x100000 };
    for (const change of [
      ...[{ guest_phys_addr: 0x1000 }, { guest_phys_addr: 0x10000001 }, { memory_size: 0x1001 }],
      ...[{ offset: 0x400000 }, { offset: -0x1000 }, { guest_phys_addr: 2 ** 52 }],
    ]) {
      t.is(
        codeOf(() => cpu.setUserMemoryRegion({ ...slot, ...change })),
        "ERR_CPU_MEMORY_REGION",
      );
    }
    guest.page(At.free, USED | Page.W, 0x10000000);
    const code = `mov rax, [${At.free}]`;
    t.is(guest.run(code).what, "KVM_EXIT_MMIO");
    cpu.setUserMemoryRegion(slot);
    guest.write(0x100000, 0x1234n);
    const { what, regs } = guest.run(code);
    t.deepEqual([what, regs.rax], ["done", 0x1234n]);
    cpu.setUserMemoryRegion({ ...slot, memory_size: 0 });
    t.is(guest.run(code).what, "KVM_EXIT_MMIO");
  });

  test(`${engine}: KVM_MEM_READONLY: loads and fetches are direct, stores leave as MMIO and change nothing (KVM api.rst, KVM_SET_USER_MEMORY_REGION)`, (t) => {
    const guest = new Guest(new SoftBox(engine));
    const { cpu } = guest.box as SoftBox;
    const slot = { slot: 1, guest_phys_addr: 0x10000000, memory_size: 0x1000, offset: 0x100000 };
    cpu.setUserMemoryRegion({ ...slot, flags: KVM_MEM_READONLY });
    guest.page(At.free, USED | Page.W, 0x10000000);
    guest.box.ram.set([0xb8, 7, 0, 0, 0, 0xc3], 0x100000);
    const { what, regs } = guest.run(`mov ecx, ${At.free}\ncall rcx\nmov [rcx], eax`);
    t.deepEqual([what, regs.rax], ["KVM_EXIT_MMIO", 7n]);
    t.is(guest.resume().what, "done");
    t.is(guest.box.ram[0x100000], 0xb8);
  });
}
