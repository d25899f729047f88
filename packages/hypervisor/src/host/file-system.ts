/**
 * A tree of files that can be mounted into a guest.
 *
 * A tree knows single names only: `lookup` takes one component, and never `.`, `..` or a slash. Where a path leads,
 * what a link means and what a mount hides is decided above it, in path-resolver.ts, for all trees alike.
 */
import type { FileStat, OpenFile } from "./open-file.js";

/** One file of a tree, found but not opened. All methods throw `errno(…)`. */
export interface FileNode {
  readonly kind: "file" | "directory" | "symlink" | "other";
  /** The node of this name in this directory. Errors: ENOENT, ENOTDIR, EACCES. */
  lookup(name: string): FileNode;
  /** Errors: EINVAL. */
  readlink(): string;
  stat(): FileStat;
  /** `flags`: O, without CREAT. Errors: EACCES, EISDIR, ENXIO. */
  open(flags: number): OpenFile;
  /** Makes and opens a regular file. Errors: EEXIST, EROFS, ENOSPC, EACCES. */
  create(name: string, flags: number, mode: number): OpenFile;
  /** Removes a name that is no directory. Errors: ENOENT, EISDIR, EROFS, EACCES. */
  unlink(name: string): void;
  /** Gives host resources back. */
  close(): void;
}

/** A tree and where the guest sees it. */
export interface Mount {
  /** Absolute, without `.`, `..` or a trailing slash. */
  readonly path: string;
  readonly root: FileNode;
  readonly readOnly: boolean;
}
