/** One body, two drivers: a machine test runs on every accelerator that this package has. */
import { kvmTest } from "@kvmkit-internal/test-support";
import test, { type ExecutionContext } from "ava";
import type { AccelOption } from "../vm-options.js";

export type MachineTestBody = (
  t: ExecutionContext,
  accel: Exclude<AccelOption, "auto">,
) => void | Promise<void>;

/** A test that enters a guest, once per accelerator. */
export function machineTest(title: string, body: MachineTestBody): void {
  kvmTest(`kvm: ${title}`, (t) => body(t, "kvm"));
  test(`soft: ${title}`, (t) => body(t, "soft"));
}
