/**
 * Repository-wide checks that no single package can make: which package may import which (docs/architecture.md),
 * and the root's own files.
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = (name) => join(root, "node_modules/.bin", name);

const checks = [
  [bin("biome"), ["check", "scripts", "biome.json", "turbo.json", "package.json"]],
  [bin("depcruise"), ["--config", "scripts/arrows.cjs", "packages", "examples"]],
];

const failed = checks.filter(
  ([command, args]) => spawnSync(command, args, { cwd: root, stdio: "inherit" }).status !== 0,
);
process.exit(failed.length ? 1 : 0);
