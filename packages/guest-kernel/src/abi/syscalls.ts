/**
 * The system calls of the kernel, by Linux's numbers (x86-64): who serves each, and how far.
 *
 * `kernel`: code in guest-kernel. `host`: the registers go to the host as they stand, by one hypercall of the same
 * number. `constant`: the value is the answer. A number without a row is -ENOSYS.
 */
import type { ArgumentType } from "./hypercalls.js";

export interface SyscallRow {
  readonly nr: number;
  readonly name: string;
  readonly args: Readonly<Record<string, ArgumentType>>;
  readonly served: "kernel" | "host" | { readonly constant: number };
  /** What differs from Linux; absent where nothing is known to. */
  readonly note?: string;
}

const i32 = { kind: "i32" } as const;
const u32 = { kind: "u32" } as const;
const u64 = { kind: "u64" } as const;
const i64 = { kind: "i64" } as const;
const pointer = { kind: "pointer" } as const;
/** PATH_MAX of Linux, its NUL not counted. */
const path = { kind: "cstring", maxBytes: 4095 } as const;
/** MAX_RW_COUNT of Linux: what one read or write moves at most. */
const MAX_RW_COUNT = 0x7fff_f000;
const bufferIn = { kind: "buffer", direction: "in", maxBytes: MAX_RW_COUNT } as const;
const bufferOut = { kind: "buffer", direction: "out", maxBytes: MAX_RW_COUNT } as const;

export const SYSCALLS = [
  { nr: 0, name: "read", args: { fd: i32, buf: bufferOut }, served: "host" },
  { nr: 1, name: "write", args: { fd: i32, buf: bufferIn }, served: "host" },
  { nr: 2, name: "open", args: { path, flags: i32, mode: u32 }, served: "host" },
  { nr: 3, name: "close", args: { fd: i32 }, served: "host" },
  { nr: 8, name: "lseek", args: { fd: i32, offset: i64, whence: i32 }, served: "host" },
  {
    nr: 9,
    name: "mmap",
    args: { addr: u64, length: u64, prot: i32, flags: i32, fd: i32, offset: i64 },
    served: "kernel",
  },
  { nr: 10, name: "mprotect", args: { addr: u64, length: u64, prot: i32 }, served: "kernel" },
  { nr: 11, name: "munmap", args: { addr: u64, length: u64 }, served: "kernel" },
  { nr: 12, name: "brk", args: { addr: u64 }, served: "kernel" },
  { nr: 16, name: "ioctl", args: { fd: i32, request: u32, argp: pointer }, served: "host" },
  { nr: 20, name: "writev", args: { fd: i32, iov: pointer, iovcnt: i32 }, served: "host" },
  { nr: 39, name: "getpid", args: {}, served: "kernel" },
  { nr: 60, name: "exit", args: { status: i32 }, served: "host" },
  { nr: 87, name: "unlink", args: { path }, served: "host" },
  { nr: 158, name: "arch_prctl", args: { code: i32, addr: u64 }, served: "kernel" },
  { nr: 218, name: "set_tid_address", args: { tidptr: pointer }, served: "kernel" },
  { nr: 231, name: "exit_group", args: { status: i32 }, served: "host" },
  { nr: 257, name: "openat", args: { dirfd: i32, path, flags: i32, mode: u32 }, served: "host" },
] as const satisfies readonly SyscallRow[];

export type SyscallName = (typeof SYSCALLS)[number]["name"];
