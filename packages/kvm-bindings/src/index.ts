export { type CapabilityName, capabilities } from "./capabilities.js";
export { Device, GuestMemfd } from "./device.js";
export { errnoName, errors, KvmError, type KvmErrorCode, type KvmErrorFacts } from "./errors.js";
export {
  decodeExit,
  type ExitName,
  emulation_failure,
  exitName,
  exitReasons,
  KVM_EXIT,
  type VcpuExit,
} from "./exit-reasons.js";
export { type AllocateOptions, GuestMemory, PAGE_SIZE, WINDOW_BYTES } from "./guest-memory.js";
export { hostIo, POLL, type TransferOptions } from "./host-io.js";
export { type IoctlName, type IoctlRow, ioctls, requestOf } from "./ioctls.js";
export { Kvm } from "./kvm.js";
export type { Field, Struct, StructShape, StructValue } from "./layout.js";
export { type StopReason, StopSource } from "./stop-source.js";
export * from "./structs.js";
export { KVM_SYNC_X86, type RunPage, Vcpu } from "./vcpu.js";
export { KVM_MEM, type UserMemoryRegion, Vm } from "./vm.js";
export type { MsrFilterRange, PmuEventFilter } from "./vm-devices.js";
