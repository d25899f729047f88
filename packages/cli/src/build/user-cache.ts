/** Where `kvm exec` keeps its kernel: there is no manifest to put it beside. */
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** XDG Base Directory Specification: relative values are to be ignored. Undefined where no home is known. */
export function userCacheDir(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const given = env["XDG_CACHE_HOME"];
  if (given !== undefined && isAbsolute(given)) return join(given, "kvmkit");
  const home = env["HOME"] ?? homedir();
  return isAbsolute(home) ? join(home, ".cache/kvmkit") : undefined;
}
