/**
 * The way in for system calls, and out again.
 *
 * `syscall` leaves rcx = rip and r11 = rflags of the program, and changes no other register. It arrives
 *
 * - on a processor: at syscall_entry, in ring 0, on the program's stack;
 * - where ring 0 is emulated (BOOT_FLAGS.RING0_EMULATED): as a page fault of ring 3 at syscall_entry, on the kernel
 *   stack. A program that jumps to syscall_entry looks the same, and gets the same: it has chosen what its rcx and
 *   r11 say, and returns to there. (On a processor the jump is a plain fault, and page_fault its gate.)
 *
 * Both share one body. At syscall_dispatch, and at every sys_ label:
 *
 *   rsp + FRAME.task   ┌──────────────────┐  TASK
 *   rsp + FRAME.rsp    │ rsp              │  the program's; the only slot of the frame that counts, since what
 *                      │ rflags, cs, rip  │  arrived as a fault has the fault's rip and flags here
 *   rsp                │ error code       │
 *                      └──────────────────┘
 *   rax = number; rdi rsi rdx r10 r8 r9 = arguments; interrupts off, DF = AC = 0 (IA32_FMASK)
 *
 * A call that needs no register saved saves none. It returns with the result in rax and every other register but
 * rcx and r11 as it was. SYSRET with a rcx that is not canonical would fault in ring 0 on Intel's processors: no
 * page ends at the hole (USER_MAX), so no `syscall` makes one, and where a jump can, SYSRET faults in ring 3.
 *
 * Source: SDM Vol. 2B, "SYSCALL", "SYSRET"; Vol. 3A, "Fast System Calls in 64-Bit Mode".
 */
import {
  type Assembler,
  eax,
  edi,
  esi,
  type Memory,
  mem,
  r8,
  r9,
  r10,
  r11,
  rax,
  rbx,
  rcx,
  rdi,
  rdx,
  rsi,
  rsp,
  sym,
} from "@kvmkit/x86-asm";
import {
  AREA_FLAGS,
  ERRNO,
  type ErrnoName,
  HOST_REQUEST,
  HOST_REQUEST_KINDS,
  HYPERCALL_PORT,
  type KernelSyscallName,
  KILL_REASONS,
  LARGE_PAGE_SIZE,
  PAGE_SIZE,
  PT_REGS,
  PT_REGS_VECTORS,
  SYSCALLS,
} from "./abi/index.js";
import { SELECTOR } from "./arch/gdt.js";
import { PAGE_SHIFT } from "./arch/paging.js";
import { mm } from "./areas.js";
import { fn, popAll, pushAll, type Register64, taskField } from "./emit.js";
import { emitPushRegisters } from "./panic.js";
import { AREA, CPU, FRAME, MM, TASK, VM_FLAGS } from "./structs.js";

/** Back to the program: rax = result. */
export function emitSysret(a: Assembler): void {
  a.mov(rsp, mem.qword(rsp, FRAME.rsp));
  a.sysretq();
}

/**
 * page_fault_or_syscall: the gate of #PF where `syscall` arrives as one. It lies right after the exception stubs, so
 * that its address is known to the IDT (entry-exception.ts).
 */
export function emitSyscallFault(a: Assembler, tableLength: number): void {
  a.label("page_fault_or_syscall");
  a.cmp(mem.qword(rsp, FRAME.rip), sym("syscall_entry"));
  a.jne("page_fault");
  a.label("syscall_dispatch");
  a.cmp(rax, tableLength);
  a.jae("syscall_dispatch.beyond");
  a.jmp(mem.qword(sym("syscall_table"), rax, 8));

  // Linux takes the number from eax.
  a.label("syscall_dispatch.beyond");
  a.mov(eax, eax);
  a.cmp(rax, tableLength);
  a.jb("syscall_dispatch");
  a.label("sys_enosys");
  a.mov(rax, -ERRNO.ENOSYS);
  emitSysret(a);
}

