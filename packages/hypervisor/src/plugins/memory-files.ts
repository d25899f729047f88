/** Files in memory only: a root that the caller fills, and a bounded /tmp. */
import type { Mount } from "../host/file-system.js";
import { MemoryBudget, MemoryDirectory } from "../host/memory-file-system.js";
import { encodeText } from "../memory/text.js";
import { filesPlugin } from "./files.js";
import { checkedFields, integerOption } from "./options.js";

/** Bytes that /tmp may hold. */
export const DEFAULT_TMP_BYTES = 16 * 2 ** 20;
export const MAX_TMP_BYTES = 2 ** 30;

export interface MemoryFilesOptions {
  /** Files of the root by absolute path. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
  /** Bytes that /tmp may hold. Default 16 MiB. */
  readonly tmpBytes: number;
}

/** What a guest sees without mounts: an empty root that cannot be written, and a bounded /tmp that can. */
export function memoryMounts(tmpBytes: number): { readonly root: MemoryDirectory; readonly mounts: Mount[] } {
  const root = new MemoryDirectory(new MemoryBudget(Number.POSITIVE_INFINITY));
  root.directory("/tmp");
  const tmp = new MemoryDirectory(new MemoryBudget(tmpBytes), 0o1777);
  return {
    root,
    mounts: [
      { path: "/", root, readOnly: true },
      { path: "/tmp", root: tmp, readOnly: false },
    ],
  };
}

export const memoryFiles = filesPlugin(
  { module: import.meta.url, export: "memoryFiles" },
  (options): MemoryFilesOptions => {
    const fields = checkedFields(options, ["files", "tmpBytes"]);
    return {
      files: (fields["files"] ?? {}) as MemoryFilesOptions["files"],
      tmpBytes: integerOption(fields, "tmpBytes", DEFAULT_TMP_BYTES, 0, MAX_TMP_BYTES),
    };
  },
  ({ options }) => {
    const { root, mounts } = memoryMounts(options.tmpBytes);
    for (const [path, content] of Object.entries(options.files)) {
      root.addFile(path, typeof content === "string" ? encodeText(content) : content);
    }
    return mounts;
  },
);
