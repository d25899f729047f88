export type { RegisterName, Registers } from "./accelerators/accelerator.js";
export { type Gpa, type Gva, toGpa, toGva } from "./addresses.js";
export {
  type Argument,
  type Decoded,
  type InOutValue,
  type OutValue,
  type ScalarArgument,
  t,
} from "./argument-types.js";
export {
  ERROR_TABLE,
  type ErrorRow,
  type Facts,
  InternalError,
  VmError,
  type VmErrorCode,
} from "./errors.js";
export { GuestBuffer } from "./guest-buffer.js";
export type {
  GuestArguments,
  GuestFunction,
  GuestResult,
  GuestSignature,
} from "./guest-function.js";
export { HandleTable } from "./handle-table.js";
export { Errno, errno } from "./host/errno.js";
export type { StopSignal } from "./host/stop-source.js";
export { GuestMemory } from "./memory/guest-memory.js";
export { GuestSpace } from "./memory/guest-space.js";
export {
  definePlugin,
  type GuestSources,
  type HandlerResult,
  type HypercallCall,
  isPlugin,
  type MiddlewareDefinition,
  type Next,
  type OptionsSchema,
  PLUGIN_ABI,
  type Plugin,
  type PluginDefinition,
  type PluginRow,
  type PluginSource,
} from "./plugin.js";
export type { HandlerContext, HookContext, SetupContext, VmControl } from "./plugin-context.js";
export { type PluginGrant, type ResolvedPlugin, resolvePlugins } from "./plugin-set.js";
export { calls } from "./plugins/calls.js";
export { clock } from "./plugins/clock.js";
export { type ConsoleService, type ConsoleStreams, consolePlugin } from "./plugins/console.js";
export { debugConsole } from "./plugins/debug-console.js";
export { type DescriptorOptions, descriptors } from "./plugins/descriptors.js";
export { type FilesService, filesPlugin } from "./plugins/files.js";
export { foreignHost } from "./plugins/foreign-host.js";
export { type MemoryConsoleOptions, memoryConsole } from "./plugins/memory-console.js";
export { type MemoryFilesOptions, memoryFiles } from "./plugins/memory-files.js";
export { process } from "./plugins/process.js";
export { random } from "./plugins/random.js";
export type {
  BacktraceEntry,
  Diagnostic,
  KillReason,
  LimitName,
  RunCounts,
  RunResult,
  RunTimings,
  SymbolPlace,
} from "./result.js";
export type { TraceEvent, TraceSink } from "./trace.js";
export { createVm, type Vm } from "./vm.js";
export type {
  AccelOption,
  BootOptions,
  Limits,
  PluginEntry,
  RunOptions,
  RunSyncOptions,
  VmOptions,
} from "./vm-options.js";
