/** The plugins that a manifest names: found, imported, held against what it grants, and numbered. */
import { isPlugin, type Plugin } from "@kvmkit/hypervisor";
import { nearestName } from "../config/nearest-name.js";
import { ManifestError, type Problem } from "../config/problems.js";
import type { LoadedManifest } from "../config/vm-toml.js";
import { BUILT_IN_PLUGINS } from "../run/machine-plugins.js";
import { resolveModule } from "./resolve-module.js";

export interface NamedPlugin {
  readonly plugin: Plugin;
  /** URL of its module; undefined for a built-in. */
  readonly module: string | undefined;
  readonly grant: "all" | readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * All plugins of a manifest, in its order.
 * Errors: ManifestError ERR_MANIFEST_PLUGIN with every complaint.
 */
export async function loadPlugins(loaded: LoadedManifest): Promise<NamedPlugin[]> {
  const problems: Problem[] = [];
  const plugins: NamedPlugin[] = [];
  for (const [index, row] of loaded.manifest.plugin.entries()) {
    const refuse = (key: string, message: string) => {
      problems.push(
        loaded.problem(["plugin", index, ...key.split(".").map(part)], "ERR_MANIFEST_PLUGIN", message),
      );
    };
    const found = await findPlugin(row.module, loaded.dir);
    if (typeof found === "string") {
      refuse("module", found);
      continue;
    }
    if (plugins.some(({ plugin }) => plugin.name === found.plugin.name)) {
      refuse("module", `the plugin ${found.plugin.name} is named twice`);
    }
    const names = grantable(found.plugin);
    for (const [at, name] of row.grant === "all" ? [] : row.grant.entries()) {
      if (!names.includes(name)) refuse(`grant.${at}`, notOffered(found.plugin, name, names));
    }
    plugins.push({ ...found, grant: row.grant, options: row.options });
  }
  if (problems.length > 0) throw new ManifestError(problems);
  return plugins;
}

function part(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** Names of hypercalls and ports that a plugin has. */
export function grantable(plugin: Plugin): string[] {
  return [...plugin.rows.map(({ name }) => name), ...Object.keys(plugin.definition.ports ?? {})];
}

function notOffered(plugin: Plugin, name: string, names: readonly string[]): string {
  const near = nearestName(name, names);
  const hint = near === undefined ? `It offers ${names.join(", ") || "nothing"}` : `Did you mean ${near}?`;
  return `${plugin.name} has no hypercall or port of this name. ${hint}`;
}

/** The plugin, or why there is none. */
async function findPlugin(
  module: string,
  dir: string,
): Promise<Pick<NamedPlugin, "plugin" | "module"> | string> {
  const builtIn = BUILT_IN_PLUGINS.find(({ name }) => name === module);
  if (builtIn !== undefined) return { plugin: builtIn, module: undefined };
  const resolution = resolveModule(module, dir);
  if (!resolution.ok) return withNearestBuiltIn(module, resolution.reason);
  try {
    const exported = (await import(resolution.url)) as { default?: unknown };
    if (isPlugin(exported.default)) return { plugin: exported.default, module: resolution.url };
    return "its default export was not made by definePlugin()";
  } catch (error) {
    return `it cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function withNearestBuiltIn(module: string, reason: string): string {
  const near = nearestName(
    module,
    BUILT_IN_PLUGINS.map(({ name }) => name),
  );
  return near === undefined ? reason : `${reason}. Did you mean ${near}?`;
}
