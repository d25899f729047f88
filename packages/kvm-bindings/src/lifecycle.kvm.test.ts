import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kvmTest } from "@kvmkit-internal/test-support";
import { scenario } from "./testing/spawn.js";

kvmTest("300 virtual machines opened, run and closed leave no descriptor and no mapping", async (t) => {
  const { stdout, stderr, status } = await scenario("lives closed", { args: ["300"] });
  t.is(stdout, "descriptors 0, mappings bounded, memory bounded\n", stderr);
  t.is(status, 0);
});

kvmTest("300 virtual machines dropped without close are collected", async (t) => {
  const { stdout, stderr, status } = await scenario("lives dropped", { args: ["300"] });
  t.is(stdout, "descriptors 0, mappings bounded, memory bounded\n", stderr);
  t.is(status, 0);
});

kvmTest(
  "when descriptors run out, createVm is a KvmError with EMFILE, and works again after a close",
  async (t) => {
    const { stdout, stderr } = await scenario("descriptors run out", { descriptorLimit: 64 });
    t.is(stdout, "KvmError ERR_KVM_IOCTL KVM_CREATE_VM: EMFILE\nagain: KVM_EXIT_IO\n", stderr);
  },
);

kvmTest("a virtual machine that is closed gives its memory back although a view of it is kept", async (t) => {
  const { stdout, stderr } = await scenario("views kept");
  t.is(stdout, "descriptors 0, memory given back\n", stderr);
});

kvmTest("signals during ioctls, such as a profiler's thousand in a second, are no errors", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "kvm-bindings-profile-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const flags = ["--cpu-prof", "--cpu-prof-interval=200", `--cpu-prof-dir=${directory}`];
  const { stdout, stderr, status } = await scenario("lives closed", { args: ["100"], flags });
  t.is(stdout, "descriptors 0, mappings bounded, memory bounded\n", stderr);
  t.is(status, 0);
});
