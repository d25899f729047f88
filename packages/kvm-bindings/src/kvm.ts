/** /dev/kvm: what the host offers, and virtual machines. */

import { type CapabilityName, capabilities } from "./capabilities.js";
import { arrayOf, capabilityNumber, integerOf } from "./checks.js";
import { KvmError } from "./errors.js";
import { growing } from "./growing.js";
import { failure, handleOf } from "./handled.js";
import { ioctlIndex } from "./ioctls.js";
import { KvmFd } from "./kvm-fd.js";
import { type NativeHandle, native } from "./load-native.js";

import {
  type KvmCpuidEntry2,
  type KvmMsrEntry,
  kvm_cpuid2,
  kvm_msr_list,
  kvm_msrs,
  scalar_u64,
} from "./structs.js";
import { rememberEncoding } from "./vcpu-state.js";
import { Vm } from "./vm.js";

/** The version of the API that this package speaks; stable since Linux 2.6.22 (KVM api.rst 4.1). */
const API_VERSION = 12;

let supported: readonly Readonly<KvmCpuidEntry2>[] | undefined;

export class Kvm extends KvmFd {
  readonly apiVersion: number;
  readonly vcpuMmapSize: number;

  /** Opens the device; ERR_KVM_OPEN says what to do about one that is missing or not permitted. */
  static open(path = "/dev/kvm"): Kvm {
    const result = native().open(path);
    if (typeof result !== "number") return new Kvm(result);
    if (result < -4095) throw failure(result, `Kvm.open(${path})`);
    throw new KvmError("ERR_KVM_OPEN", { path, syscall: "open", errno: -result });
  }

  private constructor(handle: NativeHandle) {
    super(handle, "Kvm");
    try {
      this.apiVersion = this.call("KVM_GET_API_VERSION");
      this.vcpuMmapSize = this.call("KVM_GET_VCPU_MMAP_SIZE");
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.apiVersion === API_VERSION) return;
    this.close();
    throw new KvmError("ERR_KVM_API_VERSION", { found: this.apiVersion });
  }

  protected override extension(number: number): number {
    return this.call("KVM_CHECK_EXTENSION", number);
  }

  /** KVM_CHECK_EXTENSION: 0 for "no", else 1 or the capability's own number. */
  checkExtension(capability: CapabilityName | number): number {
    return this.extension(capabilityNumber(capability));
  }

  /** KVM_CREATE_VM; `type` is 0 but for the machine types of KVM_CAP_VM_TYPES. */
  createVm(type = 0): Vm {
    integerOf("Kvm.createVm: type", type, 0, Number.MAX_SAFE_INTEGER);
    const result = handleOf(this).createVm(type);
    if (typeof result === "number") throw this.explain("KVM_CREATE_VM", result);
    return Vm.over(result, this.vcpuMmapSize);
  }

  /**
   * KVM_GET_SUPPORTED_CPUID, asked once per process (it takes 0.3 to 0.7 ms). The array is frozen; copy it to change
   * it. Handing it to setCpuid2() as it is skips the encoding.
   */
  supportedCpuid(): readonly Readonly<KvmCpuidEntry2>[] {
    if (supported !== undefined) return supported;
    const encoded = handleOf(this).supportedCpuid();
    if (typeof encoded === "number") throw this.explain("KVM_GET_SUPPORTED_CPUID", encoded);
    supported = Object.freeze(kvm_cpuid2.decodeAll(encoded).map((entry) => Object.freeze(entry)));
    rememberEncoding(supported, encoded);
    return supported;
  }

  /** KVM_GET_EMULATED_CPUID: features that KVM emulates without the processor. */
  emulatedCpuid(): KvmCpuidEntry2[] {
    return this.#cpuid("KVM_GET_EMULATED_CPUID");
  }

  /** KVM_GET_SUPPORTED_HV_CPUID: the Hyper-V leaves. */
  supportedHvCpuid(): KvmCpuidEntry2[] {
    return this.#cpuid("KVM_GET_SUPPORTED_HV_CPUID");
  }

  #cpuid(name: "KVM_GET_EMULATED_CPUID" | "KVM_GET_SUPPORTED_HV_CPUID"): KvmCpuidEntry2[] {
    return growing(64, (capacity) => kvm_cpuid2.decodeAll(this.callWith(name, kvm_cpuid2.room(capacity))));
  }

  /** KVM_GET_MSR_INDEX_LIST: the registers that belong to a vCPU's state. */
  msrIndexList(): number[] {
    return this.#indices("KVM_GET_MSR_INDEX_LIST");
  }

  /** KVM_GET_MSR_FEATURE_INDEX_LIST: the registers that getMsrs() of this class reads. */
  msrFeatureIndexList(): number[] {
    return this.#indices("KVM_GET_MSR_FEATURE_INDEX_LIST");
  }

  #indices(name: "KVM_GET_MSR_INDEX_LIST" | "KVM_GET_MSR_FEATURE_INDEX_LIST"): number[] {
    const list = growing(256, (capacity) =>
      kvm_msr_list.decodeAll(this.callWith(name, kvm_msr_list.room(capacity))),
    );
    return list.map(({ index }) => index);
  }

  /** KVM_GET_MSRS of the host's feature registers. */
  getMsrs(indices: readonly number[]): KvmMsrEntry[] {
    const encoded = kvm_msrs.encodeAll(arrayOf("indices", indices).map((index) => ({ index })));
    const got = handleOf(this).ioctl(ioctlIndex.KVM_GET_MSRS, 0, encoded);
    if (got < 0) throw this.explain("KVM_GET_MSRS", got);
    return kvm_msrs.decodeAll(encoded).slice(0, got);
  }

  /** KVM_X86_GET_MCE_CAP_SUPPORTED: the bits of IA32_MCG_CAP that KVM_X86_SETUP_MCE takes. */
  mceCapSupported(): bigint {
    return scalar_u64.decode(this.callWith("KVM_X86_GET_MCE_CAP_SUPPORTED", scalar_u64.encode({}))).value;
  }

  /** Whether each capability of the table is there; what `kvm doctor` prints. */
  capabilities(): Record<CapabilityName, number> {
    const names = Object.keys(capabilities) as CapabilityName[];
    return Object.fromEntries(names.map((name) => [name, this.checkExtension(name)])) as Record<
      CapabilityName,
      number
    >;
  }
}
