/** The `files` plugin over host directories: deny by default, read-only unless a mount says otherwise. */
import { reasonOf, VmError } from "../errors.js";
import { Errno } from "../host/errno.js";
import type { Mount } from "../host/file-system.js";
import { LimitedTree } from "../host/limited-file-system.js";
import { MemoryBudget, MemoryDirectory } from "../host/memory-file-system.js";
import type { SetupContext } from "../plugin-context.js";
import { filesPlugin } from "../plugins/files.js";
import { DEFAULT_TMP_BYTES, MAX_TMP_BYTES, memoryMounts } from "../plugins/memory-files.js";
import { checkedFields, integerOption } from "../plugins/options.js";
import { HostNode } from "./host-file-system.js";

/** A host directory or file, or memory, at a path of the guest. */
export type MountOption =
  | { readonly guest: string; readonly host: string; readonly mode?: "ro" | "rw" }
  | { readonly guest: string; readonly tmpfs: number };

export interface HostFilesOptions {
  readonly mounts: readonly MountOption[];
  /** Bytes that /tmp may hold where no mount is there. Default 16 MiB. */
  readonly tmpBytes: number;
  /** Bytes that one file may have where the guest writes to it. Default: no limit. */
  readonly fileBytes: number;
}

export const files = filesPlugin(
  { module: import.meta.url, export: "files" },
  (options): HostFilesOptions => {
    const fields = checkedFields(options, ["mounts", "tmpBytes", "fileBytes"]);
    const mounts = (fields["mounts"] ?? []) as readonly MountOption[];
    if (!Array.isArray(mounts)) throw new TypeError("mounts is not an array");
    for (const mount of mounts) checkMount(mount);
    const paths = mounts.map(({ guest }) => normalized(guest));
    const twice = paths.find((path, index) => paths.indexOf(path) !== index);
    if (twice !== undefined) throw mountError(twice, "it is mounted twice");
    return {
      mounts,
      tmpBytes: integerOption(fields, "tmpBytes", DEFAULT_TMP_BYTES, 0, MAX_TMP_BYTES),
      fileBytes: integerOption(fields, "fileBytes", Number.MAX_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER),
    };
  },
  (ctx): Mount[] => {
    const { root, mounts } = memoryMounts(ctx.options.tmpBytes);
    const byPath = new Map(mounts.map((mount) => [mount.path, mount]));
    for (const option of ctx.options.mounts) {
      const path = normalized(option.guest);
      // So that the way to a mount can be walked although nothing else is there.
      root.directory(path.slice(0, path.lastIndexOf("/")));
      byPath.set(path, mountOf(ctx, path, option));
    }
    return [...byPath.values()].map((each) => limited(each, ctx.options.fileBytes));
  },
);

function limited(mount: Mount, fileBytes: number): Mount {
  if (mount.readOnly || fileBytes === Number.MAX_SAFE_INTEGER) return mount;
  return { ...mount, root: new LimitedTree(mount.root, fileBytes) };
}

function mountOf({ vm }: SetupContext<HostFilesOptions>, path: string, option: MountOption): Mount {
  if ("tmpfs" in option) {
    return { path, root: new MemoryDirectory(new MemoryBudget(option.tmpfs), 0o1777), readOnly: false };
  }
  try {
    return { path, root: HostNode.root(option.host, vm.stop), readOnly: option.mode !== "rw" };
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
    throw mountError(path, `${option.host} of the host cannot be opened: ${reasonOf(error)}`);
  }
}

function checkMount(mount: MountOption): void {
  const { guest } = mount;
  if (typeof guest !== "string" || !guest.startsWith("/") || guest.split("/").includes("..")) {
    throw mountError(String(guest), "the guest path is not absolute, or has ..");
  }
  if ("tmpfs" in mount) {
    if (Number.isInteger(mount.tmpfs) && mount.tmpfs >= 0 && mount.tmpfs <= MAX_TMP_BYTES) return;
    throw mountError(guest, `tmpfs is ${mount.tmpfs}, allowed: 0 to ${MAX_TMP_BYTES} bytes`);
  }
  if (typeof mount.host !== "string" || !mount.host.startsWith("/")) {
    throw mountError(guest, `host is ${String(mount.host)}, allowed: an absolute path`);
  }
  if (mount.mode !== undefined && mount.mode !== "ro" && mount.mode !== "rw") {
    throw mountError(guest, `mode is ${String(mount.mode)}, allowed: ro, rw`);
  }
}

const normalized = (path: string): string =>
  `/${path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/")}`;

const mountError = (guest: string, reason: string): VmError => new VmError("ERR_VM_MOUNT", { guest, reason });
