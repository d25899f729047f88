/**
 * The areas of an address space: an array of pointers to AREA records, ascending, in memory of its own. A search
 * is a binary one; inserting and removing move pointers (8 bytes an area), not records.
 *
 * In all functions here rbx = Gva of the MM. An index may be the area count: "after the last".
 */
import {
  type Assembler,
  eax,
  ecx,
  type Memory,
  mem,
  r8,
  r9,
  r10,
  r10d,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  sym,
} from "@kvmkit/x86-asm";
import { DIRECT_MAP_BASE } from "./abi/index.js";
import { PAGE_SHIFT } from "./arch/paging.js";
import { fn, global, type Register64, SECTION } from "./emit.js";
import { emitSlab } from "./slab.js";
import { AREA, MAX_AREA_COUNT, MM } from "./structs.js";

/** A field of the MM in rbx. */
export function mm(field: number): Memory<64> {
  return mem.qword(rbx, field);
}

/** `into` = Gva of area number `index`. Both may be the same register. */
export function loadArea(a: Assembler, into: Register64, index: Register64): void {
  if (into === index) {
    a.shl(into, 3);
    a.add(into, mm(MM.areas));
    a.mov(into, mem.qword(into));
  } else {
    a.mov(into, mm(MM.areas));
    a.mov(into, mem.qword(into, index, 8));
  }
}

export function emitAreas(a: Assembler): void {
  emitSlab(a, { name: "area_cache", objectSize: AREA.size });
  // What MM.last_area refers to when it refers to no area: nothing lies in it.
  a.section(SECTION.rodata);
  a.align(8);
  a.label("no_area");
  a.zero(AREA.size);
  emitFind(a);
  emitReserve(a);
  emitInsert(a);
  emitRemove(a);
  emitSplit(a);
  emitMerge(a);
  emitMap(a);
  emitCover(a);
}

/** Forgets the area that the last fault found: it may move or go. */
export function forgetLastArea(a: Assembler): void {
  a.mov(mm(MM.last_area), sym("no_area"));
}

/**
 * area_find: the first area that ends after an address.
 * Entry: rdi = Gva. Exit: rax = its index; rdx = Gva of the area, if the index is below the count.
 * Clobbers rcx, r8, r9, RFLAGS.
 */
function emitFind(a: Assembler): void {
  fn(a, "area_find");
  a.xor(eax, eax);
  a.mov(rcx, mm(MM.area_count));
  a.mov(r8, mm(MM.areas));
  a.cmp(rax, rcx);
  a.jae("area_find.done");
  a.label("area_find.halve");
  a.lea(r9, mem(rax, rcx));
  a.shr(r9, 1);
  a.mov(rdx, mem.qword(r8, r9, 8));
  a.cmp(mem.qword(rdx, AREA.end), rdi);
  a.ja("area_find.left");
  a.lea(rax, mem(r9, 1));
  a.cmp(rax, rcx);
  a.jb("area_find.halve");
  a.mov(rdx, mem.qword(r8, rax, 8));
  a.ret();
  a.label("area_find.left");
  a.mov(rcx, r9);
  a.cmp(rax, rcx);
  a.jb("area_find.halve");
  a.label("area_find.done");
  a.ret();
}

/**
 * areas_reserve: makes sure that three areas can be added.
 * Exit: CF = 1 if not (the limit of vm.max_map_count, or no memory). Clobbers rax, rcx, rdx, rdi, r8, r9, RFLAGS.
 */
function emitReserve(a: Assembler): void {
  const name = "areas_reserve";
  fn(a, name);
  a.mov(rcx, mm(MM.area_count));
  a.cmp(rcx, MAX_AREA_COUNT);
  a.ja(`${name}.refuse`);
  a.add(rcx, 3);
  a.cmp(rcx, mm(MM.area_capacity));
  a.ja(`${name}.grow`);
  a.label(`${name}.objects`);
  a.mov(ecx, 3);
  a.jmp("area_cache_reserve");

  // Twice the array, from the pool in one run; the old one becomes a free run.
  a.label(`${name}.grow`);
  a.mov(rcx, mm(MM.area_capacity));
  a.shl(rcx, 4);
  a.mov(rdx, global("pool_high"));
  a.sub(rdx, rcx);
  a.cmp(rdx, global("pool_low"));
  a.jl(`${name}.refuse`);
  a.mov(global("pool_high"), rdx);
  a.movabs(rdi, DIRECT_MAP_BASE);
  a.mov(r8, rdi);
  a.add(rdi, rdx);
  a.push(rsi);
  a.mov(rsi, mm(MM.areas));
  a.mov(mm(MM.areas), rdi);
  a.mov(r9, rsi);
  a.mov(rcx, mm(MM.area_count));
  a.rep.movsq();
  a.pop(rsi);
  a.mov(rdi, r9);
  a.sub(rdi, r8);
  a.mov(rdx, mm(MM.area_capacity));
  a.shl(mm(MM.area_capacity), 1);
  a.shr(rdx, PAGE_SHIFT - 3);
  a.call("free_run");
  a.jmp(`${name}.objects`);
  a.label(`${name}.refuse`);
  a.stc();
  a.ret();
}

