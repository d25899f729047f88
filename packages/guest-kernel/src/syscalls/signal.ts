/**
 * Signals as far as they go without handlers: dispositions, masks and the alternate stack are kept; a signal that the
 * program sends itself ends it, is ignored, or waits while it is blocked. Source: signal(7), sigaction(2),
 * sigprocmask(2), sigaltstack(2), kill(2).
 */
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
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
} from "@kvmkit/x86-asm";
import { ERRNO, SIGNAL_MAX, SIGNALS, type SignalName } from "../abi/index.js";
import { currentTask, fn, taskAt } from "../emit.js";
import { emitErrors, emitSavingSyscall, type SavingFrame } from "../entry-syscall.js";
import { SIGACTION, TASK } from "../structs.js";

/** sizeof(sigset_t) of the kernel. */
const SIGSET_SIZE = 8;
const bit = (signal: number) => 1n << BigInt(signal - 1);
/** What cannot be blocked, ignored or handled. */
const UNBLOCKABLE = bit(SIGNALS.SIGKILL) | bit(SIGNALS.SIGSTOP);

/** Handlers that are none: SIG_DFL is 0. */
const SIG_IGN = 1;
/** What a signal does by default, where it does not end the program (signal(7), "Standard signals"). */
const IGNORED: readonly SignalName[] = ["SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH"];
const STOPPING: readonly SignalName[] = ["SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"];
const HARMLESS = [...IGNORED, ...STOPPING].reduce((set, name) => set | bit(SIGNALS[name]), 0n);

const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIG_SETMASK = 2;

export function emitSysRtSigaction(a: Assembler): void {
  const out = (label: string) => `sys_rt_sigaction.${label}`;
  emitSavingSyscall(a, "rt_sigaction", [r12, r13, r14], ({ task }) => {
    a.cmp(r10, SIGSET_SIZE);
    a.jne(out("EINVAL"));
    a.dec(edi);
    a.cmp(edi, SIGNAL_MAX);
    a.jae(out("EINVAL"));
    a.mov(r13, rsi);
    a.mov(r14, rdx);
    a.movabs(rax, UNBLOCKABLE);
    a.bt(rax, rdi);
    a.jnc(out("changeable"));
    a.test(rsi, rsi);
    a.jnz(out("EINVAL"));
    a.label(out("changeable"));
    a.mov(r12, rdi);
    a.shl(r12, 5);
    a.add(r12, task(TASK.sighand));

    // The new action is read and the old one written before anything changes.
    a.sub(rsp, SIGACTION.size);
    a.test(r13, r13);
    a.jz(out("old"));
    a.mov(rdi, rsp);
    a.mov(rsi, r13);
    a.mov(edx, SIGACTION.size);
    a.call("copy_from_user");
    a.test(rax, rax);
    a.jnz(out("bad_pointer"));
    a.label(out("old"));
    a.test(r14, r14);
    a.jz(out("new"));
    a.mov(rdi, r14);
    a.mov(rsi, r12);
    a.mov(edx, SIGACTION.size);
    a.call("copy_to_user");
    a.test(rax, rax);
    a.jnz(out("bad_pointer"));
    a.label(out("new"));
    a.test(r13, r13);
    a.jz(out("unchanged"));
    for (const field of [SIGACTION.handler, SIGACTION.flags, SIGACTION.restorer]) {
      a.pop(mem.qword(r12, field));
    }
    a.pop(rcx);
    a.movabs(rax, UNBLOCKABLE);
    a.not(rax);
    a.and(rcx, rax);
    a.mov(mem.qword(r12, SIGACTION.mask), rcx);
    a.xor(eax, eax);
    a.jmp(out("out"));
    a.label(out("unchanged"));
    a.add(rsp, SIGACTION.size);
    a.xor(eax, eax);
    a.jmp(out("out"));
    a.label(out("bad_pointer"));
    a.add(rsp, SIGACTION.size);
    emitErrors(a, "rt_sigaction", ["EFAULT", "EINVAL"]);
  });
}

