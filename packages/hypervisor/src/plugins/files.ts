/**
 * The plugin `files`: paths, through mounts, to descriptors.
 *
 * Which trees there are is the host's choice: `filesPlugin` takes a function that makes the mounts. `memory-files.ts`
 * has them in memory, `@kvmkit/hypervisor/node` mounts host directories.
 */
import { ERRNO } from "@kvmkit/guest-kernel/abi";
import type { Decoded } from "../argument-types.js";
import type { DescriptorTable } from "../host/descriptor-table.js";
import { errno } from "../host/errno.js";
import type { Mount } from "../host/file-system.js";
import { canWrite, type FileStat, O, type OpenFile } from "../host/open-file.js";
import { PathResolver, type Resolved } from "../host/path-resolver.js";
import { encodeText } from "../memory/text.js";
import { definePlugin, type Plugin, type PluginSource } from "../plugin.js";
import type { HandlerContext, SetupContext } from "../plugin-context.js";
import { descriptors } from "./descriptors.js";
import { linuxStat } from "./linux-stat.js";
import { type SyscallArguments, syscallArguments } from "./syscall-arguments.js";

/** What `files` offers to other plugins, such as a host ABI of another kernel. */
export interface FilesService {
  /** Opens a path as openat(2) does. Errors: errno. */
  open(path: string, flags: number, mode: number): OpenFile;
}

interface FilesState {
  readonly paths: PathResolver;
  readonly table: DescriptorTable;
  readonly mounts: readonly Mount[];
  readonly cwd: string;
}

type Context = HandlerContext<unknown, FilesState>;

/** openat(2), fstatat(2). */
const AT = { FDCWD: -100, SYMLINK_NOFOLLOW: 0x100, NO_AUTOMOUNT: 0x800, EMPTY_PATH: 0x1000 } as const;
const STAT_FLAGS = AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT | AT.EMPTY_PATH;
/** A file without a name, which no tree here can make (open(2), O_TMPFILE). */
const O_TMPFILE = 0o20200000;

/**
 * A files plugin whose mounts `mount` makes for each machine; one of them is at `/`. `source`: where another thread
 * finds it.
 */
export function filesPlugin<O>(
  source: PluginSource | undefined,
  options: (options: unknown) => O,
  mount: (ctx: SetupContext<O>) => readonly Mount[],
): Plugin<FilesService> {
  return definePlugin({
    name: "files",
    version: "1.0.0",
    abi: 1,
    ...(source && { source }),
    doc: "Files by path, below the mounts that are granted.",
    dependsOn: ["descriptors"],
    options,
    state(ctx): FilesState {
      const mounts = mount(ctx);
      return { mounts, paths: new PathResolver(mounts), table: ctx.service(descriptors), cwd: ctx.vm.cwd };
    },
    service: ({ paths, cwd }: FilesState): FilesService => ({
      open: (path, flags, mode) =>
        paths.with(cwd, path, followsLast(flags), (resolved) => openResolved(resolved, flags, mode)),
    }),
    hypercalls: {
      open: {
        syscall: "open",
        args: syscallArguments("open"),
        doc: "open(2)",
        handle: (ctx, { path, flags, mode }) => open(ctx, AT.FDCWD, path, flags, mode),
      },
      openat: {
        syscall: "openat",
        args: syscallArguments("openat"),
        doc: "openat(2)",
        handle: (ctx, { dirfd, path, flags, mode }) => open(ctx, dirfd, path, flags, mode),
      },
      stat: {
        syscall: "stat",
        args: syscallArguments("stat"),
        doc: "stat(2)",
        handle(ctx, { path, statbuf }) {
          statbuf.set(linuxStat(stat(ctx, AT.FDCWD, path, 0)));
        },
      },
      lstat: {
        syscall: "lstat",
        args: syscallArguments("lstat"),
        doc: "lstat(2)",
        handle(ctx, { path, statbuf }) {
          statbuf.set(linuxStat(stat(ctx, AT.FDCWD, path, AT.SYMLINK_NOFOLLOW)));
        },
      },
      newfstatat: {
        syscall: "newfstatat",
        args: syscallArguments("newfstatat"),
        doc: "fstatat(2)",
        handle(ctx, { dirfd, path, statbuf, flags }) {
          statbuf.set(linuxStat(stat(ctx, dirfd, path, flags)));
        },
      },
      readlink: {
        syscall: "readlink",
        args: syscallArguments("readlink"),
        doc: "readlink(2)",
        handle: readlink,
      },
      unlink: {
        syscall: "unlink",
        args: syscallArguments("unlink"),
        doc: "unlink(2)",
        handle(ctx, { path }) {
          at(ctx, AT.FDCWD, path, false, unlink);
        },
      },
    },
    hooks: {
      close({ state }) {
        for (const { root } of state.mounts) root.close();
      },
    },
  });
}

