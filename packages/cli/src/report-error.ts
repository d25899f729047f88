/** Errors as people and machines read them, and the exit status each leads to. Stack traces only under --debug. */
import { type Problem, problemsOf, renderProblem } from "./config/problems.js";
import type { Finding } from "./doctor/findings.js";
import { examineDevice, thisHost } from "./doctor/kvm-device.js";
import { type Output, toJson } from "./output.js";

/** The errors of the packages below: each has a stable `code` and facts as fields. */
interface CodedError extends Error {
  readonly code: string;
  readonly remedy?: string;
  readonly status?: number;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export const KVMKIT_ERROR = 125;
export const PROGRAM_REFUSED = 126;

export function statusOfError(error: unknown): number {
  if (!isCoded(error)) return KVMKIT_ERROR;
  return error.status ?? (REFUSALS.test(error.code) ? PROGRAM_REFUSED : KVMKIT_ERROR);
}

/** Codes that are about the program to run, wherever it was looked at. */
const REFUSALS = /^ERR_(ELF_|VM_PROGRAM$)/;

export function reportError(error: unknown, output: Output, options: { debug: boolean }): void {
  const problems = problemsOf(error);
  if (output.json) output.diagnostic(toJson({ error: errorAsData(error) }));
  else if (problems !== undefined) reportProblems(problems, output);
  else output.error(errorText(error));
  if (options.debug) output.diagnostic(stackOf(error));
}

function reportProblems(problems: readonly Problem[], output: Output): void {
  for (const problem of problems) {
    output.diagnostic(renderProblem(problem, (caret) => output.paint("red", caret)));
  }
}

/** Message, code and remedy. An error without a code is ours: it should not have come this far. */
export function errorText(error: unknown): string {
  if (!isCoded(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return `internal error: ${message}  ERR_INTERNAL\n     Run again with --debug and report what it prints.`;
  }
  // What the loader found in the program's file says more than that the machine refused it.
  if (error.code === "ERR_VM_PROGRAM" && isCoded(error.cause)) {
    return `${error.facts?.["path"]}: ${error.cause.message}  ${error.cause.code}`;
  }
  if (error.code === "ERR_VM_ACCEL_UNAVAILABLE") {
    const device = examineDevice(thisHost);
    if (device.verdict === "missing") return withoutDevice(error.code, device);
  }
  // Some packages say the remedy in the message already.
  const isSaid = error.remedy === undefined || error.message.includes(error.remedy);
  return `${error.message}  ${error.code}${isSaid ? "" : `\n     ${error.remedy}`}`;
}

/** /dev/kvm is what most people lack: what it is, and how to get it here. */
function withoutDevice(code: string, { detail, remedies = [] }: Finding): string {
  return [
    `/dev/kvm, by which Linux lends a program the processor's virtualization, ${detail}  ${code}`,
    ...remedies.map((remedy) => `     - ${remedy}`),
    "     `kvm doctor` looks at the rest.",
  ].join("\n");
}

export function errorAsData(error: unknown): Record<string, unknown> {
  if (!isCoded(error)) return { code: "ERR_INTERNAL", message: String((error as Error)?.message ?? error) };
  const { name, message, cause: _cause, ...facts } = error;
  return { name, message, ...facts };
}

function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && OUR_CODES.test(String((error as Partial<CodedError>).code ?? ""));
}

/** Node.js has ERR_ codes too: those are not meant for the person at the terminal. */
const OUR_CODES = /^ERR_(ASM|CLI|ELF|HYPERCALL|KERNEL|KVM|LOCK|MANIFEST|PROGRAM|VM|CPU)_/;

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\nCaused by: ${stackOf(error.cause)}`;
}
