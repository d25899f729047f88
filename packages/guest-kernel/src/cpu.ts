/**
 * What each processor needs before it may leave ring 0: descriptor tables, control registers, and the registers of
 * `syscall`. Nothing here is required of CPUID; what it shows is switched on.
 * Source: SDM Vol. 3A, "Initializing IA-32e Mode", "Protected-Mode Exceptions and Interrupts", "Control Registers".
 */
import {
  type Assembler,
  ah,
  al,
  ax,
  cr0,
  cr4,
  ds,
  eax,
  ebx,
  ecx,
  edx,
  es,
  fs,
  gs,
  mem,
  r12,
  r12d,
  r13d,
  rax,
  rdi,
  rdx,
  ss,
  sym,
} from "@kvmkit/x86-asm";
import { CR0, CR4, EFER, PAGE_SIZE, XCR0 } from "./abi/index.js";
import { bits } from "./arch/bits.js";
import { CPUID, CPUID_XSTATE_LEAF, type CpuidFeature } from "./arch/cpuid.js";
import { GDT, GDT_SIZE, SELECTOR } from "./arch/gdt.js";
import { FMASK_VALUE, MSR, STAR_VALUE } from "./arch/msr.js";
import { IST, TSS, TSS_NO_IOMAP } from "./arch/tss.js";
import { emitExtableRow, fn, SECTION, variable } from "./emit.js";
import { CPU, IST_STACK_SIZE, KERNEL_STACK_SIZE, TASK } from "./structs.js";

const CR0_VALUE = bits(CR0.PE, CR0.MP, CR0.ET, CR0.NE, CR0.WP, CR0.AM, CR0.PG);
/** Of every x86-64 processor. */
const CR4_BASE = bits(CR4.PAE, CR4.MCE, CR4.PGE, CR4.OSFXSR, CR4.OSXMMEXCPT);
/** What CPUID decides. */
const CR4_FEATURES: readonly (readonly [CpuidFeature, bigint])[] = [
  [CPUID.XSAVE, CR4.OSXSAVE],
  [CPUID.FSGSBASE, CR4.FSGSBASE],
  [CPUID.SMEP, CR4.SMEP],
  [CPUID.SMAP, CR4.SMAP],
  [CPUID.UMIP, CR4.UMIP],
];
const USER_XSTATE = bits(XCR0.X87, XCR0.SSE, XCR0.AVX, XCR0.OPMASK, XCR0.ZMM_HI256, XCR0.HI16_ZMM);

const bitNumber = (bit: bigint) => bit.toString(2).length - 1;

/** cpu0: the record of the processor that boots, complete but for what only the boot information tells. */
export function emitBootCpu(a: Assembler): void {
  variable(a, "edit_plan_0", PAGE_SIZE, PAGE_SIZE);
  variable(a, "kernel_stack_0", KERNEL_STACK_SIZE, KERNEL_STACK_SIZE);
  variable(a, "ist_stacks_0", 3 * IST_STACK_SIZE, 16);
  const task = sym("kernel_stack_0").plus(KERNEL_STACK_SIZE - TASK.size);

  a.section(SECTION.data, { align: 16 });
  a.align(16);
  a.label("cpu0");
  a.dq(0, task.minus(8), task, 0, sym("edit_plan_0"));
  a.zero(CPU.gdt_pointer - 5 * 8);
  a.dw(GDT_SIZE - 1);
  a.dq(0);
  a.dq(...GDT);
  emitTss(a);
  a.zero(CPU.size - CPU.tss - TSS.size);
  a.section(SECTION.text);
}

function emitTss(a: Assembler): void {
  const istTop = (n: number) => sym("ist_stacks_0").plus(n * IST_STACK_SIZE);
  a.dd(0);
  a.dq(sym("kernel_stack_0").plus(KERNEL_STACK_SIZE - TASK.size));
  a.zero(TSS.ist - TSS.rsp0 - 8);
  a.dq(istTop(IST.DOUBLE_FAULT), istTop(IST.NMI), istTop(IST.MACHINE_CHECK));
  a.zero(TSS.iomap_base - TSS.ist - 3 * 8);
  a.dw(TSS_NO_IOMAP);
}

/**
 * cpu_init: loads the tables of a processor, and sets its registers for ring 3.
 * Entry: rdi = Gva of its CPU record. Exit: r12 = CR4. Clobbers all but rdi, rsi, rsp.
 */
export function emitCpuInit(a: Assembler): void {
  fn(a, "cpu_init");
  emitLoadTables(a);
  emitControlRegisters(a);
  emitModelSpecificRegisters(a);
  a.ret();
}

