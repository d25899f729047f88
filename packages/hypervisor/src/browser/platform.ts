/** A browser: no /dev/kvm, and no threads of ours. */
import { VmError } from "../errors.js";
import { PortableStop } from "../host/portable-stop.js";
import type { Platform } from "../platform.js";

export async function openPlatform(): Promise<Platform> {
  return {
    openKvm: async () => {
      throw new VmError("ERR_VM_ACCEL_UNAVAILABLE", {
        accel: "kvm",
        reason: "there is no /dev/kvm in a browser",
      });
    },
    createStop: () => new PortableStop(),
    attachStop: (id) => new PortableStop(id as SharedArrayBuffer),
  };
}
