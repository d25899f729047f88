import test from "ava";
import { CR0, CR4 } from "../architecture.js";
import { Cpu } from "../cpu.js";

const CODE = 0x8000;
const [PML4, PDPT, PD] = [0x1000, 0x2000, 0x3000];
const LONG_CR0 = 0x8000_0031;
const EFER_LONG = 0x500n;

/** XORPS xmm0, xmm0; HLT in long mode without an IDT, so that an exception is a triple fault. */
function exitOf(engine: "typescript" | "wasm", cr0: number, cr4: number): string {
  const cpu = new Cpu({ memory: 0x10000, engine });
  const { ram } = cpu.memory;
  const tables = new DataView(ram.buffer, ram.byteOffset);
  tables.setUint32(PML4, PDPT | 3, true);
  tables.setUint32(PDPT, PD | 3, true);
  tables.setUint32(PD, 0x83, true);
  ram.set([0x0f, 0x57, 0xc0, 0xf4], CODE);
  const sregs = cpu.getSregs();
  Object.assign(sregs.cs, { base: 0n, selector: 8, type: 11, l: 1, db: 0, g: 1, limit: 0xffff_ffff });
  sregs.idt.limit = 0;
  Object.assign(sregs, {
    cr0: BigInt(LONG_CR0 + cr0),
    cr3: BigInt(PML4),
    cr4: BigInt(CR4.PAE | cr4),
    efer: EFER_LONG,
  });
  cpu.setSregs(sregs);
  cpu.setRegs({ ...cpu.getRegs(), rip: BigInt(CODE) });
  return cpu.run({ budget: 10 }).reason;
}

for (const engine of ["typescript", "wasm"] as const) {
  test(`${engine}: SSE faults with CR4.OSFXSR clear, CR0.EM or CR0.TS set (SDM Vol. 2A, "Exceptions Type 4")`, (t) => {
    t.is(exitOf(engine, 0, CR4.OSFXSR), "KVM_EXIT_HLT");
    t.is(exitOf(engine, 0, 0), "KVM_EXIT_SHUTDOWN");
    t.is(exitOf(engine, CR0.EM, CR4.OSFXSR), "KVM_EXIT_SHUTDOWN");
    t.is(exitOf(engine, CR0.TS, CR4.OSFXSR), "KVM_EXIT_SHUTDOWN");
  });
}
