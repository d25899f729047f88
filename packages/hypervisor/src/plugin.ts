/**
 * `definePlugin`: one definition of host functions, from which everything else follows: the handlers' types, the
 * registry's checks, and, as `rows`, the pure data that the kernel's stubs, headers and documentation are made of.
 *
 * A definition holds no state of any machine. What belongs to a machine is made by `state` for each.
 */
import {
  type ArgumentType,
  ERRNO,
  type ErrnoName,
  type HostSyscallName,
  SYSCALLS,
} from "@kvmkit/guest-kernel/abi";
import type { Argument, Decoded } from "./argument-types.js";
import { VmError } from "./errors.js";
import type { HandlerContext, HookContext, SetupContext } from "./plugin-context.js";
import { checkedName, IDENTIFIER, pureType, returnType, wrong } from "./pure-types.js";
import type { RunResult } from "./result.js";

/** What a plugin is written against; raised when a plugin would have to change. */
export const PLUGIN_ABI = 1;

type ArgumentMap = Readonly<Record<string, ArgumentType>>;

/** What a handler returns where `returns` does not say: an integer for rax, or nothing for 0. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function without a return statement has no other type
export type HandlerResult = number | bigint | boolean | undefined | void;
type Returned<R> = [R] extends [Argument<infer T>]
  ? unknown extends T
    ? HandlerResult
    : Exclude<T, undefined>
  : HandlerResult;

export interface HypercallDefinition<A extends ArgumentMap, Returns, O, S> {
  /** In the order of the registers rdi, rsi, rdx, r10, r8, r9; a buffer takes two. */
  readonly args: A;
  /** A scalar or an enum of `t`. Default: an i64. */
  readonly returns?: ArgumentType;
  /** The errors that the handler throws on purpose. */
  readonly errors?: readonly ErrnoName[];
  readonly doc?: string;
  /** The Linux system call that this serves; its number is then Linux's, not one of the plugins' range. */
  readonly syscall?: HostSyscallName;
  /** Runs on the machine's thread while the guest waits. */
  handle?(ctx: HandlerContext<O, S>, args: Decoded<A>): Returns;
  /** The same with a promise; `run()` only. */
  handleAsync?(ctx: HandlerContext<O, S>, args: Decoded<A>): Promise<Returns>;
  /** After this many milliseconds the guest gets -ETIMEDOUT and `ctx.signal` fires. Default 30,000. */
  readonly deadlineMs?: number;
}

/** A range of I/O ports. */
export interface PortDefinition<O, S> {
  readonly first: number;
  /** Default: `first`. */
  readonly last?: number;
  readonly doc?: string;
  /** `out`: `sizeBytes` is 1, 2 or 4. */
  onOut?(ctx: HandlerContext<O, S>, port: number, sizeBytes: number, value: number): void;
  onIn?(ctx: HandlerContext<O, S>, port: number, sizeBytes: number): number;
}

/** One hypercall on its way, as middleware sees it. */
export interface HypercallCall {
  readonly nr: number;
  readonly name: string;
  readonly plugin: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Goes on to the next middleware or the handler, with other arguments where given. It throws what they throw. */
export type Next = (args?: Readonly<Record<string, unknown>>) => HandlerResult | Promise<HandlerResult>;

export interface MiddlewareDefinition<O, S> {
  /** Names of hypercalls, or `"*"` for all. */
  readonly on: "*" | readonly string[];
  handle(ctx: HandlerContext<O, S>, call: HypercallCall, next: Next): HandlerResult | Promise<HandlerResult>;
}

export interface Hooks<O, S> {
  /** Before the first instruction, dependencies first. */
  start?(ctx: HookContext<O, S>): void;
  /** After the last instruction, dependencies last. */
  exit?(ctx: HookContext<O, S>, result: RunResult): void;
  /** When the machine is closed. */
  close?(ctx: HookContext<O, S>): void;
  /** Reserved: state for a snapshot, as structured-cloneable data. */
  snapshot?(ctx: HookContext<O, S>): unknown;
  /** Reserved. */
  restore?(ctx: HookContext<O, S>, saved: unknown): void;
}

/**
 * Checks the options that a manifest or caller gives: a Standard Schema (standardschema.dev; zod, valibot and arktype
 * have it), or a function that returns the checked options or throws.
 */
export type OptionsSchema<O> = StandardSchema<O> | ((options: unknown) => O);

interface StandardSchema<O> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult<O> | Promise<StandardResult<O>>;
    readonly types?: { readonly input: unknown; readonly output: O } | undefined;
  };
}

