/** Calls about the process itself: getpid(2), arch_prctl(2), prctl(2), uname(2), futex(2) and their kin. */
import {
  type Assembler,
  eax,
  ecx,
  edi,
  edx,
  esi,
  mem,
  r12,
  rax,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
  sym,
} from "@kvmkit/x86-asm";
import { ERRNO, USER_MAX } from "../abi/index.js";
import { MSR } from "../arch/msr.js";
import { fn, SECTION, taskField } from "../emit.js";
import { emitErrors, emitSavingSyscall, emitSysret } from "../entry-syscall.js";
import { TASK } from "../structs.js";

/** The shortest call there is: from the fault to SYSRET in eight instructions. */
export function emitSysGetpid(a: Assembler): void {
  fn(a, "sys_getpid");
  a.mov(rax, taskField(TASK.tgid, 0));
  emitSysret(a);
}

export function emitSysGettid(a: Assembler): void {
  fn(a, "sys_gettid");
  a.mov(rax, taskField(TASK.tid, 0));
  emitSysret(a);
}

export function emitSysSetTidAddress(a: Assembler): void {
  fn(a, "sys_set_tid_address");
  a.mov(taskField(TASK.clear_child_tid, 0), rdi);
  a.mov(rax, taskField(TASK.tid, 0));
  emitSysret(a);
}

/** sizeof(struct robust_list_head). */
const ROBUST_LIST_HEAD_SIZE = 24;

export function emitSysSetRobustList(a: Assembler): void {
  fn(a, "sys_set_robust_list");
  a.mov(rax, -ERRNO.EINVAL);
  a.cmp(rsi, ROBUST_LIST_HEAD_SIZE);
  a.jne("sys_set_robust_list.return");
  a.mov(taskField(TASK.robust_list, 0), rdi);
  a.xor(eax, eax);
  a.label("sys_set_robust_list.return");
  emitSysret(a);
}

const ARCH = { SET_GS: 0x1001, SET_FS: 0x1002, GET_FS: 0x1003, GET_GS: 0x1004 } as const;

/** GS.base is the program's while the kernel runs: only the arrival of `syscall` swaps it, for two instructions. */
export function emitSysArchPrctl(a: Assembler): void {
  const out = (label: string) => `sys_arch_prctl.${label}`;
  emitSavingSyscall(a, "arch_prctl", [], () => {
    a.mov(ecx, MSR.IA32_FS_BASE);
    a.cmp(edi, ARCH.SET_FS);
    a.je(out("set"));
    a.cmp(edi, ARCH.GET_FS);
    a.je(out("get"));
    a.mov(ecx, MSR.IA32_GS_BASE);
    a.cmp(edi, ARCH.GET_GS);
    a.je(out("get"));
    a.cmp(edi, ARCH.SET_GS);
    a.jne(out("EINVAL"));
    a.label(out("set"));
    a.movabs(rax, USER_MAX);
    a.cmp(rsi, rax);
    a.jae(out("EPERM"));
    a.mov(eax, esi);
    a.mov(rdx, rsi);
    a.shr(rdx, 32);
    a.wrmsr();
    a.xor(eax, eax);
    a.jmp(out("out"));
    a.label(out("get"));
    a.rdmsr();
    a.shl(rdx, 32);
    a.or(rax, rdx);
    a.mov(rdi, rsi);
    a.call("put_user_u64");
    a.mov(eax, 0);
    a.jnc(out("out"));
    emitErrors(a, "arch_prctl", ["EFAULT", "EINVAL", "EPERM"]);
  });
}

const PR = { SET_NAME: 15, GET_NAME: 16 } as const;
/** TASK_COMM_LEN. */
const COMM_SIZE = 16;

