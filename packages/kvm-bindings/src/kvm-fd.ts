/** What the classes over the kinds of KVM descriptor share: the call of an ioctl by its row, and closing. */
import { constants } from "node:os";
import { type CapabilityName, capabilities } from "./capabilities.js";
import { KvmError } from "./errors.js";
import { type IoctlName, type IoctlRow, ioctlIndex, ioctls } from "./ioctls.js";
import { NATIVE, type NativeHandle } from "./load-native.js";
import { kvm_device_attr, kvm_enable_cap } from "./structs.js";

/** What went wrong, for a result below zero. */
export function failure(result: number, what: string, facts: { ioctl?: string; syscall?: string }): KvmError {
  switch (result) {
    case NATIVE.CLOSED:
      return new KvmError("ERR_KVM_CLOSED", { what, ...facts });
    case NATIVE.WRONG_THREAD:
      return new KvmError("ERR_KVM_WRONG_THREAD", { what, ...facts });
    case NATIVE.BUFFER:
      return new KvmError("ERR_KVM_BUFFER", { what, ...facts });
    case NATIVE.RANGE:
    case NATIVE.ARGUMENT:
      return new KvmError("ERR_KVM_ARGUMENT", {
        what,
        value: undefined,
        allowed: "see the reference",
        ...facts,
      });
    default: {
      const errno = -result;
      return facts.ioctl === undefined
        ? new KvmError("ERR_KVM_SYSTEM_CALL", { what, errno, ...facts })
        : new KvmError("ERR_KVM_IOCTL", { what, errno, ...facts });
    }
  }
}

/** A handle, or the error that came instead. */
export function handleOr(
  result: NativeHandle | number,
  what: string,
  facts: { ioctl?: string; syscall?: string },
): NativeHandle {
  if (typeof result === "number") throw failure(result, what, facts);
  return result;
}

const { EINVAL, ENOTTY, ENXIO, ENOSYS, EOPNOTSUPP } = constants.errno;
/** The errnos with which KVM answers what it does not know. */
const UNKNOWN: ReadonlySet<number> = new Set([EINVAL, ENOTTY, ENXIO, ENOSYS, EOPNOTSUPP]);

const ANSWERS_BY_CAPABILITY: IoctlName = "KVM_CHECK_EXTENSION";

export abstract class KvmFd {
  /** @internal */
  readonly handle: NativeHandle;
  /** For messages: `Vcpu 0`. */
  readonly #what: string;
  #closed = false;