/** A signal that was sent while it was blocked is taken when the mask lets it through. */
export function emitSysRtSigprocmask(a: Assembler): void {
  const out = (label: string) => `sys_rt_sigprocmask.${label}`;
  emitSavingSyscall(a, "rt_sigprocmask", [r12, r13, r14], ({ task, emitKilled }) => {
    a.cmp(r10, SIGSET_SIZE);
    a.jne(out("EINVAL"));
    a.mov(r12, rdx);
    a.mov(r13, rdi);
    a.mov(r14, task(TASK.blocked));
    a.test(rsi, rsi);
    a.jz(out("old"));
    a.mov(rdi, rsi);
    a.call("get_user_u64");
    a.jc(out("EFAULT"));
    a.movabs(rcx, UNBLOCKABLE);
    a.not(rcx);
    a.and(rax, rcx);
    a.cmp(r13, SIG_SETMASK);
    a.je(out("set"));
    a.cmp(r13, SIG_UNBLOCK);
    a.je(out("unblock"));
    a.cmp(r13, SIG_BLOCK);
    a.jne(out("EINVAL"));
    a.or(rax, r14);
    a.jmp(out("set"));
    a.label(out("unblock"));
    a.not(rax);
    a.and(rax, r14);
    a.label(out("set"));
    a.xchg(rax, r14);
    a.jmp(out("store_old"));
    a.label(out("old"));
    a.mov(rax, r14);
    // rax = old mask, r14 = new.
    a.label(out("store_old"));
    a.test(r12, r12);
    a.jz(out("change"));
    a.mov(rdi, r12);
    a.call("put_user_u64");
    a.jc(out("EFAULT"));
    a.label(out("change"));
    a.mov(task(TASK.blocked), r14);
    a.not(r14);
    a.label(out("next_pending"));
    a.mov(rcx, task(TASK.pending));
    a.mov(eax, 0);
    a.and(rcx, r14);
    a.jz(out("out"));
    a.bsf(rdi, rcx);
    a.btr(task(TASK.pending), rdi);
    a.inc(edi);
    a.call("send_signal");
    a.jnc(out("next_pending"));
    emitKilled();
    emitErrors(a, "rt_sigprocmask", ["EFAULT", "EINVAL"]);
  });
}

const SS_ONSTACK = 1;
const SS_DISABLE = 2;
const MINSIGSTKSZ = 2048;
/** stack_t: pointer, flags (u32), size. */
const STACK_T = { ss_sp: 0, ss_flags: 8, ss_size: 16, size: 24 } as const;

export function emitSysSigaltstack(a: Assembler): void {
  const out = (label: string) => `sys_sigaltstack.${label}`;
  emitSavingSyscall(a, "sigaltstack", [r12, r13, r14], ({ task }) => {
    a.lea(r12, task(TASK.altstack));
    a.mov(r13, rdi);
    a.mov(r14, rsi);
    a.sub(rsp, STACK_T.size);
    a.test(r13, r13);
    a.jz(out("old"));
    a.mov(rsi, rdi);
    a.mov(rdi, rsp);
    a.mov(edx, STACK_T.size);
    a.call("copy_from_user");
    a.test(rax, rax);
    a.jnz(out("bad_pointer"));
    a.mov(eax, mem.dword(rsp, STACK_T.ss_flags));
    a.mov(mem.qword(rsp, STACK_T.ss_flags), rax);
    // Without SS_AUTODISARM, which changes what a handler does.
    a.and(eax, 0x7fff_ffff);
    a.cmp(eax, SS_DISABLE);
    a.je(out("disable"));
    a.test(eax, ~SS_ONSTACK);
    a.jnz(out("bad_flags"));
    a.cmp(mem.qword(rsp, STACK_T.ss_size), MINSIGSTKSZ);
    a.jb(out("too_small"));
    a.jmp(out("old"));
    a.label(out("disable"));
    a.mov(mem.qword(rsp, STACK_T.ss_sp), 0);
    a.mov(mem.qword(rsp, STACK_T.ss_size), 0);
    a.label(out("old"));
    a.test(r14, r14);
    a.jz(out("new"));
    a.mov(rdi, r14);
    a.mov(rsi, r12);
    a.mov(edx, STACK_T.size);
    a.call("copy_to_user");
    a.test(rax, rax);
    a.jnz(out("bad_pointer"));
    a.label(out("new"));
    a.test(r13, r13);
    a.jz(out("unchanged"));
    for (const field of [STACK_T.ss_sp, STACK_T.ss_flags, STACK_T.ss_size]) a.pop(mem.qword(r12, field));
    a.xor(eax, eax);
    a.jmp(out("out"));
    a.label(out("unchanged"));
    a.add(rsp, STACK_T.size);
    a.xor(eax, eax);
    a.jmp(out("out"));
    for (const [label, error] of [
      ["bad_pointer", "EFAULT"],
      ["bad_flags", "EINVAL"],
      ["too_small", "ENOMEM"],
    ] as const) {
      a.label(out(label));
      a.add(rsp, STACK_T.size);
      a.mov(rax, -ERRNO[error]);
      a.jmp(out("out"));
    }
  });
}

