/** A guest behind /dev/kvm. */
import { exitName, GuestMemory, Kvm, StopSource, type Vcpu } from "@kvmkit/kvm-bindings";
import type { KvmRegs, KvmSregs } from "../../kvm-types.js";
import { BOX_MEMORY, type Box } from "./box.js";

/** No test takes a tenth of this: it ends a guest that is lost. */
const LIMIT_MS = 2000;

export class KvmBox implements Box {
  readonly ram: Uint8Array;
  private readonly memory = GuestMemory.allocate(BOX_MEMORY);
  private readonly kvm = Kvm.open();
  private readonly stop = new StopSource();
  private readonly vcpu: Vcpu;

  constructor() {
    const vm = this.kvm.createVm();
    vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0n, memory: this.memory });
    this.vcpu = vm.createVcpu(0);
    this.vcpu.setCpuid2(this.kvm.supportedCpuid());
    this.ram = this.memory.bytes(0, BOX_MEMORY);
  }

  getRegs(): KvmRegs {
    return this.vcpu.getRegs() as unknown as KvmRegs;
  }

  setRegs(regs: KvmRegs): void {
    this.vcpu.setRegs({ ...regs });
  }

  getSregs(): KvmSregs {
    return this.vcpu.getSregs() as unknown as KvmSregs;
  }

  setSregs(sregs: KvmSregs): void {
    this.vcpu.setSregs({ ...this.vcpu.getSregs(), ...sregs });
  }

  run(): string {
    this.stop.armWall(LIMIT_MS);
    const exit = exitName(this.vcpu.run(this.stop)) ?? "unknown";
    this.stop.armWall(undefined);
    return exit;
  }

  close(): void {
    this.kvm.close();
    this.memory.close();
  }
}
