/**
 * Physical pages: where they come from, and where they go back to.
 *
 *   pool        one run [pool_low, pool_high) of pages that are zero and have never been tables since they became
 *               zero. The host zeroed the first; programs get frames from its low end, tables come from its high
 *               end, so that what is offered and not used needs no giving back, and frames stay contiguous.
 *   pool_1      the run above the 4 GiB hole, taken when the first is used up.
 *   free_runs   runs of pages that came back, newest first, dirty. The first 16 bytes of a run are its node:
 *               next run, page count. Programs get frames from here before the pool grows; they are zeroed on use.
 *
 * A page that was a table is never linked as one again before ring 0 has zeroed it: where page tables are shadowed,
 * a host that fills it would not be seen otherwise. Frames have no such rule.
 */
import { type Assembler, eax, ecx, mem, r8, r9, r9d, r10, rax, rcx, rdi, rdx, rsi } from "@kvmkit/x86-asm";
import { DIRECT_MAP_BASE, FILL_ZERO, PAGE_SIZE } from "./abi/index.js";
import { PAGE_SHIFT } from "./arch/paging.js";
import { fn, global, variable } from "./emit.js";

/** Tables that one 2 MiB span can lack: page-directory-pointer table, page directory, page table. */
const TABLES_PER_SPAN = 3;
/** Pages that ring 0 zeroes at a time when the pool is used up. */
const REFILL_PAGES = 4;
/** What stands in the first page of a free run. `next`: Gva of the next run's node, or 0. */
const RUN = { next: 0, page_count: 8 } as const;

export function emitPageAllocator(a: Assembler): void {
  for (const name of ["pool_low", "pool_high", "pool_1_low", "pool_1_high", "free_runs"]) variable(a, name);
  emitAllocPage(a);
  emitPoolRefill(a);
  emitFreeRun(a);
  emitPopulate(a);
}

/**
 * alloc_page: one zeroed page, for a table or for the kernel.
 * Exit: rax = Gpa, or 0 if there is none. Clobbers RFLAGS.
 */
function emitAllocPage(a: Assembler): void {
  fn(a, "alloc_page");
  a.mov(rax, global("pool_high"));
  a.cmp(rax, global("pool_low"));
  a.je("alloc_page.empty");
  a.sub(rax, PAGE_SIZE);
  a.mov(global("pool_high"), rax);
  a.ret();

  a.label("alloc_page.empty");
  a.call("pool_refill");
  a.jnc("alloc_page");
  a.xor(eax, eax);
  a.ret();
}

/**
 * pool_refill: replaces the pool by the one above the hole, or by a few pages of a free run, zeroed here. What the
 * old pool had left becomes a free run.
 * Exit: CF = 1 if there is nothing. Clobbers rax, RFLAGS.
 */
function emitPoolRefill(a: Assembler): void {
  fn(a, "pool_refill");
  a.push(rcx);
  a.push(rdx);
  a.push(rdi);
  a.mov(rdi, global("pool_low"));
  a.mov(rdx, global("pool_high"));
  a.mov(global("pool_high"), rdi);
  a.sub(rdx, rdi);
  a.shr(rdx, PAGE_SHIFT);
  a.jz("pool_refill.second");
  a.call("free_run");

  a.label("pool_refill.second");
  a.mov(rdi, global("pool_1_low"));
  a.mov(rax, global("pool_1_high"));
  a.cmp(rdi, rax);
  a.je("pool_refill.recycle");
  a.mov(global("pool_1_low"), rax);
  a.mov(global("pool_low"), rdi);
  a.mov(global("pool_high"), rax);
  a.jmp("pool_refill.done");

  a.label("pool_refill.recycle");
  a.mov(rcx, global("free_runs"));
  a.test(rcx, rcx);
  a.stc();
  a.jz("pool_refill.out");
  a.mov(rax, mem.qword(rcx, RUN.page_count));
  a.mov(rdi, mem.qword(rcx, RUN.next));
  a.cmp(rax, REFILL_PAGES);
  a.jbe("pool_refill.whole");
  // The rest of the run is a run of its own.
  a.sub(rax, REFILL_PAGES);
  a.mov(mem.qword(rcx, REFILL_PAGES * PAGE_SIZE + RUN.next), rdi);
  a.mov(mem.qword(rcx, REFILL_PAGES * PAGE_SIZE + RUN.page_count), rax);
  a.lea(rdi, mem(rcx, REFILL_PAGES * PAGE_SIZE));
  a.mov(eax, REFILL_PAGES);
  a.label("pool_refill.whole");
  a.mov(global("free_runs"), rdi);
  a.mov(rdi, rcx);
  a.movabs(rdx, DIRECT_MAP_BASE);
  a.sub(rcx, rdx);
  a.mov(global("pool_low"), rcx);
  a.shl(rax, PAGE_SHIFT);
  a.add(rcx, rax);
  a.mov(global("pool_high"), rcx);
  a.mov(rcx, rax);
  a.shr(rcx, 3);
  a.xor(eax, eax);
  a.rep.stosq();

  a.label("pool_refill.done");
  a.clc();
  a.label("pool_refill.out");
  a.pop(rdi);
  a.pop(rdx);
  a.pop(rcx);
  a.ret();
}

