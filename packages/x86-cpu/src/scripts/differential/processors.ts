/** The processors that run batches: /dev/kvm, and the software processor with one of its engines. */
import { GuestMemory, KVM_EXIT, Kvm, StopSource, type Vcpu } from "@kvmkit/kvm-bindings";
import { Cpu, type CpuOptions } from "../../cpu.js";
import { FSGSBASE, MEMORY, progress, START_FLAGS, startState } from "./image.js";

/** Runs the batch in `image`, which then holds the outcome. Returns whether it came to its end. */
export interface Processor {
  run(image: Uint8Array): boolean;
  close(): void;
}

/** No batch takes a tenth of this. */
const LIMIT_MS = 2000;

export class KvmProcessor implements Processor {
  private readonly memory = GuestMemory.allocate(MEMORY);
  private readonly kvm = Kvm.open();
  private readonly stop = new StopSource();
  private readonly vcpu: Vcpu;

  constructor() {
    const vm = this.kvm.createVm();
    vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0n, memory: this.memory });
    this.vcpu = vm.createVcpu(0);
    this.vcpu.setCpuid2(this.kvm.supportedCpuid());
  }

  run(image: Uint8Array): boolean {
    const guest = this.memory.bytes(0, MEMORY);
    guest.set(image);
    const { sregs, rip } = startState();
    this.vcpu.setSregs({ ...this.vcpu.getSregs(), ...sregs });
    this.vcpu.setRegs({ rip, rflags: START_FLAGS });
    this.stop.armWall(LIMIT_MS);
    // A case may itself write to the exit port.
    while (this.vcpu.run(this.stop) === KVM_EXIT.KVM_EXIT_IO && !progress(guest).done);
    this.stop.armWall(undefined);
    image.set(guest);
    return progress(image).done;
  }

  close(): void {
    this.kvm.close();
    this.memory.close();
  }
}

export class SoftProcessor implements Processor {
  private readonly cpu: Cpu;

  constructor(options: Omit<CpuOptions, "memory"> = {}) {
    this.cpu = new Cpu({ ...options, memory: MEMORY });
  }

  run(image: Uint8Array): boolean {
    const { cpu } = this;
    cpu.memory.ram.set(image);
    cpu.reset();
    const { sregs, rip } = startState();
    cpu.setSregs({ ...cpu.getSregs(), ...sregs, cr4: sregs.cr4 | FSGSBASE });
    cpu.setRegs({ ...cpu.getRegs(), rip, rflags: START_FLAGS });
    while (cpu.run({ budget: 5_000_000 }).reason === "KVM_EXIT_IO" && !progress(cpu.memory.ram).done);
    image.set(cpu.memory.ram);
    return progress(image).done;
  }

  close(): void {}
}
