/**
 * What the guest kernel asks of the host for itself: panics, kills, its log, and help with page tables.
 *
 * These calls come from ring 0 only (the kernel refuses their numbers from ring 3) and their pointers are the
 * kernel's. Source of the rows: guest-kernel's abi/hypercalls.ts.
 */
import {
  ERRNO,
  KERNEL_HYPERCALLS,
  type KernelHypercallName,
  KILL_REASONS,
  PT_REGS,
  SIGNAL_MAX,
} from "@kvmkit/guest-kernel/abi";
import { REGISTER_NAMES, type Registers } from "./accelerators/accelerator.js";
import type { Decoded } from "./argument-types.js";
import { backtrace, type CodeRange } from "./backtrace.js";
import { InternalError } from "./errors.js";
import type { PluginInstance } from "./hypercall-call.js";
import type { GuestMemory } from "./memory/guest-memory.js";
import type { GuestSpace } from "./memory/guest-space.js";
import { decodeText } from "./memory/text.js";
import { fillPages } from "./paging/fill-pages.js";
import { planEdits } from "./paging/plan-edits.js";
import type { HandlerResult, Plugin } from "./plugin.js";
import { contextOf } from "./plugin-instances.js";
import { type KillReason, signalName } from "./result.js";
import type { RunControl } from "./run-control.js";

/** What the kernel's calls work on. */
export interface KernelScene {
  readonly control: RunControl;
  readonly memory: GuestMemory;
  /** Memory with the kernel's own rights. */
  readonly space: GuestSpace;
  /** Guest-physical address of the PML4 in use, undefined where there is none. */
  pageTableRoot(): number | undefined;
  readonly code: CodeRange;
  log(text: string): void;
}

const MAX_MESSAGE_BYTES = 4096;
const PAGE_FAULT = 14;

type Rows = (typeof KERNEL_HYPERCALLS)[number];
type Handlers = {
  readonly [N in KernelHypercallName]: (
    scene: KernelScene,
    args: Decoded<Extract<Rows, { name: N }>["args"]>,
  ) => HandlerResult;
};

const handlers: Handlers = {
  kernel_panic({ control, space, code }, { message, regs }) {
    const frame = readFrame(space, regs);
    const { rip = 0n, rsp = 0n } = frame ?? {};
    control.end({
      kind: "panic",
      message: readText(space, message),
      registers: frame?.registers ?? {},
      backtrace: frame ? backtrace(space, rip, rsp, code) : [],
    });
  },
  task_killed({ control, space }, { signal, reason, regs, address }) {
    const number = signal >= 1 && signal <= SIGNAL_MAX ? signal : 0;
    const frame = readFrame(space, regs);
    const isFault = reason === KILL_REASONS.FAULT && frame !== undefined;
    control.end({
      kind: "killed",
      signal: number,
      signalName: signalName(number),
      reason: killReason(reason),
      vector: isFault ? Number(frame.vector) : undefined,
      errorCode: isFault ? frame.errorCode : undefined,
      rip: frame?.rip ?? 0n,
      address: isFault && Number(frame.vector) === PAGE_FAULT ? address : undefined,
      registers: frame?.registers ?? {},
    });
  },
  fill_pages({ memory, pageTableRoot }, args) {
    const root = pageTableRoot();
    return root === undefined ? -ERRNO.EINVAL : fillPages(memory, root, args);
  },
  kernel_log({ space, log }, { text, length }) {
    log(decodeText(space.read(text, Math.min(length, MAX_MESSAGE_BYTES))));
  },
  plan_edits({ memory, space, pageTableRoot }, args) {
    const root = pageTableRoot();
    return root === undefined ? -ERRNO.EINVAL : planEdits(memory, space, root, args);
  },
};

/** The kernel's calls as a plugin of this machine; it cannot be granted or left out. */
export function kernelPlugin(scene: KernelScene): PluginInstance {
  const hypercalls = Object.fromEntries(
    KERNEL_HYPERCALLS.map(({ name, args }) => {
      const handle = handlers[name] as (scene: KernelScene, args: never) => HandlerResult;
      return [name, { args, handle: (_: unknown, values: unknown) => handle(scene, values as never) }];
    }),
  );
  const rows = KERNEL_HYPERCALLS.map(({ nr, name, args, errors, doc }) => ({
    name,
    args,
    returns: { kind: "i64" } as const,
    errors,
    doc,
    nr,
    isAsync: false,
  }));
  const definition = { name: "kernel", version: "0", abi: 1, hypercalls } as Plugin["definition"];
  const plugin: Plugin = { name: "kernel", version: "0", abi: 1, doc: "", dependsOn: [], rows, definition };
  const calls = rows.map((row) => ({ row, nr: row.nr }));
  return {
    resolved: { plugin, options: undefined, calls, ports: [] },
    context: {
      ...contextOf(plugin.name, { ...scene, user: scene.space, trace: undefined, now: () => 0 }),
      options: undefined,
      state: undefined,
      service: noService,
    },
  };
}

const noService = (): never => {
  throw new InternalError("the kernel's calls use no other plugin");
};

interface Frame {
  readonly registers: Partial<Registers>;
  readonly rip: bigint;
  readonly rsp: bigint;
  readonly vector: bigint;
  readonly errorCode: bigint;
}

/** A PT_REGS record; undefined where the address is 0 or cannot be read. */
function readFrame(space: GuestSpace, address: bigint): Frame | undefined {
  if (address === 0n) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = space.read(address, PT_REGS.size);
  } catch {
    return undefined;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (name: keyof typeof PT_REGS): bigint => view.getBigUint64(PT_REGS[name], true);
  return {
    registers: Object.fromEntries(REGISTER_NAMES.map((name) => [name, field(name)])),
    rip: field("rip"),
    rsp: field("rsp"),
    vector: field("vector"),
    errorCode: field("error_code"),
  };
}

function readText(space: GuestSpace, address: bigint): string {
  try {
    return space.cstring(address, MAX_MESSAGE_BYTES);
  } catch {
    return "(the message cannot be read)";
  }
}

function killReason(reason: number): KillReason {
  if (reason === KILL_REASONS.OUT_OF_MEMORY) return "out-of-memory";
  return reason === KILL_REASONS.SIGNAL ? "signal" : "fault";
}
