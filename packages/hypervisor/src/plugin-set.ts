/**
 * Which plugins a machine has: checked, numbered and in the order of their dependencies.
 *
 * Everything that can be wrong about a choice of plugins is found here, before a machine exists, and the error names
 * both sides of a conflict.
 */
import { PLUGIN_HYPERCALL_FIRST, PLUGIN_HYPERCALL_LAST } from "@kvmkit/guest-kernel/abi";
import { reasonOf, VmError } from "./errors.js";
import {
  clashingStruct,
  type OptionsSchema,
  PLUGIN_ABI,
  type Plugin,
  type PluginRow,
  type PortDefinition,
} from "./plugin.js";

/** One plugin as a caller grants it. */
export interface PluginGrant {
  readonly plugin: Plugin;
  readonly options?: unknown;
  /** Names of hypercalls and ports; what is not granted does not exist for the guest. */
  readonly grant: "all" | readonly string[];
  /** Numbers of hypercalls from kvm.lock.json; the rest is numbered in order. */
  readonly numbers?: Readonly<Record<string, number>> | undefined;
}

export interface GrantedCall {
  readonly row: PluginRow;
  readonly nr: number;
}

export interface GrantedPort {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly definition: PortDefinition<unknown, unknown>;
}

export interface ResolvedPlugin {
  readonly plugin: Plugin;
  /** As the plugin's schema returned them. */
  readonly options: unknown;
  readonly calls: readonly GrantedCall[];
  readonly ports: readonly GrantedPort[];
}

/**
 * Checks and orders plugins.
 * Errors: ERR_VM_PLUGIN_ABI, ERR_VM_PLUGIN_CLASH, ERR_VM_PLUGIN_DEPENDENCY, ERR_VM_PLUGIN_GRANT, ERR_VM_PLUGIN_NUMBER,
 * ERR_VM_PLUGIN_OPTIONS.
 */
export function resolvePlugins(grants: readonly PluginGrant[]): ResolvedPlugin[] {
  const ordered = inDependencyOrder(grants);
  const numbers = new NumberSpace();
  for (const grant of ordered) numbers.claimFixed(grant);
  const resolved = ordered.map((grant) => ({
    plugin: grant.plugin,
    options: checkedOptions(grant),
    calls: grantedRows(grant).map((row) => ({ row, nr: numbers.of(grant.plugin, row) })),
    ports: grantedPorts(grant),
  }));
  checkCallNames(resolved);
  checkStructs(resolved);
  checkPorts(resolved);
  return resolved;
}

/** Dependencies first; otherwise as given. */
function inDependencyOrder(grants: readonly PluginGrant[]): PluginGrant[] {
  const byName = new Map<string, PluginGrant>();
  for (const grant of grants) {
    const { name, version, abi } = grant.plugin;
    if (abi !== PLUGIN_ABI)
      throw new VmError("ERR_VM_PLUGIN_ABI", { plugin: name, found: abi, allowed: PLUGIN_ABI });
    const other = byName.get(name);
    if (other) throw clash(`${name} ${other.plugin.version}`, `${name} ${version}`, `the name ${name}`);
    byName.set(name, grant);
  }
  const ordered = new Set<PluginGrant>();
  const visit = (grant: PluginGrant, path: readonly string[]): void => {
    if (ordered.has(grant)) return;
    const { name, dependsOn } = grant.plugin;
    for (const dependency of dependsOn) {
      const other = byName.get(dependency);
      if (other === undefined || path.includes(dependency) || dependency === name) {
        throw new VmError("ERR_VM_PLUGIN_DEPENDENCY", {
          plugin: name,
          dependency:
            other === undefined ? dependency : `${[...path, name, dependency].join(" -> ")} (a cycle)`,
        });
      }
      visit(other, [...path, name]);
    }
    ordered.add(grant);
  };
  for (const grant of grants) visit(grant, []);
  return [...ordered];
}

class NumberSpace {
  readonly #owners = new Map<number, string>();
  #next: number = PLUGIN_HYPERCALL_FIRST;
  readonly #fixed = new Map<string, number>();

  /** Takes the numbers that do not depend on the order: Linux's, and those of the lock file. */
  claimFixed({ plugin, numbers = {}, ...grant }: PluginGrant): void {
    for (const [name, nr] of Object.entries(numbers)) checkNumber(plugin, name, nr);
    for (const row of grantedRows({ plugin, ...grant })) {
      const nr = row.nr ?? numbers[row.name];
      if (nr === undefined) continue;
      const label = `${plugin.name}.${row.name}`;
      const owner = this.#owners.get(nr);
      if (owner !== undefined) throw clash(owner, label, `hypercall number ${nr}`);
      this.#owners.set(nr, label);
      this.#fixed.set(label, nr);
    }
  }