export function emitSysPrctl(a: Assembler): void {
  const out = (label: string) => `sys_prctl.${label}`;
  emitSavingSyscall(a, "prctl", [r12], ({ task }) => {
    const comm = task(TASK.comm);
    a.lea(r12, comm);
    a.cmp(edi, PR.GET_NAME);
    a.je(out("get"));
    a.cmp(edi, PR.SET_NAME);
    a.jne(out("EINVAL"));
    // Into a buffer first: a name that cannot be read changes nothing.
    a.sub(rsp, COMM_SIZE);
    a.mov(mem.qword(rsp), 0);
    a.mov(mem.qword(rsp, 8), 0);
    a.mov(rdi, rsp);
    a.mov(edx, COMM_SIZE - 1);
    a.call("strncpy_from_user");
    a.pop(rcx);
    a.pop(rdx);
    a.test(rax, rax);
    a.js(out("out"));
    a.mov(mem.qword(r12), rcx);
    a.mov(mem.qword(r12, 8), rdx);
    a.xor(eax, eax);
    a.jmp(out("out"));
    a.label(out("get"));
    a.mov(rdi, rsi);
    a.mov(rsi, r12);
    a.mov(edx, COMM_SIZE);
    a.call("copy_to_user");
    a.test(rax, rax);
    a.jz(out("out"));
    emitErrors(a, "prctl", ["EFAULT", "EINVAL"]);
  });
}

/** struct utsname: six fields of 65 bytes. The release is the Linux whose behaviour the system calls follow. */
const UTSNAME = ["Linux", "kvmkit", "6.1.0-kvmkit", "#1 kvmkit", "x86_64", "(none)"] as const;
const UTSNAME_FIELD = 65;

export function emitSysUname(a: Assembler): void {
  a.section(SECTION.rodata);
  a.label("utsname");
  for (const field of UTSNAME) {
    a.db(field);
    a.zero(UTSNAME_FIELD - field.length);
  }
  emitSavingSyscall(a, "uname", [], () => {
    a.mov(rsi, sym("utsname"));
    a.mov(edx, UTSNAME.length * UTSNAME_FIELD);
    a.call("copy_to_user");
    a.test(rax, rax);
    a.jz("sys_uname.out");
    emitErrors(a, "uname", ["EFAULT"]);
  });
}

/** One processor. The result is the size of the mask that the kernel keeps, as Linux's is. */
export function emitSysSchedGetaffinity(a: Assembler): void {
  const out = (label: string) => `sys_sched_getaffinity.${label}`;
  emitSavingSyscall(a, "sched_getaffinity", [], ({ task }) => {
    a.cmp(rsi, 8);
    a.jb(out("EINVAL"));
    a.test(esi, 7);
    a.jnz(out("EINVAL"));
    a.test(edi, edi);
    a.jz(out("self"));
    a.mov(edi, edi);
    a.cmp(rdi, task(TASK.tid));
    a.jne(out("ESRCH"));
    a.label(out("self"));
    a.mov(rdi, rdx);
    a.mov(eax, 1);
    a.call("put_user_u64");
    a.mov(eax, 8);
    a.jnc(out("out"));
    emitErrors(a, "sched_getaffinity", ["EFAULT", "EINVAL", "ESRCH"]);
  });
}

const FUTEX = { WAIT: 0, WAKE: 1, WAIT_BITSET: 9, WAKE_BITSET: 10 } as const;
/** FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME. */
const FUTEX_FLAGS = 128 | 256;

/** With one thread nobody waits, so a wake wakes nobody; a wait returns at once where the value has changed. */
export function emitSysFutex(a: Assembler): void {
  const out = (label: string) => `sys_futex.${label}`;
  emitSavingSyscall(a, "futex", [], () => {
    a.and(esi, ~FUTEX_FLAGS);
    a.mov(eax, (1 << FUTEX.WAIT) | (1 << FUTEX.WAKE) | (1 << FUTEX.WAIT_BITSET) | (1 << FUTEX.WAKE_BITSET));
    a.cmp(esi, FUTEX.WAKE_BITSET);
    a.ja(out("ENOSYS"));
    a.bt(eax, esi);
    a.jnc(out("ENOSYS"));
    a.test(edi, 3);
    a.jnz(out("EINVAL"));
    a.mov(eax, (1 << FUTEX.WAKE) | (1 << FUTEX.WAKE_BITSET));
    a.bt(eax, esi);
    a.mov(eax, 0);
    a.jc(out("out"));
    a.call("get_user_u32");
    a.jc(out("EFAULT"));
    a.cmp(eax, edx);
    a.jne(out("EAGAIN"));
    emitErrors(a, "futex", ["ENOSYS", "EAGAIN", "EFAULT", "EINVAL"]);
  });
}
