import { kvmTest } from "@kvmkit-internal/test-support";
import { KVM_EXIT } from "./exit-reasons.js";
import { StopSource } from "./stop-source.js";
import { code, realMode } from "./testing.js";

kvmTest(
  "Vcpu.run: `out` is KVM_EXIT_IO with port, size and data, `hlt` is KVM_EXIT_HLT (KVM api.rst 5)",
  (t) => {
    using machine = realMode(code.printA);
    t.is(machine.vcpu.run(), KVM_EXIT.KVM_EXIT_IO);
    const exit = machine.vcpu.decodeExit();
    t.deepEqual(exit, {
      reason: "KVM_EXIT_IO",
      nr: 2,
      direction: 1,
      size: 1,
      port: 0x3f8,
      count: 1,
      data_offset: 4096n,
    });
    t.is(machine.vcpu.runPage.bytes[4096], 0x61);
    t.is(machine.vcpu.run(), KVM_EXIT.KVM_EXIT_HLT);
  },
);

kvmTest("Vcpu.run: a stop that came before the run returns KVM_EXIT_INTR without entering the guest", (t) => {
  using machine = realMode(code.printA);
  using stop = new StopSource();
  stop.stop();
  t.is(machine.vcpu.run(stop), KVM_EXIT.KVM_EXIT_INTR);
  t.is(stop.reason, "requested");
  t.is(machine.vcpu.getRegs().rip, 0x1000n);
});

kvmTest("Vcpu.run: a wall time limit ends a guest that loops for ever", (t) => {
  using machine = realMode(code.spin);
  using stop = new StopSource();
  stop.armWall(5);
  t.is(machine.vcpu.run(stop), KVM_EXIT.KVM_EXIT_INTR);
  t.is(stop.reason, "wall");
});
