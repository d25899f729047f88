/**
 * One body, two drivers: a machine test runs on every accelerator that this package has.
 *
 * `soft` joins the list with its package; until then there is one driver.
 */
import { kvmTest, type TestBody } from "@kvmkit-internal/test-support";
import type { ExecutionContext } from "ava";
import type { AccelOption } from "../vm-options.js";

export type MachineTestBody = (
  t: ExecutionContext,
  accel: Exclude<AccelOption, "auto">,
) => void | Promise<void>;

const onKvm =
  (body: MachineTestBody): TestBody =>
  (t) =>
    body(t, "kvm");

/** A test that enters a guest, once per accelerator. */
export function machineTest(title: string, body: MachineTestBody): void {
  kvmTest(`kvm: ${title}`, onKvm(body));
}
