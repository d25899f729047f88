/** The folder that the user stands in, which is what paths on a command line are relative to. */
import { dirname, resolve } from "node:path";

/**
 * npm, pnpm and yarn run a script in its package's folder and say in INIT_CWD where the user stood. A process that such
 * a script starts elsewhere inherits INIT_CWD too, but chose its folder itself: then that one counts.
 */
export function userDirOf(env: Readonly<Record<string, string | undefined>>, cwd: string): string {
  const { INIT_CWD: initial, npm_package_json: manifest, PNPM_SCRIPT_SRC_DIR: pnpmDir } = env;
  if (!initial) return cwd;
  const scriptDir = manifest ? dirname(resolve(manifest)) : pnpmDir;
  return scriptDir && scriptDir !== cwd ? cwd : resolve(initial);
}
