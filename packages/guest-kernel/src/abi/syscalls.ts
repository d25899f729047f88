/**
 * The system calls of the kernel, by Linux's numbers (x86-64): who serves each, and how far.
 *
 * `kernel`: code in guest-kernel. `host`: the registers go to the host as they stand, by one hypercall of the same
 * number. `constant`: the value is the answer (-errno where negative). A number without a row is -ENOSYS; neither
 * costs an exit.
 */
import { ERRNO } from "./errno.js";
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

/** struct timespec (time(7), asm-generic/posix_types.h). */
const timespecOut = {
  kind: "struct",
  name: "timespec",
  direction: "out",
  fields: { tv_sec: "i64", tv_nsec: "i64" },
} as const;

/** struct stat of x86-64 (arch/x86/include/uapi/asm/stat.h), 144 bytes. */
const statOut = {
  kind: "struct",
  name: "stat",
  direction: "out",
  fields: {
    st_dev: "u64",
    st_ino: "u64",
    st_nlink: "u64",
    st_mode: "u32",
    st_uid: "u32",
    st_gid: "u32",
    pad0: "u32",
    st_rdev: "u64",
    st_size: "i64",
    st_blksize: "i64",
    st_blocks: "i64",
    st_atime: "u64",
    st_atime_nsec: "u64",
    st_mtime: "u64",
    st_mtime_nsec: "u64",
    st_ctime: "u64",
    st_ctime_nsec: "u64",
    unused0: "i64",
    unused1: "i64",
    unused2: "i64",
  },
} as const;

const enosys = { constant: -ERRNO.ENOSYS } as const;
/** The program is root of its own small world, as in a container. */
const root = { constant: 0 } as const;

