/**
 * Which thread each plugin of `run()` lives on.
 *
 * A plugin that a worker can find (a module and an export, options that can be cloned) lives there. One that it cannot
 * find, a closure, lives on the caller's thread, and with it every plugin that it depends on or that depends on it,
 * because services are called directly. Middleware sees calls of all plugins, so where there is any, nothing is split.
 */
import type { PluginSource } from "./plugin.js";
import type { PluginGrant, ResolvedPlugin } from "./plugin-set.js";
import type { PluginEntry } from "./vm-options.js";
import type { WorkerPlugin } from "./worker-job.js";

export interface PluginSides {
  readonly worker: readonly WorkerPlugin[];
  readonly caller: readonly ResolvedPlugin[];
}

/** `entries` and `grants` are the same plugins in the same order, `resolved` in that of their dependencies. */
export function splitPlugins(
  entries: readonly PluginEntry[],
  grants: readonly PluginGrant[],
  resolved: readonly ResolvedPlugin[],
): PluginSides {
  const sources = new Map<string, PluginSource>();
  entries.forEach((entry, index) => {
    const source = sourceOf(entry);
    if (source !== undefined && isCloneable(entry.options)) sources.set(grants[index]!.plugin.name, source);
  });
  const onCaller = callerNames(resolved, sources);
  return {
    caller: resolved.filter(({ plugin }) => onCaller.has(plugin.name)),
    worker: resolved
      .filter(({ plugin }) => !onCaller.has(plugin.name))
      .map(({ plugin, calls, ports }) => ({
        source: sources.get(plugin.name)!,
        options: grants.find((grant) => grant.plugin.name === plugin.name)!.options,
        grant: [...calls.map(({ row }) => row.name), ...ports.map(({ name }) => name)],
        numbers: Object.fromEntries(
          calls.filter(({ row }) => row.nr === undefined).map(({ row, nr }) => [row.name, nr]),
        ),
      })),
  };
}

function sourceOf(entry: PluginEntry): PluginSource | undefined {
  if ("plugin" in entry) return entry.plugin.definition.source;
  return { module: String(entry.module), export: entry.export ?? "default" };
}

function isCloneable(options: unknown): boolean {
  try {
    structuredClone(options);
    return true;
  } catch {
    return false;
  }
}

function callerNames(
  resolved: readonly ResolvedPlugin[],
  sources: ReadonlyMap<string, PluginSource>,
): ReadonlySet<string> {
  const names = new Set(resolved.map(({ plugin }) => plugin.name).filter((name) => !sources.has(name)));
  if (names.size > 0 && resolved.some(({ plugin }) => plugin.definition.middleware?.length)) {
    return new Set(resolved.map(({ plugin }) => plugin.name));
  }
  for (let before = -1; before !== names.size; ) {
    before = names.size;
    for (const { plugin } of resolved) {
      if (names.has(plugin.name)) for (const other of plugin.dependsOn) names.add(other);
      else if (plugin.dependsOn.some((other) => names.has(other))) names.add(plugin.name);
    }
  }
  return names;
}
