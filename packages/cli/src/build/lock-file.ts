/**
 * kvm.lock.json: the numbers of plugin hypercalls, which programs are compiled against. They are assigned once,
 * recorded beside the manifest, committed with it, and never given to another name.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PLUGIN_HYPERCALL_FIRST, PLUGIN_HYPERCALL_LAST } from "@kvmkit/guest-kernel/abi";
import { CliError, systemErrorText } from "../errors.js";
import { writeFileAtomically } from "./atomic-file.js";

export const LOCK_FILE = "kvm.lock.json";
const VERSION = 1;

/** Plugin name -> hypercall name -> number. */
export type HypercallNumbers = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface PluginNames {
  readonly name: string;
  readonly hypercalls: readonly string[];
}

/**
 * The numbers of all hypercalls of `plugins`, with the file in `dir` brought up to date where one is new.
 * Errors: CliError ERR_LOCK_FILE, ERR_HYPERCALL_NUMBERS, ERR_CLI_IO.
 */
export function lockHypercalls(dir: string, plugins: readonly PluginNames[]): HypercallNumbers {
  const path = join(dir, LOCK_FILE);
  const recorded = readLock(path);
  const numbers = assignNumbers(recorded, plugins);
  if (numbers !== recorded) writeFileAtomically(path, renderLock(numbers));
  return numbers;
}

/** Adds what is missing, in the order of `plugins`; `recorded` itself where nothing is. */
export function assignNumbers(recorded: HypercallNumbers, plugins: readonly PluginNames[]): HypercallNumbers {
  const used = Object.values(recorded).flatMap((rows) => Object.values(rows));
  let next = Math.max(PLUGIN_HYPERCALL_FIRST - 1, ...used) + 1;
  const result = new Map(
    Object.entries(recorded).map(([name, rows]) => [name, new Map(Object.entries(rows))]),
  );
  let changed = false;
  for (const { name, hypercalls } of plugins) {
    const rows = result.get(name) ?? new Map<string, number>();
    for (const hypercall of hypercalls.filter((candidate) => !rows.has(candidate))) {
      if (next > PLUGIN_HYPERCALL_LAST) {
        throw new CliError("ERR_HYPERCALL_NUMBERS", `no number is left for ${name}'s hypercall ${hypercall}`);
      }
      rows.set(hypercall, next++);
      changed = true;
    }
    if (rows.size > 0) result.set(name, rows);
  }
  return changed
    ? Object.fromEntries([...result].map(([name, rows]) => [name, Object.fromEntries(rows)]))
    : recorded;
}

function readLock(path: string): HypercallNumbers {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw refuse(path, `cannot be read: ${systemErrorText(error)}`);
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw refuse(path, `is not JSON: ${(error as Error).message}`);
  }
  const { version, hypercalls } = (data ?? {}) as { version?: unknown; hypercalls?: unknown };
  if (version !== VERSION) throw refuse(path, `has version ${JSON.stringify(version)}; ${VERSION} is known`);
  return checkNumbers(path, hypercalls);
}

function checkNumbers(path: string, found: unknown): HypercallNumbers {
  const owner = new Map<number, string>();
  if (!isRecord(found)) throw refuse(path, "has no table of hypercalls");
  for (const [plugin, rows] of Object.entries(found)) {
    if (!isRecord(rows)) throw refuse(path, `has no table of numbers for ${plugin}`);
    for (const [hypercall, nr] of Object.entries(rows)) {
      const name = `${plugin}.${hypercall}`;
      if (
        !Number.isInteger(nr) ||
        Number(nr) < PLUGIN_HYPERCALL_FIRST ||
        Number(nr) > PLUGIN_HYPERCALL_LAST
      ) {
        throw refuse(path, `gives ${name} the number ${JSON.stringify(nr)}, outside of 0x1000 to 0x1fff`);
      }
      const other = owner.get(Number(nr));
      if (other !== undefined) throw refuse(path, `gives ${other} and ${name} the same number ${nr}`);
      owner.set(Number(nr), name);
    }
  }
  return found as HypercallNumbers;
}

function isRecord(found: unknown): found is Record<string, unknown> {
  return typeof found === "object" && found !== null && !Array.isArray(found);
}

function renderLock(numbers: HypercallNumbers): string {
  return `${JSON.stringify({ version: VERSION, hypercalls: numbers }, undefined, 2)}\n`;
}

function refuse(path: string, message: string): CliError {
  return new CliError("ERR_LOCK_FILE", `${path} ${message}`);
}
