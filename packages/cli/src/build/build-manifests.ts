/** `kvm build`: one manifest or many; what is wrong with one does not hide what is wrong with another. */
import { relative, resolve } from "node:path";
import type { TIMINGS_OPTION } from "../commands/machine-options.js";
import { loadManifest } from "../config/vm-toml.js";
import type { COMMON_OPTIONS, Invocation } from "../define-command.js";
import { reportError, statusOfError } from "../report-error.js";
import { Timings } from "../report-timings.js";
import { type BuildContext, type BuiltManifest, buildManifest } from "./build-manifest.js";
import type { Artefact } from "./cache.js";
import { matchMembers } from "./workspace.js";

type BuildInvocation = Invocation<typeof TIMINGS_OPTION & typeof COMMON_OPTIONS>;

interface BuildReport {
  /** As the user would name it. */
  readonly manifest: string;
  readonly artefacts: readonly ReportedArtefact[];
}

interface ReportedArtefact {
  readonly kind: "kernel" | "program";
  readonly path: string;
  readonly sizeBytes: number;
  readonly built: boolean;
}

export async function buildManifests({ args, options, host }: BuildInvocation): Promise<number> {
  const { output, userDir } = host;
  const context: BuildContext = { userDir, output, timings: new Timings(), keep: true };
  const files = args.length > 0 ? args.map((name) => resolve(userDir, name)) : await withMembers(userDir);
  const reports: BuildReport[] = [];
  let status = 0;
  for (const file of files) {
    try {
      const built = await buildOne(file, context);
      if (built === undefined) continue;
      const report = reportOf(built, userDir);
      output.note(describe(report));
      reports.push(report);
    } catch (error) {
      output.clearProgress();
      reportError(error, output, options);
      status ||= statusOfError(error);
    }
  }
  if (output.json) output.resultJson(reports);
  if (options.timings) context.timings.print(output);
  return status;
}

/** `./vm.toml` and what its workspace names. Errors in it are reported when it is built. */
async function withMembers(userDir: string): Promise<string[]> {
  const root = resolve(userDir, "vm.toml");
  const { workspace } = (await loadManifest(root, { relativeTo: userDir })).manifest;
  const members = workspace?.members.flatMap((pattern) => matchMembers(userDir, pattern)) ?? [];
  return [...new Set([root, ...members])];
}

/** Undefined for a manifest that only names a workspace. */
async function buildOne(file: string, context: BuildContext): Promise<BuiltManifest | undefined> {
  const loaded = await context.timings.measure("manifest", () =>
    loadManifest(file, { relativeTo: context.userDir }),
  );
  const { program, vm } = loaded.manifest;
  if (program === undefined && vm.boot === "kvmkit") return undefined;
  return buildManifest(loaded, context);
}

function reportOf({ loaded, kernel, program }: BuiltManifest, userDir: string): BuildReport {
  const artefact = (kind: "kernel" | "program", { path, bytes, built }: Artefact): ReportedArtefact => {
    return { kind, path, sizeBytes: bytes.length, built };
  };
  return {
    manifest: relative(userDir, loaded.file) || loaded.file,
    artefacts: [artefact("kernel", kernel), ...(program === undefined ? [] : [artefact("program", program)])],
  };
}

function describe({ manifest, artefacts }: BuildReport): string {
  const built = artefacts.filter((artefact) => artefact.built);
  if (built.length === 0) return `${manifest}: up to date`;
  const names = built.map(({ kind, sizeBytes }) => `${kind} (${(sizeBytes / 1024).toFixed(1)} KiB)`);
  return `${manifest}: built ${names.join(" and ")}`;
}
