/** `kvm run`: builds what a manifest needs, and runs it. */
import { resolve } from "node:path";
import type { BootOptions } from "@kvmkit/hypervisor";
import type { MountOption } from "@kvmkit/hypervisor/node";
import { type BuiltManifest, buildManifest } from "../build/build-manifest.js";
import type { RunInvocation } from "../commands/run.js";
import { guestPathOf, isBelowAny } from "../config/cross-checks.js";
import { ManifestError } from "../config/problems.js";
import { formatDuration, formatSize } from "../config/units.js";
import { type LoadedManifest, loadManifest } from "../config/vm-toml.js";
import { Timings } from "../report-timings.js";
import { explanationOf, renderExplanation } from "./explain-manifest.js";
import { machinePlugins } from "./machine-plugins.js";
import { positioned } from "./positioned-error.js";
import { runMachine } from "./run-machine.js";

export async function runManifest({ args, rest, options, host }: RunInvocation): Promise<number> {
  const { output, userDir } = host;
  const timings = new Timings();
  const file = resolve(userDir, args[0] ?? "vm.toml");
  const loaded = await timings.measure("manifest", () => loadManifest(file, { relativeTo: userDir }));
  requireSomethingToRun(loaded);
  const built = await buildManifest(loaded, { userDir, output, timings, keep: false });
  const { vm, limits } = loaded.manifest;
  const grants = {
    mounts: mountsOf(loaded),
    openFiles: limits.files,
    fileBytes: numberOf(limits["file-size"]),
  };
  const plugins = machinePlugins(vm.boot, grants, built.plugins);
  if (options.explain) {
    const explanation = explanationOf(built, plugins, userDir);
    if (output.json) output.resultJson(explanation);
    else output.result(renderExplanation(explanation));
    return 0;
  }
  const wallMs = options.timeout ?? numberOf(limits.wall);
  const cpuMs = numberOf(limits.cpu);
  const outputBytes = numberOf(limits.output);
  const status = await positioned(built, () =>
    runMachine(
      {
        accel: options.accel ?? vm.accel,
        memoryBytes: options.memory ?? vm.memory,
        boot: bootOf(built, rest),
        ...programOf(built, rest),
        plugins,
        limits: { wallMs, cpuMs, outputBytes },
      },
      {
        output,
        timings,
        debug: options.debug,
        limitTexts: {
          ...(wallMs === undefined ? {} : { wall: formatDuration(wallMs) }),
          ...(cpuMs === undefined ? {} : { cpu: formatDuration(cpuMs) }),
          ...(outputBytes === undefined ? {} : { output: formatSize(outputBytes) }),
        },
      },
    ),
  );
  if (options.timings) timings.print(output);
  return status;
}

function numberOf(limit: number | "none"): number | undefined {
  return limit === "none" ? undefined : limit;
}

/** A manifest may name a workspace only; that is something to build, not to run. */
function requireSomethingToRun({ manifest, problem }: LoadedManifest): void {
  if (manifest.vm.boot !== "kvmkit" || manifest.program !== undefined) return;
  throw new ManifestError([
    problem([], "ERR_MANIFEST_MISSING", "the table [program] is missing: what is to be run?", "key"),
  ]);
}

function bootOf({ loaded, kernel }: BuiltManifest, rest: readonly string[]): BootOptions {
  const { vm, program } = loaded.manifest;
  if (vm.boot === "kvmkit") return { protocol: "kvmkit", kernel: kernel.bytes };
  return {
    protocol: vm.boot,
    image: kernel.bytes,
    ...(vm.load === undefined ? {} : { load: vm.load }),
    ...(vm.entry === undefined ? {} : { entry: vm.entry }),
    registers: vm.registers,
    ...(program === undefined ? {} : { args: [program.path, ...program.args, ...rest] }),
  };
}

function programOf({ loaded, program: image }: BuiltManifest, rest: readonly string[]) {
  const { program, env } = loaded.manifest;
  if (program === undefined || image === undefined) return {};
  const { path, args, cwd } = program;
  return { program: { image: image.bytes, path, args: [path, ...args, ...rest], env, cwd } };
}

/** Under `long` the booted kernel opens the program itself, so naming it in the manifest mounts that one file. */
function mountsOf({ manifest, dir }: LoadedManifest): MountOption[] {
  const { vm, program, mount } = manifest;
  const mounts = mount.map(({ guest, host, tmpfs = 0, mode = "ro" }): MountOption => {
    return host === undefined ? { guest, tmpfs } : { guest, host, mode };
  });
  if (vm.boot !== "long" || program === undefined) return mounts;
  const guest = guestPathOf(program.path);
  const isThere = isBelowAny(
    mount.map((row) => row.guest),
    guest,
  );
  return isThere ? mounts : [...mounts, { guest, host: resolve(dir, program.path), mode: "ro" }];
}
