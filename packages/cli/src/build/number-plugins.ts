/** The numbers of a manifest's plugin hypercalls, and what is made of them: the kernel's rows, the include file. */
import type { HypercallRow } from "@kvmkit/guest-kernel/abi";
import type { NamedPlugin } from "./load-plugins.js";
import { lockHypercalls } from "./lock-file.js";

export interface NumberedPlugin extends NamedPlugin {
  /** Of its hypercalls that have no number of Linux's. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** Numbers from kvm.lock.json in `dir`, which is brought up to date. Errors: those of lockHypercalls. */
export function numberPlugins(dir: string, plugins: readonly NamedPlugin[]): NumberedPlugin[] {
  const recorded = lockHypercalls(
    dir,
    plugins.map(({ plugin }) => ({ name: plugin.name, hypercalls: ownNames(plugin) })),
  );
  return plugins.map((named) => {
    const { plugin } = named;
    const numbers = ownNames(plugin).map((name) => [name, recorded[plugin.name]![name]!] as const);
    return { ...named, numbers: Object.fromEntries(numbers) };
  });
}

/** Hypercalls that do not serve a system call of Linux, and so have no number of their own. */
function ownNames({ rows }: NamedPlugin["plugin"]): string[] {
  return rows.filter(({ nr }) => nr === undefined).map(({ name }) => name);
}

/** The rows that the kernel makes stubs of: what is granted, outside of Linux's numbers. */
export function kernelRows(plugins: readonly NumberedPlugin[]): HypercallRow[] {
  return plugins.flatMap(({ plugin, numbers, grant }) =>
    plugin.rows
      .filter(({ name, nr }) => nr === undefined && (grant === "all" || grant.includes(name)))
      .map(({ name, args, errors, doc }) => ({ nr: numbers[name]!, name, args, errors, doc })),
  );
}

/** `hypercalls.inc`: SYS_<name> for each of them. */
export function hypercallInclude(plugins: readonly NumberedPlugin[]): string {
  return kernelRows(plugins)
    .map(({ name, nr }) => `SYS_${name} = 0x${nr.toString(16)}\n`)
    .join("");
}
