/** From what a caller gives as plugins to definitions: objects as they are, modules imported. */
import { reasonOf, VmError } from "./errors.js";
import { isPlugin, type Plugin } from "./plugin.js";
import type { PluginGrant } from "./plugin-set.js";
import type { PluginEntry } from "./vm-options.js";

/** Errors: ERR_VM_PLUGIN_MODULE. */
export function loadPlugins(entries: readonly PluginEntry[]): Promise<PluginGrant[]> {
  return Promise.all(
    entries.map(async (entry) => ({
      plugin: "plugin" in entry ? checked(entry.plugin) : await importPlugin(entry.module, entry.export),
      options: entry.options,
      grant: entry.grant,
      numbers: entry.numbers,
    })),
  );
}

function checked(plugin: Plugin): Plugin {
  if (isPlugin(plugin)) return plugin;
  throw new VmError("ERR_VM_PLUGIN_MODULE", {
    module: "(an object)",
    reason: "it was not made by definePlugin()",
  });
}

async function importPlugin(module: string | URL, name = "default"): Promise<Plugin> {
  const specifier = specifierOf(module);
  let exports: Record<string, unknown>;
  try {
    exports = (await import(specifier)) as Record<string, unknown>;
  } catch (error) {
    throw new VmError(
      "ERR_VM_PLUGIN_MODULE",
      { module: specifier, reason: reasonOf(error) },
      { cause: error },
    );
  }
  if (isPlugin(exports[name])) return exports[name];
  const plugins = Object.keys(exports).filter((candidate) => isPlugin(exports[candidate]));
  throw new VmError("ERR_VM_PLUGIN_MODULE", {
    module: specifier,
    reason: `its export ${name} is not a plugin; its plugins: ${plugins.join(", ") || "none"}`,
  });
}

/** Relative specifiers would be relative to this package, which nobody means. */
function specifierOf(module: string | URL): string {
  const text = String(module);
  if (text.startsWith("/")) return `file://${encodeURI(text).replaceAll(/[?#]/g, encodeURIComponent)}`;
  if (!text.startsWith(".")) return text;
  throw new VmError("ERR_VM_PLUGIN_MODULE", {
    module: text,
    reason: "a relative path; use new URL(path, import.meta.url)",
  });
}
