/** Gives each plugin what belongs to it in one machine: state, handles, services of others. */
import { reasonOf, VmError } from "./errors.js";
import { HandleTable } from "./handle-table.js";
import type { AnyContext, PluginInstance } from "./hypercall-call.js";
import type { GuestMemory } from "./memory/guest-memory.js";
import type { GuestSpace } from "./memory/guest-space.js";
import type { Plugin } from "./plugin.js";
import type { ResolvedPlugin } from "./plugin-set.js";
import type { RunControl } from "./run-control.js";
import type { TraceSink } from "./trace.js";

export interface PluginScene {
  readonly control: RunControl;
  readonly memory: GuestMemory;
  readonly user: GuestSpace;
  readonly trace: TraceSink | undefined;
  /** Milliseconds since the run began. */
  now(): number;
}

/** `plugins` stand in the order of their dependencies. Errors: ERR_VM_PLUGIN_HOOK, ERR_VM_PLUGIN_DEPENDENCY. */
export function instantiatePlugins(plugins: readonly ResolvedPlugin[], scene: PluginScene): PluginInstance[] {
  const services = new Map<string, unknown>();
  return plugins.map((resolved) => {
    const { plugin, options } = resolved;
    const setup = {
      ...contextOf(plugin.name, scene),
      options,
      service: <V>(other: Plugin<V>): V => serviceOf(services, plugin, other),
    };
    const state = prepared(plugin, "state", () => plugin.definition.state?.(setup));
    services.set(
      plugin.name,
      prepared(plugin, "service", () => plugin.definition.service?.(state)),
    );
    return { resolved, context: { ...setup, state } };
  });
}

/** The part of a context that does not depend on the plugin's definition. */
export function contextOf(
  plugin: string,
  { control, memory, user, trace, now }: PluginScene,
): Omit<AnyContext, "options" | "state" | "service"> {
  const handles = new Map<string, HandleTable<unknown>>();
  return {
    plugin,
    vm: control,
    memory,
    user,
    signal: control.signal,
    handles<T>(of: string): HandleTable<T> {
      let table = handles.get(of);
      if (table === undefined) handles.set(of, (table = new HandleTable()));
      return table as HandleTable<T>;
    },
    trace: (text) => trace?.({ kind: "plugin", plugin, text, atMs: now() }),
    report: (diagnostic) => control.report(diagnostic),
  };
}

function serviceOf<V>(services: ReadonlyMap<string, unknown>, plugin: Plugin, other: Plugin<V>): V {
  if (plugin.dependsOn.includes(other.name)) return services.get(other.name) as V;
  throw new VmError("ERR_VM_PLUGIN_DEPENDENCY", {
    plugin: plugin.name,
    dependency: `${other.name} (not in its dependsOn)`,
  });
}

function prepared<T>(plugin: Plugin, hook: string, make: () => T): T {
  try {
    return make();
  } catch (thrown) {
    if (thrown instanceof VmError) throw thrown;
    throw new VmError(
      "ERR_VM_PLUGIN_HOOK",
      { hook, plugin: plugin.name, reason: reasonOf(thrown) },
      { cause: thrown },
    );
  }
}
