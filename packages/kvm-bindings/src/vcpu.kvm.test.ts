import { kvmTest } from "@kvmkit-internal/test-support";
import { KVM_EXIT } from "./exit-reasons.js";
import { StopSource } from "./stop-source.js";
import { code, machine } from "./testing/machine.js";

kvmTest(
  "Vcpu.run: `out` is KVM_EXIT_IO with port, size and data, `hlt` is KVM_EXIT_HLT (KVM api.rst 5)",
  (t) => {
    using guest = machine(code.printA);
    t.is(guest.vcpu.run(), KVM_EXIT.KVM_EXIT_IO);
    const exit = guest.vcpu.decodeExit();
    t.deepEqual(exit, {
      reason: "KVM_EXIT_IO",
      nr: 2,
      direction: 1,
      size: 1,
      port: 0x3f8,
      count: 1,
      data_offset: 4096n,
    });
    t.is(guest.vcpu.runPage.bytes[4096], 0x61);
    t.is(guest.vcpu.run(), KVM_EXIT.KVM_EXIT_HLT);
  },
);

kvmTest("Vcpu.run: a stop that came before the run returns KVM_EXIT_INTR without entering the guest", (t) => {
  using guest = machine(code.printA);
  using stop = new StopSource();
  stop.stop();
  t.is(guest.vcpu.run(stop), KVM_EXIT.KVM_EXIT_INTR);
  t.is(stop.reason, "requested");
  t.is(guest.vcpu.getRegs().rip, 0x1000n);
});

kvmTest("Vcpu.run: a wall time limit ends a guest that loops for ever", (t) => {
  using guest = machine(code.spin);
  using stop = new StopSource();
  stop.armWall(5);
  t.is(guest.vcpu.run(stop), KVM_EXIT.KVM_EXIT_INTR);
  t.is(stop.reason, "wall");
});
