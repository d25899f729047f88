/**
 * The plugins of a machine: what its boot protocol brings, and what a manifest adds, replaces or withholds.
 *
 * Built-in plugins have no private door: a manifest names them as it names any other, by `module`.
 */
import type { Plugin, PluginEntry } from "@kvmkit/hypervisor";
import type { MountOption } from "@kvmkit/hypervisor/node";
import type { BootProtocol } from "../config/schema.js";
import * as builtIn from "./built-in-plugins.js";

const { clock, console, debugConsole, descriptors, files, foreignHost, process, random } = builtIn;

export const BUILT_IN_PLUGINS: readonly Plugin[] = Object.values(builtIn);

/** The bundler keeps this file beside the others under its own name. */
const BUILT_IN_MODULE = new URL("./built-in-plugins.js", import.meta.url).href;

/** Granted whole, unless the manifest names the plugin itself. */
const STANDARD: Readonly<Record<BootProtocol, readonly Plugin[]>> = {
  kvmkit: [descriptors, console, files, process, clock, random],
  long: [descriptors, console, files, debugConsole, foreignHost],
  protected: [descriptors, console, debugConsole],
  real: [descriptors, console, debugConsole],
};

export interface MachinePlugin {
  readonly plugin: Plugin;
  /** URL of its module; undefined for a built-in. */
  readonly module: string | undefined;
  readonly grant: "all" | readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly numbers: Readonly<Record<string, number>>;
}

export interface HostGrants {
  readonly mounts: readonly MountOption[];
  /** Descriptors that may be open at once. */
  readonly openFiles?: number | undefined;
  /** Bytes that one file may have where the guest writes to it. */
  readonly fileBytes?: number | undefined;
}

/** The protocol's plugins with `named` in their places, and the rest of `named` behind them. */
export function machinePlugins(
  boot: BootProtocol,
  { mounts, openFiles, fileBytes }: HostGrants,
  named: readonly MachinePlugin[],
): MachinePlugin[] {
  const hostOptions: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    [files.name]: { mounts, ...(fileBytes === undefined ? {} : { fileBytes }) },
    [descriptors.name]: openFiles === undefined ? {} : { openFiles },
  };
  const standard = STANDARD[boot].map((plugin): MachinePlugin => {
    return { plugin, module: undefined, grant: "all", options: {}, numbers: {} };
  });
  const kept = standard.filter(({ plugin }) => !named.some((other) => other.plugin.name === plugin.name));
  return [...kept, ...named].map((entry) => {
    const ofHost = entry.module === undefined ? hostOptions[entry.plugin.name] : undefined;
    return ofHost === undefined ? entry : { ...entry, options: { ...ofHost, ...entry.options } };
  });
}

/** Plugins for a machine on this thread. */
export function localEntries(plugins: readonly MachinePlugin[]): PluginEntry[] {
  return plugins.map(({ plugin, options, grant, numbers }) => ({ plugin, options, grant, numbers }));
}

/** Plugins for a machine in a worker, which imports them there. */
export function workerEntries(plugins: readonly MachinePlugin[]): PluginEntry[] {
  return plugins.map(({ plugin, module, options, grant, numbers }) => {
    const rest = { options, grant, numbers };
    if (module !== undefined) return { module, ...rest };
    const exported = Object.entries(builtIn).find(([, candidate]) => candidate === plugin)![0];
    return { module: BUILT_IN_MODULE, export: exported, ...rest };
  });
}

/** Whether a handler has to be waited for, which takes a thread of its own. */
export function isAsync(plugins: readonly MachinePlugin[]): boolean {
  return plugins.some(({ plugin, grant }) =>
    plugin.rows.some((row) => row.isAsync && (grant === "all" || grant.includes(row.name))),
  );
}
