/** What a test's guest runs in: one of the engines, or the processor behind /dev/kvm. State has KVM's shape in both. */
import { Cpu, type EngineName } from "../../cpu.js";
import type { CpuExit } from "../../exits.js";
import type { KvmRegs, KvmSregs } from "../../kvm-types.js";

export const BOX_MEMORY = 0x400000;

export interface Box {
  readonly ram: Uint8Array;
  getRegs(): KvmRegs;
  setRegs(regs: KvmRegs): void;
  getSregs(): KvmSregs;
  setSregs(sregs: KvmSregs): void;
  /** Runs to the next exit; its name. */
  run(): string;
}

/** Far more than any test needs: a guest that is lost ends, and says so. */
const BUDGET = 1_000_000;

export class SoftBox implements Box {
  readonly cpu: Cpu;
  /** The last exit. */
  exit: CpuExit | undefined;

  constructor(engine: EngineName) {
    this.cpu = new Cpu({ memory: BOX_MEMORY, engine });
  }

  get ram(): Uint8Array {
    return this.cpu.memory.ram;
  }

  getRegs(): KvmRegs {
    return this.cpu.getRegs();
  }

  setRegs(regs: KvmRegs): void {
    this.cpu.setRegs(regs);
  }

  getSregs(): KvmSregs {
    return this.cpu.getSregs();
  }

  setSregs(sregs: KvmSregs): void {
    this.cpu.setSregs(sregs);
  }

  run(): string {
    this.exit = this.cpu.run({ budget: BUDGET });
    return this.exit.reason;
  }
}

export const ENGINES = ["typescript", "wasm"] as const;