/**
 * free_run: takes a run of pages back. It joins the newest free run where one continues the other.
 * Entry: rdi = Gpa, rdx = page count, not 0. Clobbers rax, rcx, rdx, rdi, RFLAGS.
 */
function emitFreeRun(a: Assembler): void {
  fn(a, "free_run");
  a.movabs(rax, DIRECT_MAP_BASE);
  a.add(rdi, rax);
  a.mov(rax, global("free_runs"));
  a.test(rax, rax);
  a.jz("free_run.push");
  a.mov(rcx, mem.qword(rax, RUN.page_count));
  a.shl(rcx, PAGE_SHIFT);
  a.add(rcx, rax);
  a.cmp(rcx, rdi);
  a.je("free_run.append");
  a.mov(rcx, rdx);
  a.shl(rcx, PAGE_SHIFT);
  a.add(rcx, rdi);
  a.cmp(rcx, rax);
  a.jne("free_run.push");
  // It ends where the newest begins, and becomes its new head.
  a.add(rdx, mem.qword(rax, RUN.page_count));
  a.mov(rax, mem.qword(rax, RUN.next));
  a.label("free_run.push");
  a.mov(mem.qword(rdi, RUN.next), rax);
  a.mov(mem.qword(rdi, RUN.page_count), rdx);
  a.mov(global("free_runs"), rdi);
  a.ret();

  a.label("free_run.append");
  a.add(mem.qword(rax, RUN.page_count), rdx);
  a.ret();
}

/**
 * populate: gives frames to the absent pages of a range, and the tables they need.
 * Entry: rdi = Gva, page aligned; rdx = page count, 1 to 512, within one 2 MiB span; r10 = entry bits.
 * Exit: CF = 0: its first page is present, and the rest as far as memory lies in one piece. CF = 1: no memory is left.
 * Clobbers rax, rcx, rdx, rsi, r8, r9, r10, RFLAGS.
 */
function emitPopulate(a: Assembler): void {
  fn(a, "populate");
  a.mov(rsi, global("free_runs"));
  a.mov(r8, global("pool_high"));
  a.test(rsi, rsi);
  a.jnz("populate.recycled");
  emitPopulateFromPool(a);
  emitTightPool(a);
  emitTablesForRun(a);
  emitPopulateFromRun(a);

  // The pool had too few pages in one piece for the tables. With tables of single pages the next try needs none.
  a.label("populate.tables");
  a.call("link_tables");
  a.jc("populate.none");
  a.test(rax, rax);
  a.jnz("populate");
  a.label("populate.none");
  a.stc();
  a.ret();
}

