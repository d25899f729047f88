/** What a manifest may say about the store. */
import { resolve } from "node:path";

export interface StoreOptions {
  /** Absolute. Undefined: in memory, for one run. */
  readonly file: string | undefined;
  /** What the database may take, in bytes: the guest decides what is put, so there is always a limit. */
  readonly maxBytes: number;
}

const DEFAULT_MAX_BYTES = 64 * 2 ** 20;

export function checkOptions(given: unknown): StoreOptions {
  const { file, maxBytes = DEFAULT_MAX_BYTES, ...others } = (given ?? {}) as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`unknown option ${unknown}; there are file and maxBytes`);
  if (file !== undefined && (typeof file !== "string" || file === "")) {
    throw new Error("file must be the path of a file, relative to the folder that kvm is started in");
  }
  if (!Number.isSafeInteger(maxBytes) || Number(maxBytes) < 65_536) {
    throw new Error("maxBytes must be a whole number of at least 65536");
  }
  return { file: file === undefined ? undefined : resolve(file), maxBytes: Number(maxBytes) };
}
