/** The numbers of a manifest's plugin hypercalls, and what the kernel and programs are made with. */
import type { HypercallRow } from "@kvmkit/guest-kernel/abi";
import type { GuestInterface } from "@kvmkit/hypervisor/codegen";
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

/** What a guest may call outside of Linux's numbers: what is granted, with its numbers. */
export function guestInterface(plugins: readonly NumberedPlugin[]): GuestInterface {
  return plugins.map(({ plugin, numbers, grant }) => ({
    plugin,
    calls: plugin.rows
      .filter(({ name, nr }) => nr === undefined && (grant === "all" || grant.includes(name)))
      .map((row) => ({ nr: numbers[row.name]!, row })),
  }));
}

/** The rows that the kernel makes stubs of. */
export function kernelRows(plugins: readonly NumberedPlugin[]): HypercallRow[] {
  return guestInterface(plugins).flatMap(({ calls }) =>
    calls.map(({ nr, row: { name, args, errors, doc } }) => ({ nr, name, args, errors, doc })),
  );
}
