import { kvmTest } from "@kvmkit-internal/test-support";
import { GuestMemory } from "./guest-memory.js";
import { StopSource } from "./stop-source.js";
import { COUNTER } from "./testing/machine.js";
import { scenario, startGuestWorker } from "./testing/spawn.js";
import { Vcpu } from "./vcpu.js";
import { Vm } from "./vm.js";

kvmTest("Vcpu: another thread's ioctls are refused, and the guest runs on (KVM api.rst 1)", async (t) => {
  using stop = new StopSource();
  const { ids, ended, worker } = await startGuestWorker({ program: "count", stopId: stop.id });
  using remote = Vcpu.attach(ids.vcpu);
  t.throws(() => remote.getRegs(), { code: "ERR_KVM_WRONG_THREAD" });
  t.throws(() => remote.run(), { code: "ERR_KVM_WRONG_THREAD" });
  t.throws(() => remote.run(stop), { code: "ERR_KVM_WRONG_THREAD" });
  t.throws(() => remote.setRegs({ rip: 0n }), { code: "ERR_KVM_WRONG_THREAD" });
  t.throws(() => remote.getXsave(), { code: "ERR_KVM_WRONG_THREAD" });
  stop.stop();
  t.is(await ended, "KVM_EXIT_INTR");
  await worker.terminate();
});

kvmTest("Vcpu.attach().kick() ends run() on the thread that owns the vCPU", async (t) => {
  const { ids, ended, worker } = await startGuestWorker({ program: "count" });
  using remote = Vcpu.attach(ids.vcpu);
  remote.kick();
  t.is(await ended, "KVM_EXIT_INTR");
  await worker.terminate();
});

kvmTest("closing handles on other threads while the guest runs takes nothing away from it", async (t) => {
  using stop = new StopSource();
  const { ids, ended, worker } = await startGuestWorker({ program: "count", stopId: stop.id });
  Vcpu.attach(ids.vcpu).close();
  Vm.attach(ids.vm, ids.vcpuMmapSize).close();
  const memory = GuestMemory.attach(ids.memory);
  const counter = memory.view(COUNTER, 2);
  memory.close();
  t.throws(() => counter.getUint16(0), { instanceOf: TypeError }, "detached");
  using again = GuestMemory.attach(ids.memory);
  const before = again.view(COUNTER, 2).getUint16(0, true);
  while (again.view(COUNTER, 2).getUint16(0, true) === before) await new Promise(setImmediate);
  stop.stop();
  t.is(await ended, "KVM_EXIT_INTR");
  await worker.terminate();
});

kvmTest("memory outlives the thread that allocated it for as long as another has it open", async (t) => {
  const { ids, worker } = await startGuestWorker({ program: "count" });
  using memory = GuestMemory.attach(ids.memory);
  const counter = memory.view(COUNTER, 2);
  await worker.terminate();
  const last = counter.getUint16(0, true);
  await new Promise(setImmediate);
  t.is(counter.getUint16(0, true), last, "the guest is gone");
  counter.setUint16(0, 0x1234, true);
  t.is(memory.view(COUNTER, 2).getUint16(0, true), 0x1234);
});

kvmTest("attach: an id that nothing open has is ERR_KVM_NO_SUCH_ID", async (t) => {
  const { ids, worker } = await startGuestWorker({ program: "count" });
  await worker.terminate();
  t.throws(() => Vm.attach(ids.vm, ids.vcpuMmapSize), { code: "ERR_KVM_NO_SUCH_ID" });
  t.throws(() => Vcpu.attach(ids.vcpu), { code: "ERR_KVM_NO_SUCH_ID" });
  t.throws(() => GuestMemory.attach(ids.memory), { code: "ERR_KVM_NO_SUCH_ID" });
  t.throws(() => StopSource.attach(ids.memory), { code: "ERR_KVM_NO_SUCH_ID" });
  for (const id of [-1, 0, Number.NaN, 1.5, 2 ** 53, "1" as unknown as number])
    t.throws(() => GuestMemory.attach(id), { code: "ERR_KVM_NO_SUCH_ID" });
  using stop = new StopSource();
  t.throws(() => GuestMemory.attach(stop.id), { code: "ERR_KVM_NO_SUCH_ID" }, "of another type");
});

kvmTest("Vm.attach: a thread makes a vCPU of its own in another thread's virtual machine", async (t) => {
  const { ids, worker } = await startGuestWorker({ program: "count" });
  using vm = Vm.attach(ids.vm, ids.vcpuMmapSize);
  const vcpu = vm.createVcpu(1);
  t.is(vcpu.getRegs().rflags, 2n);
  await worker.terminate();
  t.is(vcpu.getRegs().rflags, 2n, "the virtual machine lives as long as a handle");
});

kvmTest(
  "a buffer of guest memory that was moved to another thread is harmless when its own has ended",
  async (t) => {
    const { stdout, stderr, signal } = await scenario("buffer moved to another thread");
    t.is(stdout, "1048576 bytes of 7\n", stderr);
    t.is(signal, null);
  },
);
