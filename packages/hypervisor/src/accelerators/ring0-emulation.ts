/**
 * Whether ring 0 is run by an instruction emulator, found out by running an instruction that hardware has and the
 * emulator lacks. CPUID does not tell.
 */
import { layOutFlat } from "../boot/flat.js";

import { GuestMemory } from "../memory/guest-memory.js";
import { memoryMap } from "../memory/memory-map.js";
import { setUpVcpu } from "../vcpu-setup.js";
import { type Accelerator, EXIT } from "./accelerator.js";

/** movq xmm0, rax; hlt */
const PROBE = Uint8Array.of(0x66, 0x48, 0x0f, 0x6e, 0xc0, 0xf4);
const PROBE_MEMORY = 4 * 2 ** 20;

/** Runs the probe in a scratch machine in long mode; some 2 ms. */
export function detectRing0Emulation(accelerator: Accelerator): boolean {
  const ranges = memoryMap(PROBE_MEMORY);
  const backing = accelerator.allocateMemory(PROBE_MEMORY);
  try {
    const start = layOutFlat(new GuestMemory(backing, ranges), { protocol: "long", image: PROBE });
    const machine = accelerator.createMachine(backing, ranges);
    try {
      const cpu = machine.createCpu(0);
      setUpVcpu(cpu, start);
      return cpu.run(undefined) === EXIT.KVM_EXIT_INTERNAL_ERROR;
    } finally {
      machine.close();
    }
  } finally {
    backing.close();
  }
}