function emitLoadTables(a: Assembler): void {
  const tssSlot = CPU.gdt + SELECTOR.TSS;
  a.lea(rax, mem(rdi, CPU.gdt));
  a.mov(mem.qword(rdi, CPU.gdt_pointer + 2), rax);
  // The base of the TSS lies in the descriptor's bits 39:16, 63:56 and 95:64.
  a.lea(rax, mem(rdi, CPU.tss));
  a.mov(mem.word(rdi, tssSlot + 2), ax);
  a.shr(rax, 16);
  a.mov(mem.byte(rdi, tssSlot + 4), al);
  a.mov(mem.byte(rdi, tssSlot + 7), ah);
  a.shr(rax, 16);
  a.mov(mem.dword(rdi, tssSlot + 8), eax);
  a.lgdt(mem(rdi, CPU.gdt_pointer));
  a.push(SELECTOR.KERNEL_CODE);
  a.push(sym("cpu_init.code"));
  a.retfq();
  a.label("cpu_init.code");
  a.mov(eax, SELECTOR.KERNEL_DATA);
  a.mov(ss, eax);
  // Programs start with these 0, and the kernel does not use them.
  a.xor(eax, eax);
  for (const register of [ds, es, fs, gs]) a.mov(register, eax);
  a.mov(eax, SELECTOR.TSS);
  a.ltr(ax);
  a.lidt(mem(sym("idt_pointer")));
}

function emitControlRegisters(a: Assembler): void {
  a.mov(eax, CR0_VALUE);
  a.mov(cr0, rax);
  a.mov(r12d, Number(CR4_BASE));
  a.xor(eax, eax);
  a.cpuid();
  a.mov(r13d, eax);
  for (const leaf of [1, 7]) {
    a.cmp(r13d, leaf);
    a.jb(`cpu_init.no_leaf_${leaf}`);
    a.mov(eax, leaf);
    a.xor(ecx, ecx);
    a.cpuid();
    for (const [feature, bit] of CR4_FEATURES.filter(([feature]) => feature.leaf === leaf)) {
      const skip = `cpu_init.no_${bitNumber(bit)}`;
      a.bt({ ebx, ecx, edx }[feature.register], feature.bit);
      a.jnc(skip);
      a.or(r12d, Number(bit));
      a.label(skip);
    }
    a.label(`cpu_init.no_leaf_${leaf}`);
  }
  // An emulator of ring 0 enforces SMAP and has no STAC, whatever CPUID says.
  a.cmp(mem.byte(sym("ring0_emulated")), 0);
  a.je("cpu_init.processor");
  a.and(r12d, ~Number(CR4.SMAP));
  a.label("cpu_init.processor");
  // What CPUID shows a hypervisor may still refuse: then the kernel goes without all of it.
  emitExtableRow(a, "cpu_init.features", "cpu_init.refused");
  a.mov(cr4, r12);
  a.jmp("cpu_init.cr4");
  a.label("cpu_init.refused");
  a.mov(r12d, Number(CR4_BASE));
  a.mov(cr4, r12);
  a.label("cpu_init.cr4");
  // With OSXSAVE programs see XGETBV, and believe it: XCR0 is what CPUID says may be set, of what is known here.
  a.bt(r12d, bitNumber(CR4.OSXSAVE));
  a.jnc("cpu_init.no_xsave");
  a.mov(eax, CPUID_XSTATE_LEAF);
  a.xor(ecx, ecx);
  a.cpuid();
  a.and(eax, Number(USER_XSTATE));
  a.xor(edx, edx);
  a.xor(ecx, ecx);
  emitExtableRow(a, "cpu_init.xsetbv", "cpu_init.no_xsave");
  a.xsetbv();
  a.label("cpu_init.no_xsave");
}

function emitModelSpecificRegisters(a: Assembler): void {
  const constants: readonly (readonly [number, bigint])[] = [
    [MSR.IA32_EFER, bits(EFER.SCE, EFER.LME, EFER.LMA, EFER.NXE)],
    [MSR.IA32_STAR, STAR_VALUE],
    [MSR.IA32_FMASK, FMASK_VALUE],
    [MSR.IA32_FS_BASE, 0n],
    [MSR.IA32_GS_BASE, 0n],
  ];
  for (const [msr, value] of constants) {
    a.mov(ecx, msr);
    a.mov(eax, value & 0xffff_ffffn);
    a.mov(edx, value >> 32n);
    a.wrmsr();
  }
  a.mov(ecx, MSR.IA32_LSTAR);
  a.mov(rax, sym("syscall_entry"));
  a.mov(rdx, rax);
  a.shr(rdx, 32);
  a.wrmsr();
  a.mov(ecx, MSR.IA32_KERNEL_GS_BASE);
  a.mov(rax, rdi);
  a.mov(rdx, rdi);
  a.shr(rdx, 32);
  a.wrmsr();
}
