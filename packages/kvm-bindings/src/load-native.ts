/** The only module that loads the native part, when it is first needed: importing the package never throws. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { KvmError } from "./errors.js";

/** A reference to a native object; see `Handle` in native/addon.cc. Results below zero are errors. */
export interface NativeHandle {
  id(): number;
  close(): void;
  fd(): number;
  ioctl(row: number, value: number, argument?: Uint8Array, extra?: Uint8Array): number;
  createVm(type: number): NativeHandle | number;
  createVcpu(id: number, runSize: number): NativeHandle | number;
  createFd(row: number, argument?: Uint8Array): NativeHandle | number;
  supportedCpuid(): Uint8Array | number;
  setUserMemoryRegion(
    slot: number,
    flags: number,
    guestPhysAddr: bigint,
    memory: NativeHandle | undefined,
    offset: number,
    size: number,
    guestMemfd?: NativeHandle,
    guestMemfdOffset?: number,
  ): number;
  memoryEncryptRegion(row: number, memory: NativeHandle, offset: number, size: number): number;
  bind(stop?: NativeHandle): number;
  kick(): number;
  size(): number;
  view(offset: number, length: number): ArrayBuffer | number;
  dirtyRing(size: number): ArrayBuffer | number;
  advise(offset: number, size: number, populate: boolean): number;
  stop(): number;
  stopReason(): number;
  armWall(ms: number): number;
  armCpu(ms: number): number;
  watchSignals(bits: number): number;
  reset(): number;
}

export interface Native {
  /** KVM_RUN of the vCPU whose bind() was last on this thread. */
  run(): number;
  open(path: string): NativeHandle | number;
  allocateMemory(size: number, fd: number, fileOffset: number, flags: number): NativeHandle | number;
  createStop(): NativeHandle | number;
  attach(id: number, types: number): NativeHandle | number;
  read(
    fd: number,
    views: readonly Uint8Array[],
    first: number,
    stop: NativeHandle | undefined,
    position: number,
  ): number;
  write(
    fd: number,
    views: readonly Uint8Array[],
    first: number,
    stop: NativeHandle | undefined,
    position: number,
  ): number;
  poll(fd: number, events: number, timeoutMs: number, stop: NativeHandle | undefined): number;
  openBeneath(directory: number, path: string, flags: number, mode: number): number;
  eventfd(initial: number, flags: number): number;
  detach(buffer: ArrayBuffer): number;
}

/** What native/kvmkit.h calls KVMKIT_E_* and KVMKIT_INTERRUPTED. */
export const NATIVE = {
  CLOSED: -10001,
  WRONG_THREAD: -10002,
  ARGUMENT: -10003,
  BUFFER: -10004,
  RANGE: -10005,
  NO_SUCH_ID: -10006,
  INTERRUPTED: -10007,
  ADDRESS: -10008,
} as const;

/** `enum kvmkit_type`, where fdKinds does not have it. */
export const objectTypes = { memory: 32, stop: 64 } as const;

let loaded: Native | undefined;

/** The native part; ERR_KVM_NATIVE_MISSING names the remedy where there is none. */
export function native(): Native {
  loaded ??= load();
  return loaded;
}

function load(): Native {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new KvmError("ERR_KVM_NATIVE_MISSING", { platform, reason: "it is for linux-x64" });
  const require = createRequire(import.meta.url);
  try {
    const nodeGypBuild = require("node-gyp-build") as (directory: string) => Native;
    return nodeGypBuild(fileURLToPath(new URL("..", import.meta.url)));
  } catch (cause) {
    const reason = (cause as Error).message.split("\n", 1)[0]!;
    throw new KvmError("ERR_KVM_NATIVE_MISSING", { platform, reason }, { cause });
  }
}
