/** An x86-64 processor in TypeScript and WebAssembly: see README.md. */
export { Cpu, type CpuOptions, type EngineChoice, type EngineName, type RunOptions } from "./cpu.js";
export { supportedCpuid } from "./cpuid.js";
export { CPU_ERRORS, CpuError, type CpuErrorCode, type CpuErrorFacts, InternalError } from "./errors.js";
export { type CpuExit, EXIT_REASONS, type ExitReason } from "./exits.js";
export type {
  KvmDebugregs,
  KvmDtable,
  KvmFpu,
  KvmMsrEntry,
  KvmRegs,
  KvmSegment,
  KvmSregs,
  KvmTranslation,
  KvmVcpuEvents,
} from "./kvm-types.js";
export type { CpuidEntry, ExternalAccess } from "./machine.js";
export { CpuMemory, type CpuMemoryOptions, KVM_MEM_READONLY, type MemoryRegion } from "./memory.js";
export { MSR_NUMBERS, Msr } from "./msrs.js";
export { type CpuSnapshot, SNAPSHOT_VERSION } from "./snapshot.js";
export type { WasmMemory } from "./webassembly.js";
