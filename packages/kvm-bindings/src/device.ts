/** Devices that KVM emulates (KVM api.rst 4.79), and files that it hands out. */
import { KvmFd } from "./kvm-fd.js";
import type { NativeHandle } from "./load-native.js";

/** A device of KVM_CREATE_DEVICE; its attributes are its interface. */
export class Device extends KvmFd {
  /** @internal */
  static over(handle: NativeHandle): Device {
    return new Device(handle, "Device");
  }

  protected override extension(): number {
    return 1;
  }
}

/** Memory that only the guest can reach (KVM_CREATE_GUEST_MEMFD), for a slot with KVM_MEM.GUEST_MEMFD. */
export class GuestMemfd extends KvmFd {
  readonly sizeBytes: number;

  private constructor(handle: NativeHandle, sizeBytes: number) {
    super(handle, "GuestMemfd");
    this.sizeBytes = sizeBytes;
  }

  /** @internal */
  static over(handle: NativeHandle, sizeBytes: number): GuestMemfd {
    return new GuestMemfd(handle, sizeBytes);
  }

  protected override extension(): number {
    return 1;
  }
}
