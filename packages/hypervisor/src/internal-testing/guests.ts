/** Small guests in assembly, and machines around them. */
import { writeElf } from "@kvmkit/elf";
import { buildKernel } from "@kvmkit/guest-kernel";
import { PLUGIN_HYPERCALL_FIRST } from "@kvmkit/guest-kernel/abi";
import { assemble, assembleFlat, link } from "@kvmkit/x86-asm";
import type { ExecutionContext } from "ava";
import { calls } from "../plugins/calls.js";
import { debugConsole } from "../plugins/debug-console.js";
import { descriptors } from "../plugins/descriptors.js";
import { type MemoryConsoleOptions, memoryConsole } from "../plugins/memory-console.js";
import { memoryFiles } from "../plugins/memory-files.js";
import { process } from "../plugins/process.js";
import type { RunResult } from "../result.js";
import { createVm, type Vm } from "../vm.js";
import type { PluginEntry, VmOptions } from "../vm-options.js";

export const MIB = 2 ** 20;

const BITS = { real: 16, protected: 32, long: 64 } as const;

/** Options for a machine that runs flat `source` by `protocol`. */
export function flatGuest(
  protocol: keyof typeof BITS,
  source: string,
  more: Omit<Partial<VmOptions>, "boot"> = {},
): VmOptions {
  const image = assembleFlat(source, { bits: BITS[protocol] });
  return { memoryBytes: 4 * MIB, limits: { wallMs: 20_000 }, ...more, boot: { protocol, image } };
}

export const PROGRAM_START = 0x40_0000n;
/** PF_R, PF_W, PF_X: one segment for everything is enough here. */
const RWX = 7;

let kernel: Uint8Array | undefined;

/** Options for a machine that runs `source` as a program in ring 3. */
export function programGuest(source: string, more: Partial<VmOptions> = {}): VmOptions {
  if (kernel === undefined) {
    const { entry, segments, symbols } = buildKernel();
    kernel = writeElf({ kind: "executable", entry, segments, symbols });
  }
  const image = writeElf({
    kind: "executable",
    entry: PROGRAM_START,
    segments: [{ vaddr: PROGRAM_START, bytes: assembleFlat(source, { origin: PROGRAM_START }), flags: RWX }],
    symbols: [{ name: "_start", value: PROGRAM_START, type: "STT_FUNC" }],
  });
  return {
    memoryBytes: 16 * MIB,
    limits: { wallMs: 20_000 },
    boot: { protocol: "kvmkit", kernel },
    program: { image, path: "/program" },
    ...more,
  };
}

/**
 * Options for a machine whose program is `source` behind a `_start` that serves calls (plugins/calls.ts): each label
 * that `source` declares global is a function to call.
 */
export function servingGuest(source: string, more: Partial<VmOptions> = {}): VmOptions {
  const { rows, definition } = calls;
  const number = PLUGIN_HYPERCALL_FIRST;
  const { entry, segments, symbols } = buildKernel({ plugins: rows.map((row) => ({ ...row, nr: number })) });
  const serve = `.set SYS_call_next, ${number}\n${definition.guest!.asm}\n`;
  const start = ".globl _start\n_start: call kvmkit_serve_calls\nmov edi, 99\nmov eax, 231\nsyscall\n";
  const { object } = assemble(`${serve}${start}kvmkit_serve_calls_here\n${source}`);
  const { sections, symbols: labels } = link(object, { origins: { ".text": PROGRAM_START } });
  const functions = object.symbols.filter(({ binding }) => binding === "global");
  const image = writeElf({
    kind: "executable",
    entry: PROGRAM_START,
    segments: [{ vaddr: PROGRAM_START, bytes: sections[0]!.bytes, flags: RWX }],
    symbols: functions.map(({ name }) => ({ name, value: labels.get(name)!.address, type: "STT_FUNC" })),
  });
  return {
    memoryBytes: 16 * MIB,
    boot: { protocol: "kvmkit", kernel: writeElf({ kind: "executable", entry, segments, symbols }) },
    program: { image, path: "/program" },
    plugins: [...memoryPlugins().plugins, { plugin: calls, grant: "all" }],
    limits: { wallMs: 20_000 },
    ...more,
  };
}

/** The built-ins in memory, and what the guest wrote. */
export function memoryPlugins(options: MemoryConsoleOptions = {}) {
  const output: string[] = [];
  const onOutput = (_: string, bytes: Uint8Array): void => {
    output.push(Buffer.from(bytes).toString("latin1"));
  };
  const plugins: PluginEntry[] = [
    { plugin: descriptors, grant: "all" },
    { plugin: memoryConsole, options: { onOutput, ...options }, grant: "all" },
    { plugin: memoryFiles, grant: "all" },
    { plugin: process, grant: "all" },
    { plugin: debugConsole, grant: "all" },
  ];
  return { plugins, written: () => output.join("") };
}

/** A machine that is closed when the test ends. */
export async function machine(t: ExecutionContext, options: VmOptions): Promise<Vm> {
  const vm = await createVm(options);
  t.teardown(() => vm.close());
  return vm;
}

export async function runSync(t: ExecutionContext, options: VmOptions): Promise<RunResult> {
  return (await machine(t, options)).runSync();
}

/** The code of the error that a run ended with, or how else it ended. */
export const endOf = (result: RunResult): string =>
  result.kind === "error" ? result.error.code : result.kind;