export const SYSCALLS = [
  { nr: 0, name: "read", args: { fd: i32, buf: bufferOut }, served: "host" },
  { nr: 1, name: "write", args: { fd: i32, buf: bufferIn }, served: "host" },
  { nr: 2, name: "open", args: { path, flags: i32, mode: u32 }, served: "host" },
  { nr: 3, name: "close", args: { fd: i32 }, served: "host" },
  { nr: 4, name: "stat", args: { path, statbuf: statOut }, served: "host" },
  { nr: 5, name: "fstat", args: { fd: i32, statbuf: statOut }, served: "host" },
  { nr: 6, name: "lstat", args: { path, statbuf: statOut }, served: "host" },
  { nr: 8, name: "lseek", args: { fd: i32, offset: i64, whence: i32 }, served: "host" },
  {
    nr: 9,
    name: "mmap",
    args: { addr: u64, length: u64, prot: i32, flags: i32, fd: i32, offset: i64 },
    served: "kernel",
    note: "Anonymous only: a file is -ENODEV. No huge pages (MAP_HUGETLB: -ENOMEM).",
  },
  { nr: 10, name: "mprotect", args: { addr: u64, length: u64, prot: i32 }, served: "kernel" },
  { nr: 11, name: "munmap", args: { addr: u64, length: u64 }, served: "kernel" },
  { nr: 12, name: "brk", args: { addr: u64 }, served: "kernel" },
  {
    nr: 13,
    name: "rt_sigaction",
    args: { signum: i32, act: pointer, oldact: pointer, sigsetsize: u64 },
    served: "kernel",
    note: "Dispositions are kept and returned; handlers are not run yet.",
  },
  {
    nr: 14,
    name: "rt_sigprocmask",
    args: { how: i32, set: pointer, oldset: pointer, sigsetsize: u64 },
    served: "kernel",
    note: "The mask is kept and returned; nothing is delivered later that it held back.",
  },
  { nr: 16, name: "ioctl", args: { fd: i32, request: u32, argp: pointer }, served: "host" },
  { nr: 20, name: "writev", args: { fd: i32, iov: pointer, iovcnt: i32 }, served: "host" },
  { nr: 24, name: "sched_yield", args: {}, served: { constant: 0 } },
  {
    nr: 25,
    name: "mremap",
    args: { old_address: u64, old_size: u64, new_size: u64, flags: i32, new_address: u64 },
    served: "kernel",
    note: "MREMAP_DONTUNMAP is -EINVAL.",
  },
  {
    nr: 28,
    name: "madvise",
    args: { addr: u64, length: u64, advice: i32 },
    served: "kernel",
    note: "MADV_DONTNEED and MADV_FREE drop the pages at once; other known advice is checked and not taken.",
  },
  { nr: 39, name: "getpid", args: {}, served: "kernel" },
  { nr: 60, name: "exit", args: { status: i32 }, served: "host" },
  {
    nr: 62,
    name: "kill",
    args: { pid: i32, sig: i32 },
    served: "kernel",
    note: "To the program itself. A signal that has a handler is -ENOSYS, one that stops is ignored.",
  },
  {
    nr: 63,
    name: "uname",
    args: { buf: pointer },
    served: "kernel",
  },
  { nr: 87, name: "unlink", args: { path }, served: "host" },
  {
    nr: 89,
    name: "readlink",
    args: { path, buf: { kind: "buffer", direction: "out", maxBytes: 4096 } },
    served: "host",
  },
  { nr: 96, name: "gettimeofday", args: { tv: pointer, tz: pointer }, served: "host" },
  {
    nr: 97,
    name: "getrlimit",
    args: { resource: i32, rlim: pointer },
    served: "kernel",
  },
  { nr: 102, name: "getuid", args: {}, served: root },
  { nr: 104, name: "getgid", args: {}, served: root },
  { nr: 107, name: "geteuid", args: {}, served: root },
  { nr: 108, name: "getegid", args: {}, served: root },
  { nr: 110, name: "getppid", args: {}, served: root },
  { nr: 111, name: "getpgrp", args: {}, served: { constant: 1 } },
  { nr: 115, name: "getgroups", args: { size: i32, list: pointer }, served: { constant: 0 } },
  {
    nr: 131,
    name: "sigaltstack",
    args: { ss: pointer, old_ss: pointer },
    served: "kernel",
    note: "The stack is kept and returned; handlers are not run yet.",
  },
  {
    nr: 157,
    name: "prctl",
    args: { option: i32, arg2: u64, arg3: u64, arg4: u64, arg5: u64 },
    served: "kernel",
    note: "PR_SET_NAME and PR_GET_NAME; other options are -EINVAL.",
  },
  { nr: 158, name: "arch_prctl", args: { code: i32, addr: u64 }, served: "kernel" },
  { nr: 186, name: "gettid", args: {}, served: "kernel" },
  { nr: 200, name: "tkill", args: { tid: i32, sig: i32 }, served: "kernel", note: "As kill." },
  {
    nr: 202,
    name: "futex",
    args: { uaddr: pointer, op: i32, val: u32, timeout: pointer, uaddr2: pointer, val3: u32 },
    served: "kernel",
    note: "There is one thread: WAKE finds nobody, WAIT is -EAGAIN or, where it would block, -ENOSYS.",
  },
  {
    nr: 204,
    name: "sched_getaffinity",
    args: { pid: i32, cpusetsize: u64, mask: pointer },
    served: "kernel",
  },
  { nr: 201, name: "time", args: { tloc: pointer }, served: "host" },
  { nr: 218, name: "set_tid_address", args: { tidptr: pointer }, served: "kernel" },
  { nr: 228, name: "clock_gettime", args: { clockid: i32, tp: timespecOut }, served: "host" },
  { nr: 231, name: "exit_group", args: { status: i32 }, served: "host" },
  { nr: 234, name: "tgkill", args: { tgid: i32, tid: i32, sig: i32 }, served: "kernel", note: "As kill." },
  { nr: 257, name: "openat", args: { dirfd: i32, path, flags: i32, mode: u32 }, served: "host" },
  {
    nr: 262,
    name: "newfstatat",
    args: { dirfd: i32, path, statbuf: statOut, flags: i32 },
    served: "host",
  },
  { nr: 273, name: "set_robust_list", args: { head: pointer, len: u64 }, served: "kernel" },
  {
    nr: 302,
    name: "prlimit64",
    args: { pid: i32, resource: i32, new_limit: pointer, old_limit: pointer },
    served: "kernel",
    note: "Limits are kept and returned, and not enforced.",
  },
  {
    nr: 318,
    name: "getrandom",
    args: { buf: { kind: "buffer", direction: "out", maxBytes: MAX_RW_COUNT }, flags: u32 },
    served: "host",
  },
  { nr: 334, name: "rseq", args: { rseq: pointer, len: u32, flags: i32, sig: u32 }, served: enosys },
] as const satisfies readonly SyscallRow[];

export type SyscallName = (typeof SYSCALLS)[number]["name"];

/** The rows that code in this package serves: each must have an emitter. */
export type KernelSyscallName = Extract<(typeof SYSCALLS)[number], { readonly served: "kernel" }>["name"];
/** The rows that the host serves. */
export type HostSyscallName = Extract<(typeof SYSCALLS)[number], { readonly served: "host" }>["name"];
