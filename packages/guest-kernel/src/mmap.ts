/**
 * Changes of an address space that several system calls share: taking a range away, finding room for one, and the
 * question whether there may be that much memory. In all functions here rbx = Gva of the MM.
 */
import { type Assembler, ecx, mem, r8, r9, r10, r12, rax, rcx, rdi, rdx, rsi } from "@kvmkit/x86-asm";
import { USER_MIN, USER_MMAP_TOP } from "./abi/index.js";
import { permittedFaults, userEntryFlags } from "./arch/paging.js";
import { loadArea, mm } from "./areas.js";
import { fn, global, SECTION } from "./emit.js";
import { AREA, MM, STACK_GUARD_GAP, VM_FLAGS } from "./structs.js";

/** End of the user half, as the ceiling of an address space's last area. */
const USER_HALF_END = 1n << 47n;

export function emitMmap(a: Assembler): void {
  a.section(SECTION.rodata);
  a.align(8);
  a.label("entry_flags_of_prot");
  for (let prot = 0; prot < 8; prot++) a.dq(userEntryFlags(prot));
  a.label("permitted_faults_of_prot");
  for (let prot = 0; prot < 8; prot++) a.dq(permittedFaults(prot));
  emitUnmapAreas(a);
  emitFindGap(a);
  emitCheckCommit(a);
}

/**
 * unmap_areas: takes a range away: its pages, the areas inside it, and the parts inside it of areas that cross its
 * borders. Entry: rdi = start, rsi = end (Gva, page aligned, start < end).
 * Exit: CF = 1: nothing was changed, because cutting a hole into an area makes two, and there is no memory for the
 * second. Clobbers rax, rcx, rdx, r8, r9, r10, r11, RFLAGS.
 */
function emitUnmapAreas(a: Assembler): void {
  fn(a, "unmap_areas");
  a.push(r12);
  a.call("area_find");
  a.cmp(rax, mm(MM.area_count));
  a.jae("unmap_areas.done");
  a.mov(rcx, mem.qword(rdx, AREA.start));
  a.cmp(rcx, rsi);
  a.jae("unmap_areas.done");
  a.mov(r12, rax);
  a.cmp(rcx, rdi);
  a.jae("unmap_areas.inside");
  emitCutFirst(a);
  emitRemoveInside(a);
  emitRaiseHint(a);
  a.call("unmapped_around");
  a.push(rdi);
  a.xor(rdx, rdx);
  a.call("edit_pages");
  a.pop(rdi);
  a.label("unmap_areas.done");
  a.pop(r12);
  a.clc();
  a.ret();
  a.label("unmap_areas.refuse");
  a.pop(rdi);
  a.pop(r12);
  a.ret();
  emitUnmappedAround(a);
}

/** Area r12 (rdx) begins before the range: it ends there. If it went on after the range, that part is a new area. */
function emitCutFirst(a: Assembler): void {
  a.cmp(mem.qword(rdx, AREA.end), rsi);
  a.jbe("unmap_areas.cut");
  a.push(rdi);
  a.call("areas_reserve");
  a.jc("unmap_areas.refuse");
  a.mov(rdi, rsi);
  loadArea(a, rdx, r12);
  a.mov(rax, r12);
  a.call("area_split");
  a.pop(rdi);
  loadArea(a, rdx, r12);
  a.label("unmap_areas.cut");
  a.mov(mem.qword(rdx, AREA.end), rdi);
  a.inc(r12);
}

/** Removes the areas from r12 on that end in the range, and takes from the next what lies in it. */
function emitRemoveInside(a: Assembler): void {
  a.label("unmap_areas.inside");
  a.xor(ecx, ecx);
  a.mov(r8, mm(MM.areas));
  a.label("unmap_areas.next");
  a.lea(r9, mem(r12, rcx));
  a.cmp(r9, mm(MM.area_count));
  a.jae("unmap_areas.remove");
  a.mov(rdx, mem.qword(r8, r9, 8));
  a.cmp(mem.qword(rdx, AREA.end), rsi);
  a.ja("unmap_areas.last");
  a.inc(rcx);
  a.jmp("unmap_areas.next");
  a.label("unmap_areas.last");
  a.cmp(mem.qword(rdx, AREA.start), rsi);
  a.jae("unmap_areas.remove");
  a.mov(mem.qword(rdx, AREA.start), rsi);
  a.label("unmap_areas.remove");
  a.mov(rax, r12);
  a.call("areas_remove");
}

