/**
 * The way in for exceptions: one stub for each vector, at a fixed distance, then one body.
 *
 *   from ring 3, on the task's kernel stack     from ring 0, where it was, or on an IST stack
 *   ss, rsp, rflags, cs, rip                    the same five
 *   error code, or 0 by the stub
 *   vector, by the stub
 *   rdi rsi rdx rcx rax r8-r11 rbx rbp r12-r15  = PT_REGS (abi/hypercalls.ts)
 *
 * From ring 3 it becomes the signal that Linux would send. From ring 0 it is expected at an instruction that has a
 * row in the exception table (uaccess.ts), and a panic anywhere else.
 * Source: SDM Vol. 3A, "Stack Frame after an Exception or Interrupt", "Exception Priority".
 */
import {
  type Assembler,
  cr2,
  eax,
  ebx,
  edi,
  esi,
  mem,
  r10,
  rax,
  rbx,
  rdi,
  rdx,
  rsi,
  rsp,
  sym,
} from "@kvmkit/x86-asm";
import { KERNEL_BASE, KERNEL_TEXT_GPA, KILL_REASONS, PT_REGS, SIGNALS } from "./abi/index.js";
import { emitClac } from "./alternatives.js";
import { EXCEPTIONS, type ExceptionRow, IDT_SIZE, interruptGate, VECTOR } from "./arch/idt.js";
import { PF_ERROR } from "./arch/paging.js";
import { fn, hypercall, SECTION, variable } from "./emit.js";
import { emitPopRegisters, emitPushRegisters, emitStop, emitText } from "./panic.js";

/** Where the kernel's first instruction lies; the stubs come first, so that the IDT is constant data. */
export const TEXT_ORIGIN = KERNEL_BASE + KERNEL_TEXT_GPA;
const STUB_SIZE = 16;

/** Gva of a vector's stub; that of the vector after the last is `page_fault_or_syscall`. */
function stubAddress(vector: number): bigint {
  return TEXT_ORIGIN + BigInt(vector * STUB_SIZE);
}

/** The stubs. They are the first thing in the text. */
export function emitExceptionStubs(a: Assembler): void {
  a.section(SECTION.text);
  for (const { vector, errorCode } of EXCEPTIONS) {
    a.align(STUB_SIZE);
    a.label(`exception_${vector}`);
    if (vector === VECTOR.PF) {
      a.jmp("page_fault");
      continue;
    }
    if (!errorCode) a.push(0);
    a.push(vector);
    a.jmp("exception_common");
  }
  a.align(STUB_SIZE);
}

/** The IDT, and the gate of #PF that replaces its own where `syscall` arrives as #PF (boot.ts). */
export function emitIdt(a: Assembler): void {
  a.section(SECTION.data, { align: 16 });
  a.label("idt");
  for (const { vector, dpl, ist } of EXCEPTIONS) {
    a.dq(...interruptGate({ offset: stubAddress(vector), dpl, ist }));
  }
  a.section(SECTION.rodata, { align: 16 });
  a.align(16);
  a.label("syscall_fault_gate");
  a.dq(...interruptGate({ offset: stubAddress(EXCEPTIONS.length), dpl: 0, ist: 0 }));
  a.label("idt_pointer");
  a.dw(IDT_SIZE - 1);
  a.dq(sym("idt"));
  a.section(SECTION.text);
}

export function emitExceptions(a: Assembler): void {
  emitTables(a);
  emitCommon(a);
  emitKilled(a);
  emitOutOfMemory(a);
  emitKernelException(a);
}

/** exception_signals: a byte for each vector, 0 where ring 3 cannot cause it. exception_messages: for the panic. */
function emitTables(a: Assembler): void {
  variable(a, "ring0_emulated", 1);
  const signalOf = ({ signal }: ExceptionRow) => (signal === null ? 0 : SIGNALS[signal]);
  for (const { vector, mnemonic, name } of EXCEPTIONS) {
    emitText(a, `exception_${vector}.message`, `${mnemonic}: ${name} in the kernel`);
  }
  a.section(SECTION.rodata);
  a.label("exception_signals");
  a.db(...EXCEPTIONS.map(signalOf));
  a.align(8);
  a.label("exception_messages");
  a.dq(...EXCEPTIONS.map(({ vector }) => sym(`exception_${vector}.message`)));
}

/** exception_common: Entry: rsp = vector, error code, rip, cs, rflags, rsp, ss. */
function emitCommon(a: Assembler): void {
  fn(a, "exception_common");
  emitPushRegisters(a);
  a.cld();
  emitClac(a, "exception_common");
  a.mov(ebx, mem.dword(rsp, PT_REGS.vector));
  a.test(mem.byte(rsp, PT_REGS.cs), 3);
  a.jz("kernel_exception");
  a.movzx(edi, mem.byte(sym("exception_signals"), rbx));
  a.test(edi, edi);
  a.jz("exception_panic");
  a.cmp(ebx, VECTOR.UD);
  a.je("invalid_opcode");
  a.cmp(ebx, VECTOR.PF);
  a.jne("killed");
  // A reserved bit in an entry: the tables are the kernel's, so the mistake is.
  a.test(mem.byte(rsp, PT_REGS.error_code), PF_ERROR.RSVD);
  a.jnz("exception_panic");
  a.jmp("killed");

  // Where ring 0 is emulated, `int n` is #UD; on a processor a vector without a gate for ring 3 is #GP.
  a.label("invalid_opcode");
  a.cmp(mem.byte(sym("ring0_emulated")), 0);
  a.je("killed");
  a.mov(rdi, mem.qword(rsp, PT_REGS.rip));
  a.call("get_user_u8");
  a.mov(edi, SIGNALS.SIGILL);
  a.jc("killed");
  a.cmp(eax, 0xcd);
  a.jne("killed");
  a.mov(edi, SIGNALS.SIGSEGV);
}

/** killed: ends the program. Entry: rsp = PT_REGS, edi = signal. */
function emitKilled(a: Assembler): void {
  a.label("killed");
  a.mov(esi, KILL_REASONS.FAULT);
  a.label("killed_because");
  a.mov(rdx, rsp);
  a.mov(r10, cr2);
  hypercall(a, "task_killed");
  emitStop(a);
}

/** out_of_memory: no page is left for what the program touched. Entry: as exception_common. */
function emitOutOfMemory(a: Assembler): void {
  fn(a, "out_of_memory");
  emitPushRegisters(a);
  a.mov(edi, SIGNALS.SIGKILL);
  a.mov(esi, KILL_REASONS.OUT_OF_MEMORY);
  a.jmp("killed_because");
}

/** kernel_exception: looks the instruction up in the exception table. Entry: rsp = PT_REGS, ebx = vector. */
function emitKernelException(a: Assembler): void {
  fn(a, "kernel_exception");
  a.mov(rax, mem.qword(rsp, PT_REGS.rip));
  a.mov(rsi, sym("extable"));
  a.label("kernel_exception.row");
  a.cmp(rsi, sym("extable_end"));
  a.jae("exception_panic");
  a.cmp(rax, mem.qword(rsi));
  a.je("kernel_exception.fixup");
  a.add(rsi, 16);
  a.jmp("kernel_exception.row");
  a.label("kernel_exception.fixup");
  a.mov(rax, mem.qword(rsi, 8));
  a.mov(mem.qword(rsp, PT_REGS.rip), rax);
  emitPopRegisters(a);
  a.iretq();

  a.label("exception_panic");
  a.mov(rdi, mem.qword(sym("exception_messages"), rbx, 8));
  a.mov(rsi, rsp);
  a.jmp("panic_with_registers");
}
