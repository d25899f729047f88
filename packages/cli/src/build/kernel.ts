/** The kernel of a machine, from the cache where it is there. */
import type { HypercallRow } from "@kvmkit/guest-kernel/abi";
import { type Artefact, type BuildCache, contentKey } from "./cache.js";
import { TOOLCHAIN } from "./toolchain-hash.js";

/** The kernel that serves these hypercalls. Errors: KernelBuildError. */
export function getKernel(cache: BuildCache, rows: readonly HypercallRow[]): Promise<Artefact> {
  const key = contentKey("kernel", TOOLCHAIN, JSON.stringify(rows));
  return cache.get(`kernel-${key}.elf`, async () => ({ bytes: await makeKernel(rows) }));
}

/** The assembler and the kernel's source are loaded only where a kernel has to be made. */
export async function makeKernel(rows: readonly HypercallRow[]): Promise<Uint8Array> {
  const { kernelElf } = await import("./toolchain.js");
  return kernelElf(rows);
}