type StandardResult<O> =
  | { readonly value: O; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly unknown[] | undefined;
      }[];
    };

export interface PluginDefinition<O, S, V, A extends Record<string, ArgumentMap>, R> {
  /** `[a-z][a-z0-9-]*`; for a package of its own, the package's name. */
  readonly name: string;
  readonly version: string;
  readonly abi: typeof PLUGIN_ABI;
  readonly doc?: string;
  /** Where another thread finds this plugin: `{ module: import.meta.url, export: "name" }`. */
  readonly source?: PluginSource;
  /** Names of plugins that must be granted too; their services are ready before this plugin's `state`. */
  readonly dependsOn?: readonly string[];
  readonly options?: OptionsSchema<O>;
  /** Makes what belongs to one machine. */
  state?(ctx: SetupContext<O>): S;
  /** What other plugins may use of it, with `ctx.service(plugin)`. */
  service?(state: S): V;
  readonly hypercalls?: {
    [N in keyof A]: HypercallDefinition<A[N], Returned<N extends keyof R ? R[N] : undefined>, O, S>;
  } & { [N in keyof R]: { readonly returns?: R[N] } };
  readonly ports?: Readonly<Record<string, PortDefinition<O, S>>>;
  readonly middleware?: readonly MiddlewareDefinition<O, S>[];
  readonly hooks?: Hooks<O, S>;
  /** What its hypercalls need on the guest's side beyond single calls. */
  readonly guest?: GuestSources;
}

/** Source text that the generators put behind a plugin's hypercalls, as it stands. */
export interface GuestSources {
  /** For the C header; also valid C++. */
  readonly c?: string;
  /** For the assembler's include. */
  readonly asm?: string;
  /** For the Rust module. */
  readonly rust?: string;
}

/** A module's URL and the name of an export. */
export interface PluginSource {
  readonly module: string;
  readonly export: string;
}

/** A hypercall as pure data: what the kernel builder and the header generator read. */
export interface PluginRow {
  readonly name: string;
  readonly args: Readonly<Record<string, ArgumentType>>;
  readonly returns: ArgumentType;
  readonly errors: readonly ErrnoName[];
  readonly doc: string;
  /** Linux's number where it serves a system call, else undefined: one of the plugins' range is assigned. */
  readonly nr: number | undefined;
  readonly isAsync: boolean;
}

/** A checked definition. */
export interface Plugin<V = unknown> {
  readonly name: string;
  readonly version: string;
  readonly abi: number;
  readonly doc: string;
  readonly dependsOn: readonly string[];
  readonly rows: readonly PluginRow[];
  /** For the registry. */
  readonly definition: ErasedDefinition;
  readonly [service]?: V;
}

declare const service: unique symbol;

/** A definition whose type parameters are forgotten; the registry keeps each plugin's parts together. */
export type ErasedDefinition = Omit<
  PluginDefinition<unknown, unknown, unknown, Record<string, ArgumentMap>, unknown>,
  "hypercalls"
> & {
  readonly hypercalls?: Readonly<
    Record<string, HypercallDefinition<ArgumentMap, HandlerResult, unknown, unknown>>
  >;
};

export const DEFAULT_DEADLINE_MS = 30_000;
const ARGUMENT_REGISTER_COUNT = 6;
const NAME = /^(@[a-z0-9-]+\/)?[a-z][a-z0-9-]*$/;
/** Defines a plugin. Errors: ERR_VM_PLUGIN_DEFINITION, ERR_VM_PLUGIN_ABI. */
export function definePlugin<O, S, V, A extends Record<string, ArgumentMap>, R>(
  definition: PluginDefinition<O, S, V, A, R>,
): Plugin<V> {
  const erased = definition as unknown as ErasedDefinition;
  checkDefinition(erased);
  const rows = Object.entries(erased.hypercalls ?? {}).map(([name, call]) => rowOf(erased.name, name, call));
  const clash = clashingStruct([{ plugin: erased.name, rows }]);
  if (clash !== undefined) {
    throw wrong(erased.name, "hypercalls", `two different structs ${clash.name}`, "one layout for a name");
  }
  return Object.freeze({
    name: erased.name,
    version: erased.version,
    abi: erased.abi,
    doc: erased.doc ?? "",
    dependsOn: erased.dependsOn ?? [],
    rows,
    definition: erased,
  });
}

