/**
 * The least that a system call served by the host can be: a page of ring 3 that makes it again and again, and a
 * kernel of `out` and `sysretq`. Nothing is saved, checked or answered. What `vm.call()` and hypercalls of programs
 * are measured against.
 *
 * Where ring 0 is emulated, `syscall` arrives as a page fault at its entry, so the stub stands in both places.
 */

import { GuestMemory, KVM_SYNC_X86, kvm_run } from "@kvmkit/kvm-bindings";
import { assembleFlat } from "@kvmkit/x86-asm";

const USER = 0x1000;
/** Beyond the first 2 MiB, where pages are the supervisor's. */
const KERNEL = 0x20_0000;
const [ENTRY, FAULT, IDT, GDT, TSS, STACK, PML4, PDPT, PD] = [
  0, 0x100, 0x1000, 0x2000, 0x3000, 0x6000, 0x7000, 0x8000, 0x9000,
].map((offset) => KERNEL + offset);
const [KERNEL_CODE, KERNEL_DATA, USER_DATA, USER_CODE, TASK] = [0x08, 0x10, 0x1b, 0x23, 0x28];
const [EFER, STAR, LSTAR] = [0xc000_0080, 0xc000_0081, 0xc000_0082];
const [PRESENT, WRITABLE, USER_PAGE, LARGE] = [1n, 2n, 4n, 0x80n];

/** Result: the vCPU, which stands at the first `out`. */
export function minimalSyscallMachine(kvm) {
  const vm = kvm.createVm();
  const memory = GuestMemory.allocate(4 * 2 ** 20);
  vm.setUserMemoryRegion({ slot: 0, guestPhysAddr: 0n, memory });
  const put = (source, at) => memory.copyFrom(assembleFlat(source, { origin: at }), at);
  put("again: syscall\njmp again", USER);
  put("out 0xe4, eax\nsysretq", ENTRY);
  // The processor pushed a frame, and an error code.
  put("out 0xe4, eax\nmov rsp, [rsp + 32]\nsysretq", FAULT);
  const word = (at, value) =>
    new DataView(memory.bytes(at, 8).buffer, memory.bytes(at, 8).byteOffset).setBigUint64(0, value, true);
  word(PML4, BigInt(PDPT) | PRESENT | WRITABLE | USER_PAGE);
  word(PDPT, BigInt(PD) | PRESENT | WRITABLE | USER_PAGE);
  word(PD, PRESENT | WRITABLE | USER_PAGE | LARGE);
  word(PD + 8, 0x20_0000n | PRESENT | WRITABLE | LARGE);
  // Interrupt gate 14 to KERNEL_CODE:FAULT, and the task's rsp0.
  word(
    IDT + 14 * 16,
    0x8e00_0000_0000n | (BigInt(FAULT >> 16) << 48n) | (BigInt(KERNEL_CODE) << 16n) | BigInt(FAULT & 0xffff),
  );
  word(TSS + 4, BigInt(STACK));
  const segment = { base: 0n, limit: 0xffff_ffff, present: 1, s: 1, g: 1, db: 0, l: 0, avl: 0, unusable: 0 };
  const code = { ...segment, type: 11, l: 1 };
  const data = { ...segment, type: 3, db: 1 };
  // Descriptors for what iretq and the gate load: sysretq and syscall take no look at them.
  word(GDT + KERNEL_CODE, 0x00af_9b00_0000_ffffn);
  word(GDT + KERNEL_DATA, 0x00cf_9300_0000_ffffn);
  word(GDT + (USER_DATA & ~7), 0x00cf_f300_0000_ffffn);
  word(GDT + (USER_CODE & ~7), 0x00af_fb00_0000_ffffn);
  const vcpu = vm.createVcpu(0);
  vcpu.setCpuid2(kvm.supportedCpuid());
  const user = { ...data, selector: USER_DATA, dpl: 3 };
  vcpu.setSregs({
    ...vcpu.getSregs(),
    cs: { ...code, selector: USER_CODE, dpl: 3 },
    ss: user,
    ds: user,
    es: user,
    fs: user,
    gs: user,
    tr: { ...segment, base: BigInt(TSS), limit: 0x67, selector: TASK, type: 11, s: 0, g: 0, dpl: 0 },
    gdt: { base: BigInt(GDT), limit: 0x37 },
    idt: { base: BigInt(IDT), limit: 0xfff },
    cr0: 0x8000_0033n,
    cr3: BigInt(PML4),
    cr4: 0x620n,
    efer: 0xd01n,
  });
  vcpu.setMsrs([
    { index: EFER, data: 0xd01n },
    { index: STAR, data: (BigInt(USER_DATA - 8) << 48n) | (BigInt(KERNEL_CODE) << 32n) },
    { index: LSTAR, data: BigInt(ENTRY) },
  ]);
  vcpu.setRegs({ rip: BigInt(USER), rflags: 2n, rsp: BigInt(USER) });
  kvm_run.write(vcpu.runPage.view, { kvm_valid_regs: KVM_SYNC_X86.REGS });
  return { vm, memory, vcpu, view: vcpu.runPage.view };
}
