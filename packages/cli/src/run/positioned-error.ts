/** What the machine refuses of a manifest, said where it stands in the manifest. */
import { VmError, type VmErrorCode } from "@kvmkit/hypervisor";
import type { BuiltManifest } from "../build/build-manifest.js";
import { ManifestError } from "../config/problems.js";
import type { Path } from "../config/toml-document.js";

/** Where the cause of an error is written. An error of something else stays as it is. */
function pathOf(error: VmError, { loaded, plugins }: BuiltManifest): Path | undefined {
  const { facts } = error;
  const { mount } = loaded.manifest;
  const ofPlugin = (key: string) =>
    below(
      "plugin",
      plugins.findIndex(({ plugin }) => plugin.name === facts["plugin"]),
      key,
    );
  const paths: Partial<Record<VmErrorCode, () => Path | undefined>> = {
    ERR_VM_MEMORY_SIZE: () => ["vm", "memory"],
    ERR_VM_MEMORY_EXHAUSTED: () => ["vm", "memory"],
    ERR_VM_KERNEL: () => ["vm", "kernel"],
    ERR_VM_IMAGE: () => [
      "vm",
      facts["field"] === "load" || facts["field"] === "entry" ? facts["field"] : "kernel",
    ],
    ERR_VM_PROGRAM_ARGUMENTS: () => ["program", "args"],
    ERR_VM_MOUNT: () =>
      below(
        "mount",
        mount.findIndex(({ guest }) => guest === facts["guest"]),
        "guest",
      ),
    ERR_VM_PLUGIN_OPTIONS: () => ofPlugin("options"),
    ERR_VM_PLUGIN_DEPENDENCY: () => ofPlugin("module"),
  };
  return paths[error.code]?.();
}

function below(table: string, index: number, key: string): Path | undefined {
  return index < 0 ? undefined : [table, index, key];
}

/** Errors: ManifestError in place of a VmError whose cause stands in the manifest. */
export async function positioned<T>(built: BuiltManifest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const path = error instanceof VmError ? pathOf(error, built) : undefined;
    if (!(error instanceof VmError) || path === undefined) throw error;
    throw new ManifestError([built.loaded.problem(path, error.code, error.message)]);
  }
}