/** r8 = pool_high, and there is no free run: frames from the pool's low end. */
function emitPopulateFromPool(a: Assembler): void {
  a.mov(rsi, global("pool_low"));
  a.mov(rax, rdx);
  a.shl(rax, PAGE_SHIFT);
  a.lea(rax, mem(rsi, rax, 1, TABLES_PER_SPAN * PAGE_SIZE));
  a.cmp(rax, r8);
  a.ja("populate.tight");
  a.mov(r9d, TABLES_PER_SPAN);
  a.label("populate.pool");
  a.call("fill_pages");
  a.mov(ecx, eax);
  emitTakeTables(a, "populate.pool_tables");
  a.shl(rcx, PAGE_SHIFT);
  a.add(global("pool_low"), rcx);
  a.ret();
}

/** rsi = pool_low, r8 = pool_high: too little. The next pool if there is one, else as much as possible of this one. */
function emitTightPool(a: Assembler): void {
  a.label("populate.tight");
  a.mov(rax, global("pool_1_low"));
  a.cmp(rax, global("pool_1_high"));
  a.je("populate.last");
  a.call("pool_refill");
  a.jmp("populate");
  a.label("populate.last");
  a.mov(r9, r8);
  a.sub(r9, rsi);
  a.shr(r9, PAGE_SHIFT);
  a.jz("populate.none");
  a.mov(eax, 1);
  a.lea(rcx, mem(r9, -TABLES_PER_SPAN));
  a.cmp(rcx, rax);
  a.cmovl(rcx, rax);
  a.cmp(rdx, rcx);
  a.cmova(rdx, rcx);
  a.sub(r9, rdx);
  a.jmp("populate.pool");
}

/** rsi = a free run, r8 = pool_high: r9 = pages in the pool, for tables; some of a run's if it has too few. */
function emitTablesForRun(a: Assembler): void {
  a.label("populate.recycled");
  a.mov(r9, r8);
  a.sub(r9, global("pool_low"));
  a.shr(r9, PAGE_SHIFT);
  a.cmp(r9, TABLES_PER_SPAN);
  a.jae("populate.run");
  a.call("pool_refill");
  a.mov(r8, global("pool_high"));
  a.mov(r9, r8);
  a.sub(r9, global("pool_low"));
  a.shr(r9, PAGE_SHIFT);
  a.mov(rsi, global("free_runs"));
  a.test(rsi, rsi);
  a.jnz("populate.run");
  a.mov(rsi, global("pool_low"));
  a.jmp("populate.tight");
}

/**
 * rsi = a free run, r8 = pool_high, r9 = pages in the pool: frames from the run. Those that are used are zeroed, the
 * run's node with the first of them, so it is read before and written again where the rest begins.
 */
function emitPopulateFromRun(a: Assembler): void {
  a.label("populate.run");
  a.mov(rax, mem.qword(rsi, RUN.page_count));
  a.push(rdx);
  a.push(mem.qword(rsi, RUN.next));
  a.push(rax);
  a.push(rsi);
  a.cmp(rdx, rax);
  a.cmova(rdx, rax);
  a.movabs(rax, DIRECT_MAP_BASE);
  a.sub(rsi, rax);
  a.or(r10, Number(FILL_ZERO));
  a.call("fill_pages");
  a.pop(rsi);
  a.pop(r8);
  a.pop(rcx);
  a.pop(rdx);
  a.mov(r9d, eax);
  emitTakeTables(a, "populate.run_tables");
  a.sub(r8, r9);
  a.jz("populate.used_up");
  a.shl(r9, PAGE_SHIFT);
  a.add(rsi, r9);
  a.mov(mem.qword(rsi, RUN.next), rcx);
  a.mov(mem.qword(rsi, RUN.page_count), r8);
  a.mov(rcx, rsi);
  a.label("populate.used_up");
  a.mov(global("free_runs"), rcx);
  a.clc();
  a.ret();
}

/**
 * rax = what fill_pages returned: takes the tables that it used from the pool. An error has all upper bits set, a
 * success at most a few: the usual case, no table, costs two instructions.
 */
function emitTakeTables(a: Assembler, done: string): void {
  a.shr(rax, 32);
  a.jz(done);
  a.shl(rax, PAGE_SHIFT);
  a.test(eax, eax);
  a.js("populate.tables");
  a.sub(global("pool_high"), rax);
  a.label(done);
}
