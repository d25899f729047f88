/**
 * Files as the host gives them to a guest.
 *
 * Reading, writing and seeking are what a run consists of, so they answer as system calls do: a count, or -errno.
 * Everything else throws `errno(…)`.
 */

/** What stat(2) says, in its units; times in nanoseconds since the epoch. */
export interface FileStat {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly nlink: bigint;
  /** S_IFMT and permission bits. */
  readonly mode: number;
  readonly rdev: bigint;
  readonly size: bigint;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** An open file description. */
export interface OpenFile {
  /** Reads into the views in order, at the file's own position. 0 at the end. Blocks where there is nothing yet. */
  read(views: readonly Uint8Array[]): number;
  /** Writes the views in order. Fewer bytes than given only where an error followed. */
  write(views: readonly Uint8Array[]): number;
  /** Bytes from the position to the end, where that is known: then a longer read is of no use. */
  remaining(): number | undefined;
  /** `whence`: SEEK. */
  seek(offset: bigint, whence: number): bigint | number;
  /** Errors: errno. */
  stat(): FileStat;
  /** Size in rows and columns where this is a terminal, else undefined. */
  readonly terminal: { readonly rows: number; readonly columns: number } | undefined;
  close(): void;
}

/** File types in `mode` (inode(7)). */
export const S_IF = {
  MT: 0o170000,
  DIR: 0o040000,
  CHR: 0o020000,
  REG: 0o100000,
  FIFO: 0o010000,
  LNK: 0o120000,
} as const;

/** Flags of open(2) on x86-64. */
export const O = {
  ACCMODE: 3,
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECTORY: 0o200000,
  NOFOLLOW: 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;

/** lseek(2). */
export const SEEK = { SET: 0, CUR: 1, END: 2 } as const;

export const canRead = (flags: number): boolean => (flags & O.ACCMODE) !== O.WRONLY;
export const canWrite = (flags: number): boolean => (flags & O.ACCMODE) !== O.RDONLY;