export function emitSyscallEntry(a: Assembler): void {
  emitHardwareArrival(a);
  emitHostServed(a);
  emitHostRequest(a);
  emitOutOfMemory(a);
  emitKilledInSyscall(a);
}

/**
 * syscall_entry: where a processor arrives (IA32_LSTAR). Makes the frame that a fault would have made. GS is the
 * kernel's only from the first swapgs to the second; no interrupt or exception handler uses it.
 */
function emitHardwareArrival(a: Assembler): void {
  fn(a, "syscall_entry");
  const cpu = (field: number) => mem.seg("gs").qword(field);
  a.swapgs();
  a.mov(cpu(CPU.user_rsp), rsp);
  a.mov(rsp, cpu(CPU.syscall_stack));
  a.push(cpu(CPU.user_rsp));
  a.swapgs();
  a.sub(rsp, FRAME.rsp - FRAME.error_code);
  a.jmp("syscall_dispatch");
}

/** sys_host: a call that the host serves, with the registers as they stand. */
function emitHostServed(a: Assembler): void {
  fn(a, "sys_host");
  a.out(HYPERCALL_PORT, eax);
  a.jc("host_request");
  emitSysret(a);
}

const SAVED = [rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rbx] as const;

/**
 * host_request: the host cannot serve the call before a user page is present. Makes it and what follows present, as
 * far as one area and one page table go, and calls again.
 */
function emitHostRequest(a: Assembler): void {
  const pushed = SAVED.length * 8;
  fn(a, "host_request");
  pushAll(a, SAVED);
  a.mov(rbx, taskField(TASK.cpu, pushed));
  a.mov(rsi, mem.qword(rbx, CPU.host_request));
  a.mov(rbx, taskField(TASK.mm, pushed));
  a.cmp(mem.qword(rsi, HOST_REQUEST.kind), Number(HOST_REQUEST_KINDS.POPULATE));
  a.jne("host_request.efault");
  a.mov(rdi, mem.qword(rsi, HOST_REQUEST.address));
  a.call("area_find");
  a.cmp(rax, mm(MM.area_count));
  a.jae("host_request.efault");
  a.cmp(rdi, mem.qword(rdx, AREA.start));
  a.jae("host_request.area");
  // A buffer on the stack may lie below what was touched of it.
  a.test(mem.dword(rdx, AREA.flags), VM_FLAGS.GROWSDOWN);
  a.jz("host_request.efault");
  a.push(rsi);
  a.call("grow_stack");
  a.pop(rsi);
  a.jc("host_request.efault");
  a.label("host_request.area");
  // To read, any access is enough, as in page_fault.
  a.mov(eax, Number(AREA_FLAGS.READ | AREA_FLAGS.WRITE | AREA_FLAGS.EXEC));
  a.test(mem.dword(rsi, HOST_REQUEST.access), Number(AREA_FLAGS.WRITE));
  a.jz("host_request.access");
  a.mov(eax, Number(AREA_FLAGS.WRITE));
  a.label("host_request.access");
  a.test(mem.dword(rdx, AREA.flags), eax);
  a.jz("host_request.efault");

  // The end of the request, of the area, or of the page table, whichever comes first.
  a.mov(rsi, mem.qword(rsi, HOST_REQUEST.length));
  a.add(rsi, rdi);
  a.dec(rsi);
  a.shr(rsi, PAGE_SHIFT);
  a.inc(rsi);
  a.shr(rdi, PAGE_SHIFT);
  a.mov(rcx, mem.qword(rdx, AREA.end));
  a.shr(rcx, PAGE_SHIFT);
  a.cmp(rsi, rcx);
  a.cmova(rsi, rcx);
  a.mov(rcx, rdi);
  a.or(rcx, LARGE_PAGE_SIZE / PAGE_SIZE - 1);
  a.inc(rcx);
  a.cmp(rsi, rcx);
  a.cmova(rsi, rcx);
  a.sub(rsi, rdi);
  a.shl(rdi, PAGE_SHIFT);
  a.mov(r10, mem.qword(rdx, AREA.entry_flags));
  a.mov(rdx, rsi);
  a.call("populate");
  popAll(a, SAVED);
  a.jnc("sys_host");
  a.jmp("out_of_memory_in_syscall");

  a.label("host_request.efault");
  popAll(a, SAVED);
  a.mov(rax, -ERRNO.EFAULT);
  emitSysret(a);
}

