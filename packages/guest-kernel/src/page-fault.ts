/**
 * Demand paging: #PF on a page that an area permits makes a run of pages present and goes on.
 *
 * Only registers that are needed are saved: where ring 0 is emulated, every instruction here costs about as much as
 * touching a page. Source: SDM Vol. 3A, "Page-Fault Exceptions"; the rules for stacks are those of Linux,
 * mm/mmap.c, expand_downwards().
 */
import {
  type Assembler,
  cr2,
  eax,
  ecx,
  esi,
  mem,
  r8,
  r9,
  r10,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
} from "@kvmkit/x86-asm";
import { LARGE_PAGE_SIZE, PAGE_SIZE, PROT } from "./abi/index.js";
import { emitClac } from "./alternatives.js";
import { VECTOR } from "./arch/idt.js";
import { PAGE_SHIFT } from "./arch/paging.js";
import { loadArea, mm } from "./areas.js";
import { currentTask, fn, popAll, pushAll, taskAt } from "./emit.js";
import { AREA, FAULT_WINDOW, MM, RLIMIT_STACK, STACK_GUARD_GAP, TASK, VM_FLAGS } from "./structs.js";

const SAVED = [rax, rcx, rdx, rsi, rdi, r8, r9, r10, rbx] as const;

/** Of an area that is more than a reservation. */
const ANY_ACCESS = PROT.PROT_READ | PROT.PROT_WRITE | PROT.PROT_EXEC;

export function emitPageFault(a: Assembler): void {
  emitEntry(a);
  emitGrowStack(a);
}

/**
 * page_fault: the handler of #PF.
 * Entry: rsp = error code, rip, cs, rflags, rsp, ss. Exit: iretq, or on to exception_common as vector 14.
 * Registers within: rbx = MM, rdi = the address, rdx = its area.
 */
function emitEntry(a: Assembler): void {
  fn(a, "page_fault");
  // Neither flag is changed by an exception, and the program may have set both.
  a.cld();
  emitClac(a, "page_fault");
  pushAll(a, SAVED);
  a.mov(rdi, cr2);
  currentTask(a, rbx);
  a.mov(rbx, taskAt(rbx, TASK.mm));
  a.mov(rdx, mm(MM.last_area));
  a.cmp(rdi, mem.qword(rdx, AREA.start));
  a.jb("page_fault.lookup");
  a.cmp(rdi, mem.qword(rdx, AREA.end));
  a.jae("page_fault.lookup");
  emitChooseRun(a);
  emitMakePresent(a);
  emitLookup(a);
  emitStackFault(a);
  emitRefuse(a);
}

/** CF: whether the area permits a fault with this error code. Clobbers ecx and `mask`. */
function emitIsPermitted(a: Assembler, mask: typeof eax | typeof esi): void {
  a.mov(ecx, mem.dword(rsp, SAVED.length * 8));
  a.mov(mask, mem.dword(rdx, AREA.permitted_faults));
  a.bt(mask, ecx);
}

/** rax = pages from the fault's on: a window that doubles in a sequence, within the area and the page table. */
function emitChooseRun(a: Assembler): void {
  a.label("page_fault.area");
  emitIsPermitted(a, eax);
  a.jnc("page_fault.refuse");
  a.and(rdi, -PAGE_SIZE);
  a.mov(eax, FAULT_WINDOW.first);
  a.cmp(rdi, mem.qword(rdx, AREA.next_fault));
  a.je("page_fault.sequence");
  a.label("page_fault.window");
  a.mov(mem.qword(rdx, AREA.window), rax);
  a.mov(rcx, rdi);
  a.or(rcx, LARGE_PAGE_SIZE - 1);
  a.inc(rcx);
  a.cmp(rcx, mem.qword(rdx, AREA.end));
  a.cmova(rcx, mem.qword(rdx, AREA.end));
  a.sub(rcx, rdi);
  a.shr(rcx, PAGE_SHIFT);
  a.cmp(rax, rcx);
  a.cmova(rax, rcx);
  a.mov(rcx, rax);
  a.shl(rcx, PAGE_SHIFT);
  a.add(rcx, rdi);
  a.mov(mem.qword(rdx, AREA.next_fault), rcx);
}

/** rdi = the run's first page, rax = its pages. Goes back to the program. */
function emitMakePresent(a: Assembler): void {
  a.label("page_fault.populate");
  a.mov(r10, mem.qword(rdx, AREA.entry_flags));
  a.mov(rdx, rax);
  a.call("populate");
  popAll(a, SAVED);
  a.jc("page_fault.no_memory");
  a.add(rsp, 8);
  a.iretq();

  a.label("page_fault.sequence");
  a.mov(rax, mem.qword(rdx, AREA.window));
  a.shl(eax, 1);
  a.mov(ecx, FAULT_WINDOW.most);
  a.cmp(eax, ecx);
  a.cmova(eax, ecx);
  a.jmp("page_fault.window");
}