/**
 * area_insert: puts an area into the array. Room was reserved.
 * Entry: rax = index, rdx = Gva of the area. Clobbers rcx, RFLAGS.
 */
function emitInsert(a: Assembler): void {
  fn(a, "area_insert");
  a.push(rdi);
  a.push(rsi);
  a.mov(rcx, mm(MM.area_count));
  a.mov(rdi, mm(MM.areas));
  a.lea(rdi, mem(rdi, rcx, 8));
  a.inc(mm(MM.area_count));
  a.sub(rcx, rax);
  a.jz("area_insert.store");
  a.lea(rsi, mem(rdi, -8));
  a.std();
  a.rep.movsq();
  a.cld();
  a.label("area_insert.store");
  a.mov(mem.qword(rdi), rdx);
  a.pop(rsi);
  a.pop(rdi);
  forgetLastArea(a);
  a.ret();
}

/**
 * areas_remove: takes areas out of the array and frees their records.
 * Entry: rax = index of the first, rcx = how many. Clobbers rcx, rdx, r8, RFLAGS.
 */
function emitRemove(a: Assembler): void {
  const name = "areas_remove";
  fn(a, name);
  a.jrcxz(`${name}.none`);
  a.push(rax);
  a.push(rdi);
  a.push(rsi);
  a.mov(rdi, mm(MM.areas));
  a.lea(rdi, mem(rdi, rax, 8));
  a.mov(rsi, rdi);
  a.sub(mm(MM.area_count), rcx);
  a.mov(r8, mm(MM.area_count));
  a.sub(r8, rax);
  a.label(`${name}.free`);
  a.mov(rdx, mem.qword(rsi));
  a.add(rsi, 8);
  a.call("area_cache_free");
  a.dec(rcx);
  a.jnz(`${name}.free`);
  a.mov(rcx, r8);
  a.rep.movsq();
  a.pop(rsi);
  a.pop(rdi);
  a.pop(rax);
  a.label(`${name}.none`);
  forgetLastArea(a);
  a.ret();
}

/**
 * area_split: makes two areas of one. Room was reserved.
 * Entry: rax = index, rdx = Gva of the area, rdi = Gva where the second begins, inside it.
 * Exit: rax = index of the second. Clobbers rcx, rdx, r8, RFLAGS.
 */
function emitSplit(a: Assembler): void {
  fn(a, "area_split");
  a.push(rax);
  a.call("area_cache_alloc");
  for (const field of [
    AREA.flags,
    AREA.entry_flags,
    AREA.permitted_faults,
    AREA.window,
    AREA.next_fault,
    AREA.end,
  ]) {
    a.mov(rcx, mem.qword(rdx, field));
    a.mov(mem.qword(rax, field), rcx);
  }
  a.mov(mem.qword(rdx, AREA.end), rdi);
  a.mov(mem.qword(rax, AREA.start), rdi);
  a.mov(rdx, rax);
  a.pop(rax);
  a.inc(rax);
  a.jmp("area_insert");
}

/**
 * area_merge: joins an area with the one after it, where they touch and agree in their flags.
 * Entry: rax = index of the first. Clobbers rcx, rdx, r8, r9, RFLAGS.
 */
