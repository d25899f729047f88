/** What the classes over the kinds of KVM descriptor share: the call of an ioctl by its row. */
import { constants } from "node:os";
import { type CapabilityName, capabilities } from "./capabilities.js";
import { capabilityNumber } from "./checks.js";
import { KvmError } from "./errors.js";
import { Handled, handleOf } from "./handled.js";
import { type IoctlName, type IoctlRow, ioctlIndex, ioctls } from "./ioctls.js";
import { kvm_device_attr, kvm_enable_cap } from "./structs.js";

const { EINVAL, ENOTTY, ENXIO, ENOSYS, EOPNOTSUPP } = constants.errno;
/** The errnos with which KVM answers what it does not know. */
const UNKNOWN: ReadonlySet<number> = new Set([EINVAL, ENOTTY, ENXIO, ENOSYS, EOPNOTSUPP]);

const ANSWERS_BY_CAPABILITY: IoctlName = "KVM_CHECK_EXTENSION";

export abstract class KvmFd extends Handled {
  /** The descriptor's number, for /proc and for tools; it stays the object's. */
  get fd(): number {
    return this.checked(handleOf(this).fd());
  }

  /** KVM_ENABLE_CAP, on a virtual machine or a vCPU; what the arguments mean is the capability's. */
  enableCap(capability: CapabilityName | number, ...args: readonly bigint[]): void {
    const cap = capabilityNumber(capability);
    this.callWith("KVM_ENABLE_CAP", kvm_enable_cap.encode({ cap, args: [...args] }));
  }

  /** KVM_HAS_DEVICE_ATTR. */
  hasDeviceAttr(group: number, attr: bigint): boolean {
    const argument = kvm_device_attr.encode({ group, attr });
    const result = handleOf(this).ioctl(ioctlIndex.KVM_HAS_DEVICE_ATTR, 0, argument);
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

  /** @internal KVM_CHECK_EXTENSION on the nearest descriptor that has it; 0 for "no". */
  protected abstract extension(number: number): number;

  /** @internal An ioctl that takes nothing or a number. */
  protected call(name: IoctlName, value = 0): number {
    const result = handleOf(this).ioctl(ioctlIndex[name], value);
    if (result < 0) throw this.explain(name, result);
    return result;
  }

  /** @internal An ioctl that takes a structure, which the kernel may change in place. */
  protected callWith<B extends Uint8Array>(name: IoctlName, argument: B, extra?: Uint8Array): B {
    if (!(argument instanceof Uint8Array))
      throw new KvmError("ERR_KVM_ARGUMENT", { what: name, value: argument, allowed: "a Uint8Array" });
    const result = handleOf(this).ioctl(ioctlIndex[name], 0, argument, extra);
    if (result < 0) throw this.explain(name, result);
    return argument;
  }

  /** @internal A refusal that a missing capability explains is reported as that. */
  protected explain(name: IoctlName, result: number): KvmError {
    const { capability }: IoctlRow = ioctls[ioctlIndex[name]]!;
    if (capability !== undefined && name !== ANSWERS_BY_CAPABILITY && UNKNOWN.has(-result))
      if (this.extension(capabilities[capability]) <= 0)
        return new KvmError("ERR_KVM_UNSUPPORTED", { ioctl: name, errno: -result, capability });
    return this.failed(result, { ioctl: name });
  }
}