/** Resolves `path` from the working directory or from the directory that is open as `dirfd`. */
function at<T>(
  { state }: Context,
  dirfd: number,
  path: string,
  followLast: boolean,
  use: (resolved: Resolved) => T,
): T {
  if (path === "") throw errno("ENOENT");
  const fromCwd = path.startsWith("/") || dirfd === AT.FDCWD;
  const base = fromCwd ? state.cwd : directoryOf(state.table, dirfd);
  return state.paths.with(base, path, followLast, use);
}

function directoryOf(table: DescriptorTable, fd: number): string {
  const { directory } = table.get(fd);
  if (directory === undefined) throw errno("ENOTDIR");
  return directory;
}

function open(ctx: Context, dirfd: number, path: string, flags: number, mode: number): number {
  const { table } = ctx.state;
  table.lowestFree();
  return at(ctx, dirfd, path, followsLast(flags), (resolved) => {
    const directory = resolved.node?.kind === "directory" ? resolved.path : undefined;
    return table.add({ file: openResolved(resolved, flags, mode), directory });
  });
}

/** With O_CREAT and O_EXCL the last component is no link to follow (open(2)). */
const followsLast = (flags: number): boolean =>
  (flags & O.NOFOLLOW) === 0 && (flags & (O.CREAT | O.EXCL)) !== (O.CREAT | O.EXCL);

function openResolved(resolved: Resolved, flags: number, mode: number): OpenFile {
  const { node, parent, name, readOnly, mustBeDirectory } = resolved;
  if ((flags & O_TMPFILE) === O_TMPFILE) throw errno("ENOTSUP");
  if (node === undefined) {
    if (!(flags & O.CREAT)) throw errno("ENOENT");
    if (mustBeDirectory) throw errno("EISDIR");
    if (readOnly) throw errno("EROFS");
    return parent.create(name, flags & ~(O.CREAT | O.EXCL), mode);
  }
  if (flags & O.CREAT && flags & O.EXCL) throw errno("EEXIST");
  if (node.kind === "symlink") throw errno("ELOOP");
  if (flags & O.DIRECTORY && node.kind !== "directory") throw errno("ENOTDIR");
  if (node.kind === "directory" && (canWrite(flags) || flags & O.CREAT)) throw errno("EISDIR");
  if (readOnly && (canWrite(flags) || flags & O.TRUNC)) throw errno("EROFS");
  return node.open(flags & ~O.CREAT);
}

function stat(ctx: Context, dirfd: number, path: string, flags: number): FileStat {
  if (flags & ~STAT_FLAGS) throw errno("EINVAL");
  if (path === "" && flags & AT.EMPTY_PATH) {
    if (dirfd !== AT.FDCWD) return ctx.state.table.get(dirfd).file.stat();
    return stat(ctx, dirfd, ".", 0);
  }
  return at(ctx, dirfd, path, (flags & AT.SYMLINK_NOFOLLOW) === 0, ({ node }) => {
    if (node === undefined) throw errno("ENOENT");
    return node.stat();
  });
}

type ReadlinkArguments = Decoded<SyscallArguments<"readlink">>;

function readlink(ctx: Context, { path, buf }: ReadlinkArguments): number {
  if (buf.length === 0) return -ERRNO.EINVAL;
  return at(ctx, AT.FDCWD, path, false, ({ node }) => {
    if (node === undefined) throw errno("ENOENT");
    return buf.write(encodeText(node.readlink()).subarray(0, buf.length));
  });
}

function unlink({ node, parent, name, readOnly, mustBeDirectory }: Resolved): void {
  if (node === undefined) throw errno("ENOENT");
  if (node.kind === "directory") throw errno("EISDIR");
  if (mustBeDirectory) throw errno("ENOTDIR");
  if (readOnly) throw errno("EROFS");
  parent.unlink(name);
}
