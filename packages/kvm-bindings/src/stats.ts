/** The statistics of a virtual machine or a vCPU: KVM_GET_STATS_FD (KVM api.rst 4.133). */

import { KvmError } from "./errors.js";
import { hostIo } from "./host-io.js";
import { KvmFd } from "./kvm-fd.js";
import { viewOf } from "./layout.js";
import type { NativeHandle } from "./load-native.js";
import { type KvmStatsDesc, kvm_stats_desc, kvm_stats_header } from "./structs.js";

const types = ["cumulative", "instant", "peak", "linear-histogram", "logarithmic-histogram"] as const;
const units = ["none", "bytes", "seconds", "cycles", "boolean"] as const;

export interface Statistic {
  readonly name: string;
  readonly type: (typeof types)[number] | "unknown";
  readonly unit: (typeof units)[number] | "unknown";
  /** What a value is multiplied with to get the unit: 10 or 2 to the power of `exponent`. */
  readonly base: 10 | 2;
  readonly exponent: number;
  /** Histograms: the width of a bucket; else 0. */
  readonly bucketSize: number;
  /** One value, or one per bucket. */
  readonly values: readonly bigint[];
}

/** An open statistics file: the names are read once, the values each time. */
export class Statistics extends KvmFd {
  #descriptors: readonly (KvmStatsDesc & { readonly name: string })[] | undefined;
  #dataOffset = 0;

  /** @internal */
  static over(handle: NativeHandle): Statistics {
    return new Statistics(handle, "Statistics");
  }

  protected override extension(): number {
    return 1;
  }

  read(): Statistic[] {
    this.#descriptors ??= this.#readDescriptors();
    const end = Math.max(0, ...this.#descriptors.map(({ offset, size }) => offset + size * 8));
    const data = viewOf(this.#readAt(this.#dataOffset, end));
    return this.#descriptors.map((descriptor) => ({
      name: descriptor.name,
      type: types[descriptor.flags & 0xf] ?? "unknown",
      unit: units[(descriptor.flags >> 4) & 0xf] ?? "unknown",
      base: (descriptor.flags >> 8) & 0xf ? 2 : 10,
      exponent: descriptor.exponent,
      bucketSize: descriptor.bucket_size,
      values: Array.from({ length: descriptor.size }, (_, i) =>
        data.getBigUint64(descriptor.offset + i * 8, true),
      ),
    }));
  }

  #readDescriptors() {
    const header = kvm_stats_header.decode(this.#readAt(0, kvm_stats_header.size));
    this.#dataOffset = header.data_offset;
    const stride = kvm_stats_desc.size + header.name_size;
    const bytes = this.#readAt(header.desc_offset, header.num_desc * stride);
    const view = viewOf(bytes);
    return Array.from({ length: header.num_desc }, (_, i) => {
      const at = i * stride;
      const name = bytes.subarray(at + kvm_stats_desc.size, at + stride);
      const end = name.indexOf(0);
      return {
        ...kvm_stats_desc.read(view, at),
        name: String.fromCharCode(...name.subarray(0, end < 0 ? name.length : end)),
      };
    });
  }

  #readAt(position: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const got = hostIo.read(this.fd, [bytes], { position });
    if (got < 0) throw new KvmError("ERR_KVM_SYSTEM_CALL", { syscall: "pread", errno: -got });
    return bytes.subarray(0, got);
  }
}
