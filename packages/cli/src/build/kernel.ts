/** The kernel of a machine: built by guest-kernel from the plugins' hypercalls, made an ELF file with symbols. */
import { writeElf } from "@kvmkit/elf";
import type { HypercallRow } from "@kvmkit/guest-kernel/abi";
import { type Artefact, type BuildCache, contentKey } from "./cache.js";
import { TOOLCHAIN } from "./toolchain.js";

/** The kernel that serves these hypercalls, from the cache where it is there. Errors: KernelBuildError. */
export function getKernel(cache: BuildCache, rows: readonly HypercallRow[]): Promise<Artefact> {
  const key = contentKey("kernel", TOOLCHAIN, JSON.stringify(rows));
  return cache.get(`kernel-${key}.elf`, async () => ({ bytes: await makeKernel(rows) }));
}

/** The assembler and the kernel's source are loaded only where a kernel has to be made. */
export async function makeKernel(rows: readonly HypercallRow[]): Promise<Uint8Array> {
  const { buildKernel } = await import("@kvmkit/guest-kernel");
  const { segments, entry, symbols } = buildKernel({ plugins: rows });
  return writeElf({ kind: "executable", entry, segments, symbols });
}