/** kill(pid, sig): to the program itself, by its id, its group (0 or the negative id). -1 is everybody else. */
export function emitSysKill(a: Assembler): void {
  const out = (label: string) => `sys_kill.${label}`;
  emitSignalCall(a, "kill", (task) => {
    a.cmp(edi, -1);
    a.je(out("ESRCH"));
    a.mov(eax, edi);
    a.neg(eax);
    a.cmovs(eax, edi);
    a.mov(edi, esi);
    a.test(eax, eax);
    a.jz(out("send"));
    a.cmp(rax, task(TASK.tgid));
    a.jne(out("ESRCH"));
  });
}

export function emitSysTkill(a: Assembler): void {
  emitSignalCall(a, "tkill", (task) => {
    a.mov(eax, edi);
    a.mov(edi, esi);
    emitCheckTid(a, "tkill", task);
  });
}

export function emitSysTgkill(a: Assembler): void {
  const out = (label: string) => `sys_tgkill.${label}`;
  emitSignalCall(a, "tgkill", (task) => {
    a.mov(eax, edi);
    a.mov(edi, edx);
    a.test(eax, eax);
    a.jle(out("EINVAL"));
    a.mov(edx, esi);
    a.test(edx, edx);
    a.jle(out("EINVAL"));
    a.cmp(rax, task(TASK.tgid));
    a.jne(out("ESRCH"));
    a.mov(eax, edx);
    emitCheckTid(a, "tgkill", task);
  });
}

/** eax must be the id of the one thread there is. */
function emitCheckTid(a: Assembler, name: "tkill" | "tgkill", task: SavingFrame["task"]): void {
  a.test(eax, eax);
  a.jle(`sys_${name}.EINVAL`);
  a.cmp(rax, task(TASK.tid));
  a.jne(`sys_${name}.ESRCH`);
}

/** A call that sends: `target` leaves edi = the signal, or refuses with EINVAL or ESRCH. */
function emitSignalCall(
  a: Assembler,
  name: "kill" | "tkill" | "tgkill",
  target: (task: SavingFrame["task"]) => void,
): void {
  emitSavingSyscall(a, name, [], ({ task, emitKilled }) => {
    target(task);
    a.label(`sys_${name}.send`);
    a.call("send_signal");
    a.jnc(`sys_${name}.out`);
    emitKilled();
    emitErrors(a, name, ["EINVAL", "ESRCH"]);
  });
}

/**
 * send_signal: to the running task, from itself.
 * Entry: edi = signal; 0 sends nothing. Exit: CF = 1: rdi = the signal, which ends the program. CF = 0: rax = 0 or
 * -errno. Clobbers rax, rcx, rdx, r8, RFLAGS.
 */
export function emitSendSignal(a: Assembler): void {
  const name = "send_signal";
  fn(a, name);
  a.mov(edi, edi);
  a.mov(rax, -ERRNO.EINVAL);
  a.cmp(edi, SIGNAL_MAX);
  a.ja(`${name}.return`);
  a.xor(eax, eax);
  a.lea(rcx, mem(rdi, -1));
  a.test(edi, edi);
  a.jz(`${name}.return`);
  currentTask(a, rdx);
  a.bt(taskAt(rdx, TASK.blocked), rcx);
  a.jc(`${name}.wait`);
  a.mov(r8, rcx);
  a.shl(r8, 5);
  a.add(r8, taskAt(rdx, TASK.sighand));
  a.mov(r8, mem.qword(r8, SIGACTION.handler));
  a.cmp(r8, SIG_IGN);
  a.je(`${name}.return`);
  a.jb(`${name}.default`);
  a.mov(rax, -ERRNO.ENOSYS);
  a.label(`${name}.return`);
  a.clc();
  a.ret();
  a.label(`${name}.default`);
  a.movabs(r8, HARMLESS);
  a.bt(r8, rcx);
  a.cmc();
  a.ret();
  a.label(`${name}.wait`);
  a.bts(taskAt(rdx, TASK.pending), rcx);
  a.jmp(`${name}.return`);
}
