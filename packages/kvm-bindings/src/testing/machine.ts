/** What the tests share: small guests in machine code, and virtual machines that run them. */
import { GuestMemory } from "../guest-memory.js";
import { Kvm } from "../kvm.js";
import type { KvmSegment } from "../structs.js";
import type { Vcpu } from "../vcpu.js";
import type { Vm } from "../vm.js";

/** Programs for ENTRY; all but `printA` mean the same in 16-bit and 64-bit code. */
export const code = {
  /** mov dx, 0x3f8; mov al, 'a'; out dx, al; hlt (16-bit) */
  printA: [0xba, 0xf8, 0x03, 0xb0, 0x61, 0xee, 0xf4],
  /** jmp $ */
  spin: [0xeb, 0xfe],
  /** hlt; jmp back */
  halt: [0xf4, 0xeb, 0xfd],
  /** sti; hlt; jmp back to hlt: with an in-kernel irqchip this blocks in the kernel */
  sleep: [0xfb, 0xf4, 0xeb, 0xfd],
  /** out 0xe4, al; jmp back */
  exits: [0xe6, 0xe4, 0xeb, 0xfc],
  /** inc word [0x2000]; hlt (16-bit) */
  countOnce: [0xff, 0x06, 0x00, 0x20, 0xf4],
  /** inc word [0x2000]; jmp back (16-bit): a spin that another thread can see */
  count: [0xff, 0x06, 0x00, 0x20, 0xeb, 0xfa],
} as const satisfies Readonly<Record<string, readonly number[]>>;

export type Program = keyof typeof code;

export const ENTRY = 0x1000;
/** Where `count` counts. */
export const COUNTER = 0x2000;
export const MEMORY_BYTES = 0x400000;

export interface Machine extends Disposable {
  readonly kvm: Kvm;
  readonly vm: Vm;
  readonly memory: GuestMemory;
  readonly vcpu: Vcpu;
}

interface Options {
  /** Runs before the first vCPU is made. */
  readonly prepare?: (vm: Vm) => void;
  /** Where the vCPU starts; real mode unless it says otherwise. */
  readonly mode?: keyof typeof modes;
}

const modes = { real: enterRealMode, "64-bit ring 0": enterRing0, "64-bit ring 3": enterRing3 } as const;

/** A virtual machine of 4 MiB with one vCPU, about to run `program`. */
export function machine(program: readonly number[], { prepare, mode = "real" }: Options = {}): Machine {
  const kvm = Kvm.open();
  const vm = kvm.createVm();
  prepare?.(vm);
  const memory = GuestMemory.allocate(MEMORY_BYTES);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0n, memory });
  memory.copyFrom(Uint8Array.from(program), ENTRY);
  const vcpu = vm.createVcpu(0);
  modes[mode](vcpu, memory);
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

function enterRing0(vcpu: Vcpu, memory: GuestMemory): void {
  enterLongMode(vcpu, memory, 0);
}

function enterRing3(vcpu: Vcpu, memory: GuestMemory): void {
  enterLongMode(vcpu, memory, 3);
}

const PML4 = 0x10000;
const PDPT = 0x11000;
const PD = 0x12000;
/** P, RW, US, A, D. */
const PRESENT_USER = 0x67n;
const PAGE_SIZE_BIT = 0x80n;

/** Identity-maps the first 2 MiB for both rings (SDM Vol. 3A, "4-Level Paging"), no descriptor tables. */
function enterLongMode(vcpu: Vcpu, memory: GuestMemory, dpl: 0 | 3): void {
  const view = memory.view();
  view.setBigUint64(PML4, BigInt(PDPT) | PRESENT_USER, true);
  view.setBigUint64(PDPT, BigInt(PD) | PRESENT_USER, true);
  view.setBigUint64(PD, PRESENT_USER | PAGE_SIZE_BIT, true);
  const sregs = vcpu.getSregs();
  const flat: KvmSegment = { ...sregs.cs, base: 0n, limit: 0xffff_ffff, present: 1, s: 1, g: 1, dpl };
  const data: KvmSegment = { ...flat, selector: 0x28 | dpl, type: 3, db: 1, l: 0 };
  vcpu.setSregs({
    ...sregs,
    cs: { ...flat, selector: 0x30 | dpl, type: 11, l: 1, db: 0 },
    ds: data,
    es: data,
    fs: data,
    gs: data,
    ss: data,
    cr0: 0x8005_0033n, // PG, AM, WP, NE, ET, MP, PE
    cr3: BigInt(PML4),
    cr4: 0x620n, // PAE, OSFXSR, OSXMMEXCPT
    efer: 0x501n, // LMA, LME, SCE
  });
  vcpu.setRegs({ rip: BigInt(ENTRY), rsp: 0x8000n, rflags: 2n });
}