  of(plugin: Plugin, row: PluginRow): number {
    const label = `${plugin.name}.${row.name}`;
    const fixed = this.#fixed.get(label);
    if (fixed !== undefined) return fixed;
    while (this.#owners.has(this.#next)) this.#next++;
    checkNumber(plugin, row.name, this.#next);
    this.#owners.set(this.#next, label);
    return this.#next++;
  }
}

function checkNumber(plugin: Plugin, hypercall: string, found: number): void {
  const row = plugin.rows.find(({ name }) => name === hypercall);
  if (
    Number.isInteger(found) &&
    found >= PLUGIN_HYPERCALL_FIRST &&
    found <= PLUGIN_HYPERCALL_LAST &&
    !row?.nr
  )
    return;
  throw new VmError("ERR_VM_PLUGIN_NUMBER", {
    plugin: plugin.name,
    hypercall,
    found: String(found),
    allowed: row?.nr ? `Linux's, ${row.nr}` : `${PLUGIN_HYPERCALL_FIRST} to ${PLUGIN_HYPERCALL_LAST}`,
  });
}

function grantedRows({ plugin, grant }: Pick<PluginGrant, "plugin" | "grant">): readonly PluginRow[] {
  checkGrant(plugin, grant);
  return grant === "all" ? plugin.rows : plugin.rows.filter(({ name }) => grant.includes(name));
}

function grantedPorts({ plugin, grant }: PluginGrant): GrantedPort[] {
  return Object.entries(plugin.definition.ports ?? {})
    .filter(([name]) => grant === "all" || grant.includes(name))
    .map(([name, definition]) => ({
      name,
      first: definition.first,
      last: definition.last ?? definition.first,
      definition,
    }));
}

function checkGrant(plugin: Plugin, grant: PluginGrant["grant"]): void {
  if (grant === "all") return;
  const known = [...plugin.rows.map(({ name }) => name), ...Object.keys(plugin.definition.ports ?? {})];
  const unknown = grant.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new VmError("ERR_VM_PLUGIN_GRANT", {
    plugin: plugin.name,
    found: unknown,
    allowed: known.join(", ") || "nothing",
  });
}

function checkedOptions({ plugin, options }: PluginGrant): unknown {
  const schema = plugin.definition.options as OptionsSchema<unknown> | undefined;
  const refused = (reason: string, cause?: unknown): VmError =>
    new VmError(
      "ERR_VM_PLUGIN_OPTIONS",
      { plugin: plugin.name, reason },
      cause === undefined ? undefined : { cause },
    );
  if (schema === undefined) {
    if (options === undefined || Object.keys(options as object).length === 0) return undefined;
    throw refused(`it takes no options, found ${Object.keys(options as object).join(", ")}`);
  }
  if (typeof schema === "function") {
    try {
      return schema(options);
    } catch (error) {
      if (error instanceof VmError) throw error;
      throw refused(reasonOf(error), error);
    }
  }
  const result = schema["~standard"].validate(options);
  if (result instanceof Promise) throw refused("its schema is asynchronous, which is not supported");
  if (result.issues === undefined) return result.value;
  throw refused(result.issues.map(({ message, path }) => issueText(message, path)).join("; "));
}

const issueText = (message: string, path: readonly unknown[] | undefined): string =>
  path?.length ? `options.${path.map(segmentText).join(".")}: ${message}` : message;

const segmentText = (segment: unknown): string =>
  String(typeof segment === "object" && segment !== null && "key" in segment ? segment.key : segment);

/** Names are how programs and traces refer to a hypercall, so no two plugins share one. */
function checkCallNames(plugins: readonly ResolvedPlugin[]): void {
  const owners = new Map<string, string>();
  for (const { plugin, calls } of plugins) {
    for (const { row } of calls) {
      const owner = owners.get(row.name);
      if (owner !== undefined) throw clash(owner, plugin.name, `the hypercall name ${row.name}`);
      owners.set(row.name, plugin.name);
    }
  }
}

function checkStructs(plugins: readonly ResolvedPlugin[]): void {
  const named = plugins.map(({ plugin, calls }) => ({
    plugin: plugin.name,
    rows: calls.map(({ row }) => row),
  }));
  const found = clashingStruct(named);
  if (found !== undefined) throw clash(found.first, found.second, `the struct name ${found.name}`);
}

function checkPorts(plugins: readonly ResolvedPlugin[]): void {
  const taken: { plugin: string; first: number; last: number }[] = [];
  for (const { plugin, ports } of plugins) {
    for (const { first, last } of ports) {
      const other = taken.find((range) => first <= range.last && range.first <= last);
      if (other)
        throw clash(other.plugin, plugin.name, `I/O port 0x${Math.max(first, other.first).toString(16)}`);
      taken.push({ plugin: plugin.name, first, last });
    }
  }
}

function clash(first: string, second: string, what: string): VmError {
  return new VmError("ERR_VM_PLUGIN_CLASH", { first, second, what });
}
