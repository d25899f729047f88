/** What `createVm` takes, and the checks that need no machine. */
import type { RegisterName } from "./accelerators/accelerator.js";
import { REGISTER_NAMES } from "./accelerators/accelerator.js";
import type { FlatBoot } from "./boot/flat.js";
import type { ProgramInput } from "./boot/program.js";
import { VmError } from "./errors.js";
import type { StopSignal } from "./host/stop-source.js";
import type { Plugin } from "./plugin.js";
import type { TraceSink } from "./trace.js";

export type AccelOption = "auto" | "kvm" | "soft";

export type BootOptions =
  | {
      readonly protocol: "kvmkit";
      /** The kernel as an ELF file, as guest-kernel's image and elf make it. */
      readonly kernel: Uint8Array;
    }
  | FlatBoot;

/** A plugin for a machine: the object, or where a worker finds it. */
export type PluginEntry = (
  | { readonly plugin: Plugin }
  | {
      /** A file URL, an absolute path, or a package that this package can resolve. */
      readonly module: string | URL;
      /** Name of the export. Default `default`. */
      readonly export?: string;
    }
) & {
  /** For the plugin's schema. Structured-cloneable where the plugin runs in a worker. */
  readonly options?: unknown;
  /** Names of hypercalls and ports, or all. */
  readonly grant: "all" | readonly string[];
  /** Hypercall numbers by name, from kvm.lock.json. */
  readonly numbers?: Readonly<Record<string, number>> | undefined;
};

export interface Limits {
  /** Time from the first instruction, waiting included. */
  readonly wallMs?: number | undefined;
  /** Processor time of the thread that runs the machine. */
  readonly cpuMs?: number | undefined;
  /** Time of one `vm.call()`, waiting included. Default: `wallMs`. */
  readonly callMs?: number | undefined;
  /** Bytes that the guest may write to the console. */
  readonly outputBytes?: number | undefined;
  /** Exits from the guest. */
  readonly exits?: number | undefined;
}

export interface VmOptions {
  /** Default `auto`: kvm where it is usable, else soft. */
  readonly accel?: AccelOption;
  readonly memoryBytes: number;
  readonly boot: BootOptions;
  /** For the `kvmkit` protocol. */
  readonly program?: ProgramInput;
  readonly plugins?: readonly PluginEntry[];
  readonly limits?: Limits;
  /** Called for every event, on the caller's thread. */
  readonly trace?: TraceSink | undefined;
  /** 16 bytes for the program's AT_RANDOM. Default: random. */
  readonly random?: Uint8Array;
}

export interface RunSyncOptions {
  /** Signals to the process that end the run, because JavaScript handlers cannot fire meanwhile. */
  readonly signals?: readonly StopSignal[];
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
}

const ACCELS: readonly string[] = ["auto", "kvm", "soft"];
const PROTOCOLS: readonly string[] = ["kvmkit", "real", "protected", "long"];
/** setTimeout takes no more, and no run is meant to last a month. */
const MAX_DURATION_MS = 2 ** 31 - 1;

/** Errors: ERR_VM_OPTION. What concerns memory, images and plugins is checked where it is used. */
export function checkOptions(options: VmOptions): void {
  const { accel = "auto", boot, program, limits = {}, random, trace } = options;
  oneOf("accel", accel, ACCELS);
  oneOf("boot.protocol", boot?.protocol, PROTOCOLS);
  if (boot.protocol === "kvmkit") bytes("boot.kernel", boot.kernel);
  else checkFlat(boot);
  if (program !== undefined) checkProgram(boot.protocol, program);
  number("limits.wallMs", limits.wallMs, MAX_DURATION_MS);
  number("limits.cpuMs", limits.cpuMs, MAX_DURATION_MS);
  number("limits.callMs", limits.callMs, MAX_DURATION_MS);
  number("limits.outputBytes", limits.outputBytes, Number.MAX_SAFE_INTEGER);
  number("limits.exits", limits.exits, Number.MAX_SAFE_INTEGER);
  if (random !== undefined && random.length !== 16)
    throw option("random", `${random.length} bytes`, "16 bytes");
  if (trace !== undefined && typeof trace !== "function") throw option("trace", typeof trace, "a function");
}

function checkFlat(boot: FlatBoot): void {
  bytes("boot.image", boot.image);
  for (const name of ["load", "entry"] as const) {
    if (boot[name] !== undefined && typeof boot[name] !== "bigint") {
      throw option(`boot.${name}`, typeof boot[name], "a bigint");
    }
  }
  for (const [name, value] of Object.entries(boot.registers ?? {})) {
    if (!REGISTER_NAMES.includes(name as RegisterName)) {
      throw option("boot.registers", name, REGISTER_NAMES.join(", "));
    }
    if (typeof value !== "bigint") throw option(`boot.registers.${name}`, typeof value, "a bigint");
  }
  strings("boot.args", boot.args ?? []);
}

function checkProgram(protocol: string, program: ProgramInput): void {
  if (protocol !== "kvmkit") throw option("program", "given", `only with protocol kvmkit, not ${protocol}`);
  bytes("program.image", program.image);
  strings("program.path", [program.path]);
  strings("program.args", program.args ?? []);
  strings("program.cwd", [program.cwd ?? "/"]);
  if (!(program.cwd ?? "/").startsWith("/")) throw option("program.cwd", program.cwd!, "an absolute path");
  for (const [name, value] of Object.entries(program.env ?? {})) {
    if (name === "" || name.includes("="))
      throw option("program.env", JSON.stringify(name), "names without =");
    strings(`program.env.${name}`, [value]);
  }
}

function oneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (!allowed.includes(value as string)) throw option(name, String(value), allowed.join(", "));
}

function bytes(name: string, value: unknown): void {
  if (!(value instanceof Uint8Array)) throw option(name, typeof value, "a Uint8Array");
}

function strings(name: string, values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof value !== "string") throw option(name, typeof value, "a string");
    if (value.includes("\0")) throw option(name, JSON.stringify(value), "strings without NUL");
  }
}

function number(name: string, value: unknown, limit: number): void {
  if (value === undefined) return;
  if (typeof value === "number" && value >= 0 && value <= limit) return;
  throw option(name, String(value), `0 to ${limit}`);
}

export function option(name: string, found: string, allowed: string): VmError {
  return new VmError("ERR_VM_OPTION", { option: name, found, allowed });
}
