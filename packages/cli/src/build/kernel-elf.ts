/** Builds a kernel from the plugins' hypercalls, and makes an ELF file with symbols of it. */
import { writeElf } from "@kvmkit/elf";
import { buildKernel } from "@kvmkit/guest-kernel";
import type { HypercallRow } from "@kvmkit/guest-kernel/abi";

/** Errors: KernelBuildError. */
export function kernelElf(rows: readonly HypercallRow[]): Uint8Array {
  const { segments, entry, symbols } = buildKernel({ plugins: rows });
  return writeElf({ kind: "executable", entry, segments, symbols });
}
