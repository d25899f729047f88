/** prlimit64(2), getrlimit(2). The stack's limit is obeyed by page_fault; the others are kept and returned. */
import {
  type Assembler,
  eax,
  edi,
  edx,
  esi,
  mem,
  r8,
  r10,
  r12,
  r13,
  r14,
  rax,
  rdi,
  rdx,
  rsi,
  rsp,
} from "@kvmkit/x86-asm";
import { emitErrors, emitSavingSyscall } from "../entry-syscall.js";
import { RLIMIT_COUNT, TASK } from "../structs.js";

/** struct rlimit: soft and hard limit. */
const RLIMIT_SIZE = 16;

/** `r12` = Gva of the limit whose number is in esi. */
function loadLimit(a: Assembler, out: (label: string) => string): void {
  a.cmp(esi, RLIMIT_COUNT);
  a.jae(out("EINVAL"));
  a.mov(esi, esi);
  a.shl(rsi, 4);
  a.add(r12, rsi);
}

export function emitSysGetrlimit(a: Assembler): void {
  const out = (label: string) => `sys_getrlimit.${label}`;
  emitSavingSyscall(a, "getrlimit", [r12], ({ task }) => {
    a.mov(r12, task(TASK.rlimits));
    a.xchg(rdi, rsi);
    loadLimit(a, out);
    a.mov(rsi, r12);
    a.mov(edx, RLIMIT_SIZE);
    a.call("copy_to_user");
    a.test(rax, rax);
    a.jz(out("out"));
    emitErrors(a, "getrlimit", ["EFAULT", "EINVAL"]);
  });
}

export function emitSysPrlimit64(a: Assembler): void {
  const out = (label: string) => `sys_prlimit64.${label}`;
  emitSavingSyscall(a, "prlimit64", [r12, r13, r14], ({ task }) => {
    a.mov(r12, task(TASK.rlimits));
    a.mov(rax, task(TASK.tgid));
    a.test(edi, edi);
    a.jz(out("self"));
    a.cmp(eax, edi);
    a.jne(out("ESRCH"));
    a.label(out("self"));
    loadLimit(a, out);
    a.mov(r13, rdx);
    a.mov(r14, r10);
    a.sub(rsp, RLIMIT_SIZE);
    a.test(r13, r13);
    a.jz(out("old"));
    a.mov(rdi, rsp);
    a.mov(rsi, r13);
    a.mov(edx, RLIMIT_SIZE);
    a.call("copy_from_user");
    a.test(rax, rax);
    a.jnz(out("bad_pointer"));
    a.mov(r8, mem.qword(rsp));
    a.cmp(r8, mem.qword(rsp, 8));
    a.ja(out("bad_limit"));
    a.label(out("old"));
    a.test(r14, r14);
    a.jz(out("new"));
    a.mov(rdi, r14);
    a.mov(rsi, r12);
    a.mov(edx, RLIMIT_SIZE);
    a.call("copy_to_user");
    a.test(rax, rax);
    a.jnz(out("bad_pointer"));
    a.label(out("new"));
    a.pop(r8);
    a.pop(rdx);
    a.xor(eax, eax);
    a.test(r13, r13);
    a.jz(out("out"));
    a.mov(mem.qword(r12), r8);
    a.mov(mem.qword(r12, 8), rdx);
    a.jmp(out("out"));
    a.label(out("bad_pointer"));
    a.add(rsp, RLIMIT_SIZE);
    a.jmp(out("EFAULT"));
    a.label(out("bad_limit"));
    a.add(rsp, RLIMIT_SIZE);
    emitErrors(a, "prlimit64", ["EINVAL", "EFAULT", "ESRCH"]);
  });
}
