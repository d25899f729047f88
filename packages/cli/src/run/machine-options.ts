/** From a built manifest to what the hypervisor makes a machine of. */
import { resolve } from "node:path";
import type { BootOptions, Limits, VmOptions } from "@kvmkit/hypervisor";
import type { MountOption } from "@kvmkit/hypervisor/node";
import type { BuiltManifest } from "../build/build-manifest.js";
import { guestPathOf, isBelowAny } from "../config/cross-checks.js";
import { ManifestError } from "../config/problems.js";
import type { LoadedManifest } from "../config/vm-toml.js";
import { type MachinePlugin, machinePlugins } from "./machine-plugins.js";

/** Arguments behind the manifest's own, for the program or the booted kernel. */
type MoreArguments = readonly string[];

export type MachineParts = Required<Pick<VmOptions, "accel" | "memoryBytes" | "boot">> &
  Pick<VmOptions, "program"> & { readonly limits: Limits };

/** A manifest may name a workspace only; that is something to build, not to run. Errors: ManifestError. */
export function requireSomethingToRun({ manifest, problem }: LoadedManifest): void {
  if (manifest.vm.boot !== "kvmkit" || manifest.program !== undefined) return;
  throw new ManifestError([
    problem([], "ERR_MANIFEST_MISSING", "the table [program] is missing: what is to be run?", "key"),
  ]);
}

export function partsOf(built: BuiltManifest, more: MoreArguments): MachineParts {
  const { vm, limits } = built.loaded.manifest;
  return {
    accel: vm.accel,
    memoryBytes: vm.memory,
    boot: bootOf(built, more),
    ...programOf(built, more),
    limits: {
      wallMs: numberOf(limits.wall),
      cpuMs: numberOf(limits.cpu),
      outputBytes: numberOf(limits.output),
    },
  };
}

/** The boot protocol's plugins and the manifest's own, with what the manifest grants of the host. */
export function pluginsOf({ loaded, plugins }: BuiltManifest): MachinePlugin[] {
  const { vm, limits } = loaded.manifest;
  const grants = {
    mounts: mountsOf(loaded),
    openFiles: limits.files,
    fileBytes: numberOf(limits["file-size"]),
  };
  return machinePlugins(vm.boot, grants, plugins);
}

function numberOf(limit: number | "none"): number | undefined {
  return limit === "none" ? undefined : limit;
}

function bootOf({ loaded, kernel }: BuiltManifest, more: MoreArguments): BootOptions {
  const { vm, program } = loaded.manifest;
  if (vm.boot === "kvmkit") return { protocol: "kvmkit", kernel: kernel.bytes };
  return {
    protocol: vm.boot,
    image: kernel.bytes,
    ...(vm.load === undefined ? {} : { load: vm.load }),
    ...(vm.entry === undefined ? {} : { entry: vm.entry }),
    registers: vm.registers,
    ...(program === undefined ? {} : { args: [program.path, ...program.args, ...more] }),
  };
}

function programOf({ loaded, program: image }: BuiltManifest, more: MoreArguments) {
  const { program, env } = loaded.manifest;
  if (program === undefined || image === undefined) return {};
  const { path, args, cwd } = program;
  return { program: { image: image.bytes, path, args: [path, ...args, ...more], env, cwd } };
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
