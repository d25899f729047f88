/** Memory with everything in it that the guest finds at its first instruction. */
import { KERNEL_BASE, KERNEL_DATA_GPA, KERNEL_TEXT_GPA, LARGE_PAGE_SIZE } from "@kvmkit/guest-kernel/abi";
import type { Accelerator, MemoryBacking } from "./accelerators/accelerator.js";
import type { CodeRange } from "./backtrace.js";
import { flatMinimumBytes, layOutFlat } from "./boot/flat.js";
import { KVMKIT_MINIMUM_BYTES, layOutKvmkit } from "./boot/kvmkit.js";
import { GuestMemory } from "./memory/guest-memory.js";
import { type MemoryRange, memoryMap } from "./memory/memory-map.js";
import type { VmControl } from "./plugin-context.js";
import type { CpuStart } from "./vcpu-setup.js";
import type { VmOptions } from "./vm-options.js";

/** What a machine is started from; structured-cloneable, because another thread may run it. */
export interface MachinePlan {
  readonly protocol: VmControl["protocol"];
  readonly cwd: string;
  readonly ranges: readonly MemoryRange[];
  readonly start: CpuStart;
  /** `kvmkit`: guest-physical address of the boot information. */
  readonly bootInfo: number | undefined;
  /** Where return addresses of ring 0 may point. */
  readonly kernelCode: CodeRange;
}

export interface MachineLayout {
  readonly backing: MemoryBacking;
  readonly memory: GuestMemory;
  readonly plan: MachinePlan;
}

const KERNEL_CODE: CodeRange = { start: KERNEL_BASE + KERNEL_TEXT_GPA, end: KERNEL_BASE + KERNEL_DATA_GPA };

/** Errors: ERR_VM_MEMORY_SIZE, ERR_VM_HOST, and those of the boot protocols. */
export function layOutMachine(accelerator: Accelerator, options: VmOptions): MachineLayout {
  const { boot, memoryBytes, program } = options;
  const ranges = rangesFor(boot.protocol, memoryBytes);
  const backing = accelerator.allocateMemory(memoryBytes);
  try {
    const memory = new GuestMemory(backing, ranges);
    const common = { protocol: boot.protocol, cwd: program?.cwd ?? "/", ranges, kernelCode: KERNEL_CODE };
    if (boot.protocol !== "kvmkit") {
      return { backing, memory, plan: { ...common, bootInfo: undefined, start: layOutFlat(memory, boot) } };
    }
    const { bootInfo, start } = layOutKvmkit(memory, {
      kernel: boot.kernel,
      ...(program && { program }),
      ring0Emulated: accelerator.traits.ring0Emulated,
      random: options.random ?? crypto.getRandomValues(new Uint8Array(16)),
    });
    return { backing, memory, plan: { ...common, bootInfo, start } };
  } catch (error) {
    backing.close();
    throw error;
  }
}

function rangesFor(protocol: VmControl["protocol"], memoryBytes: number): MemoryRange[] {
  return protocol === "kvmkit"
    ? memoryMap(memoryBytes, LARGE_PAGE_SIZE, KVMKIT_MINIMUM_BYTES)
    : memoryMap(memoryBytes, undefined, flatMinimumBytes(protocol));
}
