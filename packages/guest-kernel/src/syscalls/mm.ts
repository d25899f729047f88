/** mmap(2), munmap(2), brk(2). A call that refuses has changed nothing. */
import {
  type Assembler,
  eax,
  ecx,
  edi,
  mem,
  r9d,
  r10,
  r10d,
  r12,
  r13,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
} from "@kvmkit/x86-asm";
import { LARGE_PAGE_SIZE, MAP, PAGE_SIZE, PROT, USER_MAX, USER_MIN, USER_MMAP_TOP } from "../abi/index.js";
import { PAGE_SHIFT } from "../arch/paging.js";
import { mm } from "../areas.js";
import { fn, roundUpToPage } from "../emit.js";
import { emitErrors, emitSavingSyscall } from "../entry-syscall.js";
import { AREA, MM, TASK, VM_FLAGS } from "../structs.js";

/** Linux's MAP_ bits that become VM_FLAGS. */
const VM_FLAG_OF_MAP = [
  [MAP.MAP_SHARED, VM_FLAGS.SHARED],
  [MAP.MAP_NORESERVE, VM_FLAGS.NORESERVE],
  [MAP.MAP_GROWSDOWN, VM_FLAGS.GROWSDOWN],
] as const;

export function emitSysMmap(a: Assembler): void {
  const out = (label: string) => `sys_mmap.${label}`;
  emitSavingSyscall(a, "mmap", [rbx, r12, r13], ({ task }) => {
    a.mov(rbx, task(TASK.mm));
    a.test(r9d, PAGE_SIZE - 1);
    a.jnz(out("EINVAL"));
    a.test(r10d, MAP.MAP_ANONYMOUS);
    a.jz(out("ENODEV"));
    a.test(rsi, rsi);
    a.jz(out("EINVAL"));
    a.movabs(rax, USER_MAX);
    a.cmp(rsi, rax);
    a.ja(out("ENOMEM"));
    roundUpToPage(a, rsi);
    a.test(r10d, MAP.MAP_HUGETLB);
    a.jnz(out("ENOMEM"));
    // MAP_SHARED or MAP_PRIVATE, and nothing else of the type's four bits.
    a.mov(ecx, r10d);
    a.and(ecx, 0xf);
    a.dec(ecx);
    a.cmp(ecx, MAP.MAP_PRIVATE - 1);
    a.ja(out("EINVAL"));
    // r13 = Linux's flags, r10 = ours.
    a.mov(r13, r10);
    a.mov(r10, rdx);
    a.and(r10d, PROT.PROT_READ | PROT.PROT_WRITE | PROT.PROT_EXEC);
    for (const [map, flag] of VM_FLAG_OF_MAP) {
      a.test(r13, map);
      a.jz(out(`no_${flag}`));
      a.or(r10d, flag);
      a.label(out(`no_${flag}`));
    }
    a.call("check_commit");
    a.jc(out("ENOMEM"));
    a.push(rdi);
    a.call("areas_reserve");
    a.pop(rdi);
    a.jc(out("ENOMEM"));

    a.test(r13, MAP.MAP_FIXED | MAP.MAP_FIXED_NOREPLACE);
    a.jnz(out("fixed"));
    emitUseHint(a, out);
    emitSearch(a, out);
    emitFixed(a, out);

    // rdi = where, rsi = length, rax = index of the area after it.
    a.label(out("place"));
    a.add(rsi, rdi);
    a.call("area_map");
    a.mov(r12, rdi);
    a.test(r13, MAP.MAP_POPULATE | MAP.MAP_LOCKED);
    a.jz(out("placed"));
    a.call("populate_range");
    a.label(out("placed"));
    a.mov(rax, r12);
    a.jmp(out("out"));
    emitErrors(a, "mmap", ["EINVAL", "ENODEV", "ENOMEM", "EPERM", "EEXIST"]);
  });
  emitPopulateRange(a);
}

type Label = (name: string) => string;

/** rdi = the address that the program would like, rsi = length: takes it if it is free. */
function emitUseHint(a: Assembler, out: Label): void {
  a.test(rdi, rdi);
  a.jz(out("search"));
  roundUpToPage(a, rdi);
  a.mov(rax, Number(USER_MIN));
  a.cmp(rdi, rax);
  a.cmovb(rdi, rax);
  a.movabs(rax, USER_MAX);
  a.sub(rax, rsi);
  a.cmp(rdi, rax);
  a.ja(out("search"));
  // What find_gap finds below the hinted end is the hint itself, or it is not free.
  a.mov(r12, rdi);
  a.add(rdi, rsi);
  a.call("find_gap");
  a.jc(out("search"));
  a.cmp(rdi, r12);
  a.je(out("place"));
}

/** rsi = length: the highest room below the last mapping that was found this way, or else the highest of all. */
function emitSearch(a: Assembler, out: Label): void {
  a.label(out("search"));
  a.test(r13, MAP.MAP_32BIT);
  a.jnz(out("low"));
  a.mov(rdi, mm(MM.mmap_hint));
  a.call("find_gap");
  a.jnc(out("found"));
  a.movabs(rdi, USER_MMAP_TOP);
  a.call("find_gap");
  a.jc(out("ENOMEM"));
  a.label(out("found"));
  a.mov(mm(MM.mmap_hint), rdi);
  a.jmp(out("place"));
  a.label(out("low"));
  a.mov(edi, 0x8000_0000);
  a.call("find_gap");
  a.jc(out("ENOMEM"));
  a.jmp(out("place"));
}