/** out_of_memory_in_syscall: no page is left for the program. Entry: registers as at the call. */
function emitOutOfMemory(a: Assembler): void {
  fn(a, "out_of_memory_in_syscall");
  emitCompleteFrame(a);
  a.mov(mem.qword(rsp, FRAME.error_code), rax);
  a.push(PT_REGS_VECTORS.SYSCALL);
  a.jmp("out_of_memory");
}

/**
 * killed_in_syscall: a signal that the program sent itself ends it.
 * Entry: registers as at the call, the signal in the frame's slot for the error code.
 */
function emitKilledInSyscall(a: Assembler): void {
  fn(a, "killed_in_syscall");
  emitCompleteFrame(a);
  a.push(PT_REGS_VECTORS.SYSCALL);
  emitPushRegisters(a);
  a.mov(edi, mem.dword(rsp, PT_REGS.error_code));
  a.mov(mem.qword(rsp, PT_REGS.error_code), rax);
  a.mov(esi, KILL_REASONS.SIGNAL);
  a.jmp("killed_because");
}

/** Makes of the frame of a system call what an exception would have pushed, but for the error code. */
function emitCompleteFrame(a: Assembler): void {
  a.mov(mem.qword(rsp, FRAME.ss), SELECTOR.USER_DATA);
  a.mov(mem.qword(rsp, FRAME.rflags), r11);
  a.mov(mem.qword(rsp, FRAME.cs), SELECTOR.USER_CODE);
  a.mov(mem.qword(rsp, FRAME.rip), rcx);
}

/** What a system call that calls into the kernel saves: rax is the result, the rest the callee may change. */
const CALLER_SAVED = [rcx, rdx, rsi, rdi, r8, r9, r10, r11] as const;

/** The stack of a system call that saved registers. */
export interface SavingFrame {
  /** A field of the task. */
  task(field: number): Memory<64>;
  /** Jumps here end the program with the signal in rdi: `sys_<name>.killed`. */
  emitKilled(): void;
}

/**
 * sys_<name>, for a call that calls functions: saves registers, runs `body`, and returns its rax. The body jumps to
 * `sys_<name>.out` to return early.
 */
export function emitSavingSyscall(
  a: Assembler,
  name: KernelSyscallName,
  also: readonly Register64[],
  body: (frame: SavingFrame) => void,
): void {
  const saved = [...CALLER_SAVED, ...also];
  const pushed = saved.length * 8;
  fn(a, `sys_${name}`);
  pushAll(a, saved);
  body({
    task: (field) => taskField(field, pushed),
    emitKilled() {
      a.label(`sys_${name}.killed`);
      a.mov(mem.qword(rsp, pushed + FRAME.error_code), rdi);
      a.mov(eax, SYSCALLS.find((row) => row.name === name)!.nr);
      popAll(a, saved);
      a.jmp("killed_in_syscall");
    },
  });
  a.label(`sys_${name}.out`);
  popAll(a, saved);
  emitSysret(a);
}

/** The labels `sys_<name>.<errno>`, each of which returns that error. */
export function emitErrors(a: Assembler, name: KernelSyscallName, errors: readonly ErrnoName[]): void {
  for (const error of errors) {
    a.label(`sys_${name}.${error}`);
    a.mov(rax, -ERRNO[error]);
    a.jmp(`sys_${name}.out`);
  }
}
