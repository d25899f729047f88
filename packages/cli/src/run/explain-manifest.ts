/** `kvm run --explain`: what a guest would get, and nothing more than that exists for it. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuiltManifest } from "../build/build-manifest.js";
import { grantable } from "../build/load-plugins.js";
import { formatDuration, formatSize } from "../config/units.js";
import type { MachinePlugin } from "./machine-plugins.js";

export interface Explanation {
  readonly manifest: string;
  readonly machine: {
    readonly accel: string;
    readonly boot: string;
    readonly memory: string;
    readonly kernel: string;
  };
  readonly program: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly guest: string; readonly from: string; readonly mode: string }[];
  readonly limits: Readonly<Record<string, string>>;
  readonly plugins: readonly ExplainedPlugin[];
}

interface ExplainedPlugin {
  readonly name: string;
  readonly version: string;
  /** Where it is from: a module, or `built in`. */
  readonly from: string;
  readonly grants: readonly string[];
  readonly withheld: readonly string[];
  /** Hypercalls of any plugin that its middleware sees first; `*` for all. */
  readonly intercepts: readonly string[];
  readonly doc: string;
}

export function explanationOf(
  { loaded, kernel }: BuiltManifest,
  plugins: readonly MachinePlugin[],
  userDir: string,
): Explanation {
  const { vm, program, env, mount, limits } = loaded.manifest;
  return {
    manifest: relative(userDir, loaded.file) || loaded.file,
    machine: {
      accel: vm.accel,
      boot: vm.boot,
      memory: formatSize(vm.memory),
      kernel: relative(userDir, kernel.path),
    },
    program: program === undefined ? [] : [program.path, ...program.args],
    cwd: program?.cwd ?? "/",
    env,
    mounts: mount.map(({ guest, host, tmpfs, mode }) => ({
      guest,
      from: host ?? `memory, ${formatSize(tmpfs ?? 0)}`,
      mode: host === undefined ? "rw" : (mode ?? "ro"),
    })),
    limits: Object.fromEntries(
      Object.entries(limits)
        .filter(([, value]) => value !== "none")
        .map(([name, value]) => [name, limitText(name, value)]),
    ),
    plugins: plugins.map((entry) => explainPlugin(entry, userDir)),
  };
}

const DURATIONS = ["wall", "cpu", "sleep"];
const SIZES = ["output", "file-size"];

function limitText(name: string, value: number | string): string {
  if (typeof value === "string") return value;
  if (DURATIONS.includes(name)) return formatDuration(value);
  return SIZES.includes(name) ? formatSize(value) : String(value);
}

function explainPlugin({ plugin, module, grant }: MachinePlugin, userDir: string): ExplainedPlugin {
  const names = grantable(plugin);
  const granted = grant === "all" ? names : names.filter((name) => grant.includes(name));
  return {
    name: plugin.name,
    version: plugin.version,
    from: module === undefined ? "built in" : relative(userDir, fileURLToPath(module)),
    grants: granted,
    withheld: names.filter((name) => !granted.includes(name)),
    intercepts: [...new Set((plugin.definition.middleware ?? []).flatMap(({ on }) => on))],
    doc: plugin.doc,
  };
}

export function renderExplanation(explanation: Explanation): string {
  const { manifest, machine, program, cwd, env, mounts, limits, plugins } = explanation;
  const rows: [string, readonly string[]][] = [
    ["machine", [`boot ${machine.boot}, memory ${machine.memory}, accelerator ${machine.accel}`]],
    ["kernel", [machine.kernel]],
    ["program", program.length === 0 ? [] : [`${program.map(quote).join(" ")}, in ${cwd}`]],
    ["env", Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`)],
    ["mounts", mounts.map(({ guest, from, mode }) => `${guest} (${mode}) from ${from}`)],
    ["limits", Object.entries(limits).map(([name, value]) => `${name} ${value}`)],
    ["plugins", plugins.map(pluginLine)],
  ];
  return [manifest, ...rows.flatMap(([name, lines]) => block(name, lines))].join("\n");
}

function pluginLine({ name, version, from, grants, withheld, intercepts, doc }: ExplainedPlugin): string {
  const origin = from === "built in" ? name : `${name} ${version} from ${from}`;
  // Some have nothing to call: they are there for others.
  const isService = grants.length + withheld.length === 0;
  const says = [
    ...(isService ? [doc].filter((text) => text !== "") : [grants.join(", ") || "nothing"]),
    ...(intercepts.length === 0 ? [] : [`intercepts ${intercepts.join(", ").replace("*", "every call")}`]),
  ];
  return `${origin}: ${says.join("; ")}`;
}

function block(name: string, lines: readonly string[]): string[] {
  const shown = lines.length === 0 ? ["none"] : lines;
  return shown.map((line, index) => `  ${(index === 0 ? name : "").padEnd(8)}  ${line}`);
}

function quote(text: string): string {
  return /^[\w./=:,+@%-]+$/.test(text) ? text : JSON.stringify(text);
}
