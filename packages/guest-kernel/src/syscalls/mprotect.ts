/** mprotect(2), and madvise(2), which goes over areas in the same way. A call that refuses has changed nothing. */
import {
  type Assembler,
  eax,
  edi,
  edx,
  mem,
  r8,
  r9,
  r10,
  r10d,
  r12,
  r13,
  r14,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  sym,
} from "@kvmkit/x86-asm";
import { ERRNO, MADV, PAGE_SIZE, PROT } from "../abi/index.js";
import { emitSetPermissions, forgetLastArea, loadArea, mm } from "../areas.js";
import { roundUpToPage } from "../emit.js";
import { emitErrors, emitSavingSyscall } from "../entry-syscall.js";
import { AREA, MM, TASK, VM_FLAGS } from "../structs.js";

type Label = (name: string) => string;

export function emitSysMprotect(a: Assembler): void {
  const out = (label: string) => `sys_mprotect.${label}`;
  const access = PROT.PROT_READ | PROT.PROT_WRITE | PROT.PROT_EXEC;
  emitSavingSyscall(a, "mprotect", [rbx, r12, r13, r14], ({ task }) => {
    a.mov(rbx, task(TASK.mm));
    a.test(edi, PAGE_SIZE - 1);
    a.jnz(out("EINVAL"));
    // No area grows up.
    a.test(edx, ~(access | PROT.PROT_SEM | PROT.PROT_GROWSDOWN));
    a.jnz(out("EINVAL"));
    a.xor(eax, eax);
    a.test(rsi, rsi);
    a.jz(out("out"));
    roundUpToPage(a, rsi);
    a.jz(out("ENOMEM"));
    a.add(rsi, rdi);
    a.jc(out("ENOMEM"));
    a.mov(r14, rdx);
    a.test(r14, PROT.PROT_GROWSDOWN);
    a.jz(out("range"));
    a.call("area_find");
    a.cmp(rax, mm(MM.area_count));
    a.jae(out("ENOMEM"));
    a.test(mem.dword(rdx, AREA.flags), VM_FLAGS.GROWSDOWN);
    a.jz(out("EINVAL"));
    a.mov(rdi, mem.qword(rdx, AREA.start));

    a.label(out("range"));
    a.and(r14, access);
    a.call("area_cover");
    a.jc(out("ENOMEM"));
    a.mov(r12, rax);
    a.mov(r13, rcx);
    emitCommitUpgrade(a, out);
    a.push(rdi);
    a.call("areas_reserve");
    a.pop(rdi);
    a.jc(out("ENOMEM"));
    emitSplitEnds(a, out);
    emitSetProtection(a, out);
    a.xor(eax, eax);
    a.jmp(out("out"));
    emitErrors(a, "mprotect", ["EINVAL", "ENOMEM"]);
  });
}

/** Memory that becomes writable is accounted for, as mmap would have; r12, r13 = first and last area. */
function emitCommitUpgrade(a: Assembler, out: Label): void {
  loadArea(a, rdx, r12);
  a.mov(r10, mem.qword(rdx, AREA.flags));
  a.test(r10d, VM_FLAGS.WRITE);
  a.jnz(out("accounted"));
  a.and(r10, -8);
  a.or(r10, r14);
  a.push(rsi);
  a.sub(rsi, rdi);
  a.call("check_commit");
  a.pop(rsi);
  a.jc(out("ENOMEM"));
  a.label(out("accounted"));
}

/** Makes the borders of areas r12 to r13 those of [rdi, rsi). */
function emitSplitEnds(a: Assembler, out: Label): void {
  loadArea(a, rdx, r12);
  a.cmp(mem.qword(rdx, AREA.start), rdi);
  a.jae(out("head"));
  a.mov(rax, r12);
  a.call("area_split");
  a.mov(r12, rax);
  a.inc(r13);
  a.label(out("head"));
  loadArea(a, rdx, r13);
  a.cmp(mem.qword(rdx, AREA.end), rsi);
  a.jbe(out("tail"));
  a.push(rdi);
  a.mov(rdi, rsi);
  a.mov(rax, r13);
  a.call("area_split");
  a.pop(rdi);
  a.label(out("tail"));
}