/** The first struct name that stands for two layouts, and whose they are: programs have one `struct` of a name. */
export function clashingStruct(
  plugins: readonly { readonly plugin: string; readonly rows: readonly PluginRow[] }[],
): { readonly name: string; readonly first: string; readonly second: string } | undefined {
  const known = new Map<string, { readonly plugin: string; readonly layout: string }>();
  for (const { plugin, rows } of plugins) {
    for (const type of rows.flatMap(({ args }) => Object.values(args))) {
      if (type.kind !== "struct") continue;
      const layout = JSON.stringify(Object.entries(type.fields));
      const other = known.get(type.name);
      if (other !== undefined && other.layout !== layout) {
        return { name: type.name, first: other.plugin, second: plugin };
      }
      known.set(type.name, { plugin, layout });
    }
  }
  return undefined;
}

/** Whether a module's export was made by `definePlugin`, of this or of another copy of this package. */
export function isPlugin(value: unknown): value is Plugin {
  if (typeof value !== "object" || value === null) return false;
  const { name, abi, rows, definition } = value as Partial<Plugin>;
  return (
    typeof name === "string" &&
    typeof abi === "number" &&
    Array.isArray(rows) &&
    typeof definition === "object"
  );
}

function checkDefinition(definition: ErasedDefinition): void {
  const { name, version, abi } = definition;
  if (typeof name !== "string" || !NAME.test(name))
    throw wrong(String(name), "name", String(name), String(NAME));
  if (typeof version !== "string") throw wrong(name, "version", String(version), "a string");
  if (abi !== PLUGIN_ABI) {
    throw new VmError("ERR_VM_PLUGIN_ABI", { plugin: name, found: String(abi), allowed: PLUGIN_ABI });
  }
  for (const [port, range] of Object.entries(definition.ports ?? {})) checkPorts(name, port, range);
}

function checkPorts(
  plugin: string,
  name: string,
  { first, last = first }: PortDefinition<unknown, unknown>,
): void {
  if (!Number.isInteger(first) || !Number.isInteger(last) || first < 0 || last < first || last > 0xffff) {
    throw wrong(plugin, `ports.${name}`, `${first} to ${last}`, "0 to 0xffff");
  }
}

function rowOf(
  plugin: string,
  name: string,
  call: HypercallDefinition<ArgumentMap, HandlerResult, unknown, unknown>,
): PluginRow {
  const where = `hypercalls.${name}`;
  if (!IDENTIFIER.test(name)) throw wrong(plugin, where, name, "a C identifier");
  if ((call.handle === undefined) === (call.handleAsync === undefined)) {
    throw wrong(plugin, where, "both or neither", "one of handle and handleAsync");
  }
  const args = Object.fromEntries(
    Object.entries(call.args).map(([argument, type]) => [
      checkedName(plugin, `${where}.args`, argument),
      pureType(plugin, `${where}.args.${argument}`, type),
    ]),
  );
  const registers = Object.values(args).reduce((sum, { kind }) => sum + (kind === "buffer" ? 2 : 1), 0);
  if (registers > ARGUMENT_REGISTER_COUNT) {
    throw wrong(plugin, `${where}.args`, `${registers} registers`, `${ARGUMENT_REGISTER_COUNT} registers`);
  }
  for (const error of call.errors ?? []) {
    if (!Object.hasOwn(ERRNO, error)) throw wrong(plugin, `${where}.errors`, error, "names of errno(3)");
  }
  return {
    name,
    args,
    returns: returnType(plugin, where, call.returns),
    errors: call.errors ?? [],
    doc: call.doc ?? "",
    nr: call.syscall === undefined ? undefined : syscallNumber(plugin, where, call.syscall),
    isAsync: call.handleAsync !== undefined,
  };
}

function syscallNumber(plugin: string, where: string, name: string): number {
  const row = SYSCALLS.find((candidate) => candidate.name === name);
  if (row?.served !== "host")
    throw wrong(plugin, `${where}.syscall`, name, "a system call that the host serves");
  return row.nr;
}
