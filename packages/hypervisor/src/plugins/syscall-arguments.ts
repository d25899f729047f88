/** The argument rows of Linux's system calls, for the plugins that serve them. */
import { type HostSyscallName, SYSCALLS } from "@kvmkit/guest-kernel/abi";

type Row<N> = Extract<(typeof SYSCALLS)[number], { readonly name: N }>;
export type SyscallArguments<N> = Row<N> extends { readonly args: infer A } ? A : never;

/** `args` of the system call `name`. */
export function syscallArguments<N extends HostSyscallName>(name: N): SyscallArguments<N> {
  return SYSCALLS.find((row) => row.name === name)!.args as SyscallArguments<N>;
}