/** Gives areas r12 to r13 and the pages of [rdi, rsi) the permissions r14, and joins what then agrees. */
function emitSetProtection(a: Assembler, out: Label): void {
  a.mov(r8, mm(MM.areas));
  a.mov(rcx, r12);
  a.label(out("area"));
  a.mov(rdx, mem.qword(r8, rcx, 8));
  a.and(mem.qword(rdx, AREA.flags), -8);
  a.or(mem.qword(rdx, AREA.flags), r14);
  emitSetPermissions(a, r14);
  a.inc(rcx);
  a.cmp(rcx, r13);
  a.jbe(out("area"));
  forgetLastArea(a);
  // From the last to the one before the first.
  a.label(out("merge"));
  a.mov(rax, r13);
  a.call("area_merge");
  a.dec(r13);
  a.js(out("merged"));
  a.lea(rax, mem(r12, -1));
  a.cmp(r13, rax);
  a.jge(out("merge"));
  a.label(out("merged"));
  a.mov(rdx, mem.qword(sym("entry_flags_of_prot"), r14, 8));
  a.xor(r8, r8);
  a.xor(r9, r9);
  a.call("edit_pages");
}

/** Advice that is known and needs nothing done (madvise(2)). */
const HARMLESS_ADVICE: readonly number[] = [
  MADV.MADV_NORMAL,
  MADV.MADV_RANDOM,
  MADV.MADV_SEQUENTIAL,
  MADV.MADV_WILLNEED,
  MADV.MADV_DONTFORK,
  MADV.MADV_DOFORK,
  MADV.MADV_MERGEABLE,
  MADV.MADV_UNMERGEABLE,
  MADV.MADV_HUGEPAGE,
  MADV.MADV_NOHUGEPAGE,
  MADV.MADV_DONTDUMP,
  MADV.MADV_DODUMP,
  MADV.MADV_COLD,
  MADV.MADV_PAGEOUT,
];
/** Advice that drops the pages; the next touch finds zeros. */
const DROPPING_ADVICE: readonly number[] = [MADV.MADV_DONTNEED, MADV.MADV_FREE];

const bitSet = (numbers: readonly number[]) => numbers.reduce((set, n) => set | (1 << n), 0);

/** madvise(2). As Linux does it: what is mapped of the range is done, and then the holes are an error. */
export function emitSysMadvise(a: Assembler): void {
  const out = (label: string) => `sys_madvise.${label}`;
  emitSavingSyscall(a, "madvise", [rbx, r12, r13, r14], ({ task }) => {
    a.mov(rbx, task(TASK.mm));
    a.cmp(edx, 31);
    a.ja(out("EINVAL"));
    a.mov(eax, bitSet([...HARMLESS_ADVICE, ...DROPPING_ADVICE]));
    a.bt(eax, edx);
    a.jnc(out("EINVAL"));
    a.mov(eax, bitSet(DROPPING_ADVICE));
    a.bt(eax, edx);
    a.sbb(r13, r13);
    a.xor(r14, r14);
    a.test(edi, PAGE_SIZE - 1);
    a.jnz(out("EINVAL"));
    a.test(rsi, rsi);
    a.jz(out("done"));
    roundUpToPage(a, rsi);
    a.jz(out("EINVAL"));
    a.add(rsi, rdi);
    a.jc(out("EINVAL"));
    emitAdviseAreas(a, out);
    a.label(out("done"));
    a.mov(rax, r14);
    a.jmp(out("out"));
    emitErrors(a, "madvise", ["EINVAL"]);
  });
}

/** Each part of [rdi, rsi) that lies in an area, in order; r13 = whether to drop its pages, r14 = result. */
function emitAdviseAreas(a: Assembler, out: Label): void {
  a.mov(r12, rdi);
  a.label(out("area"));
  a.mov(rdi, r12);
  a.call("area_find");
  a.cmp(rax, mm(MM.area_count));
  a.jae(out("hole"));
  a.mov(rdi, mem.qword(rdx, AREA.start));
  a.cmp(rdi, r12);
  a.jbe(out("mapped"));
  a.mov(r14, -ERRNO.ENOMEM);
  a.mov(r12, rdi);
  a.label(out("mapped"));
  a.cmp(r12, rsi);
  a.jae(out("done"));
  a.mov(rdi, r12);
  a.mov(r12, mem.qword(rdx, AREA.end));
  a.cmp(r12, rsi);
  a.cmova(r12, rsi);
  a.test(r13, r13);
  a.jz(out("next"));
  a.push(rsi);
  a.mov(rsi, r12);
  a.xor(edx, edx);
  a.xor(r8, r8);
  a.xor(r9, r9);
  a.call("edit_pages");
  a.pop(rsi);
  a.label(out("next"));
  a.cmp(r12, rsi);
  a.jb(out("area"));
  a.jmp(out("done"));
  a.label(out("hole"));
  a.mov(r14, -ERRNO.ENOMEM);
}
