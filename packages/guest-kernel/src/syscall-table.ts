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
import { emitSysGetrlimit, emitSysPrlimit64 } from "./syscalls/limits.js";
import { emitSysBrk, emitSysMadvise, emitSysMmap, emitSysMprotect, emitSysMunmap } from "./syscalls/mm.js";
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

/** Checks plugins' rows, and returns how many entries the table has. */
export function syscallTableLength(plugins: readonly HypercallRow[]): number {
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
  return Math.max(...SYSCALLS.map(({ nr }) => nr), ...names.keys()) + 1;
}

/** The handlers, and syscall_table: a Gva for each number, sys_enosys where no row is. */
export function emitSyscallTable(a: Assembler, plugins: readonly HypercallRow[]): void {
  for (const emit of Object.values(KERNEL_SYSCALLS)) emit(a);
  const constants = SYSCALLS.flatMap(({ served }) => (typeof served === "object" ? [served.constant] : []));
  for (const value of new Set(constants)) {
    fn(a, constantLabel(value));
    a.mov(rax, value);
    emitSysret(a);
  }
  const table = new Array<string>(syscallTableLength(plugins)).fill("sys_enosys");
  for (const row of SYSCALLS) table[row.nr] = handlerLabel(row);
  for (const { nr } of plugins) table[nr] = "sys_host";
  a.section(SECTION.rodata);
  a.align(8);
  a.label("syscall_table");
  for (const label of table) a.dq(sym(label));
  a.section(SECTION.text);
}

function handlerLabel({ name, served }: SyscallRow): string {
  if (typeof served === "object") return constantLabel(served.constant);
  return served === "host" ? "sys_host" : `sys_${name}`;
}

function constantLabel(value: number): string {
  return value < 0 ? `sys_returns_minus_${-value}` : `sys_returns_${value}`;
}
