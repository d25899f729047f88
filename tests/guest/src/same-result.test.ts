/** The two accelerators against each other: whatever a program does wrong, one report. */
import { kvmTest } from "@kvmkit-internal/test-support";
import { FAULTS, type Fault } from "./faults.js";
import { type GuestMachine, MACHINES, runGuest } from "./run-guest.js";

const machine = (name: string): GuestMachine => MACHINES.find(({ title }) => title === name)!;

/** Everything that a result says about the guest; where hosts do not agree on rip, without it. */
async function report(on: GuestMachine, { emit, rip }: Fault) {
  const { result } = await runGuest(on, emit);
  if (result.kind !== "killed") return result.kind;
  const { counts: _counts, timings: _timings, ...said } = result;
  if (rip !== undefined) return said;
  return { ...said, rip, symbol: undefined, registers: { ...said.registers, rip } };
}

for (const fault of FAULTS) {
  kvmTest(`kvm and soft report the same, to the register: ${fault.title}`, async (t) => {
    const onSoft = await report(machine("soft"), fault);
    t.is(typeof onSoft, "object", String(onSoft));
    t.deepEqual(onSoft, await report(machine("kvm"), fault));
  });
}
