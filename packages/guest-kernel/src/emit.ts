/** Small habits that all emitters share. */
import { type Assembler, eax, type Memory, mem, type Register, rsp, sym } from "@kvmkit/x86-asm";
import {
  ERRNO,
  type ErrnoName,
  HYPERCALL_PORT,
  KERNEL_HYPERCALLS,
  type KernelHypercallName,
  PAGE_SIZE,
} from "./abi/index.js";
import { FRAME, KERNEL_STACK_SIZE, TASK } from "./structs.js";

export type Register64 = Register<"r64">;

/**
 * Sections, in the order of the image. The two tables among the read-only data collect rows from all over the
 * kernel: where a fault in ring 0 is expected (uaccess.ts), and what is patched at boot (alternatives.ts).
 */
export const SECTION = {
  text: ".text",
  rodata: ".rodata",
  extable: ".rodata.extable",
  alternatives: ".rodata.alternatives",
  data: ".data",
  bss: ".bss",
} as const;

/** Starts a function. A label with a dot in it belongs to the function named before the dot. */
export function fn(a: Assembler, name: string): void {
  a.section(SECTION.text);
  a.align(16);
  a.label(name);
}

/** Reserves a zeroed variable of `sizeBytes` at `align`. */
export function variable(a: Assembler, name: string, sizeBytes = 8, align = Math.min(sizeBytes, 8)): void {
  a.section(SECTION.bss);
  a.align(align);
  a.label(name);
  a.zero(sizeBytes);
  a.section(SECTION.text);
}

/** The quadword variable `name`. */
export function global(name: string, offset = 0): Memory<64> {
  return mem.qword(sym(name).plus(offset));
}

/** A kernel hypercall: rax = its number, one `out`; the result is in rax. Arguments stand in their registers. */
export function hypercall(a: Assembler, name: KernelHypercallName): void {
  a.mov(eax, KERNEL_HYPERCALLS.find((row) => row.name === name)!.nr);
  a.out(HYPERCALL_PORT, eax);
}

/** `result` = -errno. */
export function setErrno(a: Assembler, result: Register64, name: ErrnoName): void {
  a.mov(result, -ERRNO[name]);
}

export function pushAll(a: Assembler, registers: readonly Register64[]): void {
  for (const register of registers) a.push(register);
}

export function popAll(a: Assembler, registers: readonly Register64[]): void {
  for (const register of [...registers].reverse()) a.pop(register);
}

/** A field of the running task, with `pushed` bytes on its stack below the frame. */
export function taskField(offset: number, pushed: number): Memory<64> {
  return mem.qword(rsp, pushed + FRAME.task + offset);
}

/** `into` = a Gva with which `taskAt` addresses the running task, from any depth of its stack. */
export function currentTask(a: Assembler, into: Register64): void {
  a.mov(into, rsp);
  a.or(into, KERNEL_STACK_SIZE - 1);
}

/** A field of the task that `currentTask` found. */
export function taskAt(base: Register64, offset: number): Memory<64> {
  return mem.qword(base, offset + 1 - TASK.size);
}

/** `register` = `register` rounded up to whole pages; ZF = 1 if that wraps to 0. */
export function roundUpToPage(a: Assembler, register: Register64): void {
  a.add(register, PAGE_SIZE - 1);
  a.and(register, -PAGE_SIZE);
}

/** Labels the next instruction `site`, and says where to go on if it faults. */
export function emitExtableRow(a: Assembler, site: string, fixup: string): void {
  a.section(SECTION.extable);
  a.dq(sym(site), sym(fixup));
  a.section(SECTION.text);
  a.label(site);
}
