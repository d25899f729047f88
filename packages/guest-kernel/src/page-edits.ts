/**
 * Changing and taking away pages that are present: munmap, mprotect, madvise, mremap.
 *
 * A plan says which entries to write and which frames are free afterwards. The host makes it, with fresh tables where
 * one write that swaps a table is cheaper than many; or plan_edits_here does, and writes at once. Then every
 * translation is dropped, and only then the frames are anybody's again.
 *
 * Source: SDM Vol. 3A, "Invalidation of TLBs and Paging-Structure Caches".
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
  rax,
  rbp,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
} from "@kvmkit/x86-asm";
import { EDIT, EDIT_PLAN, EDIT_PLAN_MAX_FRAMES, FRAME_RUN, LARGE_PAGE_SIZE, PAGE_SIZE } from "./abi/index.js";
import { LEVEL_BITS, LEVEL_SHIFTS, PAGE_SHIFT } from "./arch/paging.js";
import { currentTask, fn, global, popAll, pushAll, taskAt } from "./emit.js";
import { emitWalkConstants, SAVED_BY_SERVICES } from "./page-tables.js";
import { CPU, TASK } from "./structs.js";

const [TOP_SHIFT, , PD_SHIFT] = LEVEL_SHIFTS;

export function emitPageEdits(a: Assembler): void {
  emitEditPages(a);
  emitPlanRound(a);
  emitPlanEditsHere(a);
  emitDropTables(a);
  emitRecordFrame(a);
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

/**
 * plan_edits_here: as the hypercall plan_edits, but the entries are written at once, so that the plan has frames
 * and no edits. Registers within: rbx = plan, rbp = frames in it, r14 = the new entry's flags, rdi = how far it is.
 */
function emitPlanEditsHere(a: Assembler): void {
  const name = "plan_edits_here";
  fn(a, name);
  pushAll(a, SAVED_BY_SERVICES);
  emitWalkConstants(a);
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
  emitEditTable(a, name);

  a.label(`${name}.span_end`);
  a.test(r14, r14);
  a.jnz(`${name}.span`);
  a.call("drop_tables");
  a.jnc(`${name}.span`);
  // The plan is full: the last page once more, to come by here again.
  a.sub(rdi, PAGE_SIZE);

  a.label(`${name}.out`);
  a.mov(mem.qword(rbx, EDIT_PLAN.next), rdi);
  a.mov(mem.qword(rbx, EDIT_PLAN.frame_count), rbp);
  a.xor(eax, eax);
  popAll(a, SAVED_BY_SERVICES);
  a.ret();

  // Nothing is mapped up to the end of what the entry covers that lacks a table.
  a.label(`${name}.absent`);
  a.shr(rdi, cl);
  a.inc(rdi);
  a.shl(rdi, cl);
  a.cmp(rdi, rsi);
  a.cmova(rdi, rsi);
  a.jmp(`${name}.span_end`);
}

/** The entries of one page table from the one at rax on, up to the table's end or the range's. */
function emitEditTable(a: Assembler, name: string): void {
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
