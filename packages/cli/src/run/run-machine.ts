/** One machine from its options to an exit status. */
import { createVm, type RunResult, type Vm, type VmOptions } from "@kvmkit/hypervisor";
import { DEVICE, examineDevice, thisHost } from "../doctor/kvm-device.js";
import { type Output, toJson } from "../output.js";
import { errorAsData } from "../report-error.js";
import type { Timings } from "../report-timings.js";
import { describeResult, type LimitTexts } from "./describe-result.js";
import { exitStatus } from "./exit-status.js";
import { isAsync, localEntries, type MachinePlugin, workerEntries } from "./machine-plugins.js";

export interface MachineContext {
  readonly output: Output;
  readonly timings: Timings;
  readonly debug: boolean;
  /** Limits as the user wrote them. */
  readonly limitTexts: LimitTexts;
}

export type MachineOptions = Omit<VmOptions, "plugins"> & { readonly plugins: readonly MachinePlugin[] };

/** Errors: VmError for what is wrong before the first instruction; a guest's failures are statuses. */
export async function runMachine(options: MachineOptions, context: MachineContext): Promise<number> {
  const { output, timings } = context;
  const apart = isAsync(options.plugins);
  const plugins = apart ? workerEntries(options.plugins) : localEntries(options.plugins);
  const vm = await timings.measure("create machine", () => createVm({ ...options, plugins }));
  try {
    if (vm.fallbackReason !== undefined && !output.json) output.warn(fallbackText(vm.fallbackReason));
    const result = await timings.measure("run", () => (apart ? runApart(vm) : runHere(vm)));
    report(result, vm, context);
    return exitStatus(result);
  } finally {
    await timings.measure("close", () => vm.close());
  }
}

/** On this thread: nothing has to start first, and Ctrl-C is watched natively. */
function runHere(vm: Vm): RunResult {
  return vm.runSync({ signals: ["SIGINT"] });
}

async function runApart(vm: Vm): Promise<RunResult> {
  const interrupted = new AbortController();
  const abort = () => interrupted.abort();
  process.once("SIGINT", abort);
  try {
    return await vm.run({ signal: interrupted.signal });
  } finally {
    process.removeListener("SIGINT", abort);
  }
}

/** One line: that the guest runs on the software CPU, and what is wrong with /dev/kvm. */
function fallbackText(reason: string): string {
  const { verdict, detail } = examineDevice(thisHost);
  const why = verdict === "missing" ? `${DEVICE} ${detail}` : reason;
  return `running on the software CPU, which is slower: ${why}. \`kvm doctor\` says what helps.`;
}

function report(result: RunResult, vm: Vm, { output, debug, limitTexts }: MachineContext): void {
  if (output.json) {
    output.diagnostic(toResultJson(result, vm));
    return;
  }
  for (const { code, message } of result.diagnostics) {
    if (debug || code === "ERR_VM_HANDLER") output.warn(`${message}  ${code}`);
  }
  const [first, ...more] = describeResult(result, limitTexts);
  if (first !== undefined) output.error(first);
  for (const line of more) output.diagnostic(line);
}

function toResultJson(result: RunResult, { accel, fallbackReason }: Vm): string {
  const shown = result.kind === "error" ? { ...result, error: errorAsData(result.error) } : result;
  return toJson({ result: shown, accel, fallbackReason });
}
