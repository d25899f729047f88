/** A manifest for programs that make the machine themselves: `createVm(await machineOfManifest("vm.toml"))`. */
import { resolve } from "node:path";
import { buildManifest } from "./build/build-manifest.js";
import { loadManifest } from "./config/vm-toml.js";
import { Output, type Stream } from "./output.js";
import { Timings } from "./report-timings.js";
import { partsOf, pluginsOf, requireSomethingToRun } from "./run/machine-options.js";
import { workerEntries } from "./run/machine-plugins.js";

/**
 * Options of `createVm()` of @kvmkit/hypervisor; in the words of this package, which has that one built in and must not
 * be typed by a copy that may not be installed.
 */
export interface ManifestMachine {
  readonly accel: "auto" | "kvm" | "soft";
  readonly memoryBytes: number;
  readonly boot:
    | { readonly protocol: "kvmkit"; readonly kernel: Uint8Array }
    | { readonly protocol: "real" | "protected" | "long"; readonly image: Uint8Array };
  readonly program?:
    | {
        readonly image: Uint8Array;
        readonly path: string;
        readonly args?: readonly string[];
        readonly env?: Readonly<Record<string, string>>;
        readonly cwd?: string;
      }
    | undefined;
  readonly plugins: readonly {
    readonly module: string | URL;
    readonly export?: string;
    readonly options?: unknown;
    readonly grant: "all" | readonly string[];
    readonly numbers?: Readonly<Record<string, number>> | undefined;
  }[];
  readonly limits: {
    readonly wallMs?: number | undefined;
    readonly cpuMs?: number | undefined;
    readonly outputBytes?: number | undefined;
  };
}

export interface ManifestMachineOptions {
  /** What the build has to say: warnings of compilers, progress on a terminal. Default: process.stderr. */
  readonly stderr?: Stream;
  /** Arguments behind the manifest's own. */
  readonly args?: readonly string[];
}

/**
 * Builds what the manifest `file` needs, as `kvm run` does, and returns the machine as options.
 * Errors: ManifestError, CliError, those of the assembler and of plugin modules.
 */
export async function machineOfManifest(
  file: string,
  { stderr = process.stderr, args = [] }: ManifestMachineOptions = {},
): Promise<ManifestMachine> {
  const userDir = process.cwd();
  const output = new Output({ stdout: stderr, stderr }, { json: false, quiet: true, env: process.env });
  const loaded = await loadManifest(resolve(userDir, file), { relativeTo: userDir });
  requireSomethingToRun(loaded);
  const built = await buildManifest(loaded, { userDir, output, timings: new Timings(), keep: false });
  const { program, ...parts } = partsOf(built, args);
  const plugins = workerEntries(pluginsOf(built)) as ManifestMachine["plugins"];
  return {
    ...parts,
    ...(program && { program: program as NonNullable<ManifestMachine["program"]> }),
    plugins,
  };
}
