/** The version of this package, from its package.json. */
import { readFileSync } from "node:fs";

export function version(): string {
  return packageJson().version;
}

/** package.json lies at the package's root, one folder above the bundle and two above what tsc emits. */
function packageJson(): { version: string } {
  for (const up of ["../package.json", "../../package.json"]) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8"));
      if (found.name === "@kvmkit/cli") return found;
    } catch {}
  }
  return { version: "0.0.0" };
}
