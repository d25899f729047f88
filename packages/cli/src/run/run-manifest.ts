/** `kvm run`: builds what a manifest needs, and runs it. */
import { resolve } from "node:path";
import { buildManifest } from "../build/build-manifest.js";
import type { RunInvocation } from "../commands/run.js";
import { formatDuration, formatSize } from "../config/units.js";
import { loadManifest } from "../config/vm-toml.js";
import { Timings } from "../report-timings.js";
import { explanationOf, renderExplanation } from "./explain-manifest.js";
import { partsOf, pluginsOf, requireSomethingToRun } from "./machine-options.js";
import { positioned } from "./positioned-error.js";
import { runMachine } from "./run-machine.js";

export async function runManifest({ args, rest, options, host }: RunInvocation): Promise<number> {
  const { output, userDir } = host;
  const timings = new Timings();
  const file = resolve(userDir, args[0] ?? "vm.toml");
  const loaded = await timings.measure("manifest", () => loadManifest(file, { relativeTo: userDir }));
  requireSomethingToRun(loaded);
  const built = await buildManifest(loaded, { userDir, output, timings, keep: false });
  const plugins = pluginsOf(built);
  if (options.explain) {
    const explanation = explanationOf(built, plugins, userDir);
    if (output.json) output.resultJson(explanation);
    else output.result(renderExplanation(explanation));
    return 0;
  }
  const parts = partsOf(built, rest);
  const limits = { ...parts.limits, wallMs: options.timeout ?? parts.limits.wallMs };
  const { wallMs, cpuMs, outputBytes } = limits;
  const machine = {
    ...parts,
    accel: options.accel ?? parts.accel,
    memoryBytes: options.memory ?? parts.memoryBytes,
    limits,
    plugins,
  };
  const limitTexts = {
    ...(wallMs === undefined ? {} : { wall: formatDuration(wallMs) }),
    ...(cpuMs === undefined ? {} : { cpu: formatDuration(cpuMs) }),
    ...(outputBytes === undefined ? {} : { output: formatSize(outputBytes) }),
  };
  const context = { output, timings, debug: options.debug, limitTexts };
  const status = await positioned(built, () => runMachine(machine, context));
  if (options.timings) timings.print(output);
  return status;
}