/** It is not in the area of the last fault. */
function emitLookup(a: Assembler): void {
  a.label("page_fault.lookup");
  a.call("area_find");
  a.cmp(rax, mm(MM.area_count));
  a.jae("page_fault.refuse");
  a.test(mem.dword(rdx, AREA.flags), VM_FLAGS.GROWSDOWN);
  a.jnz("page_fault.stack");
  a.cmp(rdi, mem.qword(rdx, AREA.start));
  a.jb("page_fault.refuse");
  a.mov(mm(MM.last_area), rdx);
  a.jmp("page_fault.area");
}

/**
 * A stack is touched from above: the run ends with the page, and begins within the area and the page table. It is
 * never the last area, so that emitChooseRun need not ask. Entry: rax = index of the area.
 */
function emitStackFault(a: Assembler): void {
  a.label("page_fault.stack");
  emitIsPermitted(a, esi);
  a.jnc("page_fault.refuse");
  a.cmp(rdi, mem.qword(rdx, AREA.start));
  a.jae("page_fault.down");
  a.call("grow_stack");
  a.jc("page_fault.refuse");
  a.label("page_fault.down");
  a.and(rdi, -PAGE_SIZE);
  a.lea(rcx, mem(rdi, -(FAULT_WINDOW.first - 1) * PAGE_SIZE));
  a.mov(rsi, rdi);
  a.and(rsi, -LARGE_PAGE_SIZE);
  a.cmp(rcx, rsi);
  a.cmovb(rcx, rsi);
  a.mov(rsi, mem.qword(rdx, AREA.start));
  a.cmp(rcx, rsi);
  a.cmovb(rcx, rsi);
  a.mov(rax, rdi);
  a.mov(rdi, rcx);
  a.sub(rax, rcx);
  a.shr(rax, PAGE_SHIFT);
  a.inc(eax);
  a.jmp("page_fault.populate");
}

/** Not a page that the program may have, or no page left for it. */
function emitRefuse(a: Assembler): void {
  a.label("page_fault.refuse");
  popAll(a, SAVED);
  a.push(VECTOR.PF);
  a.jmp("exception_common");
  a.label("page_fault.no_memory");
  a.push(VECTOR.PF);
  a.jmp("out_of_memory");
}

/**
 * grow_stack: extends an area that grows down to the page of an address below it, and some pages further.
 * Entry: rbx = MM, rdi = Gva, rax = index of the area, rdx = Gva of the area, which begins above.
 * Exit: CF = 1 if it may not: the limit of the stack (RLIMIT_STACK), or another area within the guard gap.
 * Clobbers rax, rcx, rsi, r8, r9, RFLAGS.
 */
function emitGrowStack(a: Assembler): void {
  fn(a, "grow_stack");
  a.mov(rcx, rdi);
  a.and(rcx, -PAGE_SIZE);
  // The lowest page that the limit allows.
  currentTask(a, r8);
  a.mov(r8, taskAt(r8, TASK.rlimits));
  a.mov(rsi, mem.qword(rdx, AREA.end));
  a.sub(rsi, mem.qword(r8, RLIMIT_STACK * 16));
  a.mov(r8, 0);
  a.cmovc(rsi, r8);
  a.cmp(rcx, rsi);
  a.jb("grow_stack.no");
  // The area below keeps its distance if it can be accessed, and is not overlapped in any case.
  a.test(rax, rax);
  a.jz("grow_stack.free");
  a.dec(rax);
  loadArea(a, rax, rax);
  a.mov(r8, mem.qword(rax, AREA.end));
  a.lea(r9, mem(r8, STACK_GUARD_GAP));
  a.test(mem.dword(rax, AREA.flags), ANY_ACCESS);
  a.cmovnz(r8, r9);
  a.cmp(rcx, r8);
  a.jb("grow_stack.no");
  a.cmp(rsi, r8);
  a.cmovb(rsi, r8);
  a.label("grow_stack.free");
  a.lea(rax, mem(rcx, -(FAULT_WINDOW.first - 1) * PAGE_SIZE));
  a.cmp(rax, rsi);
  a.cmovb(rax, rsi);
  // The limit need not be a multiple of the page size.
  a.add(rax, PAGE_SIZE - 1);
  a.and(rax, -PAGE_SIZE);
  a.mov(mem.qword(rdx, AREA.start), rax);
  a.clc();
  a.ret();
  a.label("grow_stack.no");
  a.stc();
  a.ret();
}
