/**
 * Page-table work: giving frames to absent pages, changing and taking away present ones.
 *
 * Both services exist twice. Where the host serves them (BOOT_FLAGS.HOST_PAGING) each is one hypercall, because a
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
  edi,
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
import {
  DIRECT_MAP_BASE,
  EDIT,
  EDIT_PLAN,
  EDIT_PLAN_MAX_FRAMES,
  ERRNO,
  FILL_ZERO,
  FRAME_RUN,
  type KernelHypercallName,
  LARGE_PAGE_SIZE,
  PAGE_SIZE,
} from "./abi/index.js";
import { ENTRIES_PER_TABLE, PAGE_SHIFT, PTE_ADDRESS_MASK, TABLE_FLAGS } from "./arch/paging.js";
import { currentTask, fn, global, hypercall, popAll, pushAll, taskAt, variable } from "./emit.js";
import { CPU, TASK } from "./structs.js";

const PD_SHIFT = 21;
/** Each level's index has nine bits. */
const LEVEL_BITS = 9;
const TOP_SHIFT = 39;

export function emitPageTables(a: Assembler): void {
  variable(a, "host_paging", 1);
  emitService(a, "fill_pages");
  emitService(a, "plan_edits");
  emitPageWalk(a);
  emitFillPagesHere(a);
  emitPlanEditsHere(a);
  emitDropTables(a);
  emitRecordFrame(a);
  emitMapFrames(a);
  emitEditPages(a);
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
  a.mov(ecx, TOP_SHIFT);
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

const SAVED = [rbx, rcx, rdx, rdi, rsi, rbp, r8, r9, r10, r11, r12, r13, r14, r15] as const;

function emitConstants(a: Assembler): void {
  a.movabs(r12, DIRECT_MAP_BASE);
  a.movabs(r13, PTE_ADDRESS_MASK);
}

/** fill_pages_here: as the hypercall fill_pages (hypercalls.ts). */
function emitFillPagesHere(a: Assembler): void {
  fn(a, "fill_pages_here");
  pushAll(a, SAVED);
  emitConstants(a);
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
  popAll(a, SAVED);
  a.ret();
  a.label("fill_pages_here.enomem");
  a.mov(rax, -ERRNO.ENOMEM);
  a.jmp("fill_pages_here.out");
}

/**
 * plan_edits_here: as the hypercall plan_edits, but the entries are written at once, so that the plan has frames
 * and no edits. Registers within: rbx = plan, rbp = frames in it, r14 = the new entry's flags, rdi = how far it is.
 */
function emitPlanEditsHere(a: Assembler): void {
  const name = "plan_edits_here";
  fn(a, name);
  pushAll(a, SAVED);
  emitConstants(a);
  a.mov(rbx, r10);
  a.mov(r14, rdx);
  a.xor(eax, eax);
  a.mov(rbp, rax);
  a.mov(mem.qword(rbx, EDIT_PLAN.edit_count), rax);

  a.label(`${name}.span`);
  a.cmp(rdi, rsi);
  a.jae(`${name}.out`);
  a.mov(r11d, PAGE_SHIFT);
  a.call("page_walk");
  a.jc(`${name}.absent`);
  a.label(`${name}.entry`);
  a.mov(rdx, mem.qword(rax));
  a.test(rdx, rdx);
  a.jz(`${name}.next`);
  a.and(rdx, r13);
  a.test(r14, r14);
  a.jz(`${name}.unmap`);
  a.or(rdx, r14);
  a.mov(mem.qword(rax), rdx);
  a.jmp(`${name}.next`);
  a.label(`${name}.unmap`);
  a.call("record_frame");
  a.jc(`${name}.out`);
  a.mov(mem.qword(rax), 0);
  a.label(`${name}.next`);
  a.add(rax, 8);
  a.add(rdi, PAGE_SIZE);
  a.cmp(rdi, rsi);
  a.jae(`${name}.span_end`);
  a.test(edi, LARGE_PAGE_SIZE - 1);
  a.jnz(`${name}.entry`);

  a.label(`${name}.span_end`);
  a.test(r14, r14);
  a.jnz(`${name}.span`);
  a.call("drop_tables");
  a.jnc(`${name}.span`);
  // The plan is full: the last page once more, to come by here again.
  a.sub(rdi, PAGE_SIZE);
  a.jmp(`${name}.out`);

  // Nothing is mapped up to the end of what that entry covers.
  a.label(`${name}.absent`);
  a.shr(rdi, cl);
  a.inc(rdi);
  a.shl(rdi, cl);
  a.cmp(rdi, rsi);
  a.cmova(rdi, rsi);
  a.jmp(`${name}.span_end`);

  a.label(`${name}.out`);
  a.mov(mem.qword(rbx, EDIT_PLAN.next), rdi);
  a.mov(mem.qword(rbx, EDIT_PLAN.frame_count), rbp);
  a.xor(eax, eax);
  popAll(a, SAVED);
  a.ret();
}

/**
 * drop_tables: takes out the tables whose last page was just passed and whose whole span lies where no area is left:
 * the page table, then what referred to it, since a table may go only when nothing below it is.
 * Entry: as plan_edits_here has it. Exit: CF = 1 if the plan is full. Clobbers rax, rcx, rdx, r8, r9, r11, RFLAGS.
 */
function emitDropTables(a: Assembler): void {
  const name = "drop_tables";
  fn(a, name);
  a.push(rdi);
  a.lea(r8, mem(rdi, -1));
  a.mov(r9, rdi);
  a.mov(r11d, PD_SHIFT);
  a.label(`${name}.level`);
  a.mov(ecx, r11d);
  a.mov(rdi, r8);
  a.shr(rdi, cl);
  a.shl(rdi, cl);
  a.cmp(rdi, mem.qword(rbx, EDIT_PLAN.floor));
  a.jb(`${name}.done`);
  a.mov(eax, 1);
  a.shl(rax, cl);
  a.add(rax, rdi);
  a.cmp(rax, mem.qword(rbx, EDIT_PLAN.ceiling));
  a.ja(`${name}.done`);
  a.cmp(rax, r9);
  a.je(`${name}.passed`);
  a.cmp(r9, rsi);
  a.jne(`${name}.done`);
  a.label(`${name}.passed`);
  a.call("page_walk");
  a.jc(`${name}.up`);
  a.mov(rdx, mem.qword(rax));
  a.test(edx, 1);
  a.jz(`${name}.up`);
  a.and(rdx, r13);
  a.xor(edi, edi);
  a.call("record_frame");
  a.jc(`${name}.full`);
  a.mov(mem.qword(rax), 0);
  a.label(`${name}.up`);
  a.add(r11d, LEVEL_BITS);
  a.cmp(r11d, TOP_SHIFT);
  a.jbe(`${name}.level`);
  a.label(`${name}.done`);
  a.clc();
  a.label(`${name}.full`);
  a.pop(rdi);
  a.ret();
}

/**
 * record_frame: adds a frame to the plan, to its last run where it continues that one.
 * Entry: rdi = Gva where it was mapped, 0 for a table; rdx = Gpa; rbx = plan; rbp = runs in it.
 * Exit: CF = 1 if the plan is full. Clobbers rcx, RFLAGS.
 */
function emitRecordFrame(a: Assembler): void {
  fn(a, "record_frame");
  a.push(r8);
  a.imul(rcx, rbp, FRAME_RUN.size);
  a.lea(rcx, mem(rbx, rcx, 1, EDIT_PLAN.frames));
  a.test(rbp, rbp);
  a.jz("record_frame.new");
  a.mov(r8, mem.qword(rcx, FRAME_RUN.page_count - FRAME_RUN.size));
  a.shl(r8, PAGE_SHIFT);
  a.add(r8, mem.qword(rcx, FRAME_RUN.physical - FRAME_RUN.size));
  a.cmp(r8, rdx);
  a.jne("record_frame.new");
  a.sub(r8, mem.qword(rcx, FRAME_RUN.physical - FRAME_RUN.size));
  a.add(r8, mem.qword(rcx, FRAME_RUN.address - FRAME_RUN.size));
  a.cmp(r8, rdi);
  a.jne("record_frame.new");
  a.inc(mem.qword(rcx, FRAME_RUN.page_count - FRAME_RUN.size));
  a.jmp("record_frame.out");
  a.label("record_frame.new");
  a.cmp(rbp, EDIT_PLAN_MAX_FRAMES);
  a.cmc();
  a.jc("record_frame.full");
  a.mov(mem.qword(rcx, FRAME_RUN.address), rdi);
  a.mov(mem.qword(rcx, FRAME_RUN.physical), rdx);
  a.mov(mem.qword(rcx, FRAME_RUN.page_count), 1);
  a.inc(rbp);
  a.label("record_frame.out");
  a.clc();
  a.label("record_frame.full");
  a.pop(r8);
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
  a.js(`${name}.refill`);
  a.sub(r12, rdx);
  a.shl(rdx, PAGE_SHIFT);
  a.add(rdi, rdx);
  a.add(rsi, rdx);
  a.shr(rax, 32);
  a.shl(rax, PAGE_SHIFT);
  a.sub(global("pool_high"), rax);
  a.jmp(`${name}.span`);
  // No table was left in the pool: try once more with the next pool.
  a.label(`${name}.refill`);
  a.call("pool_refill");
  a.jnc(`${name}.fill`);
  a.label(`${name}.out`);
  a.pop(r12);
  a.ret();
}

/**
 * edit_pages: gives every page of a range that has a frame new entry bits, or takes its frame away.
 * Entry: rdi = start, rsi = end (Gva, page aligned); rdx = entry bits, 0 to unmap; r8 = floor, r9 = ceiling
 * (EDIT_PLAN). Clobbers rax, rcx, rdx, rdi, r8, r9, r10, r11, RFLAGS.
 */
function emitEditPages(a: Assembler): void {
  fn(a, "edit_pages");
  a.push(rbx);
  a.push(r12);
  a.push(r14);
  a.mov(r14, rdx);
  currentTask(a, rbx);
  a.mov(rbx, taskAt(rbx, TASK.cpu));
  a.mov(rbx, mem.qword(rbx, CPU.edit_plan));
  a.mov(mem.qword(rbx, EDIT_PLAN.floor), r8);
  a.mov(mem.qword(rbx, EDIT_PLAN.ceiling), r9);
  a.label("edit_pages.again");
  a.call("plan_round");
  a.lea(r12, mem(rbx, EDIT_PLAN.frames));
  a.label("edit_pages.free");
  a.dec(mem.qword(rbx, EDIT_PLAN.frame_count));
  a.js("edit_pages.freed");
  a.mov(rdi, mem.qword(r12, FRAME_RUN.physical));
  a.mov(rdx, mem.qword(r12, FRAME_RUN.page_count));
  a.add(r12, FRAME_RUN.size);
  a.call("free_run");
  a.jmp("edit_pages.free");
  a.label("edit_pages.freed");
  a.mov(rdx, r14);
  a.mov(rdi, mem.qword(rbx, EDIT_PLAN.next));
  a.cmp(rdi, rsi);
  a.jb("edit_pages.again");
  a.pop(r14);
  a.pop(r12);
  a.pop(rbx);
  a.ret();

  emitPlanRound(a);
}

/**
 * plan_round: one plan, carried out. Its frames are the caller's when it returns: no translation to them is left.
 * Entry: rdi = start, rsi = end, rdx = entry bits, rbx = plan with floor and ceiling.
 * Exit: the plan's `next`, `frame_count` and `frames`. Clobbers rax, rcx, rdx, rdi, r8, r9, r10, r11, RFLAGS.
 */
function emitPlanRound(a: Assembler): void {
  fn(a, "plan_round");
  a.mov(r10, rbx);
  a.mov(r8, global("pool_high"));
  a.mov(r9, r8);
  a.sub(r9, global("pool_low"));
  a.shr(r9, PAGE_SHIFT);
  a.call("plan_edits");
  a.shl(rax, PAGE_SHIFT);
  a.sub(global("pool_high"), rax);
  a.mov(rcx, mem.qword(rbx, EDIT_PLAN.edit_count));
  a.jrcxz("plan_round.written");
  a.lea(r11, mem(rbx, EDIT_PLAN.edits));
  a.label("plan_round.edit");
  a.mov(r8, mem.qword(r11, EDIT.slot));
  a.mov(r9, mem.qword(r11, EDIT.value));
  a.mov(mem.qword(r8), r9);
  a.add(r11, EDIT.size);
  a.dec(rcx);
  a.jnz("plan_round.edit");
  a.label("plan_round.written");
  // No page is global, so this drops every translation, whatever level was edited.
  a.mov(rax, cr3);
  a.mov(cr3, rax);
  a.ret();
}
