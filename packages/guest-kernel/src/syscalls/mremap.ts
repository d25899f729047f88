/** mremap(2): shrinks, grows in place, or moves frames to where there is room. */
import {
  type Assembler,
  edi,
  mem,
  r8,
  r8d,
  r10,
  r10d,
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
} from "@kvmkit/x86-asm";
import {
  EDIT_PLAN,
  FRAME_RUN,
  LARGE_PAGE_SIZE,
  MREMAP,
  PAGE_SIZE,
  USER_MAX,
  USER_MIN,
  USER_MMAP_TOP,
} from "../abi/index.js";
import { forgetLastArea, loadArea, mm } from "../areas.js";
import { currentTask, fn, roundUpToPage, taskAt } from "../emit.js";
import { emitErrors, emitSavingSyscall } from "../entry-syscall.js";
import { AREA, CPU, MM, TASK } from "../structs.js";

const out = (label: string) => `sys_mremap.${label}`;

/**
 * Registers of the body: r12 = old address, r13 = old length, r14 = new length (rounded), r15 = index of the area,
 * rbp = new address.
 */
export function emitSysMremap(a: Assembler): void {
  emitSavingSyscall(a, "mremap", [rbx, rbp, r12, r13, r14, r15], ({ task }) => {
    a.mov(rbx, task(TASK.mm));
    emitCheckArguments(a);
    emitFindArea(a);
    a.test(r10d, MREMAP.MREMAP_FIXED);
    a.jnz(out("fixed"));
    emitShrink(a);
    emitGrowInPlace(a);
    emitFindRoom(a);
    emitFixed(a);
    emitMove(a);
    emitErrors(a, "mremap", ["EINVAL", "EFAULT", "ENOMEM"]);
  });
  emitMovePages(a);
}

function emitCheckArguments(a: Assembler): void {
  a.test(r10d, ~(MREMAP.MREMAP_MAYMOVE | MREMAP.MREMAP_FIXED));
  a.jnz(out("EINVAL"));
  // MREMAP_FIXED needs MREMAP_MAYMOVE.
  a.cmp(r10d, MREMAP.MREMAP_FIXED);
  a.je(out("EINVAL"));
  a.test(edi, PAGE_SIZE - 1);
  a.jnz(out("EINVAL"));
  a.movabs(rax, USER_MAX);
  a.cmp(rdx, rax);
  a.ja(out("EINVAL"));
  a.cmp(rsi, rax);
  a.ja(out("EINVAL"));
  a.mov(r12, rdi);
  a.mov(r13, rsi);
  a.mov(r14, rdx);
  roundUpToPage(a, r13);
  // An old length of 0 duplicates a shared mapping, which there are none of.
  a.jz(out("EINVAL"));
  roundUpToPage(a, r14);
  a.jz(out("EINVAL"));
  a.mov(rbp, r8);
}

/** The old range must lie in one area. */
function emitFindArea(a: Assembler): void {
  a.call("area_find");
  a.cmp(rax, mm(MM.area_count));
  a.jae(out("EFAULT"));
  a.cmp(mem.qword(rdx, AREA.start), rdi);
  a.ja(out("EFAULT"));
  a.mov(r15, rax);
  a.lea(rcx, mem(r12, r13));
  a.cmp(mem.qword(rdx, AREA.end), rcx);
  a.jae(out("in_area"));
  // What is beyond the area matters unless it is to go.
  a.cmp(r14, r13);
  a.jae(out("EFAULT"));
  a.label(out("in_area"));
}

function emitShrink(a: Assembler): void {
  a.cmp(r14, r13);
  a.ja(out("grow"));
  a.je(out("same"));
  a.lea(rdi, mem(r12, r14));
  a.lea(rsi, mem(r12, r13));
  a.call("unmap_areas");
  a.jc(out("ENOMEM"));
  a.label(out("same"));
  a.mov(rax, r12);
  a.jmp(out("out"));
}

/** Where the range ends its area and the room above is free. */
function emitGrowInPlace(a: Assembler): void {
  a.label(out("grow"));
  a.push(r10);
  a.mov(r10, mem.qword(rdx, AREA.flags));
  a.mov(rsi, r14);
  a.sub(rsi, r13);
  a.call("check_commit");
  a.pop(r10);
  a.jc(out("ENOMEM"));
  a.lea(rdi, mem(r12, r13));
  a.cmp(mem.qword(rdx, AREA.end), rdi);
  a.jne(out("move"));
  a.add(rdi, rsi);
  a.movabs(rax, USER_MAX);
  a.cmp(rdi, rax);
  a.ja(out("move"));
  a.call("find_gap");
  a.jc(out("move"));
  a.lea(rcx, mem(r12, r13));
  a.cmp(rdi, rcx);
  a.jne(out("move"));
  loadArea(a, rdx, r15);
  a.add(rdi, rsi);
  a.mov(mem.qword(rdx, AREA.end), rdi);
  a.mov(rax, r15);
  a.call("area_merge");
  forgetLastArea(a);
  a.jmp(out("same"));
}

