/**
 * Calls of a kernel that is built for its own tests (KernelOptions.debug): how many pages are free, and what happens
 * when ring 0 goes wrong. No other kernel has them.
 */
import { type Assembler, eax, edi, mem, rax, rdi, rdx, rsi, rsp } from "@kvmkit/x86-asm";
import { PAGE_SHIFT } from "../arch/paging.js";
import { fn, global } from "../emit.js";
import { emitSysret } from "../entry-syscall.js";
import { emitPanic } from "../panic.js";

export const DEBUG_SYSCALLS = [
  /** () -> pages that programs could still get. */
  { nr: 0xff0, name: "debug_free_pages", emit: emitFreePages },
  /** (kind, address): in ring 0, 0 reads there, 1 writes, 2 calls, 3 pushes with rsp = address. -> 0 */
  { nr: 0xff1, name: "debug_access", emit: emitAccess },
  /** (): a broken invariant. */
  { nr: 0xff2, name: "debug_panic", emit: emitDebugPanic },
] as const;

function emitFreePages(a: Assembler): void {
  const name = "sys_debug_free_pages";
  fn(a, name);
  a.mov(rax, global("pool_high"));
  a.sub(rax, global("pool_low"));
  a.add(rax, global("pool_1_high"));
  a.sub(rax, global("pool_1_low"));
  a.shr(rax, PAGE_SHIFT);
  a.mov(rdx, global("free_runs"));
  a.label(`${name}.run`);
  a.test(rdx, rdx);
  a.jz(`${name}.out`);
  a.add(rax, mem.qword(rdx, 8));
  a.mov(rdx, mem.qword(rdx));
  a.jmp(`${name}.run`);
  a.label(`${name}.out`);
  emitSysret(a);
}

function emitAccess(a: Assembler): void {
  const name = "sys_debug_access";
  fn(a, name);
  a.cmp(edi, 1);
  a.jb(`${name}.read`);
  a.je(`${name}.write`);
  a.cmp(edi, 3);
  a.je(`${name}.push`);
  a.call(rsi);
  a.jmp(`${name}.out`);
  a.label(`${name}.read`);
  a.mov(rax, mem.qword(rsi));
  a.jmp(`${name}.out`);
  a.label(`${name}.push`);
  a.mov(rsp, rsi);
  a.push(rax);
  a.label(`${name}.write`);
  a.mov(mem.qword(rsi), rdi);
  a.label(`${name}.out`);
  a.xor(eax, eax);
  emitSysret(a);
}

function emitDebugPanic(a: Assembler): void {
  fn(a, "sys_debug_panic");
  emitPanic(a, "sys_debug_panic", "asked for by debug_panic");
}
