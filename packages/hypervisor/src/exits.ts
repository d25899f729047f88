/**
 * One handler per exit: what each means for the run.
 *
 * A handler ends the run through `control`, or returns and the guest goes on. Hypercalls and ports are not here but in
 * the run loop, because they are what a run consists of.
 */
import {
  type ExitDetails,
  type ExitName,
  INTERNAL_ERROR_EMULATION,
  REG,
  type VirtualCpu,
} from "./accelerators/accelerator.js";
import { type Facts, VmError, type VmErrorCode } from "./errors.js";
import type { RunControl } from "./run-control.js";

export interface ExitScene {
  readonly cpu: VirtualCpu;
  readonly control: RunControl;
  /** Up to `length` bytes of guest code at rip, fewer where they cannot be read. */
  codeAt(rip: bigint, length: number): Uint8Array;
}

type ExitHandler<N extends ExitName> = (scene: ExitScene, details: Extract<ExitDetails, { exit: N }>) => void;

/** Longest x86 instruction (SDM Vol. 2A, "Instruction Format"). */
const MAX_INSTRUCTION_BYTES = 15;

const fail = ({ cpu, control }: ExitScene, code: VmErrorCode, facts: Facts = {}): void =>
  control.fail(new VmError(code, { ...facts, rip: cpu.registers[REG.rip]! }));

const unexpected = (scene: ExitScene, { exit }: ExitDetails): void =>
  fail(scene, "ERR_VM_UNKNOWN_EXIT", { exit });

/** KVM_EXIT_IO is the run loop's own. */
export const exitHandlers: { readonly [N in Exclude<ExitName, "KVM_EXIT_IO">]: ExitHandler<N> } = {
  KVM_EXIT_HLT: ({ control }) => control.end({ kind: "halted" }),
  KVM_EXIT_SHUTDOWN: (scene) => fail(scene, "ERR_VM_TRIPLE_FAULT"),
  KVM_EXIT_MMIO: (scene, { address, sizeBytes, isWrite }) =>
    fail(scene, "ERR_VM_UNMAPPED_MEMORY", { access: isWrite ? "wrote" : "read", size: sizeBytes, address }),
  KVM_EXIT_INTERNAL_ERROR: (scene, { suberror, instruction }) => {
    if (suberror !== INTERNAL_ERROR_EMULATION) {
      fail(scene, "ERR_VM_INTERNAL_EXIT", { suberror });
      return;
    }
    const code = instruction.length
      ? instruction
      : scene.codeAt(scene.cpu.registers[REG.rip]!, MAX_INSTRUCTION_BYTES);
    fail(scene, "ERR_VM_NOT_EMULATED", { bytes: hex(code) || "its bytes cannot be read" });
  },
  KVM_EXIT_FAIL_ENTRY: (scene, { reason }) => fail(scene, "ERR_VM_FAIL_ENTRY", { reason }),
  // A stop is seen by the run loop; what is left are kicks and signals that mean nothing to the guest.
  KVM_EXIT_INTR: () => {},
  KVM_EXIT_UNKNOWN: unexpected,
  KVM_EXIT_EXCEPTION: unexpected,
  KVM_EXIT_HYPERCALL: unexpected,
  KVM_EXIT_DEBUG: unexpected,
  KVM_EXIT_IRQ_WINDOW_OPEN: unexpected,
  KVM_EXIT_SET_TPR: unexpected,
  KVM_EXIT_TPR_ACCESS: unexpected,
  KVM_EXIT_NMI: unexpected,
  KVM_EXIT_SYSTEM_EVENT: unexpected,
  KVM_EXIT_IOAPIC_EOI: unexpected,
  KVM_EXIT_X86_RDMSR: unexpected,
  KVM_EXIT_X86_WRMSR: unexpected,
  KVM_EXIT_DIRTY_RING_FULL: unexpected,
  KVM_EXIT_X86_BUS_LOCK: unexpected,
  KVM_EXIT_NOTIFY: unexpected,
  KVM_EXIT_MEMORY_FAULT: unexpected,
};

/** Runs the handler of the exit that the vCPU stands at. */
export function handleExit(scene: ExitScene): void {
  const details = scene.cpu.exitDetails();
  const handler = exitHandlers[details.exit as Exclude<ExitName, "KVM_EXIT_IO">] as ExitHandler<ExitName>;
  handler(scene, details);
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