function emitMerge(a: Assembler): void {
  fn(a, "area_merge");
  a.lea(rcx, mem(rax, 1));
  a.cmp(rcx, mm(MM.area_count));
  a.jae("area_merge.no");
  a.mov(r8, mm(MM.areas));
  a.mov(r9, mem.qword(r8, rax, 8));
  a.mov(rdx, mem.qword(r8, rcx, 8));
  a.mov(rcx, mem.qword(r9, AREA.end));
  a.cmp(rcx, mem.qword(rdx, AREA.start));
  a.jne("area_merge.no");
  a.mov(rcx, mem.qword(r9, AREA.flags));
  a.cmp(rcx, mem.qword(rdx, AREA.flags));
  a.jne("area_merge.no");
  a.mov(rcx, mem.qword(rdx, AREA.end));
  a.mov(mem.qword(r9, AREA.end), rcx);
  a.inc(rax);
  a.mov(ecx, 1);
  a.call("areas_remove");
  a.dec(rax);
  a.label("area_merge.no");
  a.ret();
}

/**
 * area_map: adds a range where none is: to a neighbour that it touches and agrees with, else as an area of its own, for
 * which room was reserved.
 * Entry: rdi = start, rsi = end, r10 = VM_FLAGS, rax = index of the area after it. Clobbers rax, rcx, rdx, r8, r9,
 * RFLAGS.
 */
function emitMap(a: Assembler): void {
  fn(a, "area_map");
  a.mov(r8, mm(MM.areas));
  a.cmp(rax, mm(MM.area_count));
  a.jae("area_map.before");
  a.mov(rdx, mem.qword(r8, rax, 8));
  a.cmp(mem.qword(rdx, AREA.start), rsi);
  a.jne("area_map.before");
  a.cmp(mem.qword(rdx, AREA.flags), r10);
  a.jne("area_map.before");
  a.mov(mem.qword(rdx, AREA.start), rdi);
  a.sub(rax, 1);
  a.jnc("area_merge");
  a.ret();

  a.label("area_map.before");
  a.test(rax, rax);
  a.jz("area_map.new");
  a.mov(rdx, mem.qword(r8, rax, 8, -8));
  a.cmp(mem.qword(rdx, AREA.end), rdi);
  a.jne("area_map.new");
  a.cmp(mem.qword(rdx, AREA.flags), r10);
  a.jne("area_map.new");
  a.mov(mem.qword(rdx, AREA.end), rsi);
  a.ret();

  a.label("area_map.new");
  a.push(rax);
  a.call("area_cache_alloc");
  a.mov(rdx, rax);
  a.pop(rax);
  a.mov(mem.qword(rdx, AREA.start), rdi);
  a.mov(mem.qword(rdx, AREA.end), rsi);
  a.mov(mem.qword(rdx, AREA.flags), r10);
  a.mov(mem.qword(rdx, AREA.next_fault), 0);
  a.mov(ecx, r10d);
  a.and(ecx, 7);
  emitSetPermissions(a, rcx);
  a.jmp("area_insert");
}

/** Writes into the area in rdx what follows from its permissions `prot`. Clobbers r9. */
export function emitSetPermissions(a: Assembler, prot: Register64): void {
  a.mov(r9, mem.qword(sym("entry_flags_of_prot"), prot, 8));
  a.mov(mem.qword(rdx, AREA.entry_flags), r9);
  a.mov(r9, mem.qword(sym("permitted_faults_of_prot"), prot, 8));
  a.mov(mem.qword(rdx, AREA.permitted_faults), r9);
}

/**
 * area_cover: whether every page of a range lies in an area.
 * Entry: rdi = start, rsi = end. Exit: CF = 0: rax = index of the first area, rcx of the last, rdx = Gva of the last.
 * CF = 1: there is a hole. Clobbers rax, rcx, rdx, r8, r9, RFLAGS.
 */
function emitCover(a: Assembler): void {
  fn(a, "area_cover");
  a.call("area_find");
  a.cmp(rax, mm(MM.area_count));
  a.jae("area_cover.hole");
  a.cmp(rdi, mem.qword(rdx, AREA.start));
  a.jb("area_cover.hole");
  a.mov(rcx, rax);
  a.mov(r8, mm(MM.areas));
  a.label("area_cover.next");
  a.mov(r9, mem.qword(rdx, AREA.end));
  a.cmp(r9, rsi);
  a.jae("area_cover.covered");
  a.inc(rcx);
  a.cmp(rcx, mm(MM.area_count));
  a.jae("area_cover.hole");
  a.mov(rdx, mem.qword(r8, rcx, 8));
  a.cmp(r9, mem.qword(rdx, AREA.start));
  a.je("area_cover.next");
  a.label("area_cover.hole");
  a.stc();
  a.ret();
  a.label("area_cover.covered");
  a.clc();
  a.ret();
}
