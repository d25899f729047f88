/** A file's status in the form of Linux's struct stat on x86-64. */
import type { FileStat } from "../host/open-file.js";

const NS_PER_SECOND = 1_000_000_000n;
const IO_BLOCK_BYTES = 4096n;
/** st_blocks counts these (stat(2)). */
const STAT_BLOCK_BYTES = 512n;

/** Every file belongs to root, as the program does. */
export function linuxStat(stat: FileStat) {
  return {
    st_dev: stat.dev,
    st_ino: stat.ino,
    st_nlink: stat.nlink,
    st_mode: stat.mode,
    st_uid: 0,
    st_gid: 0,
    pad0: 0,
    st_rdev: stat.rdev,
    st_size: stat.size,
    st_blksize: IO_BLOCK_BYTES,
    st_blocks: (stat.size + STAT_BLOCK_BYTES - 1n) / STAT_BLOCK_BYTES,
    st_atime: stat.atimeNs / NS_PER_SECOND,
    st_atime_nsec: stat.atimeNs % NS_PER_SECOND,
    st_mtime: stat.mtimeNs / NS_PER_SECOND,
    st_mtime_nsec: stat.mtimeNs % NS_PER_SECOND,
    st_ctime: stat.ctimeNs / NS_PER_SECOND,
    st_ctime_nsec: stat.ctimeNs % NS_PER_SECOND,
    unused0: 0n,
    unused1: 0n,
    unused2: 0n,
  };
}
