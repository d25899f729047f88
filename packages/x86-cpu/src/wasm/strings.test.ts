import test from "ava";
import { CR4 } from "../architecture.js";
import { Cpu } from "../cpu.js";
import { Tlb } from "../layout.js";

const CODE = 0x8000;
const [PML4, PDPT, PD] = [0x1000, 0x2000, 0x3000];
const SOURCE = 0x10_0000;
/** Its pages share an entry of the TLB with those of the source. */
const DESTINATION = SOURCE + Tlb.entries * 0x1000;
const QUADWORDS = 1200;

for (const engine of ["typescript", "wasm"] as const) {
  test(`${engine}: REP MOVSQ copies between pages that share an entry of the TLB, and counts each iteration`, (t) => {
    const cpu = new Cpu({ memory: 0x40_0000, engine });
    const { ram } = cpu.memory;
    const tables = new DataView(ram.buffer, ram.byteOffset);
    tables.setUint32(PML4, PDPT | 3, true);
    tables.setUint32(PDPT, PD | 3, true);
    tables.setUint32(PD, 0x83, true);
    tables.setUint32(PD + 8, 0x20_0083, true);
    ram.set([0xf3, 0x48, 0xa5, 0xf4], CODE);
    const data = Uint8Array.from({ length: QUADWORDS * 8 }, (_, n) => (n * 7 + (n >> 8)) & 0xff);
    ram.set(data, SOURCE);
    const sregs = cpu.getSregs();
    Object.assign(sregs.cs, { base: 0n, selector: 8, type: 11, l: 1, db: 0, g: 1, limit: 0xffff_ffff });
    Object.assign(sregs, {
      cr0: 0x8000_0031n,
      cr3: BigInt(PML4),
      cr4: BigInt(CR4.PAE | CR4.OSFXSR),
      efer: 0x500n,
    });
    cpu.setSregs(sregs);
    const registers = { rip: CODE, rsi: SOURCE, rdi: DESTINATION, rcx: QUADWORDS };
    const big = Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, BigInt(value)]));
    cpu.setRegs({ ...cpu.getRegs(), ...big });

    t.is(cpu.run({ budget: QUADWORDS - 1 }).reason, "KVM_EXIT_INTR");
    t.is(cpu.getRegs().rcx, 1n);
    t.is(cpu.run({ budget: 100 }).reason, "KVM_EXIT_HLT");
    t.deepEqual(ram.slice(DESTINATION, DESTINATION + data.length), data);
    t.is(cpu.instructions, QUADWORDS + 1);
  });
}
