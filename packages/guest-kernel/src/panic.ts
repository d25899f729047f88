/** The end of the kernel: one hypercall with a message and the registers; the host adds symbols and a backtrace. */
import {
  type Assembler,
  r8,
  r9,
  r10,
  r11,
  r12,
  r13,
  r14,
  r15,
  rax,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
  sym,
} from "@kvmkit/x86-asm";
import { PT_REGS, PT_REGS_VECTORS } from "./abi/index.js";
import { SELECTOR } from "./arch/gdt.js";
import { fn, hypercall, popAll, pushAll, SECTION } from "./emit.js";

/** What PT_REGS has below the vector, in the order of pushing. */
const REGISTERS = [rdi, rsi, rdx, rcx, rax, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15] as const;

if (REGISTERS.length * 8 !== PT_REGS.vector) throw new RangeError("PT_REGS and what is pushed do not agree");

/** With the vector on top of the stack: makes it a PT_REGS record. */
export function emitPushRegisters(a: Assembler): void {
  pushAll(a, REGISTERS);
}

/** Bytes of `call rel32`. */
const CALL_SIZE = 5;

/** Undoes emitPushRegisters, and takes the vector and the error code off. */
export function emitPopRegisters(a: Assembler): void {
  popAll(a, REGISTERS);
  a.add(rsp, 16);
}

/** Defines a NUL-terminated text among the read-only data. */
export function emitText(a: Assembler, label: string, text: string): void {
  a.section(SECTION.rodata);
  a.label(label);
  a.db(`${text}\0`);
  a.section(SECTION.text);
}

/**
 * Ends the run with a message if the flags say so: `jump` is the conditional jump over it. The message says what is
 * wrong for somebody who cannot see the code; `name` is a label.
 */
export function emitPanic(a: Assembler, name: string, message: string): void {
  emitText(a, `${name}.message`, message);
  a.mov(rdi, sym(`${name}.message`));
  a.call("panic");
}

export function emitPanicFunctions(a: Assembler): void {
  emitPanicFunction(a);
  emitPanicWithRegisters(a);
}

/** panic: Entry: rdi = Gva of a NUL-terminated text, by `call`, so that rip says where. Does not return. */
function emitPanicFunction(a: Assembler): void {
  fn(a, "panic");
  // Return address -> ss, rsp, rflags, cs, rip, error code, vector. r10 and r11 are lost. rip is the call's own
  // address, so that the function that it names is the one that called.
  a.pop(r11);
  a.sub(r11, CALL_SIZE);
  a.mov(r10, rsp);
  a.push(SELECTOR.KERNEL_DATA);
  a.push(r10);
  a.pushfq();
  a.push(SELECTOR.KERNEL_CODE);
  a.push(r11);
  a.push(0);
  a.push(PT_REGS_VECTORS.ASSERTION);
  emitPushRegisters(a);
  a.mov(rsi, rsp);
}

/** panic_with_registers: Entry: rdi = Gva of the text, rsi = Gva of a PT_REGS record. Does not return. */
function emitPanicWithRegisters(a: Assembler): void {
  a.label("panic_with_registers");
  hypercall(a, "kernel_panic");
  emitStop(a);
}

/** Where nothing can come back from a hypercall that ends the run: stops, if it did. */
export function emitStop(a: Assembler): void {
  a.cli();
  a.hlt();
  a.jmp("panic_with_registers");
}
