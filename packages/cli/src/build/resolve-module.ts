/** Where a manifest's plugin module is: a file beside the manifest, or an installed package as Node.js finds it. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

export type ModuleResolution =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly reason: string };

/** `specifier` as an `import` in a file of `dir` would find it; relative ones must name a file in full. */
export function resolveModule(specifier: string, dir: string): ModuleResolution {
  if (/^\.{0,2}\//.test(specifier)) return resolveFile(resolve(dir, specifier));
  try {
    return found(createRequire(join(dir, "vm.toml")).resolve(specifier));
  } catch (error) {
    // `require` does not see what a package exports to `import` only.
    const path =
      (error as NodeJS.ErrnoException).code === "ERR_PACKAGE_PATH_NOT_EXPORTED"
        ? importedEntry(specifier, dir)
        : undefined;
    return path === undefined
      ? { ok: false, reason: `no such package is installed above ${dir}` }
      : found(path);
  }
}

function resolveFile(path: string): ModuleResolution {
  if (!existsSync(path)) return { ok: false, reason: `no such file (${path})` };
  return statSync(path).isFile() ? found(path) : { ok: false, reason: `not a file (${path})` };
}

function found(path: string): ModuleResolution {
  return { ok: true, url: pathToFileURL(path).href };
}

/** The `import` target of a package's main entry (Node.js documentation, "Conditional exports"). */
function importedEntry(name: string, dir: string): string | undefined {
  for (let folder = dir; ; folder = dirname(folder)) {
    const root = join(folder, "node_modules", name);
    if (existsSync(join(root, "package.json"))) {
      const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
      const target = conditionalTarget(exports?.["."] ?? exports);
      return target === undefined ? undefined : join(root, target);
    }
    if (folder === dirname(folder)) return undefined;
  }
}

function conditionalTarget(target: unknown): string | undefined {
  if (typeof target === "string") return target;
  if (typeof target !== "object" || target === null) return undefined;
  for (const [condition, nested] of Object.entries(target)) {
    if (!["node", "import", "default"].includes(condition)) continue;
    const path = conditionalTarget(nested);
    if (path !== undefined) return path;
  }
  return undefined;
}
