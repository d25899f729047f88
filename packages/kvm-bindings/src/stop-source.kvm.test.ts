import { kvmTest } from "@kvmkit-internal/test-support";
import { KVM_EXIT } from "./exit-reasons.js";
import { hostIo } from "./host-io.js";
import { StopSource } from "./stop-source.js";
import { code, type Machine, machine } from "./testing/machine.js";
import { startGuestWorker } from "./testing/spawn.js";

const { KVM_EXIT_INTR, KVM_EXIT_IO, KVM_EXIT_HLT } = KVM_EXIT;

/** Guests that never exit by themselves. */
const endless: Readonly<Record<string, () => Machine>> = {
  "a real-mode loop": () => machine(code.spin),
  "a 64-bit loop in ring 0": () => machine(code.spin, { mode: "64-bit ring 0" }),
  "a 64-bit loop in ring 3": () => machine(code.spin, { mode: "64-bit ring 3" }),
  // jmp past `rep` back: the string instruction is emulated piece by piece where ring 0 is.
  "a `rep movsb` in ring 0": () => machine([0xf3, 0xa4, 0xeb, 0xfc], { mode: "64-bit ring 0" }),
  "a `hlt` that waits in the kernel for an interrupt": () =>
    machine(code.sleep, { prepare: (vm) => vm.createIrqchip() }),
};

for (const [guest, make] of Object.entries(endless)) {
  kvmTest(`StopSource.armWall ends ${guest}`, (t) => {
    using m = make();
    using stop = new StopSource();
    stop.armWall(5);
    t.is(m.vcpu.run(stop), KVM_EXIT_INTR);
    t.is(stop.reason, "wall");
  });

  kvmTest(`StopSource: a limit of 0 ends ${guest}, wherever KVM_RUN is when it comes`, (t) => {
    using m = make();
    using stop = new StopSource();
    for (let i = 0; i < 100; i++) {
      stop.armWall(0);
      t.is(m.vcpu.run(stop), KVM_EXIT_INTR);
      stop.reset();
    }
  });
}

kvmTest("StopSource.armCpu ends a guest when the thread has used that much CPU time", (t) => {
  using m = machine(code.spin);
  using stop = new StopSource();
  const before = process.cpuUsage();
  stop.armCpu(20);
  t.is(m.vcpu.run(stop), KVM_EXIT_INTR);
  t.is(stop.reason, "cpu");
  const { user, system } = process.cpuUsage(before);
  t.true(user + system >= 20_000);
});

kvmTest("StopSource.armCpu: time that the thread sleeps does not count", (t) => {
  using stop = new StopSource();
  using wall = new StopSource();
  stop.armCpu(1000);
  wall.armWall(20);
  t.is(hostIo.sleep(60_000, wall), -4 /* -EINTR */);
  t.is(stop.reason, undefined);
});

kvmTest("StopSource.stop, from the main thread, ends a guest in a worker", async (t) => {
  using stop = new StopSource();
  const { ended, worker } = await startGuestWorker({ program: "count", stopId: stop.id });
  stop.stop();
  t.is(await ended, "KVM_EXIT_INTR");
  t.is(stop.reason, "requested");
  await worker.terminate();
});

kvmTest("StopSource: the first reason stays until reset(), and ends every run until then", (t) => {
  using m = machine(code.exits);
  using stop = new StopSource();
  stop.stop();
  stop.armWall(0);
  hostIo.sleep(1);
  t.is(stop.reason, "requested");
  t.is(m.vcpu.run(stop), KVM_EXIT_INTR);
  t.is(m.vcpu.run(stop), KVM_EXIT_INTR);
  stop.reset();
  t.is(stop.reason, undefined);
  t.is(m.vcpu.run(stop), KVM_EXIT_IO);
});

kvmTest("StopSource: a disarmed limit does not stop", (t) => {
  using m = machine(code.exits);
  using stop = new StopSource();
  stop.armWall(60_000);
  stop.armWall(undefined);
  stop.armCpu(60_000);
  stop.armCpu(undefined);
  t.is(m.vcpu.run(stop), KVM_EXIT_IO);
  t.is(stop.reason, undefined);
});

kvmTest("Vcpu.run: a run without the stop is not ended by it", (t) => {
  using m = machine(code.exits);
  using stop = new StopSource();
  t.is(m.vcpu.run(stop), KVM_EXIT_IO);
  stop.stop();
  t.is(m.vcpu.run(), KVM_EXIT_IO);
  t.is(m.vcpu.run(stop), KVM_EXIT_INTR);
});

kvmTest("Vcpu.run: a closed stop is refused, one that is closed later stops no more", (t) => {
  using m = machine(code.exits);
  const stop = new StopSource();
  t.is(m.vcpu.run(stop), KVM_EXIT_IO);
  stop.close();
  t.is(m.vcpu.run(stop), KVM_EXIT_IO);
  const closed = new StopSource();
  closed.close();
  t.throws(() => m.vcpu.run(closed), { code: "ERR_KVM_CLOSED" });
});

kvmTest("Vcpu.kick: ends the next run() once (KVM_EXIT_INTR)", (t) => {
  using m = machine(code.exits);
  m.vcpu.kick();
  t.is(m.vcpu.run(), KVM_EXIT_INTR);
  t.is(m.vcpu.run(), KVM_EXIT_IO);
});

kvmTest("kvm_run.immediate_exit, set by the caller, completes an exit and returns KVM_EXIT_INTR", (t) => {
  using m = machine(code.printA);
  t.is(m.vcpu.run(), KVM_EXIT_IO);
  const rip = m.vcpu.getRegs().rip;
  m.vcpu.runPage.view.setUint8(1, 1);
  t.is(m.vcpu.run(), KVM_EXIT_INTR);
  t.deepEqual(m.vcpu.decodeExit(), { reason: "KVM_EXIT_INTR", nr: 10 });
  t.is(m.vcpu.runPage.view.getUint8(1), 1, "it stays the caller's");
  // Where the exit came before the instruction was finished, it is now.
  t.true(m.vcpu.getRegs().rip >= rip);
  m.vcpu.runPage.view.setUint8(1, 0);
  t.is(m.vcpu.run(), KVM_EXIT_HLT);
});