/** rdi = address, rsi = length: there and nowhere else. */
function emitFixed(a: Assembler, out: Label): void {
  a.label(out("fixed"));
  a.test(edi, PAGE_SIZE - 1);
  a.jnz(out("EINVAL"));
  a.movabs(rax, USER_MAX);
  a.sub(rax, rsi);
  a.cmp(rdi, rax);
  a.ja(out("ENOMEM"));
  a.cmp(rdi, Number(USER_MIN));
  a.jb(out("EPERM"));
  a.test(r13, MAP.MAP_FIXED_NOREPLACE);
  a.jz(out("replace"));
  a.call("area_find");
  a.cmp(rax, mm(MM.area_count));
  a.jae(out("place"));
  a.lea(rcx, mem(rdi, rsi));
  a.cmp(mem.qword(rdx, AREA.start), rcx);
  a.jb(out("EEXIST"));
  a.jmp(out("place"));
  a.label(out("replace"));
  a.push(r10);
  a.push(rsi);
  a.add(rsi, rdi);
  a.call("unmap_areas");
  a.pop(rsi);
  a.pop(r10);
  a.jc(out("ENOMEM"));
  a.call("area_find");
}

/**
 * populate_range: makes pages present ahead (MAP_POPULATE). Running out of memory is no error (mmap(2)).
 * Entry: rbx = MM, rdi = start, rsi = end, in one area. Clobbers rax, rcx, rdx, rsi, rdi, r8, r9, r10, RFLAGS.
 */
function emitPopulateRange(a: Assembler): void {
  const name = "populate_range";
  fn(a, name);
  a.call("area_find");
  a.mov(r10, mem.qword(rdx, AREA.entry_flags));
  a.test(r10d, 1);
  a.jz(`${name}.out`);
  a.push(r12);
  a.push(r13);
  a.mov(r12, rsi);
  a.mov(r13, r10);
  a.label(`${name}.span`);
  a.mov(rdx, rdi);
  a.or(rdx, LARGE_PAGE_SIZE - 1);
  a.inc(rdx);
  a.cmp(rdx, r12);
  a.cmova(rdx, r12);
  a.push(rdx);
  a.sub(rdx, rdi);
  a.shr(rdx, PAGE_SHIFT);
  a.mov(r10, r13);
  a.call("populate");
  a.pop(rdi);
  a.jc(`${name}.done`);
  a.cmp(rdi, r12);
  a.jb(`${name}.span`);
  a.label(`${name}.done`);
  a.pop(r13);
  a.pop(r12);
  a.label(`${name}.out`);
  a.ret();
}

export function emitSysMunmap(a: Assembler): void {
  emitSavingSyscall(a, "munmap", [rbx], ({ task }) => {
    a.mov(rbx, task(TASK.mm));
    a.test(edi, PAGE_SIZE - 1);
    a.jnz("sys_munmap.EINVAL");
    a.test(rsi, rsi);
    a.jz("sys_munmap.EINVAL");
    a.movabs(rax, USER_MAX);
    a.cmp(rdi, rax);
    a.ja("sys_munmap.EINVAL");
    a.sub(rax, rdi);
    a.cmp(rsi, rax);
    a.ja("sys_munmap.EINVAL");
    roundUpToPage(a, rsi);
    a.add(rsi, rdi);
    a.call("unmap_areas");
    a.jc("sys_munmap.ENOMEM");
    a.xor(eax, eax);
    a.jmp("sys_munmap.out");
    emitErrors(a, "munmap", ["EINVAL", "ENOMEM"]);
  });
}

/** brk(2): the system call returns the break, the old one where it refuses. */
export function emitSysBrk(a: Assembler): void {
  emitSavingSyscall(a, "brk", [rbx, r12], ({ task }) => {
    a.mov(rbx, task(TASK.mm));
    a.mov(r12, mm(MM.brk));
    a.cmp(rdi, mm(MM.start_brk));
    a.jb("sys_brk.done");
    a.movabs(rax, USER_MAX);
    a.cmp(rdi, rax);
    a.ja("sys_brk.done");
    a.push(rdi);
    a.mov(rsi, r12);
    roundUpToPage(a, rsi);
    roundUpToPage(a, rdi);
    a.cmp(rdi, rsi);
    a.je("sys_brk.set");
    a.ja("sys_brk.grow");
    a.call("unmap_areas");
    a.jc("sys_brk.refuse");
    a.jmp("sys_brk.set");

    // rsi = old end, rdi = new end: the range must be free, with a page to spare, as must be the memory.
    a.label("sys_brk.grow");
    a.xchg(rdi, rsi);
    a.mov(r10d, VM_FLAGS.READ | VM_FLAGS.WRITE);
    a.sub(rsi, rdi);
    a.call("check_commit");
    a.jc("sys_brk.refuse");
    a.push(rdi);
    a.call("areas_reserve");
    a.pop(rdi);
    a.jc("sys_brk.refuse");
    a.push(rdi);
    a.lea(rdi, mem(rdi, rsi, 1, PAGE_SIZE));
    a.add(rsi, PAGE_SIZE);
    a.call("find_gap");
    a.pop(rcx);
    a.jc("sys_brk.refuse");
    a.cmp(rdi, rcx);
    a.jne("sys_brk.refuse");
    a.lea(rsi, mem(rdi, rsi, 1, -PAGE_SIZE));
    a.call("area_map");
    a.label("sys_brk.set");
    a.pop(r12);
    a.mov(mm(MM.brk), r12);
    a.label("sys_brk.done");
    a.mov(rax, r12);
    a.jmp("sys_brk.out");
    a.label("sys_brk.refuse");
    a.pop(rdi);
    a.jmp("sys_brk.done");
  });
}
