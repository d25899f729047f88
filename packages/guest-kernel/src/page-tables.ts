/**
 * Page tables: how an entry is found, and how absent pages get frames. (What is present is changed in page-edits.ts.)
 *
 * Both services that the host offers exist twice. Where the host serves them (BOOT_FLAGS.HOST_PAGING) each is one hypercall, because a
 * loop over entries costs microseconds per page where ring 0 is emulated; where it does not, the same registers go
 * to a loop here, which is what a processor with hardware virtualization wants. Only the kernel writes entries that
 * are in use, on any host: a shadowed entry that the host changed would go on being obeyed as it was.
 *
 * Source: SDM Vol. 3A, "4-Level Paging and 5-Level Paging", "Invalidation of TLBs and Paging-Structure Caches".
 */
import {
  type Assembler,
  cl,
  cr3,
  eax,
  ecx,
  edx,
  mem,
  r8,
  r9,
  r10,
  r11,
  r11d,
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
  sym,
} from "@kvmkit/x86-asm";
import { DIRECT_MAP_BASE, ERRNO, FILL_ZERO, type KernelHypercallName, PAGE_SIZE } from "./abi/index.js";
import {
  ENTRIES_PER_TABLE,
  LEVEL_BITS,
  LEVEL_SHIFTS,
  PAGE_SHIFT,
  PTE_ADDRESS_MASK,
  TABLE_FLAGS,
} from "./arch/paging.js";
import { fn, global, hypercall, popAll, pushAll, variable } from "./emit.js";

export function emitPageTables(a: Assembler): void {
  variable(a, "host_paging", 1);
  emitService(a, "fill_pages");
  emitService(a, "plan_edits");
  emitPageWalk(a);
  emitFillPagesHere(a);
  emitLinkTables(a);
  emitMapFrames(a);
}

/**
 * fill_pages, plan_edits: the hypercall of that name, or the same done by the kernel. Registers as hypercalls.ts
 * says. Clobbers rax, RFLAGS.
 */
function emitService(a: Assembler, name: KernelHypercallName & ("fill_pages" | "plan_edits")): void {
  fn(a, name);
  a.cmp(mem.byte(sym("host_paging")), 0);
  a.je(`${name}_here`);
  hypercall(a, name);
  a.ret();
}

/**
 * page_walk: finds the entry for an address at one level of the tables that CR3 names.
 * Entry: rdi = Gva, r11 = shift of the level's index (12: page table), r12 = DIRECT_MAP_BASE, r13 = PTE_ADDRESS_MASK.
 * Exit: CF = 0: rax = Gva of the entry. CF = 1: a table on the way is absent, rax = Gva of the entry that lacks it,
 * rcx = that entry's shift. Clobbers rax, rcx, RFLAGS.
 */
function emitPageWalk(a: Assembler): void {
  fn(a, "page_walk");
  a.push(rdx);
  a.mov(rdx, cr3);
  a.mov(ecx, LEVEL_SHIFTS[0]);
  a.label("page_walk.level");
  a.and(rdx, r13);
  a.add(rdx, r12);
  a.mov(rax, rdi);
  a.shr(rax, cl);
  a.and(eax, 511);
  a.lea(rax, mem(rdx, rax, 8));
  a.cmp(rcx, r11);
  a.je("page_walk.out");
  a.mov(rdx, mem.qword(rax));
  a.test(edx, 1);
  a.stc();
  a.jz("page_walk.out");
  a.sub(ecx, LEVEL_BITS);
  a.jmp("page_walk.level");
  a.label("page_walk.out");
  a.pop(rdx);
  a.ret();
}

/** Of functions that are called in place of a hypercall, which changes rax only. */
export const SAVED_BY_SERVICES = [
  rbx,
  rcx,
  rdx,
  rdi,
  rsi,
  rbp,
  r8,
  r9,
  r10,
  r11,
  r12,
  r13,
  r14,
  r15,
] as const;

/** What page_walk expects. */
export function emitWalkConstants(a: Assembler): void {
  a.movabs(r12, DIRECT_MAP_BASE);
  a.movabs(r13, PTE_ADDRESS_MASK);
}

