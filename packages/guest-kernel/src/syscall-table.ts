/** From the rows of abi/syscalls.ts to the table that syscall_dispatch jumps through. */
import { type Assembler, rax, sym } from "@kvmkit/x86-asm";
import {
  type HypercallRow,
  type KernelSyscallName,
  PLUGIN_HYPERCALL_FIRST,
  PLUGIN_HYPERCALL_LAST,
  SYSCALLS,
  type SyscallRow,
} from "./abi/index.js";
import { fn, SECTION } from "./emit.js";
import { emitSysret } from "./entry-syscall.js";
import { KernelBuildError } from "./errors.js";
import { DEBUG_SYSCALLS } from "./syscalls/debug.js";
import { emitSysGetrlimit, emitSysPrlimit64 } from "./syscalls/limits.js";
import { emitSysBrk, emitSysMmap, emitSysMunmap } from "./syscalls/mm.js";
import { emitSysMadvise, emitSysMprotect } from "./syscalls/mprotect.js";
import { emitSysMremap } from "./syscalls/mremap.js";
import {
  emitSysArchPrctl,
  emitSysFutex,
  emitSysGetpid,
  emitSysGettid,
  emitSysPrctl,
  emitSysSchedGetaffinity,
  emitSysSetRobustList,
  emitSysSetTidAddress,
  emitSysUname,
} from "./syscalls/process.js";
import {
  emitSysKill,
  emitSysRtSigaction,
  emitSysRtSigprocmask,
  emitSysSigaltstack,
  emitSysTgkill,
  emitSysTkill,
} from "./syscalls/signal.js";

/** The emitter of every row that the kernel serves: a row without one does not compile. */
export const KERNEL_SYSCALLS = {
  mmap: emitSysMmap,
  mprotect: emitSysMprotect,
  munmap: emitSysMunmap,
  brk: emitSysBrk,
  rt_sigaction: emitSysRtSigaction,
  rt_sigprocmask: emitSysRtSigprocmask,
  mremap: emitSysMremap,
  madvise: emitSysMadvise,
  getpid: emitSysGetpid,
  kill: emitSysKill,
  uname: emitSysUname,
  getrlimit: emitSysGetrlimit,
  sigaltstack: emitSysSigaltstack,
  prctl: emitSysPrctl,
  arch_prctl: emitSysArchPrctl,
  gettid: emitSysGettid,
  tkill: emitSysTkill,
  futex: emitSysFutex,
  sched_getaffinity: emitSysSchedGetaffinity,
  set_tid_address: emitSysSetTidAddress,
  tgkill: emitSysTgkill,
  set_robust_list: emitSysSetRobustList,
  prlimit64: emitSysPrlimit64,
} as const satisfies Record<KernelSyscallName, (a: Assembler) => void>;

/** Throws `KernelBuildError` unless each plugin's number is one of the plugins' range, and its own. */
function checkPlugins(plugins: readonly HypercallRow[]): void {
  const names = new Map<number, string>();
  for (const { nr, name } of plugins) {
    if (!Number.isInteger(nr) || nr < PLUGIN_HYPERCALL_FIRST || nr > PLUGIN_HYPERCALL_LAST) {
      throw new KernelBuildError(
        "ERR_KERNEL_PLUGIN_NUMBER",
        `hypercall ${name} has number ${nr}; a plugin's are ${PLUGIN_HYPERCALL_FIRST} to ${PLUGIN_HYPERCALL_LAST}`,
        { name, nr },
      );
    }
    const other = names.get(nr);
    if (other !== undefined) {
      throw new KernelBuildError(
        "ERR_KERNEL_PLUGIN_DUPLICATE",
        `hypercalls ${other} and ${name} both have number ${nr}; give one of them another in kvm.lock.json`,
        { name, nr },
      );
    }
    names.set(nr, name);
  }
}

/** The label that each number leads to: sys_enosys where there is no row. */
export function handlersByNumber(plugins: readonly HypercallRow[], debugCalls: boolean): readonly string[] {
  checkPlugins(plugins);
  const handlers: string[] = [];
  for (const row of SYSCALLS) handlers[row.nr] = handlerLabel(row);
  if (debugCalls) for (const { nr, name } of DEBUG_SYSCALLS) handlers[nr] = `sys_${name}`;
  for (const { nr } of plugins) handlers[nr] = "sys_host";
  return Array.from(handlers, (label) => label ?? "sys_enosys");
}

/** The handlers. */
export function emitSyscalls(a: Assembler, debugCalls: boolean): void {
  for (const emit of Object.values(KERNEL_SYSCALLS)) emit(a);
  const constants = SYSCALLS.flatMap(({ served }) => (typeof served === "object" ? [served.constant] : []));
  for (const value of new Set(constants)) {
    fn(a, constantLabel(value));
    a.mov(rax, value);
    emitSysret(a);
  }
  if (debugCalls) for (const { emit } of DEBUG_SYSCALLS) emit(a);
}

/** syscall_table: the Gva of each number's handler. */
export function emitSyscallTable(a: Assembler, handlers: readonly string[]): void {
  a.section(SECTION.rodata);
  a.align(8);
  a.label("syscall_table");
  for (const label of handlers) a.dq(sym(label));
  a.section(SECTION.text);
}

function handlerLabel({ name, served }: SyscallRow): string {
  if (typeof served === "object") return constantLabel(served.constant);
  return served === "host" ? "sys_host" : `sys_${name}`;
}

function constantLabel(value: number): string {
  return value < 0 ? `sys_returns_minus_${-value}` : `sys_returns_${value}`;
}
