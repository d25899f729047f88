import { kvmTest } from "@kvmkit-internal/test-support";
import { scenario } from "./testing/spawn.js";

kvmTest("process.exit() ends the process while a worker's vCPU is in the guest", async (t) => {
  const { status, stderr } = await scenario("process.exit");
  t.is(status, 7, stderr);
});

kvmTest("an uncaught exception ends the process while a worker's vCPU is in the guest", async (t) => {
  const { status, stderr } = await scenario("uncaught exception");
  t.is(status, 1);
  t.regex(stderr, /on purpose/);
});

kvmTest("worker.terminate() ends a worker whose vCPU is in the guest", async (t) => {
  const { status, stdout } = await scenario("worker.terminate");
  t.is(stdout, "terminated 1\n");
  t.is(status, 0);
});

for (const name of ["signal, main thread", "signal, worker", "signal, watched no more"])
  kvmTest(`${name}: SIGINT kills the process while a vCPU is in the guest`, async (t) => {
    const { status, signal } = await scenario(name, { onReady: (pid) => process.kill(pid, "SIGINT") });
    t.is(status, null);
    t.is(signal, "SIGINT");
  });

for (const sent of ["SIGINT", "SIGTERM"] as const)
  kvmTest(`StopSource.watchSignals: ${sent} ends run() and is the reason`, async (t) => {
    const { status, stdout } = await scenario("signal, watched", {
      onReady: (pid) => process.kill(pid, sent),
    });
    t.is(stdout, `ready\nKVM_EXIT_INTR ${sent}\n`);
    t.is(status, 0);
  });

kvmTest("garbage collection while a vCPU is in the guest leaves what is in use alone", async (t) => {
  const { status, signal, stdout, stderr } = await scenario("garbage collection");
  t.is(stdout, "alive\n", stderr);
  t.is(signal, null);
  t.is(status, 0);
});
