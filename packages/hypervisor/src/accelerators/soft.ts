/**
 * The accelerator over a software CPU. Its package, @kvmkit/x86-cpu, is looked for when it is asked for; without it,
 * asking says so.
 */
import { reasonOf, VmError } from "../errors.js";
import type { Accelerator } from "./accelerator.js";

/** A name that no bundler and no compiler resolves: the package need not be installed. */
const PACKAGE = "@kvmkit/x86-cpu";

/** Errors: ERR_VM_ACCEL_NOT_BUILT_IN. */
export async function openSoftAccelerator(): Promise<Accelerator> {
  let reason: string;
  try {
    const { openAccelerator } = (await import(PACKAGE)) as { openAccelerator?: () => Accelerator };
    if (openAccelerator !== undefined) return openAccelerator();
    reason = `${PACKAGE} has no accelerator yet`;
  } catch (error) {
    reason = reasonOf(error);
  }
  throw new VmError("ERR_VM_ACCEL_NOT_BUILT_IN", { accel: "soft", reason });
}