/** fill_pages_here: as the hypercall fill_pages (hypercalls.ts). */
function emitFillPagesHere(a: Assembler): void {
  fn(a, "fill_pages_here");
  pushAll(a, SAVED_BY_SERVICES);
  emitWalkConstants(a);
  a.xor(eax, eax);
  a.mov(r14, rax);
  a.mov(r15, rax);
  a.mov(r11d, PAGE_SHIFT);
  a.call("page_walk");
  a.jnc("fill_pages_here.page");
  // An entry with shift 39 lacks three tables, with 30 two, with 21 one.
  a.lea(rbx, mem(rcx, -PAGE_SHIFT));
  a.imul(rbp, r9, LEVEL_BITS);
  a.cmp(rbx, rbp);
  a.ja("fill_pages_here.enomem");
  a.label("fill_pages_here.link");
  a.sub(r8, PAGE_SIZE);
  a.inc(r15);
  a.lea(rbx, mem(r8, Number(TABLE_FLAGS)));
  a.mov(mem.qword(rax), rbx);
  a.call("page_walk");
  a.jc("fill_pages_here.link");

  a.label("fill_pages_here.page");
  a.mov(rbx, rax);
  a.mov(rbp, r10);
  a.and(rbp, ~Number(FILL_ZERO));
  a.label("fill_pages_here.entry");
  a.cmp(mem.qword(rbx), 0);
  a.jne("fill_pages_here.next");
  a.test(r10, Number(FILL_ZERO));
  a.jz("fill_pages_here.clean");
  a.lea(rdi, mem(rsi, r12));
  a.mov(ecx, PAGE_SIZE / 8);
  a.xor(eax, eax);
  a.rep.stosq();
  a.label("fill_pages_here.clean");
  a.mov(rax, rsi);
  a.or(rax, rbp);
  a.mov(mem.qword(rbx), rax);
  a.add(rsi, PAGE_SIZE);
  a.inc(r14);
  a.label("fill_pages_here.next");
  a.add(rbx, 8);
  a.dec(rdx);
  a.jnz("fill_pages_here.entry");
  a.shl(r15, 32);
  a.lea(rax, mem(r14, r15));
  a.label("fill_pages_here.out");
  popAll(a, SAVED_BY_SERVICES);
  a.ret();
  a.label("fill_pages_here.enomem");
  a.mov(rax, -ERRNO.ENOMEM);
  a.jmp("fill_pages_here.out");
}

/**
 * link_tables: gives an address its page table and what leads to it, page by page, where no run of pages is left.
 * Entry: rdi = Gva. Exit: rax = tables linked; CF = 1 if there was no page for one. Clobbers rax, rcx, RFLAGS.
 */
function emitLinkTables(a: Assembler): void {
  const name = "link_tables";
  const saved = [r11, r12, r13, r14] as const;
  fn(a, name);
  pushAll(a, saved);
  emitWalkConstants(a);
  a.mov(r11d, PAGE_SHIFT);
  a.mov(r14, 0);
  a.label(`${name}.walk`);
  a.call("page_walk");
  a.jnc(`${name}.out`);
  a.push(rax);
  a.call("alloc_page");
  a.pop(rcx);
  a.cmp(rax, 1);
  a.jc(`${name}.out`);
  a.add(rax, Number(TABLE_FLAGS));
  a.mov(mem.qword(rcx), rax);
  a.inc(r14);
  a.jmp(`${name}.walk`);
  a.label(`${name}.out`);
  a.mov(rax, r14);
  popAll(a, saved);
  a.ret();
}

/**
 * map_frames: gives absent pages the frames of one run.
 * Entry: rdi = Gva, rsi = Gpa, rdx = page count, which may be 0; r10 = entry bits.
 * Exit: CF = 1 if there is no memory for tables. Clobbers rax, rcx, rdx, rsi, rdi, r8, r9, RFLAGS.
 */
function emitMapFrames(a: Assembler): void {
  const name = "map_frames";
  fn(a, name);
  a.push(r12);
  a.mov(r12, rdx);
  a.label(`${name}.span`);
  a.test(r12, r12);
  a.jz(`${name}.out`);
  a.mov(rdx, rdi);
  a.shr(rdx, PAGE_SHIFT);
  a.or(rdx, -ENTRIES_PER_TABLE);
  a.neg(rdx);
  a.cmp(rdx, r12);
  a.cmova(rdx, r12);
  a.label(`${name}.fill`);
  a.mov(r8, global("pool_high"));
  a.mov(r9, r8);
  a.sub(r9, global("pool_low"));
  a.shr(r9, PAGE_SHIFT);
  a.call("fill_pages");
  a.test(rax, rax);
  a.js(`${name}.tables`);
  a.sub(r12, rdx);
  a.shl(rdx, PAGE_SHIFT);
  a.add(rdi, rdx);
  a.add(rsi, rdx);
  a.shr(rax, 32);
  a.shl(rax, PAGE_SHIFT);
  a.sub(global("pool_high"), rax);
  a.jmp(`${name}.span`);
  // The pool has too little for its tables.
  a.label(`${name}.tables`);
  a.call("link_tables");
  a.jnc(`${name}.fill`);
  a.label(`${name}.out`);
  a.pop(r12);
  a.ret();
}