/** The next search for room begins at the range's end, if it would have begun below. */
function emitRaiseHint(a: Assembler): void {
  a.movabs(rax, USER_MMAP_TOP);
  a.cmp(rsi, rax);
  a.cmovb(rax, rsi);
  a.cmp(mm(MM.mmap_hint), rax);
  a.jae("unmap_areas.hinted");
  a.mov(mm(MM.mmap_hint), rax);
  a.label("unmap_areas.hinted");
}

/**
 * unmapped_around: the limits between which no area lies, around the place before area number r12.
 * Exit: r8 = end of the area before, or 0; r9 = start of area r12, or the end of the user half. Clobbers RFLAGS.
 */
function emitUnmappedAround(a: Assembler): void {
  fn(a, "unmapped_around");
  a.mov(r8, r12);
  a.dec(r8);
  a.js("unmapped_around.bottom");
  loadArea(a, r8, r8);
  a.mov(r8, mem.qword(r8, AREA.end));
  a.jmp("unmapped_around.above");
  a.label("unmapped_around.bottom");
  a.inc(r8);
  a.label("unmapped_around.above");
  a.movabs(r9, USER_HALF_END);
  a.cmp(r12, mm(MM.area_count));
  a.jae("unmapped_around.out");
  loadArea(a, r9, r12);
  a.mov(r9, mem.qword(r9, AREA.start));
  a.label("unmapped_around.out");
  a.ret();
}

/**
 * find_gap: room for a mapping, as high as possible below a limit.
 * Entry: rdi = Gva, the limit; rsi = length in bytes.
 * Exit: rdi = Gva, rax = index of the area after it; CF = 1 if there is no room. Clobbers rcx, rdx, r8, r9, RFLAGS.
 */
function emitFindGap(a: Assembler): void {
  const name = "find_gap";
  fn(a, name);
  a.call("area_find");
  a.mov(r8, mm(MM.areas));
  a.cmp(rax, mm(MM.area_count));
  a.jae(`${name}.below`);
  // rdx = the area that bounds from above: rdi = the lower of the limit and its start, less a stack's guard gap.
  a.label(`${name}.above`);
  a.mov(rcx, mem.qword(rdx, AREA.start));
  a.test(mem.dword(rdx, AREA.flags), VM_FLAGS.GROWSDOWN);
  a.jz(`${name}.bound`);
  a.sub(rcx, STACK_GUARD_GAP);
  a.label(`${name}.bound`);
  a.cmp(rcx, rdi);
  a.cmovl(rdi, rcx);
  a.label(`${name}.below`);
  a.mov(r9, rdi);
  a.sub(r9, rsi);
  a.mov(rcx, Number(USER_MIN));
  a.sub(rax, 1);
  a.jc(`${name}.compare`);
  a.mov(rdx, mem.qword(r8, rax, 8));
  a.mov(rcx, mem.qword(rdx, AREA.end));
  a.label(`${name}.compare`);
  a.cmp(r9, rcx);
  a.jge(`${name}.found`);
  a.test(rax, rax);
  a.jns(`${name}.above`);
  a.stc();
  a.ret();
  a.label(`${name}.found`);
  a.mov(rdi, r9);
  a.add(rax, 1);
  a.clc();
  a.ret();
}

/**
 * check_commit: whether a private writable mapping asks for more than all memory there is; less is granted, and
 * found out by touching it, as where vm.overcommit_memory is 0 (proc(5)).
 * Entry: rsi = length in bytes, r10 = VM_FLAGS. Exit: CF = 1 if it does. Clobbers rax, RFLAGS.
 */
function emitCheckCommit(a: Assembler): void {
  const accounted = VM_FLAGS.WRITE | VM_FLAGS.SHARED | VM_FLAGS.NORESERVE;
  fn(a, "check_commit");
  a.mov(rax, r10);
  a.and(rax, accounted);
  a.cmp(rax, VM_FLAGS.WRITE);
  a.jne("check_commit.granted");
  a.cmp(global("total_memory"), rsi);
  a.ret();
  a.label("check_commit.granted");
  a.clc();
  a.ret();
}