  /** @internal */
  protected constructor(handle: NativeHandle, what: string) {
    this.handle = handle;
    this.#what = what;
    Object.defineProperty(this, "handle", { enumerable: false });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Identifies the object in the process; another thread's `attach(id)` finds it while it is open. */
  get id(): number {
    return this.checked(this.handle.id());
  }

  /** The descriptor's number, for /proc and for tools; it stays the object's. */
  get fd(): number {
    return this.checked(this.handle.fd());
  }

  /** KVM_ENABLE_CAP, on a virtual machine or a vCPU; what the arguments mean is the capability's. */
  enableCap(capability: CapabilityName | number, ...args: readonly bigint[]): void {
    const cap = capabilityNumber(capability);
    this.callWith("KVM_ENABLE_CAP", kvm_enable_cap.encode({ cap, args: [...args] }));
  }

  /** KVM_HAS_DEVICE_ATTR. */
  hasDeviceAttr(group: number, attr: bigint): boolean {
    const argument = kvm_device_attr.encode({ group, attr });
    const result = this.handle.ioctl(ioctlIndex.KVM_HAS_DEVICE_ATTR, 0, argument);
    if (result < 0 && !UNKNOWN.has(-result)) throw this.explain("KVM_HAS_DEVICE_ATTR", result);
    return result === 0;
  }

  /** KVM_GET_DEVICE_ATTR into `data`, which is as long as the attribute, 8 bytes at least. */
  getDeviceAttr(group: number, attr: bigint, data = new Uint8Array(8)): Uint8Array {
    this.callWith("KVM_GET_DEVICE_ATTR", kvm_device_attr.encode({ group, attr }), data);
    return data;
  }

  setDeviceAttr(group: number, attr: bigint, data: Uint8Array): void {
    this.callWith("KVM_SET_DEVICE_ATTR", kvm_device_attr.encode({ group, attr }), data);
  }

  /** Gives the descriptor back; calls after that throw ERR_KVM_CLOSED. Closing twice does nothing. */
  close(): void {
    this.#closed = true;
    this.handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal KVM_CHECK_EXTENSION on the nearest descriptor that has it; 0 for "no". */
  protected abstract extension(number: number): number;

  /** @internal */
  protected checked(result: number, facts: { ioctl?: string; syscall?: string } = {}): number {
    if (result < 0) throw failure(result, this.#what, facts);
    return result;
  }

  /** @internal An ioctl that takes nothing or a number. */
  protected call(name: IoctlName, value = 0): number {
    const result = this.handle.ioctl(ioctlIndex[name], value);
    if (result < 0) throw this.explain(name, result);
    return result;
  }

  /** @internal An ioctl that takes a structure, which the kernel may change in place. */
  protected callWith<B extends Uint8Array>(name: IoctlName, argument: B, extra?: Uint8Array): B {
    const result = this.handle.ioctl(ioctlIndex[name], 0, argument, extra);
    if (result < 0) throw this.explain(name, result);
    return argument;
  }

  /** @internal A refusal that a missing capability explains is reported as that. */
  protected explain(name: IoctlName, result: number): KvmError {
    const { capability }: IoctlRow = ioctls[ioctlIndex[name]]!;
    if (capability !== undefined && name !== ANSWERS_BY_CAPABILITY && UNKNOWN.has(-result))
      if (this.extension(capabilities[capability]) <= 0)
        return new KvmError("ERR_KVM_UNSUPPORTED", { ioctl: name, errno: -result, capability });
    return failure(result, this.#what, { ioctl: name });
  }
}

/** The number of a capability given by name or number. */
export function capabilityNumber(capability: CapabilityName | number): number {
  const number = typeof capability === "number" ? capability : capabilities[capability];
  if (!Number.isInteger(number) || number < 0)
    throw new KvmError("ERR_KVM_ARGUMENT", {
      what: "capability",
      value: capability,
      allowed: "a KVM_CAP_ name of src/capabilities.ts, or a number",
    });
  return number;
}

/** Refuses what is not an integer of [min, max]. */
export function integerOf(what: string, value: number, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
    throw new KvmError("ERR_KVM_ARGUMENT", { what, value, allowed: `an integer from ${min} to ${max}` });
  return value;
}

/** Refuses what is not an array. */
export function arrayOf<T>(what: string, value: readonly T[]): readonly T[] {
  if (Array.isArray(value)) return value;
  throw new KvmError("ERR_KVM_ARGUMENT", { what, value, allowed: "an array" });
}

/** A class, also one whose constructor is private. */
interface Class<T> {
  readonly name: string;
  readonly prototype: T;
  [Symbol.hasInstance](value: unknown): boolean;
}

/** Refuses what is not an instance of the class; undefined passes. */
export function instanceOf<T>(what: string, value: T | undefined, type: Class<T>): T | undefined {
  if (value === undefined || type[Symbol.hasInstance](value)) return value;
  throw new KvmError("ERR_KVM_ARGUMENT", { what, value, allowed: `a ${type.name}` });
}

/** Refuses what is not a bigint of 64 bits. */
export function u64Of(what: string, value: bigint): bigint {
  if (typeof value !== "bigint" || value < 0n || value > 0xffff_ffff_ffff_ffffn)
    throw new KvmError("ERR_KVM_ARGUMENT", { what, value, allowed: "a bigint of 64 bits" });
  return value;
}
