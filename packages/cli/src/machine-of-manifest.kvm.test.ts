/** A manifest as a library: a warm machine of a C program, called from TypeScript. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createVm, t as type, type VmOptions } from "@kvmkit/hypervisor";
import { kvmToolTest } from "@kvmkit-internal/test-support";
import test from "ava";
import { type ManifestMachine, machineOfManifest } from "./machine-of-manifest.js";

const root = mkdtempSync(join(tmpdir(), "kvmkit-manifest-"));
test.after.always(() => rmSync(root, { recursive: true, force: true }));
const GCC = { cc: "gcc" };

const PROGRAM = `#include "freestanding.h"
#include "hypercalls.h"

static long total;
long add(long value) { return total += value; }
double mean(const double *values, size_t size)
{
  size_t count = size / sizeof *values;
  double sum = 0;
  for (size_t n = 0; n < count; n++) sum += values[n];
  return sum / (double)count;
}
void greet(const char *name) { kvmkit_print("hello, "); kvmkit_print(name); kvmkit_print("\\n"); }
int main(int argc, char **argv)
{
  (void)argv;
  total = 100 * argc;
  return (int)kvmkit_serve_calls();
}
`;

function project(name: string, more = ""): string {
  const cwd = join(root, name);
  mkdirSync(cwd);
  const manifest = `[program]\npath = "main.c"\nargs = ["one"]\n[[plugin]]\nmodule = "calls"\ngrant = "all"\n${more}`;
  writeFileSync(join(cwd, "vm.toml"), manifest);
  writeFileSync(join(cwd, "main.c"), PROGRAM);
  return join(cwd, "vm.toml");
}

kvmToolTest("machineOfManifest: createVm takes it, and calls a C program's functions", GCC, async (t) => {
  const options: ManifestMachine = await machineOfManifest(project("calls"), { args: ["two"] });
  // What it is typed as is what the hypervisor takes.
  const vm = await createVm(options satisfies VmOptions);
  t.teardown(() => vm.close());
  vm.warmUp();
  t.is(vm.call("add", 5), 305n);
  t.is(vm.call("add", -400), -95n);
  const values = new Uint8Array(Float64Array.of(1, 2, 6.5).buffer);
  const mean = vm.guestFunction("mean", { args: [type.buffer.in(4096)], returns: type.f64 });
  t.is(mean(values), 9.5 / 3);
  t.true(Number.isNaN(mean(new Uint8Array())));
  const wild = vm.guestFunction("mean", { args: [type.pointer, type.u64], returns: type.f64 });
  t.throws(() => wild(8n, 8), {
    code: "ERR_VM_CALL_ENDED",
    message: /mean.*SIGSEGV at 0x[0-9a-f]+ <mean\+0x/,
  });
});

kvmToolTest("machineOfManifest: a manifest's limits bound the calls", GCC, async (t) => {
  const vm = await createVm(await machineOfManifest(project("limits", '[limits]\noutput = "10B"\n')));
  t.teardown(() => vm.close());
  vm.warmUp();
  t.throws(() => vm.call("greet", "whoever reads this"), {
    code: "ERR_VM_CALL_ENDED",
    message: /limit output/,
  });
});

kvmToolTest(
  "machineOfManifest: what is wrong with a manifest is a ManifestError with its places",
  GCC,
  async (t) => {
    const file = project("wrong", "[limits]\nwalls = 1\n");
    await t.throwsAsync(machineOfManifest(file), {
      name: "ManifestError",
      message: /ERR_MANIFEST_UNKNOWN_KEY/,
    });
  },
);
