/** The software CPU is an optional package: what is said where it is not installed, and how a stop reaches it. */
import { spawnSync } from "node:child_process";
import * as software from "@kvmkit/x86-cpu";
import test from "ava";
import { layOutFlat } from "../boot/flat.js";
import { PortableStop } from "../host/portable-stop.js";
import { GuestMemory } from "../memory/guest-memory.js";
import { memoryMap } from "../memory/memory-map.js";
import { setUpVcpu } from "../vcpu-setup.js";
import { EXIT, REG } from "./accelerator.js";
import { SoftAccelerator } from "./soft.js";

const PACKAGE = new URL("../index.js", import.meta.url).href;

/** A module loader that does not find @kvmkit/x86-cpu. */
const HIDE = `data:text/javascript,${encodeURIComponent(`
  export async function resolve(specifier, context, next) {
    if (specifier === "@kvmkit/x86-cpu") throw new Error("Cannot find package '@kvmkit/x86-cpu'");
    return next(specifier, context);
  }`)}`;

test("without @kvmkit/x86-cpu, accel soft says that it is not built in", (t) => {
  const source = `import { register } from "node:module";
    register(${JSON.stringify(HIDE)});
    const { createVm } = await import(${JSON.stringify(PACKAGE)});
    const boot = { protocol: "real", image: Uint8Array.of(0xf4) };
    await createVm({ accel: "soft", memoryBytes: 65536, boot }).catch((error) => console.log(error.code, error.message));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    encoding: "utf8",
  });
  const [code, message] = [stdout.slice(0, stdout.indexOf(" ")), stdout.slice(stdout.indexOf(" ") + 1)];
  t.is(code, "ERR_VM_ACCEL_NOT_BUILT_IN", stderr);
  t.regex(message, /^accelerator soft is not built in: Cannot find package '@kvmkit\/x86-cpu'\. Install /);
});

/** Counts in rax, for ever. */
const COUNT = Uint8Array.of(0x48, 0xff, 0xc0, 0xeb, 0xfb);

for (const engine of ["wasm", "typescript"] as const) {
  test(`${engine}: a guest that never exits comes out for its stop source, and goes on where it was`, (t) => {
    const ranges = memoryMap(4 * 2 ** 20);
    const accelerator = new SoftAccelerator(software, engine);
    const backing = accelerator.allocateMemory(4 * 2 ** 20);
    const start = layOutFlat(new GuestMemory(backing, ranges), { protocol: "long", image: COUNT });
    const cpu = accelerator.createMachine(backing, ranges).createCpu(0);
    setUpVcpu(cpu, start);
    const stop = new PortableStop();
    t.is(cpu.run(stop), EXIT.KVM_EXIT_INTR);
    const first = cpu.registers[REG.rax]!;
    t.true(first > 0n);
    t.is(cpu.run(stop), EXIT.KVM_EXIT_INTR);
    const second = cpu.registers[REG.rax]!;
    t.true(second > first);
    stop.stop();
    t.is(cpu.run(stop), EXIT.KVM_EXIT_INTR);
    t.is(cpu.registers[REG.rax], second, "a stop that has fired lets no instruction run");
  });
}

test("the garbage collector knows of a memory, although threads share it", (t) => {
  const accelerator = new SoftAccelerator(software);
  const size = 64 * 2 ** 20;
  const before = process.memoryUsage().arrayBuffers;
  const backing = accelerator.allocateMemory(size);
  t.true(process.memoryUsage().arrayBuffers - before >= size / 8);
  backing.close();
});
