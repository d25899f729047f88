/** Node.js: /dev/kvm and native stop sources where kvm-bindings loads, worker threads. */
import { VmError } from "../errors.js";
import { PortableStop } from "../host/portable-stop.js";
import type { StopSource } from "../host/stop-source.js";
import type { Platform } from "../platform.js";
import { type Bindings, bindings, bindingsMissing } from "./bindings.js";

export async function openPlatform(): Promise<Platform> {
  return {
    async openKvm(traits) {
      if (bindings === undefined) {
        throw new VmError("ERR_VM_ACCEL_UNAVAILABLE", { accel: "kvm", reason: bindingsMissing });
      }
      const { openKvmAccelerator } = await import("../accelerators/kvm.js");
      return openKvmAccelerator(traits);
    },
    createStop: () => (bindings === undefined ? new PortableStop() : nativeStop(new bindings.StopSource())),
    attachStop: (id) =>
      bindings === undefined
        ? new PortableStop(id as SharedArrayBuffer)
        : nativeStop(bindings.StopSource.attach(id as number)),
    // Loaded when first used: a run on the caller's own thread needs no workers.
    runInWorker: async (...run) => (await import("./worker-pool.js")).runInWorker(...run),
  };
}

/** kvm-bindings' class has this interface's members. */
const nativeStop = (stop: InstanceType<Bindings["StopSource"]>): StopSource => stop as StopSource;
