/** What the tests share: small guests in machine code, and where they lie. */
import { GuestMemory } from "./guest-memory.js";
import { Kvm } from "./kvm.js";
import type { Vcpu } from "./vcpu.js";
import type { Vm } from "./vm.js";

/** Real-mode programs. */
export const code = {
  /** mov dx, 0x3f8; mov al, 'a'; out dx, al; hlt */
  printA: [0xba, 0xf8, 0x03, 0xb0, 0x61, 0xee, 0xf4],
  /** jmp $ */
  spin: [0xeb, 0xfe],
  /** hlt; jmp back */
  halt: [0xf4, 0xeb, 0xfd],
  /** out 0xe4, al; jmp back */
  exits: [0xe6, 0xe4, 0xeb, 0xfc],
} as const;

export interface Machine extends Disposable {
  readonly kvm: Kvm;
  readonly vm: Vm;
  readonly memory: GuestMemory;
  readonly vcpu: Vcpu;
}

export const ENTRY = 0x1000;

/** A virtual machine of 64 KiB whose vCPU stands in real mode at 0:ENTRY. */
export function realMode(program: readonly number[], prepare: (vm: Vm) => void = () => {}): Machine {
  const kvm = Kvm.open();
  const vm = kvm.createVm();
  prepare(vm);
  const memory = GuestMemory.allocate(0x10000);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0n, memory });
  memory.copyFrom(Uint8Array.from(program), ENTRY);
  const vcpu = vm.createVcpu(0);
  enterRealMode(vcpu);
  const dispose = () => {
    memory.close();
    vm.close();
    kvm.close();
  };
  return { kvm, vm, memory, vcpu, [Symbol.dispose]: dispose };
}

export function enterRealMode(vcpu: Vcpu): void {
  const sregs = vcpu.getSregs();
  sregs.cs = { ...sregs.cs, base: 0n, selector: 0 };
  vcpu.setSregs(sregs);
  vcpu.setRegs({ rip: BigInt(ENTRY), rflags: 2n });
}