function emitFindRoom(a: Assembler): void {
  a.label(out("move"));
  a.test(r10d, MREMAP.MREMAP_MAYMOVE);
  a.jz(out("ENOMEM"));
  a.mov(rsi, r14);
  a.mov(rdi, mm(MM.mmap_hint));
  a.call("find_gap");
  a.jnc(out("room"));
  a.movabs(rdi, USER_MMAP_TOP);
  a.call("find_gap");
  a.jc(out("ENOMEM"));
  a.label(out("room"));
  a.mov(mm(MM.mmap_hint), rdi);
  a.mov(rbp, rdi);
  a.jmp(out("to"));
}

/** MREMAP_FIXED: what lies at the new address gives way, and what the old range has too much. */
function emitFixed(a: Assembler): void {
  a.label(out("fixed"));
  a.test(r8d, PAGE_SIZE - 1);
  a.jnz(out("EINVAL"));
  a.cmp(rbp, Number(USER_MIN));
  a.jb(out("EINVAL"));
  a.movabs(rax, USER_MAX);
  a.sub(rax, r14);
  a.cmp(rbp, rax);
  a.ja(out("EINVAL"));
  // The ranges must not overlap: new < old end and old < new end.
  a.lea(rcx, mem(r12, r13));
  a.cmp(rbp, rcx);
  a.jae(out("apart"));
  a.lea(rcx, mem(rbp, r14));
  a.cmp(r12, rcx);
  a.jb(out("EINVAL"));
  a.label(out("apart"));
  a.mov(rdi, rbp);
  a.lea(rsi, mem(rbp, r14));
  a.call("unmap_areas");
  a.jc(out("ENOMEM"));
  a.cmp(r14, r13);
  a.jae(out("to"));
  a.lea(rdi, mem(r12, r14));
  a.lea(rsi, mem(r12, r13));
  a.call("unmap_areas");
  a.jc(out("ENOMEM"));
  a.mov(r13, r14);
}

/** Tables where the frames go, the new area, the frames, then what is left of the old area. */
function emitMove(a: Assembler): void {
  a.label(out("to"));
  a.call("areas_reserve");
  a.jc(out("ENOMEM"));
  a.mov(rdi, rbp);
  a.lea(rsi, mem(rbp, r13));
  a.label(out("table"));
  a.call("link_tables");
  a.jc(out("ENOMEM"));
  a.or(rdi, LARGE_PAGE_SIZE - 1);
  a.inc(rdi);
  a.cmp(rdi, rsi);
  a.jb(out("table"));

  a.mov(rdi, r12);
  a.call("area_find");
  a.mov(r10, mem.qword(rdx, AREA.flags));
  a.mov(r15, mem.qword(rdx, AREA.entry_flags));
  a.mov(rdi, rbp);
  a.call("area_find");
  a.lea(rsi, mem(rbp, r14));
  a.call("area_map");
  a.mov(r10, r15);
  a.call("move_pages");
  a.mov(rdi, r12);
  a.lea(rsi, mem(r12, r13));
  a.call("unmap_areas");
  a.mov(rax, rbp);
  a.jmp(out("out"));
}

/**
 * move_pages: unmaps a range, and maps its frames elsewhere.
 * Entry: r12 = old Gva, r13 = length, rbp = new Gva, r10 = entry bits. Tables were reserved.
 * Clobbers rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, r14, r15, RFLAGS.
 */
function emitMovePages(a: Assembler): void {
  const name = "move_pages";
  fn(a, name);
  a.push(rbx);
  a.mov(r15, r10);
  currentTask(a, rbx);
  a.mov(rbx, taskAt(rbx, TASK.cpu));
  a.mov(rbx, mem.qword(rbx, CPU.edit_plan));
  a.xor(rdx, rdx);
  a.mov(mem.qword(rbx, EDIT_PLAN.floor), rdx);
  a.mov(mem.qword(rbx, EDIT_PLAN.ceiling), rdx);
  a.mov(rdi, r12);
  a.label(`${name}.again`);
  a.lea(rsi, mem(r12, r13));
  a.xor(rdx, rdx);
  a.call("plan_round");
  a.lea(r14, mem(rbx, EDIT_PLAN.frames));
  a.label(`${name}.run`);
  a.dec(mem.qword(rbx, EDIT_PLAN.frame_count));
  a.js(`${name}.moved`);
  a.mov(rdi, mem.qword(r14, FRAME_RUN.address));
  a.mov(rsi, mem.qword(r14, FRAME_RUN.physical));
  a.mov(rdx, mem.qword(r14, FRAME_RUN.page_count));
  a.add(r14, FRAME_RUN.size);
  a.test(rdi, rdi);
  a.jz(`${name}.table`);
  a.sub(rdi, r12);
  a.add(rdi, rbp);
  a.mov(r10, r15);
  a.call("map_frames");
  a.jmp(`${name}.run`);
  a.label(`${name}.table`);
  a.mov(rdi, rsi);
  a.call("free_run");
  a.jmp(`${name}.run`);
  a.label(`${name}.moved`);
  a.mov(rdi, mem.qword(rbx, EDIT_PLAN.next));
  a.lea(rcx, mem(r12, r13));
  a.cmp(rdi, rcx);
  a.jb(`${name}.again`);
  a.pop(rbx);
  a.ret();
}
